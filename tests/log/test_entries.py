"""Entries that are read ahead come in their order, and an error in the thread is the reader's."""

import threading
from random import Random

import pytest

from notary.errors import Fatal
from notary.log import entries
from notary.store.groups import waiting_entries, waiting_groups
from tests.rig import Rig


def test_parts_are_the_groups_in_their_order_and_as_few_as_reach_the_size(monkeypatch):
    monkeypatch.setattr(entries, "READ_AT_ONCE", 10)
    random = Random(1)
    assert list(entries.parts([])) == []
    for _ in range(50):
        groups = [(number, random.randrange(1, 14)) for number in range(random.randrange(1, 40))]
        found = list(entries.parts(groups))
        assert [group for part in found for group in part] == groups
        totals = [sum(count for _, count in part) for part in found]
        assert all(total >= 10 for total in totals[:-1])
        # Without its last group no part would be large enough.
        assert all(total - part[-1][1] < 10 for total, part in zip(totals, found, strict=True))


def test_what_is_read_ahead_is_what_would_be_read_at_once(database, tmp_path, monkeypatch):
    monkeypatch.setattr(entries, "READ_AT_ONCE", 4)
    rig = Rig(database, tmp_path).open()
    for count in (1, 3, 5, 2, 2, 7):
        rig.intake.accept_all([rig.document() for _ in range(count)])
    with database.reading() as connection:
        groups = waiting_groups(connection, 1000)
        expected = waiting_entries(connection, groups)
    assert len(expected) == 20
    assert list(entries.waiting_ahead(database, groups)) == expected
    assert list(entries.waiting_ahead(database, [])) == []


def test_a_lost_record_stops_the_reader_and_its_thread(database, tmp_path, monkeypatch):
    monkeypatch.setattr(entries, "READ_AT_ONCE", 2)
    rig = Rig(database, tmp_path).open()
    for _ in range(3):
        rig.intake.accept_all([rig.document(), rig.document()])
    with database.writing() as connection:
        groups = waiting_groups(connection, 1000)
        connection.exec_driver_sql("DELETE FROM record WHERE seq = (SELECT max(seq) FROM record)")
    reading = entries.waiting_ahead(database, groups)
    assert [len(next(reading)) for _ in range(4)] == [32] * 4
    with pytest.raises(Fatal, match="has 1 records and says 2"):
        next(reading)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("entries")]


def test_a_reader_that_stops_early_leaves_no_thread(database, tmp_path, monkeypatch):
    monkeypatch.setattr(entries, "READ_AT_ONCE", 1)
    rig = Rig(database, tmp_path).open()
    for _ in range(4):
        rig.intake.accept(rig.document())
    with database.reading() as connection:
        groups = waiting_groups(connection, 1000)
    reading = entries.waiting_ahead(database, groups)
    next(reading)
    reading.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("entries")]
