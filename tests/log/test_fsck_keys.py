"""What is wrong with statements on keys, with what they make of signatures, and with trust statements is found."""

from functools import partial

import pytest
from sqlalchemy import text

from notary.errors import Conflict
from notary.evidence.bodies import KeyChange
from notary.evidence.checkpoint import Checkpoint, sign_checkpoint
from notary.evidence.key_history import LOG, RECEIPT
from notary.evidence.note import parse_note
from notary.evidence.receipt import parse_promise, sign_promise
from notary.evidence.statement import parse_statement
from notary.intake import key_statement
from notary.intake.key_statement import log_key_change
from notary.store.key_changes import key_statements
from notary.store.records import record_by_seq
from tests.faults.damage import unnamed
from tests.rig import LOG_KEY, ORIGIN, RECEIPT_KEY
from tests.services.keys_world import World

pytestmark = pytest.mark.crash


@pytest.fixture
def world(sqlite, tmp_path):
    made = World.make(sqlite, tmp_path)
    made.record()
    made.rotating().rotate(LOG)
    made.rotating().rotate(RECEIPT)
    made.record()
    assert made.problems() == []
    return made


def change(world, statement, **values):
    with world.rig.database.writing() as connection:
        assert connection.execute(text(statement), values).rowcount


def told(world, what):
    problems = world.problems()
    assert any(what in problem for problem in problems), problems


def test_a_checkpoint_that_the_old_key_signed_too_late(world):
    point = world.prover.checkpoint().checkpoint
    note = sign_checkpoint(Checkpoint(ORIGIN, point.size, point.root), LOG_KEY).encode()
    change(world, "UPDATE checkpoint SET note = :note WHERE size = :size", note=note, size=point.size)
    told(world, "it is signed by log.example.org/2026+")
    told(world, "was in force")


def test_a_receipt_that_the_old_key_signed_too_late(world):
    with world.rig.database.reading() as connection:
        row = connection.execute(text("SELECT id, note FROM commit_group ORDER BY id DESC LIMIT 1")).one()
    note = sign_promise(parse_promise(parse_note(row.note).text), RECEIPT_KEY)
    change(world, "UPDATE commit_group SET note = :note WHERE id = :id", note=note, id=row.id)
    told(world, "its promise: it is signed by")


def test_a_key_statement_that_is_not_noted_and_a_note_of_none(world):
    with world.rig.database.reading() as connection:
        (number, seq), *_ = reversed(key_statements(connection))
    change(world, "DELETE FROM key_change WHERE number = :number", number=number)
    told(world, f"record of sequence {seq} is a key statement, or is noted as one, but not both")
    change(world, "INSERT INTO key_change (number, seq) VALUES (9, :seq)", seq=seq)
    told(world, "the numbers of the key statements have a gap")


def test_a_note_of_a_record_that_is_no_key_statement(world):
    change(
        world,
        "UPDATE key_change SET seq = (SELECT min(seq) FROM record WHERE type = 'document') WHERE number = 1",
    )
    told(world, "is no statement on keys")


def test_statements_in_another_order_than_that_of_the_log(world):
    change(world, "UPDATE key_change SET number = number + 100")
    change(world, "UPDATE key_change SET number = 105 - number")
    told(world, "the key statements are not in the order of their places in the log")
    told(world, "key statement 1: ")


def test_a_size_that_the_retired_key_did_not_sign(world):
    with world.rig.database.reading() as connection:
        found = [record_by_seq(connection, seq) for _, seq in key_statements(connection)]
    record = next(each for each in found if b'"retired"' in each.statement and b'"log"' in each.statement)
    size = parse_statement(record.statement).body.size
    data = record.statement.replace(b'"size":%d' % size, b'"size":%d' % (size + 1))
    change(world, "UPDATE record SET statement = :data WHERE seq = :seq", data=data, seq=record.seq)
    told(world, f"is said to have signed up to size {size + 1}, but it did up to {size}")


def test_a_trust_statement_that_is_another(world):
    first, second = (world.statements.read(version) for version in (1, 2))
    change(world, "UPDATE trust_statement SET note = :note WHERE version = 1", note=second)
    told(world, "trust statement 1: it is of another version or log")
    told(world, "trust statement 1: its record in the log is of something else")
    told(world, "version 2 of the trust statement does not follow version 2")
    change(
        world, "UPDATE trust_statement SET note = :note WHERE version = 1", note=first[:-9] + b"AAAAAAA=\n"
    )
    told(world, "trust statement 1: ")
    assert world.problems() != []


NAMED = {
    "key_change": r"key statement|^\d+ key statements|is no statement on keys",
    "trust_statement": r"^trust statement \d+: ",
}


def test_one_bit_in_each_column_is_named(world):
    path = world.rig.folder / "notary.db"
    assert unnamed(path, NAMED, world.problems) == []


def test_of_two_statements_at_one_moment_one_comes_to_be(world, monkeypatch):
    """Both have read the same history: the second is refused by its number, and leaves nothing."""
    stale = world.history
    key = world.history.keys(LOG)[0]
    log_key_change(world.rig.intake, KeyChange(LOG, "compromised", key, 2), partial(world.find, LOG))
    monkeypatch.setattr(key_statement, "known_history", lambda _connection: stale)
    with pytest.raises(Conflict, match="another process changes the keys of this log at this moment"):
        log_key_change(world.rig.intake, KeyChange(LOG, "compromised", key, 1), partial(world.find, LOG))
    newest = world.statements.newest()
    with pytest.raises(Conflict, match="another process publishes a trust statement at this moment"):
        key_statement.log_trust_statement(world.rig.intake, newest.version, newest.note)
    world.close()
    assert world.history.periods(LOG)[0].last_good_size == 2
    assert world.problems() == []
