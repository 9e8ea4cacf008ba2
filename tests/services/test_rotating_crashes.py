"""A rotation is stopped at every write, before it is done and after; the same command brings it to its end."""

from contextlib import contextmanager
from itertools import product

import pytest

from notary import keyring
from notary.evidence.key_history import HEAD, ROLES
from notary.evidence.trust_statement import check_versions
from notary.store.engine import Database
from notary.store.files import FileObjects
from tests.databases import with_tables
from tests.services.keys_world import World

pytestmark = pytest.mark.crash


class Stopped(BaseException):
    """The process is gone: nothing in the code can catch this."""


class Writes:
    """Counts what is written, and stops at the n-th, before it is done or when it is."""

    def __init__(self, at=None, after=False):
        self.at, self.after, self.count = at, after, 0

    @contextmanager
    def one(self):
        self.count += 1
        stop = self.count == self.at
        if stop and not self.after:
            raise Stopped
        yield
        if stop:
            raise Stopped


@pytest.fixture
def writes(monkeypatch):
    """Every transaction, every object of the log, every key file, and the hand-over count."""
    counting = Writes()
    writing, create = Database.writing, keyring._create

    @contextmanager
    def counted(self):
        with counting.one(), writing(self) as connection:
            yield connection

    def whole(function):
        def call(*arguments, **named):
            with counting.one():
                return function(*arguments, **named)

        return call

    monkeypatch.setattr(Database, "writing", counted)
    monkeypatch.setattr(keyring, "_create", whole(create))
    for name in ("create", "create_all", "replace", "delete"):
        monkeypatch.setattr(FileObjects, name, whole(getattr(FileObjects, name)))
    return counting


def rotate(world, writes, role, **more):
    def hand_over(old, new):
        with writes.one():
            if not world.handed:  # as the contract, which has nothing to do the second time
                world.handed.append((old, new))

    return world.rotating(take_over={HEAD: hand_over}).rotate(role, **more)


def settled(world, role):
    """What must be true at the end, whatever happened on the way."""
    first, last = world.history.periods(role)
    assert first.ended
    assert not last.ended
    assert world.history.in_force(role) == last.key
    newest = world.statements.newest()
    assert newest.toml == world.statements.current().file()
    versions = [world.statements.read(number) for number in range(1, newest.version + 1)]
    assert check_versions(versions, newest.fingerprint).newest.version == newest.version
    files = sorted(path.name for path in world.paths.folder.iterdir())
    assert len(files) == 3
    assert not any(name.startswith(".") for name in files)
    assert (len(world.handed) == 1) is (role == HEAD)
    assert world.problems() == []


# Of `make test` a sample: an odd step, so that the writes are stopped before and after they are done by turns.
EVERYWHERE = [pytest.param(role, 1, marks=(pytest.mark.faults, pytest.mark.timeout(1800))) for role in ROLES]


@pytest.mark.parametrize(("role", "step"), [*((role, 5) for role in ROLES), *EVERYWHERE])
def test_a_rotation_that_is_stopped_anywhere_is_brought_to_its_end(new_world, writes, role, step):
    world = new_world("whole")
    writes.count = 0
    assert rotate(world, writes, role) is True
    total = writes.count
    settled(world, role)
    assert total >= 20
    both = (False, True) if step == 1 else (None,)
    for at, when in product(range(1, total + 1, step), both):
        after = bool(at % 2) if when is None else when
        stopped = new_world(f"{at} {after}")
        writes.at, writes.after, writes.count = at, after, 0
        with pytest.raises(Stopped):
            rotate(stopped, writes, role)
        writes.at = None
        assert [p for p in stopped.problems() if "staging" not in p and not lagging(p)] == [], at
        # Another process, perhaps only once the lease of the one before has run out.
        stopped.rig.clock.advance(30)
        stopped.restarted()
        # Only where all was said and closed does the same command begin another rotation.
        rotate(stopped, writes, role, finish=finished(stopped, role))
        settled(stopped, role)


def finished(world, role):
    history, newest = world.history, world.statements.newest()
    ended = history.periods(role)[0].ended and all(event.index is not None for event in history.events)
    return ended and newest.toml == world.statements.current().file() and not world.rotating()._waits()


def lagging(problem):
    """What only recovery mends: a checkpoint that the database has and whose objects are not there yet."""
    return "published" in problem or "is missing" in problem


@pytest.fixture
def new_world(tmp_path):
    opened = []

    def make(name):
        folder = tmp_path / name
        folder.mkdir()
        database = with_tables(f"sqlite:///{folder}/notary.db")
        opened.append(database)
        return World.make(database, folder)

    yield make
    for database in opened:
        database.dispose()
