"""What was stored leaves, and nothing else: the first time, again, and what the chain lost.

Every sending may be done twice. A crash beside it leaves the stored bytes, which are sent at the next step.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from notary.anchoring.port import Anchor, Attempt, Head, Observation, Step, newest_of_lanes
from notary.errors import LaneStopped, NotaryError
from notary.evidence.chain import decode_evidence
from notary.observe import ANCHOR_MOVES, INCIDENTS, LANE_STOPPED
from notary.store import outbox, stopped
from notary.store.anchorings import Anchoring
from notary.store.engine import Database
from notary.store.incidents import FOREIGN_NONCE, add_incident

_log = structlog.get_logger()
_MAX_REASON = 300
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
            return [attempt_of(stored) for stored in outbox.attempts_for(connection, item)]

    def look(self, item: Anchoring, head: Head) -> Observation:
        """What is seen of a head that is under way. Raises as `observe` and `adopted` of the port.

        One that somebody else's transaction anchored stays by that one while it is in a block; else it is ours again.
        """
        seen = self.anchor.observe(head, self.attempts(item))
        if item.state == "mined" and seen.step in (Step.SENT, Step.DUE):
            return self.anchor.adopted(head) or seen
        return seen

    def found(self, item: Anchoring, head: Head) -> Observation | None:
        """What is seen of a head that the authority holds, though nothing of ours is known to have brought it there.

        A transaction of an earlier anchoring of this head, in another block now; or somebody else's, as where the
        database is a restored one. None where there is neither. Raises as `look`.
        """
        attempts = self.attempts(item)
        seen = self.anchor.observe(head, attempts) if attempts else None
        return seen if seen is not None and seen.step in (Step.MINED, Step.FINAL) else self.adopt(item, head)

    def adopt(self, item: Anchoring, head: Head) -> Observation | None:
        """What any transaction did for a head, also somebody else's, or None. Raises as `adopted` of the port."""
        seen = self.anchor.adopted(head)
        if seen is None:
            return None
        made = None if seen.evidence is None else decode_evidence(seen.evidence).transaction
        ours = {attempt.ref for attempt in self.attempts(item)}
        if made not in ours:  # one of which may be mined at this very moment
            _log.warning("somebody else anchored a head of ours", anchor=self.anchor.name, size=head.size)
            ANCHOR_MOVES.labels(self.anchor.name, "adopted").inc()
        return seen

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
        told: list[LaneStopped] = []
        for attempt in newest_of_lanes(attempts):
            try:
                return self.anchor.send(head, attempt, *others_of(attempt, attempts))
            except LaneStopped as error:
                # Before anybody is accused, or pays instead: an earlier attempt has the same nonce, or the same head.
                seen = self.anchor.observe(head, attempts)
                if seen.step in _TAKEN:
                    return seen
                other = self._unknown(head, attempt)
                if other is not None:
                    return other
                if not error.failed:  # whose attempt failed on the chain can pay for another
                    tell_stopped(self.database, self.anchor.name, attempt.lane, error, self.now())
                told.append(error)
        raise told[0]

    def _unknown(self, head: Head, attempt: Attempt) -> Observation | None:
        """What took an attempt's nonce, where that is ours too: made in its place, and after the database's backup."""
        seen = self.anchor.adopted(head)
        ref = None if seen is None or seen.evidence is None else decode_evidence(seen.evidence).transaction
        made = None if ref is None else self.anchor.own(head, ref, attempt.lane)
        return seen if made is not None and made.nonce == attempt.nonce else None

    def send_between(self, lane: str, first: int, last: int) -> None:
        """Send what a lane's nonces first..last-1 went to: the chain has lost them.

        Of anchorings that are final, too: their state does not change, but whatever follows waits for them.

        Raises:
            AnchorUnavailable: no answer.
            LaneStopped: the wallet cannot pay, or a nonce went to somebody else: none of its attempts is in a block.
            AnchorRejected: the answer says nothing of the heads.
        """
        with self.database.reading() as connection:
            missing = outbox.attempts_between(connection, self.anchor.name, lane, first, last)
        by_nonce: dict[int | None, list[tuple[int, outbox.Attempt]]] = {}
        for size, stored in missing:
            by_nonce.setdefault(stored.nonce, []).append((size, stored))
        for found in by_nonce.values():
            size = found[-1][0]  # of one that was replaced, the last is sent
            try:
                self.anchor.send(self.head_at(size), *(attempt_of(each) for _, each in reversed(found)))
            except LaneStopped:
                if not self.in_block(found):
                    raise

    def in_block(self, found: Sequence[tuple[int, outbox.Attempt]]) -> bool:
        """Whether one of the attempts with a nonce, each with the size of its head, is mined. Raises as `observe`."""
        size = found[-1][0]
        return self.anchor.observe(self.head_at(size), [attempt_of(each) for _, each in found]).step in _TAKEN


def others_of(attempt: Attempt, attempts: Sequence[Attempt]) -> list[Attempt]:
    """Those of the attempts, but for this one, that have its wallet and nonce: at most one of them is ever mined."""
    place = (attempt.lane, attempt.nonce)
    return [each for each in attempts if (each.lane, each.nonce) == place and each != attempt]


def attempt_of(stored: outbox.Attempt) -> Attempt:
    """A stored attempt as the port has it."""
    return Attempt(bytes.fromhex(stored.ref), stored.raw, stored.nonce or 0, stored.lane)


def tell_stopped(database: Database, anchor: str, lane: str, error: NotaryError, now: datetime) -> None:
    """The alarm: somebody must look at this wallet, even where another one pays meanwhile."""
    _log.error("a wallet does not anchor", anchor=anchor, wallet=lane, detail=str(error))
    foreign = isinstance(error, LaneStopped) and error.foreign
    nonce = error.nonce if isinstance(error, LaneStopped) else None
    subject = lane if nonce is None else f"{lane} {nonce}"  # each theft is one of its own
    with database.writing() as connection:
        # Durable after the commit: that the wallet is stopped, and where somebody else used its key, that. A crash
        # before it loses nothing but the word: the next step finds the same.
        stopped.note_stopped(connection, anchor, lane, str(error)[:_MAX_REASON], now)
        new = foreign and add_incident(connection, FOREIGN_NONCE, anchor, subject, str(error), now)
    if new:
        INCIDENTS.labels(anchor, FOREIGN_NONCE).inc()


def show_stopped(database: Database, anchor: str, lanes: Iterable[str]) -> None:
    """Set the metric of an anchor's wallets, those in `lanes` and any that it shows, to what is stored.

    What one process found, the one that leads after it shows; and no other goes on showing it when it is over.
    """
    with database.reading() as connection:
        found = stopped.stopped_lanes(connection, anchor).keys()
    samples = [sample.labels for metric in LANE_STOPPED.collect() for sample in metric.samples]
    shown = {labels["wallet"] for labels in samples if labels["anchor"] == anchor}
    for lane in {*lanes, *shown, *found} - {""}:
        LANE_STOPPED.labels(anchor, lane).set(lane in found)
