"""Names and sentences of the numbered checks, in 简体中文 and English (docs/formats.md §12).

Shown on the page, in the report and by `notary verify`. An id keeps its meaning for ever.
"""

from dataclasses import dataclass

from notary.evidence.outcome import Outcome


@dataclass(frozen=True, slots=True)
class CheckText:
    """What a check is called, and one sentence for each outcome."""

    name_zh: str
    name_en: str
    passed_zh: str
    passed_en: str
    failed_zh: str
    failed_en: str
    unchecked_zh: str
    unchecked_en: str

    def name(self, language: str) -> str:
        """The name in `language`, "zh" or "en"."""
        return self.name_zh if language == "zh" else self.name_en

    def sentence(self, outcome: Outcome, language: str) -> str:
        """The sentence for `outcome` in `language`, "zh" or "en"."""
        zh, en = {
            Outcome.PASSED: (self.passed_zh, self.passed_en),
            Outcome.FAILED: (self.failed_zh, self.failed_en),
            Outcome.UNCHECKED: (self.unchecked_zh, self.unchecked_en),
        }[outcome]
        return zh if language == "zh" else en


CHECKS: dict[str, CheckText] = {
    "1.1": CheckText(
        "证据包完整",
        "Package is complete",
        "证据格式正确，证据包的各文件与清单一致。",
        "The evidence is well formed, and the files of a package are as its manifests list them.",
        "证据包格式不正确，或文件与清单不一致。",
        "The package is malformed, or a file is not as its manifests list it.",
        "未能读取证据包。",
        "The package could not be read.",
    ),
    "1.2": CheckText(
        "已提供信任文件",
        "Trust file is given",
        "核验人提供了信任文件。",
        "The verifier gave a trust file.",
        "信任文件不能用于本日志。",
        "The trust file cannot be used for this log.",
        "未提供信任文件，依赖信任的各项均未核验。",
        "No trust file was given: nothing that needs trust was checked.",
    ),
    "2.1": CheckText(
        "存证陈述规范",
        "Statement is canonical",
        "存证陈述为规范格式且完整。",
        "The statement is canonical and complete.",
        "存证陈述格式不规范或不完整。",
        "The statement is not canonical, or not complete.",
        "没有可核验的存证陈述。",
        "There is no statement to check.",
    ),
    "2.2": CheckText(
        "陈述属于本日志",
        "Statement belongs to the log",
        "存证陈述所写的日志即受信任的日志。",
        "The statement names the trusted log.",
        "存证陈述属于另一日志。",
        "The statement names another log.",
        "没有信任文件，无法判断陈述属于哪一日志。",
        "Without a trust file it is open whether this is the right log.",
    ),
    "2.3": CheckText(
        "文件与记录一致",
        "Document equals the record",
        "对文件重新计算的全部摘要与存证陈述一致。",
        "Every digest recomputed from the document equals the statement's.",
        "这不是被存证的那份文件：摘要或大小不同，或该记录没有对应的文件。",
        "This is not the document that was recorded: a digest or the size differs, or none was recorded.",
        "没有提供文件，未比对摘要。",
        "No document was given, so no digest was compared.",
    ),
    "2.4": CheckText(
        "披露内容属于陈述",
        "Opened values belong to the statement",
        "所披露的内容与陈述中的承诺一致。",
        "The opened values are those that the statement commits to.",
        "所披露的内容与陈述中的承诺不一致。",
        "An opened value does not fit the commitments.",
        "没有披露任何承诺内容。",
        "No commitment was opened.",
    ),
    "3.1": CheckText(
        "检查点由日志签名",
        "Checkpoint is signed by the log",
        "检查点带有受信任日志密钥的有效签名。",
        "The checkpoint bears a good signature of the trusted log key.",
        "检查点格式有误、属于另一日志或大小不符，没有受信任日志密钥的有效签名，或未在该密钥的有效期内得到证明。",
        "The checkpoint is malformed or of another log or size, bears no good signature of the trusted log key, "
        "or is not attested within its period.",
        "尚无检查点，缺少信任文件，或无从判断检查点是否出自密钥的有效期内。",
        "There is no checkpoint yet, no trust file, or nothing dates it within the period of its key.",
    ),
    "3.2": CheckText(
        "记录在日志树中",
        "Entry is in the log's tree",
        "由本条目可重新计算出检查点的树根。",
        "The path leads from the entry to the root in the checkpoint.",
        "由本条目不能得到检查点的树根，缺少包含证明，或各检查点所写的位置不同。",
        "No path leads from the entry to the root in the checkpoint, or heads place the entry differently.",
        "尚未入册，或缺少信任文件，未核验包含证明。",
        "Not closed into a batch yet, or no trust file: no inclusion proof was checked.",
    ),
    "3.3": CheckText(
        "日志只增不改",
        "Log was only appended to",
        "较晚的树包含较早的树，其间没有删改。",
        "The later head extends the earlier one: nothing was removed or altered.",
        "较晚的树不是较早的树的延伸，或一致性证明有误。",
        "The later head does not extend the earlier one, or a consistency proof is malformed.",
        "没有两个通过核验的检查点之间的一致性证明。",
        "There is no consistency proof between heads that passed.",
    ),
    "4.1": CheckText(
        "回执由回执密钥签名",
        "Receipt is signed",
        "回执带有受信任回执密钥的有效签名。",
        "The receipt bears a good signature of the trusted receipt key.",
        "回执格式有误或属于另一日志，或没有受信任回执密钥的有效签名。",
        "The receipt is malformed or of another log, or bears no good signature of the trusted receipt key.",
        "没有回执，信任文件未列回执密钥，或依该密钥的有效期无法判断。",
        "There is no receipt, no receipt key in the trust file, or the period of its key leaves it open.",
    ),
    "4.2": CheckText(
        "回执涵盖本记录",
        "Receipt covers this entry",
        "回执所签的条目中包含本条目。",
        "This entry is among those that the receipt covers.",
        "回执所签的条目中没有本条目。",
        "This entry is not among those that the receipt covers.",
        "没有可核验的回执。",
        "There is no receipt to check.",
    ),
    "4.3": CheckText(
        "入册承诺已履行",
        "Closing promise was kept",
        "在回执承诺的时间之前，已有第三方证明的检查点包含本条目。",
        "A head attested before the promised time includes this entry.",
        "运营方违反了回执的入册承诺。",
        "The operator broke the promise of its receipt.",
        "没有早于承诺时间、经第三方证明的检查点。",
        "No head attested before the promised time is in the package.",
    ),
    "5.1": CheckText(
        "时间戳有效",
        "Time stamp is good",
        "时间戳令牌有效，覆盖该检查点。",
        "The time-stamp token over the checkpoint is good.",
        "时间戳令牌无效，或不是针对该检查点。",
        "The time-stamp token is bad, or is over something else.",
        "信任文件中没有该时间戳机构，未核验。",
        "The trust file does not know this authority; the token was not checked.",
    ),
    "5.2": CheckText(
        "时间戳证书未被吊销",
        "Certificates of the time stamp were not revoked",
        "时间戳机构的证书，以及它与受信任根证书之间的各级证书，在签发时间均未被吊销。",
        "Neither the authority's certificate nor one between it and the trusted root was revoked at the token's time.",
        "证书已被吊销，吊销信息是伪造或损坏的，或信任文件要求的吊销信息缺失，该时间戳不可采信。",
        "A certificate was revoked, revocation data is forged or damaged, or what the trust file asks for is missing.",
        "没有签发时间之后的吊销信息，证书是否已被吊销尚无法判断。",
        "No revocation data from after the token was made: it is open whether a certificate was revoked.",
    ),
    "5.3": CheckText(
        "比特币存在证明文件覆盖该检查点",
        "OpenTimestamps file is over the checkpoint",
        "OpenTimestamps 文件针对该检查点，并指向比特币区块。",
        "The OpenTimestamps file is over the checkpoint and leads to a Bitcoin block.",
        "OpenTimestamps 文件格式不正确，或不是针对该检查点。",
        "The OpenTimestamps file is malformed, or is over something else.",
        "等待中：日历服务器已受理，文件中尚无比特币区块。",
        "Pending: calendars have taken it, and no Bitcoin block is in the file yet.",
    ),
    "5.4": CheckText(
        "比特币区块头已核对",
        "Bitcoin block header was compared",
        "已用信任文件中的比特币区块头核验：检查点在该区块之前已存在。",
        "Proved against the Bitcoin block header in the trust file: the checkpoint existed before that block.",
        "文件所得的默克尔根与信任文件中的比特币区块头不同。",
        "The file does not lead to the Merkle root of the Bitcoin block header in the trust file.",
        "文件指向某一比特币区块，但信任文件未给出其区块头：请与您信任的区块浏览器核对。",
        "Attested in a Bitcoin block whose header was not given: compare it with an explorer that you trust.",
    ),
    "6.1": CheckText(
        "锚定指向受信任的链与合约",
        "Anchor names the trusted chain",
        "锚定所写的链、合约与日志标识均受信任。",
        "Chain, contract and log id of the anchor are the trusted ones.",
        "锚定格式有误，或其链、合约或日志标识不是受信任的那一个。",
        "The anchor is malformed, or its chain, contract or log id is not the trusted one.",
        "信任文件未列该链，或没有锚定。",
        "The trust file does not name this chain, or there is no anchor.",
    ),
    "6.2": CheckText(
        "区块受信任",
        "Block is trusted",
        "区块头的哈希即受信任的区块哈希。",
        "The block header hashes to a trusted block hash.",
        "区块头的哈希不是受信任的区块哈希。",
        "The block header does not hash to the trusted block hash.",
        "请向您信任的节点核对该区块的哈希。",
        "Compare the block hash with a node that you trust.",
    ),
    "6.3": CheckText(
        "交易收据在区块中",
        "Transaction receipt is in the block",
        "交易成功，其收据可由区块头的收据根核验。",
        "The transaction succeeded, and its receipt is under the header's root.",
        "交易收据不在该区块中，交易失败，或其中没有本日志的锚定事件。",
        "The receipt is not in the block, the transaction failed, or there is no event of this log in it.",
        "没有可核验的交易收据。",
        "There is no transaction receipt to check.",
    ),
    "6.4": CheckText(
        "合约事件等于检查点",
        "Event equals the checkpoint",
        "合约事件记载的大小和树根与检查点相同。",
        "Size and root in the contract's event equal the checkpoint's.",
        "合约事件记载的大小或树根与检查点不同。",
        "Size or root in the contract's event differ from the checkpoint's.",
        "没有可核验的合约事件。",
        "There is no event to check.",
    ),
    "6.5": CheckText(
        "合约代码受信任",
        "Contract code is trusted",
        "锚定时的合约代码即受信任的代码。",
        "The contract's code when anchored was the trusted code.",
        "账户证明不成立，或锚定时的合约代码不是受信任的代码。",
        "The account proof does not hold, or the contract's code when anchored was not the trusted code.",
        "未采集合约的账户证明。",
        "No account proof of the contract was captured.",
    ),
    "6.6": CheckText(
        "合约存储等于检查点",
        "Contract's storage equals the checkpoint",
        "区块状态中合约所存的大小和树根与检查点相同。",
        "Size and root that the contract held after the block equal the checkpoint's.",
        "存储证明不成立，合约所存的与检查点不同，或签名密钥不受信任、不在其期限之内。",
        "The proof does not hold, or the contract held something else, or a head key not trusted or not in its period.",
        "未采集合约存储的证明，或同一区块中另有较晚的锚定。",
        "No proof of the contract's storage was captured, or a later head was anchored in the same block.",
    ),
    "6.7": CheckText(
        "区块由受信任的验证节点签名",
        "Block is sealed by the trusted validators",
        "不少于三分之二的受信任验证节点对该区块签名。",
        "Two thirds or more of the trusted validators sealed the block.",
        "该区块没有三分之二受信任验证节点的有效签名。",
        "The block does not bear good seals of two thirds of the trusted validators.",
        "信任文件未列该区块的验证节点。",
        "The trust file names no validators of this block.",
    ),
    "7.1": CheckText(
        "不早于区块与陈述一致",
        "Not-before block is the one named",
        "区块头即存证陈述所写的不早于区块。",
        "The header is that of the not-before block in the statement.",
        "区块头格式有误，或与存证陈述所写的不一致。",
        "A header is malformed, or is not that of the not-before block in the statement.",
        "证据包中没有该区块的区块头。",
        "The package does not hold the header of that block.",
    ),
    "7.2": CheckText(
        "不早于区块在受信任的链上",
        "Not-before block is on the chain",
        "该区块在受信任的链上，记录制作于其后。",
        "The block is on the trusted chain: the record was made after it.",
        "该区块与受信任的链不符，或其证明不成立。",
        "The trusted chain has another block, or the proof that it is on it does not hold.",
        "请向您信任的节点核对该区块的哈希。",
        "Compare the hash of this block with a node that you trust.",
    ),
    "8.1": CheckText(
        "存在时间有独立证明",
        "Existence is bounded in time",
        "足够数量的独立第三方证明了存在时间的上限。",
        "Enough independent third parties bound the time of existence.",
        "各项时间证明互相矛盾。",
        "The bounds in time contradict each other.",
        "独立的时间证明尚不足够。",
        "There are not enough independent bounds in time yet.",
    ),
    "9.1": CheckText(
        "签名检查陈述属于本文件",
        "Inspection follows this document",
        "运营方的签名检查结果已入册，且针对本文件。",
        "The operator's inspection is in the log and follows this document.",
        "签名检查结果不是针对本文件，或不在日志中。",
        "The inspection is not of this document, or not in the log.",
        "没有签名检查结果，或没有通过核验的检查点能证明其在日志中。",
        "There is no inspection, or no head that passed shows that it is in the log.",
    ),
    "9.2": CheckText(
        "承诺违反已由运营方记入日志",
        "Broken promise is in the log",
        "运营方在日志中自行记载：本记录的入册晚于回执承诺的时间。这不影响记录本身的证明。",
        "The operator says in the log that this record was closed later than its receipt promised; its proof stands.",
        "所附的违约记载不是针对本记录的回执，或不在日志中。",
        "The incident is not of this record's receipt, or not in the log.",
        "没有违约记载，其内容未出示，或没有通过核验的检查点能证明其在日志中。",
        "There is no incident, it is not opened, or no head that passed shows that it is in the log.",
    ),
    "9.3": CheckText(
        "前序记录链完整",
        "Chain of earlier statements is complete",
        "本记录所承接的各前序记录逐一相连，直至首条，均在日志中。",
        "The statements that this one follows are linked one to another back to the first, and all are in the log.",
        "所附前序记录与本记录不相连，或不在日志中。",
        "An earlier statement is not the one that the next one follows, or is not in the log.",
        "前序记录链在此处中断：更早的记录未附于本证据包，或未能核验。",
        "The chain is cut: still earlier statements are not in this package, or could not be checked.",
    ),
}
