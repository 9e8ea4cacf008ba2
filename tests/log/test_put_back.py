"""A database that was put back, under a leader or under one that waits: found before anything is signed from it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, text, update

from notary.errors import AnchorUnavailable, Fatal, Overtaken
from notary.log import extends, sequence
from notary.log import publish as publishing
from notary.merkle.hashing import hash_leaf
from notary.merkle.tree import root_of
from notary.store.connecting import open_database
from notary.store.groups import closed_entries, closed_groups
from notary.store.migrate import migrate
from notary.store.objects import CHECKPOINT
from notary.store.places import group_of
from notary.store.sql import server_start
from notary.store.tables import checkpoint, commit_group, log_state, record
from tests.databases import with_tables
from tests.faults.world import published as objects_of
from tests.faults.world import tree
from tests.log.test_sequence import published, state_of
from tests.postgres import own_postgres
from tests.rig import LOG_KEY, ORIGIN, Rig


@pytest.fixture
def rig(database, tmp_path):
    return Rig(database, tmp_path).open()


def failed_over(rig, sequencer):
    """A leader closes at sizes 5 and 7; then a standby takes its database's place that lacks the last of it."""
    rig.submit(4)
    sequencer.sequence()
    older = state_of(rig)
    rig.submit(1, first=4)
    (lost,) = rig.submit(1, first=5)
    assert sequencer.sequence().size == 7
    put_back(rig, older)
    with rig.database.writing() as connection:
        connection.execute(delete(record).where(record.c.seq == lost.seq))
        connection.execute(delete(commit_group).where(commit_group.c.id == group_of(lost.seq)))
    rig.submit(2, first=6)
    return older


def put_back(rig, older):
    """As of an earlier state, under the same epoch."""
    with rig.database.writing() as connection:
        values = {"size": older.size, "root": older.root, "note": older.note, "staging": older.staging}
        connection.execute(update(log_state).values(**values))
        connection.execute(delete(checkpoint).where(checkpoint.c.size > older.size))
        placed = commit_group.c.first_idx >= older.size
        connection.execute(update(commit_group).where(placed).values(first_idx=None))


def refused(rig, sequencer, what):
    """Nothing is signed, staged or published, and the database stays as it is."""
    before, state = tree(rig.folder / "log"), state_of(rig)
    with pytest.raises(Fatal, match=what) as caught:
        sequencer.sequence()
    assert caught.value.code == "fatal"
    assert tree(rig.folder / "log") == before
    assert state_of(rig) == state
    assert published(rig).size == 7


def test_a_leader_notices_that_its_database_lacks_what_it_wrote(rig):
    leader = rig.sequencer()
    failed_over(rig, leader)
    refused(rig, leader, "this process left the database at size 7, and finds it at 5 under the same epoch 1")
    # The same process in another turn, and a new one.
    refused(rig, leader, "this process has seen a checkpoint of size 7, and the database is at size 5")
    refused(rig, rig.sequencer(), "a checkpoint of size 7 is published, ours is of size 5")


def test_what_is_published_is_compared_before_anything_is_signed(rig, monkeypatch):
    leader = rig.sequencer()
    failed_over(rig, leader)
    monkeypatch.setattr(extends, "require_left", lambda *_: None)
    refused(rig, leader, "a checkpoint of size 7 is published, ours is of size 5")


def test_a_smaller_checkpoint_that_is_published_must_be_one_of_ours(rig, monkeypatch):
    leader = rig.sequencer()
    failed_over(rig, leader)
    monkeypatch.setattr(extends, "require_left", lambda *_: None)
    monkeypatch.setattr(sequence, "check_published", lambda *_: False)
    with pytest.raises(Fatal, match="a checkpoint of size 7 is published that this database never had"):
        leader.sequence()
    assert published(rig).size == 7


def test_without_these_three_the_log_would_fork_and_nobody_would_say_so(rig, monkeypatch):
    leader = rig.sequencer()
    failed_over(rig, leader)
    seen = published(rig)
    monkeypatch.setattr(extends, "require_left", lambda *_: None)
    monkeypatch.setattr(sequence, "check_published", lambda *_: False)
    monkeypatch.setattr(publishing, "require_behind", lambda *_: True)
    assert leader.sequence().size == published(rig).size == 8
    with rig.database.reading() as connection:
        groups = closed_groups(connection, 0, 99)
        entries = closed_entries(connection, groups)
    log = [hash_leaf(entry) for group in groups for entry in entries[group.id]]
    assert root_of(log) == published(rig).root
    assert root_of(log[:7]) != seen.root  # what the world read at size 7 is no beginning of it


def test_two_roots_for_a_smaller_size_are_found_when_the_next_is_published(rig):
    leader = rig.sequencer()
    rig.submit(4)
    leader.sequence()
    other = sequence.sign_checkpoint(sequence.Checkpoint(ORIGIN, 1, bytes(32)), LOG_KEY).encode()
    rig.objects.replace(CHECKPOINT, other)
    rig.submit(1, first=4)
    before = state_of(rig)
    with pytest.raises(Fatal, match="two roots for size 1: 0000"):
        leader.sequence()
    assert state_of(rig) == before
    with pytest.raises(Fatal, match="two roots for size 1: 0000"):
        rig.sequencer().acquire()
    assert rig.objects.read(CHECKPOINT) == other


def test_a_database_that_went_on_while_its_leader_was_away_is_no_older_one(rig):
    """As after a swap whose answer was lost: what is there is read, and is not what was left."""
    leader, other = rig.sequencer("leader"), rig.sequencer("other")
    assert leader.acquire()
    rig.clock.advance(21)
    rig.submit(2)
    assert other.sequence().size == 3
    with pytest.raises(Overtaken):
        leader.sequence()
    other.release()
    rig.submit(1, first=2)
    assert leader.sequence().size == 4
    assert rig.fsck().problems == []


@pytest.mark.parametrize("shown", ["lost", "older"])
def test_what_is_anchored_is_compared_before_anything_is_written(rig, shown):
    first = rig.objects.read(CHECKPOINT)
    rig.submit(2)
    leader = rig.sequencer()
    leader.sequence()
    leader.release()
    rig.objects.delete(CHECKPOINT)
    if shown == "older":
        rig.objects.replace(CHECKPOINT, first)
    rig.submit(1, first=2)
    before, stored = tree(rig.folder / "log"), state_of(rig)
    for head, what in (
        (3, "two roots for size 3"),
        (4, "a head of size 4 is anchored, but the database ends at 3"),
    ):
        with pytest.raises(Fatal, match=what):
            rig.sequencer(witnesses=[lambda head=head: (head, bytes(32))]).sequence()
    assert tree(rig.folder / "log") == before, "it was shown to the world"
    assert state_of(rig) == stored, "the lease was taken"


def test_what_is_published_is_compared_before_the_lease_is_taken(rig):
    rig.submit(4)
    rig.sequencer().sequence()
    older = state_of(rig)
    rig.submit(2, first=4)
    leader = rig.sequencer()
    leader.sequence()
    leader.release()
    put_back(rig, older)
    before = state_of(rig)
    refused(rig, rig.sequencer(), "a checkpoint of size 7 is published, ours is of size 5")
    assert state_of(rig) == before


# --- a chain that is silent


@pytest.fixture
def silent():
    """A witness that can be told to be silent, and counts who asked."""

    class Witness:
        head, silent, asked = (0, b""), False, 0

        def __call__(self):
            self.asked += 1
            if self.silent:
                raise AnchorUnavailable("no answer")
            return self.head

    return Witness()


def test_who_waited_and_looked_takes_over_while_the_chain_is_silent(rig, silent):
    leader, standby = (rig.sequencer(name, witnesses=[silent]) for name in ("leader", "standby"))
    rig.submit(2)
    assert leader.sequence().size == 3
    assert not standby.acquire()
    silent.head, silent.silent = (3, state_of(rig).root), True
    rig.submit(1, first=2)
    assert leader.sequence().size == 4
    for _ in range(50):  # it looks with each poke, for longer than a lease lasts
        rig.clock.advance(5)
        assert leader.sequence() is None
        assert standby.sequence() is None
    rig.clock.advance(21)  # the leader died
    rig.submit(1, first=3)
    assert standby.sequence().size == 5
    assert silent.asked == 2
    assert rig.fsck().problems == []


def test_who_did_not_look_for_long_asks_again(rig, silent):
    """What others closed meanwhile it does not know, and an older copy of all of it would look like the newest."""
    leader, standby = (rig.sequencer(name, witnesses=[silent]) for name in ("leader", "standby"))
    rig.submit(2)
    assert leader.sequence().size == 3
    assert not standby.acquire()
    silent.silent = True
    rig.submit(1, first=2)
    rig.clock.advance(61)
    with pytest.raises(AnchorUnavailable, match="no answer"):
        standby.sequence()
    silent.silent = False
    assert standby.sequence().size == 4


def test_a_new_process_closes_nothing_while_the_chain_is_silent_whatever_database_and_objects_say(
    rig, silent
):
    """They agree, and may both be of last week: a whole host that was put back has forgotten all that would tell."""
    leader = rig.sequencer("leader", witnesses=[silent])
    rig.submit(2)
    leader.sequence()
    leader.release()
    silent.silent = True
    rig.submit(1, first=2)
    for seconds in (1, 600, 7200):
        rig.clock.advance(seconds)
        with pytest.raises(AnchorUnavailable, match="no answer"):
            rig.sequencer("new", witnesses=[silent]).sequence()
    assert state_of(rig).size == 3


def test_who_waited_refuses_an_older_copy_of_database_and_objects(rig, silent):
    leader, standby = (rig.sequencer(name, witnesses=[silent]) for name in ("leader", "standby"))
    rig.submit(4)
    leader.sequence()
    older, shown = state_of(rig), rig.objects.read(CHECKPOINT)
    assert not standby.acquire()
    rig.submit(2, first=4)
    leader.sequence()
    assert not standby.acquire()
    leader.release()
    put_back(rig, older)
    for name in objects_of(tree(rig.folder)):
        if name.endswith("/7"):
            rig.objects.delete(name.removeprefix("log/"))
    rig.objects.replace(CHECKPOINT, shown)
    silent.silent = True
    before = state_of(rig)
    with pytest.raises(
        Fatal, match="this process has seen a checkpoint of size 7, and the database is at size 5"
    ):
        standby.sequence()
    assert state_of(rig) == before
    assert rig.objects.read(CHECKPOINT) == shown


# --- another server within a close


@pytest.mark.parametrize("guarded", [True, False])
def test_a_server_that_is_another_within_a_close_is_given_no_places(tmp_path, monkeypatch, guarded):
    """Tiles are of a group that it lost, whose number it has given to another group."""
    with own_postgres() as server:
        database = open_database(server.url.replace("/?", "/postgres?"))
        migrate(database)
        rig = Rig(database, tmp_path).open()
        leader = rig.sequencer()
        assert leader.acquire()
        (lost,) = rig.submit(1)
        before = state_of(rig)
        if not guarded:
            monkeypatch.setattr(sequence, "server_start", lambda _connection: None)

        def fail_over(*arguments):
            server.stop()
            server.start()
            with database.writing() as connection:  # what the other server has in its place
                connection.execute(delete(record).where(record.c.seq == lost.seq))
                connection.execute(delete(commit_group).where(commit_group.c.id == group_of(lost.seq)))
                connection.execute(
                    text("SELECT setval('commit_group_id_seq', :id, false)"), {"id": group_of(lost.seq)}
                )
            (other,) = rig.submit(1, first=1)
            assert group_of(other.seq) == group_of(lost.seq)
            return signed(*arguments)

        signed = sequence.sign_checkpoint
        monkeypatch.setattr(sequence, "sign_checkpoint", fail_over)
        if guarded:
            with pytest.raises(
                Fatal, match="the database was started again within this close, or is another server"
            ):
                leader.sequence()
            assert state_of(rig) == before
            monkeypatch.undo()
            assert rig.sequencer().sequence().size == 2
            assert rig.fsck().problems == []
        else:
            assert leader.sequence().size == 2
            assert any("not that of its entries" in problem for problem in rig.fsck().problems)
        database.dispose()


def test_sqlite_is_a_file_and_a_server_is_known_by_its_start(sqlite, postgres_url):
    with sqlite.reading() as connection:
        assert server_start(connection) is None
    database = with_tables(postgres_url)
    with database.reading() as one, database.reading() as two:
        assert server_start(one) == server_start(two) < datetime.now(UTC)
    database.dispose()
