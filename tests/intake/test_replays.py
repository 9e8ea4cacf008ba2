"""Requests that come again: nobody waits for them, each group is read once for all of them, and no lie is repeated."""

import asyncio
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import event, text

from notary.errors import Conflict, Fatal, Unavailable
from notary.evidence import receipt as receipts
from notary.evidence.receipt import receipts_of
from notary.intake import replays
from notary.intake.group import Item, commit
from notary.intake.replays import Replays, accepted_before, answer_again
from notary.intake.told import Waiting
from notary.intake.writer import Writer
from notary.services.submitting import answer
from notary.store.claims import Claim, Claimed
from notary.store.engine import Database
from notary.store.groups import entries_of, group_by_id
from notary.store.places import group_of
from tests.rig import PROMISES, Rig


@pytest.fixture
def rig(database, tmp_path):
    return Rig(database, tmp_path).open()


@dataclass(frozen=True)
class Watched(Database):
    """A database whose readers of one thread wait until they are let go, and that knows who read."""

    gate: threading.Event = field(default_factory=threading.Event)
    readers: set[str] = field(default_factory=set)

    @contextmanager
    def reading(self, *, snapshot=False):
        name = threading.current_thread().name
        self.readers.add(name)
        assert name != "replays" or self.gate.wait(30)
        with super().reading(snapshot=snapshot) as connection:
            yield connection


def claim_of(rig, name, request=bytes(32)):
    return Claim(rig.tenant, f"k{name}", request)


def item_of(rig, name, claim=None, **changes):
    return rig.intake.prepare([rig.document(name.encode(), **changes)], rig.intake.conditions(), claim)


def one_group(rig, count):
    """So many requests with claims that one group made."""
    return one_group_of(rig, "", count)


def one_group_of(rig, name, count):
    names = [f"{name}{n}" for n in range(count)]
    items = [item_of(rig, one, claim_of(rig, one), fields={"title": one}) for one in names]
    commit(rig.database, items, PROMISES, rig.intake.conditions().state, rig.clock)
    return items


def again(rig, items):
    """The same requests once more, as `commit` leaves them."""
    repeated = [Item(item.records, item.claim) for item in items]
    commit(rig.database, repeated, PROMISES, rig.intake.conditions().state, rig.clock)
    assert all(item.outcome is None and item.claimed is not None for item in repeated)
    return repeated


@contextmanager
def questions(database):
    """How often the database is asked."""
    asked = []

    def counted(_connection, _cursor, statement, *_):
        asked.append(statement)

    event.listen(database.engine, "before_cursor_execute", counted)
    try:
        yield asked
    finally:
        event.remove(database.engine, "before_cursor_execute", counted)


def test_what_is_new_is_answered_while_what_is_not_is_still_looked_up(rig):
    old = one_group(rig, 2)
    watched = Watched(rig.database.engine, rig.database._lock)
    writer = Writer(replace(rig.intake, database=watched))

    async def run():
        repeated = [asyncio.create_task(writer.add(Item(item.records, item.claim))) for item in old]
        new = [
            asyncio.create_task(writer.add(item_of(rig, f"new {n}", claim_of(rig, f"new {n}"))))
            for n in range(2)
        ]
        fresh = await asyncio.wait_for(asyncio.gather(*new), 20)
        assert not any(task.done() for task in repeated)
        assert writer._total == 2  # they count until they are answered
        watched.gate.set()
        return fresh, await asyncio.gather(*repeated)

    fresh, repeated = asyncio.run(run())
    assert not any(one.replayed for (one,) in fresh)
    assert [answer(*one) for one in repeated] == [answer(*item.outcome) for item in old]
    assert all(one.replayed for (one,) in repeated)
    writer.close()
    assert writer._total == 0
    assert watched.readers <= {"writer", "replays"}  # the writer looks at the log alone


def test_closing_answers_what_is_still_looked_up(rig):
    (old,) = one_group(rig, 1)
    watched = Watched(rig.database.engine, rig.database._lock)
    writer = Writer(replace(rig.intake, database=watched))

    async def run():
        asked = asyncio.create_task(writer.add(Item(old.records, old.claim)))
        await asyncio.sleep(0.05)
        closing = asyncio.create_task(asyncio.to_thread(writer.close))
        await asyncio.sleep(0.05)
        assert not closing.done()
        watched.gate.set()
        await closing
        return await asyncio.wait_for(asked, 5)

    assert answer(*asyncio.run(run())) == answer(*old.outcome)


@pytest.mark.parametrize("count", [1, 2, 30])
def test_a_group_is_read_once_for_all_that_come_again(rig, count):
    repeated = again(rig, one_group(rig, count))
    with questions(rig.database) as asked:
        answer_again(rig.database, repeated)
    assert sum("record" in one or "opening" in one or "commit_group" in one for one in asked) == 4


def test_the_writer_hands_over_those_of_one_group_together(rig, monkeypatch):
    first, second = one_group(rig, 3), one_group_of(rig, "another", 2)
    new = item_of(rig, "new")
    new.outcome = []
    writer, handed, done = Writer(rig.intake), [], []
    monkeypatch.setattr(Replays, "put", lambda _, items, then: handed.append(items) or then())
    monkeypatch.setattr(Writer, "_done", lambda _, group: done.append([waiting.item for waiting in group]))
    one, two = again(rig, first), again(rig, second)
    mixed = [one[0], two[0], new, one[1], two[1], one[2]]
    writer._answer([Waiting(item, 1, rig.tenant, Future()) for item in mixed])
    assert handed == [one, two]
    assert done == [[new], one, two]


def test_they_are_answered_byte_by_byte_as_before(rig):
    items = one_group(rig, 5)
    repeated = again(rig, items)
    answer_again(rig.database, repeated)
    for item, other in zip(items, repeated, strict=True):
        assert answer(*other.outcome) == answer(*item.outcome)
        assert other.outcome[0] == replace(item.outcome[0], replayed=True)


def test_for_one_record_one_receipt_is_made(rig, monkeypatch):
    items, made = one_group(rig, 20), []
    plain = receipts.ProofFile

    def counted(*arguments):
        made.append(arguments[0])
        return plain(*arguments)

    monkeypatch.setattr(receipts, "ProofFile", counted)
    answer_again(rig.database, again(rig, items[7:8]))
    assert made == [7]
    with rig.database.reading() as connection:  # the control: another way makes all of them
        group = group_by_id(connection, group_of(items[0].outcome[0].seq))
        receipts_of(group.note, entries_of(connection, group.id))
    assert len(made) == 21


def test_a_conflict_and_a_silent_database_are_of_those_alone_that_they_concern(rig):
    first, second = again(rig, one_group(rig, 2))
    first.claim = replace(first.claim, request_sha256=b"x" * 32)
    answer_again(rig.database, [first, second])
    assert second.outcome[0].replayed
    with pytest.raises(Conflict, match="used for another request"):
        raise first.outcome

    @dataclass(frozen=True)
    class Deaf(Database):
        @contextmanager
        def reading(self, *, snapshot=False):
            raise Unavailable("the database does not answer")
            yield

    deaf = Deaf(rig.database.engine, rig.database._lock)
    answer_again(deaf, [first])  # which is not even asked
    assert isinstance(first.outcome, Conflict)
    answer_again(deaf, [second])
    with pytest.raises(Unavailable, match="the database does not answer"):
        raise second.outcome


def test_a_fault_of_ours_is_the_error_of_each_and_the_next_are_answered(rig, monkeypatch):
    items = one_group(rig, 2)
    writer = Writer(rig.intake)

    def broken(*_):
        monkeypatch.undo()
        raise ValueError("a defect")

    monkeypatch.setattr(replays, "accepted_before", broken)
    with pytest.raises(Unavailable, match="the service could not read this; send it again"):
        writer.add_and_wait(Item(items[0].records, items[0].claim))
    assert answer(*writer.add_and_wait(Item(items[0].records, items[0].claim))) == answer(*items[0].outcome)
    writer.close()


DAMAGES = [
    ("UPDATE record SET statement = :changed WHERE seq = :seq", "is not that of its entry and number"),
    ("UPDATE record SET number = '2222222222222222' WHERE seq = :seq", "is not that of its entry and number"),
    ("UPDATE record SET entry = :x WHERE seq = :seq", "the promise that is stored of commit group"),
    ("UPDATE record SET entry = :x WHERE seq = :seq + 1", "the promise that is stored of commit group"),
    ("DELETE FROM record WHERE seq = :seq", "the promise that is stored of commit group"),
    ("UPDATE claim SET count = 9 WHERE first_seq = :seq", "which is not there"),
    ("UPDATE claim SET first_seq = first_seq + 7 WHERE first_seq = :seq", "which is not there"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGES, ids=[f"{n}" for n in range(len(DAMAGES))])
def test_what_was_damaged_is_not_given_out_again(rig, damage, message):
    items = one_group(rig, 3)
    seq = items[0].outcome[0].seq
    with rig.database.writing() as connection:
        connection.execute(text("DELETE FROM opening"))
        changed = (
            items[0].outcome[0].statement.replace(b'"size":null', b'"size":1000')
        )  # under its own number
        values = {"seq": seq, "x": b"x" * 32, "changed": changed}
        parameters = {name: value for name, value in values.items() if f":{name}" in damage}
        connection.execute(text(damage), parameters)
    with pytest.raises(Fatal, match=message):
        rig.intake.replayed(items[0].claim)
    (repeated,) = again(rig, items[:1])
    answer_again(rig.database, [repeated])
    assert isinstance(repeated.outcome, Fatal)


def test_several_records_of_one_claim_come_again_together(rig):
    claim = claim_of(rig, "several")
    first = rig.intake.accept_all([rig.document(b"%d" % n) for n in range(3)], claim)
    with rig.database.reading() as connection:
        whole = Claimed(claim.request_sha256, first[0].seq, 3)
        (found,) = accepted_before(connection, [whole])
    assert found == [replace(one, replayed=True) for one in first]
