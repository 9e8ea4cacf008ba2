"""Queries give what was stored, on both databases: what waits for inspection, and whose turn it is."""

from datetime import timedelta

import pytest
from sqlalchemy import event, text

from notary.store import (
    inspections,
    tables,
)
from tests.store.rows import LATER, NOW, insert, record

FIVE = timedelta(minutes=5)


def until(_tries):
    return LATER


def task(seq, size=10):
    return inspections.Task(f"file{seq}", size, "application/pdf")


def test_each_organisation_gets_its_turn(connection):
    """Of organisations 1 to 3: six, two and one."""
    owners = [1, 1, 1, 2, 1, 3, 1, 2, 1]
    seqs = insert(connection, *(record(f"N{at}") for at in range(len(owners))))
    for seq, owner in zip(seqs, owners, strict=True):
        inspections.add_inspection(connection, seq, owner, task(seq))
    taken, after = [], 0
    while one := inspections.take_inspection(connection, NOW, until, after):
        taken.append((one.tenant_id, seqs.index(one.seq)))
        after = one.tenant_id
    assert [owner for owner, _ in taken] == [1, 2, 3, 1, 2, 1, 1, 1, 1]
    assert [at for owner, at in taken if owner == 1] == [0, 1, 2, 4, 6, 8]  # its own in their order
    inspections.give_back(connection, seqs[3], "again", None)
    for after, owner in ((1, 2), (2, None)):
        found = inspections.take_inspection(connection, NOW, until, after)
        assert (found and found.tenant_id) == owner


def test_what_waits_for_inspection_is_counted_up_to_a_bound(connection):
    seqs = insert(connection, *(record(f"N{at}") for at in range(6)))
    for at, seq in enumerate(seqs):
        inspections.add_inspection(connection, seq, 1 + at % 2, task(seq, 2**33 + at))
    inspections.end_inspection(connection, seqs[0], "done", "")
    inspections.take_inspection(connection, NOW, until)  # what is being looked at lies there yet
    size = 5 * 2**33 + 15
    assert inspections.inspections_waiting(connection, 1, 10, 10) == inspections.Waiting(2, 5, size)
    assert inspections.inspections_waiting(connection, 2, 2, 10) == inspections.Waiting(2, 5, size)
    assert inspections.inspections_waiting(connection, 3, 10, 3).count == 3
    for seq in seqs[1:]:
        inspections.end_inspection(connection, seq, "failed", "")
    assert inspections.inspections_waiting(connection, 1, 10, 10) == inspections.Waiting(0, 0, 0)


def test_inspections_are_taken_one_at_a_time(connection):
    first, second = insert(connection, record("A"), record("B"))
    for seq in (first, second):
        inspections.add_inspection(connection, seq, 1, task(seq))

    def take(now):
        return inspections.take_inspection(connection, now, lambda tries: now + tries * FIVE)

    assert take(NOW) == inspections.Inspection(first, 1, f"file{first}", 10, "application/pdf", 1)
    assert take(NOW).seq == second
    assert take(NOW) is None
    assert take(NOW + timedelta(minutes=6)).tries == 2
    inspections.give_back(connection, first, "again", None)
    assert take(NOW).tries == 3
    inspections.give_back(connection, first, "again", NOW + FIVE)
    assert take(NOW + timedelta(minutes=4)) is None
    assert take(NOW + timedelta(minutes=6)).tries == 4
    late = NOW + timedelta(minutes=7)
    assert take(late).seq == second
    assert take(late + timedelta(minutes=18)).seq == second, (
        "at its fourth try the first is waited with longer"
    )
    assert inspections.end_inspection(connection, first, "done", "")
    assert not inspections.end_inspection(connection, first, "failed", "late")
    assert inspections.inspection_state(connection, first) == "done"
    assert inspections.inspection_state(connection, 99) is None
    assert inspections.spooled_names(connection) == {f"file{second}"}


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: inspections.take_inspection(c, NOW, until, 1),
        lambda c: inspections.inspections_waiting(c, 2, 10, 100),
        inspections.spooled_names,
        inspections.give_all_back,
    ],
)
def test_of_many_inspections_those_that_wait_alone_are_looked_at(connection, ask):
    done = {"size": 10, "media_type": "application/pdf", "state": "done", "tries": 1, "reason": ""}
    rows = [{"seq": at, "path": f"file{at}", "tenant_id": at % 9, **done} for at in range(5000)]
    connection.execute(tables.inspection.insert(), rows)
    for seq in range(5000, 5020):
        inspections.add_inspection(connection, seq, seq % 3 + 1, task(seq))
    connection.execute(text("ANALYZE"))
    asked = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    ask(connection)
    event.remove(connection, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    for statement, parameters in asked:
        if "inspection.seq = " in statement:
            continue  # one row, by its key
        plan = connection.exec_driver_sql(f"{explain} {statement}", parameters).all()
        assert "ix_inspection_waiting" in str(plan), (statement, plan)


def test_two_workers_never_take_the_same_inspection(database):
    with database.writing() as connection:
        seqs = insert(connection, record("A"), record("B"))
        for seq in seqs:
            inspections.add_inspection(connection, seq, 1, task(seq))
    if database.engine.dialect.name == "sqlite":
        return  # one writer at a time
    with database.writing() as first, database.writing() as second:
        one = inspections.take_inspection(first, NOW, until)
        two = inspections.take_inspection(second, NOW, until)
    assert {one.seq, two.seq} == set(seqs)
