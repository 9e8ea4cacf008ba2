"""How far the world can read the log: a database that ends before that is an older copy."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from notary.errors import NotaryError
from notary.evidence.checkpoint import parse_checkpoint
from notary.evidence.note import parse_note
from notary.store.objects import CHECKPOINT, Objects

_SECONDS = 5.0  # between two looks


@dataclass(slots=True)
class Published:
    """The size of the published checkpoint as it was when last looked at; used by any number of threads.

    It is compared before anything is signed, and not believed: whoever can write another checkpoint there can stop
    the log as well. Ask it before the database is read, for what is published was stored before.

    Attributes:
        objects: where the world reads.
        clock: seconds, monotonic.
    """

    objects: Objects
    clock: Callable[[], float] = time.monotonic
    _size: int = field(default=0, init=False)
    _looked: float | None = field(default=None, init=False)
    _looking: threading.Thread | None = field(default=None, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __call__(self) -> int:
        """The size, 0 before the first checkpoint. Where the last look is old, another is begun and not waited for.

        Objects that do not answer stop no submission: what was known of them stays.
        """
        with self._lock:
            due = self._looked is None or self.clock() - self._looked >= _SECONDS
            # One that waits for an answer is enough: of a disk that is gone there may never be one.
            due = due and (self._looking is None or not self._looking.is_alive())
            if due:
                self._looked = self.clock()
                self._looking = threading.Thread(target=self.look, name="published", daemon=True)
                self._looking.start()
        return self._size

    def look(self) -> None:
        """Look now."""
        self._looked = self.clock()
        with suppress(NotaryError):
            note = self.objects.read(CHECKPOINT)
            self._size = 0 if note is None else parse_checkpoint(parse_note(note).text).size


def nothing() -> int:
    """Of a log whose objects are nowhere to be compared with."""
    return 0
