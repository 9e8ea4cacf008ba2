"""A receipt whose promise was broken is told in the log, once, whatever happens in between."""

import re
import threading
from dataclasses import replace

import pytest
from sqlalchemy import text

from notary.errors import NotReady, Unavailable
from notary.evidence.bodies import Incident
from notary.evidence.commitments import check_openings
from notary.evidence.receipt import group_root
from notary.evidence.statement import parse_statement
from notary.intake import broken
from notary.intake.broken import log_broken
from notary.store.openings import openings_of
from notary.store.places import group_of
from notary.store.promises import incident_of, incidents_after, looked_at, overdue
from tests.anchoring.ledger import Crash, Fuse, mortal
from tests.rig import Rig


@pytest.fixture
def rig(database, tmp_path):
    return Rig(database, tmp_path).open()


def incidents(rig):
    with rig.database.reading() as connection:
        return incidents_after(connection, "", 1000)


def late(rig, count=1, seconds=61):
    """Records that are closed so many seconds after they were accepted; a receipt promises 60."""
    made = [rig.intake.accept(rig.document(b"late %d" % n)) for n in range(count)]
    rig.clock.advance(seconds)
    rig.sequencer().sequence()
    return made


def test_a_promise_that_was_broken_is_told_once(rig):
    (record,) = late(rig)
    assert log_broken(rig.intake) == 1
    (found,) = incidents(rig)
    statement = parse_statement(found.statement)
    assert statement.body == Incident("promise_broken", record.entry)
    assert statement.previous == record.entry
    assert (found.visibility, found.tenant_id, found.sha256) == ("public", None, None)
    with rig.database.reading() as connection:
        opened = check_openings(openings_of(connection, found.seq), statement.commitments)
        assert incident_of(connection, group_of(record.seq)).seq == found.seq
    assert opened == {
        "detail": {
            "close_by": "2026-03-01T12:01:00Z",
            "closed": "2026-03-01T12:01:01Z",
            "count": 1,
            "root": group_root([record.entry]).hex(),
            "size": 2,
        }
    }
    for _ in range(2):
        assert log_broken(rig.intake) == 0
        rig.sequencer().sequence()
    assert len(incidents(rig)) == 1
    assert rig.fsck().problems == []
    assert rig.fsck().counts["incidents"] == 1


@pytest.mark.parametrize(("seconds", "told"), [(59, 0), (60, 0), (60.9, 0), (61, 1)])
def test_a_promise_is_kept_to_the_end_of_its_second(rig, seconds, told):
    late(rig, seconds=seconds)
    assert log_broken(rig.intake) == told
    assert len(incidents(rig)) == told
    assert rig.fsck().problems == []


def test_a_missed_target_is_no_incident(rig):
    """The time stamp and the final anchor have a day: an objective, and nothing here attests anything."""
    late(rig, seconds=5)
    rig.clock.advance(10 * 86400)
    assert log_broken(rig.intake) == 0
    assert incidents(rig) == []


def test_one_incident_is_for_a_group_however_many_records_it_has(rig):
    made = rig.intake.accept_all([rig.document(b"%d" % n) for n in range(5)])
    late(rig)
    assert log_broken(rig.intake) == 2
    with rig.database.reading() as connection:
        assert {incident_of(connection, group_of(one.seq)).seq for one in made} == {incidents(rig)[0].seq}
    assert parse_statement(incidents(rig)[0].statement).body.subject == made[0].entry


def test_what_waits_is_told_when_the_log_closes_again(rig):
    record = rig.intake.accept(rig.document(b"waits"))
    with rig.database.reading() as connection:
        assert overdue(connection, rig.clock()) == 0
    rig.clock.advance(61)
    with rig.database.reading() as connection:
        assert overdue(connection, rig.clock()) == 1
    assert log_broken(rig.intake) == 0
    assert incidents(rig) == []
    rig.sequencer().sequence()
    assert log_broken(rig.intake) == 1
    assert parse_statement(incidents(rig)[0].statement).body.subject == record.entry
    with rig.database.reading() as connection:
        assert overdue(connection, rig.clock()) == 0


def test_while_the_log_is_behind_nothing_is_promised_and_nothing_lost(rig):
    late(rig)
    rig.intake.accept(rig.document(b"behind"))
    rig.clock.advance(31)
    with pytest.raises(Unavailable, match="the log is behind with closing"):
        log_broken(rig.intake)
    assert incidents(rig) == []
    rig.sequencer().sequence()
    assert log_broken(rig.intake) == 1


def test_an_incident_that_is_late_itself_makes_no_other(rig):
    late(rig)
    assert log_broken(rig.intake) == 1
    rig.clock.advance(100)
    rig.sequencer().sequence()
    assert log_broken(rig.intake) == 0
    assert len(incidents(rig)) == 1
    assert rig.fsck().problems == []


def test_before_the_log_is_open_there_is_nothing_to_look_at(database, tmp_path):
    rig = Rig(database, tmp_path)
    assert log_broken(rig.intake) == 0
    assert rig.intake.replayed(None) == []
    with pytest.raises(NotReady, match="the log is not open yet"):
        rig.intake.conditions()


def test_each_group_is_looked_at_in_its_turn(rig, monkeypatch):
    monkeypatch.setattr(broken, "GROUPS", 2)
    late(rig, count=5)
    late(rig, count=2, seconds=5)
    assert [log_broken(rig.intake, turns=1) for _ in range(5)] == [1, 2, 2, 0, 0]  # entry 0 is a group, too
    with rig.database.reading() as connection:
        assert looked_at(connection) == 8
    rig.sequencer().sequence()
    assert log_broken(rig.intake) == 0
    assert len(incidents(rig)) == 5
    assert rig.fsck().problems == []


@pytest.mark.parametrize("point", range(1, 5))
def test_a_kill_leaves_none_or_one(rig, monkeypatch, point):
    """Two transactions, each with a moment before its commit and one behind it."""
    monkeypatch.setattr(broken, "GROUPS", 2)
    late(rig, count=3)
    dying = replace(rig.intake, database=mortal(rig.database, Fuse(point)))
    with pytest.raises(Crash):
        log_broken(dying)
    assert len(incidents(rig)) == {1: 0, 2: 1, 3: 1, 4: 3}[point]
    assert rig.fsck().problems == []
    log_broken(rig.intake)
    assert len(incidents(rig)) == 3
    rig.sequencer().sequence()
    assert rig.fsck().problems == []


def test_without_the_mark_of_how_far_was_looked_a_promise_is_told_once_all_the_same(rig):
    late(rig, count=2)
    assert log_broken(rig.intake) == 2
    with rig.database.writing() as connection:
        connection.execute(text("DELETE FROM promise_state"))
    assert log_broken(rig.intake) == 0
    assert len(incidents(rig)) == 2
    with rig.database.reading() as connection:
        assert looked_at(connection) == 3


def test_of_two_processes_that_look_at_once_one_tells(rig, monkeypatch):
    late(rig, count=3)
    both, build = threading.Barrier(2), broken._incident
    reached = threading.local()

    def meet(*given):
        if not getattr(reached, "once", False):
            reached.once = True
            both.wait(10)  # both have read that nothing is told yet
        return build(*given)

    monkeypatch.setattr(broken, "_incident", meet)
    logged = []
    others = [threading.Thread(target=lambda: logged.append(log_broken(rig.intake))) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join(30)
    assert sorted(logged) == [0, 3]
    assert len(incidents(rig)) == 3
    assert rig.fsck().problems == []


DAMAGES = {
    "not told": (
        ["DELETE FROM broken_promise WHERE group_id = 2"],
        "commit group 2 was closed too late, and no incident says so",
    ),
    "kept": (
        ["UPDATE broken_promise SET group_id = 4 WHERE group_id = 2"],
        "broken promise of commit group 4: it was kept, as far as was looked",
    ),
    "another record": (
        ["UPDATE broken_promise SET seq = 16384 WHERE group_id = 2"],
        "broken promise of commit group 2: record \\w+ does not say so",
    ),
    "no record": (
        ["UPDATE broken_promise SET seq = 99 WHERE group_id = 2"],
        "broken promise of commit group 2: there is no record of sequence 99",
    ),
    "each other's": (
        [
            "UPDATE broken_promise SET group_id = -group_id",
            "UPDATE broken_promise SET group_id = 5 + group_id",
        ],
        "broken promise of commit group 2: record \\w+ does not say so",
    ),
    "too far": (
        ["UPDATE promise_state SET size = 99"],
        "promises were looked at up to 99, the log goes to 6",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damage_is_found(rig, damage):
    statements, pattern = DAMAGES[damage]
    late(rig, count=2)
    assert log_broken(rig.intake) == 2
    late(rig, seconds=5)
    log_broken(rig.intake)
    assert rig.fsck().problems == []
    with rig.database.writing() as connection:
        for statement in statements:
            assert connection.execute(text(statement)).rowcount > 0
    problems = rig.fsck().problems
    assert any(re.search(pattern, problem) for problem in problems), problems
