"""COSE receipts: ours are RFC 9942's to a library that is not ours, and nothing else is read as one."""

from dataclasses import replace

import cbor2
import pytest
from cwt import COSE, COSEKey
from hypothesis import given
from hypothesis import strategies as st

from notary.errors import FormatError, ProofError, SignatureError
from notary.evidence import cbor
from notary.evidence.checkpoint import Checkpoint
from notary.evidence.cose import MAX_RECEIPT, CoseReceipt, check_root, open_receipt, parse_receipt, sign_root
from notary.evidence.exports import package_of_cose
from notary.evidence.note import Verifier
from notary.evidence.outcome import Outcome
from notary.evidence.verify import verify
from notary.merkle.hashing import hash_leaf
from notary.merkle.proof import inclusion_path, root_from_inclusion_proof
from notary.merkle.tree import root_of
from tests.evidence import build
from tests.evidence.build import DOCUMENT, LATE

LOG = build.log()
VERIFIER = Verifier(LOG.origin, LOG.key.public_key().public_bytes_raw())
STATEMENT = LOG.statements[DOCUMENT].encode()
ENTRY = LOG.entries[DOCUMENT]
TRUST = build.trust(LOG)


def receipt(size=LATE, index=DOCUMENT, key=LOG.key, origin=LOG.origin):
    checkpoint = Checkpoint(origin, size, root_of(LOG.leaves[:size]))
    path = tuple(inclusion_path(index, size, build.node_of(LOG.leaves)))
    key_id = Verifier(origin, key.public_key().public_bytes_raw()).key_id
    return CoseReceipt(origin, size, key_id, index, path, sign_root(checkpoint, key))


GOOD = receipt().encode()


def outcomes(data, trust=TRUST, statement=STATEMENT):
    report = verify(package_of_cose(data, statement), trust)
    return {check.id: check.outcome.value for check in report.checks}, report


def test_a_library_of_others_verifies_it_over_the_root_that_the_path_leads_to():
    tag = cbor2.loads(GOOD)
    protected, unprotected, payload, _ = tag.value
    assert tag.tag == 18
    assert payload is None  # detached
    headers = cbor2.loads(protected)
    assert headers == {1: -8, 4: VERIFIER.key_id, 15: {1: LOG.origin, 2: str(LATE)}, 395: 1}
    ((proof,),) = (unprotected[396][-1],)
    size, index, path = cbor2.loads(proof)
    root = root_from_inclusion_proof(hash_leaf(ENTRY), index, size, path)
    assert root == root_of(LOG.leaves)
    key = COSEKey.new({1: 1, -1: 6, 3: -8, -2: VERIFIER.public, 2: VERIFIER.key_id})
    assert COSE.new(verify_kid=True).decode(GOOD, key, detached_payload=root) == root
    with pytest.raises(Exception, match="Failed to verify"):
        COSE.new().decode(GOOD, key, detached_payload=bytes(32))


@pytest.mark.parametrize("data", [GOOD, cbor2.loads(GOOD).value[0], cbor2.loads(GOOD).value[1][396][-1][0]])
def test_a_library_of_others_encodes_the_same_value_to_the_same_bytes(data):
    assert cbor2.dumps(cbor2.loads(data), canonical=True) == data


@given(st.integers(0, 2**64 - 1))
def test_numbers_are_those_of_the_library(value):
    assert cbor.integer(value) == cbor2.dumps(value)
    assert cbor.integer(-1 - value) == cbor2.dumps(-1 - value)
    reader = cbor.Reader(cbor2.dumps(value))
    assert reader.argument(cbor.UNSIGNED, "a number") == value
    reader.end("it")


@given(st.text(max_size=300), st.binary(max_size=300))
def test_strings_are_those_of_the_library(words, data):
    assert cbor.text_string(words) == cbor2.dumps(words)
    assert cbor.byte_string(data) == cbor2.dumps(data)
    assert cbor.Reader(cbor2.dumps(words)).text("words") == words
    assert cbor.Reader(cbor2.dumps(data)).octets("data") == data


def test_a_receipt_of_every_entry_at_every_size_is_verified_and_written_again():
    for size in range(2, LATE + 1):
        for index in range(size):
            made = receipt(size, index)
            assert parse_receipt(made.encode()) == made
            checkpoint, key = open_receipt(made, LOG.entries[index], [VERIFIER])
            assert (checkpoint.size, checkpoint.root, key) == (size, root_of(LOG.leaves[:size]), VERIFIER)


def test_what_it_shows_is_that_the_entry_is_in_the_log_and_not_when():
    found, report = outcomes(GOOD)
    assert found["3.1"] == found["3.2"] == "passed"
    assert report.outcome is Outcome.UNCHECKED
    assert report.index == DOCUMENT
    assert found["8.1"] == "could_not_be_checked"


def test_without_a_trust_file_nothing_of_it_is_believed():
    found, report = outcomes(GOOD, None)
    assert found["3.1"] == found["3.2"] == "could_not_be_checked"
    assert report.index is None


def test_another_statement_or_a_wrong_sibling_leads_to_a_root_that_nobody_signed():
    found, _ = outcomes(GOOD, statement=LOG.statements[1].encode())
    assert found["3.1"] == "failed"
    made = receipt()
    wrong = replace(made, path=(bytes(32), *made.path[1:]))
    found, report = outcomes(wrong.encode())
    assert found["3.1"] == "failed"
    assert "has not signed the root" in report.failures()[0].detail


def test_index_and_path_must_fit():
    found, _ = outcomes(replace(receipt(), index=LATE).encode())
    assert found["3.2"] == "failed"
    assert "3.1" not in found
    with pytest.raises(ProofError, match="outside"):
        open_receipt(replace(receipt(), index=LATE), ENTRY, [VERIFIER])


def test_the_size_is_signed():
    made = receipt()
    for size in (LATE - 1, LATE + 1):  # the path fits these trees, too
        with pytest.raises(SignatureError, match="has not signed"):
            open_receipt(replace(made, size=size), ENTRY, [VERIFIER])
    with pytest.raises(SignatureError, match="has not signed"):
        check_root(made.signature, Checkpoint(LOG.origin, LATE - 1, root_of(LOG.leaves)), VERIFIER)


def test_a_receipt_of_another_log_or_key_fails():
    found, report = outcomes(receipt(origin="log.example.org/other").encode())
    assert found["3.1"] == "failed"
    assert "is of log" in report.failures()[0].detail
    thief = build.ed25519("a thief")
    found, report = outcomes(receipt(key=thief).encode())
    assert "no key that is trusted for this has signed the receipt" in report.failures()[0].detail
    found, _ = outcomes(replace(receipt(key=thief), key_id=VERIFIER.key_id).encode())
    assert found["3.1"] == "failed"


def test_a_checkpoint_signature_is_none_of_a_receipt_and_the_other_way_round():
    checkpoint = Checkpoint(LOG.origin, LATE, root_of(LOG.leaves))
    of_note = LOG.key.sign(checkpoint.text().encode())
    assert of_note != sign_root(checkpoint, LOG.key)
    with pytest.raises(SignatureError, match="has not signed"):
        check_root(of_note, checkpoint, VERIFIER)


def test_a_compromised_key_is_good_up_to_its_last_good_size_and_only_where_something_dates_the_head():
    more = f"until = 2026-03-01T13:00:00Z\nlast_good_size = {LATE - 1}"
    table = build.key_table("log_key", LOG.origin, LOG.key, more)
    found, report = outcomes(GOOD, build.trust(LOG, log_key=table))
    assert found["3.1"] == "failed"
    assert "trusted up to size" in report.failures()[0].detail
    table = build.key_table("log_key", LOG.origin, LOG.key, "until = 2026-03-01T13:00:00Z")
    report = verify(package_of_cose(GOOD, STATEMENT), build.trust(LOG, log_key=table))
    assert [c.outcome.value for c in report.checks if c.id == "3.1"] == ["passed", "could_not_be_checked"]
    assert report.index is None


def test_a_tree_of_one_entry_has_no_receipt():
    with pytest.raises(FormatError, match="needs a path"):
        receipt(1, 0).encode()


def _cose(protected=None, unprotected=None, payload=None, signature=bytes(64), tag=18):
    good = cbor2.loads(GOOD).value
    protected = good[0] if protected is None else protected
    unprotected = good[1] if unprotected is None else unprotected
    return cbor2.dumps(cbor2.CBORTag(tag, [protected, unprotected, payload, signature]), canonical=True)


def _protected(**changes):
    values = {"1": -8, "4": VERIFIER.key_id, "15": {1: LOG.origin, 2: str(LATE)}, "395": 1} | changes
    return cbor2.dumps({int(k): v for k, v in values.items() if v is not None}, canonical=True)


def _proof(size=LATE, index=DOCUMENT, path=None):
    path = list(receipt().path) if path is None else path
    return {396: {-1: [cbor2.dumps([size, index, path])]}}


REFUSED = {
    "another tag": (_cose(tag=17), "beginning of the receipt"),
    "no tag": (GOOD[1:], "beginning of the receipt"),
    "cut": (GOOD[:-1], "ends before its last item"),
    "one more byte": (GOOD + b"\0", "bytes are left behind the receipt"),
    "a payload": (_cose(payload=bytes(32)), "payload, which is detached"),
    "a short signature": (_cose(signature=bytes(63)), "signature has 63 bytes"),
    "another algorithm": (_cose(_protected(**{"1": -7})), "protected header \\(alg, kid\\)"),
    "another structure": (_cose(_protected(**{"395": 2})), "protected header \\(vds\\)"),
    "no key id": (_cose(_protected(**{"4": None})), "protected header \\(alg, kid\\)"),
    "a long key id": (_cose(_protected(**{"4": bytes(5)})), "key id has 5 bytes"),
    "one header more": (_cose(_protected(**{"396": 1})), "protected header \\(alg, kid\\)"),
    "an origin of no log": (_cose(_protected(**{"15": {1: "a b", 2: "7"}})), "origin of the log"),
    "an origin that is no text": (_cose(_protected(**{"15": {1: b"a", 2: "7"}})), "is not text"),
    "a size that is no text": (_cose(_protected(**{"15": {1: LOG.origin, 2: 7}})), "^the size is not text$"),
    "an origin that is not UTF-8": (
        GOOD.replace(LOG.origin.encode(), b"\xff" * len(LOG.origin)),
        "is not UTF-8",
    ),
    "a claim of another kind": (_cose(_protected(**{"15": {1: LOG.origin, 3: "7"}})), "second claim"),
    "no claims": (_cose(_protected(**{"15": {}})), "the claims"),
    "a size with a zero before it": (
        _cose(_protected(**{"15": {1: LOG.origin, 2: "07"}})),
        "decimal number",
    ),
    "bytes behind the protected header": (_cose(_protected() + b"\0"), "behind the protected header"),
    "another size in the proof": (_cose(unprotected=_proof(size=6)), "proof is of size 6"),
    "a proof of four": (
        _cose(unprotected={396: {-1: [cbor2.dumps([7, 2, [bytes(32)], 1])]}}),
        "the inclusion proof is not",
    ),
    "two proofs": (_cose(unprotected={396: {-1: [b"", b""]}}), "unprotected header"),
    "one more unprotected": (_cose(unprotected={4: b"", **_proof()}), "unprotected header"),
    "no path": (_cose(unprotected=_proof(path=[])), "1 to 63 hashes"),
    "a long path": (_cose(unprotected=_proof(path=[bytes(32)] * 64)), "1 to 63 hashes"),
    "a short hash": (_cose(unprotected=_proof(path=[bytes(31)] * 3)), "hash of the inclusion path has 31"),
    "bytes behind the proof": (
        _cose(unprotected={396: {-1: [cbor2.dumps([7, 2, [bytes(32)]]) + b"\0"]}}),
        "behind the inclusion proof",
    ),
    "a negative index": (_cose(unprotected=_proof(index=-1)), "index is not a whole number"),
    "a size in a longer form": (
        _cose(unprotected={396: {-1: [b"\x83\x18\x07" + cbor2.dumps(2) + cbor2.dumps([bytes(32)])]}}),
        "shortest form",
    ),
    "an indefinite path": (
        _cose(unprotected={396: {-1: [b"\x83\x07\x02\x9f\xff"]}}),
        "a length that is not stated",
    ),
    "too large": (GOOD + bytes(MAX_RECEIPT), "larger than 8192"),
    "nothing": (b"", "ends before its last item"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_nothing_else_is_read_as_a_receipt(case):
    data, message = REFUSED[case]
    with pytest.raises(FormatError, match=message):
        parse_receipt(data)


def test_a_size_of_2_63_is_none():
    protected = _protected(**{"15": {1: LOG.origin, 2: str(2**63)}})
    with pytest.raises(FormatError, match="below 2\\*\\*63"):
        parse_receipt(_cose(protected, _proof(size=2**63)))


def test_an_index_of_2_63_is_none():
    assert parse_receipt(_cose(unprotected=_proof(index=2**63 - 1))).index == 2**63 - 1
    for index in (2**63, 2**64 - 1):
        with pytest.raises(FormatError, match="size and index are below 2\\*\\*63"):
            parse_receipt(_cose(unprotected=_proof(index=index)))


def test_each_bit_of_it_counts():
    for at in range(len(GOOD)):
        for bit in range(8):
            data = bytearray(GOOD)
            data[at] ^= 1 << bit
            try:
                report = verify(package_of_cose(bytes(data), STATEMENT), TRUST)
            except FormatError:
                continue
            assert report.outcome is Outcome.FAILED, (at, bit)
