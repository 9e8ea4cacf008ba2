"""What must be true of every commit group, of each record in it, and of the claims that it answered."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from notary.errors import EvidenceError, NotFound
from notary.evidence.key_history import RECEIPT
from notary.evidence.note import open_note
from notary.evidence.receipt import Promise, group_root, parse_promise
from notary.log.fsck_blocks import NamedBlocks
from notary.log.fsck_keys import Keys
from notary.log.fsck_records import Surroundings, record_problems
from notary.store.claims import claims_after, overlapping
from notary.store.engine import Connection
from notary.store.groups import Group
from notary.store.key_changes import KEY
from notary.store.openings import count_openings
from notary.store.places import group_of, seq_of
from notary.store.records import count_records, record_by_seq, records_from

CLAIMS = 5000
_KEYS, _OF_CONTENT = "kdr", "dr"  # the first letter of a claim's key; see `notary.store.claims`


@dataclass(slots=True)
class GroupChecks:
    """Checks of groups against the receipt keys and the checkpoints (root by size); notes which are on keys."""

    origin: str
    keys: Keys
    roots: Mapping[int, bytes]
    tenants: frozenset[int]
    blocks: NamedBlocks
    _seen: int = 0
    _openings: int = 0
    on_keys: set[int] = field(default_factory=set)

    def problems(self, connection: Connection, group: Group) -> Iterator[str]:
        """One sentence for each thing wrong with a group or one of its records."""
        records = records_from(connection, seq_of(group.id, 0), group.count)
        self._seen += len(records)
        self.on_keys.update(record.seq for record in records if record.type == KEY)
        if [record.seq for record in records] != [seq_of(group.id, at) for at in range(group.count)]:
            yield f"commit group {group.id} has not the {group.count} records that it says"
        around = Surroundings(self.origin, self.tenants, self.blocks, self._opened)
        for record in records:
            for problem in record_problems(connection, record, around):
                yield f"record {record.number}: {problem}"
        for problem in self._promise(group, [record.entry for record in records]):
            yield f"commit group {group.id}: {problem}"

    def left_over(self, connection: Connection, count: Callable[[str, int], None]) -> Iterator[str]:
        """Records of no group, and claims on records that are not there; call it after all groups."""
        stored = count_records(connection)
        if stored != self._seen:
            yield f"{stored} records are stored, but the commit groups have {self._seen}"
        openings = count_openings(connection)
        if openings != self._openings:
            yield f"{openings} openings are stored, but the records have {self._openings}"
        after: tuple[int, str] | None = None
        while page := claims_after(connection, after, CLAIMS):
            for claim, claimed in page:
                if claim.key[:1] not in _KEYS or (
                    claim.key[0] in _OF_CONTENT and claim.key[1:] != claim.request_sha256.hex()
                ):
                    yield f"a claim of organisation {claim.tenant_id} is under a key that is not of its request"
                try:
                    first = record_by_seq(connection, claimed.first_seq)
                    last = record_by_seq(connection, claimed.first_seq + claimed.count - 1)
                except NotFound:
                    yield f"a claim of organisation {claim.tenant_id} names records that are not there"
                    continue
                if {first.tenant_id, last.tenant_id} != {claim.tenant_id}:
                    yield f"a claim of organisation {claim.tenant_id} names records of another"
                if group_of(first.seq) != group_of(last.seq):
                    yield f"a claim of organisation {claim.tenant_id} names records of two groups"
            count("claims", len(page))
            after = (page[-1][0].tenant_id, page[-1][0].key)
        for tenant in overlapping(connection, CLAIMS):
            yield f"a claim of organisation {tenant} names records of another claim"

    def _opened(self, openings: int) -> None:
        self._openings += openings

    def _promise(self, group: Group, entries: Sequence[bytes]) -> Iterator[str]:
        if group.note is None:
            if group.first_index != 0:
                yield "it has no promise"
            return
        try:
            note, signer = open_note(group.note, self.keys.receipt)
            promise = parse_promise(note.text)
        except EvidenceError as error:
            yield f"its promise: {error}"
            return
        for problem in self.keys.signer_problems(RECEIPT, signer, promise.size):
            yield f"its promise: {problem}"
        yield from self._compare(group, promise, entries)

    def _compare(self, group: Group, promise: Promise, entries: Sequence[bytes]) -> Iterator[str]:
        if promise.origin != self.origin:
            yield f"its promise is of log {promise.origin!r}"
        if (promise.count, promise.root) != (len(entries), group_root(entries)):
            yield "its promise is about other entries"
        if self.roots.get(promise.size) != promise.size_root:
            yield f"its promise names a checkpoint of size {promise.size} that is not ours"
        if group.first_index is not None and group.first_index < promise.size:
            yield "its promise names a checkpoint that it is in already"
