"""The writer: what comes at the same time is one group, and what goes wrong for one goes wrong for no other."""

import asyncio
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from notary.errors import (
    Busy,
    Conflict,
    NotReady,
    NumberTaken,
    TooManyRequests,
    Unavailable,
    WriterEnded,
)
from notary.evidence.receipt import check_receipt, open_receipt
from notary.evidence.statement import Block
from notary.intake import replays
from notary.intake import writer as module
from notary.intake.bulk import prepare_bulk
from notary.intake.bulkparse import parse_array
from notary.intake.group import ClaimTaken, commit
from notary.intake.promises import Conditions
from notary.intake.told import Waiting, deliver
from notary.intake.writer import FRESH_SECONDS, STALE_SECONDS, Writer
from notary.services.submitting import answer
from notary.store.claims import Claim
from notary.store.engine import Database
from notary.store.groups import groups_after
from notary.store.records import count_records
from notary.store.tenants import create_tenant
from tests.databases import with_tables
from tests.faults import Fault, faulty
from tests.intake.samples import digests_of
from tests.rig import ORIGIN, PROMISES, RECEIPT_VERIFIER, Rig


@dataclass(frozen=True)
class Held(Database):
    """A database that lets writers in when told to, and counts them."""

    entered: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)
    writers: list[None] = field(default_factory=list)

    @contextmanager
    def writing(self):
        self._let_in()
        with super().writing() as connection:
            yield connection

    @contextmanager
    def at_once(self):
        self._let_in()
        with super().at_once() as connection:
            yield connection

    def _let_in(self):
        self.entered.set()
        assert self.gate.wait(30)
        self.writers.append(None)


@dataclass(frozen=True)
class Slow(Database):
    """A database that takes so many seconds to commit."""

    rig: Rig = None
    seconds: float = 0

    @contextmanager
    def writing(self):
        with super().writing() as connection:
            yield connection
        self.rig.clock.advance(self.seconds)

    @contextmanager
    def at_once(self):
        with super().at_once() as connection:
            yield connection
        self.rig.clock.advance(self.seconds)


@pytest.fixture
def rig(database, tmp_path):
    return Rig(database, tmp_path).open()


@pytest.fixture
def make(rig):
    """Makes writers over a database of choice."""
    made = []

    def make(database=None, **changes) -> Writer:
        writer = Writer(replace(rig.intake, database=database or rig.database, **changes))
        made.append(writer)
        return writer

    yield make
    for writer in made:
        writer.close()


@pytest.fixture
def held(rig):
    held = Held(rig.database.engine, rig.database._lock)
    yield held
    held.gate.set()


def item(rig, name="a contract", claim=None, block=None, **changes):
    at = Conditions(rig.intake.conditions().state, block)
    return rig.intake.prepare([rig.document(name.encode(), **changes)], at, claim)


def bulk(rig, count=3, claim=None, block=None):
    body = b"[" + b",".join(b'"%s"' % digest.hex().encode() for digest in digests_of(count)) + b"]"
    made = parse_array(body)
    return prepare_bulk(made, rig.tenant, claim, block, ORIGIN, rig.clock(), rig.random.randbytes, None)


def claim_of(rig, key="k1", request=bytes(32)):
    return Claim(rig.tenant, key, request)


def groups(rig):
    """How many records each group has, entry 0 left out."""
    with rig.database.reading() as connection:
        return [group.count for group in groups_after(connection, 0, 1000)][1:]


def stored(rig):
    with rig.database.reading() as connection:
        return count_records(connection) - 1


def submitting(writer, one):
    return writer.add_bulk(one) if hasattr(one, "parts") else writer.add(one)


def while_busy(rig, writer, held, items):
    """What becomes of items that come while the writer stores another."""

    async def run():
        first = asyncio.create_task(writer.add(item(rig, "the first")))
        await asyncio.to_thread(held.entered.wait, 30)
        tasks = [asyncio.create_task(submitting(writer, one)) for one in items]
        await asyncio.sleep(0.05)
        held.gate.set()
        await first
        return await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(run())


def checked(outcome):
    """The receipt of an accepted item proves what it is about."""
    (accepted,) = outcome
    promise, file = open_receipt(accepted.receipt, ORIGIN, [RECEIPT_VERIFIER])
    check_receipt(promise, file, accepted.entry)
    return promise, file


def sound(rig):
    rig.sequencer().sequence()
    assert rig.fsck().problems == []


# --- groups


def test_what_comes_at_the_same_time_is_one_transaction_under_one_signature(rig, make, held):
    outcomes = while_busy(rig, make(held), held, [item(rig, f"{n}") for n in range(50)])
    promises, files = zip(*map(checked, outcomes), strict=True)
    assert groups(rig) == [1, 50]
    assert len(held.writers) == 2
    assert {promise.count for promise in promises} == {50}
    assert len({file.note for file in files}) == 1
    assert [file.index for file in files] == list(range(50))
    sound(rig)


def test_what_comes_one_after_another_is_a_group_each(rig, make, held):
    """The control of the one above: nobody is kept waiting for others to come."""
    writer = make(held)
    held.gate.set()
    for name in "abc":
        checked(writer.add_and_wait(item(rig, name)))
    assert groups(rig) == [1, 1, 1]
    assert len(held.writers) == 3


def test_items_of_two_blocks_never_share_a_group(rig, make, held):
    one, two = (Block(31337, n, bytes(32), 1772362800 + n) for n in (5, 6))
    order = [one, one, two, None, None, one]
    outcomes = while_busy(
        rig, make(held), held, [item(rig, f"{n}", block=block) for n, block in enumerate(order)]
    )
    assert groups(rig) == [1, 2, 1, 2, 1]
    assert [checked(outcome)[0].count for outcome in outcomes] == [2, 2, 1, 2, 2, 1]
    with rig.database.reading() as connection:
        named = [group.not_before_number for group in groups_after(connection, 0, 10)]
    assert named[1:] == [None, 5, 6, None, 5]


def test_a_bulk_request_is_a_group_of_its_own(rig, make, held):
    items = [item(rig, "a"), bulk(rig, 3), bulk(rig, 4), item(rig, "b"), item(rig, "c")]
    outcomes = while_busy(rig, make(held), held, items)
    assert groups(rig) == [1, 1, 3, 4, 2]
    assert [made.group for made in outcomes[1:3]] == [4, 5]
    assert [checked(outcomes[n])[0].count for n in (0, 3, 4)] == [1, 2, 2]
    sound(rig)


def test_a_group_has_a_largest_size(rig, make, held, monkeypatch):
    monkeypatch.setattr(module, "MAX_GROUP", 3)
    while_busy(rig, make(held), held, [item(rig, f"{n}") for n in range(7)])
    assert groups(rig) == [1, 3, 3, 1]


# --- bounds


def test_a_queue_that_is_full_refuses_and_takes_again_when_there_is_room(rig, make, held, monkeypatch):
    monkeypatch.setattr(module, "MAX_QUEUED", 4)
    monkeypatch.setattr(module, "SHARE", 3)
    with rig.database.writing() as connection:
        other = create_tenant(connection, "another", rig.clock()).id
    writer = make(held)
    ours = [item(rig, f"{n}") for n in range(3)]
    theirs = [item(rig, f"{n}", tenant_id=other) for n in range(2)]
    *two, over = while_busy(rig, writer, held, ours)  # the first of `while_busy` is ours, too
    with pytest.raises(TooManyRequests, match="more than 3 records of your organisation wait to be stored"):
        raise over
    for outcome in two:
        checked(outcome)
    held.gate.clear()
    held.entered.clear()
    *some, last = while_busy(rig, writer, held, [*ours[2:], theirs[0], item(rig, "x"), theirs[1]])
    with pytest.raises(Busy, match="too much is being submitted at this moment"):
        raise last
    for outcome in some:
        checked(outcome)
    checked(writer.add_and_wait(theirs[1]))
    assert (writer._total, set(writer._queued.values())) == (0, {0})
    assert stored(rig) == 8


def test_a_bulk_request_counts_by_its_records(rig, make, monkeypatch):
    monkeypatch.setattr(module, "SHARE", 3)
    writer = make()
    with pytest.raises(TooManyRequests, match="more than 3 records"):
        asyncio.run(writer.add_bulk(bulk(rig, 4)))
    asyncio.run(writer.add_bulk(bulk(rig, 3)))
    assert groups(rig) == [3]


def test_what_a_submission_rests_on_is_read_again_when_it_is_old(rig, make):
    writer = make()
    seconds = 0.0
    writer.clock = lambda: seconds
    assert not writer.known
    before = writer.conditions()
    assert writer.known
    rig.submit(1)
    rig.sequencer().sequence()
    assert writer.conditions() is before
    seconds = STALE_SECONDS + 0.01
    assert not writer.known
    assert writer.conditions().state.size == 2


def test_the_writer_looks_again_before_others_must(rig, make):
    writer = make()
    seconds = 0.0
    writer.clock = lambda: seconds
    before = writer.conditions()
    rig.submit(1)
    rig.sequencer().sequence()
    seconds = FRESH_SECONDS + 0.01
    assert writer.conditions() is before  # a request does not wait for the database
    writer.add_and_wait(item(rig))
    assert writer.conditions().state.size == 2


def test_a_log_that_can_promise_nothing_is_looked_at_again_soon(rig, make):
    rig.submit(1)
    rig.clock.advance(31)
    writer = make()
    seconds = 0.0
    writer.clock = lambda: seconds
    with pytest.raises(Unavailable, match="behind with closing"):
        writer.conditions()
    rig.sequencer().sequence()
    with pytest.raises(Unavailable, match="behind with closing"):
        writer.conditions()
    seconds = FRESH_SECONDS + 0.01
    assert writer.conditions().state.size == 2


def test_nothing_is_stored_while_no_promise_can_be_given(rig, make):
    rig.submit(1)
    late = item(rig)
    rig.clock.advance(31)
    writer = make()
    with pytest.raises(Unavailable, match="behind with closing"):
        writer.add_and_wait(late)
    with pytest.raises(Unavailable, match="behind with closing"):
        writer.conditions()
    assert stored(rig) == 1


def test_a_log_that_is_not_open_takes_nothing(database, tmp_path):
    with pytest.raises(NotReady, match="the log is not open yet"):
        Writer(Rig(database, tmp_path).intake).conditions()


# --- claims


def test_equal_claims_in_one_group_make_one_record_and_equal_answers(rig, make, held):
    claim = claim_of(rig)
    items = [item(rig, claim=claim), item(rig, "another"), item(rig, claim=claim), item(rig, claim=claim)]
    first, another, *again = while_busy(rig, make(held), held, items)
    assert groups(rig) == [1, 2]
    assert {str(answer(*outcome)) for outcome in again} == {str(answer(*first))}
    assert [outcome[0].replayed for outcome in (first, *again)] == [False, True, True]
    assert checked(another)[1].index == 1
    sound(rig)


def test_equal_claims_in_two_groups_make_one_record_and_equal_answers(rig, make):
    writer, claim = make(), claim_of(rig)
    first = writer.add_and_wait(item(rig, claim=claim))
    rig.clock.advance(20)
    rig.sequencer().sequence()
    again = writer.add_and_wait(item(rig, claim=claim))
    assert answer(*again) == answer(*first)
    assert stored(rig) == 1
    writer.add_and_wait(item(rig))  # without a claim it is another record
    assert stored(rig) == 2


@pytest.mark.parametrize("before", [False, True])
def test_a_claim_of_another_request_is_the_conflict_of_that_item_alone(rig, make, held, before):
    claim, other = claim_of(rig), claim_of(rig, request=b"x" * 32)
    if before:
        rig.intake.accept(rig.document(), claim)
    items = [item(rig, "a"), item(rig, claim=claim), item(rig, "b", claim=other), item(rig, "c")]
    *good, conflict, last = while_busy(rig, make(held), held, items)
    with pytest.raises(Conflict, match="used for another request"):
        raise conflict
    for outcome in (*good, last):
        checked(outcome)
    assert stored(rig) == 4
    sound(rig)


def test_a_bulk_request_is_told_what_its_claim_was_answered_with(rig, make):
    writer, claim = make(), claim_of(rig)
    made = asyncio.run(writer.add_bulk(bulk(rig, 3, claim)))
    again = asyncio.run(writer.add_bulk(bulk(rig, 3, claim)))
    assert (again.first_seq >> 14, again.count) == (made.group, 3)
    again.check(claim)
    with pytest.raises(Conflict, match="used for another request"):
        again.check(replace(claim, request_sha256=b"x" * 32))
    assert groups(rig) == [3]


# --- failures


@pytest.mark.parametrize("committed", [False, True])
def test_a_database_that_goes_away_is_the_error_of_each(rig, make, committed):
    fault = Fault("swap", committed)
    writer = make(faulty(rig.database, fault))
    claims = [claim_of(rig, f"k{n}") for n in range(3)]

    async def run():
        adding = (writer.add(item(rig, f"{n}", claim)) for n, claim in enumerate(claims))
        return await asyncio.gather(*adding, return_exceptions=True)

    for error in asyncio.run(run()):
        with pytest.raises(Unavailable, match="the database went away"):
            raise error
    assert stored(rig) == 3 * committed
    fault.point = None
    for n, claim in enumerate(claims):
        (accepted,) = writer.add_and_wait(item(rig, f"{n}", claim))
        assert accepted.replayed == committed
    assert stored(rig) == 3
    sound(rig)


def test_a_fault_of_ours_is_the_error_of_each_and_the_writer_goes_on(rig, make, held):
    calls = []

    def broken():
        if threading.current_thread().name == "writer" and held.writers:
            calls.append(None)
            if len(calls) == 3:  # the second group; each is asked for its time, and whether that has passed
                raise ValueError("a defect")
        return rig.clock()

    writer = make(held, now=broken)
    for error in while_busy(rig, writer, held, [item(rig, "a"), item(rig, "b")]):
        with pytest.raises(Unavailable, match="the service could not store this; send it again"):
            raise error
    checked(writer.add_and_wait(item(rig, "c")))
    assert groups(rig) == [1, 1]


def test_a_number_that_is_taken_is_the_error_of_that_item_alone(rig, make, held):
    taken = rig.intake.accept(rig.document(b"before"))
    items = [item(rig, name) for name in "abc"]
    items[1].records = [replace(items[1].records[0], number=taken.number)]
    first, error, last = while_busy(rig, make(held), held, items)
    with pytest.raises(NumberTaken, match="a record number was drawn twice"):
        raise error
    checked(first)
    checked(last)
    assert groups(rig) == [1, 1, 1, 1]  # nothing of the three was stored at the first try
    sound(rig)


def test_one_number_twice_in_a_group_is_refused_once(rig, make, held):
    items = [item(rig, name) for name in "ab"]
    items[1].records = [replace(items[1].records[0], number=items[0].records[0].number)]
    first, error = while_busy(rig, make(held), held, items)
    checked(first)
    assert isinstance(error, NumberTaken)


def test_what_is_durable_is_answered_though_a_repetition_cannot_be_looked_up(rig):
    @dataclass(frozen=True)
    class Deaf(Database):
        @contextmanager
        def reading(self, *, snapshot=False):
            raise Unavailable("the database does not answer")
            yield

    claim, before, state = claim_of(rig), claim_of(rig, "k2"), rig.intake.conditions().state
    rig.intake.accept(rig.document(b"before"), before)
    items = [
        item(rig, claim=claim), item(rig, claim=claim), item(rig, claim=replace(claim, request_sha256=b"x" * 32)),
        item(rig, "b"), item(rig, "before", claim=before),
    ]  # fmt: skip
    commit(Deaf(rig.database.engine, rig.database._lock), items, PROMISES, state, rig.clock)
    checked(items[0].outcome)
    assert items[1].outcome == [replace(items[0].outcome[0], replayed=True)]  # of this group: nothing is read
    assert isinstance(items[2].outcome, Conflict)
    checked(items[3].outcome)
    assert (items[4].outcome, items[4].claimed.count) == (None, 1)  # for who looks it up, later


# --- another process


@pytest.fixture
def several(postgres_url, tmp_path):
    """A log on the database that lets more than one process write."""
    database = with_tables(postgres_url)
    yield Rig(database, tmp_path).open()
    database.dispose()


def overtaken(rig, by):
    """A clock that another process is quicker than: `by` is done between the look at a claim and its making."""
    done = []

    def now():
        if threading.current_thread().name == "writer" and done == ["conditions"]:
            done.append("overtaken")
            thread = threading.Thread(target=by)
            thread.start()
            thread.join()
        if threading.current_thread().name == "writer" and not done:
            done.append("conditions")
        return rig.clock()

    return now


@pytest.mark.parametrize("same", [True, False])
def test_a_claim_that_another_process_makes_meanwhile_is_found(several, same):
    rig, claim = several, claim_of(several)
    theirs, request = [], claim if same else replace(claim, request_sha256=b"x" * 32)

    def other():
        theirs.append(rig.intake.accept(rig.document(), request))

    writer = Writer(replace(rig.intake, now=overtaken(rig, other)))
    if same:
        assert answer(*writer.add_and_wait(item(rig, claim=claim))) == answer(*theirs)
    else:
        with pytest.raises(Conflict, match="used for another request"):
            writer.add_and_wait(item(rig, claim=claim))
    writer.close()
    assert len(theirs) == stored(rig) == 1
    sound(rig)


def test_a_claim_of_a_bulk_request_that_another_process_makes_meanwhile_is_found(several):
    rig, claim = several, claim_of(several)
    theirs = []

    def other():
        writer = Writer(rig.intake)
        theirs.append(asyncio.run(writer.add_bulk(bulk(rig, 3, claim))))
        writer.close()

    writer = Writer(replace(rig.intake, now=overtaken(rig, other)))
    found = asyncio.run(writer.add_bulk(bulk(rig, 3, claim)))
    writer.close()
    assert (found.first_seq >> 14, found.count) == (theirs[0].group, 3)
    assert groups(rig) == [3]


def test_without_a_second_try_such_a_claim_is_an_error(several):
    """The control of the two above."""
    rig, claim = several, claim_of(several)
    writer = Writer(replace(rig.intake, now=overtaken(rig, lambda: rig.intake.accept(rig.document(), claim))))
    one = item(rig, claim=claim)
    thread = threading.Thread(target=writer._commit, args=([one], 1), name="writer")
    thread.start()
    thread.join()
    with pytest.raises(ClaimTaken, match="another process makes the same claim at this moment"):
        raise one.outcome


# --- ends


def test_closing_commits_what_is_queued_and_refuses_what_comes_later(rig, make, held):
    writer = make(held)

    async def run():
        tasks = [asyncio.create_task(writer.add(item(rig, f"{n}"))) for n in range(5)]
        await asyncio.to_thread(held.entered.wait, 30)
        closing = asyncio.create_task(asyncio.to_thread(writer.close))
        while not writer._closed:  # noqa: ASYNC110 - a thread sets it
            await asyncio.sleep(0.01)
        with pytest.raises(Unavailable, match="the service is stopping"):
            await writer.add(item(rig, "late"))
        held.gate.set()
        outcomes = await asyncio.gather(*tasks)
        await closing
        return outcomes

    for outcome in asyncio.run(run()):
        checked(outcome)
    assert stored(rig) == 5
    with pytest.raises(Unavailable, match="the service is stopping"):
        writer.add_and_wait(item(rig, "late"))


def test_a_writer_that_was_never_used_closes(rig, make):
    make().close()


def test_who_fails_when_he_is_told_harms_nobody(rig, make):
    class Broken(Future):
        def set_result(self, result):
            raise ZeroDivisionError

    futures = [Broken(), Future()]
    items = [item(rig, "a"), item(rig, "b")]
    deliver([Waiting(each, 1, None, future) for each, future in zip(items, futures, strict=True)])
    assert futures[1].result(0) is None  # its outcome, of which there is none yet
    writer = make()
    writer.put(items[0], Broken())
    checked(writer.add_and_wait(items[1]))


def test_who_has_gone_harms_nobody(rig, make, held):
    writer = make(held)

    async def leaves():
        gone = asyncio.create_task(writer.add(item(rig, "gone")))
        cancelled = asyncio.create_task(writer.add(item(rig, "cancelled")))
        await asyncio.to_thread(held.entered.wait, 30)
        cancelled.cancel()
        await asyncio.sleep(0)
        assert cancelled.cancelled()
        assert not gone.done()

    asyncio.run(leaves())  # its loop is closed when this returns

    async def stays():
        doomed, kept = (asyncio.create_task(writer.add(item(rig, name))) for name in ("doomed", "kept"))
        await asyncio.sleep(0.02)
        doomed.cancel()
        held.gate.set()
        return await kept

    checked(asyncio.run(stays()))
    checked(writer.add_and_wait(item(rig, "after")))
    assert stored(rig) == 5  # what was queued is stored, whether anybody waits for it or not
    assert writer._total == 0


def test_a_promise_counts_from_the_commit_of_its_group(rig, make, held):
    (outcome,) = while_busy(rig, make(held), held, [item(rig)])
    assert checked(outcome)[0].close_by == rig.clock() + timedelta(seconds=60)


@contextmanager
def no_thread(monkeypatch, name):
    """The system begins no thread of this name."""
    start = threading.Thread.start

    def refused(thread):
        if thread.name == name:
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        yield


def test_a_thread_that_cannot_be_begun_is_said_so_and_begun_by_the_next(rig, make, monkeypatch):
    writer = make()
    with no_thread(monkeypatch, "writer"), pytest.raises(Unavailable, match="gives this service no thread"):
        writer.add_and_wait(item(rig))
    assert (writer._total, writer._queued[rig.tenant]) == (0, 0)
    assert len(writer.add_and_wait(item(rig))) == 1


def test_a_writer_outlives_that_nobody_can_answer_what_comes_again(rig, make, monkeypatch):
    writer, claim = make(), claim_of(rig)
    (first,) = writer.add_and_wait(item(rig, claim=claim))
    with no_thread(monkeypatch, "replays"):
        with pytest.raises(Unavailable, match="gives this service no thread"):
            writer.add_and_wait(item(rig, claim=claim))
        assert len(writer.add_and_wait(item(rig, "another"))) == 1
    (again,) = writer.add_and_wait(item(rig, claim=claim))
    assert (again.replayed, answer(again)) == (True, answer(first))
    assert writer._total == 0


PASSED = "longer than its receipt promises for all of closing, 2026-03-01T12:01:00Z; it is stored"


def slow(rig, seconds):
    return Slow(rig.database.engine, rig.database._lock, rig=rig, seconds=seconds)


@pytest.mark.parametrize("seconds", [60, 59])
@pytest.mark.parametrize("claimed", [False, True])
def test_a_receipt_whose_promise_has_passed_is_not_given_out_but_to_a_repetition(rig, make, seconds, claimed):
    writer, claim = make(slow(rig, seconds)), claim_of(rig) if claimed else None
    one, again = item(rig, claim=claim), item(rig, claim=claim)
    if seconds < 60:
        checked(writer.add_and_wait(one))
        return
    with pytest.raises(Unavailable, match=PASSED) as caught:
        writer.add_and_wait(one)
    assert type(caught.value) is Unavailable  # of the others it is known that nothing was stored
    assert stored(rig) == 1
    sound(rig)
    if claimed:
        (found,) = make().add_and_wait(again)
        assert (found.number, found.replayed) == (one.records[0].number, True)
        checked([found])


def test_a_bulk_request_whose_promise_has_passed_is_answered_when_it_is_repeated(rig, make):
    claim = claim_of(rig)
    with pytest.raises(Unavailable, match=PASSED):
        asyncio.run(make(slow(rig, 60)).add_bulk(bulk(rig, 3, claim)))
    sound(rig)
    asyncio.run(make(slow(rig, 59)).add_bulk(bulk(rig, 3)))
    sound(rig)
    again = asyncio.run(make().add_bulk(bulk(rig, 3, claim)))
    assert again.count == 3
    assert groups(rig) == [3, 3]


def test_an_item_that_comes_again_is_answered_however_long_the_commit_took(rig, make):
    claim = claim_of(rig)
    make().add_and_wait(item(rig, claim=claim))
    (again,) = make(slow(rig, 60)).add_and_wait(item(rig, claim=claim))
    assert again.replayed


# --- the end of a thread


def broken(*_):
    raise MemoryError


@pytest.mark.parametrize("name", ["_take", "_commit", "_answer", "_done"])
def test_a_writer_that_has_ended_keeps_nobody_waiting_and_takes_nothing(rig, make, held, monkeypatch, name):
    writer = make(held)

    async def run():
        first = asyncio.create_task(writer.add(item(rig, "the first")))
        await asyncio.to_thread(held.entered.wait, 30)
        others = [
            asyncio.create_task(submitting(writer, one))
            for one in (item(rig, "a"), bulk(rig), item(rig, "b"))
        ]
        await asyncio.sleep(0.05)
        once = getattr(Writer, name)

        def fails_once(*arguments):
            monkeypatch.setattr(Writer, name, once)
            raise MemoryError

        monkeypatch.setattr(Writer, name, fails_once)
        held.gate.set()
        async with asyncio.timeout(10):
            return await asyncio.gather(first, *others, return_exceptions=True)

    first, *others = asyncio.run(run())
    checked(first)  # it is durable
    assert {type(error) for error in others} == {WriterEnded}
    for one in (item(rig, "c"), bulk(rig)):
        with pytest.raises(WriterEnded, match="see the log, and start the process again"):
            asyncio.run(submitting(writer, one))
    with pytest.raises(WriterEnded):
        writer.add_and_wait(item(rig, "d"))
    assert stored(rig) == 1


def test_a_fault_while_a_fault_is_told_of_is_the_end_of_the_writer(rig, make, monkeypatch):
    """The way in which it happens: memory is short, and so it is for the log."""
    writer = make()
    monkeypatch.setattr(module, "commit", broken)
    monkeypatch.setattr(module._log, "error", broken)
    monkeypatch.setattr(module._log, "critical", broken)
    with pytest.raises(WriterEnded):
        writer.add_and_wait(item(rig))
    with pytest.raises(WriterEnded):
        writer.add_and_wait(item(rig))


def test_a_fault_of_the_thread_that_answers_again_is_told_and_ends_the_process(rig, make, monkeypatch):
    writer, claim = make(), claim_of(rig)
    writer.add_and_wait(item(rig, claim=claim))
    monkeypatch.setattr(replays, "answer_again", broken)
    monkeypatch.setattr(replays._log, "error", broken)
    future = Future()
    writer.put(item(rig, claim=claim), future)
    with pytest.raises(Unavailable, match="could not read this"):
        future.result(10)
    with pytest.raises(WriterEnded):
        writer.add_and_wait(item(rig, "another"))
