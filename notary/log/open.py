"""Open the log: entry 0 once, and ever after a key of it and the same name."""

from collections.abc import Callable
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.errors import Fatal, NotFound, NotReady
from notary.evidence.bodies import Genesis
from notary.evidence.checkpoint import Checkpoint, sign_checkpoint
from notary.evidence.commitments import commit
from notary.evidence.cose import sign_root
from notary.evidence.key_history import LOG
from notary.evidence.note import Verifier
from notary.evidence.number import make_number
from notary.evidence.statement import Statement, entry_of, parse_statement
from notary.log import staging
from notary.log.batch import build
from notary.log.publish import opened, publish
from notary.merkle.hashing import EMPTY_ROOT
from notary.store.engine import Database
from notary.store.groups import groups_after, insert_group
from notary.store.key_changes import signed_history
from notary.store.logstate import create_state, read_state
from notary.store.objects import CHECKPOINT, Objects
from notary.store.records import NewRecord, insert_records, record_at


def read_genesis(database: Database) -> Genesis | None:
    """What entry 0 says; None before it is there.

    Raises:
        Fatal: entry 0 is of another type.
    """
    with database.reading() as connection:
        try:
            statement = parse_statement(record_at(connection, 0).statement)
        except NotFound:
            return None
    if not isinstance(statement.body, Genesis):
        raise Fatal("entry 0 is not a genesis statement")
    return statement.body


def open_log(
    database: Database,
    objects: Objects,
    key: Ed25519PrivateKey,
    origin: str,
    genesis: Genesis | None,
    now: datetime,
    random: Callable[[int], bytes],
) -> Genesis:
    """Make entry 0 if there is none, and check that the log is this one.

    Args:
        database: with its tables made.
        objects: the log's objects.
        key: the log key.
        origin: the log's name.
        genesis: what entry 0 shall say; needed only for a new log.
        now: the time, aware.
        random: gives that many random bytes.

    Returns:
        What entry 0 says.

    Raises:
        NotReady: there is no log, and no `genesis` to make one of.
        Fatal: the log is of another key or name; a statement on its keys is not signed; or it is new to the database,
            but was published before.
        Unavailable: database or disk do not answer.
    """
    verifier = Verifier(origin, key.public_key().public_bytes_raw())
    with database.reading() as connection:
        state = read_state(connection)
    if state is None:
        if genesis is None:
            raise NotReady("there is no log yet, and nothing to open one with")
        if genesis.log_key != verifier.vkey:
            raise Fatal("entry 0 would name another log key than the one that signs")
        note = _create(database, objects, key, verifier, genesis, now, random)
    else:
        note = state.note
    with database.reading() as connection:
        history = signed_history(connection)
    ours = () if history is None else history.verifiers(LOG)
    opened(note, ours if verifier in ours else [verifier])
    if history is None or verifier not in ours:
        raise Fatal("entry 0 names another log key")
    return history.genesis


def refuse_published(database: Database, objects: Objects) -> None:
    """For a database that knew no log: whether there never was one here, or another process has just opened it.

    Raises:
        Fatal: a checkpoint is published, and the database knows no log still.
        Unavailable: it cannot be read now.
    """
    if objects.read(CHECKPOINT) is None:
        return
    with database.reading() as connection:  # after the other: it is stored first
        if read_state(connection) is None:
            raise Fatal(
                "a checkpoint is published, but the database knows no log: it is the wrong one or lost"
            )


def _first_record(origin: str, genesis: Genesis, now: datetime, random: Callable[[int], bytes]) -> NewRecord:
    """Entry 0, parsed as a verifier will."""
    commitments, _ = commit({}, lambda: random(16))
    number = make_number(int(now.timestamp() * 1000), random(5))
    statement = Statement(
        "genesis", origin, number, now, random(32), None, None, commitments, genesis
    ).encode()
    parse_statement(statement)
    return NewRecord(number, None, "genesis", statement, entry_of(statement), "public")


def _create(
    database: Database,
    objects: Objects,
    key: Ed25519PrivateKey,
    verifier: Verifier,
    genesis: Genesis,
    now: datetime,
    random: Callable[[int], bytes],
) -> bytes:
    refuse_published(database, objects)
    record = _first_record(verifier.name, genesis, now, random)
    (part,) = build(objects, 0, EMPTY_ROOT, [record.entry])
    # Durable: an object that nobody reads. A crash here leaves it, and the first sequencer removes it.
    staged = staging.stage(objects, part.objects, epoch=0)
    checkpoint = Checkpoint(verifier.name, 1, part.root)
    note, cose = sign_checkpoint(checkpoint, key).encode(), sign_root(checkpoint, key)
    with database.writing() as connection:
        first = create_state(connection, 1, part.root, note, staged, now, cose)
        if first and groups_after(connection, -1, 1):
            raise Fatal("there are records, but no log")
        if first:
            group = insert_group(connection, 1, None, now, None, first_index=0)
            insert_records(connection, group, [record])
        else:
            state = read_state(connection)
    if not first:
        # Another process has opened it meanwhile: ours was signed, and shown to nobody.
        assert state is not None  # noqa: S101 - that is why
        objects.delete(staged)
        return state.note
    # Durable: the log exists. A crash here leaves tiles to be put at their names: recovery of the sequencer.
    staging.apply(objects, staged)
    publish(objects, note, [verifier])
    objects.delete(staged)
    return note
