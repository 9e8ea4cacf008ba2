"""Every write of a close fails, once before anything is stored and once after: Sunlight's table.

After each failure the process stops; a new one recovers, closes what waits, and fsck finds nothing. The same
scenario goes red for a sequencer that writes in a careless order.
"""

import pytest

from notary.errors import Fatal, NotaryError, Unavailable
from notary.evidence.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from notary.evidence.note import parse_note
from notary.log import staging
from notary.log.batch import build
from notary.log.sequence import Sequencer
from notary.store.checkpoints import checkpoints_after
from notary.store.groups import assign_places, closed_groups, entries_of, waiting_entries, waiting_groups
from notary.store.logstate import read_state, swap_state
from notary.store.objects import CHECKPOINT
from tests.faults import Fault, FaultyObjects, faulty
from tests.rig import LOG_KEY, ORIGIN, Rig

pytestmark = pytest.mark.crash

# point -> error, and whether the log has moved on when it was not stored, when it was
POINTS = {
    "staging": (Unavailable, False, False),
    "swap": (Fatal, False, True),
    "tile/entries": (Unavailable, True, True),
    "tile/0": (Unavailable, True, True),
    "tile/1": (Unavailable, True, True),
    "checkpoint": (Unavailable, True, True),
    "delete": (Unavailable, True, True),
}
OLD, ADDED = 250, 10  # the close crosses a full tile, so that a tile of level 1 is written too


def scene(sqlite, tmp_path):
    fault = Fault()
    database = faulty(sqlite, fault)
    rig = Rig(database, tmp_path, objects=FaultyObjects(tmp_path / "log", fault)).open()
    submit(rig, OLD - 1)
    assert rig.sequencer().sequence().size == OLD
    return rig, fault


def submit(rig, count):
    mark = rig.random.randbytes(4).hex().encode()
    return rig.intake.accept_all([rig.document(b"%s %d" % (mark, n)) for n in range(count)])


def play(rig, fault, point, *, stored, kind=Sequencer):
    """Fail at `point`, twice, recover, and go on with other entries; asserts all that must hold."""
    error, moved_if_lost, moved_if_stored = POINTS[point]
    moved = moved_if_stored if stored else moved_if_lost
    accepted = submit(rig, ADDED)
    sequencer = rig.sequencer(kind=kind)
    assert sequencer.acquire()

    fault.point, fault.stored = point, stored
    with pytest.raises(error, match=r"the disk fails|the database went away"):
        sequencer.sequence()
    assert size_of(rig) == OLD + ADDED * moved

    # It is still broken when the next process comes, which may fail or find nothing left to do.
    fault.point = None
    with_more = submit(rig, 3)  # another batch than the one that failed
    fault.point = point
    follower = rig.sequencer(kind=kind)
    try:
        follower.acquire()
        follower.sequence()
    except NotaryError as again:
        assert isinstance(again, Unavailable | Fatal)  # noqa: PT017 - any of the points may be met again
    assert fault.hits >= 1

    fault.point = None
    survivor = rig.sequencer(kind=kind)
    assert survivor.acquire()
    while survivor.sequence():
        pass
    judge(rig, accepted + with_more, OLD + ADDED + 3)
    accepted += submit(rig, 300)
    assert survivor.sequence().size == OLD + ADDED + 3 + 300
    judge(rig, accepted, OLD + ADDED + 3 + 300)


def judge(rig, accepted, size):
    assert rig.fsck().problems == []
    assert size_of(rig) == size
    with rig.database.reading() as connection:
        groups = closed_groups(connection, 0, 10_000)
        logged = [entry for group in groups for entry in entries_of(connection, group.id)]
        roots = {stored.size: stored.root for stored in checkpoints_after(connection, 0, 10_000)}
    assert {item.entry for item in accepted} <= set(logged)
    assert len(set(logged)) == len(logged) == size
    # Whatever the world could read at any moment is one of ours, and never went back.
    shown = [parse_checkpoint(parse_note(note).text) for note in rig.objects.shown]
    assert [checkpoint.size for checkpoint in shown] == sorted(checkpoint.size for checkpoint in shown)
    assert all(roots[checkpoint.size] == checkpoint.root for checkpoint in shown)
    assert parse_checkpoint(parse_note(rig.objects.read(CHECKPOINT)).text).size == size
    assert list(rig.objects.names("staging")) == []


def size_of(rig):
    with rig.database.reading() as connection:
        return read_state(connection).size


@pytest.mark.parametrize("stored", [False, True], ids=["lost", "stored"])
@pytest.mark.parametrize("point", POINTS)
def test_a_write_that_fails_leaves_a_log_that_recovers(sqlite, tmp_path, point, stored):
    rig, fault = scene(sqlite, tmp_path)
    play(rig, fault, point, stored=stored)


class PublishesFirst(Sequencer):
    """Careless: shows a checkpoint to the world before the database has it."""

    def _close(self, epoch):
        now = self.now()
        with self.database.reading() as connection:
            state = self._state(connection, epoch, now)
            groups = waiting_groups(connection, self.max_batch)
            entries = waiting_entries(connection, groups)
        if not groups:
            return super()._close(epoch)
        (batch,) = build(self.objects, state.size, state.root, entries)
        note = sign_checkpoint(Checkpoint(ORIGIN, batch.size, batch.root), LOG_KEY).encode()
        self.objects.replace(CHECKPOINT, note)
        return super()._close(epoch)


class NamesFirst(Sequencer):
    """Careless: puts tiles at their names before the database has their checkpoint."""

    def _close(self, epoch):
        now = self.now()
        with self.database.reading() as connection:
            state = self._state(connection, epoch, now)
            groups = waiting_groups(connection, self.max_batch)
            entries = waiting_entries(connection, groups)
        if not groups:
            return super()._close(epoch)
        (batch,) = build(self.objects, state.size, state.root, entries)
        self.objects.create_all(batch.objects.items())
        return super()._close(epoch)


class SwapsFirst(Sequencer):
    """Careless: takes the tiles to their names without a staging object to recover from."""

    def _close(self, epoch):
        now = self.now()
        with self.database.reading() as connection:
            state = self._state(connection, epoch, now)
            groups = waiting_groups(connection, self.max_batch)
            entries = waiting_entries(connection, groups)
        if not groups:
            return super()._close(epoch)
        (batch,) = build(self.objects, state.size, state.root, entries)
        note = sign_checkpoint(Checkpoint(ORIGIN, batch.size, batch.root), LOG_KEY).encode()
        with self.database.writing() as connection:
            swap_state(connection, state, batch.size, batch.root, note, "staging/none", now)
            assign_places(connection, state.size, groups)
        self.objects.create_all(batch.objects.items())
        self.objects.replace(CHECKPOINT, note)
        return batch


@pytest.mark.parametrize(
    ("careless", "point", "what"),
    [
        (PublishesFirst, "swap", "a checkpoint of size 260 is published, ours is of size 250"),
        (NamesFirst, "swap", "belongs to no checkpoint"),
        (SwapsFirst, "tile/0", "is missing or damaged"),
    ],
)
def test_a_careless_order_goes_red(sqlite, tmp_path, careless, point, what):
    rig, fault = scene(sqlite, tmp_path)
    with pytest.raises((Fatal, AssertionError), match=what):
        play(rig, fault, point, stored=False, kind=careless)


def test_a_staging_object_that_is_gone_stops_a_close(sqlite, tmp_path, monkeypatch):
    rig, _ = scene(sqlite, tmp_path)
    submit(rig, 1)
    sequencer = rig.sequencer()
    sequencer.acquire()
    monkeypatch.setattr(staging, "apply", lambda _objects, _name: False)
    with pytest.raises(Fatal, match="staging object is gone"):
        sequencer.sequence()
    monkeypatch.undo()
    assert rig.sequencer().acquire()
    judge(rig, [], OLD + 1)
