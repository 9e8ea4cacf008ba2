"""JSON proofs, and what else is checked beside another file."""

import json
from dataclasses import replace
from io import BytesIO

import pytest

from notary.errors import FormatError
from notary.evidence import canonical
from notary.evidence.exports import package_of_cose, package_of_json, package_of_ots, package_of_proof
from notary.evidence.incoming import Kind, kind_of, read_evidence, stands_alone
from notary.evidence.json_proof import MAX_COMMAS, MAX_JSON_PROOF, JsonProof, parse_json_proof
from notary.evidence.ots_file import MAGIC
from notary.evidence.ots_file import MAX_FILE as MAX_OTS
from notary.evidence.outcome import Outcome
from notary.evidence.package import Package
from notary.evidence.proof_file import TLOG_PROOF, parse_proof_file
from notary.evidence.trust import parse_trust
from notary.evidence.verify import verify
from tests.evidence import build, ots_build
from tests.evidence.build import DOCUMENT, LATE
from tests.evidence.test_cose import GOOD as COSE
from tests.ots_world import Bitcoin, file_of

LOG = build.log()
TRUST = build.trust(LOG)
STATEMENT = LOG.statements[DOCUMENT].encode()
PROOF = LOG.proof(DOCUMENT, LATE, STATEMENT)


def proof(opened=2, **changes):
    file = parse_proof_file(PROOF, TLOG_PROOF)
    made = JsonProof(STATEMENT, LOG.openings[DOCUMENT][:opened], DOCUMENT, LATE, file.path, file.note)
    return replace(made, **changes)


GOOD = proof().encode()


def changed(**changes):
    value = json.loads(GOOD) | changes
    return canonical.dumps({key: item for key, item in value.items() if item is not ...})


def test_it_is_read_as_it_was_written_and_says_what_the_tlog_proof_says():
    assert parse_json_proof(GOOD) == proof()
    report = verify(package_of_json(GOOD), TRUST)
    bare = verify(package_of_proof(PROOF), TRUST)
    assert [c for c in report.checks if c.id != "2.4"] == list(bare.checks)
    assert report.outcome is bare.outcome is Outcome.UNCHECKED
    assert report.index == DOCUMENT


@pytest.mark.parametrize("opened", range(5))
def test_what_is_not_opened_is_counted_as_withheld(opened):
    report = verify(package_of_json(proof(opened).encode()), TRUST)
    assert len(report.openings) == opened
    assert report.withheld == 4 - opened == report.to_json()["withheld"]
    assert ("2.4" in {check.id for check in report.checks}) == bool(opened)


def test_an_opening_of_another_statement_fails_and_then_all_are_withheld():
    report = verify(package_of_json(proof(openings=LOG.openings[1]).encode()), TRUST)
    assert [check.id for check in report.failures()] == ["2.4"]
    assert (report.openings, report.withheld) == ({}, 4)


def test_without_a_statement_nothing_is_said_of_what_is_withheld():
    report = verify(Package({"data/statement.json": b"{}"}), TRUST)
    assert report.to_json()["withheld"] is None


REFUSED = {
    "another version": (changed(version=2), "^JSON proof: the version is not 1$"),
    "a key more": (changed(more=1), "^JSON proof: unknown key 'more'$"),
    "a key less": (changed(path=...), "missing key 'path'"),
    "spaces": (GOOD.replace(b'":', b'": ', 1), "canonical form"),
    "another entry": (changed(entry="00" * 32), "entry is not that of the statement"),
    "another statement": (changed(statement={}), "entry is not that of the statement"),
    "another size": (changed(size="6"), "size is not that of the checkpoint"),
    "a size that is a number": (changed(size=7), "size is not of the form"),
    "an index with a zero before it": (changed(index="02"), "decimal number"),
    "a path that is no list": (changed(path={}), "path of a JSON proof"),
    "a path too long": (changed(path=["00" * 32] * 64), "path of a JSON proof"),
    "a hash too short": (changed(path=["00"]), "hash of a path"),
    "openings that are no list": (changed(openings={}), "openings is not a list"),
    "a note of nothing": (changed(checkpoint=""), "checkpoint is not of the form"),
    "no note": (changed(checkpoint="x"), "no signature lines"),
    "too large": (GOOD + b" " * MAX_JSON_PROOF, "more than the"),
    "too many values": (
        b'{"checkpoint":[' + b"0," * MAX_COMMAS + b"0]}",
        "^a JSON proof has 131072 commas or more$",
    ),
    "many values": (b'{"checkpoint":[' + b"0," * (MAX_COMMAS - 1) + b"0]}", "missing key"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_nothing_else_is_read_as_one(case):
    data, message = REFUSED[case]
    with pytest.raises(FormatError, match=message):
        parse_json_proof(data)


def test_one_that_nobody_would_read_is_not_written():
    long = tuple(replace(item, disclosure="A" * 131072) for item in LOG.openings[DOCUMENT] * 3)
    with pytest.raises(FormatError, match="larger than"):
        proof(openings=long).encode()


@pytest.mark.parametrize(
    ("data", "kind", "alone"),
    [
        (b"PK\x03\x04", Kind.PACKAGE, True),
        (PROOF, Kind.PROOF, True),
        (GOOD, Kind.JSON, True),
        (COSE, Kind.COSE, False),
        (MAGIC, Kind.OTS, False),
        (STATEMENT, None, False),
        (LOG.receipt(), None, False),
        (b"", None, False),
    ],
)
def test_evidence_is_known_by_how_it_begins(data, kind, alone):
    stream = BytesIO(data)
    assert kind_of(stream) is kind
    assert stands_alone(stream) is alone
    assert stream.tell() == 0


def test_each_that_stands_alone_is_read():
    assert read_evidence(BytesIO(GOOD)) == package_of_json(GOOD)
    assert read_evidence(BytesIO(PROOF)) == package_of_proof(PROOF)
    with pytest.raises(FormatError, match="not a readable ZIP"):
        read_evidence(BytesIO(b"PK\x03\x04"))
    with pytest.raises(FormatError, match="more than the"):
        read_evidence(BytesIO(GOOD + b" " * MAX_JSON_PROOF))


@pytest.mark.parametrize("beside", [package_of_proof(PROOF), package_of_json(GOOD)])
def test_an_opentimestamps_file_beside_a_proof_is_checked_over_its_checkpoint(beside):
    bitcoin = Bitcoin()
    stamp = ots_build.upgraded(ots_build.stamped(LOG.checkpoint(LATE)), bitcoin)
    trust = build.trust_text(LOG) + ots_build.block_table(bitcoin)
    report = verify(package_of_ots(file_of(stamp), beside), parse_trust(trust.encode()))
    found = {check.id: check.outcome.value for check in report.checks}
    assert found["5.3"] == found["5.4"] == "passed"
    assert [bound.kind for bound in report.interval.bounds] == ["bitcoin"]
    other = file_of(ots_build.stamped(LOG.checkpoint(4)))
    report = verify(package_of_ots(other, beside), TRUST)
    assert [check.id for check in report.failures()] == ["5.3"]


def test_an_opentimestamps_file_is_checked_beside_nothing_else():
    for other in (Package({"data/statement.json": STATEMENT}), package_of_cose(COSE, STATEMENT)):
        with pytest.raises(FormatError, match=r"beside a \.tlog-proof or a JSON proof"):
            package_of_ots(MAGIC, other)
    with pytest.raises(FormatError, match="larger than 262144"):
        package_of_ots(bytes(MAX_OTS + 1), package_of_proof(PROOF))
