"""Who makes the checkpoints: one process at a time, from a database that goes on from what the world has seen."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from notary.errors import Fatal, NotaryError, NotReady, Overtaken
from notary.log import extends
from notary.log.clock import Pace, elapsed, nobodys, require_later, require_same
from notary.store.engine import Connection, Database
from notary.store.logstate import LogState, read_state, release_lease, renew_lease, take_lease
from notary.store.objects import CHECKPOINT, Objects

LEASE = timedelta(seconds=20)
# In leases: after so long without a look nobody knows what others have closed meanwhile, and witnesses are asked again.
_REMEMBERED = 3

_log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class Leader(ABC):
    """Holds the lease, or waits for it to run out.

    The lease keeps processes out of each other's way; that two never both succeed rests on the epoch, which every
    write under it compares. Used by one thread, but for `leading`.

    Attributes:
        database: where entries wait and checkpoints are kept.
        objects: where tiles and the published checkpoint are.
        origin: name of the log.
        now: the time, aware.
        holder: who this process is to the others; the same after a restart if there is only one.
        lease: how long a silent holder keeps the others waiting.
        witnesses: each gives size and root of the newest head that a third party holds, size 0 before the first;
            asked once, before this process makes its first checkpoint, and again where it has not looked at the
            database for so long that others may have closed what it does not know.
        passed: seconds that no step of the wall clock moves.
        theirs: the time as the database has it, None where it has no clock of its own.
    """

    database: Database
    objects: Objects
    origin: str
    now: Callable[[], datetime]
    holder: str
    lease: timedelta = LEASE
    witnesses: Sequence[Callable[[], tuple[int, bytes]]] = ()
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
        if self.passed() - self._looked > _REMEMBERED * self.lease.total_seconds():
            self._witnessed = False
        # Before the lease is taken: one that does not answer keeps no other process from working.
        heads = [] if self._witnessed else [witness() for witness in self.witnesses]
        shown = self.objects.read(CHECKPOINT)
        with self.database.writing() as connection:
            # Only now: by a time from before all that was asked, a lease that somebody has renewed meanwhile would be
            # of a clock that ran ahead, and ours would be over when it begins.
            now = self._time()
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

    def release(self) -> None:
        """Let another process take over at once; for an orderly stop."""
        if self._epoch is not None:
            with self.database.writing() as connection:
                release_lease(connection, self._epoch)
            self._epoch, self._led = None, False

    @abstractmethod
    def _recover(self, epoch: int) -> None:
        """Bring what a holder before us left to its end. Raises as `acquire`."""

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
