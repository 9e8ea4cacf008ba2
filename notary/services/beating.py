"""Notes that the steps of a worker ran, so that one that stands still is seen from outside."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from notary.services.steps import Step
from notary.store.engine import Database
from notary.store.heartbeats import beat, expect, forget_others

_SECONDS = 20.0  # a step is noted at most this often, unless it begins to fail or ceases to


@dataclass(slots=True)
class Beating:
    """Called after each run of a step. Only of the worker that leads: in others the steps do nothing."""

    database: Database
    steps: Sequence[Step]
    leading: Callable[[], bool]
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic
    _noted: dict[str, tuple[float, bool]] = field(default_factory=dict, init=False)
    _expected: set[str] = field(default_factory=set, init=False)  # that have not run yet

    def __call__(self, step: Step, succeeded: bool) -> None:
        """Note a run, where it is time to.

        Raises:
            Unavailable: the database does not answer.
        """
        if not self.leading():
            self._noted.clear()
            return
        last = self._noted.get(step.name)
        if last is not None and last[1] == succeeded and self.clock() - last[0] < _SECONDS:
            return
        with self.database.writing() as connection:
            if not self._noted:
                forget_others(connection, [each.name for each in self.steps])
                patience = {each.name: each.patience for each in self.steps}
                self._expected |= expect(connection, patience, self.now())
            first = step.name in self._expected
            beat(connection, step.name, step.patience, self.now(), succeeded=succeeded, first=first)
        # Durable: that it ran. A crash loses at most the last twenty seconds of that, and the silence is seen.
        self._noted[step.name] = (self.clock(), succeeded)
        self._expected.discard(step.name)
