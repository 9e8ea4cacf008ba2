"""What must be true of every single record."""

from collections.abc import Iterator

from notary.errors import EvidenceError, NotFound
from notary.evidence.bodies import Document
from notary.evidence.commitments import check_openings
from notary.evidence.statement import Statement, entry_of, parse_statement
from notary.store.engine import Connection
from notary.store.openings import openings_of
from notary.store.records import Record, record_by_seq


def record_problems(connection: Connection, origin: str, record: Record) -> Iterator[str]:
    """One sentence for each thing wrong with a record."""
    if entry_of(record.statement) != record.entry:
        yield "its entry is not the SHA-256 of its statement"
    try:
        statement = parse_statement(record.statement)
        if statement.commitments.count:
            check_openings(openings_of(connection, record.seq), statement.commitments)
    except EvidenceError as error:
        yield str(error)
        return
    if statement.log != origin:
        yield f"its statement is of log {statement.log!r}"
    yield from _columns(statement, record)
    yield from _previous(connection, statement, record)


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
