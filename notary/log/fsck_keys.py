"""What must be true of the statements on keys and of the trust statements; which key signs what by them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from notary.errors import EvidenceError, Fatal, NotaryError
from notary.evidence.bodies import Document
from notary.evidence.checkpoint import open_checkpoint
from notary.evidence.key_history import LOG, RECEIPT, RETIRED, KeyHistory, problems
from notary.evidence.key_signature import signature_problems
from notary.evidence.note import Verifier
from notary.evidence.statement import parse_statement
from notary.evidence.trust_statement import TrustStatement, check_succession, parse_trust_statement
from notary.store.checkpoints import checkpoint_covering
from notary.store.engine import Connection
from notary.store.key_changes import key_history, key_statements
from notary.store.records import record_by_seq
from notary.store.trust_statements import all_trust_statements


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that may have signed, and by the log's own word which one had to.

    Attributes:
        log, receipt: all that may have signed checkpoints and receipts.
        history: what the log says; None where that cannot be read, which is told of it.
    """

    log: Sequence[Verifier]
    receipt: Sequence[Verifier]
    history: KeyHistory | None

    @classmethod
    def read(cls, connection: Connection, log: Sequence[Verifier], receipt: Sequence[Verifier]) -> "Keys":
        """Keys of entry 0 as the caller has them, and those that statements add."""
        try:
            history = key_history(connection)
        except Fatal:
            history = None
        if history is None:
            return cls(log, receipt, None)
        return cls(
            [*log, *history.verifiers(LOG)[:-1]], [*receipt, *history.verifiers(RECEIPT)[:-1]], history
        )

    def signer_problems(self, role: str, signer: Verifier, size: int) -> Iterator[str]:
        """Whether `signer` is the key in force while the newest checkpoint had `size` entries."""
        if self.history is None or len(self.history.keys(role)) == 1:
            return  # then there is no other key
        wanted = self.history.in_force(role, size)
        if signer.vkey != wanted:
            yield f"it is signed by {signer.vkey}, but at size {size} {wanted} was in force"


def key_problems(connection: Connection, found: set[int], count: Callable[[str, int], None]) -> Iterator[str]:
    """One sentence for each thing wrong with statements on keys.

    Args:
        connection: to the database.
        found: `seq` of every record of this type that there is.
        count: told what was looked at.
    """
    noted = key_statements(connection)
    if noted:
        count("key statements", len(noted))
    if [number for number, _ in noted] != list(range(1, len(noted) + 1)):
        yield "the numbers of the key statements have a gap"
    for seq in sorted(found ^ {seq for _, seq in noted}):
        yield f"record of sequence {seq} is a key statement, or is noted as one, but not both"
    try:
        history = key_history(connection)
    except Fatal as error:
        yield str(error)
        return
    if history is None:
        return
    yield from problems(history)
    yield from signature_problems(history)
    places = [event.index for event in history.events if event.index is not None]
    if places != sorted(places):
        yield "the key statements are not in the order of their places in the log"
    yield from _retired(connection, history)


def trust_problems(connection: Connection, origin: str, count: Callable[[str, int], None]) -> Iterator[str]:
    """One sentence for each thing wrong with the versions of the trust statement."""
    versions: list[TrustStatement] = []
    for version, note, seq in all_trust_statements(connection):
        count("trust statements", 1)
        try:
            statement = parse_trust_statement(note)
            versions.append(statement)
            body = parse_statement(record_by_seq(connection, seq).statement).body
            if (statement.version, statement.origin) != (version, origin):
                yield f"trust statement {version}: it is of another version or log"
            if not isinstance(body, Document) or body.digests["sha-256"] != statement.fingerprint.hex():
                yield f"trust statement {version}: its record in the log is of something else"
        except NotaryError as error:
            yield f"trust statement {version}: {error}"
    for old, new in pairwise(versions):
        try:
            check_succession(old, new)
        except EvidenceError as error:
            yield f"trust statement {new.version}: {error}"


def _retired(connection: Connection, history: KeyHistory) -> Iterator[str]:
    """What is said to be the last tree size of a log key is that of its last checkpoint."""
    for event in history.events:
        change = event.change
        if (change.role, change.action) != (LOG, RETIRED) or change.size is None:
            continue
        keys = history.keys(LOG)
        if change.key not in keys[:-1]:
            continue  # told already
        following = keys[keys.index(change.key) + 1]
        added = next(e.index for e in history.events if e.change.key == following)
        if added is None:
            continue
        last = checkpoint_covering(connection, added)
        signed = open_checkpoint(last.note, history.origin, history.verifiers(LOG)).verifier
        if (last.size, signed.vkey) != (change.size, change.key):
            yield f"{change.key} is said to have signed up to size {change.size}, but it did up to {last.size}"
