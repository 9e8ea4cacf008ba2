"""What must be true of every single record."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from notary.errors import EvidenceError, NotFound
from notary.evidence.bodies import Document
from notary.evidence.commitments import Opening, check_openings, name_of
from notary.evidence.statement import Statement, entry_of, parse_statement
from notary.log.fsck_blocks import NamedBlocks
from notary.store.engine import Connection
from notary.store.openings import filed_openings
from notary.store.records import VISIBILITIES, Record, record_by_seq


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a record is checked against.

    Attributes:
        origin: of the log.
        tenants: ids of the organisations.
        blocks: that were kept.
        seen: is told how many openings a record has.
    """

    origin: str
    tenants: frozenset[int]
    blocks: NamedBlocks
    seen: Callable[[int], None]


def record_problems(connection: Connection, record: Record, around: Surroundings) -> Iterator[str]:
    """One sentence for each thing wrong with a record."""
    if record.visibility not in VISIBILITIES:
        yield f"there is no visibility {record.visibility!r}"
    if record.tenant_id is not None and record.tenant_id not in around.tenants:
        yield f"it is of organisation {record.tenant_id}, which is not there"
    if entry_of(record.statement) != record.entry:
        yield "its entry is not the SHA-256 of its statement"
    try:
        statement = parse_statement(record.statement)
        if statement.commitments.count:
            yield from _openings(filed_openings(connection, record.seq), statement, around.seen)
    except EvidenceError as error:
        yield str(error)
        return
    if statement.log != around.origin:
        yield f"its statement is of log {statement.log!r}"
    yield from _columns(statement, record)
    if statement.not_before is not None and not around.blocks.holds(statement.not_before):
        yield f"its statement names block {statement.not_before.number}, and no such block was kept"
    yield from _previous(connection, statement, record)


def _openings(
    filed: Sequence[tuple[str, Opening]], statement: Statement, seen: Callable[[int], None]
) -> Iterator[str]:
    seen(len(filed))
    check_openings(tuple(opening for _, opening in filed), statement.commitments)
    for name, opening in filed:
        if name_of(opening) != name:
            yield f"an opening is filed as {name!r} and opens another"


def _previous(connection: Connection, statement: Statement, record: Record) -> Iterator[str]:
    followed = None
    try:
        if record.follows_seq is not None:
            followed = record_by_seq(connection, record.follows_seq).entry
    except NotFound as error:
        yield str(error)
        return
    if statement.previous != followed:
        yield "it follows another statement than its row says"


def _columns(statement: Statement, record: Record) -> Iterator[str]:
    if (statement.number, statement.type) != (record.number, record.type):
        yield "its statement is of another number or type"
    block = statement.not_before
    if (None if block is None else block.number) != record.not_before_number:
        yield "its statement names another block"
    digests = statement.body.digests if isinstance(statement.body, Document) else {}
    for name, column in (("sha-256", record.sha256), ("sm3", record.sm3)):
        if digests.get(name) != (None if column is None else column.hex()):
            yield f"it is indexed under another {name} digest"
