"""Read everything again and believe nothing: the oracle of every crash test, and of a worried operator."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from notary.errors import EvidenceError, Fatal
from notary.evidence.checkpoint import Checkpoint, open_checkpoint
from notary.evidence.note import Verifier
from notary.log.fsck_around import Attesters, Surrounding, genesis_of
from notary.log.fsck_blocks import NamedBlocks
from notary.log.fsck_groups import GroupChecks
from notary.log.fsck_index import index_problems
from notary.log.fsck_keys import Keys, key_problems, trust_problems
from notary.log.fsck_promises import promise_problems
from notary.log.fsck_staged import Staged
from notary.log.fsck_tree import Rebuilt, checkpoint_problems, names_between
from notary.store.checkpoints import StoredCheckpoint, checkpoints_after
from notary.store.engine import Connection, Database
from notary.store.groups import closed_entries, closed_groups, groups_after
from notary.store.logstate import read_state
from notary.store.objects import CHECKPOINT, Objects
from notary.store.walks import tenant_ids

GROUPS = 500  # in memory at a time
CHECKPOINTS = 5000
MAX_PROBLEMS = 1000  # more say nothing more


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
    attesters: Attesters | None = None,
) -> FsckResult:
    """Rebuild the log from its records and compare everything stored and published with that.

    Run while the service works, it judges the log as of its start. It holds some groups in memory at a time,
    and the names of the log's objects.

    Args:
        database: the database; only read.
        objects: the log's objects; only read.
        origin: name of the log.
        log_keys: the log key of entry 0, of which the caller is sure; later ones are read from key statements.
        receipt_keys: the same of receipts.
        progress: told what is being counted, and how many there were so far.
        attesters: whose words on the log are checked against more than entry 0.

    Raises:
        Unavailable: database or disk do not answer; that says nothing about the log.
    """
    genesis = genesis_of(database)
    with database.reading(snapshot=True) as connection:
        state = read_state(connection)
        staged = Staged(objects, None if state is None else state.staging)
        keys = Keys.read(connection, log_keys, receipt_keys)
        check = _Fsck(objects, origin, keys, staged, progress or (lambda _what, _count: None))
        check.log(connection)
        blocks, tenants = NamedBlocks(connection), tenant_ids(connection)
        groups = GroupChecks(origin, keys, check.roots, tenants, blocks)
        check.groups(connection, groups)
        check.add(key_problems(connection, groups.on_keys, check.count))
        check.add(trust_problems(connection, origin, check.count))
        check.add(index_problems(connection, check.size, check.count))
        around = Surrounding(origin, keys.log, check.roots, genesis, attesters or Attesters())
        check.add(around.problems(connection, check.count))
        check.add(promise_problems(connection, check.size, check.count))
    check.objects_beyond(database)
    return FsckResult(check.problems, check.counts)


@dataclass(slots=True)
class _Fsck:
    objects: Objects
    origin: str
    keys: Keys
    staged: Staged
    progress: Callable[[str, int], None]
    problems: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    roots: dict[int, bytes] = field(default_factory=dict)  # of every checkpoint, by size
    expected: set[str] = field(default_factory=set)
    size: int = 0  # entries of the log, by the groups that have their places

    def count(self, what: str, more: int) -> None:
        self.counts[what] = self.counts.get(what, 0) + more
        self.progress(what, self.counts[what])

    def add(self, problems: Iterator[str]) -> None:
        for problem in problems:
            if len(self.problems) == MAX_PROBLEMS:
                self.problems.append("and more: the first thousand are shown")
            if len(self.problems) > MAX_PROBLEMS:
                return
            self.problems.append(problem)

    def log(self, connection: Connection) -> None:
        """Places, checkpoints, tiles, and the state of the log."""
        tree = Rebuilt(self._entries(connection))
        last: StoredCheckpoint | None = None
        for stored in self._checkpoints(connection):
            if last is not None and stored.time < last.time:
                self.add(iter([f"checkpoint {stored.size} is dated before the one of {last.size}"]))
            self.roots[stored.size] = stored.root
            for name, data in tree.grow(stored.size):
                self.add(self._object(name, data))
            before = 0 if last is None else last.size
            self.add(checkpoint_problems(stored, tree, self.origin, self.keys, before))
            last = stored
        self.size = tree.drain()
        self.add(self._state(connection, last))

    def groups(self, connection: Connection, checks: GroupChecks) -> None:
        """Every commit group with its records, whether it is closed or waits."""
        last = -1
        while page := groups_after(connection, last, GROUPS):
            for group in page:
                self.add(checks.problems(connection, group))
                self.count("records", group.count)
            last = page[-1].id
        self.add(checks.left_over(connection, self.count))

    def objects_beyond(self, database: Database) -> None:
        """What is published must be one of ours, and no tile may be there that no checkpoint explains."""
        # In this order: a close publishes before it ends, and the database has a checkpoint before the world.
        least = max(self.roots, default=0) if self.staged.over() else 0
        published = self._published()
        found = set(self.objects.names("tile"))
        with database.reading() as connection:
            # Closes since the snapshot are not judged, only known.
            later = checkpoints_after(connection, max(self.roots, default=0), 2**31)
        size = max(self.roots, default=0)
        for stored in later:
            self.expected |= names_between(size, stored.size)
            self.roots[stored.size], size = stored.root, stored.size
        self.add(self._not_ours(published, least))
        self.add(f"{name} belongs to no checkpoint" for name in sorted(found - self.expected))

    def _published(self) -> Checkpoint | str:
        """What the world reads, or why it reads nothing of ours."""
        try:
            note = self.objects.read(CHECKPOINT)
            if note is None:
                return "no checkpoint is published"
            return open_checkpoint(note, self.origin, self.keys.log).checkpoint
        except (EvidenceError, Fatal) as error:
            return f"the published checkpoint: {error}"

    def _not_ours(self, shown: Checkpoint | str, least: int) -> Iterator[str]:
        if isinstance(shown, str):
            yield shown
        elif self.roots.get(shown.size) != shown.root:
            yield f"the published checkpoint of size {shown.size} is not one of ours"
        elif shown.size < least:
            yield (
                f"the published checkpoint is of size {shown.size}, and the one of size {least} was published: "
                "a worker publishes it again when it closes"
            )

    def _entries(self, connection: Connection) -> Iterator[bytes]:
        size, after = 0, -1
        while page := closed_groups(
            connection, after + 1, GROUPS
        ):  # by its place, also one that others have, too
            entries = closed_entries(connection, page)
            for group in page:
                if group.first_index != size:
                    self.add(iter([f"commit group {group.id} is at {group.first_index}, not at {size}"]))
                    return
                own = entries.get(group.id, [])
                if len(own) != group.count:
                    self.add(iter([f"commit group {group.id} has {len(own)} records, not {group.count}"]))
                    return
                yield from own
                size, after = size + group.count, size
            self.count("leaves", sum(group.count for group in page))

    def _checkpoints(self, connection: Connection) -> Iterator[StoredCheckpoint]:
        size = 0
        while page := checkpoints_after(connection, size, CHECKPOINTS):
            yield from page
            size = page[-1].size
            self.count("checkpoints", len(page))

    def _state(self, connection: Connection, last: StoredCheckpoint | None) -> Iterator[str]:
        state = read_state(connection)
        if state is None or last is None:
            yield "the log is not open"
            return
        if (state.size, state.root, state.note) != (last.size, last.root, last.note):
            yield "the state of the log is not its newest checkpoint"
        if last.size != self.size:
            yield f"{self.size} entries have a place, but the newest checkpoint has {last.size}"

    def _object(self, name: str, data: bytes) -> Iterator[str]:
        self.expected.add(name)
        self.count("objects", 1)
        try:
            found = self.objects.read(name)
        except Fatal as error:
            yield f"{name} cannot be read: {error}"
            return
        if found is None and self.staged.holds(name, data):
            return
        if found != data:
            yield f"{name} is {'missing' if found is None else 'damaged'}"
