"""Check 9.3: a chain of statements is complete, or cut, or no chain."""

import pytest

from notary.evidence.catalogue import CHECKS
from notary.evidence.commitments import encode_openings
from notary.evidence.outcome import Claim, Outcome
from notary.evidence.package import Package
from notary.evidence.statement import entry_of
from notary.evidence.verify import verify
from tests.evidence import build
from tests.evidence.build import DOCUMENT


class Chain(build.Log):
    """The log with two events more: 8 follows 7, 7 the report 4, and that the document 2, which follows nothing."""

    def __init__(self, origin=build.ORIGIN):
        super().__init__(origin=origin)
        self.previous = {4: DOCUMENT}
        for at, before in ((7, 4), (8, 7)):
            self.add("event", at, before, fields={"phase": f"step {at}"})

    def add(self, kind, at, before, **more):
        self.statements.append(self.statement(kind, at=at, previous=self.entries[before], **more))
        self.previous[at] = before


LOG = Chain()
TRUST = build.trust(LOG)
SIZE = 9


def files(last=8, back=3, size=SIZE):
    found = {
        "data/statement.json": LOG.statements[last].encode(),
        f"heads/{size}/inclusion.tlog-proof": LOG.proof(last, size),
    }
    at = last
    for number in range(1, back + 1):
        at = LOG.previous[at]
        found |= {
            f"previous/{number}/statement.json": LOG.statements[at].encode(),
            f"previous/{number}/inclusion.tlog-proof": LOG.proof(at, size),
        }
        if LOG.openings[at]:
            found[f"previous/{number}/openings.json"] = encode_openings(LOG.openings[at])
    return found


def made(contents, trust=TRUST):
    report = verify(Package(contents), trust)
    return next((check for check in report.checks if check.id == "9.3"), None)


def test_a_chain_back_to_the_first_is_complete():
    check = made(files())
    assert (check.outcome, check.claim) == (Outcome.PASSED, Claim.RECOMPUTED)
    assert check.detail == f"complete: 3 statements back to the first, record {LOG.statements[2].number}"


@pytest.mark.parametrize("back", [1, 2])
def test_a_chain_that_is_cut_says_where(back):
    check = made(files(back=back))
    assert check.outcome is Outcome.UNCHECKED
    assert f"cut before entry {LOG.entries[{1: 4, 2: 2}[back]].hex()}" in check.detail


def test_a_statement_that_follows_another_is_cut_off_where_the_package_holds_none():
    check = made(files(back=0))
    assert (check.outcome, check.claim) == (Outcome.UNCHECKED, Claim.RECOMPUTED)
    assert f"cut before entry {LOG.entries[7].hex()}" in check.detail
    assert made(files(back=0), None).claim is Claim.NOT_COVERED


def test_of_a_statement_that_follows_none_nothing_is_said():
    assert made(files(last=DOCUMENT, back=0)) is None


def test_without_a_head_that_passed_it_is_not_checked():
    assert made(files(), None).outcome is Outcome.UNCHECKED
    other = build.trust(build.Log("other "))
    assert made(files(), other).detail == "no checked head of the log includes anything"


def test_a_statement_under_a_head_that_did_not_pass_is_not_checked():
    contents = files()
    contents |= {
        "heads/8/inclusion.tlog-proof": LOG.proof(1, 8),  # of another entry: 3.2 fails
        "previous/2/inclusion.tlog-proof": LOG.proof(4, 8),
    }
    assert "did not pass its own checks" in made(contents).detail


OTHER = Chain("log.example.org/other")


def broken(**changes):
    """A chain with members changed; None takes one away."""
    contents = files() | {name.replace("__", "/"): data for name, data in changes.items()}
    return {name: data for name, data in contents.items() if data is not None}


FAILURES = {
    "a link is missing": (
        {name: data for name, data in files().items() if not name.startswith("previous/2/")},
        "there is no previous/2/statement.json",
    ),
    "two links in the wrong order": (
        files()
        | {
            "previous/1/statement.json": files()["previous/2/statement.json"],
            "previous/2/statement.json": files()["previous/1/statement.json"],
        },
        "is not what the statement before it in the package follows",
    ),
    "a link that follows nothing goes on": (
        files() | {"previous/4/statement.json": LOG.statements[1].encode()},
        "previous/4/statement.json is not what",
    ),
    "no statement": (files() | {"previous/1/statement.json": b"{}"}, "is not what"),
    "no proof": (
        {name: data for name, data in files().items() if name != "previous/3/inclusion.tlog-proof"},
        "previous/3/statement.json is not shown to be in the log",
    ),
    "a proof that is none": (files() | {"previous/1/inclusion.tlog-proof": b"x"}, "no note"),
    "a proof of another entry": (
        files() | {"previous/1/inclusion.tlog-proof": LOG.proof(4, SIZE)},
        "leaf 4 of 9",
    ),
    "a proof under a checkpoint of no head": (
        files() | {"previous/2/inclusion.tlog-proof": LOG.proof(4, 8)},
        "previous/2/statement.json is under no checkpoint of this package",
    ),
    "openings of another statement": (
        files() | {"previous/1/openings.json": encode_openings(LOG.openings[2])},
        "is not committed to",
    ),
    "openings that are none": (files() | {"previous/3/openings.json": b"{}"}, "openings: missing key"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_chain_that_does_not_hold_fails(case):
    contents, message = FAILURES[case]
    check = made(contents)
    assert check.outcome is Outcome.FAILED
    assert message in check.detail


def test_a_statement_of_another_log_is_no_link():
    first = OTHER.statements[2].encode()
    log = Chain()
    log.statements.append(log.statement("event", at=9, previous=entry_of(first)))
    contents = {
        "data/statement.json": log.statements[9].encode(),
        "heads/10/inclusion.tlog-proof": log.proof(9, 10),
        "previous/1/statement.json": first,
        "previous/1/inclusion.tlog-proof": log.proof(2, 10),
    }
    check = made(contents)
    assert check.outcome is Outcome.FAILED
    assert "is of log 'log.example.org/other'" in check.detail


def test_the_longest_chain_is_checked_in_whole():
    log = Chain()
    for at in range(9, 9 + 61):
        log.add("event", at, at - 1)
    last, size = 69, 70
    contents = {
        "data/statement.json": log.statements[last].encode(),
        f"heads/{size}/inclusion.tlog-proof": log.proof(last, size),
    }
    at = last
    for number in range(1, 65):
        at = log.previous[at]
        contents[f"previous/{number}/statement.json"] = log.statements[at].encode()
        contents[f"previous/{number}/inclusion.tlog-proof"] = log.proof(at, size)
    check = made(contents)
    assert check.outcome is Outcome.PASSED
    assert "64 statements" in check.detail


def test_it_is_not_required_and_has_words_in_both_languages():
    report = verify(Package(files(back=1)), TRUST)
    assert "9.3" not in report.required
    assert "链" in CHECKS["9.3"].name_zh
    assert CHECKS["9.3"].sentence(Outcome.UNCHECKED, "en").startswith("The chain is cut")
