"""A complete package passes, and each numbered check fails by its name when its part is damaged.

Damage is repaired from inside: manifest and checksums are always right, so that only the check itself can see it.
"""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from notary.errors import FormatError, TrustError
from notary.evidence import canonical
from notary.evidence.catalogue import CHECKS
from notary.evidence.chain import NotBefore, decode_header, encode_evidence
from notary.evidence.commitments import encode_openings
from notary.evidence.consistency import encode_consistency
from notary.evidence.exports import package_of_proof
from notary.evidence.outcome import Bound, Outcome, place_of
from notary.evidence.package import digest_stream
from notary.evidence.timestamp import MAX_RESPONSE
from notary.evidence.verify import unreadable, verify
from tests.evidence import build, mini_chain
from tests.evidence.build import (
    ANCHOR_TIME,
    CONTRACT,
    DOCUMENT,
    EARLY,
    INSPECTION,
    LATE,
    NOT_BEFORE,
    ORIGIN,
    Log,
    moment,
    trust_tables,
)
from tests.evidence.ots_build import NAME, block_table, stamped, upgraded
from tests.mini_revocation import crl
from tests.ots_world import Bitcoin, file_of

LOG = build.log()
FILES = build.files(LOG)
TRUST = build.trust(LOG)
TABLES = trust_tables(LOG)
EARLY_PROOF, LATE_PROOF = (f"heads/{size}/inclusion.tlog-proof" for size in (EARLY, LATE))
TOKEN_A, TOKEN_B = (f"heads/{EARLY}/tokens/tsa-{name}.tsr" for name in "ab")
LIST_A, ROOT_LIST_A = (f"heads/{EARLY}/revocation/tsa-a/{at}.crl" for at in (1, 2))
TSA_A = build.tsa("tsa-a")
ANCHOR, HEADER = f"heads/{LATE}/anchor.json", f"heads/{LATE}/header.rlp"
DROPPED = object()


def with_files(changes, base=FILES):
    return {n: d for n, d in (base | changes).items() if d is not DROPPED}


def check(changes=None, *, base=FILES, trust=TRUST, **more):
    return build.check(with_files(changes or {}, base), trust, **more)


def digests(data):
    return digest_stream(io.BytesIO(data))


def anchored(evidence):
    return {ANCHOR: encode_evidence(evidence), HEADER: evidence.header}


def trusting(evidence, log=LOG):
    """A trust file that names the block of this evidence."""
    return build.trust(log, chain=build.chain_table(log, blocks=[evidence.header]))


def outcomes(report, id_):
    return [check.outcome for check in report.checks if check.id == id_]


def details(report, id_):
    return " | ".join(check.detail for check in report.checks if check.id == id_)


def test_a_complete_package_passes_every_check():
    bitcoin = Bitcoin()
    stamp = upgraded(stamped(LOG.checkpoint(EARLY)), bitcoin)
    report = check({NAME: file_of(stamp)}, trust=build.trust(LOG, bitcoin=block_table(bitcoin)))
    assert report.outcome is Outcome.PASSED
    # No promise was broken, and it follows nothing; evidence of version 1 on a chain that nobody seals: the rest is in
    # test_verify_profiles.py.
    assert {found.id for found in report.checks} == set(CHECKS) - {"6.6", "6.7", "9.2", "9.3"}
    assert {found.outcome for found in report.checks} == {Outcome.PASSED}
    assert report.index == DOCUMENT
    assert report.entry == LOG.entries[DOCUMENT].hex()
    assert report.statement == json.loads(FILES["data/statement.json"])
    assert report.openings == {
        "holder": "乙方",
        "phase": "signed",
        "inspection": {"signatures": 2, "all_covered": True},
    }


@pytest.mark.parametrize(
    ("name", "place"),
    [("data/report.pdf", "data/report.pdf"), ("META-INF/signature001.p7s", "META-INF/")],
)
def test_it_says_what_of_the_package_no_check_reads(name, place):
    """Whoever packs may put a forged report in, and no check sees it."""
    report = check({name: b"forged"})
    assert report.outcome is Outcome.PASSED
    assert f"; no check reads {place}: nothing here vouches for what is in it" in details(report, "1.1")
    assert "no check reads" not in details(check(), "1.1")


def test_each_check_says_what_was_compared_with_what():
    report = check(given=digests(CONTRACT))
    root, late_root = (build.root_of(LOG.leaves[:size]).hex() for size in (EARLY, LATE))
    key = build.vkey(ORIGIN, LOG.key)
    warning = "the token is signed with Ed25519 over another digest than SHA-512 (RFC 8419)"
    equal = f"all 3 digests are equal; {len(CONTRACT)} bytes"
    tests = "for tests only: it says that its anchors prove nothing"
    block = decode_header(GOOD.header, "ethereum")
    listed = "CN=tsa-{0} by 2026-03-01T12:30:00+00:00; CN=Middle by 2026-03-01T12:30:00+00:00"
    assert [(c.id, c.claim.value, c.subject, c.detail) for c in report.checks] == [
        ("1.1", "recomputed", "", f"{len(FILES) + 1 + 4} files; each is as the manifests list it"),
        ("1.2", "recomputed", "", f"trust file for log {ORIGIN}, {tests}"),
        ("2.1", "recomputed", "", f"a document statement, entry {LOG.entries[DOCUMENT].hex()}"),
        ("2.4", "stated", "", "opened: holder, phase"),
        ("2.3", "recomputed", "given", equal),
        ("2.3", "recomputed", "packaged", equal),
        ("2.2", "recomputed", "", ORIGIN),
        ("3.1", "recomputed", "head 4", f"size 4, root {root}, key {key}"),
        ("3.2", "recomputed", "head 4", "entry 2 of 4, a path of 2 hashes"),
        ("5.1", "attested", "tsa-a@4", f"genTime 2026-03-01T12:00:00+00:00, serial 7, by CN=tsa-a; {warning}"),
        ("5.2", "attested", "tsa-a@4", f"not revoked at genTime: {listed.format('a')}"),
        ("5.1", "attested", "tsa-b@4", f"genTime 2026-03-01T12:05:00+00:00, serial 7, by CN=tsa-b; {warning}"),
        ("5.2", "attested", "tsa-b@4", f"not revoked at genTime: {listed.format('b')}"),
        ("3.1", "recomputed", "head 7", f"size 7, root {late_root}, key {key}"),
        ("3.2", "recomputed", "head 7", "entry 2 of 7, a path of 3 hashes"),
        (
            "6.1", "recomputed", "head 7",
            f"chain 31337, contract 0x{'11' * 20}, log 0x{mini_chain.LOG_ID.hex()}",
        ),
        (
            "6.2", "attested", "head 7",
            f"block 200, hash 0x{block.hash.hex()}, time 2026-03-01T12:10:00+00:00, by the word of the trust file",
        ),
        ("6.3", "recomputed", "head 7", "transaction 1 of block 200 succeeded"),
        ("6.4", "recomputed", "head 7", "size 7, after 4"),
        ("6.5", "recomputed", "head 7", f"code hash 0x{mini_chain.CODE_HASH.hex()}"),
        ("7.1", "recomputed", "head 7", "block 100 of chain 31337"),
        ("7.2", "attested", "head 7", "the state of block 200 names it (EIP-2935)"),
        ("3.3", "recomputed", "", "7 extends 4"),
        ("4.1", "stated", "", "a receipt for 1 entries, to be closed by 2026-03-01T13:00:00+00:00"),
        ("4.2", "recomputed", "", "entry 0 of the 1 in the receipt"),
        ("4.3", "attested", "", "a head with this entry is attested before the promised time"),
        ("8.1", "attested", "", "existed by 2026-03-01 12:05:01+00:00, on the word of 2 independent sources"),
        ("9.1", "stated", "", "the operator's inspection is an entry of the log and follows this document"),
    ]  # fmt: skip


def test_the_two_times_are_those_of_third_parties():
    interval = check().interval
    assert interval.made_after == moment(11)
    assert interval.made_after_block.startswith("chain 31337 block 100 0x")
    assert interval.existed_by == datetime(2026, 3, 1, 12, 5, 1, tzinfo=UTC)  # the second of three sources
    assert [(b.kind, b.source, b.size) for b in interval.bounds] == [
        ("rfc3161", "tsa-a", EARLY),
        ("rfc3161", "tsa-b", EARLY),
        ("chain", "chain 31337", LATE),
    ]
    assert interval.bounds[2].not_after == datetime.fromtimestamp(ANCHOR_TIME, UTC)


def test_bounds_stand_in_the_order_of_what_is_written_of_them():
    at = moment(12)
    named = [
        Bound("rfc3161", "b", "b", at, 10),
        Bound("rfc3161", "bitcoin", "c", at, 10),
        Bound("bitcoin", "bitcoin", "Bitcoin", at, 10),
        Bound("rfc3161", "c", "c", at - timedelta(microseconds=999_999), 10),
        Bound("rfc3161", "a", "a", at - timedelta(microseconds=500_000), 10),
        Bound("rfc3161", "a", "a", at, 9),
        Bound("rfc3161", "d", "d", at - timedelta(seconds=2), 10),
    ]
    found = [(bound.source, bound.size, bound.kind) for bound in sorted(named, key=place_of)]
    assert found == [
        ("d", 10, "rfc3161"), ("a", 9, "rfc3161"), ("a", 10, "rfc3161"), ("b", 10, "rfc3161"),
        ("bitcoin", 10, "bitcoin"), ("bitcoin", 10, "rfc3161"), ("c", 10, "rfc3161"),
    ]  # fmt: skip


def test_bounds_of_one_moment_stand_in_the_order_of_their_sources():
    """The authority of the later head before that of the earlier one."""
    token = {f"heads/{LATE}/tokens/tsa-a.tsr": LOG.token("tsa-a", LATE, serial=99, gen_time=moment(12, 5))}
    bounds = check(token | dict.fromkeys((TOKEN_A, LIST_A, ROOT_LIST_A), DROPPED)).interval.bounds
    assert [(bound.source, bound.size) for bound in bounds[:2]] == [("tsa-a", LATE), ("tsa-b", EARLY)]
    assert bounds[0].not_after == bounds[1].not_after


def test_the_result_can_be_written_as_json():
    value = check().to_json()
    assert json.loads(json.dumps(value)) == value
    assert {found["id"] for found in value["checks"] if found["required"]} == {
        "1.1", "1.2", "2.1", "2.2", "2.3", "3.1", "3.2", "8.1",
    }  # fmt: skip


@pytest.mark.parametrize("previous", [LOG.entries[1], None])
def test_an_inspection_of_another_document_fails_9_1(previous):
    log = Log()
    fields = {"inspection": {"signatures": 2}}
    log.statements[INSPECTION] = log.statement("inspection", at=INSPECTION, fields=fields, previous=previous)
    report = build.check(build.files(log), trusting(log.anchor(LATE), log))
    assert {failure.id for failure in report.failures()} == {"9.1"}
    assert "does not follow this document" in details(report, "9.1")


def test_an_inspection_cannot_say_again_what_the_document_says():
    log = Log()
    log.statements[INSPECTION] = log.statement(
        "inspection", at=INSPECTION, fields={"holder": "another"}, previous=log.entries[DOCUMENT]
    )
    report = build.check(build.files(log), trusting(log.anchor(LATE), log))
    assert {failure.id for failure in report.failures()} == {"9.1"}
    assert "opens a name that the document's statement opens too" in details(report, "9.1")
    assert report.openings["holder"] == "乙方"


def test_an_inspection_of_which_nothing_is_opened_is_still_an_entry_of_the_log():
    report = check({"inspection/openings.json": DROPPED})
    assert (report.outcome, outcomes(report, "9.1")) == (Outcome.PASSED, [Outcome.PASSED])
    assert details(report, "9.1") == details(check(), "9.1")
    assert report.openings == {"holder": "乙方", "phase": "signed"}


def test_an_anchored_statement_that_names_no_earlier_block_has_no_earliest_time():
    log = other_log(not_before=None)
    report = build.check(build.files(log), trusting(log.anchor(LATE), log))
    assert report.outcome is Outcome.PASSED
    assert outcomes(report, "6.4") == [Outcome.PASSED]
    assert not {found.id for found in report.checks} & {"7.1", "7.2"}
    assert (report.interval.made_after, report.interval.made_after_block) == (None, "")
    assert report.interval.existed_by == check().interval.existed_by


def test_a_not_before_block_that_the_trust_file_names_needs_no_state():
    trust = build.trust(LOG, chain=build.chain_table(LOG, blocks=[GOOD.header, NOT_BEFORE]))
    bare = anchor_json(history_proof=None)
    for changes in ({}, bare):
        report = check(changes, trust=trust)
        assert (outcomes(report, "7.2"), report.interval.made_after) == ([Outcome.PASSED], moment(11))
        assert details(report, "7.2") == "it is block 100 by the word of the trust file"
    assert check(bare).interval.made_after is None  # control: nobody names it
    # It is dated by who names it, not by the anchor: that one may be of a block that nobody knows.
    alone = build.trust(LOG, chain=build.chain_table(LOG, blocks=[NOT_BEFORE]))
    report = check(trust=alone)
    assert (outcomes(report, "6.2"), outcomes(report, "7.2")) == ([Outcome.UNCHECKED], [Outcome.PASSED])
    assert report.interval.made_after == moment(11)


def test_a_document_of_the_verifier_counts_beside_the_packaged_one():
    assert outcomes(check(given=digests(CONTRACT)), "2.3") == [Outcome.PASSED] * 2
    report = check(document=None, given=digests(CONTRACT))
    assert report.outcome is Outcome.PASSED
    assert outcomes(report, "2.3") == [Outcome.PASSED]


def other_log(**changes):
    """The same log, but for one field of the document's statement."""
    return Log(altered=lambda statement: replace(statement, **changes))


def body(**changes):
    return other_log(body=build.document_body(**changes))


def renumbered():
    """The same entry twice in the log."""
    log = Log()
    log.statements[INSPECTION] = log.statements[DOCUMENT]
    return log


def openings(**changes):
    first = LOG.openings[DOCUMENT][0]
    return {"data/openings.json": encode_openings((replace(first, **changes),))}


EVENT = mini_chain.event
ROOT = build.root_of(LOG.leaves[:LATE])
GOOD = LOG.anchor(LATE)
LATER = mini_chain.header(100, build.NOT_BEFORE_TIME + 1)
WHOLE = json.loads(FILES[ANCHOR])
OTHER_RECEIPT = LOG.receipt(DOCUMENT + 1)
SIGNED_LATE = LOG.receipt(size=DOCUMENT + 1, size_root=build.root_of(LOG.leaves[: DOCUMENT + 1]))


def anchor_json(**changes):
    return {ANCHOR: canonical.dumps(WHOLE | changes)}


def listed(reason):
    """The list of tsa-a's CA with the signer's certificate in it, revoked after genTime."""
    entry = (TSA_A.signer, moment(12, 20), reason)
    return crl(TSA_A.middle, TSA_A.middle_key, entry, at=moment(12, 30)).data


DAMAGE = [
    ("2.1", {"data/statement.json": DROPPED}, "no data/statement.json"),
    ("2.1", {"data/statement.json": FILES["data/statement.json"] + b"\n"}, "canonical form"),
    ("2.1", {"data/statement.json": b"{}"}, "of no type that we know"),
    ("2.4", openings(index=1), "not committed to by the statement"),
    ("2.4", openings(disclosure="WyJBIl0"), "an array of salt, name and value"),
    (
        "2.4",
        {"data/openings.json": encode_openings(LOG.openings[INSPECTION])},
        "not committed to by the statement",
    ),
    ("2.4", {"data/openings.json": b"{}"}, "missing key"),
    ("3.1", {EARLY_PROOF: FILES[EARLY_PROOF].replace(b"\n4\n", b"\n5\n")}, "does not fit the text"),
    ("3.1", {EARLY_PROOF: b"proof"}, "no note after an empty line"),
    (
        "3.1",
        {f"heads/{EARLY}/checkpoint": FILES[f"heads/{LATE}/checkpoint"]},
        "is not the checkpoint of the proof",
    ),
    (
        "3.1",
        {LATE_PROOF: LOG.proof(DOCUMENT, EARLY), f"heads/{LATE}/checkpoint": DROPPED},
        "but stands under 7",
    ),
    ("3.2", {EARLY_PROOF: DROPPED}, "has no inclusion.tlog-proof"),
    ("3.2", {EARLY_PROOF: FILES[EARLY_PROOF].replace(b"index 2", b"index 3")}, "the path leads to root"),
    ("3.2", {EARLY_PROOF: FILES[EARLY_PROOF].replace(b"index 2", b"index 4")}, "outside a tree of 4"),
    ("3.2", {EARLY_PROOF: LOG.proof(DOCUMENT + 1, EARLY)}, "the path leads to root"),
    ("4.1", {"receipt.txt": FILES["receipt.txt"].replace(b"T13:", b"T14:")}, "does not fit the text"),
    ("4.1", {"receipt.txt": FILES[EARLY_PROOF]}, "does not begin with"),
    ("4.2", {"receipt.txt": OTHER_RECEIPT}, "the path leads to root"),
    ("4.3", {"receipt.txt": SIGNED_LATE}, "lies before size 3"),
    ("5.1", {TOKEN_A: LOG.token("tsa-a", LATE)}, "timestamp check 18: the token is of other data"),
    ("5.1", {TOKEN_A: FILES[TOKEN_B]}, "timestamp check"),
    ("5.1", {TOKEN_A: b""}, "timestamp check 4"),
    ("5.1", {TOKEN_A: bytes(MAX_RESPONSE + 1)}, "larger than 65536"),
    ("5.1", {TOKEN_A: FILES[TOKEN_A] + b"\x00"}, "timestamp check 4"),
    (
        "5.1",
        {f"heads/{LATE}/tokens/tsa-a.tsr": LOG.token("tsa-a", LATE)},
        f"timestamp check 22: tsa-a@{EARLY}",
    ),
    ("5.2", {LIST_A: listed("keyCompromise")}, "timestamp check 15: the certificate of CN=tsa-a was revoked"),
    ("5.2", {LIST_A: FILES[LIST_A][:-1] + bytes([FILES[LIST_A][-1] ^ 1])}, "is not signed by it"),
    ("5.2", {LIST_A: b""}, "timestamp check 15: revocation data cannot be read"),
    ("6.1", {HEADER: NOT_BEFORE}, "header.rlp is not the header of anchor.json"),
    ("6.1", anchor_json(contract="33" * 20), "evidence is of contract"),
    ("6.1", anchor_json(log_id="33" * 32), "evidence is of log_id"),
    ("6.1", anchor_json(profile="qbft"), "evidence is of profile"),
    ("6.1", anchor_json(version=2), "missing key 'head_slots'"),
    ("6.1", anchor_json(head_slots=[None, None]), "unknown key 'head_slots'"),
    ("6.1", anchor_json(version=3), "no version that we know"),
    ("6.1", {ANCHOR: b"{}"}, "missing key"),
    ("6.1", anchor_json(header="00") | {HEADER: b"\x00"}, "RLP: not a list"),
    ("6.3", anchor_json(transaction_index=0), "trie"),
    ("6.3", anchor_json(log_index=1), "none at 1"),
    ("6.3", anchor_json(receipt_proof=[]), "trie: the proof ends before"),
    ("6.5", anchor_json(account_proof=[]), "trie: the proof ends before"),
    ("7.2", anchor_json(history_proof=[]), "trie: the proof ends before"),
    ("9.1", {"inspection/statement.json": LOG.statements[1].encode()}, "does not follow this document"),
    ("9.1", {"inspection/statement.json": b"{}"}, "of no type that we know"),
    ("9.1", {"inspection/inclusion.tlog-proof": DROPPED}, "not shown to be in the log"),
    ("9.1", {"inspection/inclusion.tlog-proof": LOG.proof(INSPECTION, 6)}, "not shown to be in the log"),
    ("9.1", {"inspection/inclusion.tlog-proof": LOG.proof(DOCUMENT, LATE)}, "the path leads to root"),
    ("9.1", {"inspection/inclusion.tlog-proof": b""}, "no note after an empty line"),
    ("9.1", {"inspection/openings.json": FILES["data/openings.json"]}, "not committed to by the statement"),
    ("9.1", {"inspection/openings.json": b"[]"}, "openings is not a JSON object"),
]


@pytest.mark.parametrize(("id_", "changes", "detail"), DAMAGE)
def test_damage_fails_its_own_check_and_no_other(id_, changes, detail):
    report = check(changes)
    assert report.outcome is Outcome.FAILED
    assert {failure.id for failure in report.failures()} == {id_}
    assert detail in details(report, id_)


def proofs(*found):
    return {"consistency.json": encode_consistency(found)}


STRAIGHT = LOG.consistency(EARLY, LATE)


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        (proofs(replace(STRAIGHT, path=(bytes(32),))), "the path leads to root"),
        (proofs(replace(STRAIGHT, path=())), "wrong length"),
        (proofs(STRAIGHT, LOG.consistency(5, LATE)), "no checkpoint of size 5 or 7"),
        ({"consistency.json": b"{}"}, "missing key"),
    ],
)
def test_a_consistency_proof_that_does_not_lead_there_fails_3_3(changes, detail):
    report = check(changes)
    assert {failure.id for failure in report.failures()} == {"3.3"}
    assert detail in details(report, "3.3")


IN_THE_LOG = [
    ("2.2", other_log(log="other.example"), "the statement is for log other.example"),
    (
        "2.3",
        body(digests={"sha-256": "00" * 32, "sm3": build.document_body().digests["sm3"]}),
        "the sha-256 of",
    ),
    ("2.3", body(claimed={"sha-384": "00" * 48}), "the sha-384 of the document"),
    ("2.3", body(size=38), "has 37 bytes, the statement says 38"),
    ("3.2", renumbered(), "different indexes"),
    (
        "7.1",
        other_log(not_before=replace(LOG.statements[DOCUMENT].not_before, number=101)),
        "number, time or chain",
    ),
    (
        "7.1",
        other_log(not_before=replace(LOG.statements[DOCUMENT].not_before, time=1)),
        "number, time or chain",
    ),
    (
        "7.1",
        other_log(not_before=replace(LOG.statements[DOCUMENT].not_before, chain_id=1)),
        "number, time or chain",
    ),
]


@pytest.mark.parametrize(("id_", "log", "detail"), IN_THE_LOG)
def test_what_the_log_itself_recorded_wrongly_fails_by_name(id_, log, detail):
    files = build.files(log)
    if id_ == "3.2":
        files |= {LATE_PROOF: log.proof(INSPECTION, LATE)}
        files = {name: data for name, data in files.items() if not name.startswith("inspection/")}
    anchor = log.anchor(LATE)
    report = build.check(files, trusting(anchor, log))
    assert {failure.id for failure in report.failures()} == {id_}
    assert detail in details(report, id_)


ON_CHAIN = [
    ("6.3", LOG.anchor(LATE, status=b""), "the transaction failed"),
    ("6.3", LOG.anchor(LATE, logs=[EVENT(LATE, ROOT, contract=bytes(20))]), "the log is of contract"),
    ("6.3", LOG.anchor(LATE, logs=[EVENT(LATE, ROOT, topic=bytes(32))]), "not the event Anchored"),
    ("6.3", LOG.anchor(LATE, logs=[EVENT(LATE, ROOT, log_id=bytes(32))]), "not the event Anchored"),
    ("6.4", LOG.anchor(LATE, logs=[EVENT(LATE + 1, ROOT)]), "the event records size 8"),
    ("6.4", LOG.anchor(LATE, logs=[EVENT(LATE, bytes(32))]), "root 0000"),
    ("6.5", LOG.anchor(LATE, code_hash=bytes(32)), "the contract has code hash 0x0000"),
    ("7.2", replace(LOG.anchor(LATE, not_before=[LATER]), not_before=(
        NotBefore(NOT_BEFORE, LOG.anchor(LATE, not_before=[LATER]).not_before[0].storage_proof),
    )), "the state names another hash for block 100"),
    ("7.2", LOG.anchor(LATE, number=100 + 8192), "not among the 8191 before"),
]  # fmt: skip


@pytest.mark.parametrize(("id_", "evidence", "detail"), ON_CHAIN)
def test_what_the_chain_says_otherwise_fails_by_name(id_, evidence, detail):
    report = check(anchored(evidence), trust=trusting(evidence))
    assert {failure.id for failure in report.failures()} == {id_}
    assert detail in details(report, id_)
    assert all(bound.kind == "rfc3161" for bound in report.interval.bounds) or id_ == "7.2"


def test_a_block_that_is_not_the_trusted_one_of_its_number_fails_6_2():
    other = LOG.anchor(LATE, time=ANCHOR_TIME + 1)
    report = check(trust=trusting(other))
    assert {failure.id for failure in report.failures()} == {"6.2"}
    assert "the trust file names another" in details(report, "6.2")


def test_a_not_before_block_that_is_not_the_trusted_one_of_its_number_fails_7_2():
    report = check(trust=build.trust(LOG, chain=build.chain_table(LOG, blocks=[GOOD.header, LATER])))
    assert {failure.id for failure in report.failures()} == {"7.2"}


def test_bounds_that_contradict_each_other_fail_8_1():
    early = {"gen_time": moment(10)}
    changes = {TOKEN_A: LOG.token("tsa-a", EARLY, **early), TOKEN_B: LOG.token("tsa-b", EARLY, **early)}
    report = check(changes)
    assert {failure.id for failure in report.failures()} == {"8.1"}
    assert "the bounds contradict" in details(report, "8.1")


def key_trust(**more):
    lines = [f"{name} = {value}" for name, value in more.items()]
    return build.trust(LOG, log_key=build.key_table("log_key", ORIGIN, LOG.key, *lines))


def test_a_compromised_key_is_good_up_to_its_last_good_size():
    until = "2026-03-01T12:10:00Z"
    assert check(trust=key_trust(until=until, last_good_size=LATE)).outcome is Outcome.PASSED
    report = check(trust=key_trust(until=until, last_good_size=LATE - 1))
    assert next((f.id, f.subject) for f in report.failures()) == ("3.1", f"head {LATE}")
    assert "it was compromised" in details(report, "3.1")


@pytest.mark.parametrize(
    ("more", "outcome", "detail"),
    [
        ({"until": "2026-03-01T12:10:00Z"}, Outcome.PASSED, ""),
        ({"until": "2026-03-01T12:09:59Z"}, Outcome.FAILED, "nothing attests this head before its key ended"),
        ({"since": "2026-03-01T12:00:01Z"}, Outcome.PASSED, ""),
        ({"since": "2026-03-01T12:00:02Z"}, Outcome.FAILED, "attested before its key began"),
    ],
)
def test_a_key_signs_within_its_period(more, outcome, detail):
    report = check(trust=key_trust(**more))
    assert report.outcome is outcome
    assert detail in details(report, "3.1")


def test_a_head_that_nobody_dates_is_not_held_against_a_key_that_has_ended():
    trust = build.trust(
        LOG,
        chain=None,
        log_key=build.key_table("log_key", ORIGIN, LOG.key, "until = 2026-03-01T12:30:00Z"),
    )
    report = check(trust=trust)
    assert report.failures() == []
    assert outcomes(report, "3.1") == [Outcome.PASSED, Outcome.PASSED, Outcome.UNCHECKED]
    assert report.outcome is Outcome.PASSED  # by the head that two authorities date
    undated = {TOKEN_A: DROPPED, TOKEN_B: DROPPED}
    assert check(undated, trust=trust).outcome is Outcome.UNCHECKED


STRICT = build.trust(LOG, tsa_a=build.tsa_table("tsa-a", TSA_A, 'revocation = "strict"'))


def test_under_the_strict_policy_what_was_not_captured_fails_and_bounds_nothing():
    assert check(trust=STRICT).outcome is Outcome.PASSED
    report = check({ROOT_LIST_A: DROPPED}, trust=STRICT)
    assert {(c.id, c.subject) for c in report.failures()} == {("5.2", f"tsa-a@{EARLY}")}
    assert "no revocation data from genTime or later covers CN=Middle" in details(report, "5.2")
    assert [bound.source for bound in report.interval.bounds] == ["tsa-b", "chain 31337"]
    lenient = check({ROOT_LIST_A: DROPPED})
    assert (lenient.outcome, outcomes(lenient, "5.2")) == (
        Outcome.PASSED,
        [Outcome.UNCHECKED, Outcome.PASSED],
    )
    assert lenient.interval == check().interval


def test_a_certificate_that_was_superseded_later_leaves_the_token_good_and_says_so():
    report = check({LIST_A: listed("superseded")}, trust=STRICT)
    assert report.outcome is Outcome.PASSED
    assert "revoked later, at 2026-03-01T12:20:00+00:00 (superseded)" in details(report, "5.2")


def test_revocation_data_for_another_token_counts_for_nothing():
    moved = {name.replace("tsa-a", "tsa-c"): FILES[name] for name in (LIST_A, ROOT_LIST_A)}
    report = check(moved | {LIST_A: DROPPED, ROOT_LIST_A: DROPPED})
    assert (report.outcome, outcomes(report, "5.2")) == (Outcome.PASSED, [Outcome.UNCHECKED, Outcome.PASSED])


WITHOUT = [
    ({}, {LIST_A: DROPPED, ROOT_LIST_A: DROPPED}, {"5.2"}, "no revocation data from genTime or later"),
    ({"document": None}, {}, {"2.3"}, "no document was given"),
    ({"trust": build.trust(LOG, chain=None)}, {}, {"6.1"}, "names no chain"),
    ({"trust": build.trust(LOG, receipt_key=None)}, {}, {"4.1"}, "names no receipt key"),
    ({"trust": build.trust(LOG, tsa_b=None)}, {}, {"5.1"}, "knows no authority of this name"),
    (
        {"trust": build.trust(LOG, chain=build.chain_table(LOG, blocks=[]))},
        {},
        {"6.2", "7.2"},
        "a node that you trust",
    ),
    ({}, anchor_json(account_proof=None), {"6.5"}, "no account proof"),
    ({}, anchor_json(not_before=[]), {"7.1"}, "does not hold the header"),
    ({}, anchor_json(history_proof=None), {"7.2"}, "among the trusted blocks"),
    (
        {},
        {"receipt.txt": LOG.receipt(close_by=moment(12))},
        {"4.3"},
        "no head with this entry is attested before",
    ),
]


@pytest.mark.parametrize(("more", "changes", "ids", "detail"), WITHOUT)
def test_what_is_missing_could_not_be_checked_and_never_fails(more, changes, ids, detail):
    report = check(changes, **more)
    assert report.failures() == []
    assert {c.id for c in report.checks if c.outcome is Outcome.UNCHECKED} == ids
    assert any(detail in details(report, id_) for id_ in ids)
    assert report.outcome is (Outcome.UNCHECKED if ids & {"2.3"} else Outcome.PASSED)


def test_fewer_sources_than_k_leave_the_time_open():
    report = check({TOKEN_B: DROPPED, ANCHOR: DROPPED, HEADER: DROPPED})
    assert report.outcome is Outcome.UNCHECKED
    assert "fewer than 2 independent sources" in details(report, "8.1")
    assert report.interval.existed_by is None
    one = build.trust(LOG, top=TABLES["top"] + "k = 1\n")
    assert check({TOKEN_B: DROPPED, ANCHOR: DROPPED, HEADER: DROPPED}, trust=one).outcome is Outcome.PASSED


def test_a_token_without_accuracy_counts_by_its_profile_or_not_at_all():
    changes = {
        TOKEN_B: LOG.token("tsa-b", EARLY, gen_time=moment(12, 5), accuracy=False),
        ANCHOR: DROPPED,
        HEADER: DROPPED,
    }
    report = check(changes)
    assert (report.outcome, outcomes(report, "5.1")) == (Outcome.UNCHECKED, [Outcome.PASSED] * 2)
    profile = build.trust(LOG, tsa_b=TABLES["tsa-b"] + "accuracy_ms = 500\n")
    assert check(changes, trust=profile).interval.existed_by == datetime(
        2026, 3, 1, 12, 5, 0, 500_000, tzinfo=UTC
    )


def test_two_authorities_of_one_organisation_are_one_source():
    trust = build.trust(LOG, tsa_b=TABLES["tsa-b"].replace("tsa-b Ltd", "tsa-a Ltd"))
    report = check({ANCHOR: DROPPED, HEADER: DROPPED}, trust=trust)
    assert (report.outcome, len(report.interval.bounds)) == (Outcome.UNCHECKED, 2)


@pytest.mark.parametrize(
    "name", ["data/openings.json", "receipt.txt", "consistency.json", "README.en.txt", HEADER]
)
def test_parts_that_are_only_for_more_may_be_missing(name):
    assert check({name: DROPPED}).outcome is Outcome.PASSED


def test_without_a_trust_file_nothing_that_needs_trust_is_decided():
    report = check(trust=None)
    assert report.outcome is Outcome.UNCHECKED
    assert report.failures() == []
    assert report.interval is None
    passed = {found.id for found in report.checks if found.outcome is Outcome.PASSED}
    assert passed == {"1.1", "2.1", "2.3", "2.4"}
    assert check(trust=None, document=("contract.pdf", b"another")).outcome is Outcome.FAILED


def test_a_package_without_a_head_waits_for_one():
    report = check({name: DROPPED for name in FILES if name.startswith(("heads/", "consistency"))})
    assert report.outcome is Outcome.UNCHECKED
    assert report.failures() == []
    assert (
        outcomes(report, "3.1") == outcomes(report, "3.2") == outcomes(report, "9.1") == [Outcome.UNCHECKED]
    )
    assert outcomes(report, "4.2") == [Outcome.PASSED]  # the receipt stands alone
    assert outcomes(report, "4.3") == []


def test_a_statement_without_a_document_needs_none():
    event = LOG.statements[1]
    report = build.check(
        {
            "data/statement.json": event.encode(),
            EARLY_PROOF: LOG.proof(1, EARLY),
            TOKEN_A: FILES[TOKEN_A],
            TOKEN_B: FILES[TOKEN_B],
        },
        TRUST,
        document=None,
    )
    assert report.outcome is Outcome.PASSED
    assert "2.3" not in report.required


def test_a_bare_proof_is_checked_through_the_statement_that_it_carries():
    data = LOG.proof(DOCUMENT, LATE, FILES["data/statement.json"])
    report = verify(package_of_proof(data), TRUST, digests(CONTRACT))
    assert report.failures() == []
    assert report.outcome is Outcome.UNCHECKED  # a proof says nothing of time
    assert outcomes(report, "3.2") == outcomes(report, "2.3") == [Outcome.PASSED]
    with pytest.raises(FormatError, match=r"^the proof carries no statement in its extra line$"):
        package_of_proof(LOG.proof(DOCUMENT, LATE))
    wrong = verify(package_of_proof(LOG.proof(DOCUMENT, LATE, LOG.statements[1].encode())), TRUST)
    assert {failure.id for failure in wrong.failures()} == {"3.2"}


def test_what_cannot_be_read_fails_1_1():
    report = unreadable(FormatError("not a readable ZIP"))
    assert report.outcome is Outcome.FAILED
    assert [(failure.id, failure.detail) for failure in report.failures()] == [("1.1", "not a readable ZIP")]


def test_a_log_that_moved_to_another_contract_is_still_known_by_the_old_one():
    moved = TABLES["chain"].replace("11" * 20, "33" * 20).replace(mini_chain.LOG_ID.hex(), "44" * 32)
    assert check(trust=build.trust(LOG, chain=moved + TABLES["chain"])).outcome is Outcome.PASSED


def test_a_certificate_that_cannot_be_used_is_a_fault_of_the_trust_file():
    authority = replace(TRUST.authorities[0], roots=(b"no certificate",))
    with pytest.raises(TrustError, match="cannot be read"):
        check(trust=replace(TRUST, authorities=(authority,)))
