"""What was stored leaves, and nothing else: the first time, again, and what the chain lost.

Every sending may be done twice. A crash beside it leaves the stored bytes, which are sent at the next step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from notary.anchoring.port import Anchor, Attempt, Head, Observation, Step, newest_of_lanes
from notary.errors import LaneStopped, NotaryError
from notary.observe import INCIDENTS, LANE_STOPPED
from notary.store import anchorings
from notary.store.anchorings import Anchoring
from notary.store.engine import Database
from notary.store.incidents import FOREIGN_NONCE, add_incident

_log = structlog.get_logger()
_TAKEN = (Step.MINED, Step.FINAL, Step.REJECTED)  # an attempt is in a block: its nonce went to us


@dataclass(frozen=True, slots=True)
class Sending:
    """Sends attempts to one authority; `head_at` gives the head of a size, as in `Advance`."""

    database: Database
    anchor: Anchor
    head_at: Callable[[int], Head]
    now: Callable[[], datetime]

    def attempts(self, item: Anchoring) -> list[Attempt]:
        """All attempts that may anchor its head, the oldest first."""
        with self.database.reading() as connection:
            return [attempt_of(stored) for stored in anchorings.attempts_for(connection, item)]

    def send(self, item: Anchoring, head: Head) -> Observation:
        """Send the newest attempt, or of several wallets' that of an earlier one where the later one is stopped.

        Returns:
            That the authority has it; or, where one is not taken since another of them is in a block, what is seen of
            that: an earlier one may be mined while a later one is made.

        Raises:
            AnchorUnavailable: no answer.
            LaneStopped: no wallet's attempt is taken, and none is in a block; says what the newest one's was told.
            AnchorRejected: the answer says nothing of the head.
        """
        attempts = self.attempts(item)
        stopped: list[LaneStopped] = []
        for attempt in newest_of_lanes(attempts):
            try:
                return self.anchor.send(head, attempt)
            except LaneStopped as error:
                # Before anybody is accused, or pays instead: an earlier attempt has the same nonce, or the same head.
                seen = self.anchor.observe(head, attempts)
                if seen.step in _TAKEN:
                    return seen
                tell_stopped(self.database, self.anchor.name, attempt.lane, error, self.now())
                stopped.append(error)
        raise stopped[0]

    def send_between(self, lane: str, first: int, last: int) -> None:
        """Send what a lane's nonces first..last-1 went to: the chain has lost them.

        Of anchorings that are final, too: their state does not change, but whatever follows waits for them.

        Raises:
            AnchorUnavailable: no answer.
            LaneStopped: the wallet cannot pay, or a nonce went to somebody else: none of its attempts is in a block.
            AnchorRejected: the answer says nothing of the heads.
        """
        with self.database.reading() as connection:
            missing = anchorings.attempts_between(connection, self.anchor.name, lane, first, last)
        by_nonce: dict[int | None, list[tuple[int, anchorings.Attempt]]] = {}
        for size, stored in missing:
            by_nonce.setdefault(stored.nonce, []).append((size, stored))
        for found in by_nonce.values():
            size, newest = found[-1]  # of one that was replaced, the last
            try:
                self.anchor.send(self.head_at(size), attempt_of(newest))
            except LaneStopped:
                if not self.in_block(found):
                    raise

    def in_block(self, found: Sequence[tuple[int, anchorings.Attempt]]) -> bool:
        """Whether one of the attempts with a nonce, each with the size of its head, is mined. Raises as `observe`."""
        size = found[-1][0]
        return self.anchor.observe(self.head_at(size), [attempt_of(each) for _, each in found]).step in _TAKEN


def attempt_of(stored: anchorings.Attempt) -> Attempt:
    """A stored attempt as the port has it."""
    return Attempt(bytes.fromhex(stored.ref), stored.raw, stored.nonce or 0, stored.lane)


def tell_stopped(database: Database, anchor: str, lane: str, error: NotaryError, now: datetime) -> None:
    """The alarm: somebody must look at this wallet, even where another one pays meanwhile."""
    LANE_STOPPED.labels(anchor, lane).set(1)
    _log.error("a wallet does not anchor", anchor=anchor, wallet=lane, detail=str(error))
    if isinstance(error, LaneStopped) and error.foreign:
        with database.writing() as connection:
            # Durable after the commit: that somebody else used this key. A crash before it loses nothing but
            # the word: the next step finds the same.
            new = add_incident(connection, FOREIGN_NONCE, anchor, lane, str(error), now)
        if new:
            INCIDENTS.labels(anchor, FOREIGN_NONCE).inc()
