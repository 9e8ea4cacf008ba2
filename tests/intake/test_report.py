"""A report is logged once, whoever asks for it at the same time."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, local

import pytest
from sqlalchemy import text

from notary.errors import NumberTaken, Unavailable
from notary.intake.group import ClaimTaken
from notary.intake.report import log_report
from notary.store.claims import stored_claims
from notary.store.records import record_by_seq
from tests.faults import Fault, faulty
from tests.rig import Rig

DIGESTS = {"sha-256": "ab" * 32, "sm3": "cd" * 32}
OTHER = {"sha-256": "ba" * 32, "sm3": "dc" * 32}


@pytest.fixture
def rig(database, tmp_path):
    return Rig(database, tmp_path).open()


@pytest.fixture
def about(rig):
    seq = rig.intake.accept(rig.document()).seq
    with rig.database.reading() as connection:
        return record_by_seq(connection, seq)


def logged(rig):
    """The digests of the reports in the log."""
    with rig.database.reading() as connection:
        query = text("SELECT sha256 FROM record WHERE type = 'report' ORDER BY seq")
        return [bytes(digest).hex() for digest in connection.execute(query).scalars()]


def at_once(rig, about, count):
    """So many requests, each of which has seen that the report is not logged before any of them logs it."""
    barrier, been = Barrier(count, timeout=20), local()

    def random(length):
        if not hasattr(been, "here"):
            been.here = barrier.wait()
        return rig.random.randbytes(length)

    intake = replace(rig.intake, random=random)
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(lambda _: log_report(intake, about, DIGESTS, 7), range(count)))


def test_of_requests_at_the_same_time_one_logs_the_report(rig, about):
    at_once(rig, about, 6)
    assert logged(rig) == [DIGESTS["sha-256"]]
    log_report(rig.intake, about, OTHER, 7)
    log_report(rig.intake, about, OTHER, 7)
    assert logged(rig) == [DIGESTS["sha-256"], OTHER["sha-256"]]
    rig.sequencer().sequence()
    assert rig.fsck().problems == []


def test_without_the_claim_each_would_log_it(rig, about, monkeypatch):
    """The negative control of the test above."""
    monkeypatch.setattr("notary.intake.group.stored_claims", lambda *_: {})
    monkeypatch.setattr("notary.intake.group.store_claims", lambda *_: True)
    at_once(rig, about, 6)
    assert logged(rig) == [DIGESTS["sha-256"]] * 6


@pytest.mark.parametrize("stored", [False, True])
def test_after_a_commit_without_an_answer_the_next_request_finds_or_logs_it(rig, about, stored):
    broken = replace(rig.intake, database=faulty(rig.database, Fault("swap", stored)))
    with pytest.raises(Unavailable, match="the database went away"):
        log_report(broken, about, DIGESTS, 7)
    assert logged(rig) == [DIGESTS["sha-256"]] * stored
    log_report(rig.intake, about, DIGESTS, 7)
    assert logged(rig) == [DIGESTS["sha-256"]]


@pytest.mark.parametrize("error", [NumberTaken("a number of another"), ClaimTaken("a claim of another")])
def test_a_report_that_meets_another_is_tried_again(rig, about, monkeypatch, error):
    tries = []

    def taken(*given):
        tries.append(given)
        raise error

    with monkeypatch.context() as meeting:
        meeting.setattr("notary.intake.accept.commit", taken)
        with pytest.raises(type(error), match="of another"):
            log_report(rig.intake, about, DIGESTS, 7)
    assert len(tries) == 5
    assert logged(rig) == []


def test_a_report_that_is_logged_is_not_written_about_again(rig, about, monkeypatch):
    log_report(rig.intake, about, DIGESTS, 7)
    monkeypatch.setattr("notary.intake.accept.commit", lambda *_: pytest.fail("a second transaction"))
    log_report(rig.intake, about, DIGESTS, 7)
    monkeypatch.setattr("notary.intake.report.stored_claims", lambda *given: stored_claims(*given) and {})
    with pytest.raises(pytest.fail.Exception, match="a second transaction"):  # by the claim it is known
        log_report(rig.intake, about, DIGESTS, 7)
