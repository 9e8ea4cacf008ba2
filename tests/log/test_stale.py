"""A leader that was stopped in the middle of a close, and wakes after another took over, changes nothing."""

import os
import re
import signal
import time
from contextlib import contextmanager

import pytest
from sqlalchemy import select

from notary.log.index import index_digests
from notary.store.tables import SQLModel
from tests.databases import with_tables
from tests.faults.world import published, tree
from tests.rig import Rig
from tests.warm import WarmProcess

pytestmark = pytest.mark.crash

POINTS = ["staging", "swap", "tile/0", "tile/+", "tile/entries", "checkpoint", "delete"]
# What a stale leader says before it ends.
OVERTAKEN = "is over: another process makes the checkpoints now|another has moved it"


@contextmanager
def stopped(url, folder, *point):
    """The process, standing still at the point; killed afterwards if it is still there."""
    err = folder / "stale.err"
    process = WarmProcess([url, folder, *point], err, err, dict(os.environ), "tests.log.stale")
    try:
        while process.state() != "T":
            assert process.poll() is None, err.read_text()
            time.sleep(0.01)
        yield process, err
    finally:
        process.kill()
        process.wait(60)


def rows(database):
    """All that is in the database."""
    with database.reading(snapshot=True) as connection:
        return {
            name: sorted(map(repr, connection.execute(select(table))))
            for name, table in SQLModel.metadata.tables.items()
        }


def rig_of(url, folder) -> Rig:
    database = with_tables(url)
    rig = Rig(database, folder).open()
    rig.intake.accept_all([rig.document(b"document %d" % number) for number in range(249)])
    first = rig.sequencer("one")
    first.sequence()
    first.release()
    rig.submit(10, first=1000)
    return rig


def taken_over(rig):
    """Another leader after the lease of the first: what it closes, and what the world can read of it."""
    rig.clock.advance(60)
    second = rig.sequencer("two")
    while second.sequence():
        pass
    rig.clock.advance(5)
    rig.submit(8, first=2000)
    second.sequence()
    index_digests(rig.database)
    return second


def play(url, folder, *point):
    rig = rig_of(url, folder)
    try:
        played(rig, url, folder, *point)
    finally:
        rig.database.dispose()


def played(rig, url, folder, *point):
    with stopped(url, folder, *point) as (stale, err):
        second = taken_over(rig)
        before, stored = tree(folder), rows(rig.database)
        assert published(before)
        stale.send_signal(signal.SIGCONT)
        status, told = stale.wait(60), err.read_text()
    assert rows(rig.database) == stored, "a row was touched"
    after = tree(folder)
    assert published(after) == published(before)
    assert status == 1
    assert re.search(f"notary.errors.Overtaken: .*({OVERTAKEN})", told), told
    # It looks before it publishes. Stopped in between, it puts an older checkpoint there, one that is ours; that
    # stays until the leader looks, which it does with every close, also where nothing waits.
    if point != ("checkpoint",):
        assert after["log/checkpoint"] == before["log/checkpoint"]
    assert second.sequence() is None
    assert tree(folder)["log/checkpoint"] == before["log/checkpoint"]

    rig.submit(3, first=3000)
    assert second.sequence().size == 271
    second.release()
    assert rig.sequencer("three").acquire()  # which removes what the stale one may have left
    assert list(rig.objects.names("staging")) == []
    assert rig.fsck().problems == []


@pytest.fixture
def sqlite_url(tmp_path) -> str:
    return f"sqlite:///{tmp_path / 'notary.db'}"


@pytest.mark.parametrize("point", POINTS)
def test_a_stale_leader_touches_no_row_and_no_tile(sqlite_url, tmp_path, point):
    play(sqlite_url, tmp_path, point)


@pytest.mark.parametrize("point", ["swap", "tile/0", "checkpoint"])
def test_a_stale_leader_on_postgresql_touches_no_row_and_no_tile(postgres_url, tmp_path, point):
    play(postgres_url, tmp_path, point)


def test_a_leader_that_sleeps_in_its_transaction_loses_it(postgres_url, tmp_path):
    """Or nobody could take over: its transaction holds the row that every close swaps."""
    play(postgres_url, tmp_path, "swapping")


@pytest.mark.parametrize("where", ["sqlite_url", "postgres_url"])
def test_a_leader_that_does_not_look_whether_its_time_is_over_is_found(request, tmp_path, where):
    with pytest.raises(AssertionError, match="a row was touched"):
        play(request.getfixturevalue(where), tmp_path, "delete", "careless")
