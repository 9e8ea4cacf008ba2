"""The only package that chooses adapters: from settings to services and steps."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from notary import keys
from notary.errors import Fatal, NotaryError, SettingsError
from notary.evidence.bodies import Genesis
from notary.evidence.key_history import HEAD, LOG, RECEIPT, KeyHistory
from notary.evidence.note import Verifier
from notary.evidence.receipt import receipt_key_name
from notary.log.lead import LEASE
from notary.log.open import open_log
from notary.log.sequence import Sequencer
from notary.proving import Prover
from notary.services import Services
from notary.services.beating import Beating
from notary.services.steps import Step
from notary.services.trust_file import TrustSource
from notary.settings import Settings
from notary.store.connecting import open_database
from notary.store.durable import require_durable
from notary.store.engine import Database
from notary.store.key_changes import known_history, signed_history
from notary.store.objects import Objects
from notary.store.published import Published
from notary.store.schema import require_schema
from notary.store.sql import server_time
from notary.store.tiles import Tiles
from notary.wiring.key_files import HeadKey, note_key
from notary.wiring.objects import LOG as LOG_OBJECTS
from notary.wiring.objects import open_objects
from notary.wiring.serving import open_intake, open_services
from notary.wiring.trusting import chain_trust, require_origin, trust_source


@dataclass(frozen=True, slots=True)
class Assembly:
    """A process of the service, put together. Without `steps` it holds the receipt key and no other."""

    settings: Settings
    database: Database
    genesis: Genesis
    services: Services
    trust: TrustSource
    steps: tuple[Step, ...]
    sequencer: Sequencer | None
    beat: Beating | None

    def close(self) -> None:
        """Commit what is queued, give the lease back and close the database."""
        for writer in (self.services.submitting.writer, *self.services.bulk.writers):
            writer.close()
        if self.sequencer is not None:
            self.sequencer.release()
        self.database.dispose()


def now() -> datetime:
    """The wall clock, UTC."""
    return datetime.now(UTC)


def open_stores(settings: Settings) -> tuple[Database, Objects]:
    """Database and log objects of a service that may be new; the tables are made by `notary.store.migrate`."""
    return open_database(settings.database_url), open_objects(settings, LOG_OBJECTS)


def open_made(settings: Settings) -> tuple[Database, Objects]:
    """Database and log objects of a service that was set up.

    Raises:
        SettingsError: there is no database, or its tables are not of this version.
        Unavailable: it does not answer.
    """
    objects = open_objects(settings, LOG_OBJECTS)
    database = open_database(settings.database_url, create=False)
    try:
        require_schema(database)
    except NotaryError:
        database.dispose()
        raise
    return database, objects


def stored_genesis(settings: Settings) -> Genesis | None:
    """What entry 0 of the log says; None before it is there. Raises as `stored_history`."""
    history = stored_history(settings)
    return None if history is None else history.genesis


def stored_history(settings: Settings) -> KeyHistory | None:
    """What the log says of its keys, by statements that its keys have signed; None before entry 0 is there.

    Raises:
        SettingsError: as `open_made`.
        Fatal: somebody who has the database alone has written one.
        Unavailable: the database does not answer.
    """
    database, _ = open_made(settings)
    try:
        with database.reading() as connection:
            return signed_history(connection)
    finally:
        database.dispose()


def head_keys(settings: Settings) -> tuple[str, ...]:
    """Every head key that the log names; nothing before entry 0 is there. Raises as `stored_history`."""
    history = stored_history(settings)
    return () if history is None else history.keys(HEAD)


def known_log(settings: Settings) -> Genesis | None:
    """What entry 0 of the log says, if the settings name that log and its keys; None before it is there.

    Raises:
        SettingsError: they name another log, chain or contract, or a key in force is not at hand.
        Fatal: as `stored_history`.
        Unavailable: the database does not answer.
    """
    history = stored_history(settings)
    if history is None:
        return None
    require_origin(settings, history.genesis)
    for path, role in ((settings.log_key, LOG), (settings.receipt_key, RECEIPT)):
        note_key(path, Verifier.from_vkey(history.in_force(role)))
    database, _ = open_made(settings)
    try:
        for chain in settings.chains:
            chain_trust(chain, history.genesis, history)
            HeadKey(database, settings.head_key, chain.head_keys).require()
    finally:
        database.dispose()
    return history.genesis


def open_new_log(
    settings: Settings,
    chain_id: int,
    contract: bytes,
    log_id: bytes,
    anchored: Callable[[], tuple[int, bytes]] = lambda: (0, b""),
) -> Genesis:
    """Make entry 0, once; afterwards check that the log is this one, as `known_log`.

    Args:
        settings: name the log and the files of its keys.
        chain_id: of the chain that heads are anchored on.
        contract: 20 bytes.
        log_id: of the log in the contract, 32 bytes.
        anchored: size and root of the newest head that the contract holds of it, asked before entry 0 is made.

    Raises:
        SettingsError: a key file cannot be used, or the log is another.
        Fatal: the log was published or anchored before, and the database does not know it.
        Unavailable: database, disk or chain do not answer.
    """
    known = known_log(settings)
    if known is not None:
        return known
    # What was published may be lost with the database, and the keys and the chain not: a second entry 0 under this key
    # and name would be a fork.
    size, _ = anchored()
    if size:
        raise Fatal(
            f"a head of size {size} of this log is anchored, but the database knows no log: it is the wrong one or "
            "lost. Restore a copy; where there is none, begin a new log with an origin and keys of its own"
        )
    log_key, receipt_key = (keys.load_ed25519(path) for path in (settings.log_key, settings.receipt_key))
    genesis = Genesis(
        log_key=Verifier(settings.origin, log_key.public_key().public_bytes_raw()).vkey,
        receipt_key=Verifier(
            receipt_key_name(settings.origin), receipt_key.public_key().public_bytes_raw()
        ).vkey,
        head_key=keys.load_secp256k1(settings.head_key).address.lower(),
        chain_id=chain_id,
        contract=f"0x{contract.hex()}",
        log_id=log_id,
    )
    database, objects = open_stores(settings)
    try:
        return open_log(database, objects, log_key, settings.origin, genesis, now(), secrets.token_bytes)
    finally:
        database.dispose()


def build(settings: Settings, *, working: bool = True) -> Assembly:
    """Put a process together; one that is not `working` needs no key but the receipt key.

    Raises:
        SettingsError: a file that is named cannot be used, the log is not open or is another, a key is not the
            log's, the tables are not of this version, or what PostgreSQL acknowledges is not durable.
        Fatal: a statement on the keys of the log is not signed.
    """
    database, objects = open_made(settings)
    require_durable(database, syncs_elsewhere=settings.database_syncs_elsewhere)
    with database.reading() as connection:
        history = signed_history(connection)
    if history is None:
        raise SettingsError("the log is not open yet: run `notary setup` first")
    genesis = history.genesis
    require_origin(settings, genesis)  # else statements of this process would be of a log that there is not
    prover = Prover(database, Tiles(objects), settings.origin, partial(_log_keys, database))
    source = trust_source(settings, genesis, history)
    published = Published(objects)
    published.look()  # from the first submission on
    intake = open_intake(settings, database, history, now, published)
    services = open_services(settings, objects, intake, prover, source)
    if not working:
        return Assembly(settings, database, genesis, services, source, (), None, None)
    from notary.wiring.steps import Steps  # noqa: PLC0415 - the API takes no steps, and has no memory for what they bring

    sequencer = Sequencer(
        database=database,
        objects=objects,
        key=note_key(settings.log_key, Verifier.from_vkey(history.in_force(LOG))),
        origin=settings.origin,
        now=now,
        # The embedded service has its data folder to itself: a restart need not wait for its own old lease.
        holder="embedded" if settings.embedded else secrets.token_hex(8),
        # Looked at with each close, it must last from one to the next.
        lease=max(LEASE, timedelta(seconds=3 * settings.close_interval_seconds)),
        find_key=partial(note_key, settings.log_key),
        theirs=server_time,
    )
    steps = Steps(settings, database, intake, prover, genesis, sequencer, now)
    sequencer.witnesses = steps.witnesses()
    every = steps.all()
    beat = Beating(database, every, lambda: sequencer.leading, now)
    return Assembly(settings, database, genesis, services, source, every, sequencer, beat)


def _log_keys(database: Database) -> tuple[Verifier, ...]:
    with database.reading() as connection:
        return known_history(connection).verifiers(LOG)
