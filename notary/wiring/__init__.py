"""The only package that chooses adapters: from settings to services and steps."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from notary import keys
from notary.errors import SettingsError
from notary.evidence.bodies import Genesis
from notary.evidence.key_history import HEAD, LOG, RECEIPT, KeyHistory
from notary.evidence.note import Verifier
from notary.evidence.outcome import source_of
from notary.evidence.receipt import receipt_key_name
from notary.intake.accept import Intake
from notary.intake.group import Promises
from notary.intake.receipt_keys import ReceiptKeys
from notary.intake.room import Room
from notary.intake.spool import Spool
from notary.intake.writer import Writer
from notary.log.open import open_log
from notary.log.sequence import Sequencer
from notary.proving import Prover
from notary.services import Services
from notary.services.beating import Beating
from notary.services.bulk import BulkSubmitting
from notary.services.exports import Exports
from notary.services.health import Health
from notary.services.incidents import Incidents
from notary.services.kept_reports import KeptReports
from notary.services.log_files import LogFiles
from notary.services.log_proofs import LogProofs
from notary.services.packages import Packages
from notary.services.records import Records
from notary.services.reports import Reports
from notary.services.steps import Step
from notary.services.submitting import Submitting
from notary.services.tenants import Tenants
from notary.services.trust_file import TrustSource
from notary.services.trust_statements import TrustStatements
from notary.services.types import Anchors
from notary.services.verifying import Verifying
from notary.settings import Settings
from notary.store.engine import Database, open_database
from notary.store.key_changes import known_history, signed_history
from notary.store.objects import Objects
from notary.store.tiles import Tiles
from notary.wiring.key_files import note_key
from notary.wiring.objects import LOG as LOG_OBJECTS
from notary.wiring.objects import REPORTS, open_objects
from notary.wiring.sealing import sealing
from notary.wiring.trusting import own_trust, trust_source


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
        self.services.submitting.writer.close()
        if self.sequencer is not None:
            self.sequencer.release()
        self.database.dispose()


def now() -> datetime:
    """The wall clock, UTC."""
    return datetime.now(UTC)


def open_stores(settings: Settings) -> tuple[Database, Objects]:
    """Database and log objects; the tables are made by `notary.store.migrate`."""
    return open_database(settings.database_url), open_objects(settings, LOG_OBJECTS)


def stored_genesis(settings: Settings) -> Genesis | None:
    """What entry 0 of the log says; None before it is there."""
    history = stored_history(settings)
    return None if history is None else history.genesis


def stored_history(settings: Settings) -> KeyHistory | None:
    """What the log says of its keys, by statements that its keys have signed; None before entry 0 is there.

    Raises:
        Fatal: somebody who has the database alone has written one.
    """
    database, _ = open_stores(settings)
    try:
        with database.reading() as connection:
            return signed_history(connection)
    finally:
        database.dispose()


def head_keys(settings: Settings) -> tuple[str, ...]:
    """Every head key that the log names; nothing before entry 0 is there."""
    history = stored_history(settings)
    return () if history is None else history.keys(HEAD)


def open_new_log(settings: Settings, chain_id: int, contract: bytes, log_id: bytes) -> Genesis:
    """Make entry 0, once; afterwards check that the log is this one.

    Raises:
        Fatal: the log is of another key or name.
    """
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
        SettingsError: a file that is named cannot be used, the log is not open, or a key is not the log's.
        Fatal: a statement on the keys of the log is not signed.
    """
    database, objects = open_stores(settings)
    with database.reading() as connection:
        history = signed_history(connection)
    if history is None:
        raise SettingsError("the log is not open yet: run `notary setup` first")
    genesis = history.genesis
    prover = Prover(database, Tiles(objects), settings.origin, partial(_log_keys, database))
    source = trust_source(settings, genesis, history)
    intake = _intake(settings, database, history)
    services = _services(settings, objects, intake, prover, source)
    if not working:
        return Assembly(settings, database, genesis, services, source, (), None, None)
    from notary.wiring.steps import Steps  # noqa: PLC0415 - the API takes no steps, and has no memory for what they bring

    sequencer = Sequencer(
        database,
        objects,
        note_key(settings.log_key, Verifier.from_vkey(history.in_force(LOG))),
        settings.origin,
        now,
        # The embedded service has its data folder to itself: a restart need not wait for its own old lease.
        "embedded" if settings.embedded else secrets.token_hex(8),
        find_key=partial(note_key, settings.log_key),
    )
    steps = Steps(settings, database, intake, prover, genesis, sequencer, now)
    sequencer.witnesses = steps.witnesses()
    every = steps.all()
    beat = Beating(database, every, lambda: sequencer.leading, now)
    return Assembly(settings, database, genesis, services, source, every, sequencer, beat)


def _services(
    settings: Settings, objects: Objects, intake: Intake, prover: Prover, source: TrustSource
) -> Services:
    database = intake.database
    writer = Writer(intake)
    room = Room(database, max_bytes=settings.max_spool_bytes, max_own=settings.max_inspections)
    records = Records(database)
    kept = KeptReports(open_objects(settings, REPORTS), intake.random)
    packages = Packages(database, records, prover, kept)
    trust = partial(own_trust, database, source)
    statements = TrustStatements(database, source)
    reports = Reports(
        database=database,
        kept=kept,
        intake=intake,
        packages=packages,
        trust=trust,
        seal=sealing(settings),
        operator=settings.operator,
        public_url=settings.public_url,
        proves_nothing=settings.embedded,
        now=now,
        statements=statements,
    )
    return Services(
        origin=settings.origin,
        operator=settings.operator,
        embedded=settings.embedded,
        anchors=anchors_of(settings),
        max_document_bytes=settings.max_document_bytes,
        max_request_bytes=settings.max_request_bytes,
        tenants=Tenants(database, now),
        submitting=Submitting(intake, writer, settings.max_document_bytes, room),
        bulk=BulkSubmitting(writer, settings.max_bulk_bytes),
        records=records,
        packages=packages,
        exports=Exports(database, records, packages, prover),
        reports=reports,
        verifying=Verifying(records, packages, trust),
        tiles=LogFiles(objects),
        log_proofs=LogProofs(prover),
        incidents=Incidents(database),
        trust_statements=statements,
        health=Health(database, timedelta(seconds=settings.close_promise_seconds), now),
    )


def anchors_of(settings: Settings) -> Anchors:
    """The anchors that the worker of these settings has."""
    configured = (("rfc3161", settings.tsas), ("evm", settings.chains))
    return Anchors(
        frozenset(kind for kind, anchors in configured if anchors),
        {tsa.name: source_of(tsa.organisation) for tsa in settings.trusted_tsas},
        settings.stamps_needed,
    )


def _log_keys(database: Database) -> tuple[Verifier, ...]:
    with database.reading() as connection:
        return known_history(connection).verifiers(LOG)


def _intake(settings: Settings, database: Database, history: KeyHistory) -> Intake:
    find = partial(note_key, settings.receipt_key)
    key = find(Verifier.from_vkey(history.in_force(RECEIPT)))  # else the process does not start
    settings.temp_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Intake(
        database=database,
        spool=Spool(settings.temp_dir, settings.spool_reserve_bytes),
        promises=Promises(
            origin=settings.origin,
            key=key,
            close=timedelta(seconds=settings.close_promise_seconds),
            stamp_target=timedelta(seconds=settings.stamp_target_seconds),
            final_target=timedelta(seconds=settings.final_target_seconds),
            max_pending=settings.max_pending,
            margin=timedelta(seconds=settings.not_before_margin_seconds),
            keys=ReceiptKeys(find),
        ),
        now=now,
        random=secrets.token_bytes,
    )
