"""Asks an authority that fails ever more rarely, and leaves the others out of it.

A circuit breaker for each: after a failure it is left alone for a while, after several in a row for long, and one
request then shows whether it is back. What is known of it is stored, so that a restart asks no sooner.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from notary.errors import AnchorRejected, AnchorUnavailable
from notary.observe import TSA_BREAKER, TSA_TOKENS
from notary.store import anchorings, breakers, checkpoints
from notary.store.anchorings import Anchoring
from notary.store.breakers import Breaker
from notary.store.engine import Database

OPENS_AT = 5  # failures in a row
_FIRST, _FIRST_OPEN, _LONGEST = 1.0, 60.0, 720.0  # seconds
_JITTER = 0.25  # as much of a wait is added at most: 15 minutes in all
_LONGEST_ASKED = 3600.0  # seconds that a server may ask for; a day of silence is not its to give
_DOUBLINGS = 10
_MAX_REASON = 300
_GIVEN_WAY = "no answer came; a later head takes its place"


class Circuit(IntEnum):
    """How a breaker stands; the numbers are those of the metric."""

    CLOSED = 0  # asked whenever there is something to ask for
    HALF_OPEN = 1  # the next request decides
    OPEN = 2  # left alone


def circuit(known: Breaker | None, now: datetime) -> Circuit:
    """How the breaker of an authority stands now."""
    if known is None or known.failures < OPENS_AT:
        return Circuit.CLOSED
    return Circuit.OPEN if waits(known, now) else Circuit.HALF_OPEN


def waits(known: Breaker | None, now: datetime) -> bool:
    """Whether an authority is to be left alone now."""
    # A clock that was ahead when the failure was stored must hold nothing up.
    return known is not None and known.failed_at <= now < known.resume_at


def pause(failures: int, asked: float | None, chance: float) -> timedelta:
    """For how long an authority is left alone.

    Args:
        failures: in a row, 1 or more: 1 s after the first, doubled with each, and 60 s to 12 min from the fifth on.
        asked: seconds that it asked for itself (Retry-After); honoured up to an hour, and never less than our own.
        chance: from 0 to 1, evenly drawn: a quarter of the wait is added by it, so that not all come at once.
    """
    first, doubled = (_FIRST, failures - 1) if failures < OPENS_AT else (_FIRST_OPEN, failures - OPENS_AT)
    seconds = min(first * 2.0 ** min(doubled, _DOUBLINGS), _LONGEST) * (1 + _JITTER * chance)
    return timedelta(seconds=max(seconds, min(asked or 0.0, _LONGEST_ASKED)))


@dataclass(frozen=True, slots=True)
class Patient:
    """The step of one authority, taken where it is not to be left alone.

    Attributes:
        anchor: its name.
        step: `Advance.step` of it.
        interval: after so long a request without an answer gives way to one for the newest head.
        chance: a number from 0 to 1, evenly drawn at each call.
    """

    database: Database
    anchor: str
    step: Callable[[], None]
    interval: timedelta
    now: Callable[[], datetime]
    chance: Callable[[], float]

    def __call__(self) -> None:
        """Take the step, and keep what came of it; nothing while the authority is left alone.

        Raises:
            AnchorUnavailable, AnchorRejected, Fatal: as the step does.
        """
        with self.database.reading() as connection:
            known = breakers.breaker_of(connection, self.anchor)
        self._show(known)
        if waits(known, self.now()):
            return
        self._give_way()
        before = self._newest()
        try:
            self.step()
        except (AnchorUnavailable, AnchorRejected) as error:
            outcome = "unavailable" if isinstance(error, AnchorUnavailable) else "rejected"
            self._failed(known, outcome, str(error), getattr(error, "retry_after", None))
            raise
        after = self._newest()
        if after is None or after == before:
            return
        if after.state == "rejected":
            self._failed(known, "rejected", after.detail, None)
        elif after.state == "final":
            self._succeeded(known)

    def _give_way(self) -> None:
        """Give up a request that was not answered for a whole interval, where there is a later head by now.

        A token for the old head would be dated as late as one for the newest, which covers all before it.
        """
        with self.database.reading() as connection:
            item = anchorings.earliest_anchoring(connection, self.anchor, ("signed",))
            if item is None or self.now() - item.created_at < self.interval:
                return
            if checkpoints.newest_checkpoint(connection).size <= item.size:
                return
        with self.database.writing() as connection:
            # Durable after the commit: this head is not asked for again. Its request is kept, as all are.
            anchorings.move(connection, item.id, "signed", "rejected", self.now(), detail=_GIVEN_WAY)

    def _newest(self) -> Anchoring | None:
        with self.database.reading() as connection:
            return anchorings.newest_anchoring(connection, self.anchor)

    def _failed(self, known: Breaker | None, outcome: str, reason: str, asked: float | None) -> None:
        failures, now = 1 if known is None else known.failures + 1, self.now()
        found = Breaker(
            self.anchor, failures, now, now + pause(failures, asked, self.chance()), reason[:_MAX_REASON]
        )
        with self.database.writing() as connection:
            # Durable after the commit: when it is asked again. A crash before it asks once more, no sooner than a
            # restart takes.
            breakers.keep_breaker(connection, found)
        TSA_TOKENS.labels(self.anchor, outcome).inc()
        self._show(found)

    def _succeeded(self, known: Breaker | None) -> None:
        if known is not None:
            with self.database.writing() as connection:
                breakers.forget_breaker(connection, self.anchor)
        TSA_TOKENS.labels(self.anchor, "stamped").inc()
        self._show(None)

    def _show(self, known: Breaker | None) -> None:
        TSA_BREAKER.labels(self.anchor).set(circuit(known, self.now()))
