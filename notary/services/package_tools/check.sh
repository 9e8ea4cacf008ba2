#!/bin/sh
# Checks an unpacked evidence package with sh, sha256sum, xxd and openssl, and with what POSIX puts on every system.
#
#   cd FOLDER && sh tools/check.sh [--trust trust.toml] [--document FILE]
#
# Numbers, outcomes and meaning are those of docs/formats.md §12. What the script cannot do (OCSP, seals, encodings and
# algorithms that are rare; all of it in §12.1) it says. Exit status: 0 passed, 1 failed, 2 could not be checked. A copy that came inside the package is as trustworthy as the package: get one from elsewhere.
#
# 用 sh、sha256sum、xxd、openssl 核验已解压的证据包。退出码：0 通过，1 未通过，2 未能核验。
# 包内的脚本与证据包同样可信与否：请从其他渠道取得本脚本。
set -euf
LC_ALL=C
export LC_ALL
umask 077
TAB=$(printf '\t')
US=$(printf '\037') # between fields: unlike a tab it keeps empty ones
NL='
'
H64='[0-9a-f]{64}'
NUMBER='(0|[1-9][0-9]{0,15})'
# UTF-8 (RFC 3629), in hexadecimal with a blank before each byte
UTF8='^( [0-7].| (c[2-9a-f]|d.) [89ab].| e0 [ab]. [89ab].| (e[1-9abcef]) [89ab]. [89ab].| ed [89]. [89ab].| f0 [9ab]. [89ab]. [89ab].| f[1-3] [89ab]. [89ab]. [89ab].| f4 8. [89ab]. [89ab].)*$'
# keccak256("Anchored(bytes32,uint64,uint64,bytes32)")
TOPIC=7cd1aecde99af6811cf75335397526e9c32ca8eed27035d2eee23d41062d837d
SEALED=63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365 # mix hash of headers that bear seals
HISTORY=0000f90827f1c53a10cb7a02335b175320002935 # the contract of EIP-2935
BLOCKS=4096 BLOCKS_OF_CONTROL=1024 # of 136 bytes of nodes, those hashed before not counted

stop() { # the script or the machine is at fault, and not the evidence
    printf 'check.sh: %s\n' "$1" >&2
    exit 2
}

# --- what is found -----------------------------------------------------------------------------------------------

found_so() { # whether a check of this id is in the file $1 with this outcome
    grep -Eq "^$2$US$3$US" <"$1"
}

result() { # id, outcome (passed, failed, unchecked), subject, detail in English, in Chinese
    printf '%s\n' "$1$US$2$US$3$US$4$US$5" >>"$out"
}

show() { # the results in the file $1, for people
    while IFS="$US" read -r id outcome subject en zh; do
        sentence "$id" "$outcome"
        case $outcome in
            passed) word='passed 通过' ;;
            failed) word='FAILED 未通过' ;;
            *)
                word='could not be checked 未能核验'
                [ "$en$zh" = -- ] || s_en='' s_zh=''
                ;;
        esac
        [ "$en" != - ] || en=''
        [ "$zh" != - ] || zh=''
        # T stands in the detail of 8.1, and is shown of nothing that failed.
        [ "$overall-$id-$outcome" != failed-8.1-passed ] || en='No times are shown, since a check failed.' zh='有检查未通过，不显示时间。'
        printf '%-4s %s  %s\n' "$id" "$word" "$subject"
        [ -z "$s_en" ] || printf '     %s %s\n' "$s_en" "$s_zh"
        [ -z "$en$zh" ] || printf '     %s %s\n' "$en" "$zh"
    done <"$1"
}

# --- what it means: the sentences of the numbered checks -----------------------------------------------------------

sentence() { # id, outcome: to $s_en, $s_zh
    case $1-$2 in
        1.1-passed) s_en='The evidence is well formed, and the files of a package are as its manifests list them.' s_zh='证据格式正确，证据包的各文件与清单一致。' ;;
        1.1-failed) s_en='The package is malformed, or a file is not as its manifests list it.' s_zh='证据包格式不正确，或文件与清单不一致。' ;;
        1.2-passed) s_en='The verifier gave a trust file.' s_zh='核验人提供了信任文件。' ;;
        2.1-passed) s_en='The statement is canonical and complete.' s_zh='存证陈述为规范格式且完整。' ;;
        2.1-failed) s_en='The statement is not canonical, or not complete.' s_zh='存证陈述格式不规范或不完整。' ;;
        2.2-passed) s_en='The statement names the trusted log.' s_zh='存证陈述所写的日志即受信任的日志。' ;;
        2.2-failed) s_en='The statement names another log.' s_zh='存证陈述属于另一日志。' ;;
        2.3-passed) s_en='Every digest recomputed from the document equals the statement'\''s.' s_zh='对文件重新计算的全部摘要与存证陈述一致。' ;;
        2.3-failed) s_en='This is not the document that was recorded: a digest or the size differs, or none was recorded.' s_zh='这不是被存证的那份文件：摘要或大小不同，或该记录没有对应的文件。' ;;
        2.4-passed) s_en='The opened values are those that the statement commits to.' s_zh='所披露的内容与陈述中的承诺一致。' ;;
        2.4-failed) s_en='An opened value does not fit the commitments.' s_zh='所披露的内容与陈述中的承诺不一致。' ;;
        3.1-passed) s_en='The checkpoint bears a good signature of the trusted log key.' s_zh='检查点带有受信任日志密钥的有效签名。' ;;
        3.1-failed) s_en='The checkpoint is malformed or of another log or size, bears no good signature of the trusted log key, or is not attested within its period.' s_zh='检查点格式有误、属于另一日志或大小不符，没有受信任日志密钥的有效签名，或未在该密钥的有效期内得到证明。' ;;
        3.2-passed) s_en='The path leads from the entry to the root in the checkpoint.' s_zh='由本条目可重新计算出检查点的树根。' ;;
        3.2-failed) s_en='No path leads from the entry to the root in the checkpoint, or heads place the entry differently.' s_zh='由本条目不能得到检查点的树根，缺少包含证明，或各检查点所写的位置不同。' ;;
        3.3-passed) s_en='The later head extends the earlier one: nothing was removed or altered.' s_zh='较晚的树包含较早的树，其间没有删改。' ;;
        3.3-failed) s_en='The later head does not extend the earlier one, or a consistency proof is malformed.' s_zh='较晚的树不是较早的树的延伸，或一致性证明有误。' ;;
        4.1-passed) s_en='The receipt bears a good signature of the trusted receipt key.' s_zh='回执带有受信任回执密钥的有效签名。' ;;
        4.1-failed) s_en='The receipt is malformed or of another log, or bears no good signature of the trusted receipt key.' s_zh='回执格式有误或属于另一日志，或没有受信任回执密钥的有效签名。' ;;
        4.2-passed) s_en='This entry is among those that the receipt covers.' s_zh='回执所签的条目中包含本条目。' ;;
        4.2-failed) s_en='This entry is not among those that the receipt covers.' s_zh='回执所签的条目中没有本条目。' ;;
        4.3-passed) s_en='A head attested before the promised time includes this entry.' s_zh='在回执承诺的时间之前，已有第三方证明的检查点包含本条目。' ;;
        4.3-failed) s_en='The operator broke the promise of its receipt.' s_zh='运营方违反了回执的入册承诺。' ;;
        5.1-passed) s_en='The time-stamp token over the checkpoint is good.' s_zh='时间戳令牌有效，覆盖该检查点。' ;;
        5.1-failed) s_en='The time-stamp token is bad, or is over something else.' s_zh='时间戳令牌无效，或不是针对该检查点。' ;;
        5.2-passed) s_en='Neither the authority'\''s certificate nor one between it and the trusted root was revoked at the token'\''s time.' s_zh='时间戳机构的证书，以及它与受信任根证书之间的各级证书，在签发时间均未被吊销。' ;;
        5.2-failed) s_en='A certificate was revoked, revocation data is forged or damaged, or what the trust file asks for is missing.' s_zh='证书已被吊销，吊销信息是伪造或损坏的，或信任文件要求的吊销信息缺失，该时间戳不可采信。' ;;
        5.3-failed) s_en='The OpenTimestamps file is malformed, or is over something else.' s_zh='OpenTimestamps 文件格式不正确，或不是针对该检查点。' ;;
        6.1-passed) s_en='Chain, contract and log id of the anchor are the trusted ones.' s_zh='锚定所写的链、合约与日志标识均受信任。' ;;
        6.1-failed) s_en='The anchor is malformed, or its chain, contract or log id is not the trusted one.' s_zh='锚定格式有误，或其链、合约或日志标识不是受信任的那一个。' ;;
        6.3-failed) s_en='The receipt is not in the block, the transaction failed, or there is no event of this log in it.' s_zh='交易收据不在该区块中，交易失败，或其中没有本日志的锚定事件。' ;;
        6.4-failed) s_en='Size or root in the contract'\''s event differ from the checkpoint'\''s.' s_zh='合约事件记载的大小或树根与检查点不同。' ;;
        6.2-passed) s_en='The block header hashes to a trusted block hash.' s_zh='区块头的哈希即受信任的区块哈希。' ;;
        6.2-failed) s_en='The block header does not hash to the trusted block hash.' s_zh='区块头的哈希不是受信任的区块哈希。' ;;
        6.3-passed) s_en='The transaction succeeded, and its receipt is under the header'\''s root.' s_zh='交易成功，其收据可由区块头的收据根核验。' ;;
        6.4-passed) s_en='Size and root in the contract'\''s event equal the checkpoint'\''s.' s_zh='合约事件记载的大小和树根与检查点相同。' ;;
        6.5-passed) s_en='The contract'\''s code when anchored was the trusted code.' s_zh='锚定时的合约代码即受信任的代码。' ;;
        6.5-failed) s_en='The account proof does not hold, or the contract'\''s code when anchored was not the trusted code.' s_zh='账户证明不成立，或锚定时的合约代码不是受信任的代码。' ;;
        6.6-passed) s_en='Size and root that the contract held after the block equal the checkpoint'\''s.' s_zh='区块状态中合约所存的大小和树根与检查点相同。' ;;
        7.1-passed) s_en='The header is that of the not-before block in the statement.' s_zh='区块头即存证陈述所写的不早于区块。' ;;
        7.1-failed) s_en='A header is malformed, or is not that of the not-before block in the statement.' s_zh='区块头格式有误，或与存证陈述所写的不一致。' ;;
        7.1-unchecked) s_en='The package does not hold the header of that block.' s_zh='证据包中没有该区块的区块头。' ;;
        7.2-passed) s_en='The block is on the trusted chain: the record was made after it.' s_zh='该区块在受信任的链上，记录制作于其后。' ;;
        7.2-failed) s_en='The trusted chain has another block, or the proof that it is on it does not hold.' s_zh='该区块与受信任的链不符，或其证明不成立。' ;;
        8.1-failed) s_en='The bounds in time contradict each other.' s_zh='各项时间证明互相矛盾。' ;;
        6.6-failed) s_en='The proof does not hold, or the contract held something else, or a head key not trusted or not in its period.' s_zh='存储证明不成立，合约所存的与检查点不同，或签名密钥不受信任、不在其期限之内。' ;;
        8.1-passed) s_en='Enough independent third parties bound the time of existence.' s_zh='足够数量的独立第三方证明了存在时间的上限。' ;;
        9.1-passed) s_en='The operator'\''s inspection is in the log and follows this document.' s_zh='运营方的签名检查结果已入册，且针对本文件。' ;;
        9.1-failed) s_en='The inspection is not of this document, or not in the log.' s_zh='签名检查结果不是针对本文件，或不在日志中。' ;;
        9.3-passed) s_en='The statements that this one follows are linked one to another back to the first, and all are in the log.' s_zh='本记录所承接的各前序记录逐一相连，直至首条，均在日志中。' ;;
        9.3-failed) s_en='An earlier statement is not the one that the next one follows, or is not in the log.' s_zh='所附前序记录与本记录不相连，或不在日志中。' ;;
        1.2-unchecked) s_en='No trust file was given: nothing that needs trust was checked.' s_zh='未提供信任文件，依赖信任的各项均未核验。' ;;
        2.3-unchecked) s_en='No document was given, so no digest was compared.' s_zh='没有提供文件，未比对摘要。' ;;
        3.1-unchecked) s_en='There is no checkpoint yet, no trust file, or nothing dates it within the period of its key.' s_zh='尚无检查点，缺少信任文件，或无从判断检查点是否出自密钥的有效期内。' ;;
        3.2-unchecked) s_en='Not closed into a batch yet, or no trust file: no inclusion proof was checked.' s_zh='尚未入册，或缺少信任文件，未核验包含证明。' ;;
        5.1-unchecked) s_en='The trust file does not know this authority; the token was not checked.' s_zh='信任文件中没有该时间戳机构，未核验。' ;;
        5.2-unchecked) s_en='No revocation data from after the token was made: it is open whether a certificate was revoked.' s_zh='没有签发时间之后的吊销信息，证书是否已被吊销尚无法判断。' ;;
        *) s_en='' s_zh='' ;;
    esac
}

# --- bytes and numbers -------------------------------------------------------------------------------------------

at() { # where a member lies: for a control, one of them lies elsewhere
    if [ "$1" = "$replaced" ]; then place=$replacement; else place=./$1; fi
}

sha() { # SHA-256 of a file, in hexadecimal
    sum=$(sha256sum <"$1") || stop "cannot read $1"
    sum=${sum%% *}
}

hash() { # SHA-256 of bytes given in hexadecimal
    sum=$(printf '%s' "$1" | xxd -r -p | sha256sum)
    sum=${sum%% *}
}

keccak() { # Keccak-256 (as Ethereum has it, before the padding of SHA-3) of bytes given in hexadecimal; to $sum
    # Blocks of 136 bytes, as 17 numbers of 64 bits, little-endian. No sign is in the way: a shell has 64 bits and
    # wraps, and what a shift to the right draws in is taken off again.
    printf '%s\n' "$1" | awk '{
        text = $0 "01"
        while (length(text) % 272) text = text "00"
        last = substr(text, length(text)) + 0
        text = substr(text, 1, length(text) - 2) "8" last
        for (at = 1; at < length(text); at += 16) {
            lane = ""
            for (byte = 14; byte >= 0; byte -= 2) lane = lane substr(text, at + byte, 2)
            printf "0x%s<<32|0x%s%s", substr(lane, 1, 8), substr(lane, 9), (at + 15) % 272 ? " " : "\n"
        }
    }' >"$work/blocks"
    a0=0 a1=0 a2=0 a3=0 a4=0 a5=0 a6=0 a7=0 a8=0 a9=0 a10=0 a11=0 a12=0
    a13=0 a14=0 a15=0 a16=0 a17=0 a18=0 a19=0 a20=0 a21=0 a22=0 a23=0 a24=0
    while read -r b0 b1 b2 b3 b4 b5 b6 b7 b8 b9 b10 b11 b12 b13 b14 b15 b16; do
        a0=$((a0 ^ ($b0))) a1=$((a1 ^ ($b1))) a2=$((a2 ^ ($b2))) a3=$((a3 ^ ($b3))) a4=$((a4 ^ ($b4))) a5=$((a5 ^ ($b5)))
        a6=$((a6 ^ ($b6))) a7=$((a7 ^ ($b7))) a8=$((a8 ^ ($b8))) a9=$((a9 ^ ($b9))) a10=$((a10 ^ ($b10))) a11=$((a11 ^ ($b11)))
        a12=$((a12 ^ ($b12))) a13=$((a13 ^ ($b13))) a14=$((a14 ^ ($b14))) a15=$((a15 ^ ($b15))) a16=$((a16 ^ ($b16)))
        for rc in 1 0x8082 '1<<63|0x808a' '1<<63|0x80008000' 0x808b 0x80000001 '1<<63|0x80008081' '1<<63|0x8009' \
            0x8a 0x88 0x80008009 0x8000000a 0x8000808b '1<<63|0x8b' '1<<63|0x8089' '1<<63|0x8003' \
            '1<<63|0x8002' '1<<63|0x80' 0x800a '1<<63|0x8000000a' '1<<63|0x80008081' '1<<63|0x8080' 0x80000001 '1<<63|0x80008008'; do
            # theta, rho and pi, chi, iota (FIPS 202, 3.2)
            c0=$((a0 ^ a5 ^ a10 ^ a15 ^ a20)) c1=$((a1 ^ a6 ^ a11 ^ a16 ^ a21)) c2=$((a2 ^ a7 ^ a12 ^ a17 ^ a22)) c3=$((a3 ^ a8 ^ a13 ^ a18 ^ a23)) c4=$((a4 ^ a9 ^ a14 ^ a19 ^ a24))
            d0=$((c4 ^ (c1<<1 | c1>>63 & 1))) d1=$((c0 ^ (c2<<1 | c2>>63 & 1))) d2=$((c1 ^ (c3<<1 | c3>>63 & 1))) d3=$((c2 ^ (c4<<1 | c4>>63 & 1))) d4=$((c3 ^ (c0<<1 | c0>>63 & 1)))
            a0=$((a0 ^ d0)) a1=$((a1 ^ d1)) a2=$((a2 ^ d2)) a3=$((a3 ^ d3)) a4=$((a4 ^ d4))
            a5=$((a5 ^ d0)) a6=$((a6 ^ d1)) a7=$((a7 ^ d2)) a8=$((a8 ^ d3)) a9=$((a9 ^ d4))
            a10=$((a10 ^ d0)) a11=$((a11 ^ d1)) a12=$((a12 ^ d2)) a13=$((a13 ^ d3)) a14=$((a14 ^ d4))
            a15=$((a15 ^ d0)) a16=$((a16 ^ d1)) a17=$((a17 ^ d2)) a18=$((a18 ^ d3)) a19=$((a19 ^ d4))
            a20=$((a20 ^ d0)) a21=$((a21 ^ d1)) a22=$((a22 ^ d2)) a23=$((a23 ^ d3)) a24=$((a24 ^ d4))
            b0=$a0 b10=$((a1<<1 | a1>>63 & 1)) b20=$((a2<<62 | a2>>2 & 0x3fffffffffffffff)) b5=$((a3<<28 | a3>>36 & 0xfffffff)) b15=$((a4<<27 | a4>>37 & 0x7ffffff))
            b16=$((a5<<36 | a5>>28 & 0xfffffffff)) b1=$((a6<<44 | a6>>20 & 0xfffffffffff)) b11=$((a7<<6 | a7>>58 & 0x3f)) b21=$((a8<<55 | a8>>9 & 0x7fffffffffffff)) b6=$((a9<<20 | a9>>44 & 0xfffff))
            b7=$((a10<<3 | a10>>61 & 0x7)) b17=$((a11<<10 | a11>>54 & 0x3ff)) b2=$((a12<<43 | a12>>21 & 0x7ffffffffff)) b12=$((a13<<25 | a13>>39 & 0x1ffffff)) b22=$((a14<<39 | a14>>25 & 0x7fffffffff))
            b23=$((a15<<41 | a15>>23 & 0x1ffffffffff)) b8=$((a16<<45 | a16>>19 & 0x1fffffffffff)) b18=$((a17<<15 | a17>>49 & 0x7fff)) b3=$((a18<<21 | a18>>43 & 0x1fffff)) b13=$((a19<<8 | a19>>56 & 0xff))
            b14=$((a20<<18 | a20>>46 & 0x3ffff)) b24=$((a21<<2 | a21>>62 & 0x3)) b9=$((a22<<61 | a22>>3 & 0x1fffffffffffffff)) b19=$((a23<<56 | a23>>8 & 0xffffffffffffff)) b4=$((a24<<14 | a24>>50 & 0x3fff))
            a0=$((b0 ^ ~b1 & b2 ^ ($rc))) a1=$((b1 ^ ~b2 & b3)) a2=$((b2 ^ ~b3 & b4)) a3=$((b3 ^ ~b4 & b0)) a4=$((b4 ^ ~b0 & b1))
            a5=$((b5 ^ ~b6 & b7)) a6=$((b6 ^ ~b7 & b8)) a7=$((b7 ^ ~b8 & b9)) a8=$((b8 ^ ~b9 & b5)) a9=$((b9 ^ ~b5 & b6))
            a10=$((b10 ^ ~b11 & b12)) a11=$((b11 ^ ~b12 & b13)) a12=$((b12 ^ ~b13 & b14)) a13=$((b13 ^ ~b14 & b10)) a14=$((b14 ^ ~b10 & b11))
            a15=$((b15 ^ ~b16 & b17)) a16=$((b16 ^ ~b17 & b18)) a17=$((b17 ^ ~b18 & b19)) a18=$((b18 ^ ~b19 & b15)) a19=$((b19 ^ ~b15 & b16))
            a20=$((b20 ^ ~b21 & b22)) a21=$((b21 ^ ~b22 & b23)) a22=$((b22 ^ ~b23 & b24)) a23=$((b23 ^ ~b24 & b20)) a24=$((b24 ^ ~b20 & b21))
        done
    done <"$work/blocks"
    sum=$(printf '%016x%016x%016x%016x\n' "$a0" "$a1" "$a2" "$a3" | sed 's/\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)/\8\7\6\5\4\3\2\1/g')
}

hash_node() { # Keccak-256 of a node in hexadecimal, to $sum; 1 where so much was hashed that this one is not (docs/formats.md §12.1)
    # A block of 136 bytes takes milliseconds: anchors of 16 MiB would take minutes, and as much again for each control.
    hash "$1"
    node_id=$sum
    if sum=$(grep -e "^$node_id " <"$work/hashed"); then
        sum=${sum#* }
        return 0
    fi
    [ "$blocks_left" -gt $((${#1} / 272)) ] || return 1
    blocks_left=$((blocks_left - ${#1} / 272 - 1))
    keccak "$1"
    printf '%s %s\n' "$node_id" "$sum" >>"$work/hashed"
}

can_hash() { # whether this shell computes so: the topic of the event, and an input of two blocks
    keccak 416e63686f72656428627974657333322c75696e7436342c75696e7436342c6279746573333229
    [ "$sum" = "$TOPIC" ] || return 1
    keccak "$(printf '%0272d' 0)"
    [ "$sum" = 3a5912a7c5faa06ee4fe906253e339467a9ce87d533c65be3c15cb231cdb25f9 ]
}

hex_of() { # a file in hexadecimal
    hex=$(xxd -p <"$1" | tr -d '\n')
}

is_decimal() { # a number below 2^63 in its one spelling
    case $1 in
        '' | *[!0-9]* | 0?* | ????????????????????*) return 1 ;;
        ???????????????????)
            high=${1%??????????}
            low=${1#"$high"}
            [ "$high" -lt 922337203 ] || { [ "$high" -eq 922337203 ] && [ "$low" -le 6854775807 ]; }
            ;;
    esac
}

matches() { # text, extended regular expression for the whole of it; a newline never matches
    case $1 in *"$NL"*) return 1 ;; esac
    printf '%s\n' "$1" | grep -Eq "^$2\$"
}

from_base64() { # the 32 bytes of a hash in base64, to $hex
    matches "$1" '[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=' || return 1
    hex=$(printf '%s\n' "$1" | openssl base64 -d -A | xxd -p | tr -d '\n')
    [ "${#hex}" -eq 64 ]
}

seconds() { # since 1970, of YYYY-MM-DDTHH:MM:SSZ that exists; to $epoch
    matches "$1" '[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3])(:[0-5][0-9]){2}Z' || return 1
    # A 1 before the digits and its value taken off again: zeros before them would make a number octal.
    left=${1%Z}
    year=$((1${left%%-*} - 10000)) left=${left#*-}
    month=$((1${left%%-*} - 100)) left=${left#*-}
    day=$((1${left%%T*} - 100)) left=${left#*T}
    hour=$((1${left%%:*} - 100)) left=${left#*:}
    minute=$((1${left%%:*} - 100)) second=$((1${left#*:} - 100))
    [ "$year" -ge 1 ] || return 1
    case $month in
        4 | 6 | 9 | 11) days=30 ;;
        2) days=28 && { [ $((year % 4)) -ne 0 ] || { [ $((year % 100)) -eq 0 ] && [ $((year % 400)) -ne 0 ]; } || days=29; } ;;
        *) days=31 ;;
    esac
    [ "$day" -le "$days" ] || return 1
    y=$year m=$month
    [ "$m" -gt 2 ] || { y=$((y - 1)) m=$((m + 12)); }
    epoch=$(((365 * y + y / 4 - y / 100 + y / 400 + (153 * (m - 3) + 2) / 5 + day - 1 - 719468) * 86400))
    epoch=$((epoch + hour * 3600 + minute * 60 + second))
}

plain() { # a number without leading zeros, which would make it octal
    number=$1
    while [ "${#number}" -gt 1 ]; do
        case $number in 0*) number=${number#0} ;; *) break ;; esac
    done
    printf '%s' "$number"
}

moment() { # YYYY-MM-DDTHH:MM:SSZ of seconds since 1970; to $moment
    z=$(($1 / 86400 + 719468)) rest=$(($1 % 86400))
    era=$((z / 146097)) doe=$((z % 146097))
    yoe=$(((doe - doe / 1460 + doe / 36524 - doe / 146096) / 365))
    doy=$((doe - (365 * yoe + yoe / 4 - yoe / 100)))
    mp=$(((5 * doy + 2) / 153))
    day=$((doy - (153 * mp + 2) / 5 + 1)) month=$((mp < 10 ? mp + 3 : mp - 9)) year=$((yoe + era * 400))
    [ "$month" -gt 2 ] || year=$((year + 1))
    moment=$(printf '%04d-%02d-%02dT%02d:%02d:%02dZ' "$year" "$month" "$day" $((rest / 3600)) $((rest / 60 % 60)) $((rest % 60)))
}

# --- the trust file ----------------------------------------------------------------------------------------------

read_trust() { # to $work/trust: table, its number, key, value; newlines in a value become \001
    [ "$(wc -c <"$1")" -le 1048576 ] || stop "the trust file is larger than 1 MiB"
    [ "$(tr -d '\011\012\015\040-\176\200-\377' <"$1" | wc -c)" -eq 0 ] || stop "trust file: a control character"
    xxd -p <"$1" | tr -d '\n' | sed 's/../ &/g' | grep -Eq "$UTF8" || [ ! -s "$1" ] || stop "trust file: it is not UTF-8"
    awk '
        function die(message) { print message > "/dev/stderr"; failed = 1; exit 1 }
        function blanks() { sub(/^[ \t]+/, "", rest) }
        function more() { if (++at > count) die("line " at ": a value does not end"); rest = line[at] }
        function emit(value) {
            if (index(value, "\t")) die("line " at ": a tab in a value is not read here")
            if (!index(pem, " " key " ") && value ~ /[\001-\037\177]/) die("line " at ": a control character")
            print table "\t" number[table] "\t" key "\t" value
        }
        # A value without quotes is a number, a date or true and false; everything else is text. Neither stands for the other.
        function typed(want) {
            want = index(bare, " " key " ") ? "bare" : "text"
            if (want == "bare" && rest ~ ("^[\"" APOS "]") || want == "text" && rest !~ ("^[\"" APOS "]"))
                die("line " at ": " key " has another type")
            emit(scalar())
        }
        function string(mark, close_at, value) {
            rest = substr(rest, 4)
            if (rest == "") more()
            while (!(close_at = index(rest, mark))) { value = value rest "\001"; more() }
            value = value substr(rest, 1, close_at - 1)
            rest = substr(rest, close_at + 3)
            if (mark != APOS APOS APOS && index(value, "\\")) die("line " at ": escapes are not read here")
            return value
        }
        function scalar(text) {
            if (substr(rest, 1, 3) == "\"\"\"") return string("\"\"\"")
            if (substr(rest, 1, 3) == APOS APOS APOS) return string(APOS APOS APOS)
            if (match(rest, /^"[^"\\]*"/) || match(rest, "^" APOS "[^" APOS "]*" APOS)) {
                text = substr(rest, 2, RLENGTH - 2)
                rest = substr(rest, RLENGTH + 1)
                return text
            }
            if (!match(rest, /^[A-Za-z0-9:.+-]+/)) die("line " at ": a value that is not read here")
            text = substr(rest, 1, RLENGTH)
            rest = substr(rest, RLENGTH + 1)
            return text
        }
        function skip() { for (;;) { blanks(); if (rest == "" || substr(rest, 1, 1) == "#") more(); else return } }
        function list() {
            rest = substr(rest, 2)
            for (;;) {
                skip()
                if (substr(rest, 1, 1) == "]") break
                typed()
                skip()
                if (substr(rest, 1, 1) == ",") rest = substr(rest, 2)
                else if (substr(rest, 1, 1) != "]") die("line " at ": a list that is not read here")
            }
            rest = substr(rest, 2)
        }
        BEGIN {
            APOS = sprintf("%c", 39)
            known["top"] = " version origin test_only k "
            known["log_key"] = known["receipt_key"] = " vkey since until last_good_size "
            known["chain"] = " chain_id contract log_id code_hash profile head_keys "
            known["chain.head_key"] = " address since until last_good_size "
            known["chain.block"] = " number hash "
            known["chain.validators"] = " addresses from_block "
            known["tsa"] = " name organisation roots policies accuracy_ms intermediates revocation "
            known["bitcoin_block"] = " height header "
            known["witness"] = " vkey "
            bare = " version test_only k since until last_good_size chain_id number from_block accuracy_ms height "
            lists = " head_keys addresses roots policies intermediates "
            pem = " roots intermediates "
            table = "top"
            number[table] = 1
        }
        { sub(/\r$/, ""); if ($0 ~ /[\001\r]/) die("line " NR ": a control character"); line[++count] = $0 }
        END {
            if (failed) exit 1
            while (++at <= count) {
                rest = line[at]
                blanks()
                if (rest == "" || substr(rest, 1, 1) == "#") continue
                if (match(rest, /^\[\[[a-z_.]+\]\]/)) {
                    table = substr(rest, 3, RLENGTH - 4)
                    rest = substr(rest, RLENGTH + 1)
                    if (!(table in known) || table == "top") die("line " at ": a table that is not known: " table)
                    if (table ~ /^chain\./) {
                        if (!number["chain"]) die("line " at ": " table " before a chain")
                    }
                    number[table]++
                    print table "\t" number[table] "\t\t" # so that one without keys is there, too
                    if (table ~ /^chain\./) { key = "of"; emit(number["chain"]) }
                } else if (match(rest, /^[a-z_]+[ \t]*=/)) {
                    key = substr(rest, 1, RLENGTH - 1)
                    rest = substr(rest, RLENGTH + 1)
                    sub(/[ \t]+$/, "", key)
                    if (!index(known[table], " " key " ")) die("line " at ": a key that is not known: " key)
                    if (seen[table, number[table], key]++) die("line " at ": " key " stands twice")
                    blanks()
                    if ((substr(rest, 1, 1) == "[") != (index(lists, " " key " ") > 0)) die("line " at ": " key " has another type")
                    if (substr(rest, 1, 1) == "[") list(); else typed()
                } else die("line " at ": not read here")
                blanks()
                if (rest != "" && substr(rest, 1, 1) != "#") die("line " at ": something behind a value")
            }
        }
    ' <"$1" >"$work/trust" || stop "the trust file cannot be read by this script; notary verify may read it"
}

value() { # table, number, key: the one value, to $found; fails where there is none. An empty text is a value, and of no key a good one
    found=$(awk -F "$TAB" -v t="$1" -v n="$2" -v k="$3" '$1 == t && $2 == n && $3 == k { print $4; found = 1 } END { exit !found }' <"$work/trust")
}

tables() { # how many of this name there are
    tables=$(awk -F "$TAB" -v t="$1" '$1 == t && $2 > n { n = $2 } END { print n + 0 }' <"$work/trust")
}

pem_of() { # the certificates in a list of table tsa, number $1, key $2
    awk -F "$TAB" -v n="$1" -v k="$2" '$1 == "tsa" && $2 == n && $3 == k { print $4 }' <"$work/trust" | tr '\001' '\n'
}

judge_trust() { # whether each table has what it needs, of its form, and no two say different things of one (docs/formats.md §8)
    why=$(awk -F "$TAB" '
        function fail(what) { if (!said) { said = 1; print what } }
        function needs(table, list, n, i, key) {
            split(list, key, " ")
            for (n = 1; n <= count[table]; n++) for (i = 1; i in key; i++)
                if (!((table, n, key[i]) in value)) fail("a " table " has no " key[i])
        }
        function whole(text, limit) { return text ~ /^(0|[1-9][0-9]*)$/ && length(text) < 17 && text + 0 <= limit }
        function hex(text, bytes) { return text ~ /^0x[0-9a-f]*$/ && length(text) == 2 + 2 * bytes }
        function once(what, mark) { if (seen[what, mark]++) fail("two " what) }
        {
            table = $1; n = $2; key = $3; text = $4
            if (n > count[table]) count[table] = n
            if (key == "") next
            if (!((table, n, key) in value)) value[table, n, key] = text
            if (key == "of") of[table, n] = text
            if (key ~ /^(chain_id|number|from_block|last_good_size)$/ && !whole(text, 9007199254740991)) fail(key " is not a whole number from 0 to 2^53 - 1")
            if (key == "height" && !whole(text, 2147483647)) fail("height is not a whole number from 0 to 2^31 - 1")
            if (key ~ /^(log_id|code_hash|hash)$/ && !hex(text, 32)) fail(key " is not 0x and 32 bytes")
            if (key ~ /^(contract|address|addresses|head_keys)$/ && !hex(text, 20)) fail(key " is not 0x and 20 bytes")
            if (key == "header" && !hex(text, 80)) fail("header is not 0x and 80 bytes")
            if (key == "policies" && (text !~ /^[0-9]+([.][0-9]+)+$/ || length(text) > 255)) fail("a policy is no dotted object identifier")
            if (key == "organisation") {
                gsub(/[\200-\277]/, "", text) # the first byte of each character is left
                if (length(text) > 200) fail("organisation has more than 200 characters")
            }
            if (key == "addresses") { once("validators of a set are the same", n " " text); validators[n]++ }
            if (key == "address" || key == "head_keys") { c = key == "address" ? of[table, n] : n; named[c, text]++; if (named[c, text] > 1) twice[c] }
        }
        END {
            needs("chain", "chain_id contract log_id code_hash profile")
            needs("chain.head_key", "address")
            needs("chain.block", "number hash")
            needs("chain.validators", "addresses")
            needs("bitcoin_block", "height header")
            needs("witness", "vkey")
            for (n = 1; n <= count["chain.validators"]; n++) {
                c = of["chain.validators", n]
                sets[c]++
                if (validators[n] > 100) fail("validators are not 1 to 100 different addresses")
                from = ("chain.validators", n, "from_block") in value ? value["chain.validators", n, "from_block"] : 0
                once("sets of validators begin with one block", c " " from)
            }
            for (n = 1; n <= count["chain"]; n++) {
                profile = value["chain", n, "profile"]
                if ((profile ~ /^(qbft|ibft2)$/) != (sets[n] > 0)) fail("a chain of profile " profile (sets[n] ? " has no" : " needs") " validators")
                once("chain are of one contract and log id", value["chain", n, "chain_id"] " " value["chain", n, "contract"] " " value["chain", n, "log_id"])
            }
            for (n = 1; n <= count["chain.block"]; n++) {
                number = value["chain.block", n, "number"]
                once("blocks of a chain have one number", of["chain.block", n] " " number)
                id = value["chain", of["chain.block", n], "chain_id"]
                if (((id, number) in block) && block[id, number] != value["chain.block", n, "hash"]) fail("block " number " of chain " id " has two hashes")
                block[id, number] = value["chain.block", n, "hash"]
            }
            for (n = 1; n <= count["chain.head_key"]; n++) if (of["chain.head_key", n] in twice) fail("a head key of a chain is named twice")
            for (n = 1; n <= count["bitcoin_block"]; n++) once("bitcoin_block are of one height", value["bitcoin_block", n, "height"])
        }' <"$work/trust")
    [ -z "$why" ] || stop "trust file: $why"
}

read_period() { # table, number: to $since, $until and $last, "-" where there is none
    since=- until=- last=-
    if value "$1" "$2" since; then seconds "$found" || stop "trust file: a time that is not read here"; since=$epoch; fi
    if value "$1" "$2" until; then seconds "$found" || stop "trust file: a time that is not read here"; until=$epoch; fi
    if value "$1" "$2" last_good_size; then last=$found; fi
    [ "$last" = - ] || [ "$until" != - ] || stop "trust file: a key with last_good_size has no until"
    [ "$since" = - ] || [ "$until" = - ] || [ "$since" -le "$until" ] || stop "trust file: a key ends before it begins"
}

judge_others() { # what counts for nothing here has its form all the same: periods of head keys, witnesses, Bitcoin blocks
    tables chain.head_key
    n=0
    while [ "$n" -lt "$tables" ]; do
        n=$((n + 1))
        read_period chain.head_key "$n"
    done
    tables witness
    n=0
    while [ "$n" -lt "$tables" ]; do
        n=$((n + 1))
        value witness "$n" vkey || stop "trust file: a witness has no vkey"
        name=${found%%+*} rest=${found#*+}
        id=${rest%%+*} rest=${rest#*+}
        printf '— %s %s\n' "$name" "$rest" >"$work/vkey"
        [ "$found" = "$name+$id+$rest" ] && matches "$id" '[0-9a-f]{8}' && signature_lines "$work/vkey" 2 || stop "trust file: the vkey of a witness"
        sum=$({ printf '%s\n' "$name" && printf '%s' "$rest" | openssl base64 -d -A; } | sha256sum)
        [ "$(printf '%s' "$sum" | cut -c1-8)" = "$id" ] || stop "trust file: the key id of a vkey is not its key's"
    done
    tables bitcoin_block
    n=0
    : >"$work/bitcoin"
    while [ "$n" -lt "$tables" ]; do
        n=$((n + 1))
        value bitcoin_block "$n" header || stop "trust file: a bitcoin_block has no header"
        raw=${found#0x}
        hash "$raw"
        hash "$sum"
        # Its work: the hash, read as a little-endian number, is at most the target that the header states (§9.1).
        printf '%s %s\n' "$raw" "$sum" | awk '
            function byte(at) { return index("0123456789abcdef", substr($1, at, 1)) * 16 + index("0123456789abcdef", substr($1, at + 1, 1)) - 17 }
            {
                for (at = 63; at > 0; at -= 2) shown = shown substr($2, at, 2)
                target = substr($1, 149, 2) substr($1, 147, 2) substr($1, 145, 2)
                negative = byte(149) > 127
                for (at = byte(151); at > 3; at--) target = target "00"
                for (; at < 3; at++) target = substr(target, 1, length(target) - 2)
                sub(/^0+/, "", target)
                if (negative || length(target) > 64) exit 1
                while (length(target) < 64) target = "0" target
                if ("x" shown > "x" target) exit 1
                # By when what it commits to existed: its time and two hours.
                print byte(137) + 256 * byte(139) + 65536 * byte(141) + 16777216 * byte(143) + 7200
            }' >>"$work/bitcoin" || stop "trust file: a Bitcoin block header does not show the work that it states"
    done
}

load_trust() {
    read_trust "$1"
    judge_trust
    value top 1 version && [ "$found" = 1 ] || stop "the trust file is not of version 1"
    value top 1 origin && matches "$found" '[a-zA-Z0-9._~/:-]{1,200}' || stop "the trust file names no log"
    origin=$found
    test_only=false
    if value top 1 test_only; then test_only=$found; fi
    matches "$test_only" '(true|false)' || stop "trust file: test_only is not true or false"
    load_keys log_key "$origin"
    [ -s "$work/keys.log_key" ] || stop "the trust file has no log_key"
    load_keys receipt_key "$origin/receipt"
    [ -z "$(cat "$work/keys.log_key" "$work/keys.receipt_key" | cut -d' ' -f2 | sort | uniq -d)" ] ||
        stop "trust file: one key is a log_key and a receipt_key: none does the work of another"
    judge_others
    load_authorities
    require_independent
    tables chain
    chains=$tables
    n=0
    while [ "$n" -lt "$chains" ]; do
        n=$((n + 1))
        value chain "$n" profile || stop "trust file: a chain has no profile"
        matches "$found" '(ethereum|op|qbft|ibft2|anvil)' || stop "trust file: a profile that is not known: $found"
        [ "$found" != anvil ] || [ "$test_only" = true ] || stop "trust file: a chain of profile anvil proves nothing"
    done
    if value top 1 k; then
        k=$found
        matches "$k" '([1-9]|[1-5][0-9]|6[0-4])' || stop "trust file: k is not 1 to 64"
    else
        count_sources
        k=$((sources < 2 ? 1 : 2))
    fi
}

load_keys() { # table, name: lines of key id, public key, since, until, last good size, vkey
    : >"$work/keys.$1"
    tables "$1"
    n=0
    while [ "$n" -lt "$tables" ]; do
        n=$((n + 1))
        value "$1" "$n" vkey || stop "trust file: a $1 has no vkey"
        vkey=$found
        name=${vkey%%+*}
        rest=${vkey#*+}
        id=${rest%%+*}
        [ "$name" = "$2" ] || stop "trust file: a $1 has the name $name and not $2"
        # 33 bytes: type 0x01 and the key
        matches "${rest#*+}" '[A-Za-z0-9+/]{44}' || stop "trust file: a vkey is not of an Ed25519 key"
        hex=$(printf '%s\n' "${rest#*+}" | openssl base64 -d -A | xxd -p | tr -d '\n')
        [ "${#hex}" -eq 66 ] && [ "${hex#01}" != "$hex" ] || stop "trust file: a vkey is not of an Ed25519 key"
        sum=$({ printf '%s\n' "$name" && printf '%s' "$hex" | xxd -r -p; } | sha256sum)
        [ "$(printf '%s' "$sum" | cut -c1-8)" = "$id" ] || stop "trust file: the key id of a vkey is not its key's"
        ! grep -q "^$id " <"$work/keys.$1" || stop "trust file: two $1 have one key id"
        read_period "$1" "$n"
        printf '%s %s %s %s %s %s\n' "$id" "${hex#01}" "$since" "$until" "$last" "$vkey" >>"$work/keys.$1"
    done
}

load_authorities() { # lines of name, number, organisation as it is counted (see folded), and as it is written
    : >"$work/authorities"
    tables tsa
    n=0
    while [ "$n" -lt "$tables" ]; do
        n=$((n + 1))
        value tsa "$n" name && matches "$found" '[a-z0-9][a-z0-9._-]{0,63}' || stop "trust file: the name of a tsa"
        name=$found
        ! grep -q "^$name$TAB" <"$work/authorities" || stop "trust file: two tsa have the same name"
        value tsa "$n" organisation && [ -n "$found" ] || stop "trust file: a tsa has no organisation"
        written=$found
        plain=$(folded "$found")
        # Without a letter or digit it counts as it stands, by NFKC.
        [ -n "$plain" ] || case $found in *[!\ -~]*) plain='.?' ;; *) plain=.!$(printf '%s' "$found" | xxd -p | tr -d '\n') ;; esac
        value tsa "$n" roots || stop "trust file: a tsa has no root"
        if value tsa "$n" revocation; then
            matches "$found" '(strict|lenient)' || stop "trust file: revocation is not strict or lenient"
        fi
        # It goes into arithmetic, where a shell may run what is no number.
        if value tsa "$n" accuracy_ms; then
            matches "$found" '(0|[1-9][0-9]{0,6})' && [ "$found" -le 3600000 ] || stop "trust file: accuracy_ms is not 0 to 3600000"
        fi
        printf '%s\t%s\t%s\t%s\n' "$name" "$n" "$plain" "$written" >>"$work/authorities"
    done
}

load_certificates() { # of each tsa: lines of number, roots or intermediates, and what cert.awk reads, to $work/pinned
    awk -F "$TAB" '$1 == "tsa" && ($3 == "roots" || $3 == "intermediates") { print $2 "\t" $3 "\t" $4 }' <"$work/trust" | awk -F "$TAB" '
        {
            count = split($3, line, "\001")
            state = 0; text = ""
            for (at = 1; at <= count; at++) {
                gsub(/^[ \t\r]+|[ \t\r]+$/, "", line[at])
                if (line[at] == "") continue
                if (state == 0 && line[at] == "-----BEGIN CERTIFICATE-----") state = 1
                else if (state == 1 && line[at] == "-----END CERTIFICATE-----") state = 2
                else if (state == 1 && line[at] ~ /^[A-Za-z0-9+\/=]+$/) text = text line[at]
                else state = 3
            }
            print $1 "\t" $2 "\t" (state == 2 ? text : "")
        }' >"$work/pem"
    : >"$work/pinned"
    while IFS="$TAB" read -r n kind encoded; do
        [ -n "$encoded" ] || stop "trust file: $kind: not one certificate in each string, and nothing else"
        printf '%s' "$encoded" | openssl base64 -d -A >"$work/der" 2>/dev/null || :
        [ "$(openssl base64 -A <"$work/der")" = "$encoded" ] && openssl x509 -inform DER -in "$work/der" -noout -pubkey >/dev/null 2>&1 ||
            stop "trust file: $kind: not a certificate in PEM form"
        plain_extensions=1
        [ "$kind" = intermediates ] || plain_extensions=0
        read_certificate "$work/der" || {
            : >"$work/odd.$n"
            plain_extensions=0
            read_certificate "$work/der" || stop "trust file: $kind: a certificate that is not read here; notary verify may read it"
        }
        printf '%s\t%s\t%s\n' "$n" "$kind" "$certificate" >>"$work/pinned"
    done <"$work/pem"
}

read_certificate() { # a file in DER: to $certificate the line that der.awk makes of it
    certificate=$({ xxd -p <"$1" | tr -d '\n' && printf '\n'; } | awk -v plain_extensions="$plain_extensions" -f "$work/der.awk" -f "$work/cert.awk") || stop "cannot read a certificate"
    case $certificate in "certificate$TAB"*) ;; *) return 1 ;; esac
}

made_by() { # line of a certificate, line of another: whether the key of the latter made the signature of the former; 2 where that cannot be told
    # By docs/formats.md §9 only the algorithms there can; their keys are of that kind.
    key=$(printf '%s' "$2" | cut -f5)
    case $(printf '%s' "$1" | cut -f6)-$key in
        2a864886f70d01010[bcd]-30*06092a864886f70d010101*) program='dgst -verify' ;;
        2a8648ce3d04030[234]-30*06072a8648ce3d0201*) program='dgst -verify' ;;
        2b6570-302a300506032b6570*) program=pkeyutl ;;
        2a864886f70d01010a-* | 60864801650304030[9abcdef]-* | 608648016503040310-*) return 2 ;;
        *) return 1 ;;
    esac
    printf '%s' "$key" | xxd -r -p >"$work/made.key"
    printf '%s' "$1" | cut -f7 | xxd -r -p >"$work/made.text"
    printf '%s' "$1" | cut -f8 | xxd -r -p >"$work/made.signature"
    case $program-$(printf '%s' "$1" | cut -f6) in
        pkeyutl-*) openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/made.key" -rawin -in "$work/made.text" -sigfile "$work/made.signature" >/dev/null 2>&1 ;;
        *b | *2) openssl dgst -sha256 -keyform DER -verify "$work/made.key" -signature "$work/made.signature" "$work/made.text" >/dev/null 2>&1 ;;
        *c | *3) openssl dgst -sha384 -keyform DER -verify "$work/made.key" -signature "$work/made.signature" "$work/made.text" >/dev/null 2>&1 ;;
        *) openssl dgst -sha512 -keyform DER -verify "$work/made.key" -signature "$work/made.signature" "$work/made.text" >/dev/null 2>&1 ;;
    esac
}

related() { # numbers of two tsa: whether a root of one is a root of the other, or one issued the other (docs/formats.md §8)
    grep -e "^$1$TAB" <"$work/pinned" >"$work/ours"
    grep -e "^$2$TAB" <"$work/pinned" >"$work/theirs"
    while IFS= read -r a; do
        kind=$(printf '%s' "$a" | cut -f2)
        a=${a#*"$TAB"*"$TAB"}
        while IFS= read -r b; do
            case $kind-$(printf '%s' "$b" | cut -f2) in
                roots-roots) ;;
                intermediates-intermediates) continue ;;
                *) [ "$a" != "${b#*"$TAB"*"$TAB"}" ] || continue ;;
            esac
            b=${b#*"$TAB"*"$TAB"}
            [ "$(printf '%s' "$a" | cut -f5)" != "$(printf '%s' "$b" | cut -f5)" ] || return 0
            for both in ab ba; do
                code=0
                if [ "$both" = ab ]; then made_by "$a" "$b" || code=$?; else made_by "$b" "$a" || code=$?; fi
                # Names are not compared here: whose key signed another has certified him under whatever name.
                case $code in
                    0) return 0 ;;
                    2) # who names himself as his issuer signed it himself, whatever the algorithm
                        if [ "$both" = ab ]; then signed_one=$a; else signed_one=$b; fi
                        [ "$(printf '%s' "$signed_one" | cut -f3)" = "$(printf '%s' "$signed_one" | cut -f4)" ] ||
                            stop "trust file: this script does not know the algorithm by which a certificate of a tsa is signed; notary verify may"
                        ;;
                esac
            done
        done <"$work/theirs"
    done <"$work/ours"
    return 1
}

require_independent() { # two related tsa are of one organisation, and restrict their tokens alike (docs/formats.md §8)
    load_certificates
    while IFS="$TAB" read -r one m plain written; do
        while IFS="$TAB" read -r other n their_plain their_written; do
            [ "$m" -lt "$n" ] || continue
            related "$m" "$n" || continue
            both="trust file: $one and $other are related: their roots are the same, or one issued the other"
            [ "$written" = "$their_written" ] || case "$plain$their_plain" in
                *\?*) stop "$both. This script cannot tell whether their organisations are one: spell both alike" ;;
                *) [ "$plain" = "$their_plain" ] || stop "$both. Give both the same organisation" ;;
            esac
            [ "$(restrictions "$m")" = "$(restrictions "$n")" ] || stop "$both. Give both the same revocation, accuracy_ms and policies"
        done <"$work/authorities"
    done <"$work/authorities"
}

restrictions() { # of a tsa, in one spelling
    value tsa "$1" revocation || found=lenient
    printf '%s' "$found"
    value tsa "$1" accuracy_ms || found=none
    printf ' %s ' "$found"
    awk -F "$TAB" -v n="$1" '$1 == "tsa" && $2 == n && $3 == "policies" { print $4 }' <"$work/trust" | sort -u | tr '\n' ' '
}

count_sources() { # to $sources: how many names are told apart; of signs unknown here each spelling counts, so k is never too small
    {
        awk -F "$TAB" '{ print index($3, "?") ? "?" $4 : $3 }' <"$work/authorities"
        n=0
        while [ "$n" -lt "$chains" ]; do
            n=$((n + 1))
            value chain "$n" chain_id && is_decimal "$found" || stop "trust file: a chain has no chain_id"
            folded "chain $found"
            printf '\n'
        done
    } >"$work/sources"
    sources=$(sort -u <"$work/sources" | grep -c . || :)
}

folded() { # a name as docs/formats.md §8 compares it: its letters and digits by NFKC, in lower case, as "." and a number in decimal each
    # Of scripts in which this script knows every spelling: ASCII and its wide forms, Latin-1, Cyrillic, kana, Hangul and
    # unified ideographs. Any other sign, and a letter before it, which may become one with it, is written ".?".
    printf '%s' "$1" | xxd -p | tr -d '\n' | awk '
        function byte(at) { return index("0123456789abcdef", substr($0, at, 1)) * 16 + index("0123456789abcdef", substr($0, at + 1, 1)) - 17 }
        function add(code) { name = name last; last = "." code }
        function between(low, high) { return code >= low && code <= high }
        {
            for (at = 1; at < length($0); ) {
                code = byte(at)
                more = code < 128 ? 0 : code < 224 ? 1 : code < 240 ? 2 : 3
                if (more) code -= more == 1 ? 192 : more == 2 ? 224 : 240
                while (more-- > 0) { at += 2; code = code * 64 + byte(at) - 128 }
                at += 2
                if (between(65281, 65374)) code -= 65248
                if (between(65, 90) || between(192, 222) && code != 215 || between(1040, 1071)) add(code + 32)
                else if (between(1024, 1039)) add(code + 80)
                else if (between(48, 57) || between(97, 122) || between(224, 254) && code != 247 || between(1072, 1119) ||
                    between(12353, 12438) || between(12449, 12538) || between(12540, 12542) || between(13312, 19893) || between(19968, 40943) ||
                    between(44032, 55203)) add(code)
                else if (code < 128 || code == 183 || between(8208, 8213) || between(8216, 8221) ||
                    between(12288, 12291) || between(12296, 12305)) { name = name last; last = "" }
                else { name = name ".?"; last = "" }
            }
        }
        END { gsub(/(\.\?)+/, ".?", name); printf "%s", name last }'
}

# --- 1: the files ------------------------------------------------------------------------------------------------

HEAD='heads/[1-9][0-9]{0,18}'
PLACE='[a-z0-9][a-z0-9._-]{0,63}'
TO64='([1-9]|[1-5][0-9]|6[0-4])'
NNN='(00[1-9]|0[1-5][0-9]|06[0-4])'
NAMES="mimetype|bagit\\.txt|bag-info\\.txt|(tag)?manifest-sha256\\.txt|README\\.(en|zh)\\.txt"
NAMES="$NAMES|data/(statement\\.json|openings\\.json|report\\.pdf)|receipt\\.txt|consistency\\.json"
NAMES="$NAMES|$HEAD/(checkpoint|inclusion\\.tlog-proof|anchor\\.json|header\\.rlp|tokens/$PLACE\\.tsr|ots/$PLACE\\.ots)"
NAMES="$NAMES|$HEAD/revocation/$PLACE/[1-8]\\.(crl|ocsp)"
NAMES="$NAMES|(inspection|incident|previous/$TO64)/(statement\\.json|openings\\.json|inclusion\\.tlog-proof)"
NAMES="$NAMES|META-INF/(evidencerecord$NNN\\.ers|signature$NNN\\.p7s|ASiC(EvidenceRecord)?Manifest$NNN\\.xml)"
NAMES="$NAMES|controls/$PLACE|tools/(check\\.sh|check\\.ps1|verify\\.html)"

is_file_name() { # of a document; bytes of characters that a package refuses
    bytes=$(printf '%s' "$1" | xxd -p | tr -d '\n' | sed 's/../ &/g')
    case $1 in
        '' | . | .. | *[/\\:*?\"\<\>\|%]*) return 1 ;;
    esac
    printf '%s\n' "$bytes" | grep -Eq "$UTF8" || return 1
    ! printf '%s\n' "$bytes" | grep -Eq ' (0.|1.|7f)| c2 (8.|9.)| e2 80 (8[ef]|a[89a-e])| e2 81 a[6-9]' || return 1
    ! printf '%s\n' "$bytes" | grep -Eq ' (20|c2 a0|e1 9a 80|e2 80 (8[0-9a]|af)|e2 81 9f|e3 80 80)$' || return 1
    [ "$(printf '%s\n' "$bytes" | tr ' ' '\n' | grep -Evc '^([89ab].)?$')" -le 120 ]
}

members() { # names of the files of the folder, one on a line, to $work/members; says why not
    problem=
    if [ -n "$(find . ! -type f ! -type d | head -n 1)" ]; then
        problem="a link or device is among the files" && return 0
    fi
    if [ -n "$(find . -name "*$NL*" | head -n 1)" ]; then
        problem="the name of a file has a newline" && return 0
    fi
    find . -type f | sed 's,^\./,,' | sort >"$work/members"
    [ "$(grep -c '' <"$work/members")" -le 512 ] || { problem="more than 512 files" && return 0; }
    documents=0
    while IFS= read -r name; do
        case $name in
            data/document/*)
                documents=$((documents + 1))
                document=$name
                is_file_name "${name#data/document/}" || { problem="the file name of the document" && return 0; }
                ;;
            *) matches "$name" "($NAMES)" || { problem="a file that has no place in a package" && return 0; } ;;
        esac
    done <"$work/members"
    [ "$documents" -le 1 ] || { problem="more than one document" && return 0; }
    [ "$(sed -n 's,^heads/\([^/]*\)/.*,\1,p' <"$work/members" | sort -u | grep -c .)" -le 16 ] || { problem="more than 16 heads" && return 0; }
    if [ -n "$(find . -type f ! -path './data/document/*' -size +8388608c | head -n 1)" ]; then
        problem="a file is larger than 8 MiB"
    elif [ -n "$(find . -type f -size +2000000000c | head -n 1)" ]; then
        problem="the document is larger than 2,000,000,000 bytes"
    else
        { grep -v '^data/document/' || :; } <"$work/members" >"$work/sized"
        problem=$(while IFS= read -r name; do wc -c <"./$name"; done <"$work/sized" | awk '
            part == "names" { name[FNR] = $0; next }
            {
                sum += $1
                if (name[FNR] ~ /^heads\/.*\/anchor[.]json$/) anchors += $1
                if (name[FNR] ~ /^heads\/.*[.]crl$/) lists += $1
                if (name[FNR] ~ /^(data|inspection|incident|previous\/[0-9]+)\/openings[.]json$/) opened += $1
                if (name[FNR] ~ /^heads\/[0-9]+\/ots\//) calendars++
            }
            END {
                if (anchors > 16777216) print "the anchors are larger than 16 MiB together"
                else if (lists > 16777216) print "the revocation lists are larger than 16 MiB together"
                else if (opened > 2097152) print "the openings are larger than 2 MiB together"
                else if (calendars > 32) print "more than 32 OpenTimestamps files"
                else if (sum > 67108864) print "the files are larger than 64 MiB together"
            }' part=names "$work/sized" part=sizes -)
    fi
}

listing() { # of the members on stdin, as a manifest
    while IFS= read -r name; do
        sha "./$name"
        printf '%s  %s\n' "$sum" "$name"
    done
}

has() { # whether there is such a member
    grep -Fxq -e "$1" <"$work/members"
}

check_files() {
    document=
    members
    if [ -z "$problem" ]; then
        printf 'application/vnd.etsi.asic-e+zip' >"$work/want"
        cmp -s "$work/want" ./mimetype || problem="mimetype does not hold what it must"
    fi
    if [ -z "$problem" ]; then
        printf 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n' >"$work/want"
        cmp -s "$work/want" ./bagit.txt || problem="bagit.txt does not hold what it must"
    fi
    if [ -z "$problem" ]; then
        grep '^data/' <"$work/members" | listing >"$work/want"
        cmp -s "$work/want" ./manifest-sha256.txt || problem="a file is not as manifest-sha256.txt lists it"
    fi
    if [ -z "$problem" ]; then
        { grep -v -e '^data/' -e '^META-INF/' -e '^tagmanifest-sha256\.txt$' || :; } <"$work/members" | listing >"$work/want"
        cmp -s "$work/want" ./tagmanifest-sha256.txt || problem="a file is not as tagmanifest-sha256.txt lists it"
    fi
    if [ -n "$problem" ]; then
        result 1.1 failed '' "$problem." "原因见上。"
        return 1
    fi
    aside='' aside_zh=''
    for name in data/report.pdf META-INF/; do
        if grep -q -e "^$name" <"$work/members"; then aside="$aside No check reads $name: nothing here vouches for what is in it." aside_zh="$aside_zh任何核验均不读取 $name，其内容不在核验之列。"; fi
    done
    result 1.1 passed '' "$(grep -c '' <"$work/members") files; the frame of the ZIP is not seen by this script.$aside" \
        "本脚本不检查压缩包外壳。$aside_zh"
}

# --- 2: statement and document -----------------------------------------------------------------------------------

DIGEST="\"(sha-256|sm3|sha3-256)\":\"$H64\"|\"sha-384\":\"[0-9a-f]{96}\"|\"(sha-512|sha3-512)\":\"[0-9a-f]{128}\""
MEDIA='[a-z0-9][a-z0-9!#$&^_.+-]{0,62}'
BODY="\"document\":[{]\"claimed\":[{](($DIGEST)(,($DIGEST))*)?[}],\"digests\":[{]\"sha-256\":\"$H64\"(,\"sm3\":\"$H64\")?[}]"
BODY="$BODY,\"media_type\":(null|\"$MEDIA/$MEDIA\"),\"seen\":(true|false),\"size\":(null|$NUMBER)[}],"
BLOCK="[{]\"chain_id\":$NUMBER,\"hash\":\"$H64\",\"number\":$NUMBER,\"time\":${NUMBER}[}]"
STATEMENT="[{]\"commitments\":[{]\"count\":([0-9]|[1-5][0-9]|6[0-4]),\"root\":\"$H64\"[}],($BODY)?\"log\":\"[a-zA-Z0-9._~/:-]{1,200}\""
STATEMENT="$STATEMENT,\"not_before\":(null|$BLOCK),\"number\":\"[2-9A-HJ-NP-Z]{16}\",\"previous\":(null|\"$H64\"),\"salt\":\"$H64\""
STATEMENT="$STATEMENT,\"time\":\"[0-9TZ:-]{20}\",\"type\":\"[a-z]+\",\"version\":1[}]"

field() { # the text behind "key": in the statement, up to a comma or bracket; to $found
    found=${text#*\""$1"\":}
    found=${found%%[,\}]*}
    found=${found#\"}
    found=${found%\"}
}

small() { # a whole number that JSON may hold, at most $2
    [ "$1" -le "$2" ]
}

is_number() { # the check character of a record number: GF(32), docs/formats.md §14
    left=$1 values=
    while [ -n "$left" ]; do
        rest=${left#?}
        digit=${left%"$rest"}
        before=23456789ABCDEFGHJKLMNPQRSTUVWXYZ
        before=${before%%"$digit"*}
        values="${#before} $values"
        left=$rest
    done
    # shellcheck disable=SC2086 # a list of numbers, the check first
    set -- $values
    check=$1
    shift
    total=0 j=0
    for v in "$@"; do
        j=$((j + 1)) i=0
        while [ "$i" -lt "$j" ]; do
            v=$((v << 1))
            [ $((v & 32)) -eq 0 ] || v=$((v ^ 37))
            i=$((i + 1))
        done
        total=$((total ^ v))
    done
    [ "$total" -eq "$check" ]
}

read_statement() { # of the file $1, to $text and its fields; 1 where it is none, 2 where this script cannot tell
    [ "$(wc -c <"$1")" -le 8192 ] || return 1
    text=$(tr -d '\000\n' <"$1")
    printf '%s' "$text" | cmp -s - "$1" || return 1
    case $text in
        *'"type":"genesis","version":1}' | *'"type":"key","version":1}' | *'"type":"incident","version":1}') return 2 ;;
    esac
    matches "$text" "$STATEMENT" || return 1
    rest=${text##*\"type\":\"}
    type=${rest%%\"*}
    case $type in
        document | report) case $text in *'"document":{'*) ;; *) return 1 ;; esac ;;
        event | inspection) case $text in *'"document":{'*) return 1 ;; esac ;;
        *) return 1 ;;
    esac
    rest=${text##*\"time\":\"}
    seconds "${rest%%\"*}" || return 1
    rest=${text##*\"number\":\"}
    is_number "${rest%%\"*}" || return 1
    field count
    count=$found
    case $text in *'"not_before":{'*)
        not_before=${text#*\"not_before\":\{}
        not_before=${not_before%%\}*}
        for n in $(printf '%s\n' "$not_before" | sed 's/"hash":"[^"]*"//; s/[^0-9]/ /g'); do
            small "$n" 9007199254740991 || return 1
        done
        small "${not_before##*:}" 1099511627776 || return 1
        # shellcheck disable=SC2046 # its keys and values
        set -- $(printf '%s' "$not_before" | tr ',:"' '   ')
        before_chain=$2 before_hash=$4 before_number=$6 before_time=$8
        ;;
    *) not_before='' ;;
    esac
    [ "$type" = document ] || [ "$type" = report ] || return 0
    claimed=${text#*\"claimed\":\{}
    claimed=${claimed%%\}*}
    digests=${text#*\"digests\":\{}
    digests=${digests%%\}*}
    names=$(printf '%s' "$claimed,$digests" | tr ',' '\n' | cut -d'"' -f2 | grep -v '^$')
    # In order, and none twice.
    printf '%s' "$claimed" | tr ',' '\n' | cut -d'"' -f2 | sort -c 2>/dev/null || return 1
    [ -z "$(printf '%s\n' "$names" | sort | uniq -d)" ] || return 1
    field size
    size=$found
    case $text in
        *'"seen":true,'*) case $digests in *'"sm3":'*) ;; *) return 1 ;; esac && [ "$size" != null ] || return 1 ;;
        *) case $digests in *'"sm3":'*) return 1 ;; esac ;;
    esac
    [ "$size" = null ] || small "$size" 1125899906842624
}

check_statement() {
    at data/statement.json
    if [ "$place" = ./data/statement.json ] && ! has data/statement.json; then
        result 2.1 failed '' "There is no data/statement.json." "没有 data/statement.json。"
        return 1
    fi
    code=0
    read_statement "$place" || code=$?
    case $code in
        0) ;;
        2) result 2.1 unchecked '' "This script reads statements of documents, reports, events and inspections only." "本脚本不读取此类陈述。" && return 1 ;;
        *) result 2.1 failed '' - - && return 1 ;;
    esac
    field previous
    follows=$found
    field log
    log_of=$found
    sha "$place"
    entry=$sum
    hash "00$entry"
    leaf=$sum
    result 2.1 passed '' "A $type statement, entry $entry." "条目 $entry。"
}

digest_of() { # name, file: to $sum; fails where openssl does not know it
    case $1 in
        sha-256) sha "$2" ;;
        sha-384 | sha-512 | sm3 | sha3-256 | sha3-512)
            case $1 in sha-*) algorithm="sha${1#sha-}" ;; *) algorithm=$1 ;; esac
            sum=$(openssl dgst "-$algorithm" -r <"$2" 2>/dev/null) || return 1
            sum=${sum%% *}
            ;;
    esac
}

check_document() { # subject, file
    if [ "$type" != document ] && [ "$type" != report ]; then
        result 2.3 failed "$1" "The statement has no document." "陈述不含文件。" && return 0
    fi
    unknown=
    for name in $names; do
        want=$(printf '%s' "$claimed,$digests" | tr ',' '\n' | grep -e "^\"$name\":" | cut -d'"' -f4)
        if ! digest_of "$name" "$2"; then
            unknown="$unknown $name"
        elif [ "$sum" != "$want" ]; then
            result 2.3 failed "$1" "The $name of the document is $sum, the statement says $want." "摘要 $name 不同。" && return 0
        fi
    done
    bytes=$(($(wc -c <"$2")))
    if [ "$size" != null ] && [ "$bytes" -ne "$size" ]; then
        result 2.3 failed "$1" "The document has $bytes bytes, the statement says $size." "字节数不同。"
    elif [ -n "$unknown" ]; then
        result 2.3 unchecked "$1" "This openssl has no$unknown; the other digests are equal." "本机 openssl 不支持$unknown，其余摘要一致。"
    else
        result 2.3 passed "$1" "Equal:" "$(printf '%s' "$names" | tr '\n' ' ')"
    fi
}

check_documents() {
    wants 2.3 || return 0
    [ -z "$given" ] || check_document given "$given"
    if [ -n "$document" ]; then
        at "$document"
        check_document packaged "$place"
    elif [ -z "$given" ] && { [ "$type" = document ] || [ "$type" = report ]; }; then
        result 2.3 unchecked '' - -
    fi
}

check_openings() { # 2.4: each disclosure is committed to, is one, and no name stands twice; to $withheld how many commitments are not opened
    [ -n "$only" ] || { withheld=$count at_least=no; }
    for file in names own_names; do : >"$work/$file"; done
    wants 2.4 && has data/openings.json || return 0
    at data/openings.json
    code=0
    open_all "$place" || code=$?
    case $code in
        0) result 2.4 passed '' "$opened of $count commitments are opened." "共 $count 项承诺，已披露 $opened 项。" ;;
        2) result 2.4 unchecked '' "All are committed to; an opened value is spelt in a way that this script does not read." "均与承诺一致；有披露内容的写法本脚本不读取。" ;;
        *) result 2.4 failed '' - - && return 0 ;;
    esac
    cat "$work/names" >"$work/own_names"
    [ "$code" -eq 0 ] || printf '%s\n' '?' >>"$work/own_names"
    [ -z "$only" ] || return 0
    withheld=$((opened < count ? count - opened : 0))
    # The verifiers may refuse what is not read here, and then count none as opened.
    [ "$code" -eq 0 ] || at_least=yes
}

show_withheld() { # a commitment that is not opened is no fault (docs/formats.md §3): one line says how many there are
    [ -n "$withheld" ] && [ "$count" -gt 0 ] || return 0
    more_en='' more_zh=
    [ "$at_least" = no ] || more_en='at least ' more_zh=至少
    printf 'Withheld 未出示: %s%s of the %s commitments of the statement. 陈述的 %s 项承诺中有%s %s 项未出示。\n' \
        "$more_en" "$withheld" "$count" "$count" "$more_zh" "$withheld"
}

open_all() { # 1 where one is wrong, 2 where one is spelt in a way that is not read here
    [ "$(wc -c <"$1")" -le 1048576 ] || return 1
    body=$(tr -d '\000\n' <"$1")
    printf '%s' "$body" | cmp -s - "$1" || return 1
    one="[{]\"disclosure\":\"[A-Za-z0-9_-]{1,}\",\"index\":([0-9]|[1-5][0-9]|6[0-3]),\"path\":\\[(\"$H64\"(,\"$H64\"){0,5})?\\][}]"
    printf '%s\n' "$body" | grep -Eq "^[{]\"openings\":\\[($one(,$one)*)?\\],\"version\":1[}]\$" || return 1
    root=${text#*\"root\":\"}
    root=${root%%\"*}
    opened=0 unread=0
    : >"$work/names"
    printf '%s\n' "$body" | sed 's/{"disclosure":"/\
/g' | sed 1d | sed 's/"[^0-9a-zA-Z_-]*index":/ /; s/,"path":\[/ /; s/[]}{].*$//; s/[",]/ /g' >"$work/opened"
    while read -r disclosure place_in path; do
        opened=$((opened + 1))
        [ "${#disclosure}" -le 131072 ] && [ "$opened" -le 64 ] || return 1
        sum=$(printf '%s' "$disclosure" | sha256sum)
        hash "00${sum%% *}"
        climb "$sum" "$place_in" "$count" "$path" /dev/null && [ "$climbed" = "$root" ] || return 1
        name_of "$disclosure" || return 1
        case $name in '?') unread=2 ;; *) printf '%s\n' "$name" >>"$work/names" ;; esac
    done <"$work/opened"
    [ -z "$(sort <"$work/names" | uniq -d)" ] || return 1
    return "$unread"
}

name_of() { # to $name the name in a disclosure, ["salt","name",value]; "?" where it is spelt in a way that is not read here
    padded=$(printf '%s' "$1" | tr -- '-_' '+/')
    case $((${#padded} % 4)) in 0) ;; 2) padded="$padded==" ;; 3) padded="$padded=" ;; *) return 1 ;; esac
    printf '%s' "$padded" | openssl base64 -d -A >"$work/disclosure"
    [ "$(openssl base64 -A <"$work/disclosure")" = "$padded" ] || return 1
    name='?'
    tr -d '\000-\037\177\\' <"$work/disclosure" | cmp -s - "$work/disclosure" || return 0
    xxd -p <"$work/disclosure" | tr -d '\n' | sed 's/../ &/g' | grep -Eq "$UTF8" || return 1
    name=$({ cat "$work/disclosure" && printf '\n'; } | awk '
        function odd() { print "?"; exit 0 }
        {
            # Without escapes a string ends at the next quotation mark. What stands between strings is cut into tokens.
            count = split($0, part, "\"")
            if (count % 2 == 0) odd()
            between = part[1]
            for (at = 3; at <= count; at += 2) between = between "\"" part[at]
            gsub(/ *[][{},:] */, " & ", between)
            pieces = split(between, token, " ")
            form = ""
            for (at = 1; at <= pieces; at++) {
                if (token[at] == "\"" && token[at + 1] == ":") {
                    key = part[2 * ++strings]
                    # A key twice in one object is refused; twice in two of them it may not be.
                    if (key == "" || length(key) > 64 || key in seen) odd()
                    seen[key]
                    form = form "k"
                } else if (token[at] == "\"") { strings++; form = form "v" }
                else if (token[at] ~ /^[][{},:]$/) form = form token[at]
                else if (token[at] ~ /^(true|false|null|-?(0|[1-9][0-9]*))$/ && length(token[at]) < 16) form = form "v"
                else odd()
                if (token[at] !~ /^[][{},:]$/ && at > 1 && token[at - 1] !~ /^[][{},:]$/) odd()
            }
            for (depth = 0; depth < 9 && form != "[v,v,v]"; depth++) {
                # The innermost first, but not the disclosure itself.
                outer = substr(form, 1, 1)
                form = substr(form, 2)
                gsub(/\[(v(,v)*)?\]/, "v", form)
                gsub(/\{(k:v(,k:v)*)?\}/, "v", form)
                form = outer form
            }
            if (form != "[v,v,v]") odd()
            if (part[1] !~ /^ *\[ *$/ || part[3] !~ /^ *, *$/ || part[5] !~ /^ *,/) odd()
            print (length(part[2]) == 22 && part[2] ~ /^[A-Za-z0-9_-]+$/ ? part[4] : "")
        }' | head -n 1)
    case $name in
        '?' | matter | phase | sequence | actor | holder | source | reference | title | metadata | inspection | detail) ;;
        *) return 1 ;;
    esac
}

# --- 3: heads of the log -----------------------------------------------------------------------------------------

bits() { # how many bits a number has; to $bits
    bits=0 n=$1
    while [ "$n" -ne 0 ]; do n=$((n >> 1)) bits=$((bits + 1)); done
}

ones() { # how many of its bits are 1; to $ones
    ones=0 n=$1
    while [ "$n" -ne 0 ]; do ones=$((ones + (n & 1))) n=$((n >> 1)); done
}

climb() { # hash of a leaf, index, size, path in hexadecimal, file for the complete subtrees; to $climbed (§7)
    climbed=$1 i=$2 size_in=$3
    [ "$i" -lt "$size_in" ] || return 1
    bits $((i ^ (size_in - 1)))
    inner=$bits
    ones $((i >> inner))
    # shellcheck disable=SC2086 # a list of hashes
    set -- "$5" $4
    trees=$1
    shift
    [ "$#" -eq $((inner + ones)) ] || return 1
    printf '0:%s %s\n' "$i" "$climbed" >>"$trees"
    h=0
    for sibling in "$@"; do
        # Above `inner` the path runs along the right edge, where every sibling is on the left.
        while [ "$h" -ge "$inner" ] && [ $((i >> h & 1)) -eq 0 ]; do h=$((h + 1)); done
        if [ $((i >> h & 1)) -eq 1 ]; then
            printf '%s:%s %s\n' "$h" $(((i >> h) - 1)) "$sibling" >>"$trees"
            hash "01$sibling$climbed"
        else
            start=$((((i >> h) + 1) << h)) span=$((1 << h))
            [ $((size_in - start)) -ge "$span" ] || span=$((size_in - start))
            if [ $((span & (span - 1))) -eq 0 ]; then
                bits "$span"
                printf '%s:%s %s\n' $((bits - 1)) $((start >> (bits - 1))) "$sibling" >>"$trees"
            fi
            hash "01$climbed$sibling"
        fi
        climbed=$sum h=$((h + 1)) above=$((i >> h))
        if [ "$h" -lt 62 ] && [ "$above" -lt $((size_in >> h)) ]; then
            printf '%s:%s %s\n' "$h" "$above" "$climbed" >>"$trees"
        fi
    done
}

signature_lines() { # file, least bytes of a signature: whether it is 1 to 64 lines of docs/formats.md §4: dash, name, key id and signature in base64
    # In hexadecimal: a shell and its tools do not agree on what is a character.
    xxd -p <"$1" | tr -d '\n' | sed 's/../ &/g' | awk -v utf8="$UTF8" -v least="$2" '
        {
            rows = split($0, row, " 0a") - 1
            if (rows < 1 || rows > 64 || row[rows + 1] != "") exit 1
            for (n = 1; n <= rows; n++) if (row[n] !~ /^ e2 80 94 20 / || !is_line(substr(row[n], 13))) exit 1
            good = 1
        }
        END { exit !good }
        function is_line(text, at) {
            at = index(text, " 20")
            return at > 1 && is_name(substr(text, 1, at - 1)) && bytes_in(substr(text, at + 3)) >= least
        }
        function is_name(text) { # 1 to 255 characters, no white space (of Unicode), no control below U+0020, no "+"
            if (length(text) > 3 * 4 * 255 || text !~ utf8 || text ~ / (0.|1.|2b)/) return 0
            if (text ~ / (c2 (85|a0)|e1 9a 80|e2 80 (8[0-9a]|a[89]|af)|e2 81 9f|e3 80 80)/) return 0
            return gsub(/ [0-7c-f]./, "", text) <= 255
        }
        function bytes_in(text, padding) { # of base64 in its one spelling; 0 where it is none
            if (text !~ /^( 2b| 2f| 3[0-9]| 4[1-9a-f]| 5[0-9a]| 6[1-9a-f]| 7[0-9a])+( 3d)?( 3d)?$/ || length(text) % 12) return 0
            padding = gsub(/ 3d/, " 3d", text)
            if (padding == 1 && text !~ / (4[159d]|5[159]|6[37bf]|7[37]|3[048]) 3d$/) return 0
            if (padding == 2 && text !~ / (41|51|67|77) 3d 3d$/) return 0
            return length(text) / 4 - padding
        }'
}

read_proof() { # file, its first line, lines of its note's text; to $index, $path, $work/text, $work/signatures
    index='' path='' part=first lines=0 hashes=0 rows=0 extra=no
    : >"$work/again"
    : >"$work/text"
    : >"$work/signatures"
    [ "$(wc -c <"$1")" -le 131072 ] || return 1
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$work/again"
        case $part in
            first) [ "$line" = "$2" ] || return 1 && part=index ;;
            index)
                case $line in
                    'extra '*)
                        [ "$extra" = no ] || return 1
                        extra=yes
                        [ "$(printf '%s\n' "${line#extra }" | openssl base64 -d -A | openssl base64 -A)" = "${line#extra }" ] || return 1
                        [ "$(printf '%s\n' "${line#extra }" | openssl base64 -d -A | wc -c)" -le 8192 ] || return 1
                        ;;
                    'index '*) index=${line#index } && is_decimal "$index" || return 1 && part=path ;;
                    *) return 1 ;;
                esac
                ;;
            path)
                if [ -z "$line" ]; then
                    part=text before=$(wc -c <"$work/again")
                else
                    hashes=$((hashes + 1))
                    [ "$hashes" -le 63 ] && from_base64 "$line" || return 1
                    path="$path $hex"
                fi
                ;;
            text)
                if [ "$lines" -eq "$3" ]; then
                    [ -z "$line" ] || return 1
                    part=signatures
                else
                    [ -n "$line" ] || return 1
                    lines=$((lines + 1))
                    printf '%s\n' "$line" >>"$work/text"
                fi
                ;;
            signatures)
                rows=$((rows + 1))
                [ "$rows" -le 64 ] || return 1
                printf '%s\n' "$line" >>"$work/signatures"
                ;;
        esac
    done <"$1"
    [ "$part" = signatures ] && cmp -s "$work/again" "$1" &&
        [ $(($(wc -c <"$1") - before)) -le 65536 ] && signature_lines "$work/signatures" 5
}

signed() { # keys, name: a known key's signature that fails fails all; to $key (its line) and $stamped_line
    key='' stamped_line=
    while IFS= read -r row; do
        name=${row#— }
        name=${name%% *}
        [ "$name" = "$2" ] || continue
        hex=$(printf '%s\n' "${row##* }" | openssl base64 -d -A | xxd -p | tr -d '\n')
        id=$(printf '%s' "$hex" | cut -c1-8)
        line=$(grep "^$id " <"$work/keys.$1") || continue
        ed25519 "$(printf '%s' "$line" | cut -d' ' -f2)" "${hex#"$id"}" "$work/text" || return 1
        # Of several keys the first of the trust file counts.
        place_of=$(grep -n "^$id " <"$work/keys.$1" | cut -d: -f1)
        if [ -z "$key" ] || [ "$place_of" -lt "$first_place" ]; then
            key=$line first_place=$place_of stamped_line=$row
        fi
    done <"$work/signatures"
    [ -n "$key" ]
}

ed25519() { # public key, signature (hexadecimal), file
    [ "${#2}" -eq 128 ] || return 1
    {
        printf '%s\n' '-----BEGIN PUBLIC KEY-----'
        printf '302a300506032b6570032100%s' "$1" | xxd -r -p | openssl base64
        printf '%s\n' '-----END PUBLIC KEY-----'
    } >"$work/key.pem"
    printf '%s' "$2" | xxd -r -p >"$work/signature"
    openssl pkeyutl -verify -pubin -inkey "$work/key.pem" -rawin -in "$3" -sigfile "$work/signature" >/dev/null 2>&1
}

can_sign() { # whether this openssl checks Ed25519: the vector of RFC 8032 §7.1, and the same spoilt
    printf r >"$work/r"
    public=3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c
    made=92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
    ed25519 "$public" "$made" "$work/r" && ! ed25519 "$public" "${made%00}01" "$work/r"
}

check_heads() {
    for file in passed bounds joins indexes open early attested; do : >"$work/$file"; done
    doubtful=no made_after=''
    index_of=
    if [ -z "$trust" ]; then
        for id in 2.2 3.1 3.2 8.1; do result "$id" unchecked '' "Needs a trust file." "需要信任文件。"; done
        return 0
    fi
    field log
    if [ "$found" = "$origin" ]; then result 2.2 passed '' "$origin" -; else result 2.2 failed '' "The statement is of log $found." -; fi
    sizes=$(sed -n 's,^heads/\([0-9]*\)/.*,\1,p' <"$work/members" | sort -u | awk '{ print length($0) " " $0 }' | sort -k1,1n -k2,2 | cut -d' ' -f2)
    [ -n "$sizes" ] || {
        result 3.1 unchecked '' - -
        result 3.2 unchecked '' - -
    }
    for size_of in $sizes; do check_head "$size_of"; done
}

check_head() {
    subject="head $1"
    proof=heads/$1/inclusion.tlog-proof
    has "$proof" || { result 3.2 failed "$subject" "Its inclusion.tlog-proof is missing." "缺少包含证明。" && return 0; }
    if [ "$ed25519_known" = no ]; then
        result 3.1 unchecked "$subject" "This openssl does not check Ed25519." "本机 openssl 不支持 Ed25519。" && return 0
    fi
    at "$proof"
    why=
    if ! read_proof "$place" 'c2sp.org/tlog-proof@v1' 3; then
        why="It is no proof with a checkpoint."
    elif ! is_decimal "$(sed -n 2p "$work/text")" || ! from_base64 "$(sed -n 3p "$work/text")"; then
        why="Its note is no checkpoint."
    elif ! signed log_key "$origin"; then
        why="No log key of the trust file signed it."
    elif [ "$(sed -n 1p "$work/text")" != "$origin" ]; then
        why="It is of another log."
    else
        from_base64 "$(sed -n 3p "$work/text")"
        root_of=$hex
        { cat "$work/text" && printf '\n%s\n' "$stamped_line"; } >"$work/checkpoint.$1"
        last=$(printf '%s' "$key" | cut -d' ' -f5)
        if has "heads/$1/checkpoint" && at "heads/$1/checkpoint" && ! cmp -s "$place" "$work/checkpoint.$1"; then
            why="The file checkpoint is not the checkpoint of the proof under the log's signature alone."
        elif [ "$(sed -n 2p "$work/text")" != "$1" ]; then
            why="The checkpoint is of another size."
        elif [ "$last" != - ] && [ "$1" -gt "$last" ]; then
            why="The key was compromised: it is trusted up to size $last only."
        fi
    fi
    if [ -n "$why" ]; then
        result 3.1 failed "$subject" "$why" - && return 0
    fi
    result 3.1 passed "$subject" "Root $root_of, key $(printf '%s' "$key" | cut -d' ' -f6)." -
    : >"$work/trees.$1"
    if ! climb "$leaf" "$index" "$1" "$path" "$work/trees.$1" || [ "$climbed" != "$root_of" ]; then
        result 3.2 failed "$subject" - - && return 0
    fi
    result 3.2 passed "$subject" "Entry $index of $1." "第 $index 项，共 $1 项。"
    if [ -n "$index_of" ] && [ "$index" != "$index_of" ]; then
        result 3.2 failed "$subject" "The heads name different indexes for the entry." "各日志头中的序号不同。" && return 0
    fi
    key_of=$key index_here=$index
    if grep -Fxvq -e "$index" <"$work/indexes"; then
        doubtful=yes
        result 3.2 unchecked "$subject" "A head that is left open names another index for the entry." "另一未能核验的日志头中的序号不同。" && return 0
    fi
    for file in bounds joins maybe undated; do : >"$work/$file.$1"; done
    made_here=''
    check_tokens "$1"
    check_anchor "$1"
    subject="head $1" # the tokens had their own
    judge_period "$1"
    if [ "$period" = kept ]; then
        [ -n "$index_of" ] || index_of=$index_here
        printf '%s %s\n' "$1" "$root_of" >>"$work/passed"
        cat "$work/bounds.$1" >>"$work/bounds"
        cat "$work/joins.$1" >>"$work/joins"
        { cut -d' ' -f5 <"$work/bounds.$1" && cat "$work/undated.$1"; } >>"$work/attested"
        [ -z "$made_here" ] || made_after=$made_here
    elif [ "$period" = open ] && [ -s "$work/maybe.$1" ]; then
        # What this script cannot check may date it: then it passes, and its entry and its tree count.
        printf '%s\n' "$index_here" >>"$work/indexes"
        printf '%s\n' "$1" >>"$work/open"
        cat "$work/joins.$1" >>"$work/joins"
    fi
}

judge_period() { # size: whether the key signed the head within its period; to $period: kept, open, failed (docs/formats.md §8)
    sources "$work/bounds.$1" "$work/joins.$1" >"$work/dated"
    earliest=$(head -n 1 <"$work/dated")
    down=$(cut -d' ' -f5 <"$work/bounds.$1" | sort -n | head -n 1)
    # The earliest that what is left open may bound; "-" where that is not known.
    maybe=$(sort -n <"$work/maybe.$1" | head -n 1)
    if grep -q -e '^-' <"$work/maybe.$1"; then maybe=-; fi
    since=$(printf '%s' "$key_of" | cut -d' ' -f3)
    until=$(printf '%s' "$key_of" | cut -d' ' -f4)
    last=$(printf '%s' "$key_of" | cut -d' ' -f5)
    period=open
    if [ -z "$earliest" ] && [ "$until" != - ]; then
        result 3.1 unchecked "$subject key period" "Nothing that this script can check dates the head, and its key has ended." "密钥已停用，且无法确定该日志头的时间。"
    elif [ -n "$down" ] && [ "$since" != - ] && [ "$down" -lt "$since" ]; then
        period=failed
        result 3.1 failed "$subject key period" "It is attested before its key began." "证明早于密钥启用。"
    elif [ "$until" != - ] && [ "$earliest" -gt "$until" ] && ! may_be "$until"; then
        period=failed
        result 3.1 failed "$subject key period" "Nothing attests this head before its key ended." "密钥停用之前没有任何证明。"
    elif [ "$until" != - ] && [ "$earliest" -gt "$until" ]; then
        result 3.1 unchecked "$subject key period" "Only what this script cannot check may attest this head before its key ended." "仅有本脚本不能核验的证明可能早于密钥停用。"
    elif [ "$since" != - ] && may_be $((since - 1)); then
        result 3.1 unchecked "$subject key period" "What this script cannot check may attest this head before its key began." "本脚本不能核验的证明可能早于密钥启用。"
    elif [ "$until" != - ] && [ "$last" != - ] && [ "$(awk -v until="$until" '$1 <= until' <"$work/dated" | grep -c .)" -lt "$k" ]; then
        result 3.1 unchecked "$subject key period" "Its key was compromised, and fewer than $k sources that this script can check date the head before it ended." "密钥曾泄露，且本脚本可核验的来源中，能证明该日志头早于密钥停用的少于 $k 个。"
    else
        period=kept
    fi
}

may_be() { # whether what is left open may bound the head by then
    [ -n "$maybe" ] && { [ "$maybe" = - ] || [ "$maybe" -le "$1" ]; }
}

check_consistency() {
    wants 3.3 && [ -n "$trust" ] || return 0
    linked=
    if has consistency.json; then
        at consistency.json
        code=0
        follow "$place" || code=$?
        case $code in
            0) result 3.3 passed '' "Linked:$linked." - ;;
            2) result 3.3 unchecked '' "A head that it names did not pass." "所涉日志头未通过核验。" ;;
            *) result 3.3 failed '' - - && linked=broken ;;
        esac
    fi
    forked=' '
    while read -r old _; do
        while read -r new _; do
            [ "$old" -lt "$new" ] || continue
            # Of the hashes of one subtree in both, one that differs.
            if [ -n "$(sort "$work/trees.$old" "$work/trees.$new" | uniq | cut -d' ' -f1 | uniq -d)" ]; then
                result 3.3 failed "heads $old and $new" "The log has forked." "日志出现分叉。"
                forked="$forked$old-$new "
            fi
        done <"$work/passed"
    done <"$work/passed"
    while read -r old; do
        { cut -d' ' -f1 <"$work/passed" && cat "$work/open"; } | while read -r new; do
            [ "$old" = "$new" ] || [ -z "$(sort "$work/trees.$old" "$work/trees.$new" | uniq | cut -d' ' -f1 | uniq -d)" ] || printf '%s\n' "$new"
        done
    done <"$work/open" >"$work/forks"
    if [ -s "$work/forks" ]; then
        doubtful=yes
        result 3.3 unchecked '' "A head that is left open is of another history." "有未能核验的日志头属于另一历史。"
    fi
    before=
    [ "$linked" = broken ] || while read -r new _; do
        case "$forked$linked " in
            *" $before-$new "*) ;;
            *) [ -z "$before" ] || result 3.3 unchecked "heads $before and $new" "No consistency proof links them." "二者之间没有一致性证明。" ;;
        esac
        before=$new
    done <"$work/passed"
}

follow() { # each proof of consistency.json: 1 where one is wrong, 2 where it names a head that did not pass
    [ "$(wc -c <"$1")" -le 262144 ] || return 1
    body=$(tr -d '\000\n' <"$1")
    printf '%s' "$body" | cmp -s - "$1" || return 1
    one="[{]\"new\":\"[1-9][0-9]{0,18}\",\"old\":\"[1-9][0-9]{0,18}\",\"path\":\\[(\"$H64\"(,\"$H64\")*)?\\][}]"
    printf '%s\n' "$body" | grep -Eq "^[{]\"proofs\":\\[$one(,$one)*\\],\"version\":1[}]\$" || return 1
    printf '%s\n' "$body" | sed 's/{"new":"/\
/g' | sed 1d | sed 's/","old":"/ /; s/","path":\[/ /; s/[]}].*$//; s/[",]/ /g' >"$work/proofs"
    [ "$(grep -c '' <"$work/proofs")" -le 64 ] || return 1
    skipped=0
    while read -r new old path; do
        is_decimal "$new" && is_decimal "$old" && [ "$old" -lt "$new" ] || return 1
        printf '%s\n' "$sizes" | grep -Fxq "$new" && printf '%s\n' "$sizes" | grep -Fxq "$old" || return 1
        linked="$linked $old-$new"
        new_root=$(grep "^$new " <"$work/passed" | cut -d' ' -f2)
        old_root=$(grep "^$old " <"$work/passed" | cut -d' ' -f2)
        if [ -z "$new_root" ] || [ -z "$old_root" ]; then skipped=2; else extends "$path" || return 1; fi
    done <"$work/proofs"
    return "$skipped"
}

extends() { # RFC 9162 §2.1.4.2, of $old, $new and their roots by the path given
    level=0
    while [ $((old >> level & 1)) -eq 0 ]; do level=$((level + 1)); done
    i=$(((old >> level) - 1)) last=$(((new - 1) >> level))
    bits $((i ^ last))
    inner=$bits
    ones $((i >> inner))
    # shellcheck disable=SC2086 # a list of hashes
    set -- $1
    if [ "$i" -eq 0 ]; then
        seed=$old_root
    else
        [ "$#" -ge 1 ] || return 1
        seed=$1
        shift
    fi
    [ "$#" -eq $((inner + ones)) ] || return 1
    a=$seed b=$seed h=0
    for sibling in "$@"; do
        while [ "$h" -ge "$inner" ] && [ $((i >> h & 1)) -eq 0 ]; do h=$((h + 1)); done
        if [ $((i >> h & 1)) -eq 1 ]; then
            hash "01$sibling$a"
            a=$sum
            hash "01$sibling$b"
        else
            hash "01$b$sibling"
        fi
        b=$sum h=$((h + 1))
    done
    [ "$a" = "$old_root" ] && [ "$b" = "$new_root" ]
}

# --- 4: the receipt ----------------------------------------------------------------------------------------------

check_receipt() {
    wants 4 && [ -n "$trust" ] && has receipt.txt || return 0
    [ -s "$work/keys.receipt_key" ] || { result 4.1 unchecked '' "The trust file names no receipt key." "信任文件未列回执密钥。" && return 0; }
    [ "$ed25519_known" = yes ] || { result 4.1 unchecked '' "This openssl does not check Ed25519." "本机 openssl 不支持 Ed25519。" && return 0; }
    at receipt.txt
    if ! read_proof "$place" notary-receipt@v1 8 || ! signed receipt_key "$origin/receipt" || ! read_promise; then
        result 4.1 failed '' - - && return 0
    fi
    since=$(printf '%s' "$key" | cut -d' ' -f3)
    until=$(printf '%s' "$key" | cut -d' ' -f4)
    last=$(printf '%s' "$key" | cut -d' ' -f5)
    if [ "$until" != - ] || { [ "$since" != - ] && [ "$close_by" -lt "$since" ]; } || { [ "$last" != - ] && [ "$promised" -gt "$last" ]; }; then
        result 4.1 unchecked '' "Nothing dates a receipt, and the period of its key leaves it open." "密钥有效期无法判断。" && return 0
    fi
    result 4.1 passed '' "For $group entries." "共 $group 项。"
    if climb "$leaf" "$index" "$group" "$path" /dev/null && [ "$climbed" = "$group_root" ]; then
        result 4.2 passed '' - -
    else
        result 4.2 failed '' - - && return 0 # of another entry it promised nothing of this one
    fi
    [ -n "$index_of" ] || return 0
    if [ "$index_of" -lt "$promised" ]; then
        result 4.3 failed '' - -
    elif [ -n "$(awk -v by="$close_by" '$1 <= by' <"$work/bounds")" ]; then
        result 4.3 passed '' - -
    else
        result 4.3 unchecked '' "No head with this entry is attested before the promised time by what this script can check." "本脚本可核验的证明均不早于承诺时间。"
    fi
}

read_promise() {
    [ "$(sed -n 1p "$work/text")" = 'notary receipt v1' ] && [ "$(sed -n 2p "$work/text")" = "$origin" ] || return 1
    line=$(sed -n 3p "$work/text") && group=${line#count }
    [ "$line" = "count $group" ] && is_decimal "$group" || return 1
    line=$(sed -n 4p "$work/text") && root_text=${line#root }
    [ "$line" = "root $root_text" ] && from_base64 "$root_text" || return 1
    group_root=$hex
    line=$(sed -n 5p "$work/text") && rest=${line#checkpoint } && promised=${rest%% *}
    [ "$line" = "checkpoint $promised ${rest#* }" ] && is_decimal "$promised" && from_base64 "${rest#* }" || return 1
    for place_in in 8:final_target 7:stamp_target 6:close_by; do
        line=$(sed -n "${place_in%%:*}p" "$work/text")
        [ "$line" = "${place_in#*:} ${line#* }" ] && seconds "${line#* }" || return 1
    done
    close_by=$epoch
}

# --- 5: time stamps ----------------------------------------------------------------------------------------------

check_tokens() {
    wants_times 5 || return 0
    grep "^heads/$1/tokens/" <"$work/members" >"$work/tokens" || :
    while IFS= read -r token; do
        name=${token##*/}
        check_token "$1" "${name%.tsr}" "$token"
    done <"$work/tokens"
    grep "^heads/$1/ots/" <"$work/members" >"$work/files" || :
    while IFS= read -r file; do
        name=${file##*/}
        sha "$work/checkpoint.$1"
        at "$file"
        start=$(xxd -p -l 65 <"$place" | tr -d '\n')
        if [ "$start" = "004f70656e54696d657374616d7073000050726f6f6600bf89e2e884e892940108$sum" ]; then
            sort -n <"$work/bitcoin" | head -n 1 >>"$work/maybe.$1"
            sort -n <"$work/bitcoin" | head -n 1 >>"$work/early"
            result 5.3 unchecked "${name%.ots}@$1" "It is over the checkpoint; where it leads needs ots (ots info, ots verify)." "针对该检查点；请用 ots 程序核验。"
        else
            result 5.3 failed "${name%.ots}@$1" - -
        fi
    done <"$work/files"
}

check_token() { # size, name, member
    subject="$2@$1"
    row=$(grep "^$2$TAB" <"$work/authorities") || { result 5.1 unchecked "$subject" - - && return 0; }
    number=$(printf '%s' "$row" | cut -f2)
    # Under whose name it is counted: where the sign "?" stands in it, a name that this script cannot tell from others.
    counted=$(printf '%s' "$row" | cut -f3)
    at "$3"
    token_at=$place
    pem_of "$number" roots >"$work/roots.pem"
    pem_of "$number" intermediates >"$work/more.pem"
    keys=$(token_keys)
    crowded=no
    if is_crowded; then crowded=yes; fi
    read_token
    judge_token "$1" "$2"
    case $judged in
        unchecked) may_count "$1" "$2" ;;
        passed) count_token "$1" "$2" ;;
    esac
}

is_crowded() { # whether the tokens of this authority have so many certificates that for one the 65th signature might be tried (docs/formats.md §9)
    code=0
    awk -F "$TAB" -v n="$number" '
        function count(kind, text) { if (!((kind, text) in seen)) { seen[kind, text]; held[kind]++; return 1 } }
        part == "before" { if ($1 == n) count($2, $3); next }
        /^[+]$/ { pinned = 1; next }
        /^=$/ { if (count(pinned + 0, text)) print n FS pinned + 0 FS text; text = ""; next }
        { text = text $0 }
        END { exit held[0] * (held[0] + held[1]) > 64 ? 0 : 3 }
    ' part=before "$work/tried" part=now "$work/certificates" >"$work/tried.new" || code=$?
    cat "$work/tried.new" >>"$work/tried"
    [ "$code" -ne 3 ]
}

may_count() { # size, name: what a token that this script leaves open may do, if it is good (docs/formats.md §8, §12)
    note_serial
    # When it may bound, and whose word it may join to whose: a key of several sources makes them one.
    printf '%s\n' "${stamped:--}" >>"$work/maybe.$1"
    printf 'x %s %s %s x\n' "$subject" "$counted" "$keys" >>"$work/joins.$1"
    printf '%s\n' "${stamped:--}" >>"$work/early"
}

note_serial() { # the token is one of its authority
    printf '%s %s %s %s\n' "$counted" "${serial:--}" "${info:--}" "$signer_name" >>"$work/serials"
}

serial_used() { # 0 where another token of this authority has its number, 2 where that may be (docs/formats.md §9, check 22)
    awk -v counted="$counted" -v serial="$serial" -v info="$info" -v subject="$signer_name" '
        ($2 == serial && $3 != info) || $2 == "-" {
            same = $1 == counted && !index(counted, "?")
            if (!same && !index($1, "?") && !index(counted, "?")) next
            if (same && $2 == serial && $4 == subject) used = 1
            else if (!same || $2 == "-" || $4 == "-" || $4 == subject || index($4, "?") || index(subject, "?")) open = 1
        }
        END { exit used ? 0 : open ? 2 : 1 }' <"$work/serials"
}

judge_token() { # size, name: 5.1; to $judged: passed, failed, unchecked
    judged=unchecked signer_name=-
    case $token_read$why in
        "unchecked$by_key") result 5.1 unchecked "$subject" "$why." "签名者由密钥标识指明，openssl ts 无法处理。" && return 0 ;;
    esac
    if ! openssl ts -reply -in "$token_at" -token_out >"$work/said" 2>&1; then
        result 5.1 failed "$subject" "It cannot be read." "无法读取。" && judged=failed && return 0
    fi
    case $token_read in
        failed) result 5.1 failed "$subject" "$why." "令牌不符合 docs/formats.md 第 9 节。" && judged=failed && return 0 ;;
        unchecked) result 5.1 unchecked "$subject" "$why; notary verify and verify.html read more." "本脚本不读取此种编码或算法。" && return 0 ;;
    esac
    signer_name=$(grep '^signer' <"$work/held" | cut -f11)
    if [ -f "$work/odd.$number" ] || ! one_signer; then
        result 5.1 unchecked "$subject" "Certificates of the trust file leave open who signed it; notary verify and verify.html read more." "信任文件中的证书使签名者无法确定。" && return 0
    fi
    if ends_now; then
        result 5.1 unchecked "$subject" "Its genTime is in the last second of a certificate, which openssl counts or not by its version: notary verify and verify.html do." "签发时间正值某证书有效期的最后一秒，各版本 openssl 的判断不同。" && return 0
    fi
    if ! stamps "$work/checkpoint.$1" "$work/roots.pem" "$stamped"; then
        # Of several ways OpenSSL tries one, also by a CA of the same name that signed nothing here, and it compares names by
        # another rule than docs/formats.md §9.
        ways=none
        if grep -q -e 'Verify error' <"$work/said"; then walk; fi
        if [ "$ways" = many ] || { [ "$ways" = one ] && grep -q -e 'unable to get [a-z ]*issuer certificate' -e 'certificate signature failure' <"$work/said"; }; then
            result 5.1 unchecked "$subject" "openssl: $(reason)" -
        elif grep -q -e 'Verify error' <"$work/said" && ! plain_roots; then
            result 5.1 unchecked "$subject" "openssl: $(reason). It judges extensions of pinned roots, too: notary verify and verify.html do not (docs/formats.md §9)." "openssl 还会检查受信任根证书的扩展项，本脚本不能判断。"
        elif grep -q -e 'tsa name mismatch' <"$work/said" && ! plain_names; then
            result 5.1 unchecked "$subject" "openssl: $(reason), by another rule than docs/formats.md §9" -
        elif grep -q -i -e 'not supported' -e 'unsupported' <"$work/said"; then
            result 5.1 unchecked "$subject" "This openssl cannot check its signature." "本机 openssl 不支持其签名算法。"
        else
            result 5.1 failed "$subject" "openssl: $(reason)" - && judged=failed
        fi
        return 0
    fi
    policies=$(awk -F "$TAB" -v n="$number" '$1 == "tsa" && $2 == n && $3 == "policies" { print $4 }' <"$work/trust")
    if [ -n "$policies" ] && ! policy_listed; then
        result 5.1 failed "$subject" "Its policy is not one of the trust file." "策略不在信任文件中。" && judged=failed && return 0
    fi
    if [ "$crowded" = yes ]; then
        result 5.1 unchecked "$subject" "The tokens of its authority have many certificates: whether too many signatures would be tried is for notary verify and verify.html." "该机构的令牌含有过多证书，本脚本不能判断。" && return 0
    fi
    if [ -s "$work/key.odd" ] || ! plain_keys; then
        result 5.1 unchecked "$subject" "A key or an algorithm of its certificates is not one that this script knows." "证书的密钥或算法不在本脚本所知范围内。" && return 0
    fi
    code=0
    serial_used || code=$?
    case $code in
        0) result 5.1 failed "$subject" "The authority used this serial number twice." "序列号重复使用。" && judged=failed && return 0 ;;
        2)
            doubtful=yes
            result 5.1 unchecked "$subject" "Another token has its serial number, and may be of the same authority." "另一令牌的序列号相同，可能出自同一机构。" && return 0
            ;;
    esac
    judged=passed
    moment "$stamped"
    result 5.1 passed "$subject" "At $moment, by openssl ts -verify and what this script reads of the token itself." "签发时间 $moment。"
}

one_signer() { # whether no certificate of the trust file but the signer's own has its number
    line=$(grep '^signer' <"$work/held")
    grep -e "^$number${TAB}intermediates$TAB" <"$work/pinned" | cut -f3- >"$work/given" || :
    ! awk -F "$TAB" -v serial="$(printf '%s' "$line" | cut -f2)" -v own="$(printf '%s' "$line" | cut -f7,8)" '
        $2 == serial && $7 "\t" $8 != own { found = 1 } END { exit !found }' <"$work/given"
}

ends_now() { # whether genTime is in the last second of a certificate of the token or the trust file
    moment "$stamped"
    grep -e "^$number${TAB}roots$TAB" <"$work/pinned" | cut -f3- | cat - "$work/held" "$work/given" |
        awk -F "$TAB" -v now="x$(printf '%s' "$moment" | tr -cd 0-9)" '"x" $10 == now { found = 1 } END { exit !found }'
}

plain_roots() { # whether the extensions of the pinned roots say no more than that each is a CA and may sign certificates: by others no token fails
    grep -e "^$number${TAB}roots$TAB" <"$work/pinned" | cut -f9 |
        sed -e 's/0603551d13\(0101ff\)\{0,1\}040530030101ff/X/' -e 's/0603551d0f\(0101ff\)\{0,1\}040403020[0-7].[4-7c-f]//' >"$work/roots.hex"
    ! grep -Eq -e '^[0-9a-f]*$' -e '0603551d(0f|13|1e|21|24|36)|0101ff04|2b0601050507010[78e]' <"$work/roots.hex"
}

plain_names() { # whether the name in the token and that of its signer are of ASCII, so that openssl compares them as docs/formats.md §9 does
    case $tsa_name$signer_name in *\?*) return 1 ;; esac
    # In an alternative name there may be another.
    [ "$tsa_name" = - ] || ! grep -e '^signer' <"$work/held" | cut -f7 | grep -q 0603551d11
}

plain_keys() { # whether each public key is encoded as its standard has it: openssl reads more than the verifiers do
    grep -e "^$number${TAB}roots$TAB" <"$work/pinned" | cut -f3- | cat - "$work/held" "$work/given" | cut -f5 | grep . >"$work/keys.hex"
    size_in_hex='(..|81..|82....)'
    ! grep -Ev -e "^30${size_in_hex}30(0b06092a864886f70d010101|0d06092a864886f70d0101010500)03${size_in_hex}00" \
        -e "^30${size_in_hex}30..06072a8648ce3d020106(05.{10}|08.{16}|09.{18})03${size_in_hex}000[234]" \
        -e '^302a300506032b6570032100' <"$work/keys.hex" >/dev/null || return 1
    # Of Ed25519 (RFC 8032 §5.1.3): y below the prime, no sign where x is 0.
    ! grep -Eq -e '^302a300506032b6570032100((e[def]|f.)(ff){30}[7f]f|01(00){30}80|ec(ff){31})$' <"$work/keys.hex"
}

count_token() { # size, name: 5.2, and what the token bounds
    note_serial
    check_revocation "$1" "$2"
    if [ "$accuracy" = - ] && value tsa "$number" accuracy_ms; then accuracy=$((found / 1000)):$((found % 1000 * 1000)); fi
    if [ "$accuracy" = - ]; then
        # It bounds nothing, with whatever accuracy: but none makes it true an hour later (docs/formats.md §12, 8.1).
        hour_later=$((stamped + 3600 + (micros + beyond) / 1000000))
        [ "$revoked" = yes ] || printf '%s\n' "$hour_later" >>"$work/early"
        [ "$revoked" != no ] || printf '%s\n' "$hour_later" >>"$work/undated.$1"
        return 0
    fi
    # Rounded once: up, which is what is shown and what may not be too late, and down, which may not be too early.
    parts=$((micros + ${accuracy#*:})) whole=$((stamped + ${accuracy%:*}))
    up=$((whole + (parts + beyond + 999999) / 1000000)) down=$((whole + (parts + beyond) / 1000000))
    # What one public key may stand behind is one source: every certificate of the token and of the roots.
    case $revoked in
        no) printf '%s %s %s %s %s\n' "$up" "$subject" "$counted" "$keys" "$down" >>"$work/bounds.$1" ;;
        open)
            printf 'x %s %s %s x\n' "$subject" "$counted" "$keys" >>"$work/joins.$1"
            printf '%s\n' "$down" >>"$work/maybe.$1"
            ;;
        *) return 0 ;;
    esac
    printf '%s\n' "$down" >>"$work/early"
}

policy_listed() { # whether one of $policies has the bytes of $policy, which may have arcs that no shell computes with
    printf '%s\n' "$policies" >"$work/policies"
    while IFS= read -r dotted; do
        case $dotted in '' | *[!0-9.]*) continue ;; esac
        openssl asn1parse -genstr "OID:$dotted" -noout -out "$work/oid" >/dev/null 2>&1 || continue
        hex_of "$work/oid"
        case $hex in 06??"$policy" | 0681??"$policy") return 0 ;; esac
    done <"$work/policies"
    return 1
}

by_key="Its signer is named by key identifier, which openssl ts does not find"

read_token() { # to $token_read (read, failed, unchecked) with $why, and the fields below, empty where they are not known
    # From its bytes: the text that openssl prints may hold lines of whoever made the response.
    { xxd -p <"$token_at" | tr -d '\n' && printf '\n'; } | awk -f "$work/der.awk" -f "$work/token.awk" >"$work/token" || stop "cannot read $token_at"
    head -n 1 <"$work/token" >"$work/fields"
    sed 1d <"$work/token" >"$work/held"
    token_read=$(cut -f1 <"$work/fields")
    why=$(cut -f2 <"$work/fields")
    accuracy=$(cut -f3 <"$work/fields") # seconds:microseconds, or "-"
    serial=$(cut -f4 <"$work/fields")
    policy=$(cut -f5 <"$work/fields")
    info=$(cut -f6 <"$work/fields")
    time_text=$(cut -f7 <"$work/fields")
    tsa_name=$(cut -f8 <"$work/fields") # as names are compared, or "-" where none is stated or it is no name of X.500
    # genTime: whole seconds to $stamped, the part of a second to $micros; whether there are digits behind those, and any.
    stamped='' fraction=0 micros=0 beyond=0
    [ "$token_read" != failed ] && [ -n "$time_text" ] || return 0
    case $time_text in 9999*) token_read=failed why="Its genTime is of the year 9999, behind which no bound can be written" && return 0 ;; esac
    case $time_text in *.*)
        fraction=1 digits=${time_text#*.}
        micros=$(plain "$(printf '%s000000' "${digits%Z}" | cut -c1-6)")
        case $digits in ??????*[1-9]*) beyond=1 ;; esac
        ;;
    esac
    if ! seconds "$(printf '%s' "$time_text" | sed 's/^\(....\)\(..\)\(..\)\(..\)\(..\)\(..\).*/\1-\2-\3T\4:\5:\6Z/')"; then
        token_read=unchecked why="Its genTime is no time that this script knows" && return 0
    fi
    stamped=$epoch
}

write_reader() { # the programs that read tokens and lists: RFC 3161, 5652, 5280, and of docs/formats.md §9 what their bytes show
    cat >"$work/der.awk" <<'END_OF_READER'
# DER in hexadecimal. Offsets are of characters from 1; `tlv` reads at `at`.
function end_so(word, why) { print word "\t" why "\t" accuracy "\t" serial "\t" policy "\t" info "\t" time; exit 0 }
function odd() { end_so(unread ? unread : "unchecked", "Its encoding or an algorithm in it is not one that this script reads") }
function byte(at) { return index("0123456789abcdef", substr(all, at, 1)) * 16 + index("0123456789abcdef", substr(all, at + 1, 1)) - 17 }
function tlv(at, limit, first, count, i) { # to tag, body, past
    if (at + 4 > limit) odd()
    tag = substr(all, at, 2)
    if (substr(tag, 2) == "f" && (tag ~ /^[13579bdf]/)) odd()
    first = byte(at + 2)
    body = at + 4
    if (first > 127) {
        count = first - 128
        if (count < 1 || count > 3 || body + 2 * count > limit) odd()
        first = 0
        for (i = 0; i < count; i++) first = first * 256 + byte(body + 2 * i)
        if (first < 128 || substr(all, body, 2) == "00") odd()
        body += 2 * count
    }
    past = body + 2 * first
    if (past > limit) odd()
}
function whole(at, limit, depth, from, to, kind, lead) { # every element to its last byte, in its shortest form, and no more than `most`
    if (depth > 32) odd()
    if (!depth) values = 0
    while (at < limit) {
        if (++values > most) odd()
        tlv(at, limit)
        from = body
        to = past
        kind = tag
        if (kind == "01" && substr(all, from, to - from) !~ /^(00|ff)$/) odd()
        if (kind == "02") {
            if (from == to) odd()
            lead = substr(all, from, 3)
            if (to - from > 2 && (lead ~ /^00[0-7]/ || lead ~ /^ff[89a-f]/)) odd()
        }
        if (kind == "05" && from != to) odd()
        if (kind == "03") bits_at(substr(all, from, to - from))
        if (kind == "06") oid_at(substr(all, from, to - from))
        if (kind == "0a") {
            if (from == to) odd()
            lead = substr(all, from, 3)
            if (to - from > 2 && (lead ~ /^00[0-7]/ || lead ~ /^ff[89a-f]/)) odd()
        }
        if (kind ~ /^[2367abef]/) whole(from, to, depth + 1)
        if (kind == "31") in_order(from, to)
        at = to
    }
}
function in_order(from, to, before, value) { # what is in a SET
    before = ""
    while (from < to) {
        tlv(from, to)
        value = "x" substr(all, from, past - from)
        if (value < before) odd()
        before = value
        from = past
    }
}
function oid_at(text, i, fresh) {
    if (text == "" || length(text) > 128) odd()
    fresh = 1
    for (i = 1; i < length(text); i += 2) {
        if (fresh && substr(text, i, 2) == "80") odd()
        fresh = substr(text, i, 1) ~ /[0-7]/
    }
    if (!fresh) odd()
}
function next_of(want) { # the next element of `seq`, which ends at `seq_end`: to tag, body, past
    if (seq >= seq_end) odd()
    tlv(seq, seq_end)
    if (want != "" && tag != want) odd()
    start = seq
    seq = past
    return substr(all, body, past - body)
}
function enter() { seq = body; seq_end = past }
function ended() { if (seq != seq_end) odd() }
function algorithm(text, oid) { # the identifier in an AlgorithmIdentifier; its parameters may be NULL or missing
    enter()
    oid = next_of("06")
    if (seq != seq_end) { next_of("05"); ended() }
    return oid
}
function digits(hex, i, n) {
    n = 0
    for (i = 1; i <= length(hex); i++) n = n * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
    return n
}
function ascii(hex, i, text) {
    text = ""
    for (i = 1; i < length(hex); i += 2) {
        if (substr(hex, i, 2) !~ /^(3[0-9]|2e|5a)$/) return ""
        text = text (substr(hex, i, 2) == "2e" ? "." : substr(hex, i, 2) == "5a" ? "Z" : substr(hex, i + 1, 1))
    }
    return text
}
# --- a certificate (RFC 5280 §4.1, docs/formats.md §9). What is not plainly of its form is odd.
function one_of(want, from, to) { # an element that is all there is from here to there
    tlv(from, to)
    if (tag != want || past != to) odd()
}
function text_of_name(tag, text, i, spaced) {
    if (text == "" && tag != "0c" && tag != "13") odd()
    if (tag == "0c" && text ~ /[89abcdef]/) {
        for (i = 1; i < length(text); i += 2) spaced = spaced " " substr(text, i, 2)
        gsub(/ [0-7]./, "", spaced)
        gsub(/ (c[2-9a-f]|d.) [89ab]./, "", spaced)
        gsub(/ e0 [ab]. [89ab]./, "", spaced)
        gsub(/ e[1-9abcef] [89ab]. [89ab]./, "", spaced)
        gsub(/ ed [89]. [89ab]./, "", spaced)
        gsub(/ f0 [9ab]. [89ab]. [89ab]./, "", spaced)
        gsub(/ f[1-3] [89ab]. [89ab]. [89ab]./, "", spaced)
        gsub(/ f4 8. [89ab]. [89ab]./, "", spaced)
        if (spaced != "") odd()
    }
    if (tag == "1e" && length(text) % 4) odd()
    if (tag !~ /^(0c|13|14|16|1e)$/) odd()
}
function spelt(tag, text, i, pair, all_of_it) { # as names are compared, where that is plain: ASCII, in small letters, with single spaces; else "?"
    for (i = 1; i < length(text); i += 2) {
        pair = substr(text, i, 2)
        if (tag == "1e" || pair !~ /^[2-7]/ || pair == "7f") return "?" tag text
        if (pair ~ /^4[1-9a-f]|5[0-9a]$/) pair = (substr(pair, 1, 1) + 2) substr(pair, 2)
        if (pair == "20" && (all_of_it == "" || all_of_it ~ /20$/)) continue
        all_of_it = all_of_it pair
    }
    sub(/20$/, "", all_of_it)
    return all_of_it
}
function name_at(from, to, kept, kept_end, rdn, rdn_end, before, types, kind, value) { # what is in a Name
    if (to - from > 4088) odd() # of 2048 bytes, with tag and length
    kept = seq; kept_end = seq_end
    while (from < to) {
        tlv(from, to)
        if (tag != "31" || body == past) odd()
        rdn = body; rdn_end = past; from = past; before = ""; types = " "
        while (rdn < rdn_end) {
            tlv(rdn, rdn_end)
            value = "x" substr(all, rdn, past - rdn)
            if (tag != "30" || value < before) odd()
            before = value; rdn = past
            enter()
            kind = next_of("06")
            if (index(types, " " kind " ")) odd()
            types = types kind " "
            value = next_of("")
            text_of_name(tag, value)
            name_shown = name_shown "/" kind "=" spelt(tag, value)
            ended()
        }
    }
    seq = kept; seq_end = kept_end
}
function general_names(from, to, least, text) { # what is in GeneralNames
    if (least && from == to) odd()
    while (from < to) {
        tlv(from, to)
        from = past
        text = substr(all, body, past - body)
        if (tag ~ /^8[126]$/) { if (!ascii_only(text)) odd() }
        else if (tag == "87") { if (length(text) != 8 && length(text) != 32) odd() }
        else if (tag == "a4") { one_of("30", body, past); name_at(body, past) }
        else if (tag != "88" || text == "") odd()
    }
}
function ascii_only(text, i) {
    for (i = 1; i < length(text); i += 2) if (substr(text, i, 1) ~ /[89abcdef]/) return 0
    return 1
}
function bits_at(text) { # BIT STRING: none of its unused bits is set
    if (text !~ /^0[0-7]/ || (length(text) == 2 && text != "00")) odd()
    if (substr(text, 1, 2) != "00" && byte_of(substr(text, length(text) - 1)) % two_to(substr(text, 2, 1))) odd()
}
function byte_of(pair) { return index("0123456789abcdef", substr(pair, 1, 1)) * 16 + index("0123456789abcdef", substr(pair, 2, 1)) - 17 }
function two_to(n, value) { value = 1; while (n-- > 0) value *= 2; return value }
function value_of_extension(oid, from, to, kept, kept_end, value, seen_policy, at, end) {
    kept = seq; kept_end = seq_end
    # Constraints on names and policies, which OpenSSL reads in another way or not at all; and on addresses and proxies, which it alone reads.
    if (oid ~ /^(551d(1e|21|24|36)|2b0601050507010[78e])$/) odd()
    if (oid !~ /^(551d(0e|0f|11|13|1f|20|23|25)|2b06010505070101)$/) return
    whole(from, to, 0)
    if (oid == "551d0e") one_of("04", from, to)
    else if (oid == "551d0f") { # of which openssl sees 16 bits
        one_of("03", from, to)
        if (past - body > 6) odd()
    }
    else {
        one_of("30", from, to)
        enter()
        if (oid == "551d11") general_names(seq, seq_end, 1)
        else if (oid == "551d13") {
            tag = ""
            if (seq < seq_end) value = next_of("")
            if (tag == "01") { if (value != "ff") odd(); tag = ""; if (seq < seq_end) value = next_of("") }
            if (tag == "02" && (value !~ /^[0-7]/ || length(value) > 4)) odd()
            if (tag != "" && tag != "02") odd()
            ended()
        } else if (oid == "551d1f") {
            if (seq == seq_end) odd()
            while (seq < seq_end) {
                next_of("30"); at = body; end = past
                one_of("a0", at, end)
                one_of("a0", body, past)
                general_names(body, past, 1)
            }
        } else if (oid == "551d20" || oid == "2b06010505070101") {
            if (seq == seq_end) odd()
            while (seq < seq_end) {
                next_of("30"); at = seq; end = seq_end
                enter()
                value = next_of("06")
                if (oid == "551d20") {
                    if ((" " seen_policy) ~ (" " value " ")) odd()
                    seen_policy = seen_policy value " "
                    if (seq < seq_end) next_of("30")
                    ended()
                } else { general_names(seq, seq_end, 1); next_of(""); ended() }
                seq = at; seq_end = end
            }
        } else if (oid == "551d23") {
            tag = ""
            if (seq < seq_end) next_of("")
            if (tag == "80") { tag = ""; if (seq < seq_end) next_of("") }
            if (tag == "a1") { general_names(body, past, 0); tag = ""; if (seq < seq_end) next_of("82") }
            if (tag == "82") { if (body == past) odd(); tag = "" }
            if (tag != "") odd()
            ended()
        } else if (oid == "551d25") { # extKeyUsage
            if (seq == seq_end) odd()
            cert_elsewhere = 1 # unless it is for time-stamping or for anything
            cert_purposes = ""
            while (seq < seq_end) {
                value = next_of("06")
                if (value ~ /^(2b06010505070308|551d2500)$/) cert_elsewhere = 0
                cert_purposes = cert_purposes " " value
            }
        }
    }
    seq = kept; seq_end = kept_end
}
function certificate(at, limit, text, kept, kept_end, mid, mid_end, oids, oid, value, critical) { # to cert_…
    kept = seq; kept_end = seq_end
    tlv(at, limit)
    if (tag != "30" || whole_of_it && past != limit) odd()
    enter()
    next_of("30")
    cert_text = substr(all, start, past - start)
    mid = seq; mid_end = seq_end
    enter()
    cert_elsewhere = 0 # whether it is for other purposes alone
    cert_purposes = "" # those that it states
    cert_strict = 0 # whether it has a critical extension that no signer may have
    value = next_of("")
    cert_version = "00"
    if (tag == "a0") {
        if (value !~ /^02010[12]$/) odd()
        cert_version = substr(value, 5)
        value = next_of("")
    }
    if (tag != "02" || plain_extensions && value ~ /^[89a-f]/) odd() # of negative numbers tools print other texts
    cert_serial = value
    sub(/^(00)+/, "", cert_serial)
    if (cert_serial == "") cert_serial = "0"
    next_of("30")
    cert_algorithm = substr(all, start, past - start)
    next_of("30"); cert_issuer = substr(all, start, past - start); name_at(body, past)
    next_of("30")
    value = seq; oids = seq_end
    enter(); cert_from = time_of(); cert_to = time_of(); ended()
    seq = value; seq_end = oids
    next_of("30"); cert_subject = substr(all, start, past - start)
    name_shown = ""
    name_at(body, past)
    cert_shown = name_shown
    next_of("30"); cert_key = substr(all, start, past - start)
    oids = " "
    if (seq != seq_end) {
        if (cert_version != "02") odd()
        next_of("a3"); ended()
        one_of("30", body, past)
        seq = body; seq_end = past
        while (seq < seq_end) {
            next_of("30")
            text = seq; value = seq_end
            enter()
            oid = next_of("06")
            if (index(oids, " " oid " ")) odd()
            oids = oids oid " "
            critical = next_of("")
            if (tag == "01") {
                if (critical != "ff") odd()
                next_of("04")
                if (oid ~ /^(551d(0e|23|1f|2e)|2b060105050701(01|03)|2b0601050507300105)$/) cert_strict = 1
                else if (plain_extensions && oid !~ /^551d(0f|11|13|1e|20|21|24|25|36)$/) odd()
            } else if (tag != "04") odd()
            ended()
            if (plain_extensions) value_of_extension(oid, body, past)
            seq = text; seq_end = value
        }
    }
    seq = mid; seq_end = mid_end
    next_of("30")
    if (substr(all, start, past - start) != cert_algorithm) odd()
    next_of("03"); ended()
    cert_signature = substr(all, body, past - body)
    if (cert_signature !~ /^00/) odd()
    cert_signature = substr(cert_signature, 3)
    if (cert_elsewhere && cert_text ~ /0603551d13(0101(00|ff))?04..30..0101ff/) odd() # a CA, which openssl lets issue for others all the same
    seq = kept; seq_end = kept_end
    if (cert_algorithm !~ /^30[0-7].06[0-7]./) odd()
    cert_oid = substr(cert_algorithm, 9, 2 * byte_of(substr(cert_algorithm, 7, 2)))
    cert_parameters = substr(cert_algorithm, 9 + length(cert_oid))
}
function line_of_certificate(kind) {
    return kind "\t" cert_serial "\t" cert_issuer "\t" cert_subject "\t" cert_key "\t" cert_oid "\t" cert_text "\t" cert_signature "\t" cert_from "\t" cert_to "\t" cert_shown
}
function time_of(text, year, month, day, days) { # YYYYMMDDhhmmss of a moment that there is
    text = ascii(next_of(""))
    if (tag != "17" && tag != "18" || text !~ /^[0-9]+Z$/ || length(text) != (tag == "17" ? 13 : 15)) odd()
    if (tag == "17") text = (substr(text, 1, 2) < "50" ? "20" : "19") text
    year = substr(text, 1, 4) + 0; month = substr(text, 5, 2) + 0; day = substr(text, 7, 2) + 0
    days = month == 2 ? (year % 4 == 0 && (year % 100 || year % 400 == 0) ? 29 : 28) : month ~ /^(4|6|9|11)$/ ? 30 : 31
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days || substr(text, 9, 2) > "23" || substr(text, 11, 2) > "59" || substr(text, 13, 2) > "59") odd()
    return substr(text, 1, 14)
}
BEGIN {
    most = 4096
    sha = "608648016503040"
    # Of the allowed digests: their names, and with which signature algorithms they go.
    name[sha "201"] = "sha256"; name[sha "202"] = "sha384"; name[sha "203"] = "sha512"
    name[sha "208"] = "sha3-256"; name[sha "209"] = "sha3-384"; name[sha "20a"] = "sha3-512"
    by["2a864886f70d01010b"] = by["2a8648ce3d040302"] = sha "201"
    by["2a864886f70d01010c"] = by["2a8648ce3d040303"] = sha "202"
    by["2a864886f70d01010d"] = by["2a8648ce3d040304"] = sha "203"
    by["2b6570"] = by["2a864886f70d010101"] = "any"
}
{ all = all $0 }
END_OF_READER
    cat >"$work/cert.awk" <<'END_OF_READER'
# One certificate of the trust file, whose extensions are judged where it stands on a path below the root, and not here.
END {
    if (length(all) > 131072 || length(all) % 2) odd()
    whole(1, length(all) + 1, 0)
    whole_of_it = 1
    certificate(1, length(all) + 1)
    print line_of_certificate("certificate")
}
END_OF_READER
    cat >"$work/token.awk" <<'END_OF_READER'
# A TimeStampResp.
function signer_named(issuer, number, from, to, text) { # reads all certificates of the token, of which one is the signer's
    plain_extensions = 1
    from = certificates
    while (from && from < certificates_past) {
        tlv(from, certificates_past)
        to = past
        if (tag != "30" || ++held > 32) odd()
        text = substr(all, from, to - from)
        if (text in seen) odd()
        seen[text]
        certificate(from, to)
        if (cert_version != "02" || !(cert_oid in by) || cert_oid == "2a864886f70d010101" || cert_parameters !~ /^(0500)?$/) odd()
        # Two of one number may be two of one issuer, however its name is spelt.
        if (cert_serial in numbers) odd()
        numbers[cert_serial]
        if (cert_issuer == issuer && cert_serial == number) {
            found = 1
            if (cert_strict) odd()
            if (cert_purposes != "" && cert_purposes != " 2b06010505070308") end_so("failed", "Its certificate is not for time-stamping alone")
            key = cert_key
            if (cert_text ~ /0603551d13(0101(00|ff))?04..30..0101ff/) end_so("unchecked", "Its signer has the certificate of an authority")
            lines = lines "\n" line_of_certificate("signer")
        } else lines = lines "\n" line_of_certificate("certificate")
        from = to
    }
    if (!found) odd()
}
END {
    if (length(all) > 131072 || length(all) % 2 || all ~ /[^0-9a-f]/) odd()
    last = length(all) + 1
    whole(1, last, 0)
    seq = 1; seq_end = last
    next_of("30"); ended(); enter()                 # TimeStampResp
    next_of("30"); next_of("30"); ended(); enter()  # ContentInfo
    if (next_of("06") != "2a864886f70d010702") odd()
    next_of("a0"); ended(); enter()
    next_of("30"); ended(); enter()                 # SignedData
    if (next_of("02") !~ /^0[345]$/) odd()
    next_of("31"); next_of("30")
    content = body; content_past = past
    next_of(""); certificates = tag == "a0" ? body : 0; certificates_past = past
    if (tag == "a0") next_of("")
    if (tag == "a1") odd()
    if (tag != "31") odd()
    ended()
    enter()
    next_of("30"); ended(); enter()                 # SignerInfo
    signer = seq; signer_past = seq_end

    seq = content; seq_end = content_past
    if (next_of("06") != "2a864886f70d0109100104") odd()
    next_of("a0"); ended(); enter()
    next_of("04"); ended()
    info = substr(all, body, past - body)
    info_at = body; info_past = past
    tlv(info_at, info_past)
    if (tag != "30") odd()
    if (past != info_past) end_so("failed", "Bytes follow its TSTInfo")
    whole(info_at, info_past, 0)
    seq = info_at; seq_end = info_past
    next_of("30"); enter()
    if (next_of("02") != "01") end_so("failed", "Its TSTInfo is not of version 1")
    policy = next_of("06")
    next_of("30")
    kept = seq; kept_end = seq_end
    enter()
    next_of("30")
    rest = seq; rest_end = seq_end
    imprint = algorithm()
    if (!(imprint in name) && imprint != "2a811ccf55018311") end_so("failed", "The digest of its imprint is not allowed")
    seq = rest; seq_end = rest_end
    next_of("04"); ended()
    seq = kept; seq_end = kept_end
    serial = next_of("02")
    if (serial ~ /^[89a-f]/) odd()
    sub(/^00/, "", serial)
    if (length(serial) > 40) end_so("failed", "Its serial number has more than 160 bits")
    time = ascii(next_of("18"))
    if (time !~ /^[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9](\.[0-9]+)?Z$/ || length(time) > 28)
        end_so("failed", "Its genTime is not a UTC time of whole form")
    accuracy = "-"
    tsa = "-"
    stage = 0
    while (seq < seq_end) {
        value = next_of("")
        if (tag == "30" && stage < 1) { stage = 1; accuracy_at = body; accuracy_past = past }
        else if (tag == "01" && stage < 2) stage = 2
        else if (tag == "02" && stage < 3) stage = 3
        else if (tag == "a0" && stage < 4) { stage = 4; tsa_at = body; tsa_past = past }
        else if (tag == "a1" && stage < 5) { stage = 5; extensions = body; extensions_past = past }
        else odd()
    }
    if (accuracy_at && accuracy_at < accuracy_past) {
        parts = 0; total = 0; micros = 0
        seq = accuracy_at; seq_end = accuracy_past
        while (seq < seq_end) {
            value = next_of("")
            if (tag == "02") part = 1; else if (tag == "80") part = 2; else if (tag == "81") part = 3; else odd()
            if (part <= parts) odd()
            parts = part
            if (value == "" || value ~ /^00[0-7]./) odd()
            if (length(value) > 4 || value ~ /^[89a-f]/) end_so("failed", "Its accuracy is out of range")
            value = digits(value)
            if (part == 1 && value > 3600 || part > 1 && (value < 1 || value > 999)) end_so("failed", "Its accuracy is out of range")
            if (part == 1) total = value; else micros += part == 2 ? value * 1000 : value
        }
        accuracy = total ":" micros
    }
    if (tsa_at) {
        tlv(tsa_at, tsa_past)
        if (past != tsa_past) odd()
        by_name = tag == "a4"
        name_shown = ""
        general_names(tsa_at, tsa_past, 1)
        if (by_name) tsa = "/" name_shown
    }
    if (extensions) {
        seq = extensions; seq_end = extensions_past
        while (seq < seq_end) {
            next_of("30")
            kept = seq; kept_end = seq_end
            enter()
            value = next_of("06")
            if (value in extension) odd()
            extension[value]
            value = next_of("")
            if (tag == "01") {
                if (value == "ff") end_so("failed", "It has a critical extension")
                next_of("04")
            } else if (tag != "04") odd()
            ended()
            seq = kept; seq_end = kept_end
        }
    }

    seq = signer; seq_end = signer_past
    if (next_of("02") !~ /^0[13]$/) odd()
    named = next_of("")
    if (tag == "80") end_so("unchecked", "Its signer is named by key identifier, which openssl ts does not find")
    if (tag != "30") odd()
    kept = seq; kept_end = seq_end
    enter()
    next_of("30"); named = substr(all, start, past - start)
    number = next_of("02"); ended()
    sub(/^(00)+/, "", number)
    if (number == "") number = "0"
    seq = kept; seq_end = kept_end
    signer_named(named, number)
    next_of("30")
    kept = seq; kept_end = seq_end
    digest = algorithm()
    if (!(digest in name)) end_so("failed", "The digest of its signer is not allowed")
    seq = kept; seq_end = kept_end
    next_of("a0"); attributes = body; attributes_past = past
    next_of("30")
    kept = seq; kept_end = seq_end
    used = algorithm()
    if (!(used in by)) odd()
    if (by[used] != "any" && by[used] != digest) end_so("failed", "Its signature uses another digest than its signer")
    value = used ~ /^2a864886f70d0101/ ? "06092a864886f70d010101" : used ~ /^2a8648ce3d0403/ ? "06072a8648ce3d0201" : "06032b6570"
    if (key !~ ("^30(..|81..|82....)30.." value)) end_so("failed", "Its signature is of another kind than the key of its certificate")
    seq = kept; seq_end = kept_end
    next_of("04")
    if (seq != seq_end) { next_of("a1"); ended() }

    seq = attributes; seq_end = attributes_past
    before = ""
    while (seq < seq_end) {
        next_of("30")
        value = "x" substr(all, start, past - start)
        if (value < before) end_so("failed", "Its signed attributes are not in the order of DER")
        before = value
        kept = seq; kept_end = seq_end
        enter()
        kind = next_of("06")
        next_of("31"); ended(); enter()
        if (++times[kind] > 1) end_so("failed", "A signed attribute stands twice")
        if (kind == "2a864886f70d010903") { if (next_of("06") != "2a864886f70d0109100104") odd() }
        else if (kind == "2a864886f70d010904") next_of("04")
        else if (kind == "2a864886f70d010905") next_of("17")
        else if (kind == "2a864886f70d010934") { next_of("30"); whole(body, past, 20) } # of 16 levels, 4 are around it
        else if (kind == "2a864886f70d010910020c" || kind == "2a864886f70d010910022f") {
            next_of("30"); ended()
            enter(); next_of("30"); ended()             # certs, and no policies
            enter(); next_of("30"); ended()             # one of them
            enter()
            next_of("")
            if (tag == "30") {
                if (kind != "2a864886f70d010910022f") odd()
                rest = seq; rest_end = seq_end
                if (!(algorithm() in name)) end_so("failed", "The digest that names its certificate is not allowed")
                seq = rest; seq_end = rest_end
                next_of("04")
            } else if (tag != "04") odd()
            if (seq != seq_end) next_of("30")
        } else odd()
        ended()
        seq = kept; seq_end = kept_end
    }
    if (!times["2a864886f70d010903"] || !times["2a864886f70d010904"]) end_so("failed", "A signed attribute is missing")
    if (!times["2a864886f70d010910020c"] && !times["2a864886f70d010910022f"]) end_so("failed", "No attribute names its certificate")

    print "read\t\t" accuracy "\t" serial "\t" policy "\t" info "\t" time "\t" tsa lines
}
END_OF_READER
    cat >"$work/list.awk" <<'END_OF_READER'
# A CertificateList (RFC 5280 §5.1), and what it says of the `serials` as of the moment `stamped`: quiet, later (a
# revocation that spoils no token of that moment), revoked, or partial (a delta list); damaged where it is no SEQUENCE to
# its last byte. Who signed it, and for whom, is not looked at here.
END {
    seq = 1; seq_end = length(all) + 1
    unread = "damaged"
    next_of("30"); ended()
    unread = ""
    if (length(all) > 2097152) odd()
    count = split(serials, list, ",")
    for (i = 1; i <= count; i++) if (list[i] != "") wanted[list[i]]
    harmless["00"]; harmless["03"]; harmless["04"]; harmless["05"]
    most = 256
    enter()
    next_of("30")
    outside = seq; outside_end = seq_end
    enter()
    if (next_is("02")) { if (next_of("") != "01") odd() }
    part("30")
    inner = substr(all, start, past - start)
    kept = seq; kept_end = seq_end
    used = algorithm()
    if (!(used in by) || used == "2a864886f70d010101" || used == "2b6570" && inner != "300506032b6570") odd()
    seq = kept; seq_end = kept_end
    part("30")
    name_at(body, past) # the verifiers read it, whoever it is of
    updated = time_of()
    if (next_is("17") || next_is("18")) time_of()
    said = "quiet"
    if (next_is("30")) {
        next_of("")
        rest = seq; rest_end = seq_end
        enter()
        entries()
        seq = rest; seq_end = rest_end
    }
    if (next_is("a0")) {
        part("a0")
        list_extensions(body, past)
    }
    ended()
    seq = outside; seq_end = outside_end
    next_of("30")
    if (substr(all, start, past - start) != inner) odd()
    if (next_of("03") !~ /^00/) odd()
    ended()
    # A delta list counts for nothing, and OpenSSL takes it for a whole one.
    if (index(all, "0603551d1b")) said = said == "revoked" ? "unchecked" : "partial"
    print said "\t" updated
}
function next_is(want) { return seq < seq_end && substr(all, seq, 2) == want }
function part(want, from, to) { # the next element, of a size that the verifiers read
    next_of(want)
    if (past - start > 4096) odd()
    from = body; to = past
    whole(start, to, 0)
    body = from; past = to
}
function list_extensions(from, to, kept, kept_end, rest, rest_end, oids, oid, critical) { # those that openssl reads less strictly
    kept = seq; kept_end = seq_end
    one_of("30", from, to)
    enter()
    if (seq == seq_end) odd()
    oids = " "
    while (seq < seq_end) {
        next_of("30")
        rest = seq; rest_end = seq_end
        enter()
        oid = next_of("06")
        if (index(oids, " " oid " ")) odd()
        oids = oids oid " "
        critical = next_of("")
        if (tag == "01") { if (critical != "ff") odd(); next_of("04") }
        else if (tag != "04") odd()
        ended()
        if (oid == "551d1c") issuing_point(body, past)
        if (oid == "551d23") value_of_extension(oid, body, past)
        seq = rest; seq_end = rest_end
    }
    seq = kept; seq_end = kept_end
}
function issuing_point(from, to, value, rank, before) { # IssuingDistributionPoint (RFC 5280 §5.2.5); a name relative to the issuer is odd
    whole(from, to, 0)
    one_of("30", from, to)
    enter()
    before = -1
    while (seq < seq_end) {
        value = next_of("")
        if (tag !~ /^(a0|8[1-5])$/) odd()
        rank = tag == "a0" ? 0 : substr(tag, 2) + 0
        if (rank <= before) odd()
        before = rank
        if (rank == 0) { one_of("a0", body, past); general_names(body, past, 1) }
        else if (rank == 3) bits_at(value)
        else if (value != "ff") odd()
    }
}
function entries(marked, number, kept, kept_end, start_of, past_of, looked_at) {
    # A TRUE is in each with a critical extension, and the verifiers read no more than 1024 of those.
    marked = index(substr(all, seq, seq_end - seq), "0101ff")
    while (seq < seq_end) {
        next_of("30")
        kept = seq; kept_end = seq_end
        start_of = start; past_of = past
        whole(start, past, 0)
        seq = start_of; seq_end = past_of
        next_of("30")
        enter()
        number = next_of("02")
        since = time_of()
        reason = ""
        if (seq != seq_end) entry_extensions()
        sub(/^(00)+/, "", number)
        if (number == "") number = "0"
        if ((number in wanted || marked && index(substr(all, start_of, past_of - start_of), "0101ff")) && ++looked_at > 1024) odd()
        if (number in wanted) {
            if (!(reason in harmless) || since <= stamped) said = "revoked"
            else if (said == "quiet") said = "later"
        }
        seq = kept; seq_end = kept_end
    }
}
function entry_extensions(oid, value, invalid, rest, rest_end, critical) {
    next_of("30"); ended(); enter()
    while (seq < seq_end) {
        next_of("30")
        rest = seq; rest_end = seq_end
        enter()
        oid = next_of("06")
        value = next_of("")
        critical = tag == "01"
        if (critical) value = next_of("04")
        else if (tag != "04") odd()
        ended()
        if (oid == "551d15") {
            if (value !~ /^0a01..$/) odd()
            reason = substr(value, 5)
        } else if (oid == "551d18") {
            seq = body; seq_end = past
            next_of("18"); ended()
            seq = start
            invalid = time_of()
            if (invalid < since) since = invalid
        } else if (critical) odd()
        seq = rest; seq_end = rest_end
    }
}
END_OF_READER
    cat >"$work/rlp.awk" <<'END_OF_READER'
# One value of RLP in hexadecimal (docs/formats.md §10), as `what`: a node of a trie at the rest of a key, `way`; a
# receipt, of which log `nth` is shown; an account; a number of 32 bytes. What is not plainly of its form is odd.
# Of headers there is one on each line: number, time, roots and mix hash are shown, up to one that is no header.
function end_so(line) { print line; done = 1; exit 0 }
function odd() { end_so(what == "header" ? "refused" : "odd") }
function byte(at) { return index("0123456789abcdef", substr(all, at, 1)) * 16 + index("0123456789abcdef", substr(all, at + 1, 1)) - 17 }
function item(at, limit, first, count, i) { # the one that begins there: to list (1 or 0), body, past
    if (at >= limit) odd()
    first = byte(at)
    list = first > 191
    body = at + 2
    if (first < 128) { body = at; past = at + 2; return }
    first -= list ? 192 : 128
    if (first > 55) {
        count = first - 55
        if (count > 3 || body + 2 * count > limit || substr(all, body, 2) == "00") odd()
        first = 0
        for (i = 0; i < count; i++) first = first * 256 + byte(body + 2 * i)
        if (first < 56) odd()
        body += 2 * count
    }
    past = body + 2 * first
    if (past > limit || !list && first == 1 && byte(body) < 128) odd()
}
function whole(at, limit, depth, after) { # every value to its last byte
    while (at < limit) {
        if (++values > most) odd()
        item(at, limit)
        after = past
        if (list) {
            if (!depth) odd()
            whole(body, past, depth - 1)
        }
        at = after
    }
}
function items(at, limit) { # of what stands in a list: count, and of each whether it is one, where it is, and its bytes
    count = 0
    while (at < limit) {
        item(at, limit)
        is_list[++count] = list
        from[count] = body
        to[count] = past
        text[count] = substr(all, body, past - body)
        at = past
    }
}
function follow(child) {
    if (child == "") end_so("none")
    if (length(child) != 64) odd()
    end_so("node " child " " (way == "" ? "-" : way))
}
function node(part, i) {
    for (i = 1; i <= count; i++) if (is_list[i]) odd() # one that stands inside another
    if (count == 17) {
        if (way == "") end_so(text[17] == "" ? "none" : "value " text[17])
        i = index("0123456789abcdef", substr(way, 1, 1))
        way = substr(way, 2)
        follow(text[i])
    }
    if (count != 2 || text[1] !~ /^([02]0|[13])/ || text[2] == "") odd()
    part = substr(text[1], text[1] ~ /^[13]/ ? 2 : 3)
    if (text[1] ~ /^[23]/) end_so(part == way ? "value " text[2] : "none")
    if (part == "") odd()
    if (substr(way, 1, length(part)) != part) end_so("none")
    way = substr(way, length(part) + 1)
    follow(text[2])
}
function receipt(shown, i) { # of a transaction that succeeded
    if (count != 4 || is_list[1] || is_list[2] || is_list[3] || !is_list[4] || text[1] != "01") end_so("refused")
    items(from[4], to[4])
    if (nth >= count || !is_list[nth + 1]) end_so("refused")
    items(from[nth + 1], to[nth + 1])
    if (count != 3 || is_list[1] || !is_list[2] || is_list[3] || text[1] == "" || text[3] == "") end_so("refused")
    shown = text[1] " " text[3]
    items(from[2], to[2])
    for (i = 1; i <= count; i++) {
        if (is_list[i]) end_so("refused")
        shown = shown (i == 1 ? " " : ",") text[i]
    }
    end_so("log " shown)
}
function number_in(shown, value, i) {
    if (shown ~ /^00/) odd()
    for (i = 1; i < length(shown); i += 2) value = value * 256 + (index("0123456789abcdef", substr(shown, i, 1)) * 16 + index("0123456789abcdef", substr(shown, i + 1, 1)) - 17)
    return value + 0 # to 2^53 each is exact, and none beyond is rounded below it
}
function header(i) {
    if (length(all) > 16384 || length(all) % 2) odd()
    item(1, length(all) + 1)
    if (!list || past != length(all) + 1) odd()
    items(body, past)
    if (count < 15 || count > 24) odd()
    for (i = 1; i <= count; i++) if (is_list[i] || (i in size_of) && length(text[i]) != size_of[i]) odd()
    if (number_in(text[9]) > 9007199254740991 || number_in(text[12]) > 253402300799) odd()
    print "header 0" text[9] " 0" text[12] " " text[4] " " text[6] " " text[14]
}
BEGIN {
    size_of[1] = size_of[2] = size_of[4] = size_of[5] = size_of[6] = size_of[14] = 64
    size_of[3] = 40
    size_of[7] = 512
    size_of[15] = 16
}
what == "header" { all = $0; header(); next }
{ all = all $0 }
END {
    if (done || what == "header") exit 0
    if (what == "receipt" && all ~ /^0[1-4]/) all = substr(all, 3)
    if (what == "receipt" && all !~ /^[c-f]/) end_so("refused") # of a type that is not known, or no list
    most = what == "node" ? 256 : 65536
    if (length(all) % 2) odd()
    whole(1, length(all) + 1, 10)
    item(1, length(all) + 1)
    if (past != length(all) + 1) odd()
    if (what == "number") {
        # A number of one byte below 0x80 is its own RLP.
        part = substr(all, body, past - body)
        if (list || part ~ /^00/ || length(part) > 64) odd()
        while (length(part) < 64) part = "0" part
        end_so("number " part)
    }
    if (!list) odd()
    items(body, past)
    if (what == "node") node()
    if (what == "receipt") receipt()
    if (count != 4) end_so("refused")
    if (is_list[3] || is_list[4] || length(text[3]) != 64 || length(text[4]) != 64) odd()
    end_so("account " text[3] " " text[4])
}
END_OF_READER
}

stamps() { # data, roots, moment (empty: whenever), and more for openssl
    data=$1 roots=$2 moment_of=$3
    shift 3
    if [ -n "$moment_of" ]; then set -- "$@" -attime "$moment_of"; else set -- "$@" -no_check_time; fi
    if [ -s "$work/more.pem" ] && grep -q BEGIN <"$work/more.pem"; then set -- "$@" -untrusted "$work/more.pem"; fi
    openssl ts -verify -data "$data" -in "$token_at" -CAfile "$roots" -auth_level 2 -partial_chain "$@" >"$work/said" 2>&1 &&
        grep -q '^Verification: OK' <"$work/said"
}

reason() { # why openssl refused, in one line
    sed -n 's/.*Verify error://p; s/^[0-9A-F]*:error:[0-9A-F]*:[^:]*:[^:]*:\([^:]*\):.*/\1/p' <"$work/said" | head -n 1 | tr -d '\000-\037'
}

check_revocation() { # size, name: 5.2; to $revoked: yes where the token bounds nothing, open where it may, no where it does
    value tsa "$number" revocation || found=lenient
    strict=$found
    revoked=yes
    grep "^heads/$1/revocation/$2/" <"$work/members" >"$work/status" || :
    read_lists || { result 5.2 failed "$subject" "A revocation list is damaged." "吊销列表已损坏。" && return 0; }
    ways=one
    [ ! -s "$work/status" ] || walk
    # OpenSSL goes by one list of each issuer. Each that speaks of a certificate is therefore tried alone.
    doubt=$unread
    while read -r nth issuer said signed_so; do
        [ "$said" = revoked ] || [ "$said" = unchecked ] || [ "$signed_so" = no ] || continue
        doubt=yes
        { cat "$work/roots.pem" "$work/list.$nth" && quiet_lists "$issuer" early; } >"$work/lists.pem"
        ! stamps "$work/checkpoint.$1" "$work/lists.pem" '' -crl_check_all || continue
        [ "$ways" = one ] || continue
        if { [ "$said" = revoked ] && grep -q -e 'certificate revoked' <"$work/said"; } || grep -q -e 'CRL signature failure' <"$work/said"; then
            result 5.2 failed "$subject" "openssl: $(reason)" - && return 0
        fi
    done <"$work/lists"
    if [ -n "$doubt" ]; then
        revoked=open doubtful=revoked
        result 5.2 unchecked "$subject" "A list speaks of a certificate, or bears a signature, in a way that this script cannot tell: notary verify can." "吊销列表涉及该证书或其签名无法判断。" && return 0
    fi
    if [ "$newest" -eq 0 ] && [ "$others" -eq 0 ]; then
        if [ "$strict" = strict ]; then
            result 5.2 failed "$subject" - -
        else
            revoked=no
            result 5.2 unchecked "$subject" - -
        fi
        return 0
    fi
    # What is left open here may be a failure where it must be captured, or an answer that says so.
    if [ "$strict" = strict ] || [ "$others" -ne 0 ]; then revoked=open; else revoked=no; fi
    if [ "$answers" = doubtful ]; then
        doubtful=revoked
        result 5.2 unchecked "$subject" "An OCSP response says of a certificate that it is revoked or not known, or is not plainly signed by its CA: notary verify tells whether that counts." "有 OCSP 响应称证书已被吊销或状态不明，或其签名无法判断，是否采信请用 notary verify 核验。" && return 0
    fi
    doubted=$doubtful
    [ "$strict" = lenient ] || doubtful=revoked
    if [ "$others" -ne 0 ]; then
        result 5.2 unchecked "$subject" "This script goes by no OCSP response: notary verify does. Those here say good." "本脚本不采用 OCSP 响应；其中未见吊销。" && return 0
    fi
    { cat "$work/roots.pem" && quiet_lists '' ''; } >"$work/lists.pem"
    if [ "$ways" != one ]; then
        result 5.2 unchecked "$subject" "Several paths may lead from its certificate to a root, and the first in the order of the token counts: notary verify finds it." "由该证书到根证书可能有多条路径，以令牌中的顺序为准，本脚本不能判断。"
    elif stamps "$work/checkpoint.$1" "$work/lists.pem" "$newest" -crl_check_all; then
        revoked=no doubtful=$doubted
        result 5.2 passed "$subject" - -
    else
        result 5.2 unchecked "$subject" "openssl: $(reason)." -
    fi
}

walk() { # to $ways whether one path leads from the signer's certificate to a root, so that OpenSSL's is the one of docs/formats.md §9, or none, or perhaps many
    moment "$stamped"
    now=$(printf '%s' "$moment" | tr -cd 0-9)
    moment $((stamped + fraction))
    soon=$(printf '%s' "$moment" | tr -cd 0-9)
    sed 's/^signer/certificate/' <"$work/held" | cat - "$work/given" | grep . | sort -u >"$work/candidates"
    grep -e "^$number${TAB}roots$TAB" <"$work/pinned" | cut -f3- | sort -u >"$work/anchors"
    line=certificate$TAB$(grep '^signer' <"$work/held" | cut -f2-)
    ways=many steps=0
    while [ "$steps" -le 6 ]; do
        steps=$((steps + 1))
        issuers "$work/anchors" || return 0
        [ "$issuers" -eq 0 ] || { ways=one && return 0; }
        issuers "$work/candidates" || return 0
        [ "$issuers" -ne 0 ] || { ways=none && return 0; }
        [ "$issuers" -eq 1 ] || return 0
        line=$issuer_line
    done
}

issuers() { # how many certificates in the file $1 that are valid then made $line, to $issuers, and one of them; 1 where that cannot be told
    issuers=0
    while IFS= read -r other; do
        [ "$other" != "$line" ] || continue
        [ -n "$(printf '%s\n' "$other" | awk -F "$TAB" -v now="$now" -v soon="$soon" '"x" $9 <= "x" soon && "x" $10 >= "x" now { print "valid" }')" ] || continue
        code=0
        made_by "$line" "$other" || code=$?
        case $code in
            0) issuers=$((issuers + 1)) issuer_line=$other ;;
            2) return 1 ;;
        esac
    done <"$1"
}

read_lists() { # the files of $work/status: to $work/lists (number, issuer, what it says, whether it is signed so), $others, $newest, $unread; 1 where one is no SEQUENCE
    : >"$work/lists"
    count_of=0 others=0 newest=0 unread='' answers=good
    moment "$stamped"
    grep -v -e '^[+=]$' <"$work/certificates" >"$work/signers.pem"
    while IFS= read -r file; do
        at "$file"
        case $file in *.ocsp)
            others=$((others + 1))
            says_good || answers=doubtful
            continue
            ;;
        esac
        count_of=$((count_of + 1))
        { xxd -p <"$place" | tr -d '\n' && printf '\n'; } |
            awk -v serials="$(cat "$work/serials.of")" -v stamped="$(printf '%s' "$moment" | tr -cd 0-9)" -f "$work/der.awk" -f "$work/list.awk" >"$work/list" || stop "cannot read $file"
        said=$(cut -f1 <"$work/list") signed_so=yes
        [ "$said" != damaged ] || return 1
        # Of another CA's list nothing is read behind its issuer, and whose list this is cannot be told.
        openssl crl -inform DER -in "$place" -out "$work/list.$count_of" >/dev/null 2>&1 || { unread=yes && continue; }
        openssl crl -in "$work/list.$count_of" -noout -verify -CAfile "$work/signers.pem" >"$work/said" 2>&1 || :
        # A signature that cannot even be read is neither OK nor a failure in the words of openssl.
        grep -q -e 'verify OK' -e 'Error getting CRL issuer certificate' <"$work/said" || signed_so=no
        case $said in quiet | later)
            seconds "$(cut -f2 <"$work/list" | sed 's/^\(....\)\(..\)\(..\)\(..\)\(..\)\(..\)$/\1-\2-\3T\4:\5:\6Z/')" || said=unchecked
            ;;
        esac
        # A list from before the token shows nothing, and may revoke all the same.
        case $said in quiet | later)
            if [ "$epoch" -lt $((stamped + fraction)) ]; then # genTime may lie within its second
                [ "$said" != quiet ] || said=early
            elif [ "$epoch" -gt "$newest" ]; then
                newest=$epoch
            fi
            ;;
        esac
        printf '%s %s %s %s\n' "$count_of" "$(openssl crl -in "$work/list.$count_of" -noout -issuer | sha256sum | cut -c1-64)" "$said" "$signed_so" >>"$work/lists"
    done <"$work/status"
}

says_good() { # whether the OCSP response in $place is signed by its CA or for it, and says good of each certificate in it
    # No check passes on that: it tells alone whether there is a reason to doubt what other sources show.
    [ "$(wc -c <"$place")" -le 16384 ] &&
        openssl ocsp -respin "$place" -resp_text -CAfile "$work/roots.pem" -verify_other "$work/signers.pem" -partial_chain -no_check_time >"$work/said" 2>&1 &&
        grep -q -e '^Response verify OK' <"$work/said" && grep -q -e 'Cert Status: good' <"$work/said" &&
        ! grep -e 'Cert Status:' <"$work/said" | grep -v -q -e 'Cert Status: good$'
}

quiet_lists() { # those that revoke nothing and are not from before the token, or are of the further word $2; but for those of issuer $1
    while read -r other its_issuer its_word _; do
        case $its_word in quiet | "$2") [ "$its_issuer" = "$1" ] || cat "$work/list.$other" ;; esac
    done <"$work/lists"
}

token_keys() { # digests of the public keys of a token's certificates and of its roots, with commas
    {
        openssl ts -reply -in "$token_at" -token_out 2>/dev/null | openssl pkcs7 -inform DER -print_certs 2>/dev/null
        cat "$work/more.pem"
        printf '+\n'
        cat "$work/roots.pem"
    } | awk '/^[+]$/ { print } /-----BEGIN CERTIFICATE-----/ { keep = 1 } keep { print } /-----END CERTIFICATE-----/ { keep = 0; print "=" }' >"$work/certificates"
    : >"$work/one.pem"
    : >"$work/key.list"
    : >"$work/key.odd"
    : >"$work/serials.of"
    pinned=no
    while IFS= read -r line; do
        if [ "$line" = = ]; then
            openssl x509 -in "$work/one.pem" -noout -pubkey >"$work/one.key" 2>/dev/null || printf 'no key\n' >>"$work/key.odd"
            sha256sum <"$work/one.key" | cut -c1-64 >>"$work/key.list"
            known_key || printf 'key\n' >>"$work/key.odd"
            if [ "$pinned" = no ]; then
                known_signature || printf 'signature\n' >>"$work/key.odd"
                openssl x509 -in "$work/one.pem" -noout -serial 2>/dev/null | sed 's/^serial=\(00\)*//; s/^$/0/' | tr 'A-F\n' 'a-f,' >>"$work/serials.of"
            fi
            : >"$work/one.pem"
        elif [ "$line" = + ]; then
            pinned=yes
        else
            printf '%s\n' "$line" >>"$work/one.pem"
        fi
    done <"$work/certificates"
    sort -u <"$work/key.list" | tr '\n' ','
}

known_key() { # whether the public key is of a kind that docs/formats.md §9 allows; nothing printed here is of its maker
    openssl pkey -pubin -in "$work/one.key" -noout -text >"$work/one.txt" 2>/dev/null || return 1
    size_of_key=$(sed -n '1s/^.*Public-Key: (\([0-9]*\) bit)$/\1/p' <"$work/one.txt")
    case $(sed -n '1s/^\([A-Z0-9]*\) Public-Key:.*/\1/p' <"$work/one.txt") in ED25519) return 0 ;; esac
    if grep -Eq '^Exponent: (3|17|65537) ' <"$work/one.txt"; then
        matches "$size_of_key" '[0-9]{4}' && [ "$size_of_key" -ge 2048 ] && [ "$size_of_key" -le 8192 ]
    else
        grep -Eq '^ASN1 OID: (prime256v1|secp384r1|secp521r1|secp256k1|brainpoolP(256|384|512)r1)$' <"$work/one.txt"
    fi
}

known_signature() {
    openssl x509 -in "$work/one.pem" -noout -text -certopt no_header,no_version,no_serial,no_issuer,no_subject,no_validity,no_pubkey,no_extensions,no_sigdump 2>/dev/null |
        sed 's/^ *//' | grep -v '^$' | sort -u >"$work/one.txt"
    [ "$(grep -c '' <"$work/one.txt")" -eq 1 ] &&
        grep -Eiq '^Signature Algorithm: (sha(256|384|512)WithRSAEncryption|ecdsa-with-SHA(256|384|512)|ED25519)$' <"$work/one.txt"
}

# --- 6 and 7: the chain ------------------------------------------------------------------------------------------

check_anchor() {
    wants_times 6 || wants 7 || return 0
    has "heads/$1/anchor.json" || return 0
    subject="head $1"
    [ "$chains" -gt 0 ] || { result 6.1 unchecked "$subject" "The trust file names no chain." "信任文件未列任何链。" && return 0; }
    at "heads/$1/anchor.json"
    anchor_at=$place
    if ! read_anchor; then result 6.1 failed "$subject" "anchor.json is not of its form." "anchor.json 格式不正确。" && return 0; fi
    if ! awk -F "$TAB" -v id="$chain_id" '$1 == "chain" && $3 == "chain_id" && $4 == id { found = 1 } END { exit !found }' <"$work/trust"; then
        result 6.1 unchecked "$subject" "The trust file names no chain $chain_id." "信任文件未列链 $chain_id。" && return 0
    fi
    n=0 chain=
    while [ "$n" -lt "$chains" ]; do
        n=$((n + 1))
        if value chain "$n" chain_id && [ "$found" = "$chain_id" ] && value chain "$n" contract && [ "$found" = "0x$contract" ] &&
            value chain "$n" log_id && [ "$found" = "0x$log_id" ] && value chain "$n" profile && [ "$found" = "$profile" ]; then
            chain=$n
        fi
    done
    if [ -z "$chain" ]; then result 6.1 failed "$subject" - - && return 0; fi
    if has "heads/$1/header.rlp"; then
        at "heads/$1/header.rlp"
        hex_of "$place"
        [ "$hex" = "$header" ] || { result 6.1 failed "$subject" "header.rlp is not the header of anchor.json." "header.rlp 与 anchor.json 不同。" && return 0; }
    fi
    read_header "$header" || { result 6.1 failed "$subject" "The header of the block cannot be read." "区块头无法读取。" && return 0; }
    sealed=no
    [ "$mix" != "$SEALED" ] || sealed=yes
    whole_header=no bounding=yes
    case $profile-$sealed in
        ethereum-no | anvil-no)
            whole_header=yes
            result 6.1 passed "$subject" "Chain $chain_id, contract 0x$contract." -
            ;;
        ethereum-yes | anvil-yes | op-yes | qbft-no | ibft2-no) result 6.1 failed "$subject" "The header is not one of profile $profile." "区块头不属于 $profile。" && return 0 ;;
        *)
            bounding=open
            result 6.1 unchecked "$subject" "Names agree; this script does not read every part of a header of profile $profile." "名称一致；本脚本不完全读取 $profile 区块头。"
            ;;
    esac
    moment "$block_time"
    list_nodes
    check_block
    check_event "$1"
    if [ "$whole_header" = yes ]; then
        check_code
        check_slots "$1"
    else
        leave_state
    fi
    case $profile in qbft | ibft2) result 6.7 unchecked "$subject" "Seals need secp256k1: notary verify and verify.html check them." "验证节点签名请用 notary verify 或 verify.html 核验。" ;; esac
    check_not_before
    case $bounding in
        yes)
            # On the word of whoever named the block, one source a chain (docs/formats.md §8).
            printf '%s chain@%s %s chain%s, %s\n' "$block_time" "$1" "$(folded "chain $chain_id")" "$chain_id" "$block_time" >>"$work/bounds.$1"
            ;;
        open) printf '%s\n' "$block_time" >>"$work/maybe.$1" ;;
        *) return 0 ;;
    esac
    printf '%s\n' "$block_time" >>"$work/early"
}

read_anchor() {
    [ "$(wc -c <"$anchor_at")" -le 4194304 ] || return 1
    tr -d '\000\n' <"$anchor_at" >"$work/anchor"
    cmp -s "$work/anchor" "$anchor_at" || return 1
    nodes='\[("[0-9a-f]*"(,"[0-9a-f]*")*)?\]'
    maybe="(null|$nodes)"
    old="[{]\"header\":\"[0-9a-f]*\",\"storage_proof\":${maybe}[}]"
    form="[{]\"account_proof\":$maybe,\"chain_id\":$NUMBER,\"contract\":\"[0-9a-f]{40}\",(\"head_slots\":\\[$maybe,$maybe\\],)?\"header\":\"[0-9a-f]+\""
    form="$form,\"history_proof\":$maybe,\"log_id\":\"$H64\",\"log_index\":$NUMBER,\"not_before\":\\[($old(,$old)*)?\\],\"profile\":\"[a-z0-9-]{1,32}\""
    form="$form,\"receipt_proof\":$nodes,\"transaction\":(null|\"$H64\"),\"transaction_index\":$NUMBER,\"version\":[12][}]"
    { cat "$work/anchor" && printf '\n'; } | grep -Eq "^$form\$" || return 1
    # Whole bytes, and no more of them, of nodes and of blocks than docs/formats.md §10 and §15 allow.
    { cat "$work/anchor" && printf '\n'; } | awk '{
        count = split($0, part, "\"")
        for (at = 2; at <= count; at += 2) {
            if (part[at - 1] ~ /[][]/) nodes = 0
            if (part[at + 1] ~ /^:/) { key = part[at]; if (key == "header") headers++; continue }
            if (++nodes > 65 || key == "header" && length(part[at]) > 16384) exit 1
            if (key != "profile" && (part[at] == "" || length(part[at]) % 2)) exit 1
        }
        if (headers > 257 || gsub(/,/, ",") >= 32768) exit 1
    }' || return 1
    for n in $(of_anchor '"chain_id":') $(of_anchor '"log_index":') $(of_anchor '"transaction_index":'); do
        small "$n" 9007199254740991 || return 1
    done
    chain_id=$(of_anchor '"chain_id":')
    contract=$(of_anchor '"contract":"')
    log_id=$(of_anchor '"log_id":"')
    profile=$(of_anchor '"profile":"')
    # The header of the anchoring block stands before the history proof; headers of earlier blocks come after it.
    header=$({ cat "$work/anchor" && printf '\n'; } | sed 's/","history_proof":.*//; s/.*"header":"//')
    receipt=$({ cat "$work/anchor" && printf '\n'; } | sed 's/"receipt_proof":\[\].*//; s/"\],"transaction":.*//; s/.*"//')
    slots=
    if grep -q '"head_slots":' <"$work/anchor"; then slots=yes; fi
    case $slots-$(sed 's/.*"version"://; s/}.*//' <"$work/anchor") in yes-2 | -1) ;; *) return 1 ;; esac
}

of_anchor() { # the value behind the first $1
    { cat "$work/anchor" && printf '\n'; } | sed "s/.*\\[[^[]*$1//; t
s/.*$1//" | sed 's/[",}].*//'
}

read_header() { # RLP of a header in hexadecimal: to $block, $block_time, $state_root, $receipts_root, $mix
    printf '%s\n' "$1" | awk -v what=header -f "$work/rlp.awk" >"$work/step" || stop "cannot read anchor.json"
    read -r word block block_time state_root receipts_root mix <"$work/step" || stop "cannot read anchor.json"
    [ "$word" = header ] || return 1
    block=$((0x$block)) block_time=$((0x$block_time))
}

has_head_key() { # whether the trust file names a [[chain.head_key]] of this chain
    awk -F "$TAB" -v n="$chain" '$1 == "chain.head_key" && $3 == "of" && $4 == n { found = 1 } END { exit !found }' <"$work/trust"
}

block_hash() { # of the trust file's block of this number of the chain, whichever contract's table names it
    awk -F "$TAB" -v id="$chain_id" -v number="$1" '
        $1 == "chain" && $3 == "chain_id" && $4 == id { ours[$2] }
        $1 == "chain.block" { value[$2, $3] = $4; if ($2 > count) count = $2 }
        END {
            for (n = 1; n <= count; n++) if ((value[n, "of"] in ours) && value[n, "number"] == number) { print value[n, "hash"]; exit }
        }' <"$work/trust"
}

list_nodes() { # the proofs of $work/anchor, to $work/nodes: a name and the nodes; no line of one that was not captured; not-before headers to $work/headers
    : >"$work/headers"
    { cat "$work/anchor" && printf '\n'; } | awk -v headers="$work/headers" '
        function show(name, rest) {
            if (substr(rest, 1, 1) != "[") return
            rest = substr(rest, 2, index(rest, "]") - 2)
            gsub(/[",]/, " ", rest)
            print name " " rest
        }
        function behind(key) { return index($0, "\"" key "\":") ? substr($0, index($0, "\"" key "\":") + length(key) + 3) : "" }
        {
            show("account", behind("account_proof"))
            show("receipt", behind("receipt_proof"))
            rest = substr(behind("head_slots"), 2)
            show("slot", rest)
            show("next", substr(rest, substr(rest, 1, 1) == "[" ? index(rest, "]") + 2 : 6)) # behind "null,"
            show("history", behind("history_proof"))
            rest = behind("not_before")
            count = split(substr(rest, 1, index(rest, "],\"profile\":")), part, "[{]\"header\":\"")
            for (at = 2; at <= count; at++) {
                print substr(part[at], 1, index(part[at], "\"") - 1) >headers
                show("before" (at - 1), substr(part[at], index(part[at], ":") + 1))
            }
        }' >"$work/nodes"
}

prove() { # root of a trie, key in hexadecimal, name of its nodes: the value there to $proved, empty where there is none
    # 1 where the proof does not hold, 2 where this script cannot tell, 3 where it was not captured (docs/formats.md §10).
    reference=$1 way=$2 proved='' above=
    line=$(grep -e "^$3 " <"$work/nodes") || return 3
    # shellcheck disable=SC2086 # a list of nodes
    set -- ${line#* }
    while :; do
        [ "$#" -gt 0 ] || return 1
        hash_node "$1" || return 2
        [ "$sum" = "$reference" ] || return 1
        # But for the root, a node of less than 32 bytes stands inside the one above.
        [ -z "$above" ] || [ "${#1}" -ge 64 ] || return 1
        above=$1
        read_rlp node "$1"
        shift
        case $word in
            node)
                reference=$part_1 way=$part_2
                [ "$way" != - ] || way=
                ;;
            value) proved=$part_1 && break ;;
            none) break ;;
            *) return 2 ;;
        esac
    done
    [ "$#" -eq 0 ] || return 1
}

read_rlp() { # what it is, its bytes, for a receipt which log: to $word and $part_1 to $part_3
    printf '%s\n' "$2" | awk -v what="$1" -v way="${way:-}" -v nth="${3:-0}" -f "$work/rlp.awk" >"$work/step" || stop "cannot read anchor.json"
    read -r word part_1 part_2 part_3 <"$work/step" || stop "cannot read anchor.json"
}

key_of() { # the RLP of a number
    if [ "$1" -eq 0 ]; then
        printf 80
    elif [ "$1" -lt 128 ]; then
        printf '%02x' "$1"
    else
        shown=$(printf '%x' "$1")
        [ $((${#shown} % 2)) -eq 0 ] || shown=0$shown
        printf '%x%s' $((128 + ${#shown} / 2)) "$shown"
    fi
}

no_bound() { # "no" or "open": the anchor bounds nothing, or it may
    [ "$bounding" = no ] || bounding=$1
}

check_block() { # 6.2; to $block_good whether the block is one of the chain
    block_good=no
    named=$(block_hash "$block")
    if [ "$whole_header" = no ]; then
        result 6.2 unchecked "$subject" "Block $block of $moment. This script does not hash headers of profile $profile: notary verify and verify.html do." "区块 $block。本脚本不计算此类区块头的哈希。"
        case $profile-$named in qbft-* | ibft2-* | *-0x*) no_bound open ;; *) no_bound no ;; esac
        return 0
    fi
    keccak "$header"
    if [ -z "$named" ]; then
        no_bound no
        result 6.2 unchecked "$subject" "Compare with a node that you trust: block $block of $moment has the hash 0x$sum." "请与您信任的节点核对区块 $block 的哈希 0x$sum。"
    elif [ "$named" = "0x$sum" ]; then
        block_good=yes
        result 6.2 passed "$subject" "Block $block of $moment, hash 0x$sum." "区块 $block。"
    else
        no_bound no
        result 6.2 failed "$subject" "Block $block has the hash 0x$sum, the trust file names $named." -
    fi
}

check_event() { # size: 6.3 and 6.4
    event='' code=0 why="The nodes do not lead from the header to a receipt."
    prove "$receipts_root" "$(key_of "$(of_anchor '"transaction_index":')")" receipt || code=$?
    if [ "$code" -eq 0 ] && [ -n "$proved" ]; then
        read_rlp receipt "$proved" "$(of_anchor '"log_index":')"
        why="The receipt is of a transaction that failed, or does not hold the event of this contract and log there."
        case $word in
            log) [ "$part_1 $part_3" != "$contract $TOPIC,$log_id" ] || event=$part_2 ;;
            odd) code=2 ;;
        esac
        matches "$event" "0{48}[0-9a-f]{16}0{48}[0-9a-f]{16}$H64" || event=
    fi
    if [ "$code" -eq 2 ]; then
        no_bound open
        result 6.3 unchecked "$subject" "A node or the receipt is not one that this script reads." "本脚本不读取其中的节点或收据。"
        result 6.4 unchecked "$subject" "It rests on 6.3." "以 6.3 为前提。" && return 0
    elif [ -z "$event" ]; then
        no_bound no
        result 6.3 failed "$subject" "$why" - && return 0
    fi
    matched=failed
    ! matches "$event" "$H64$(printf '%064x' "$1")$root_of" || matched=passed
    [ "$matched" = passed ] || no_bound no
    if [ "$whole_header" = yes ]; then
        result 6.3 passed "$subject" "The receipt is in the block, and the contract recorded an event of this log." -
        result 6.4 "$matched" "$subject" - -
    else
        result 6.3 unchecked "$subject" "The receipt is under the header; this script does not read all of the header." "收据在区块头之下；本脚本不完全读取区块头。"
        if [ "$matched" = passed ]; then result 6.4 unchecked "$subject" "It rests on 6.3." "以 6.3 为前提。"; else result 6.4 failed "$subject" - -; fi
    fi
}

check_code() { # 6.5, and the root of the contract's storage to $storage; to $account how that went: the code of `prove`, 1 where there is no account
    storage='' account=0
    keccak "$contract"
    prove "$state_root" "$sum" account || account=$?
    if [ "$account" -eq 0 ]; then
        word=refused
        [ -z "$proved" ] || read_rlp account "$proved"
        case $word in account) storage=$part_1 ;; odd) account=2 ;; *) account=1 ;; esac
    fi
    value chain "$chain" code_hash
    if [ "$account" -eq 3 ]; then
        no_bound no
        result 6.5 unchecked "$subject" "No account proof of the contract was captured." "未留存合约账户的证明。"
    elif [ "$account" -eq 2 ]; then
        no_bound open
        result 6.5 unchecked "$subject" "A node or the account is not one that this script reads." "本脚本不读取其中的节点或账户。"
    elif [ "$account" -eq 0 ] && [ "0x$part_2" = "$found" ]; then
        result 6.5 passed "$subject" "Code hash $found." -
    else
        no_bound no
        result 6.5 failed "$subject" - -
    fi
}

leave_state() { # 6.5 and 6.6 under a header that this script does not read whole
    result 6.5 unchecked "$subject" "This script does not read all of the header." "本脚本不完全读取区块头。"
    grep -q '^account ' <"$work/nodes" || no_bound no
    if [ -n "$slots" ] || value chain "$chain" head_keys || has_head_key; then
        result 6.6 unchecked "$subject" "This script does not read all of the header." "本脚本不完全读取区块头。"
    fi
}

check_slots() { # size: 6.6
    restricted=no
    if value chain "$chain" head_keys || has_head_key; then restricted=yes; fi
    [ -n "$slots" ] || [ "$restricted" = yes ] || return 0
    if [ "$account" -eq 3 ] || ! grep -q '^slot ' <"$work/nodes" || ! grep -q '^next ' <"$work/nodes"; then
        [ "$restricted" = no ] || no_bound no
        result 6.6 unchecked "$subject" "No storage proof of the head was captured." "未留存合约存储的证明。" && return 0
    fi
    code=$account
    [ "$code" -ne 0 ] || read_head || code=$?
    if [ "$code" -eq 2 ]; then
        no_bound open
        result 6.6 unchecked "$subject" "A node or a slot is not one that this script reads." "本脚本不读取其中的节点或存储槽。" && return 0
    fi
    if [ "$code" -eq 0 ] && head_key_counts "$1"; then
        ours=$(printf '%016x' "$1")
        if [ "$head_size$head_root" = "$ours$root_of" ]; then
            result 6.6 passed "$subject" "Head key 0x$head_key." - && return 0
        elif [ -n "$(printf 'x%s x%s\n' "$head_size" "$ours" | awk '$1 > $2')" ]; then
            result 6.6 unchecked "$subject" "A later head was anchored in the same block." "同一区块中锚定了更晚的日志头。" && return 0
        fi
    fi
    no_bound no
    result 6.6 failed "$subject" - -
}

read_head() { # what the contract holds of the log: to $head_size, $head_key, $head_root; as `prove`
    keccak "$log_id$(printf '%064d' 0)"
    slot=$sum
    keccak "$slot"
    stored "$sum" slot || return $?
    rest=${part_1#????????}
    head_key=${rest#????????????????}
    head_size=${rest%"$head_key"}
    # The slot after it.
    keccak "$(printf '%s\n' "$slot" | awk '{
        for (at = 64; at && substr($0, at, 1) == "f"; at--) $0 = substr($0, 1, at - 1) "0" substr($0, at + 1)
        if (at) $0 = substr($0, 1, at - 1) substr("123456789abcdef", index("0123456789abcde", substr($0, at, 1)), 1) substr($0, at + 1)
        print
    }')"
    stored "$sum" next || return $?
    head_root=$part_1
}

stored() { # key, name of its nodes: the number of 32 bytes there, to $part_1; as `prove`
    prove "$storage" "$1" "$2" || return $?
    part_1=$(printf '%064d' 0)
    [ -n "$proved" ] || return 0
    read_rlp number "$proved"
    [ "$word" = number ] || return 2
}

head_key_counts() { # size: whether the trust file, where it names head keys, names this one, and the block and the size are within its period
    [ "$restricted" = yes ] || return 0
    awk -F "$TAB" -v n="$chain" -v key="0x$head_key" '
        $1 == "chain" && $2 == n && $3 == "head_keys" && $4 == key { print "all" }
        $1 == "chain.head_key" && $3 == "of" && $4 == n { ours[$2] }
        $1 == "chain.head_key" && ($2 in ours) && $3 == "address" && $4 == key { print $2 }' <"$work/trust" >"$work/head_key"
    read -r nth <"$work/head_key" || return 1
    [ "$nth" != all ] || return 0
    read_period chain.head_key "$nth"
    { [ "$since" = - ] || [ "$block_time" -ge "$since" ]; } && { [ "$until" = - ] || [ "$block_time" -le "$until" ]; } &&
        { [ "$last" = - ] || [ "$1" -le "$last" ]; }
}

check_not_before() { # 7.1 and 7.2; to $made_here the block that the statement names, where it is one of the chain
    [ -n "$not_before" ] || return 0
    [ -z "$only" ] || wants 7 || wants 8 || return 0
    if [ "$whole_header" = no ]; then
        result 7.1 unchecked "$subject" "This script does not read all of such a header: notary verify and verify.html check 7.1, and 7.2." "本脚本不完全读取此类区块头；7.1、7.2 请用 notary verify 或 verify.html 核验。" && return 0
    fi
    code=0
    find_header || code=$?
    case $code in
        0) result 7.1 passed "$subject" "Block $before_number of chain $before_chain." "区块 $before_number。" ;;
        1) result 7.1 failed "$subject" - - && return 0 ;;
        2) result 7.1 unchecked "$subject" "There are more headers than this script hashes: notary verify and verify.html check 7.1, and 7.2." "区块头过多，本脚本未全部计算；7.1、7.2 请用 notary verify 或 verify.html 核验。" && return 0 ;;
        *) result 7.1 unchecked "$subject" - - && return 0 ;;
    esac
    named=$(block_hash "$before_number")
    shown="chain $before_chain block $before_number 0x$before_hash"
    if [ -n "$named" ]; then
        code=1
        [ "$named" != "0x$before_hash" ] || code=0
        why="The trust file names it." why_zh="信任文件列有该区块。"
    else
        code=0
        in_history || code=$?
        why="The state of block $block names it (EIP-2935)." why_zh="区块 $block 的状态记有该区块的哈希（EIP-2935）。"
    fi
    case $code in
        0)
            result 7.2 passed "$subject" "$why" "$why_zh"
            made_here=$shown
            ;;
        1) result 7.2 failed "$subject" - - ;;
        2) result 7.2 unchecked "$subject" "A node of its proof is not one that this script reads, or too long: notary verify and verify.html tell; or name the block in the trust file ([[chain.block]])." "本脚本不读取其证明中的某节点；请用 notary verify 或 verify.html 核验，或在信任文件中列出该区块（[[chain.block]]）。" ;;
        *) result 7.2 unchecked "$subject" "Neither this block nor one whose state names it is in the trust file. Compare with a node that you trust, and name it there ([[chain.block]]): $shown." "信任文件未列该区块，亦未列其状态记有该区块的区块。请与您信任的节点核对，并在信任文件中列出（[[chain.block]]）：$shown。" ;;
    esac
}

find_header() { # the places of the not-before headers that the statement means to $places; 1 where 7.1 fails, 2 where that cannot be told, 3 where there is none
    awk -v what=header -f "$work/rlp.awk" <"$work/headers" >"$work/read" || stop "cannot read anchor.json"
    ! grep -q -e '^refused' -e " $SEALED\$" <"$work/read" || return 1
    # Each once, and those with the number of the statement first: as a rule one is hashed.
    awk -v ours="$(printf '%x' "$before_number")" '
        part == "read" { sub(/^0+/, "", $2); number[FNR] = $2; next }
        !($0 in seen) { seen[$0]; if ("x" number[FNR] == "x" ours) print; else other[++others] = $0 }
        END { for (at = 1; at <= others; at++) print other[at] }' part=read "$work/read" part=headers "$work/headers" >"$work/distinct"
    while IFS= read -r raw; do
        hash_node "$raw" || return 2
        [ "$sum" = "$before_hash" ] || continue
        places=$(grep -n -x -F -e "$raw" <"$work/headers" | cut -d: -f1)
        # shellcheck disable=SC2086 # a list of numbers
        set -- $places
        sed -n "$1p" <"$work/read" >"$work/step"
        read -r _ its_number its_time _ <"$work/step" || stop "cannot read anchor.json"
        [ "$#" -le 8 ] && [ $((0x$its_number)) -eq "$before_number" ] && [ $((0x$its_time)) -eq "$before_time" ] && [ "$chain_id" = "$before_chain" ]
        return $?
    done <"$work/distinct"
    return 3
}

in_history() { # whether the state of the anchoring block names the not-before block (EIP-2935); 1 where it does not, 2 where that cannot be told, 3 where it cannot be tried
    proofs=''
    for place_in in $places; do
        ! grep -q -e "^before$place_in " <"$work/nodes" || proofs="$proofs before$place_in"
    done
    [ "$block_good" = yes ] && [ -n "$proofs" ] && grep -q '^history ' <"$work/nodes" || return 3
    [ "$before_number" -lt "$block" ] && [ "$before_number" -ge $((block - 8191)) ] || return 1
    keccak "$HISTORY"
    prove "$state_root" "$sum" history || return $?
    [ -n "$proved" ] || return 1
    read_rlp account "$proved"
    case $word in account) storage=$part_1 ;; odd) return 2 ;; *) return 1 ;; esac
    keccak "$(printf '%064x' $((before_number % 8191)))"
    slot=$sum answer=1
    for name in $proofs; do
        tried=0
        stored "$slot" "$name" || tried=$?
        [ "$tried-$part_1" != "0-$before_hash" ] || return 0
        [ "$tried" -ne 2 ] || answer=2
    done
    return "$answer"
}

# --- 8: time, and what is left -----------------------------------------------------------------------------------

sources() { # files of bounds, and of what is open but may join some: the earliest moment of each independent source, in order
    cat "$@" | sort -n | awk '
        # Bounds of one organisation or with one public key are one source.
        $1 != "x" { time[++NB] = $1; named[NB] = $3; own[NB] = $4; next }
        { join[++joins] = $3 " " $4 }
        END {
            for (a = 1; a <= joins; a++) { split(join[a], part, " "); named[NB + a] = part[1]; own[NB + a] = part[2] }
            last = NB + joins
            for (a = 1; a <= last; a++) group[a] = a
            do {
                changed = 0
                for (a = 1; a <= last; a++) for (b = 1; b < a; b++) if (group[a] != group[b] && (alike(named[a], named[b]) || share(own[a], own[b]))) {
                    low = group[a] < group[b] ? group[a] : group[b]
                    group[a] = group[b] = low
                    changed = 1
                }
            } while (changed)
            for (a = 1; a <= NB; a++) if (!(group[a] in seen)) {
                seen[group[a]] = 1
                print time[a]
            }
        }
        # Whether two names may be one: what stands before the first sign that has spellings unknown here, and what
        # stands behind the last, tells them apart.
        function alike(x, y) {
            if (!index(x, "?") && !index(y, "?")) return x == y
            return begins(before(x), before(y), index(x, "?"), index(y, "?")) && begins(behind(x), behind(y), index(x, "?"), index(y, "?"))
        }
        function before(x) { return (index(x, "?") ? substr(x, 1, index(x, "?") - 1) : x ".") }
        function behind(x, n, list, at, text) { # the last first
            n = split(x, list, ".")
            text = "."
            for (at = n; at > 1 && list[at] != "?"; at--) text = text list[at] "."
            return text
        }
        function begins(x, y, x_open, y_open) { # whether what may go on as x, where it is open, may be what may go on as y
            if (length(x) <= length(y)) return x_open && substr(y, 1, length(x)) == x || x == y
            return y_open && substr(x, 1, length(y)) == y
        }
        function share(x, y, list, count, at) {
            count = split(x, list, ",")
            for (at = 1; at <= count; at++) if (list[at] != "" && index("," y, "," list[at] ",")) return 1
            return 0
        }'
}

check_time() {
    [ -n "$trust" ] || return 0
    by=$(sources "$work/bounds" "$work/joins" | sed -n "${k}p")
    first=$(sort -n <"$work/early" | head -n 1)
    if grep -q -e '^-' <"$work/early"; then first=-; fi
    # Whoever attests the statement before the block that it names says what is false (docs/formats.md §12).
    if [ "$doubtful" = yes ]; then
        result 8.1 unchecked '' "Heads or tokens contradict each other, if what this script leaves open is good: notary verify tells." "若本脚本未能核验之处有效，则日志头或令牌互相矛盾。"
    elif [ "$doubtful" = revoked ]; then
        result 8.1 unchecked '' "A certificate behind a token may have been revoked, or what the trust file asks of its revocation data may be missing: see 5.2; notary verify tells." "时间戳的某一证书可能已被吊销，或缺少信任文件要求的吊销信息，见 5.2，请用 notary verify 核验。"
    elif [ -n "$made_after" ] && [ -s "$work/attested" ] && [ "$(sort -n <"$work/attested" | head -n 1)" -lt "$before_time" ]; then
        result 8.1 failed '' - -
    elif [ -n "$not_before" ] && [ -n "$first" ] && { [ "$first" = - ] || [ "$first" -lt "$before_time" ]; }; then
        result 8.1 unchecked '' "A time stamp or block may be earlier than the block after which the record was made: notary verify tells which is wrong." "可能有时间戳或区块早于起始区块。"
    elif [ -n "$by" ]; then
        moment "$by"
        result 8.1 passed '' "By $moment, on the word of $k independent sources." "最迟 $moment，独立来源 $k 个。"
        [ -z "$only" ] || return 0
        moment_by=$moment shown_after=''
        [ -z "$made_after" ] || { moment "$before_time" && shown_after="$moment, $made_after"; }
    else
        result 8.1 unchecked '' "Fewer than $k independent sources that this script can tell apart bound the time; Bitcoin and chains that it does not read are not counted; nor, more than once, names that its letters cannot tell apart." "本脚本可核验的独立来源少于 $k 个；比特币与本脚本不能核验的链未计入。"
    fi
}

check_rest() {
    if wants 9.1 && has inspection/statement.json; then check_inspection; fi
    if [ -z "$only" ] && has incident/statement.json; then
        result 9.2 unchecked '' "This script does not read it: notary verify and verify.html do." "本脚本不核验此项。"
    fi
    ! wants 9.3 || check_previous
}

included() { # folder: whether its statement, which `read_statement` has read, is under a checkpoint of this package
    # 1 where it is not, 2 where a head that did not pass here may include it (docs/formats.md §12, other statements).
    has "$1/inclusion.tlog-proof" || return 1
    others_passed=1
    [ "$(grep -c '' <"$work/passed")" -eq "$(printf '%s\n' "$sizes" | grep -c .)" ] || others_passed=2
    at "$1/statement.json"
    sha "$place"
    hash "00$sum"
    its_leaf=$sum
    at "$1/inclusion.tlog-proof"
    read_proof "$place" 'c2sp.org/tlog-proof@v1' 3 || return "$others_passed"
    size_in=$(sed -n 2p "$work/text")
    [ "$(sed -n 1p "$work/text")" = "$origin" ] && is_decimal "$size_in" || return "$others_passed"
    root_in=$(awk -v size="$size_in" '"x" $1 == "x" size { print $2 }' <"$work/passed")
    [ -n "$root_in" ] || return "$others_passed"
    signed log_key "$origin" && from_base64 "$(sed -n 3p "$work/text")" && [ "$hex" = "$root_in" ] || return 1
    climb "$its_leaf" "$index" "$size_in" "$path" /dev/null && [ "$climbed" = "$root_in" ]
}

opens() { # folder: 0 where what it opens is committed to by the statement in $text, 1 where not, 2 where that cannot be told; names to $work/names
    : >"$work/names"
    has "$1/openings.json" || return 0
    at "$1/openings.json"
    open_all "$place"
}

check_inspection() { # 9.1, in a shell of its own: it reads a statement in the place of the record's
    code=2
    [ -z "$trust" ] || [ ! -s "$work/passed" ] || {
        code=0
        (
            code=0
            at inspection/statement.json
            read_statement "$place" || exit 1
            field previous
            [ "$type $found" = "inspection $entry" ] || exit 1
            included inspection || exit $?
            opens inspection || code=$?
            [ "$code" -ne 1 ] && ! grep -q -v -x -e inspection <"$work/names" || exit 1
            ! grep -q -x -e inspection <"$work/own_names" || [ ! -s "$work/names" ] || exit 1
            ! grep -q -x -F -e '?' <"$work/own_names" || [ ! -s "$work/names" ] || exit 2
            exit "$code"
        ) || code=$?
    }
    case $code in
        0) result 9.1 passed '' - - ;;
        1) result 9.1 failed '' - - ;;
        *) result 9.1 unchecked '' "No head that passed here includes it, or an opened value is spelt in a way that this script does not read: notary verify tells." "没有在此通过核验的检查点包含该记录，或其写法本脚本不读取。" ;;
    esac
}

check_previous() { # 9.3
    sed -n 's,^previous/\([0-9]*\)/.*,\1,p' <"$work/members" | sort -u >"$work/previous"
    [ -s "$work/previous" ] || [ "$follows" != null ] || return 0
    code=2
    [ -z "$trust" ] || [ ! -s "$work/passed" ] || {
        code=0
        follow_back "$(grep -c '' <"$work/previous")" || code=$?
    }
    case $code in
        0) result 9.3 passed '' "$earlier statements." "共 $earlier 项。" ;;
        1) result 9.3 failed '' "${lacking:+There is no $lacking. }See previous/$n." "${lacking:+没有 $lacking。}见 previous/$n。" ;;
        3) result 9.3 unchecked '' "Cut before entry $wanted." "链止于条目 $wanted 之前。" ;;
        *) result 9.3 unchecked '' "No head that passed here includes one of them, or it is spelt in a way that this script does not read: notary verify tells." "没有在此通过核验的检查点包含其中某项，或其写法本脚本不读取。" ;;
    esac
}

follow_back() { # how many statements back: 0 to the first, 1 where one is wrong, 2 where one cannot be told, 3 where the chain is cut; to $n, $wanted
    earlier=$1 n=0 wanted=$follows open_link=0 lacking=
    while [ "$n" -lt "$earlier" ]; do
        n=$((n + 1)) code=0
        link=previous/$n
        for name in statement.json inclusion.tlog-proof; do
            has "$link/$name" || { lacking=$link/$name && return 1; }
        done
        # What one further back lacks fails, too, where this one is left open.
        [ "$open_link" -ne 9 ] || continue
        at "$link/statement.json"
        sha "$place"
        [ "$sum" = "$wanted" ] || return 1
        (
            code=0
            read_statement "$place" || code=$?
            [ "$code" -ne 2 ] || exit 9
            field log
            [ "$code" -eq 0 ] && [ "$found" = "$log_of" ] || exit 1
            opens "$link" || code=$?
            [ "$code" -ne 1 ] || exit 1
            field previous
            printf '%s\n' "$found" >"$work/before"
            included "$link" || { [ $? -eq 2 ] && exit 2 || exit 1; }
            exit "$code"
        ) || code=$?
        case $code in 0) ;; 2 | 9) open_link=$code ;; *) return 1 ;; esac
        [ "$code" -eq 9 ] || read -r wanted <"$work/before"
    done
    [ "$open_link" -eq 0 ] || return 2
    [ "$wanted" = null ] || return 3
}

wants() { # whether a check is to be made: all are, but for a control the one that must fail alone
    [ -z "$only" ] || case $only in "$1" | "$1".*) ;; *) return 1 ;; esac
}

wants_times() { # the same of tokens (5) and anchors (6), which a control may need for what they date
    wants "$1" || case $only in
        4.3 | 8.1) ;;
        3.3 | 9.1 | 9.3) cut -d' ' -f4 <"$work/keys.log_key" | grep -qvx -e - ;; # no head of a key that has ended counts undated
        *) return 1 ;;
    esac
}

check_all() {
    : >"$work/serials"
    : >"$work/tried"
    check_statement || return 0
    if [ -z "$only" ] || [ "$only" != 2.1 ]; then
        check_openings
        check_documents
        [ "$only" = 2.3 ] || [ "$only" = 2.4 ] || {
            check_heads
            check_consistency
            check_receipt
            check_time
        }
        check_rest
    fi
}

# --- controls ----------------------------------------------------------------------------------------------------

check_controls() { # one line each; to $spoilt whether one did not fail as stated
    spoilt=no
    has controls/expected.json || return 0
    printf '\nControls: each has one thing wrong and must fail. 对照样本：每份均有一处错误，必须不通过。\n'
    if ! list_controls; then
        printf '     controls/expected.json is not of its form. controls/expected.json 格式不正确。\n'
        spoilt=yes && return 0
    fi
    while IFS="$US" read -r c_id c_file c_name c_member; do
        try_control
        printf '%-4s %-24s %s\n' "$c_id" "$c_name" "$word"
    done <"$work/controls"
}

list_controls() { # id, file, name and member of each, to $work/controls; 1 where the file is not of docs/formats.md §11.6
    [ "$(wc -c <./controls/expected.json)" -le 65536 ] || return 1
    body=$(tr -d '\000\n' <./controls/expected.json)
    printf '%s' "$body" | cmp -s - ./controls/expected.json || return 1
    case $body in '{"controls":[{'*'}],"version":1}') ;; *) return 1 ;; esac
    one="[{]\"check\":\"[1-9][.][1-9][0-9]?\",\"file\":\"controls/$PLACE\",\"name\":\"[a-z0-9][a-z0-9-]{0,63}\",\"replaces\":\"[^\"\\\\]*\"[}]"
    printf '%s\n' "$body" | sed 's/^{"controls":\[//; s/\],"version":1}$//; s/},{"check/}\
{"check/g' >"$work/listed"
    [ "$(grep -c '' <"$work/listed")" -le 16 ] && [ "$(grep -Evxc "$one" <"$work/listed")" -eq 0 ] || return 1
    sed "s/^{\"check\":\"//; s/\",\"file\":\"/$US/; s/\",\"name\":\"/$US/; s/\",\"replaces\":\"/$US/; s/\"}\$//" <"$work/listed" >"$work/controls"
    [ -z "$(cut -d"$US" -f3 <"$work/controls" | sort | uniq -d)" ] || return 1
    while IFS="$US" read -r _ c_file _ c_member; do
        [ "$c_file" != controls/expected.json ] && has "$c_file" && has "$c_member" || return 1
        # What no check reads, a guide or a tool, shows nothing when it is spoilt.
        case $c_member in
            data/statement.json | data/openings.json | data/document/* | receipt.txt | consistency.json) ;;
            heads/* | inspection/* | incident/* | previous/*) ;;
            *) return 1 ;;
        esac
    done <"$work/controls"
}

try_control() { # to $word
    if ! found_so "$work/results" "$c_id" passed; then
        word='could not be tried: the check itself did not pass here 本次无法验证'
    else
        out=$work/control blocks_left=$BLOCKS_OF_CONTROL
        : >"$out"
        replaced=$c_member replacement=./$c_file only=$c_id
        check_all
        replaced='' replacement='' only='' out=$work/results
        if found_so "$work/control" "$c_id" failed; then
            word='fails as stated 如实不通过'
        else
            word='DOES NOT FAIL 未如实不通过' spoilt=yes
        fi
    fi
}

# --- all of it ---------------------------------------------------------------------------------------------------

absolute() { # a path that stays the same file from another folder, and is no option
    case $1 in /*) file=$1 ;; *) file=$PWD/$1 ;; esac
    [ -f "$file" ] && [ -r "$file" ] || stop "cannot read $1"
}

trust='' given='' folder=. replaced='' replacement='' only='' withheld=''
while [ "$#" -gt 0 ]; do
    case $1 in
        --trust) [ "$#" -ge 2 ] || stop "--trust names no file" && absolute "$2" && trust=$file && shift 2 ;;
        --document) [ "$#" -ge 2 ] || stop "--document names no file" && absolute "$2" && given=$file && shift 2 ;;
        --package) [ "$#" -ge 2 ] || stop "--package names no folder" && folder=$2 && shift 2 ;;
        *) stop "usage: sh check.sh [--package FOLDER] [--trust trust.toml] [--document FILE]" ;;
    esac
done
for tool in sha256sum xxd openssl awk sed grep cut tr sort cmp find; do
    command -v "$tool" >/dev/null || stop "$tool is not on this system"
done
work=${TMPDIR:-/tmp}/notary-check.$$
mkdir "$work" || stop "cannot make $work"
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM
case $folder in /*) ;; *) folder=$PWD/$folder ;; esac
cd "$folder" || stop "cannot enter $folder"
[ -f ./mimetype ] || [ -f ./manifest-sha256.txt ] || stop "this folder is no unpacked package"

out=$work/results
: >"$out"
: >"$work/hashed"
blocks_left=$BLOCKS
overall=unchecked spoilt=no needs='1.1 1.2 2.1 2.2 3.1 3.2 8.1'
write_reader
[ -z "$trust" ] || load_trust "$trust"
if check_files; then
    if [ -n "$trust" ]; then result 1.2 passed '' "Log $origin." -; else result 1.2 unchecked '' - -; fi
    ed25519_known=no
    if can_sign; then ed25519_known=yes; fi
    if grep -q '/anchor[.]json$' <"$work/members"; then can_hash || stop "this shell does not compute with 64 bits"; fi
    type=
    check_all
    case $type in document | report) needs="$needs 2.3" ;; esac
fi
if found_so "$out" '[^'"$US"']*' failed; then overall=failed; fi
show "$out"
show_withheld
if [ "$overall" != failed ]; then
    overall=passed
    for id in $needs; do
        found_so "$out" "$id" passed || overall=unchecked
    done
    check_controls
fi
printf '\n'
if [ -n "$trust" ] && [ "$test_only" = true ]; then
    printf 'For tests only: the trust file says that its anchors prove nothing. 仅供测试：其锚定不证明任何事实。\n'
fi
if [ "$spoilt" = yes ]; then
    printf 'A control did not fail as stated: do not believe this result. 对照样本未如实不通过：本次结果不可信。\n'
    exit 1
fi
case $overall in
    passed)
        printf 'Existed at the latest at 最迟于此时已存在: %s\n' "$moment_by"
        [ -z "$shown_after" ] || printf 'The record was made after 记录制作于此区块之后: %s\n' "$shown_after"
        printf 'Nothing here shows when it was first written or signed. 以上均不证明文件最初写成或签署的时间。\n'
        ! found_so "$out" '[^'"$US"']*' unchecked ||
            printf 'What could not be checked above may still fail in notary verify or verify.html. 以上未能核验的各项，notary verify 或 verify.html 仍可能判为未通过。\n'
        printf 'Outcome 核验结论: passed 通过\n'
        ;;
    failed) printf 'Outcome 核验结论: FAILED 未通过\n' && exit 1 ;;
    *) printf 'Outcome 核验结论: could not be checked 未能核验\n' && exit 2 ;;
esac
