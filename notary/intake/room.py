"""How much may wait for inspection.

What waits is counted where it stands, in the database. What this process takes in at this moment is counted beside it,
from before it is looked at until it is durable: so it is never counted less than once, at the worst twice.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from notary.errors import Busy, TooManyRequests
from notary.store.engine import Database
from notary.store.inspections import inspections_waiting

MAX_WAITING = 100_000  # documents of all: they are counted in some hundredths of a second


@dataclass(slots=True)
class Room:
    """Lets documents in, or says that there is no room for them.

    One for a process; of what other processes take in at this moment it sees what is durable.

    Attributes:
        database: where what waits is known.
        max_bytes: most bytes that wait for inspection, together.
        max_own: most documents of one organisation that wait for inspection.
    """

    database: Database
    max_bytes: int
    max_own: int
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _own: Counter[int] = field(default_factory=Counter, repr=False)  # documents by organisation
    _taken: int = 0  # bytes of them

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
