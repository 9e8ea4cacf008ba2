"""How much may lie in the spool: on its way in, and waiting for inspection.

What waits is counted where it stands, in the database. What this process takes in at this moment is counted beside it,
from before it is looked at until it is durable: so it is never counted less than once, at the worst twice.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from notary.errors import Busy, TooManyRequests, Unavailable
from notary.store.engine import Database
from notary.store.inspections import inspections_waiting

MAX_WAITING = (
    100_000  # documents of all organisations: looking through them takes some hundredths of a second
)
_COPIES = 2  # of a body while it is taken in: as it arrives, and in the spool


def free_bytes(folder: Path) -> int:
    """What a file system has for us.

    Raises:
        Unavailable: it does not say.
    """
    try:
        status = os.statvfs(folder)
    except OSError as error:
        raise Unavailable(f"the spool cannot be looked at: {error.strerror}") from error
    return status.f_bavail * status.f_frsize


@dataclass(slots=True)
class Room:
    """Lets documents in, or says that there is no room for them; one for a process.

    Attributes:
        database: where what waits is known.
        folder: the spool; also for bytes that were not accepted yet.
        max_bytes: most bytes that wait for inspection, together.
        max_own: most documents of one organisation that wait for inspection.
        reserve: bytes that are left free on the disk.
        unknown: what a body counts that does not say its length.
        free: how many bytes the disk has.
    """

    database: Database
    folder: Path
    max_bytes: int
    max_own: int
    reserve: int
    unknown: int
    free: Callable[[Path], int] = free_bytes
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _arriving: int = 0  # bytes of bodies
    _own: Counter[int] = field(default_factory=Counter, repr=False)  # documents by organisation
    _taken: int = 0  # bytes of them

    @contextmanager
    def arriving(self, length: int | None) -> Iterator[None]:
        """Around the reading of a body that may go to disk.

        Args:
            length: as it says itself.

        Raises:
            Busy: it would use what must stay free, for the database may lie on the same disk.
        """
        size = self.unknown if length is None else length
        with self._lock:
            self._arriving += size
            arriving = self._arriving
        try:
            if self.free(self.folder) - _COPIES * arriving < self.reserve:
                raise Busy(
                    "the disk for documents is nearly full; send the digests instead, or try again later"
                )
            yield
        finally:
            with self._lock:
                self._arriving -= size

    @contextmanager
    def inspected(self, tenant_id: int, size: int) -> Iterator[None]:
        """Around the taking in of a document whose signatures will be looked at, until it is durable.

        Raises:
            TooManyRequests: as many documents of this organisation wait as may.
            Busy: as much waits as may.
            Unavailable: the database does not answer.
        """
        with self._lock:
            self._own[tenant_id] += 1
            self._taken += size
            own, count, taken = self._own[tenant_id], self._own.total(), self._taken
        try:
            with self.database.reading() as connection:
                waiting = inspections_waiting(connection, tenant_id, self.max_own, MAX_WAITING)
            if waiting.own + own > self.max_own:
                raise TooManyRequests(
                    f"{self.max_own} documents of your organisation wait to be inspected; send this one when some are "
                    "done, or its digests"
                )
            if waiting.count + count > MAX_WAITING or waiting.size + taken > self.max_bytes:
                raise Busy("too many documents wait to be inspected; send this one later, or its digests now")
            yield
        finally:
            with self._lock:
                self._taken -= size
                self._own[tenant_id] -= 1
                if not self._own[tenant_id]:
                    del self._own[tenant_id]
