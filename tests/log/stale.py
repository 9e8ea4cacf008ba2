"""A process that becomes the leader, stops itself at a point of its close, and goes on when it is woken.

Its arguments: DATABASE_URL FOLDER POINT [careless]

POINT is where: a prefix of the name of an object that is about to be written, with `+` for the second one of these;
`swap`, before the transaction of the swap; `swapping`, in it; `delete`, before the staging object is removed.
"""

import os
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from notary.log.sequence import Sequencer
from notary.store import connecting
from notary.store.connecting import open_database
from notary.store.logstate import read_state, renew_lease
from tests.faults import Fault, FaultyDatabase, FaultyObjects
from tests.rig import Rig


@dataclass
class Sleep(Fault):
    """Stops the process at the `at`-th time that the point is met, and fails nothing."""

    at: int = 1

    def meets(self, point: str) -> bool:
        if super().meets(point) and self.hits == self.at:
            os.kill(os.getpid(), signal.SIGSTOP)
        return False


@dataclass(frozen=True, slots=True)
class SleepyDatabase(FaultyDatabase):
    @contextmanager
    def writing(self):
        with FaultyDatabase.writing(self) as connection:
            yield connection
            self.fault.meets("in the transaction of the swap")


class Careless(Sequencer):
    """Does not look whether its time is over."""

    def _state(self, connection, epoch, now):
        return read_state(connection)

    def _renew(self, state):
        with self.database.writing() as connection:
            renew_lease(connection, state.epoch, self.now() + self.lease)
        return state


def main() -> None:
    url, folder, point, *careless = sys.argv[1:]
    connecting._IDLE_SECONDS = 4  # a transaction stands still for so long, and the test waits for that
    sleep = Sleep()
    opened = open_database(url)
    database = SleepyDatabase(opened.engine, opened._lock, fault=sleep)
    rig = Rig(database, Path(folder), objects=FaultyObjects(Path(folder) / "log", fault=sleep))
    sequencer = rig.sequencer("one", Careless if careless else Sequencer)
    assert sequencer.acquire()
    sleep.at = 2 if point.endswith("+") else 1
    sleep.point = "in the transaction" if point == "swapping" else point.rstrip("+")
    for _ in range(3):
        sequencer.sequence()
