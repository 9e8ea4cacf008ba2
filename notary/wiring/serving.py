"""What the API and the command line call, from the settings: the services, and the intake under them."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from notary.errors import SettingsError
from notary.evidence.key_history import RECEIPT, KeyHistory
from notary.evidence.note import Verifier
from notary.evidence.outcome import source_of
from notary.evidence.package import Package
from notary.evidence.trust import Trust
from notary.intake.accept import Intake
from notary.intake.promises import Promises
from notary.intake.receipt_keys import ReceiptKeys
from notary.intake.room import Room
from notary.intake.spool import Spool
from notary.intake.writer import Writer
from notary.proving import Prover
from notary.services import Services
from notary.services.bulk import BulkSubmitting
from notary.services.exports import Exports
from notary.services.health import Health
from notary.services.incidents import Incidents
from notary.services.kept_reports import KeptReports
from notary.services.log_files import LogFiles
from notary.services.log_proofs import LogProofs
from notary.services.overdue import Targets
from notary.services.packages import Packages
from notary.services.records import Records
from notary.services.reports import Reports
from notary.services.submitting import Submitting
from notary.services.tenants import Tenants
from notary.services.trust_file import TrustSource
from notary.services.trust_statements import TrustStatements
from notary.services.types import Anchors
from notary.services.verifying import Verifying
from notary.settings import Settings
from notary.store.connecting import file_of
from notary.store.engine import Database
from notary.store.objects import Objects
from notary.wiring.key_files import note_key
from notary.wiring.objects import REPORTS, open_objects
from notary.wiring.sealing import sealing
from notary.wiring.trusting import own_trust

_DOCUMENTS_KEPT = 4  # of the largest size
_BULK_WRITERS = 2


def open_services(
    settings: Settings, objects: Objects, intake: Intake, prover: Prover, source: TrustSource
) -> Services:
    """All of them, by the clock of the intake.

    Raises:
        SettingsError: a seal that is named cannot be used, or the settings of S3 are not whole.
    """
    database, now = intake.database, intake.now
    writer = Writer(intake)
    room = Room(database, max_bytes=settings.max_spool_bytes, max_own=settings.max_inspections)
    records = Records(database)
    kept = KeptReports(open_objects(settings, REPORTS), intake.random)
    packages = Packages(database, records, prover, kept)
    trust = partial(own_trust, database, source)
    statements = TrustStatements(database, source)
    return Services(
        origin=settings.origin,
        operator=settings.operator,
        embedded=settings.embedded,
        anchors=anchors_of(settings),
        max_document_bytes=settings.max_document_bytes,
        max_request_bytes=settings.max_request_bytes,
        tenants=Tenants(database, now),
        submitting=Submitting(intake, writer, settings.max_document_bytes, room),
        bulk=BulkSubmitting(_bulk_writers(writer, settings), settings.max_bulk_bytes),
        records=records,
        packages=packages,
        exports=Exports(database, records, packages, prover),
        reports=_reports(settings, intake, packages, kept, trust, statements),
        verifying=Verifying(records, packages, trust, _spool_of_strangers(settings)),
        tiles=LogFiles(objects),
        log_proofs=LogProofs(prover),
        incidents=Incidents(database),
        trust_statements=statements,
        health=Health(
            database,
            timedelta(seconds=settings.close_promise_seconds),
            now,
            intake.published,
            targets_of(settings),
        ),
    )


def _bulk_writers(writer: Writer, settings: Settings) -> tuple[Writer, ...]:
    """Who stores bulk requests: on SQLite whoever stores all others, since one alone may write.

    On PostgreSQL two by themselves, as two processes would: one copies while the other waits for the disk, and nobody
    with a single submission waits for either.
    """
    if file_of(settings.database_url) is not None:
        return (writer,)
    return tuple(Writer(writer.intake) for _ in range(_BULK_WRITERS))


def _spool_of_strangers(settings: Settings) -> Spool:
    """The same folder; what anybody may upload ends where some documents of submitters have room yet."""
    return Spool(
        settings.temp_dir, settings.spool_reserve_bytes + _DOCUMENTS_KEPT * settings.max_document_bytes
    )


def _reports(
    settings: Settings,
    intake: Intake,
    packages: Packages,
    kept: KeptReports,
    trust: Callable[[Package], Trust],
    statements: TrustStatements,
) -> Reports:
    return Reports(
        database=intake.database,
        kept=kept,
        intake=intake,
        packages=packages,
        trust=trust,
        seal=sealing(settings),
        operator=settings.operator,
        public_url=settings.public_url,
        proves_nothing=settings.embedded,
        now=intake.now,
        statements=statements,
    )


def anchors_of(settings: Settings) -> Anchors:
    """The anchors that the worker of these settings has."""
    configured = (("rfc3161", settings.tsas), ("evm", settings.chains))
    return Anchors(
        frozenset(kind for kind, anchors in configured if anchors),
        {tsa.name: source_of(tsa.organisation) for tsa in settings.trusted_tsas},
        settings.stamps_needed,
    )


def targets_of(settings: Settings) -> Targets:
    """The objectives of these settings."""
    return Targets(
        timedelta(seconds=settings.stamp_target_seconds), timedelta(seconds=settings.final_target_seconds)
    )


def open_intake(
    settings: Settings,
    database: Database,
    history: KeyHistory,
    now: Callable[[], datetime],
    published: Callable[[], int],
) -> Intake:
    """Where submissions become records.

    Raises:
        SettingsError: the receipt key in force is not at hand, or the folder for documents cannot be made.
    """
    find = partial(note_key, settings.receipt_key)
    key = find(Verifier.from_vkey(history.in_force(RECEIPT)))  # else the process does not start
    try:
        settings.temp_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"the folder for documents cannot be made: {error.strerror}: {settings.temp_dir}; see NOTARY_TEMP_DIR"
        ) from error
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
        published=published,
    )
