"""What must be true of every single record."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from notary.errors import EvidenceError, NotFound
from notary.evidence.bodies import Document
from notary.evidence.commitments import check_openings
from notary.evidence.note import Verifier
from notary.evidence.receipt import check_receipt, open_receipt
from notary.evidence.statement import Statement, entry_of, parse_statement
from notary.store.engine import Connection
from notary.store.openings import openings_of
from notary.store.records import Record, record_by_seq


@dataclass(frozen=True, slots=True)
class RecordChecks:
    """Checks of records against the keys, the checkpoints (root by size), and what waits."""

    origin: str
    receipt_keys: Sequence[Verifier]
    roots: Mapping[int, bytes]
    waiting: set[int]  # emptied as its records are seen

    def problems(self, connection: Connection, record: Record) -> list[str]:
        """One sentence for each thing wrong with a record."""
        return [f"record {record.number}: {problem}" for problem in self._problems(connection, record)]

    def left_over(self) -> list[str]:
        """What waits and is no record; call it after all records."""
        return [f"sequence {seq} waits and is no record" for seq in sorted(self.waiting)]

    def _problems(self, connection: Connection, record: Record) -> Iterator[str]:
        waits = record.seq in self.waiting
        self.waiting.discard(record.seq)
        if waits == (record.index is not None):
            yield "waits and is in the log" if waits else "neither waits nor is in the log"
        if entry_of(record.statement) != record.entry:
            yield "its entry is not the SHA-256 of its statement"
        try:
            statement = parse_statement(record.statement)
            check_openings(openings_of(connection, record.seq), statement.commitments)
        except EvidenceError as error:
            yield str(error)
            return
        yield from _columns(statement, record)
        yield from self._previous(connection, statement, record)
        yield from self._receipt(record)

    def _previous(self, connection: Connection, statement: Statement, record: Record) -> Iterator[str]:
        try:
            followed = (
                None if record.follows_seq is None else record_by_seq(connection, record.follows_seq).entry
            )
        except NotFound as error:
            yield str(error)
            return
        if statement.previous != followed:
            yield "it follows another statement than its row says"

    def _receipt(self, record: Record) -> Iterator[str]:
        if record.receipt is None:
            if record.index != 0:
                yield "it has no receipt"
            return
        try:
            promise, file = open_receipt(record.receipt, self.origin, self.receipt_keys)
            check_receipt(promise, file, record.entry)
        except EvidenceError as error:
            yield f"its receipt: {error}"
            return
        if self.roots.get(promise.size) != promise.size_root:
            yield f"its receipt names a checkpoint of size {promise.size} that is not ours"
        if record.index is not None and record.index < promise.size:
            yield "its receipt names a checkpoint that it is in already"


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
