"""How many requests of a kind one process has under way, and of them those of one organisation."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from notary.errors import Busy, TooManyRequests


@dataclass(slots=True)
class Flying:
    """Places for requests, each taken before the body is read.

    Attributes:
        kind: what is requested, in the plural.
        most: requests at a time.
        of_one: of them, those of one organisation: the others are not kept out by it.
    """

    kind: str
    most: int
    of_one: int
    _places: Counter[int] = field(default_factory=Counter, repr=False)  # by organisation
    _lock: Lock = field(default_factory=Lock, repr=False)

    @contextmanager
    def place(self, tenant_id: int) -> Iterator[None]:
        """A place for one request.

        Raises:
            TooManyRequests: this organisation has as many as one may have.
            Busy: all are taken.
        """
        with self._lock:
            if self._places[tenant_id] >= self.of_one:
                raise TooManyRequests(
                    f"{self.of_one} {self.kind} of yours are under way; wait for one of them"
                )
            if self._places.total() >= self.most:
                raise Busy(f"{self.most} {self.kind} are under way; send it again in a second")
            self._places[tenant_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._places[tenant_id] -= 1
                if not self._places[tenant_id]:
                    del self._places[tenant_id]

    def __len__(self) -> int:
        """How many are under way."""
        return self._places.total()
