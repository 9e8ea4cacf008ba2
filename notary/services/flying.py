"""How much of a kind one process has under way, and of it what is of one organisation."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from notary.errors import Busy, TooManyRequests


@dataclass(slots=True)
class Flying:
    """Places for requests, each taken before the body is read, or before more of it is read.

    Attributes:
        kind: what is counted, in the plural: requests of a kind, or their bytes.
        most: at a time.
        of_one: of them, those of one organisation: the others are not kept out by it.
    """

    kind: str
    most: int
    of_one: int
    _places: Counter[int] = field(default_factory=Counter, repr=False)  # by organisation
    _lock: Lock = field(default_factory=Lock, repr=False)

    @contextmanager
    def place(self, tenant_id: int, size: int = 1) -> Iterator[None]:
        """A place for one request, which counts as so many; one that is larger than a share takes a whole share.

        Raises:
            TooManyRequests: this organisation has as many as one may have.
            Busy: all are taken.
        """
        size = min(size, self.of_one)
        with self._lock:
            if self._places[tenant_id] + size > self.of_one:
                raise TooManyRequests(
                    f"{self.of_one} {self.kind} of yours are under way; wait for one of them"
                )
            if self._places.total() + size > self.most:
                raise Busy(f"{self.most} {self.kind} are under way; send it again in a second")
            self._places[tenant_id] += size
        try:
            yield
        finally:
            with self._lock:
                self._places[tenant_id] -= size
                if not self._places[tenant_id]:
                    del self._places[tenant_id]

    def __len__(self) -> int:
        """How many are under way."""
        return self._places.total()
