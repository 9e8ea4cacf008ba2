"""Whether every step moves, told from the database: any process can answer for all."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from notary.errors import DiskFailed, NotaryError
from notary.store.engine import Database
from notary.store.groups import waiting
from notary.store.logstate import read_state


@dataclass(frozen=True, slots=True)
class Health:
    """Looks at what waits, and since when."""

    database: Database
    close_promise: timedelta
    now: Callable[[], datetime]

    def late(self) -> list[str]:
        """Names of the steps that do not keep up; empty when all is well.

        Raises:
            DiskFailed: the process must end.
        """
        try:
            with self.database.reading() as connection:
                state, queue = read_state(connection), waiting(connection)
        except DiskFailed:
            raise
        except NotaryError:
            return ["database"]
        if state is None:
            return ["log"]
        behind = queue is not None and self.now() - queue.oldest > self.close_promise / 2
        return ["close"] if behind else []
