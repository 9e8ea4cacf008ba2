"""Read everything again and believe nothing: the oracle of every crash test, and of a worried operator."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from notary.errors import EvidenceError, Fatal
from notary.evidence.checkpoint import open_checkpoint
from notary.evidence.note import Verifier
from notary.log.fsck_records import RecordChecks
from notary.merkle.hashing import hash_leaf
from notary.merkle.tiles import TILE_WIDTH, encode_bundle, entry_bundles, new_tiles
from notary.merkle.tree import CompactRange, root_of
from notary.store.checkpoints import StoredCheckpoint, checkpoints_after
from notary.store.engine import Connection, Database
from notary.store.leaves import leaves_from, pending_seqs
from notary.store.logstate import read_state
from notary.store.objects import CHECKPOINT, Objects
from notary.store.records import records_after

PAGE = 5000


@dataclass(frozen=True, slots=True)
class FsckResult:
    """What was wrong, one sentence each, and how much was looked at."""

    problems: list[str]
    counts: dict[str, int]


def fsck(
    database: Database,
    objects: Objects,
    origin: str,
    log_keys: Sequence[Verifier],
    receipt_keys: Sequence[Verifier],
    progress: Callable[[str, int], None] | None = None,
) -> FsckResult:
    """Rebuild the log from its records and compare everything stored and published with that.

    Run while the service works, it judges the log as of its start.

    Args:
        database: the database; only read.
        objects: the log's objects; only read.
        origin: name of the log.
        log_keys: every key that ever signed checkpoints.
        receipt_keys: every key that ever signed receipts.
        progress: told what is being counted, and how many there were so far.

    Raises:
        Unavailable: database or disk do not answer; that says nothing about the log.
    """
    check = _Fsck(objects, origin, log_keys, progress or (lambda _what, _count: None))
    with database.reading(snapshot=True) as connection:
        check.log(connection)
        records = RecordChecks(origin, receipt_keys, check.roots, pending_seqs(connection))
        seq = -1
        while page := records_after(connection, seq, PAGE):
            for record in page:
                check.problems += records.problems(connection, record)
            seq = page[-1].seq
            check.count("records", len(page))
        check.problems += records.left_over()
    check.objects_beyond(database)
    return FsckResult(check.problems, check.counts)


@dataclass(slots=True)
class _Fsck:
    objects: Objects
    origin: str
    log_keys: Sequence[Verifier]
    progress: Callable[[str, int], None]
    problems: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    roots: dict[int, bytes] = field(default_factory=dict)  # of every checkpoint, by size
    expected: set[str] = field(default_factory=set)

    def count(self, what: str, more: int) -> None:
        self.counts[what] = self.counts.get(what, 0) + more
        self.progress(what, self.counts[what])

    def log(self, connection: Connection) -> None:
        """Leaves, checkpoints, tiles, and what is published."""
        entries = list(self._entries(connection))
        rows = _rows([hash_leaf(entry) for entry in entries])
        tree = CompactRange()
        last: StoredCheckpoint | None = None
        for stored in self._checkpoints(connection):
            if last is not None and stored.time < last.time:
                self.problems.append(f"checkpoint {stored.size} is dated before the one of {last.size}")
            if stored.size > len(entries):
                self.problems.append(f"checkpoint {stored.size} is larger than the {len(entries)} leaves")
                return
            tree = tree.extended(rows[0][tree.size : stored.size])
            self._checkpoint(stored, tree.root())
            self._tiles(0 if last is None else last.size, stored.size, rows, entries)
            last = stored
        state = read_state(connection)
        if state is None or last is None:
            self.problems.append("the log is not open")
        elif (state.size, state.root, state.note) != (last.size, last.root, last.note):
            self.problems.append("the state of the log is not its newest checkpoint")
        if last is not None and last.size != len(entries):
            self.problems.append(f"{len(entries)} leaves, but the newest checkpoint has {last.size}")

    def objects_beyond(self, database: Database) -> None:
        """What is published must be one of ours, and no tile may be there that no checkpoint explains."""
        with database.reading() as connection:
            # Closes since the snapshot are not judged, only known.
            later = checkpoints_after(connection, max(self.roots, default=0), 2**31)
        self.roots |= {stored.size: stored.root for stored in later}
        note = self.objects.read(CHECKPOINT)
        try:
            shown = None if note is None else open_checkpoint(note, self.origin, self.log_keys).checkpoint
            if shown is None:
                self.problems.append("no checkpoint is published")
            elif self.roots.get(shown.size) != shown.root:
                self.problems.append(f"the published checkpoint of size {shown.size} is not one of ours")
        except EvidenceError as error:
            self.problems.append(f"the published checkpoint: {error}")
        if not later:
            found = set(self.objects.names("tile"))
            self.problems += [f"{name} belongs to no checkpoint" for name in sorted(found - self.expected)]

    def _entries(self, connection: Connection) -> Iterator[bytes]:
        count = 0
        while page := leaves_from(connection, count, PAGE):
            for index, _, entry in page:
                if index != count:
                    self.problems.append(f"leaf {index} stands where {count} must be")
                    return
                count += 1
                yield entry
            self.count("leaves", len(page))

    def _checkpoints(self, connection: Connection) -> Iterator[StoredCheckpoint]:
        size = 0
        while page := checkpoints_after(connection, size, PAGE):
            yield from page
            size = page[-1].size
            self.count("checkpoints", len(page))

    def _checkpoint(self, stored: StoredCheckpoint, root: bytes) -> None:
        self.roots[stored.size] = stored.root
        if stored.root != root:
            self.problems.append(f"checkpoint {stored.size}: its root is not that of its entries")
        try:
            signed = open_checkpoint(stored.note, self.origin, self.log_keys).checkpoint
            if (signed.size, signed.root) != (stored.size, stored.root):
                self.problems.append(f"checkpoint {stored.size}: another size or root is signed")
        except EvidenceError as error:
            self.problems.append(f"checkpoint {stored.size}: {error}")

    def _tiles(self, old: int, new: int, rows: list[list[bytes]], entries: Sequence[bytes]) -> None:
        for tile in new_tiles(old, new):
            start = tile.index * TILE_WIDTH
            self._object(tile.path(), b"".join(rows[tile.level][start : start + tile.width]))
        for bundle in entry_bundles(old, new):
            start = bundle.index * TILE_WIDTH
            self._object(bundle.path(), encode_bundle(entries[start : start + bundle.width]))

    def _object(self, name: str, data: bytes) -> None:
        self.expected.add(name)
        self.count("objects", 1)
        try:
            found = self.objects.read(name)
        except Fatal as error:
            self.problems.append(f"{name} cannot be read: {error}")
            return
        if found != data:
            self.problems.append(f"{name} is {'missing' if found is None else 'damaged'}")


def _rows(leaf_hashes: list[bytes]) -> list[list[bytes]]:
    """For each level of tiles, the hashes of the complete subtrees that it shows."""
    rows = [leaf_hashes]
    while len(rows[-1]) >= TILE_WIDTH:
        row = rows[-1]
        starts = range(0, len(row) // TILE_WIDTH * TILE_WIDTH, TILE_WIDTH)
        rows.append([root_of(row[start : start + TILE_WIDTH]) for start in starts])
    return rows
