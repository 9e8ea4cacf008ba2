"""Whether every step moves, told from the database: any process can answer for all."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from notary.anchoring.backoff import OPENS_AT
from notary.errors import DiskFailed, NotaryError
from notary.services.overdue import Targets, overdue
from notary.store.breakers import breakers
from notary.store.checkpoints import newest_time
from notary.store.engine import Database
from notary.store.groups import waiting
from notary.store.heartbeats import Heartbeat, heartbeats
from notary.store.incidents import open_contradictions
from notary.store.logstate import SMALL_STEP, read_state
from notary.store.published import nothing
from notary.store.stamps import revoked_authorities


@dataclass(frozen=True, slots=True)
class Condition:
    """How the service is.

    Attributes:
        late: what does not keep up or stands still: `database`; `log`, not open or behind what is published; `clock`,
            behind the newest checkpoint; `close`; or the name of a step.
        failing: steps that run and do not succeed, as when an authority does not answer, failed so often that it is
            left alone, or stamped last with a certificate that was revoked; with a sentence that says what to do,
            anchors that have owed their word for too long. They stop no submission: what others attest to has a day.
        incidents: final words that are contradicted and that no later one has replaced yet.
    """

    late: list[str]
    failing: list[str]
    incidents: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Health:
    """Looks at what waits, and since when."""

    database: Database
    close_promise: timedelta
    now: Callable[[], datetime]
    published: Callable[[], int] = nothing
    targets: Targets = field(default_factory=Targets)

    def look(self) -> Condition:
        """What is late, and what fails.

        Raises:
            DiskFailed: the process must end.
        """
        published = self.published()  # before the database is read: it is stored first
        try:
            with self.database.reading() as connection:
                state, queue, beats = read_state(connection), waiting(connection), heartbeats(connection)
                broken = {
                    f"anchor {each.anchor}" for each in breakers(connection) if each.failures >= OPENS_AT
                }
                broken |= {f"anchor {name}" for name in revoked_authorities(connection)}
                contradictions = open_contradictions(connection)
                last = newest_time(connection)
                owing = overdue(connection, beats, self.targets, self.now())
        except DiskFailed:
            raise
        except NotaryError:
            return Condition(["database"], [])
        if state is None or state.size < published:
            return Condition(["log"], [])
        ahead = last is not None and self.now() < last - SMALL_STEP
        behind = queue is not None and self.now() - queue.oldest > self.close_promise / 2
        silent = {each.step for each in beats if self._past(each.ran_at, each)}
        failing = [
            owing.get(each.step, each.step)
            for each in beats
            if each.step in owing
            or (
                each.step not in silent
                and (each.succeeded_at is None or self._past(each.succeeded_at, each) or each.step in broken)
            )
        ]
        return Condition(
            sorted(silent | ({"close"} if behind else set()) | ({"clock"} if ahead else set())),
            failing,
            [f"{each.anchor}: {each.detail}" for each in contradictions],
        )

    def _past(self, moment: datetime, beat: Heartbeat) -> bool:
        # One of a time to come says nothing: the clock that it goes by was ahead.
        return not -SMALL_STEP <= self.now() - moment <= timedelta(seconds=beat.patience)
