"""One close after another, by one process at a time."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.errors import Fatal, NotaryError, NotReady, Overtaken, Unavailable
from notary.evidence.checkpoint import Checkpoint, sign_checkpoint
from notary.evidence.cose import sign_root
from notary.evidence.key_history import LOG, KeyHistory
from notary.evidence.note import Verifier
from notary.log import extends, staging
from notary.log.batch import build, last_entries
from notary.log.clock import Pace, elapsed, nobodys, require_later, require_same
from notary.log.entries import waiting_ahead
from notary.log.publish import check_published, opened, publish
from notary.store.checkpoints import StoredCheckpoint
from notary.store.engine import Connection, Database
from notary.store.groups import assign_places, waiting_groups
from notary.store.key_changes import known_history, refuse_unnoted
from notary.store.logstate import LogState, read_state, release_lease, renew_lease, swap_state, take_lease
from notary.store.objects import CHECKPOINT, Objects
from notary.store.sql import server_start
from notary.store.tiles import Tiles

MAX_BATCH = 1_000_000
LEASE = timedelta(seconds=20)
# In leases: after so long without a look nobody knows what others have closed meanwhile, and witnesses are asked again.
_REMEMBERED = 3

_log = structlog.get_logger()


def _no_other(verifier: Verifier) -> Ed25519PrivateKey:
    raise Fatal(f"{verifier.vkey} is in force, and the log key here is not of this log and key")


@dataclass(slots=True)
class Sequencer:
    """Closes batches. Only one holds the lease; the others wait, and take over when it runs out.

    The lease keeps them out of each other's way; that two never both succeed rests on the epoch, which the
    swap compares. Used by one thread.

    Attributes:
        database: where entries wait and checkpoints are kept.
        objects: where tiles and the published checkpoint are.
        key: a log key; the one in force is taken in its place when the log names another.
        origin: name of the log.
        now: the time, aware.
        holder: who this process is to the others; the same after a restart if there is only one.
        lease: how long a silent holder keeps the others waiting.
        max_batch: entries in one close; the rest waits for the next.
        witnesses: each gives size and root of the newest head that a third party holds, size 0 before the first;
            asked once, before this process makes its first checkpoint, and again where it has not looked at the
            database for so long that others may have closed what it does not know.
        find_key: gives the private key of a log key, or raises SettingsError where it is not at hand.
        passed: seconds that no step of the wall clock moves.
        theirs: the time as the database has it, None where it has no clock of its own.
    """

    database: Database
    objects: Objects
    key: Ed25519PrivateKey
    origin: str
    now: Callable[[], datetime]
    holder: str
    lease: timedelta = LEASE
    max_batch: int = MAX_BATCH
    witnesses: Sequence[Callable[[], tuple[int, bytes]]] = ()
    find_key: Callable[[Verifier], Ed25519PrivateKey] = _no_other
    passed: Callable[[], float] = elapsed
    theirs: Callable[[Connection], datetime | None] = nobodys
    _epoch: int | None = field(default=None, init=False)
    _witnessed: bool = field(default=False, init=False)
    _waits_for: str | None = field(default=None, init=False)
    _pace: Pace = field(default_factory=Pace, init=False)
    _left: LogState | None = field(default=None, init=False)  # the newest state that was seen, or written
    _looked: float = field(default=0.0, init=False)  # when that was
    _led: bool = field(default=False, init=False)
    _held: float = field(default=0.0, init=False)  # until when nobody else can have taken over

    @property
    def leading(self) -> bool:
        """Whether this process made the last close, also while the next one is under way, and its lease is not over.

        For other threads, which go on with what only one process may do. Whoever slept for longer than the lease does
        not, before it has looked: another may have taken over.
        """
        return self._led and self.passed() < self._held

    def acquire(self) -> bool:
        """Take the lease if it is free, and bring what a crash left to its end.

        Nothing is written before the database was compared with what is witnessed, published, and known here.

        Returns:
            Whether this process makes the checkpoints now.

        Raises:
            NotReady: the log is not open yet.
            SettingsError: the log key in force is not at hand.
            Fatal: what is stored, published or witnessed contradicts the newest checkpoint, or the clock runs far
                behind it.
            Overtaken: the lease has run out meanwhile, and another process has it.
            Unavailable: database, disk or a witness do not answer, or the clock is not right.
        """
        self._epoch, self._led = None, False
        now = self._time()
        if self.passed() - self._looked > _REMEMBERED * self.lease.total_seconds():
            self._witnessed = False
        # Before the lease is taken: one that does not answer keeps no other process from working.
        heads = [] if self._witnessed else [witness() for witness in self.witnesses]
        shown = self.objects.read(CHECKPOINT)
        with self.database.writing() as connection:
            state = read_state(connection)
            if state is None:
                raise NotReady("the log has no entry 0 yet")
            extends.require_seen(connection, state, self._left)
            extends.require_witnessed(connection, state, heads)
            extends.require_published(connection, state, shown, self.origin)
            # A crash after this leaves a lease, and the others wait until it is over.
            epoch = take_lease(connection, self.holder, now, now + self.lease)
            if epoch is not None:
                self._check_clock(connection, now)  # who could close nothing takes it from nobody
                state = read_state(connection) or state  # nobody can move it any more
        # One that waits remembers what it sees of the other's checkpoints: it need not ask when it takes over.
        self._witnessed, self._left, self._looked = True, state, self.passed()
        if epoch is None:
            self._wait_for(state)
            return False
        self._waits_for = None
        # From here on no swap of a holder before us can succeed, so the state below is the last of theirs.
        self._recover(epoch)
        self._epoch = epoch
        return True

    def sequence(self) -> StoredCheckpoint | None:
        """Close a batch: everything that waits, up to `max_batch`.

        Returns:
            The new checkpoint, published; None if nothing waits, or another process has the lease.

        Raises:
            NotReady: the log is not open yet.
            Fatal: the swap failed or may have failed, or stored state contradicts itself, what is published, or what
                this process left. The process must stop; a new one recovers.
            Overtaken: another process has taken over. The process must stop; a new one waits for its turn.
            Unavailable: database or disk do not answer, or the clock is not right; harmless to call again.
        """
        if self._epoch is None and not self.acquire():
            return None
        epoch, self._epoch = self._epoch, None
        try:
            closed = self._close(epoch)
        except BaseException:
            self._led = False
            raise
        self._epoch = epoch  # only now: after any exception the next call recovers first
        self._led = True
        return closed

    def release(self) -> None:
        """Let another process take over at once; for an orderly stop."""
        if self._epoch is not None:
            with self.database.writing() as connection:
                release_lease(connection, self._epoch)
            self._epoch, self._led = None, False

    def _close(self, epoch: int | None) -> StoredCheckpoint | None:
        now = self._time()
        with self.database.reading() as connection:
            state = self._state(connection, epoch, now)
            groups = waiting_groups(connection, self.max_batch)
            keys = known_history(connection)
            if groups:
                refuse_unnoted(connection, groups)
            server = server_start(connection)
        ours = keys.verifiers(LOG)
        state = self._renew(state)
        if not groups:
            # A holder before us that slept through its end may have put its older checkpoint there.
            self._publish(state, state.note, ours)
            return None

        # What the world can read must lead to this database before anything is signed: it may be another server's.
        self._compare(state, ours)
        checkpoint, names = self._stage(state, groups)
        # The note is signed before the swap and shown to nobody until after it.
        # One key signs: the newest that the log named before this batch. So the one that names it is the old one's.
        key = self._key(keys, state.size)
        note, cose = sign_checkpoint(checkpoint, key).encode(), sign_root(checkpoint, key)
        # As everybody else will: one of another name would end the log once it is swapped in.
        opened(note, ours)
        made = StoredCheckpoint(checkpoint.size, checkpoint.root, note, now, cose)
        self._swap(state, groups, made, names, server)
        # Durable: this is the checkpoint of this size, for ever. A crash from here on leaves tiles to be put
        # at their names, or a checkpoint to be published; recovery does both from the staging objects.
        if not staging.apply(self.objects, names):
            raise self._ended(state, "a staging object is gone")
        self._publish(state, note, ours)
        # Everything is at its name. A crash here leaves staging objects, which the next holder removes.
        staging.discard(self.objects, names)
        return made

    def _stage(self, state: LogState, groups: Sequence[tuple[int, int]]) -> tuple[Checkpoint, str]:
        """What the log is with these groups, its tiles and bundles staged: the checkpoint, and the staging objects."""
        staged = []
        for part in build(self.objects, state.size, state.root, waiting_ahead(self.database, groups)):
            # Durable: an object that nobody reads. A crash here leaves it, and the next holder removes it.
            staged.append(staging.stage(self.objects, part.objects, state.epoch))
            state = self._renew(state)  # a million entries take as long as half a lease
        return Checkpoint(self.origin, part.size, part.root), staging.join(staged)

    def _swap(
        self,
        state: LogState,
        groups: Sequence[tuple[int, int]],
        made: StoredCheckpoint,
        names: str,
        server: datetime | None,
    ) -> None:
        try:
            with self.database.writing() as connection:
                # A standby that lacked a group may have given its number to another, and the tiles are of the first.
                if server_start(connection) != server:
                    raise Unavailable(
                        "the database was started again within this close, or is another server"
                    )
                swap_state(connection, state, made.size, made.root, made.note, names, made.time, made.cose)
                assign_places(connection, state.size, groups)
        except NotaryError as error:
            # Nothing in memory can tell which of two checkpoints of one size is ours: whoever starts next
            # reads it from the database.
            what = f"the swap to size {made.size} failed or is unclear: {error}"
            raise self._ended(state, what) from error
        self._left = replace(state, size=made.size, root=made.root, note=made.note, staging=names)

    def _recover(self, epoch: int) -> None:
        with self.database.reading() as connection:
            state = self._state(connection, epoch, self.now())
            keys = known_history(connection)
        ours = keys.verifiers(LOG)
        self._key(keys, state.size)  # else nothing can be closed
        checkpoint = opened(state.note, ours)
        if (checkpoint.size, checkpoint.root) != (state.size, state.root):
            raise Fatal("the newest checkpoint is not about the size and root beside it")
        self._compare(state, ours)
        if state.staging is not None:
            staging.apply(self.objects, state.staging)
        Tiles(self.objects).check_edge(state.size, state.root)
        last_entries(self.objects, state.size)
        self._publish(state, state.note, ours)
        # Everything is at its name. Staging objects of closes that came to nothing go too.
        staging.discard_all(self.objects, epoch)

    def _state(self, connection: Connection, epoch: int | None, now: datetime) -> LogState:
        state = read_state(connection)
        if state is None or epoch is None or state.epoch < epoch:
            raise Fatal(f"the database is older than epoch {epoch} of this process")
        if state.epoch > epoch:
            raise Overtaken(f"epoch {epoch} is over: another process makes the checkpoints now")
        extends.require_left(state, self._left)
        self._check_clock(connection, now)
        self._looked = self.passed()
        return state

    def _time(self) -> datetime:
        now = self.now()
        self._pace.require(now, self.passed())
        return now

    def _check_clock(self, connection: Connection, now: datetime) -> None:
        require_same(connection, self.now, self.theirs)
        require_later(connection, now)

    def _root_at(self, size: int) -> bytes | None:
        left = self._left
        if left is not None and left.size == size:
            return left.root
        with self.database.reading() as connection:
            return extends.root_at(connection, size)

    def _wait_for(self, state: LogState) -> None:
        if state.holder != self._waits_for:
            self._waits_for = state.holder
            _log.info(
                "another process makes the checkpoints; waiting",
                holder=state.holder,
                until=None if state.lease_until is None else state.lease_until.isoformat(),
            )

    def _compare(self, state: LogState, ours: Sequence[Verifier]) -> None:
        checkpoint = Checkpoint(self.origin, state.size, state.root)
        check_published(self.objects, checkpoint, ours, self._root_at, partial(self._ended, state))

    def _publish(self, state: LogState, note: bytes, ours: Sequence[Verifier]) -> None:
        publish(self.objects, note, ours, self._root_at, partial(self._ended, state))

    def _ended(self, state: LogState, why: str) -> Fatal:
        """What ends this process: where another has taken over, that explains `why`; else nothing does."""
        # Its epoch began after our last write: what came of that is settled, and it has read what.
        with suppress(NotaryError), self.database.reading() as connection:
            now = read_state(connection)
            if now is not None and now.epoch > state.epoch:
                return Overtaken(
                    f"epoch {state.epoch} is over: another process makes the checkpoints now: {why}"
                )
        return Fatal(why)

    def _renew(self, state: LogState) -> LogState:
        """Stay the holder, where half of the lease is over; and let the other threads go on for as long."""
        # In this order: whoever sleeps between them wakes with nothing left.
        passed, now = self.passed(), self.now()
        longest = now + self.lease
        if state.lease_until is None or state.lease_until - now < self.lease / 2:
            with self.database.writing() as connection:
                renew_lease(connection, state.epoch, longest)
            state = replace(state, lease_until=longest)
        assert state.lease_until is not None  # noqa: S101 - it was given above
        # One that ends later is of a clock that ran ahead, and binds nobody.
        self._held = passed + (min(state.lease_until, longest) - now).total_seconds()
        return state

    def _key(self, keys: KeyHistory, size: int) -> Ed25519PrivateKey:
        """The log key that signs what follows a checkpoint of `size`.

        Raises:
            SettingsError, Fatal: it is not here.
        """
        wanted = Verifier.from_vkey(keys.in_force(LOG, size))
        if wanted != Verifier(self.origin, self.key.public_key().public_bytes_raw()):
            self.key = self.find_key(wanted)
        return self.key
