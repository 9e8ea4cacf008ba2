"""Whether the clock of this host may date a checkpoint: the log goes on after the newest date, and never before it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from notary.errors import Fatal, Unavailable
from notary.store.checkpoints import newest_checkpoint
from notary.store.engine import Connection
from notary.store.logstate import SMALL_STEP

# A clock that was wrong for a moment is right again by then. One that keeps its new time was set right, as after a
# pause of the machine: nobody is there at night to say so.
SETTLED = timedelta(minutes=5)
_CLOCK = getattr(
    time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC
)  # the first goes on while the machine sleeps; Linux alone has it


def elapsed() -> float:
    """Seconds that no step of the wall clock moves; they go on while the process stands still."""
    return time.clock_gettime(_CLOCK)


def nobodys(_connection: Connection) -> datetime | None:
    """Where there is no other clock to compare with."""
    return None


@dataclass(slots=True)
class Pace:
    """The wall clock beside seconds that only pass, from one look to the next."""

    _wall: datetime | None = field(default=None, init=False)
    _passed: float = field(default=0.0, init=False)
    _stepped: tuple[float, timedelta] | None = field(default=None, init=False)  # when, and by how much

    def require(self, wall: datetime, passed: float) -> None:
        """Compare with the last look, and remember this one.

        Raises:
            Unavailable: the wall clock has gone ahead of the seconds that passed, and not yet for five minutes.
        """
        if self._wall is not None:
            ahead = wall - self._wall - timedelta(seconds=passed - self._passed)
            if ahead > SMALL_STEP and not self._settled(passed, ahead):
                raise Unavailable(
                    f"the clock went ahead by {ahead.total_seconds():.0f} seconds more than have passed, and says "
                    f"{wall}: nothing is closed until it is right again, or has been so for "
                    f"{SETTLED.total_seconds():.0f} seconds. Set it, if it is wrong"
                )
        # Backwards is no reason to wait: a clock that was ahead is right again, or `require_later` says what is wrong.
        self._wall, self._passed, self._stepped = wall, passed, None

    def _settled(self, passed: float, ahead: timedelta) -> bool:
        if self._stepped is None or abs(ahead - self._stepped[1]) > SMALL_STEP:
            self._stepped = passed, ahead  # another step: it begins anew
        return passed - self._stepped[0] >= SETTLED.total_seconds()


def require_same(
    connection: Connection, now: Callable[[], datetime], theirs: Callable[[Connection], datetime | None]
) -> None:
    """Compare with the clock of the database, which is another host's more often than not.

    Raises:
        Unavailable: they differ by more than a time server lets them.
    """
    before = now()
    said = theirs(connection)
    after = now()
    if said is not None and not before - SMALL_STEP <= said <= after + SMALL_STEP:
        raise Unavailable(
            f"the clock of this host says {after}, and that of the database {said}: nothing is closed until they "
            "agree. Set the one that is wrong"
        )


def require_later(connection: Connection, now: datetime) -> None:
    """Checkpoints are dated in order.

    Raises:
        Unavailable: the clock was set back a little, and will be right again in a moment.
        Fatal: it is further behind the newest checkpoint.
    """
    last = newest_checkpoint(connection).time
    if last - SMALL_STEP <= now < last:
        raise Unavailable(f"the clock was set back, and says {now}: it is waited for")
    if now < last:
        raise Fatal(
            f"the clock says {now}, before the newest checkpoint of {last}: set the clock, if it is wrong now; if it "
            f"was wrong then, nothing can be closed before {last}: start again after it"
        )
