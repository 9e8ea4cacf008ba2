"""The only module that chooses adapters: from settings to services and steps."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from asn1crypto import pem

from notary import keys
from notary.anchoring.advance import Advance
from notary.anchoring.contract import CODE_HASH
from notary.anchoring.evm import EvmAnchor
from notary.anchoring.poll import newest_finalized
from notary.anchoring.port import Anchor, Head
from notary.anchoring.rfc3161 import TsaAnchor
from notary.anchoring.rpc import Node
from notary.errors import SettingsError
from notary.evidence.bodies import Genesis
from notary.evidence.chain import ChainTrust, decode_evidence, decode_header
from notary.evidence.note import Verifier
from notary.evidence.package import Package
from notary.evidence.receipt import receipt_key_name
from notary.evidence.statement import Block
from notary.evidence.timestamp import Authority
from notary.evidence.trust import Trust
from notary.intake.accept import Intake
from notary.intake.inspect import inspect_next, sweep
from notary.intake.inspection.sandbox import inspect
from notary.intake.spool import Spool
from notary.log.open import open_log, read_genesis
from notary.log.sequence import Sequencer
from notary.outbound import Outbound
from notary.proving import Prover
from notary.services import Services
from notary.services.health import Health
from notary.services.log_files import LogFiles
from notary.services.packages import Packages
from notary.services.records import Records
from notary.services.reports import Reports
from notary.services.steps import Step
from notary.services.submitting import Submitting
from notary.services.tenants import Tenants
from notary.services.trust_file import TrustSource
from notary.services.verifying import Verifying
from notary.settings import Chain, Settings, Tsa
from notary.store import anchorings, blocks, views
from notary.store.engine import Database, open_database
from notary.store.objects import Objects
from notary.store.tiles import Tiles

_MAX_NOT_BEFORE = 64
_INSPECTIONS_A_POKE = 20
_SWEEP_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Assembly:
    """A process of the service, put together."""

    settings: Settings
    database: Database
    services: Services
    trust: TrustSource
    steps: tuple[Step, ...]
    sequencer: Sequencer

    def close(self) -> None:
        """Give the lease back and close the database."""
        self.sequencer.release()
        self.database.dispose()


def now() -> datetime:
    """The wall clock, UTC."""
    return datetime.now(UTC)


def open_stores(settings: Settings) -> tuple[Database, Objects]:
    """Database and log objects; the tables are made by `notary.store.migrate`."""
    return open_database(settings.database_url), Objects(settings.data_dir / "log")


def open_new_log(settings: Settings, chain_id: int, contract: bytes, log_id: bytes) -> Genesis:
    """Make entry 0, once; afterwards check that the log is this one.

    Raises:
        Fatal: the log is of another key or name.
    """
    database, objects = open_stores(settings)
    log_key, receipt_key = verifiers(settings)
    genesis = Genesis(
        log_key=log_key.vkey,
        receipt_key=receipt_key.vkey,
        head_key=keys.load_secp256k1(settings.head_key).address.lower(),
        chain_id=chain_id,
        contract=f"0x{contract.hex()}",
        log_id=log_id,
    )
    key = keys.load_ed25519(settings.log_key)
    try:
        return open_log(database, objects, key, settings.origin, genesis, now(), secrets.token_bytes)
    finally:
        database.dispose()


def build(settings: Settings) -> Assembly:
    """Put a process together.

    Raises:
        SettingsError: a file that is named cannot be used, or the log is not open.
    """
    database, objects = open_stores(settings)
    genesis = read_genesis(database)
    if genesis is None:
        raise SettingsError("the log is not open yet: run `notary setup` first")
    log_key, receipt_key = verifiers(settings)
    tiles = Tiles(objects)
    prover = Prover(database, tiles, settings.origin, (log_key,))
    source = TrustSource(
        origin=settings.origin,
        log_key=log_key,
        receipt_key=receipt_key,
        chains=tuple(_chain_trust(chain, genesis) for chain in settings.chains),
        authorities=tuple(_authority(tsa) for tsa in settings.tsas),
        test_only=settings.embedded,
    )
    intake = _intake(settings, database)
    sequencer = Sequencer(
        database,
        objects,
        keys.load_ed25519(settings.log_key),
        settings.origin,
        now,
        # The embedded service has its data folder to itself: a restart need not wait for its own old lease.
        "embedded" if settings.embedded else secrets.token_hex(8),
    )
    services = _services(settings, database, objects, intake, prover, source)
    steps = _steps(settings, database, intake, prover, genesis, sequencer)
    return Assembly(settings, database, services, source, steps, sequencer)


def _services(
    settings: Settings,
    database: Database,
    objects: Objects,
    intake: Intake,
    prover: Prover,
    source: TrustSource,
) -> Services:
    records = Records(database)
    packages = Packages(database, records, prover)
    trust = partial(_own_trust, database, source)
    reports = Reports(
        database=database,
        objects=Objects(settings.data_dir / "reports"),
        intake=intake,
        packages=packages,
        trust=trust,
        seal=lambda pdf: pdf,
        operator=settings.operator,
        public_url=settings.public_url,
        proves_nothing=settings.embedded,
        now=now,
    )
    return Services(
        origin=settings.origin,
        operator=settings.operator,
        embedded=settings.embedded,
        max_document_bytes=settings.max_document_bytes,
        max_request_bytes=settings.max_request_bytes,
        tenants=Tenants(database, now),
        submitting=Submitting(intake, records, settings.max_document_bytes),
        records=records,
        packages=packages,
        reports=reports,
        verifying=Verifying(records, packages, trust),
        tiles=LogFiles(objects),
        health=Health(database, timedelta(seconds=settings.close_promise_seconds), now),
    )


def _intake(settings: Settings, database: Database) -> Intake:
    settings.temp_dir.mkdir(parents=True, exist_ok=True)
    return Intake(
        database=database,
        spool=Spool(settings.temp_dir),
        key=keys.load_ed25519(settings.receipt_key),
        origin=settings.origin,
        close_promise=timedelta(seconds=settings.close_promise_seconds),
        stamp_target=timedelta(seconds=settings.stamp_target_seconds),
        final_target=timedelta(seconds=settings.final_target_seconds),
        max_pending=settings.max_pending,
        now=now,
        random=secrets.token_bytes,
    )


def _steps(
    settings: Settings,
    database: Database,
    intake: Intake,
    prover: Prover,
    genesis: Genesis,
    sequencer: Sequencer,
) -> tuple[Step, ...]:
    roots = [_certificate(path) for path in settings.signer_roots]
    poll = settings.poll_interval_seconds
    steps = [
        Step("close", settings.close_interval_seconds, lambda: _close(sequencer)),
        Step("inspect", 1.0, partial(_inspect, intake, roots)),
        Step("sweep", _SWEEP_SECONDS, lambda: _sweep(intake)),
    ]
    anchors: list[tuple[Anchor, float]] = [
        (_tsa_anchor(tsa, settings), settings.stamp_interval_seconds) for tsa in settings.tsas
    ]
    for chain in settings.chains:
        node = Node(chain.rpc_urls[0], chain.chain_id)
        chain_anchor = _evm_anchor(chain, node, settings, database, genesis)
        anchors.append((chain_anchor, settings.anchor_interval_seconds))
        steps.append(Step(f"blocks {chain.name}", poll, partial(_poll_block, database, node, chain)))
    for anchor, interval in anchors:
        advance = Advance(
            database, anchor, timedelta(seconds=interval), partial(_head, prover), prover.consistency, now
        )
        # Only who makes the checkpoints anchors them: two senders for one wallet would fight over its nonces.
        steps.append(Step(f"anchor {anchor.name}", poll, partial(_if_leading, sequencer, advance.step)))
    return tuple(steps)


def _close(sequencer: Sequencer) -> None:
    sequencer.sequence()


def _if_leading(sequencer: Sequencer, step: Callable[[], None]) -> None:
    if sequencer.leading:
        step()


def _inspect(intake: Intake, roots: list[bytes]) -> None:
    inspector = partial(_inspector, roots)
    for _ in range(_INSPECTIONS_A_POKE):
        if not inspect_next(intake, inspector):
            return


def _inspector(roots: list[bytes], path: Path, media_type: str | None) -> dict[str, object]:
    return inspect(path, media_type, roots)


def _sweep(intake: Intake) -> None:
    sweep(intake)


def _poll_block(database: Database, node: Node, chain: Chain) -> None:
    found = newest_finalized(node, chain.finality, chain.profile)
    block = Block(found.chain_id, found.number, found.hash, found.time)
    with database.writing() as connection:
        blocks.add_block(connection, block, found.raw)


def _head(prover: Prover, size: int) -> Head:
    signed = prover.checkpoint(size)  # signature checked, root recomputed from the tiles
    point = signed.checkpoint
    return Head(point.origin, point.size, point.root, signed.note)


def _own_trust(database: Database, source: TrustSource, package: Package) -> Trust:
    """The service's own word: its keys, and the blocks that it saw become final itself."""
    seen: list[tuple[int, int, bytes]] = []
    with database.reading() as connection:
        final = anchorings.anchorings_of_sizes(connection, package.sizes(), "evm", "final")
    for item in final:
        if item.evidence is not None:
            evidence = decode_evidence(item.evidence)
            header = decode_header(evidence.header, evidence.profile)
            seen.append((evidence.chain_id, header.number, header.hash))
    return source.trust(seen)


def _evm_anchor(
    chain: Chain, node: Node, settings: Settings, database: Database, genesis: Genesis
) -> EvmAnchor:
    def not_before(head: Head) -> list[bytes]:
        with database.reading() as connection:
            last = anchorings.newest_anchoring(connection, chain.name, ("final",))
            first = 0 if last is None else last.size
            return views.not_before_headers(connection, chain.chain_id, first, head.size, _MAX_NOT_BEFORE)

    trust = _chain_trust(chain, genesis)
    return EvmAnchor(
        name=chain.name,
        node=node,
        contract=trust.contract,
        log_id=trust.log_id,
        head_key=keys.load_secp256k1(settings.head_key),
        wallet=keys.load_secp256k1(settings.wallet_key),
        not_before=not_before,
        finality=chain.finality,
        profile=chain.profile,
    )


def _chain_trust(chain: Chain, genesis: Genesis) -> ChainTrust:
    if chain.chain_id != genesis.chain_id or chain.contract != genesis.contract:
        raise SettingsError(
            f"entry 0 names chain {genesis.chain_id} and contract {genesis.contract}; "
            f"the settings name chain {chain.chain_id} and contract {chain.contract}"
        )
    contract = bytes.fromhex(genesis.contract[2:])
    return ChainTrust(chain.chain_id, contract, genesis.log_id, CODE_HASH, chain.profile, ())


def _tsa_anchor(tsa: Tsa, settings: Settings) -> TsaAnchor:
    outbound = Outbound(allow_private=settings.allow_private_addresses)
    return TsaAnchor(tsa.name, tsa.url, _authority(tsa), outbound, now)


def _authority(tsa: Tsa) -> Authority:
    return Authority(
        name=tsa.name,
        organisation=tsa.organisation,
        roots=tuple(_certificate(path) for path in tsa.roots),
        policies=tsa.policies,
        accuracy_ms=tsa.accuracy_ms,
    )


def _certificate(path: Path) -> bytes:
    try:
        return bytes(pem.unarmor(path.read_bytes())[2])
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} is not a readable certificate in PEM form") from error


def verifiers(settings: Settings) -> tuple[Verifier, Verifier]:
    """Public log key and receipt key."""
    public = [
        keys.load_ed25519(path).public_key().public_bytes_raw()
        for path in (settings.log_key, settings.receipt_key)
    ]
    return Verifier(settings.origin, public[0]), Verifier(receipt_key_name(settings.origin), public[1])
