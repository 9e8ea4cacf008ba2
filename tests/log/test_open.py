"""Entry 0, once; and ever after the same key and the same name."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from notary.errors import Fatal, NotReady, Unavailable
from notary.evidence.note import Verifier
from notary.evidence.statement import entry_of, parse_statement
from notary.log import open as opening
from notary.log.open import open_log, read_genesis
from notary.store.connecting import open_database
from notary.store.files import FileObjects
from notary.store.logstate import read_state
from notary.store.objects import CHECKPOINT
from notary.store.records import record_at
from tests.databases import with_tables
from tests.faults import Fault, FaultyObjects, faulty
from tests.rig import GENESIS, LOG_KEY, ORIGIN, START, Rig

pytestmark = pytest.mark.crash

OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def reopen(rig, key=LOG_KEY, origin=ORIGIN, genesis=None, objects=None):
    return open_log(rig.database, objects or rig.objects, key, origin, genesis, START, rig.random.randbytes)


def test_entry_0_says_who_the_log_is(database, tmp_path):
    rig = Rig(database, tmp_path)
    assert read_genesis(database) is None
    rig.open()
    with database.reading() as connection:
        record = record_at(connection, 0)
        state = read_state(connection)
    statement = parse_statement(record.statement)
    assert (statement.type, statement.log, statement.body) == ("genesis", ORIGIN, GENESIS)
    assert record.entry == entry_of(record.statement)
    assert (record.tenant_id, record.visibility) == (None, "public")
    assert state.size == 1
    assert rig.objects.read(CHECKPOINT) == state.note
    assert rig.fsck().problems == []
    assert read_genesis(database) == GENESIS


def test_a_log_is_opened_again_and_entry_0_stays(database, tmp_path):
    rig = Rig(database, tmp_path).open()
    before = read_genesis(database)
    assert reopen(rig) == before
    assert reopen(rig, genesis=replace(GENESIS, chain_id=5)) == before
    assert rig.fsck().counts["leaves"] == 1


def test_no_log_and_nothing_to_make_one_of(sqlite, tmp_path):
    with pytest.raises(NotReady, match="nothing to open one with"):
        reopen(Rig(sqlite, tmp_path))


def test_another_key_is_refused(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    with pytest.raises(Fatal, match="a checkpoint is not of this log and key: no key that is trusted"):
        reopen(rig, key=OTHER_KEY)
    rig.submit(1)
    sequencer = rig.sequencer()
    sequencer.key = OTHER_KEY
    with pytest.raises(Fatal, match="not of this log and key"):
        sequencer.acquire()


def test_another_name_is_refused(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    with pytest.raises(Fatal, match="not of this log and key"):
        reopen(rig, origin="another.example.org")


def test_entry_0_of_another_key_is_refused_before_it_is_made(sqlite, tmp_path):
    other = Verifier(ORIGIN, OTHER_KEY.public_key().public_bytes_raw()).vkey
    with pytest.raises(Fatal, match="would name another log key"):
        reopen(Rig(sqlite, tmp_path), genesis=replace(GENESIS, log_key=other))
    assert not (tmp_path / "log").exists()


def test_entry_0_that_names_another_key_is_found(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    other = Verifier(ORIGIN, OTHER_KEY.public_key().public_bytes_raw()).vkey
    with sqlite.writing() as connection:
        statement = parse_statement(record_at(connection, 0).statement)
        data = replace(statement, body=replace(GENESIS, log_key=other)).encode()
        connection.execute(text("UPDATE record SET statement = :data"), {"data": data})
    with pytest.raises(Fatal, match="entry 0 names another log key"):
        reopen(rig)


def test_entry_0_of_another_type_is_found(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    accepted = rig.intake.accept(rig.document())
    with sqlite.writing() as connection:
        statement = {"data": accepted.statement}
        connection.execute(text("UPDATE record SET statement = :data "), statement)
    with pytest.raises(Fatal, match="entry 0 is not a genesis statement"):
        read_genesis(sqlite)


def test_a_new_database_does_not_start_a_published_log_again(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    empty = with_tables(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(Fatal, match="the database knows no log: it is the wrong one or lost"):
        reopen(Rig(empty, tmp_path, objects=rig.objects), genesis=GENESIS)
    empty.dispose()


def test_an_older_database_does_not_go_on_below_what_is_published(sqlite, tmp_path):
    """A backup that was put back after the log went on."""
    rig = Rig(sqlite, tmp_path).open()
    older = open_database(f"sqlite:///{tmp_path / 'older.db'}")
    with sqlite.engine.connect() as source, older.engine.connect() as target:
        source.connection.driver_connection.backup(target.connection.driver_connection)
    rig.submit(1)
    rig.sequencer().sequence()
    with pytest.raises(Fatal, match="a checkpoint of size 2 is published, ours is of size 1"):
        Rig(older, tmp_path).sequencer().acquire()
    older.dispose()


def test_two_roots_for_one_size_stop_everything(sqlite, tmp_path):
    """A backup that was put back, and then went on with other entries under other objects."""
    rig = Rig(sqlite, tmp_path).open()
    fork = open_database(f"sqlite:///{tmp_path / 'fork.db'}")
    with sqlite.engine.connect() as source, fork.engine.connect() as target:
        source.connection.driver_connection.backup(target.connection.driver_connection)
    for path in (tmp_path / "log").rglob("*"):
        if path.is_file():
            FileObjects(tmp_path / "fork").create(
                path.relative_to(tmp_path / "log").as_posix(), path.read_bytes()
            )
    forked = Rig(fork, tmp_path / "other", objects=FileObjects(tmp_path / "fork"))
    forked.tenant = rig.tenant
    forked.random.seed(8)
    for each in (rig, forked):
        each.submit(1)
        assert each.sequencer().sequence().size == 2
    with pytest.raises(Fatal, match="two roots for size 2"):
        forked.sequencer(objects=rig.objects).acquire()
    fork.dispose()


@pytest.mark.parametrize("stored", [False, True], ids=["lost", "stored"])
@pytest.mark.parametrize("point", ["staging", "swap", "tile/entries", "tile/0", "checkpoint", "delete"])
def test_a_log_that_could_not_be_opened_can_be_opened(sqlite, tmp_path, point, stored):
    fault = Fault(point, stored)
    rig = Rig(faulty(sqlite, fault), tmp_path, objects=FaultyObjects(tmp_path / "log", fault))
    with pytest.raises(Unavailable, match=r"the disk fails|the database went away"):
        reopen(rig, genesis=GENESIS)
    assert fault.hits
    fault.point = None
    rig.open()
    rig.submit(1)
    assert rig.sequencer().sequence().size == 2
    assert rig.fsck().problems == []
    assert list(rig.objects.names("staging")) == []


@pytest.mark.parametrize("moment", ["sign_checkpoint", "build", "refuse_published"])
def test_of_two_processes_that_open_a_log_one_does_and_both_know_it(database, tmp_path, monkeypatch, moment):
    rig = Rig(database, tmp_path)
    ours = getattr(opening, moment)
    found = []

    def overtaken(*arguments):
        monkeypatch.undo()
        rig.open()
        with database.reading() as connection:
            found.append(read_state(connection))
        return ours(*arguments)

    monkeypatch.setattr(opening, moment, overtaken)
    assert reopen(rig, genesis=replace(GENESIS, chain_id=5)) == GENESIS
    with database.reading() as connection:
        assert read_state(connection) == found[0]
    assert list(rig.objects.names("staging")) == []
    assert rig.fsck().problems == []


def test_records_without_a_log_stop_everything(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    with sqlite.writing() as connection:
        for table in ("log_state", "checkpoint"):
            connection.execute(text(f"DELETE FROM {table}"))
    rig.objects.delete(CHECKPOINT)
    with pytest.raises(Fatal, match="there are records, but no log"):
        reopen(rig, genesis=GENESIS)
