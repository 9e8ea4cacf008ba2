"""Check 9.2: the operator's own word that it broke the promise of this record's receipt."""

import pytest

from notary.evidence.bodies import Incident
from notary.evidence.commitments import encode_openings
from notary.evidence.outcome import Claim, Outcome
from notary.evidence.receipt import group_root
from tests.evidence import build
from tests.evidence.build import DOCUMENT, INSPECTION, LATE, Log

INCIDENT = 3  # its index, behind the document
DETAIL = {"close_by": "2026-03-01T13:00:00Z", "closed": "2026-03-01T13:00:07Z", "size": 4, "count": 1}


def told(kind="promise_broken", fields=None, log=None, **changes):
    """A log whose operator says that it broke the promise, and the files of the record's package."""
    log = log or Log()
    root = group_root(log.entries[DOCUMENT : DOCUMENT + 1]).hex()
    fields = {"detail": DETAIL | {"root": root} | changes} if fields is None else fields
    body = Incident(kind, log.entries[DOCUMENT])
    log.statements[INCIDENT] = log.statement(
        "incident", body, at=INCIDENT, fields=fields, previous=log.entries[DOCUMENT]
    )
    files = build.files(log) | {
        "incident/statement.json": log.statements[INCIDENT].encode(),
        "incident/openings.json": encode_openings(log.openings[INCIDENT]),
        "incident/inclusion.tlog-proof": log.proof(INCIDENT, LATE),
    }
    return log, files


def checked(log, files):
    trust = build.trust(log, chain=build.chain_table(log, blocks=[log.anchor(LATE).header]))
    report = build.check({name: data for name, data in files.items() if data is not None}, trust)
    return report, [found for found in report.checks if found.id == "9.2"]


def test_a_broken_promise_is_shown_and_takes_nothing_from_the_record():
    report, (found,) = checked(*told())
    assert (found.outcome, found.claim) == (Outcome.PASSED, Claim.STATED)
    assert found.detail == (
        "promised by 2026-03-01T13:00:00Z, closed at 2026-03-01T13:00:07Z, by the operator's own word"
    )
    assert report.outcome is Outcome.PASSED


def test_without_one_the_check_is_not_made():
    log, files = told()
    _, found = checked(log, {name: data for name, data in files.items() if not name.startswith("incident/")})
    assert found == []


@pytest.mark.parametrize(
    ("made", "changes", "why"),
    [
        ({"kind": "clock_step"}, {}, "the incident is not of a broken promise"),
        ({"close_by": "2026-03-01T13:00:01Z"}, {}, "the incident is of another promise than the receipt's"),
        ({"count": 2}, {}, "the incident is of another promise than the receipt's"),
        ({"root": "00" * 32}, {}, "the incident is of another promise than the receipt's"),
        ({"more": 1}, {}, "detail of the incident"),
        ({"fields": {"detail": "x"}}, {}, "detail of the incident"),
        ({}, {"incident/openings.json": b"[]"}, "openings is not a JSON object"),
        ({}, {"incident/inclusion.tlog-proof": None}, "the incident is not shown to be in the log"),
        ({}, {"incident/inclusion.tlog-proof": "other head"}, "the incident is not shown to be in the log"),
        ({}, {"incident/inclusion.tlog-proof": "other entry"}, "the path leads to root"),
        ({}, {"receipt.txt": None}, "there is no receipt that the incident could be of"),
        ({}, {"receipt.txt": "another's"}, "the path leads to root"),
        ({}, {"incident/statement.json": "inspection"}, "the incident is not of a broken promise"),
    ],
)
def test_an_incident_of_something_else_fails(made, changes, why):
    log, files = told(**made)
    others = {
        "other head": log.proof(INCIDENT, 6),
        "other entry": log.proof(DOCUMENT, LATE),
        "another's": log.receipt(index=1),
        "inspection": log.statements[INSPECTION].encode(),
    }
    report, (found,) = checked(log, files | {name: others.get(key, key) for name, key in changes.items()})
    assert found.outcome is Outcome.FAILED
    assert why in found.detail
    assert "9.2" in {failure.id for failure in report.failures()}


@pytest.mark.parametrize("openings", [None, encode_openings(())])
def test_what_was_erased_makes_nothing_false(openings):
    log, files = told()
    report, (found,) = checked(log, files | {"incident/openings.json": openings})
    assert found.outcome is Outcome.UNCHECKED
    assert found.detail == "what the incident says of the promise is not opened, and may have been erased"
    assert report.outcome is Outcome.PASSED


def test_where_no_head_passed_it_could_not_be_checked():
    log, files = told()
    report = build.check(files, None)
    assert [found.outcome for found in report.checks if found.id == "9.2"] == [Outcome.UNCHECKED]
    broken = files | {
        f"heads/{LATE}/inclusion.tlog-proof": files[f"heads/{LATE}/inclusion.tlog-proof"] + b"x"
    }
    _, (found,) = checked(log, broken)
    assert found.outcome is Outcome.UNCHECKED
    assert found.detail == "the head that may include the incident did not pass its own checks"
