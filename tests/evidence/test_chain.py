"""Evidence of a chain: a real header, recorded evidence, and every reason for refusing it."""

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from trie.hexary import HexaryTrie

from notary.errors import ChainError, FormatError
from notary.evidence import canonical, rlp
from notary.evidence.chain import (
    HISTORY_CONTRACT,
    AnchoredEvent,
    ChainTrust,
    NotBefore,
    check_binding,
    check_block,
    check_code,
    check_history,
    check_receipt,
    decode_evidence,
    decode_header,
    encode_evidence,
    headers_of,
)
from notary.evidence.keccak import keccak256
from tests.evidence import mini_chain

RECORDED = Path(__file__).parents[1] / "testdata" / "chain"
ROOT = keccak256(b"root")
EARLIER = mini_chain.header(100, 1_700_000_000)
# The first block of Ethereum, 30 July 2015: every client carries these fields and this hash.
GENESIS_HASH = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"
GENESIS = [
    bytes(32),
    bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"),
    bytes(20),
    bytes.fromhex("d7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544"),
    bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"),
    bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"),
    bytes(256),
    bytes.fromhex("0400000000"),
    b"",
    (5000).to_bytes(2),
    b"",
    b"",
    bytes.fromhex("11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa"),
    bytes(32),
    bytes.fromhex("0000000000000042"),
]


def made(*logs, **more):
    logs = logs or (mini_chain.event(7, ROOT, old_size=3),)
    return mini_chain.anchor(logs, **{"number": 200, "time": 1_700_001_200, "not_before": (EARLIER,), **more})


def header_of(evidence):
    return decode_header(evidence.header, "ethereum")


def trust(**changes):
    base = ChainTrust(
        mini_chain.CHAIN_ID, mini_chain.CONTRACT, mini_chain.LOG_ID, mini_chain.CODE_HASH, "ethereum", ()
    )
    return replace(base, **changes)


def recorded(name):
    evidence = decode_evidence((RECORDED / name).read_bytes())
    facts = json.loads((RECORDED / "facts.json").read_bytes())
    return evidence, decode_header(evidence.header, evidence.profile), facts


# Headers


def test_the_first_header_of_ethereum_has_its_known_hash():
    header = decode_header(rlp.encode(GENESIS), "ethereum")
    assert header.hash.hex() == GENESIS_HASH
    assert (header.number, header.time) == (0, 0)
    assert (header.state_root, header.receipts_root) == (GENESIS[3], GENESIS[5])


def test_headers_of_unknown_profiles_are_refused():
    with pytest.raises(ChainError, match="profile 'clique' cannot be hashed"):
        decode_header(rlp.encode(GENESIS), "clique")


@pytest.mark.parametrize("fields", [GENESIS[:14], [*GENESIS, *[b""] * 10]])
def test_headers_of_too_few_or_many_fields_are_refused(fields):
    with pytest.raises(ChainError, match="does not have"):
        decode_header(rlp.encode(fields), "ethereum")


@pytest.mark.parametrize(
    ("at", "value"), [(0, bytes(31)), (3, b""), (6, bytes(32)), (14, bytes(9)), (12, [])]
)
def test_fields_of_another_length_are_refused(at, value):
    with pytest.raises(ChainError, match="not of its length"):
        decode_header(rlp.encode([*GENESIS[:at], value, *GENESIS[at + 1 :]]), "ethereum")


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [(8, b"\x00\x01", "shortest form"), (8, b"\xff" * 8, "larger than"), (11, b"\xff" * 6, "larger than")],
)
def test_numbers_and_times_out_of_range_are_refused(at, value, reason):
    with pytest.raises(ChainError, match=reason):
        decode_header(rlp.encode([*GENESIS[:at], value, *GENESIS[at + 1 :]]), "ethereum")


def test_a_header_that_is_too_long_is_refused():
    with pytest.raises(ChainError, match="longer than 8192"):
        decode_header(rlp.encode([*GENESIS[:12], bytes(8192), *GENESIS[13:]]), "ethereum")


def test_a_header_of_thousands_of_values_is_refused_before_they_are_read():
    with pytest.raises(ChainError, match="more values than there can be"):
        decode_header(rlp.encode([b""] * 64), "ethereum")
    with pytest.raises(ChainError, match="does not have 63 fields"):
        decode_header(rlp.encode([b""] * 63), "ethereum")


def test_the_longest_file_costs_no_more_memory_than_it_is_long():
    value = json.loads(encode_evidence(made()))
    data = canonical.dumps(value | {"receipt_proof": ["ab" * (2**21 - 10_000)]})
    tracemalloc.start()
    try:
        assert len(decode_evidence(data).receipt_proof[0]) == 2**21 - 10_000
        assert tracemalloc.get_traced_memory()[1] < 8 * len(data)
    finally:
        tracemalloc.stop()


def test_a_back_dated_header_has_another_hash():
    raw = made().header
    earlier = rlp.decode_list(raw)
    earlier[11] = rlp.encode_int(1_700_001_200 - 86_400)
    assert decode_header(rlp.encode(earlier), "ethereum").hash != decode_header(raw, "ethereum").hash


# Recorded from a real node


def test_recorded_evidence_passes_every_check():
    evidence, header, facts = recorded("anchor.json")
    named = ChainTrust(
        facts["chain_id"], bytes.fromhex(facts["contract"]), bytes.fromhex(facts["log_id"]),
        bytes.fromhex(facts["code_hash"]), "ethereum", ((facts["block"], bytes.fromhex(facts["block_hash"])),),
    )  # fmt: skip
    check_binding(evidence, named)
    assert check_block(header, named)
    event = check_receipt(evidence, header)
    assert event == AnchoredEvent(facts["old_size"], facts["new_size"], bytes.fromhex(facts["new_root"]))
    check_code(evidence, header, named.code_hash)
    assert len(evidence.not_before) == 2
    for item in evidence.not_before:
        check_history(evidence, header, decode_header(item.header, "ethereum"))


def test_evidence_recorded_without_state_says_what_is_missing():
    evidence, header, facts = recorded("anchor-without-state.json")
    assert check_receipt(evidence, header).new_size == facts["new_size"]
    with pytest.raises(ChainError, match="no account proof of 0x"):
        check_code(evidence, header, bytes.fromhex(facts["code_hash"]))


def test_a_receipt_from_another_chain_is_refused():
    # The other chain holds the same contract at the same address with the same event: its receipt is the same
    # to the byte, so that only its name and its blocks tell it apart.
    evidence, header, facts = recorded("anchor.json")
    other, other_header, _ = recorded("other-chain.json")
    named = trust(
        chain_id=facts["chain_id"],
        contract=evidence.contract,
        log_id=evidence.log_id,
        blocks=((header.number, header.hash),),
    )
    with pytest.raises(ChainError, match="the evidence is of chain_id 31338, trusted is 31337"):
        check_binding(other, named)
    renamed = replace(other, chain_id=facts["chain_id"])
    check_binding(renamed, named)
    assert check_receipt(renamed, other_header) == check_receipt(evidence, header)
    with pytest.raises(ChainError, match="the trust file names another"):
        check_block(other_header, named)
    assert not check_block(other_header, replace(named, blocks=()))


@pytest.mark.parametrize("name", ["anchor.json", "anchor-without-state.json", "other-chain.json"])
def test_recorded_evidence_is_its_own_canonical_form(name):
    data = (RECORDED / name).read_bytes()
    assert encode_evidence(decode_evidence(data)) == data


# Binding and block


def test_evidence_of_what_is_trusted_is_bound():
    check_binding(made(), trust())


@pytest.mark.parametrize(
    ("name", "value"),
    [("chain_id", 1), ("contract", bytes(20)), ("log_id", bytes(32)), ("profile", "qbft")],
)
def test_evidence_of_anything_else_is_refused(name, value):
    with pytest.raises(ChainError, match=f"the evidence is of {name} "):
        check_binding(made(), trust(**{name: value}))


def test_a_block_is_known_unknown_or_contradicted():
    header = header_of(made())
    named = (header.number, header.hash)
    assert check_block(header, trust(blocks=(named,)))
    assert not check_block(header, trust())
    assert not check_block(header, trust(blocks=((header.number + 1, bytes(32)),)))
    for blocks in (((header.number, bytes(32)),), (named, (header.number, bytes(32)))):
        with pytest.raises(ChainError, match="the trust file names another"):
            check_block(header, trust(blocks=blocks))


def test_of_one_block_at_most_eight_not_before_headers_are_judged():
    evidence = made()
    one = evidence.not_before[:1]
    found = decode_header(EARLIER, evidence.profile).hash
    assert len(headers_of(replace(evidence, not_before=one * 8), found)) == 8
    with pytest.raises(ChainError, match=r"^9 not-before headers are of one block$"):
        headers_of(replace(evidence, not_before=one * 9), found)
    assert headers_of(replace(evidence, not_before=one * 9), bytes(32)) == []


# Receipts


def test_the_event_is_read_from_the_receipt():
    evidence = made()
    assert check_receipt(evidence, header_of(evidence)) == AnchoredEvent(3, 7, ROOT)


def test_the_event_may_stand_between_other_logs():
    noise = [bytes(20), [], b""]
    evidence = replace(made(noise, mini_chain.event(7, ROOT), noise), log_index=1)
    assert check_receipt(evidence, header_of(evidence)).new_size == 7


EVENT = mini_chain.event(7, ROOT)


@pytest.mark.parametrize(
    ("logs", "changes", "reason"),
    [
        ((EVENT,), {"log_index": 1}, "has 1 logs, and none at 1"),
        ((EVENT,), {"receipt_proof": ()}, "ends before the key"),
        ((EVENT[:2],), {}, "log of the receipt is malformed"),
        (([EVENT[0], b"", EVENT[2]],), {}, "log of the receipt is malformed"),
        ((mini_chain.event(7, ROOT, contract=bytes(20)),), {}, "of contract 0x00"),
        ((mini_chain.event(7, ROOT, topic=bytes(32)),), {}, "not the event Anchored"),
        ((mini_chain.event(7, ROOT, log_id=bytes(32)),), {}, "not the event Anchored"),
        (([*EVENT[:2], EVENT[2][:64]],), {}, "64 bytes of data"),
        (([*EVENT[:2], EVENT[2] + b"\x00"],), {}, "97 bytes of data"),
        ((mini_chain.event(2**64, ROOT),), {}, "beyond 64 bits"),
    ],
)
def test_receipts_without_this_event_are_refused(logs, changes, reason):
    evidence = replace(made(*logs), **changes)
    with pytest.raises(ChainError, match=reason):
        check_receipt(evidence, header_of(evidence))


def test_a_block_that_is_shown_to_hold_no_such_transaction_is_refused():
    evidence = made()
    header = header_of(evidence)
    # Of the nodes on the way to transaction 1 those above its leaf show as well that there is no transaction 3.
    absent = replace(evidence, transaction_index=3, receipt_proof=evidence.receipt_proof[:-1])
    with pytest.raises(ChainError, match="the block has no transaction 3"):
        check_receipt(absent, header)
    with pytest.raises(ChainError, match="1 nodes of the proof are not on the way"):
        check_receipt(replace(evidence, transaction_index=3), header)
    with pytest.raises(ChainError, match="the proof ends before the key"):
        check_receipt(replace(absent, transaction_index=1), header)


@pytest.mark.parametrize("status", [b"", b"\x02", bytes(32)])
def test_a_transaction_that_failed_is_refused(status):
    evidence = made(status=status)
    with pytest.raises(ChainError, match="the transaction failed"):
        check_receipt(evidence, header_of(evidence))


def under_receipt(raw):
    """Evidence and header of a block whose only receipt is these bytes."""
    trie = HexaryTrie({})
    trie[b"\x80"] = raw
    header = decode_header(mini_chain.header(200, 1_700_001_200, receipts=trie.root_hash), "ethereum")
    nodes = tuple(rlp.encode([bytes(part) for part in node]) for node in trie.get_proof(b"\x80"))
    return replace(made(), transaction_index=0, receipt_proof=nodes, log_index=0), header


def test_legacy_receipts_have_no_type():
    body = rlp.encode([b"\x01", b"", bytes(256), [EVENT]])
    for raw in (body, b"\x01" + body, b"\x04" + body):
        assert check_receipt(*under_receipt(raw)).new_size == 7


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\x05" + rlp.encode([b"\x01", b"", bytes(256), [EVENT]]), "type 5 are not known"),
        (b"\x7e" + rlp.encode([b"\x01", b"", bytes(256), [EVENT], b"", b""]), "type 126 are not known"),
        (rlp.encode([b"\x01", b"", bytes(256)]), "receipt is malformed"),
        (rlp.encode([b"\x01", b"", bytes(256), bytes(32)]), "receipt is malformed"),
        (rlp.encode([[], b"", bytes(256), [EVENT]]), "receipt is malformed"),
        (b"\x02", "cut short"),
        (b"\x02dogdogdogdogdogdogdogdogdogdogdogdog", "RLP: "),
    ],
)
def test_malformed_receipts_are_refused(raw, reason):
    with pytest.raises(ChainError, match=reason):
        check_receipt(*under_receipt(raw))


# Code


def test_the_code_of_the_contract_is_checked():
    evidence = made()
    check_code(evidence, header_of(evidence), mini_chain.CODE_HASH)
    with pytest.raises(ChainError, match="the contract has code hash 0x"):
        check_code(evidence, header_of(evidence), keccak256(b"other code"))


def test_code_without_a_proof_is_refused():
    evidence = replace(made(), account_proof=None)
    with pytest.raises(ChainError, match="no account proof of 0x1111"):
        check_code(evidence, header_of(evidence), mini_chain.CODE_HASH)


def under_state(address, account):
    trie = HexaryTrie({})
    trie[keccak256(address)] = account
    header = decode_header(mini_chain.header(200, 1_700_001_200, state=trie.root_hash), "ethereum")
    nodes = [rlp.encode([bytes(part) for part in node]) for node in trie.get_proof(keccak256(address))]
    return tuple(nodes), header


def test_an_account_that_is_not_there_is_refused():
    proof, header = under_state(b"another", rlp.encode([b"", b"", bytes(32), mini_chain.CODE_HASH]))
    with pytest.raises(ChainError, match="there is no account 0x1111"):
        check_code(replace(made(), account_proof=proof), header, mini_chain.CODE_HASH)


def test_a_malformed_account_is_refused():
    proof, header = under_state(mini_chain.CONTRACT, rlp.encode([b"", b"", bytes(32)]))
    with pytest.raises(ChainError, match="an account is malformed"):
        check_code(replace(made(), account_proof=proof), header, mini_chain.CODE_HASH)


# History


def test_the_state_names_the_earlier_block():
    evidence = made()
    check_history(evidence, header_of(evidence), decode_header(EARLIER, "ethereum"))


@pytest.mark.parametrize(("number", "at"), [(200, 200), (201, 200), (100, 100 + 8192)])
def test_blocks_outside_of_the_window_are_refused(number, at):
    earlier = mini_chain.header(number, 1_700_000_000)
    evidence = made(number=at, not_before=(earlier,))
    with pytest.raises(ChainError, match="not among the 8191 before"):
        check_history(evidence, header_of(evidence), decode_header(earlier, "ethereum"))


def test_the_oldest_block_of_the_window_is_accepted():
    evidence = made(number=100 + 8191)
    check_history(evidence, header_of(evidence), decode_header(EARLIER, "ethereum"))


def test_a_block_of_which_no_proof_was_captured_is_refused():
    evidence = made()
    stranger = decode_header(mini_chain.header(101, 1_700_000_012), "ethereum")
    with pytest.raises(ChainError, match="no storage proof of the hash of block 101"):
        check_history(evidence, header_of(evidence), stranger)
    bare = replace(evidence, not_before=(NotBefore(EARLIER, None),))
    with pytest.raises(ChainError, match="no storage proof of the hash of block 100"):
        check_history(bare, header_of(bare), decode_header(EARLIER, "ethereum"))


def test_history_without_an_account_proof_is_refused():
    evidence = replace(made(), history_proof=None)
    with pytest.raises(ChainError, match="no account proof of 0x0000f90827"):
        check_history(evidence, header_of(evidence), decode_header(EARLIER, "ethereum"))


def test_another_block_of_that_number_is_refused():
    # Same number, so the same slot: the state names the real one.
    evidence = made()
    forged = mini_chain.header(100, 1_700_000_000 - 86_400)
    swapped = replace(evidence, not_before=(NotBefore(forged, evidence.not_before[0].storage_proof),))
    with pytest.raises(ChainError, match="names another hash for block 100"):
        check_history(swapped, header_of(swapped), decode_header(forged, "ethereum"))


def test_a_malformed_history_account_is_refused():
    proof, header = under_state(HISTORY_CONTRACT, rlp.encode([b"", b"", [b"root"], bytes(32)]))
    with pytest.raises(ChainError, match="account of the history contract is malformed"):
        check_history(replace(made(), history_proof=proof), header, decode_header(EARLIER, "ethereum"))


# The file


def test_evidence_goes_both_ways():
    for evidence in (made(), replace(made(), account_proof=None, history_proof=None, transaction=None)):
        assert decode_evidence(encode_evidence(evidence)) == evidence


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": 3}, "no version that we know"),
        ({"version": 2}, "missing key 'head_slots'"),
        ({"head_slots": [None, None]}, "unknown key 'head_slots'"),
        ({"version": 2, "head_slots": None}, "head_slots is not a list of at most 2"),
        ({"version": 2, "head_slots": [None] * 3}, "head_slots is not a list of at most 2"),
        ({"version": 2, "head_slots": [None]}, "head_slots is not a list of two proofs"),
        ({"version": 2, "head_slots": [None, ["0"]]}, "head_slots is not whole bytes"),
        ({"version": True}, "no version that we know"),
        ({"extra": 1}, "unknown key 'extra'"),
        ({"chain_id": -1}, "chain_id is not a whole number"),
        ({"contract": "11"}, "contract is not of the form"),
        ({"log_id": "AA" * 32}, "log_id is not of the form"),
        ({"header": ""}, "header is not of the form"),
        ({"header": "0"}, "header is not whole bytes"),
        ({"header": "0g"}, "header is not of the form"),
        ({"transaction": "0x00"}, "transaction is not of the form"),
        ({"transaction_index": None}, "transaction_index is not a whole number"),
        ({"receipt_proof": None}, "receipt_proof is not a list of at most 65"),
        ({"receipt_proof": ["00"] * 66}, "receipt_proof is not a list of at most 65"),
        ({"account_proof": [1]}, "account_proof is not of the form"),
        (
            {"not_before": [{"header": "c0", "storage_proof": None}] * 257},
            "not_before is not a list of at most",
        ),
        ({"not_before": [{"header": "c0"}]}, "missing key 'storage_proof'"),
        (
            {"not_before": [{"header": "c0" * 8193, "storage_proof": None}]},
            "^a header of 8193 bytes is longer than 8192$",
        ),
        ({"not_before": [{"header": "C0", "storage_proof": None}]}, "^header is not of the form"),
        ({"not_before": [{"header": "c0", "storage_proof": 1}]}, "^storage_proof is not a list of"),
        ({"history_proof": 1}, "^history_proof is not a list of"),
    ],
)
def test_other_files_are_refused(changes, reason):
    value = json.loads(encode_evidence(made())) | changes
    with pytest.raises(FormatError, match=reason):
        decode_evidence(canonical.dumps(value))


def test_a_file_that_is_too_long_or_not_canonical_is_refused():
    data = encode_evidence(made())
    with pytest.raises(FormatError, match="more than the 4194304 allowed"):
        decode_evidence(data + b" " * 2**22)
    with pytest.raises(FormatError, match="canonical"):
        decode_evidence(data + b"\n")
