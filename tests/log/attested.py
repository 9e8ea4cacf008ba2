"""A log with everything around it: anchored on a chain and stamped, with blocks, inspections and an API key."""

import re
import shutil
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from notary.anchoring.compiled import CODE_HASH
from notary.anchoring.port import Attempt
from notary.anchoring.replacing import replaced
from notary.anchoring.revocation import fetch
from notary.anchoring.rfc3161 import TsaAnchor
from notary.anchoring.stamps import StampWatch
from notary.evidence.chain import ChainTrust, decode_header
from notary.evidence.statement import Block
from notary.intake.inspect import inspect_next
from notary.intake.inspection.report import TOOL, Inspected, empty
from notary.log.fsck_around import Attesters
from notary.log.index import index_digests
from notary.outbound import Outbound
from notary.store import anchorings, outbox
from notary.store.blocks import add_block
from notary.store.connecting import open_database
from notary.store.tenants import add_api_key
from tests.anchoring.anchored import Anchored
from tests.anchoring.local_chain import HEAD_KEY, WALLET, running
from tests.databases import with_tables
from tests.evidence import mini_chain
from tests.rig import ORIGIN, START, Rig
from tests.tsa_process import authority_of, running_tsa

CHAIN_ID = 31337
HEAD = bytes.fromhex(HEAD_KEY.address[2:])
_PDF = b"%PDF-1.7\nnot much of one\n"


@contextmanager
def attested(folder: Path):
    """Yield a rig whose fsck finds nothing, and who attests it. Two heads are anchored and final, a third is sent.

    The transaction of the second was made again for a higher fee; two tokens are final, and a third head is due.
    """
    database = with_tables(f"sqlite:///{folder / 'notary.db'}")
    (folder / "tsa").mkdir()
    try:
        with running() as chain, running_tsa(folder / "tsa") as url:
            rig = Rig(database, folder).open()
            log_id = chain.open(ORIGIN)
            trust = ChainTrust(CHAIN_ID, chain.contract, log_id, CODE_HASH, "ethereum", ())
            authority = replace(authority_of(folder / "tsa"), name="stamps")
            _keep_blocks(rig)
            _submit(rig)
            log = Anchored(rig)
            on_chain = replace(chain.anchor(log_id), name="ledger")
            stamping = TsaAnchor(
                "stamps", url, authority, Outbound(allow_private=True), lambda: datetime.now(UTC)
            )
            _attest(log, chain, on_chain, stamping)
            _watch(log, authority)
        yield rig, Attesters({"ledger": trust}, {"stamps": authority})
    finally:
        database.dispose()


def _keep_blocks(rig):
    start = int(START.timestamp())
    for number, seconds in ((100, 300), (101, 200), (109, 100)):
        raw = mini_chain.header(number, start - seconds)
        found = decode_header(raw, "ethereum")
        with rig.database.writing() as connection:
            add_block(connection, Block(CHAIN_ID, found.number, found.hash, found.time), raw, rig.clock.time)


def _submit(rig):
    for content in (_PDF, _PDF + b"another", _PDF + b"a third"):
        spooled = rig.intake.spool.receive([content], 1 << 20)
        rig.intake.accept(
            rig.document(
                content, seen=True, digests=spooled.digests, size=spooled.size,
                media_type=spooled.media_type, spooled=spooled.path,
            )
        )  # fmt: skip
    reports = iter(
        map(
            Inspected,
            [{"outcome": "no_signature"}, empty("could_not_be_inspected", "inspector_failed", TOOL)],
        )
    )
    for _ in range(2):
        inspect_next(rig.intake, lambda _path, _type: next(reports))
    with rig.database.writing() as connection:
        add_api_key(connection, "abcd", rig.tenant, bytes(range(32)), ("submit",), rig.clock())


def _attest(log, chain, on_chain, stamping):
    ledger, stamps = log.advance(on_chain), log.advance(stamping)
    for _ in range(2):
        log.close()
        stamps.step()
        for _ in range(2):
            ledger.step()
            (*_, attempt) = log.attempts(log.newest())
            chain.receipt(bytes.fromhex(attempt.ref))
            chain.mine(2)
        assert log.newest().state == "final"
        assert log.newest("stamps").state == "final"
        log.wait()
    with log.rig.database.writing() as connection:
        last = log.newest()
        better = replaced(chain.node, (), WALLET, _attempt(log, last), lambda _fields, _size: None)
        outbox.add_attempt(
            connection, last.id, better.ref.hex(), better.raw, better.nonce, log.rig.clock(), better.lane
        )
    size = log.close()
    ledger.step()
    assert log.newest().state == "sent"
    with log.rig.database.writing() as connection:
        anchorings.create_anchoring(connection, "stamps", "rfc3161", size, log.rig.clock())
    index_digests(log.rig.database)


def _watch(log, authority):
    watch = StampWatch(
        log.rig.database,
        {authority.name: authority},
        lambda size: log.head(size).note,
        partial(fetch, Outbound(allow_private=True)),
        timedelta(hours=1),
        lambda: datetime.now(UTC),
    )
    watch.step()


def _attempt(log, item):
    stored = log.attempts(item)[-1]
    return Attempt(bytes.fromhex(stored.ref), stored.raw, stored.nonce, stored.lane)


def sql(rig, statement, **values):
    """Change the database past its own constraints, and at least one row of it."""
    with closing(sqlite3.connect(rig.folder / "notary.db")) as connection, connection:
        assert connection.execute(statement, values).rowcount > 0, statement


@contextmanager
def copied(sound: Rig, folder: Path):
    """A log with the same objects, and a copy of the database, which may be damaged."""
    if not (folder / "log").exists():
        shutil.copytree(sound.folder / "log", folder / "log")
    with closing(sqlite3.connect(folder / "notary.db")) as target, sound.database.engine.connect() as source:
        source.connection.driver_connection.backup(target)
    database = open_database(f"sqlite:///{folder / 'notary.db'}")
    yield Rig(database, folder)
    database.dispose()


def named(rig: Rig, attesters: Attesters, pattern: str) -> None:
    """One of the problems reads so."""
    problems = rig.fsck(attesters).problems
    assert any(re.search(pattern, problem) for problem in problems), problems
