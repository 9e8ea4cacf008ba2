"""What the signatures say, as a statement of its own, once for each document."""

import os
from dataclasses import replace

import pytest
from sqlalchemy import text

from notary.errors import NotReady, Unavailable
from notary.evidence.commitments import check_openings
from notary.evidence.statement import parse_statement
from notary.intake.inspect import MAX_TRIES, WAITS, Turn, inspect_next, sweep
from notary.intake.inspection.report import Inspected, empty
from notary.intake.report import log_report
from notary.store.inspections import end_inspection, inspection_state
from notary.store.openings import openings_of
from notary.store.records import record_by_seq
from notary.store.tenants import create_tenant
from tests.faults import Fault, faulty
from tests.rig import START, Rig

REPORT = {**empty("inspected", None, "test"), "cms": True}
SIGNED = Inspected(REPORT)


@pytest.fixture
def rig(database, tmp_path):
    return Rig(database, tmp_path).open()


def submit(rig, **changes):
    made = rig.intake.spool.receive([b"%PDF-1.7 signed"], 1000)
    values = {"seen": True, "digests": made.digests, "size": made.size, "media_type": made.media_type}
    return rig.intake.accept(rig.document(**values, spooled=made.path, **changes))


def followers_of(connection, seq):
    query = text("SELECT seq FROM record WHERE follows_seq = :seq ORDER BY seq")
    return [record_by_seq(connection, found) for found in connection.execute(query, {"seq": seq}).scalars()]


def outcome(rig, seq):
    """The document, the records that follow it with their reports, and the state of the task."""
    with rig.database.reading() as connection:
        followers = followers_of(connection, seq)
        reports = []
        for record in followers:
            commitments = parse_statement(record.statement).commitments
            opened = check_openings(openings_of(connection, record.seq), commitments)
            reports.append(opened["inspection"])
        return record_by_seq(connection, seq), followers, reports, inspection_state(connection, seq)


def files(rig):
    return list(rig.intake.spool.folder.iterdir())


def test_a_report_follows_its_document(rig):
    accepted = submit(rig)
    looked_at = []
    assert inspect_next(rig.intake, lambda path, kind: looked_at.append((path.read_bytes(), kind)) or SIGNED)
    assert looked_at == [(b"%PDF-1.7 signed", "application/pdf")]
    document, (inspection,), (report,), state = outcome(rig, accepted.seq)
    statement = parse_statement(inspection.statement)
    assert (statement.type, statement.previous, statement.body) == ("inspection", accepted.entry, None)
    assert report == REPORT
    assert state == "done"
    assert inspection.tenant_id == rig.tenant
    assert (document.visibility, inspection.visibility) == ("by-document", "by-document")
    assert files(rig) == []
    assert not inspect_next(rig.intake, lambda *_: SIGNED)
    rig.sequencer().sequence()
    assert rig.fsck().problems == []


def test_an_organisation_with_many_documents_keeps_no_other_from_its_turn(rig):
    with rig.database.writing() as connection:
        others = [create_tenant(connection, name, START).id for name in ("second", "third")]
    for _ in range(4):
        submit(rig)
    late = [submit(rig, tenant_id=tenant).seq for tenant in others]
    turn = Turn()
    for _ in range(3):
        assert inspect_next(rig.intake, lambda *_: SIGNED, turn)
    assert [outcome(rig, seq)[3] for seq in late] == ["done", "done"]
    for _ in range(3):
        assert inspect_next(rig.intake, lambda *_: SIGNED, turn)
    assert not inspect_next(rig.intake, lambda *_: SIGNED, turn)


@pytest.mark.parametrize("visibility", ["private", "by-code"])
def test_a_visibility_that_was_chosen_is_not_upgraded(rig, visibility):
    accepted = submit(rig, visibility=visibility)
    inspect_next(rig.intake, lambda *_: SIGNED)
    document, (inspection,), _, _ = outcome(rig, accepted.seq)
    assert (document.visibility, inspection.visibility) == (visibility, visibility)


def test_a_document_without_signatures_stays_by_code(rig):
    accepted = submit(rig)
    inspect_next(rig.intake, lambda *_: Inspected(empty("no_signatures", None, "test")))
    assert outcome(rig, accepted.seq)[0].visibility == "by-code"


def test_a_visibility_chosen_while_the_document_was_inspected_stays(rig):
    accepted = submit(rig)

    def inspector(_path, _kind):
        with rig.database.writing() as connection:
            chosen = "UPDATE record SET visibility = 'private', visibility_chosen = :true WHERE seq = :seq"
            connection.execute(text(chosen), {"seq": accepted.seq, "true": True})
        return SIGNED

    inspect_next(rig.intake, inspector)
    assert outcome(rig, accepted.seq)[0].visibility == "private"


def fails(*_):
    raise Unavailable("no sandbox today")


def wait_for_next_try(rig, tries):
    rig.sequencer().sequence()
    rig.clock.advance(WAITS[tries - 1].total_seconds() + 1)


@pytest.mark.parametrize(
    ("inspector", "reason"),
    [
        (fails, "inspector_failed"),
        (lambda *_: Inspected(empty("could_not_be_inspected", "no_sandbox", "t")), "no_sandbox"),
    ],
)
def test_a_machine_that_fails_for_days_is_reported_in_the_end(rig, inspector, reason):
    accepted = submit(rig)
    for tries in range(1, MAX_TRIES):
        assert inspect_next(rig.intake, inspector)
        assert outcome(rig, accepted.seq)[1:] == ([], [], "waiting")
        if tries > 2:
            assert not inspect_next(rig.intake, inspector), "it waits longer and longer"
            wait_for_next_try(rig, tries)
    assert inspect_next(rig.intake, inspector)
    _, _, (report,), state = outcome(rig, accepted.seq)
    assert (report["outcome"], report["reason"]) == ("could_not_be_inspected", reason)
    assert state == "failed"
    assert files(rig) == []


@pytest.mark.parametrize("reason", ["not_started", "not_opened", "wall_time", "no_sandbox"])
def test_what_only_the_machine_was_at_fault_for_is_mended_by_the_next_try(rig, reason):
    accepted = submit(rig)
    for _ in range(3):
        inspect_next(rig.intake, lambda *_: Inspected(empty("could_not_be_inspected", reason, "test")))
    wait_for_next_try(rig, 3)
    assert inspect_next(rig.intake, lambda *_: SIGNED)
    assert outcome(rig, accepted.seq)[2:] == ([REPORT], "done")


def test_what_the_document_is_at_fault_for_is_not_tried_again(rig):
    accepted = submit(rig)
    inspect_next(rig.intake, lambda *_: Inspected(empty("could_not_be_inspected", "cpu_time", "test")))
    assert outcome(rig, accepted.seq)[3] == "failed"


class Killed(BaseException):
    """The process dies."""


def dies(*_):
    raise Killed


def test_a_document_that_kills_its_inspector_is_not_tried_for_ever(rig):
    accepted = submit(rig)
    for tries in range(1, MAX_TRIES + 1):
        with pytest.raises(Killed):
            inspect_next(rig.intake, dies)
        assert not inspect_next(rig.intake, dies), "nobody else takes it while it may still be inspected"
        wait_for_next_try(rig, tries)
    assert inspect_next(rig.intake, dies)
    _, _, (report,), state = outcome(rig, accepted.seq)
    assert (report["reason"], state) == ("too_many_tries", "failed")


def test_a_good_document_that_lay_there_at_three_deaths_of_the_process_is_inspected_later(rig):
    accepted = submit(rig)
    for tries in (1, 2, 3):
        with pytest.raises(Killed):
            inspect_next(rig.intake, dies)
        rig.sequencer().sequence()
        rig.clock.advance(301)
        assert tries < 3 or not inspect_next(rig.intake, lambda *_: SIGNED), (
            "after the third it waits an hour"
        )
    rig.clock.advance(3600)
    assert inspect_next(rig.intake, lambda *_: SIGNED)
    assert outcome(rig, accepted.seq)[2:] == ([REPORT], "done")


def test_a_document_that_is_gone_is_reported_as_such(rig):
    accepted = submit(rig)
    files(rig)[0].unlink()
    assert inspect_next(rig.intake, lambda *_: SIGNED)
    assert outcome(rig, accepted.seq)[2][0]["reason"] == "document_missing"


@pytest.mark.parametrize("report", [{"score": 0.5}, {"text": "x" * 300_000}, {"": 1}])
def test_a_report_that_cannot_be_committed_to_is_replaced(rig, report):
    accepted = submit(rig)
    assert inspect_next(rig.intake, lambda *_: Inspected(report))
    assert outcome(rig, accepted.seq)[2][0]["reason"] == "report_unusable"


def test_a_report_that_another_process_made_first_stands(rig):
    accepted = submit(rig)

    def overtaken(_path, _kind):
        rig.sequencer().sequence()
        rig.clock.advance(301)
        assert inspect_next(rig.intake, lambda *_: SIGNED)
        return Inspected(empty("no_signatures", None, "late"))

    assert inspect_next(rig.intake, overtaken)
    assert outcome(rig, accepted.seq)[2] == [REPORT]


def test_without_that_check_there_would_be_two_reports(rig, monkeypatch):
    """The negative control of the test above."""
    accepted = submit(rig)
    monkeypatch.setattr("notary.intake.inspect.end_inspection", lambda *given: end_inspection(*given) or True)

    def overtaken(_path, _kind):
        rig.sequencer().sequence()
        rig.clock.advance(301)
        assert inspect_next(rig.intake, lambda *_: SIGNED)
        return SIGNED

    inspect_next(rig.intake, overtaken)
    assert len(outcome(rig, accepted.seq)[2]) == 2


@pytest.mark.parametrize("committed", [False, True])
def test_a_commit_that_fails_leaves_one_report_in_the_end(rig, committed):
    accepted = submit(rig)
    fault = Fault(None, committed)
    broken = replace(rig.intake, database=faulty(rig.database, fault))

    def inspector(*_):
        fault.point = "swap"  # only now, so that the task is taken
        return SIGNED

    with pytest.raises(Unavailable, match="the database went away"):
        inspect_next(broken, inspector)
    assert len(outcome(rig, accepted.seq)[2]) == committed
    rig.sequencer().sequence()
    rig.clock.advance(301)
    assert inspect_next(rig.intake, lambda *_: SIGNED) is not committed
    assert outcome(rig, accepted.seq)[2] == [REPORT]
    for path in files(rig):
        os.utime(path, (0, 0))
    assert sweep(rig.intake) == committed
    assert files(rig) == []


def test_a_file_that_is_needed_is_not_swept(rig):
    submit(rig)
    os.utime(files(rig)[0], (0, 0))
    assert sweep(rig.intake) == 0


def test_a_number_that_is_taken_leaves_the_task(rig):
    accepted = submit(rig)
    intake = replace(
        rig.intake, random=lambda length: bytes(length) if length == 5 else rig.random.randbytes(length)
    )
    intake.accept(rig.document())
    with pytest.raises(Unavailable, match="a record number was drawn twice"):
        inspect_next(intake, lambda *_: SIGNED)
    rig.sequencer().sequence()
    rig.clock.advance(301)
    assert inspect_next(rig.intake, lambda *_: SIGNED)
    assert outcome(rig, accepted.seq)[2] == [REPORT]


def test_nothing_is_inspected_into_a_log_that_is_not_open(rig):
    submit(rig)
    with rig.database.writing() as connection:
        connection.execute(text("DELETE FROM log_state"))
    with pytest.raises(NotReady, match="the log is not open yet"):
        inspect_next(rig.intake, lambda *_: SIGNED)


def test_no_inspection_is_promised_while_closing_is_behind(rig):
    accepted = submit(rig)
    rig.clock.advance(31)
    for _ in range(MAX_TRIES + 1):  # a try that cannot succeed is not counted
        with pytest.raises(Unavailable, match="behind with closing"):
            inspect_next(rig.intake, lambda *_: SIGNED)
    rig.sequencer().sequence()
    assert inspect_next(rig.intake, lambda *_: SIGNED)
    assert outcome(rig, accepted.seq)[2:] == ([REPORT], "done")


def test_no_inspection_is_promised_that_fell_behind_while_it_ran(rig):
    submit(rig)

    def slow(*_):
        rig.clock.advance(31)
        return SIGNED

    with pytest.raises(Unavailable, match="behind with closing"):
        inspect_next(rig.intake, slow)


def test_no_report_is_promised_while_closing_is_behind(rig):
    accepted = submit(rig)
    with rig.database.reading() as connection:
        about = record_by_seq(connection, accepted.seq)
    rig.clock.advance(31)
    with pytest.raises(Unavailable, match="behind with closing"):
        log_report(rig.intake, about, {"sha-256": "00" * 32, "sm3": "11" * 32}, 1)
    rig.sequencer().sequence()
    log_report(rig.intake, about, {"sha-256": "00" * 32, "sm3": "11" * 32}, 1)
    with rig.database.reading() as connection:
        assert len(followers_of(connection, accepted.seq)) == 1
