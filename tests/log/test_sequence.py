"""One close after another, by one process at a time."""

from datetime import timedelta

import pytest
import structlog
from sqlalchemy import update

from notary.errors import AnchorUnavailable, Fatal, NotReady, Overtaken, Unavailable
from notary.evidence.checkpoint import Checkpoint, open_checkpoint
from notary.evidence.receipt import group_root
from notary.intake.prepare import prepare
from notary.log import lead, sequence, staging
from notary.log.publish import check_published, publish
from notary.log.sequence import sign_checkpoint
from notary.merkle.hashing import hash_leaf
from notary.merkle.tree import root_of
from notary.store.groups import insert_group, waiting
from notary.store.logstate import read_state
from notary.store.objects import CHECKPOINT
from notary.store.records import insert_records, record_at, record_by_number
from notary.store.tables import log_state
from tests.databases import with_tables
from tests.rig import LOG_KEY, LOG_VERIFIER, ORIGIN, PROMISES, Rig


@pytest.fixture
def rig(database, tmp_path):
    return Rig(database, tmp_path).open()


def state_of(rig):
    with rig.database.reading() as connection:
        return read_state(connection)


def published(rig):
    return open_checkpoint(rig.objects.read(CHECKPOINT), ORIGIN, [LOG_VERIFIER]).checkpoint


def test_entries_that_wait_are_closed_under_one_checkpoint(rig):
    accepted = rig.submit(3)
    checkpoint = rig.sequencer().sequence()
    with rig.database.reading() as connection:
        entries = [record_at(connection, index).entry for index in range(4)]
        assert waiting(connection) is None
        assert [record_by_number(connection, a.number).index for a in accepted] == [1, 2, 3]
    assert entries[1:] == [a.entry for a in accepted]
    assert (checkpoint.size, checkpoint.root) == (4, root_of([hash_leaf(entry) for entry in entries]))
    assert (published(rig).size, published(rig).root) == (4, checkpoint.root)
    assert list(rig.objects.names("staging")) == []
    assert rig.fsck().problems == []


def test_nothing_waiting_makes_no_checkpoint(rig):
    sequencer = rig.sequencer()
    assert sequencer.sequence() is None
    assert published(rig).size == 1
    rig.submit(1)
    assert sequencer.sequence().size == 2
    assert sequencer.sequence() is None
    counts = {"leaves": 2, "incidents": 0, "checkpoints": 2, "objects": 4, "records": 2, "indexed": 0}
    assert rig.fsck().counts == counts


def test_a_log_grows_over_several_tiles(rig):
    sequencer = rig.sequencer()
    sizes = []
    for count in (254, 1, 1, 300, 200):
        rig.intake.accept_all([rig.document(b"%d %d" % (len(sizes), n)) for n in range(count)])
        rig.clock.advance(1)
        sizes.append(sequencer.sequence().size)
    assert sizes == [255, 256, 257, 557, 757]
    assert rig.fsck().problems == []
    prover = rig.prover()
    for old in sizes:
        prover.consistency(old, 757)
        prover.proof_at(0, old)
        prover.proof_at(old - 1, old)


def test_more_than_a_batch_takes_several_closes(rig):
    rig.submit(5)
    sequencer = rig.sequencer(max_batch=2)
    assert [sequencer.sequence().size for _ in range(3)] == [3, 5, 6]
    assert sequencer.sequence() is None
    assert rig.fsck().problems == []


def test_a_log_without_entry_0_is_not_sequenced(database, tmp_path):
    with pytest.raises(NotReady, match="no entry 0 yet"):
        Rig(database, tmp_path).sequencer().sequence()


def test_a_clock_that_is_set_back_a_little_is_waited_for(rig):
    sequencer = rig.sequencer()
    rig.submit(1)
    rig.clock.advance(20)
    sequencer.sequence()
    rig.submit(1, first=1)
    rig.clock.advance(-10)
    with pytest.raises(Unavailable, match="the clock was set back"):
        sequencer.sequence()
    assert not sequencer.leading
    rig.clock.advance(10)
    assert sequencer.sequence().size == 3


def test_a_clock_before_the_newest_checkpoint_stops_everything(rig):
    sequencer = rig.sequencer()
    rig.submit(1)
    rig.clock.advance(10)
    sequencer.sequence()
    rig.submit(1, first=1)
    rig.clock.advance(-11)
    with pytest.raises(
        Fatal, match=r"the clock says .* before the newest checkpoint .*: start again after it"
    ):
        sequencer.sequence()
    with pytest.raises(Fatal, match=r"the clock says .* before the newest checkpoint"):
        rig.sequencer().acquire()
    rig.clock.advance(11)
    assert rig.sequencer().sequence().size == 3


def test_who_goes_by_a_clock_before_the_newest_checkpoint_takes_the_lease_from_nobody(rig):
    first, second = rig.sequencer("first"), rig.sequencer("second")
    rig.submit(1)
    rig.clock.advance(11)
    first.sequence()
    first.release()
    before = state_of(rig)
    rig.clock.advance(-11)
    with pytest.raises(Fatal, match="before the newest checkpoint"):
        second.acquire()
    assert state_of(rig) == before


def test_a_lease_of_a_clock_that_ran_ahead_binds_nobody(rig):
    first, second = rig.sequencer("first"), rig.sequencer("second")
    rig.clock.advance(3600)
    assert first.acquire()
    rig.clock.advance(-3600)
    rig.submit(1)
    assert second.sequence().size == 2
    with pytest.raises(Overtaken, match="another process makes the checkpoints now"):
        first.sequence()
    assert state_of(rig).lease_until == rig.clock() + timedelta(seconds=20)


def test_a_lease_of_a_clock_that_differs_by_less_than_a_lease_is_kept(rig):
    first, second = rig.sequencer("first"), rig.sequencer("second")
    rig.clock.advance(60)
    assert first.acquire()
    rig.clock.advance(-20)
    assert not second.acquire()
    rig.clock.advance(-1)
    assert second.acquire()


def test_who_waits_says_once_for_whom(rig):
    first, second = rig.sequencer("first"), rig.sequencer("second")
    assert first.acquire()
    with structlog.testing.capture_logs() as lines:
        assert not second.acquire()
        assert not second.acquire()
    told = [(line["holder"], line["until"]) for line in lines if "waiting" in line["event"]]
    assert told == [("first", (rig.clock() + timedelta(seconds=20)).isoformat())]


def test_a_note_of_another_name_is_never_swapped_in(rig):
    sequencer = rig.sequencer()
    sequencer.origin, sequencer.find_key = "log.example.org/2062", lambda _verifier: LOG_KEY
    rig.submit(1)
    before = state_of(rig)
    for _ in range(2):
        with pytest.raises(Fatal, match="a checkpoint is not of this log and key"):
            sequencer.sequence()
    assert (state_of(rig).size, state_of(rig).note) == (1, before.note)
    assert rig.sequencer().sequence().size == 2
    assert rig.fsck().problems == []


def test_one_sequencer_works_and_others_wait(rig):
    first, second = rig.sequencer("first"), rig.sequencer("second")
    rig.submit(1)
    assert first.acquire()
    assert not second.acquire()
    assert second.sequence() is None
    assert first.sequence().size == 2


def test_a_lease_is_renewed_while_its_holder_works(rig):
    first, second = rig.sequencer("first"), rig.sequencer("second")
    assert first.acquire()
    for _ in range(5):
        rig.clock.advance(15)
        assert first.sequence() is None
        assert not second.acquire()


def test_a_silent_holder_is_replaced_and_touches_nothing_afterwards(rig):
    first, second = rig.sequencer("first"), rig.sequencer("second")
    assert first.acquire()
    rig.submit(2)
    rig.clock.advance(21)
    assert second.sequence().size == 3
    rig.submit(2, first=2)
    before = state_of(rig)
    with pytest.raises(Overtaken, match="another process makes the checkpoints now"):
        first.sequence()
    assert state_of(rig) == before
    assert published(rig).size == 3
    assert second.sequence().size == 5
    assert rig.fsck().problems == []


def test_a_holder_that_is_replaced_in_the_middle_of_a_close_touches_nothing(rig, monkeypatch):
    """It sleeps between signing and the swap, the worst place there is."""
    first, second = rig.sequencer("first"), rig.sequencer("second")
    assert first.acquire()
    rig.submit(2)

    def sleep(checkpoint, key):
        monkeypatch.undo()
        rig.clock.advance(21)
        rig.submit(1, first=2)  # so that the two batches differ
        assert second.sequence().size == 4
        return sign_checkpoint(checkpoint, key)

    monkeypatch.setattr("notary.log.sequence.sign_checkpoint", sleep)
    with pytest.raises(Overtaken, match=r"epoch 1 is over.*swap to size 3 failed.*another has moved it"):
        first.sequence()
    assert published(rig).size == state_of(rig).size == 4
    assert rig.fsck().problems == []


def test_without_the_epoch_in_the_swap_a_stale_holder_would_get_through(rig, monkeypatch):
    """The guard that the test above relies on, when size and root alone have not moved."""
    first, second = rig.sequencer("first"), rig.sequencer("second")
    assert first.acquire()
    rig.submit(1)

    def sleep(checkpoint, key):
        monkeypatch.undo()
        rig.clock.advance(21)
        assert second.acquire()
        return sign_checkpoint(checkpoint, key)

    monkeypatch.setattr("notary.log.sequence.sign_checkpoint", sleep)
    with pytest.raises(Overtaken, match="no longer at size 1 under epoch 1"):
        first.sequence()
    assert state_of(rig).size == 1
    assert second.sequence().size == 2


@pytest.mark.parametrize("taken", [True, False], ids=["another took over", "nobody did"])
def test_a_staging_object_that_is_gone_is_explained_by_another_process_alone(rig, monkeypatch, taken):
    first, second = rig.sequencer("first"), rig.sequencer("second")
    assert first.acquire()
    rig.submit(2)
    apply = staging.apply

    def sleep(objects, names):
        monkeypatch.undo()
        if taken:
            rig.clock.advance(21)
            assert second.acquire()
        else:
            staging.discard(objects, names)
        return apply(objects, names)

    monkeypatch.setattr(staging, "apply", sleep)
    with pytest.raises(Fatal, match="a staging object is gone") as caught:
        first.sequence()
    assert caught.value.code == ("overtaken" if taken else "fatal")


@pytest.mark.parametrize("taken", [True, False], ids=["another took over", "nobody did"])
def test_a_larger_checkpoint_that_is_published_is_explained_by_another_process_alone(rig, monkeypatch, taken):
    first, second = rig.sequencer("first"), rig.sequencer("second")
    assert first.acquire()
    rig.submit(2)
    larger = sign_checkpoint(Checkpoint(ORIGIN, 9, bytes(32)), LOG_KEY).encode()

    def sleep(*arguments):
        monkeypatch.undo()
        if taken:
            rig.clock.advance(21)
            rig.submit(1, first=2)
            assert second.sequence().size == 4
        else:
            rig.objects.replace(CHECKPOINT, larger)
        publish(*arguments)

    monkeypatch.setattr(sequence, "publish", sleep)
    with pytest.raises(Fatal, match=r"a checkpoint of size [49] is published, ours is of size 3") as caught:
        first.sequence()
    assert caught.value.code == ("overtaken" if taken else "fatal")


@pytest.mark.parametrize("taken", [True, False], ids=["another took over", "nobody did"])
def test_what_recovery_finds_is_explained_by_another_process_alone(rig, monkeypatch, taken):
    """It takes the lease and sleeps in its recovery, until the lease is over."""
    first, second = rig.sequencer("first"), rig.sequencer("second")
    rig.submit(2)
    larger = sign_checkpoint(Checkpoint(ORIGIN, 9, bytes(32)), LOG_KEY).encode()

    def sleep(*arguments):
        monkeypatch.undo()
        if taken:
            rig.clock.advance(21)
            assert second.sequence().size == 3
        else:
            rig.objects.replace(CHECKPOINT, larger)
        return check_published(*arguments)

    monkeypatch.setattr(sequence, "check_published", sleep)
    with pytest.raises(Fatal, match=r"a checkpoint of size [39] is published, ours is of size 1") as caught:
        first.acquire()
    assert caught.value.code == ("overtaken" if taken else "fatal")


def test_a_database_that_was_put_back_under_its_leader_is_explained_by_nobody(rig):
    first = rig.sequencer("first")
    assert first.acquire()
    with rig.database.writing() as connection:
        connection.execute(update(log_state).values(epoch=0))
    with pytest.raises(Fatal, match="the database is older than epoch 1 of this process") as caught:
        first.sequence()
    assert caught.value.code == "fatal"


def test_two_roots_are_explained_by_nobody(rig, monkeypatch):
    first, second = rig.sequencer("first"), rig.sequencer("second")
    assert first.acquire()
    rig.submit(2)

    def sleep(*arguments):
        monkeypatch.undo()
        rig.clock.advance(21)
        assert second.acquire()
        rig.objects.replace(CHECKPOINT, sign_checkpoint(Checkpoint(ORIGIN, 3, bytes(32)), LOG_KEY).encode())
        publish(*arguments)

    monkeypatch.setattr(sequence, "publish", sleep)
    with pytest.raises(Fatal, match="two roots for size 3") as caught:
        first.sequence()
    assert caught.value.code == "fatal"


def test_where_the_database_does_not_say_who_leads_all_is_unclear(rig, monkeypatch):
    first, second = rig.sequencer("first"), rig.sequencer("second")
    assert first.acquire()
    rig.submit(2)

    def silent(_connection):
        raise Unavailable("no answer")

    def sleep(objects, names):
        monkeypatch.undo()
        rig.clock.advance(21)
        assert second.acquire()
        monkeypatch.setattr(lead, "read_state", silent)
        return False

    monkeypatch.setattr(staging, "apply", sleep)
    with pytest.raises(Fatal, match=r"^a staging object is gone$") as caught:
        first.sequence()
    assert caught.value.code == "fatal"


def test_a_lease_that_is_lost_cannot_be_renewed(rig):
    first, second = rig.sequencer("first", lease=timedelta(seconds=1)), rig.sequencer("second")
    assert first.acquire()
    state = state_of(rig)
    rig.clock.advance(2)
    assert second.acquire()
    with pytest.raises(Overtaken, match="epoch 1 is over"):
        first._renew(state)


def test_a_lease_that_is_released_is_free_at_once(rig):
    first, second = rig.sequencer("first"), rig.sequencer("second")
    assert first.acquire()
    first.release()
    first.release()
    assert second.acquire()
    assert not first.acquire()


def test_the_newest_checkpoint_is_published_again_over_an_older_one(rig):
    """A holder that slept before publishing may put its older checkpoint there."""
    sequencer = rig.sequencer()
    older = rig.objects.read(CHECKPOINT)
    rig.submit(1)
    sequencer.sequence()
    rig.objects.replace(CHECKPOINT, older)
    assert sequencer.sequence() is None
    assert published(rig).size == 2


def test_commits_that_become_visible_out_of_order_are_all_closed(postgres_url, tmp_path):
    database = with_tables(postgres_url)
    rig = Rig(database, tmp_path).open()
    sequencer = rig.sequencer()
    now = rig.clock()
    slow = prepare(rig.document(b"first, but committed later"), None, None, ORIGIN, now, rig.random.randbytes)
    with rig.database.writing() as connection:
        note = PROMISES.sign(1, group_root([slow.entry]), state_of(rig), now)
        (first,) = insert_records(connection, insert_group(connection, 1, note, now, None), [slow])
        later = rig.intake.accept(rig.document(b"later, but committed first"))
        assert later.seq > first
        assert sequencer.sequence().size == 2
    assert sequencer.sequence().size == 3
    with rig.database.reading() as connection:
        assert [record_at(connection, index).seq for index in (1, 2)] == [later.seq, first]
    assert rig.fsck().problems == []
    database.dispose()


def test_a_database_older_than_an_anchored_head_makes_no_checkpoint(rig):
    rig.submit(2)
    newest = rig.sequencer().sequence()
    rig.submit(1, first=2)
    for head, what in (
        ((4, bytes(32)), "a head of size 4 is anchored, but the database ends at 3"),
        ((2, bytes(32)), "a head of size 2 is anchored that this log never had"),
        ((3, bytes(32)), "two roots for size 3: 0000"),
    ):
        with pytest.raises(Fatal, match=what):
            rig.sequencer(witnesses=[lambda head=head: head]).sequence()
    assert published(rig).size == 3
    held = [(0, bytes(32)), (3, newest.root)]
    assert rig.sequencer(witnesses=[lambda head=head: head for head in held]).sequence().size == 4


def test_a_witness_that_does_not_answer_stops_closing_and_not_submitting(rig):
    answers = [AnchorUnavailable("no answer"), (1, state_of(rig).root)]

    def witness():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    sequencer = rig.sequencer(witnesses=[witness])
    rig.submit(1)
    with pytest.raises(AnchorUnavailable, match="no answer"):
        sequencer.sequence()
    rig.submit(1, first=1)
    assert rig.sequencer("another").acquire()  # the lease was not taken
    rig.clock.advance(21)
    assert sequencer.sequence().size == 3
    # Afterwards its own checkpoints are the newest that there are: nobody is asked again.
    rig.submit(1, first=2)
    assert sequencer.sequence().size == 4
    assert answers == []
