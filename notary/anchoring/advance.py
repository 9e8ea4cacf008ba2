"""Moves each anchoring one state on: due, signed, sent, mined, final; back from mined to sent on a reorg.

One anchoring is under way at an anchor at a time; a later head covers every earlier one, so none is queued.
Every move is one transaction, may be run again, and says what a crash beside it leaves.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from notary.anchoring.port import Anchor, Attempt, Head, Observation, Step
from notary.errors import AnchorRejected, AnchorUnavailable
from notary.evidence.chain import decode_evidence
from notary.observe import ANCHOR_MOVES
from notary.store import anchorings, checkpoints
from notary.store.anchorings import Anchoring
from notary.store.engine import Database

_log = structlog.get_logger()
_OPEN = ("due", "signed", "sent", "mined")
_RESEND = timedelta(seconds=30)
_REPLACE = timedelta(seconds=48)  # four blocks of Ethereum
_MAX_REASON = 300


@dataclass(frozen=True, slots=True)
class Advance:
    """The state machine of one anchor.

    Attributes:
        interval: heads are taken at least this far apart.
        head_at: the head of a size that has a checkpoint, its root recomputed from the tiles.
        consistency: the proof from one size to a later one.
    """

    database: Database
    anchor: Anchor
    interval: timedelta
    head_at: Callable[[int], Head]
    consistency: Callable[[int, int], Sequence[bytes]]
    now: Callable[[], datetime]

    def step(self) -> None:
        """Take one step; with nothing under way and a new checkpoint, make that one due and go on.

        Raises:
            AnchorUnavailable: the authority does not answer.
            AnchorRejected: its answer says nothing of the head: it is another chain, its evidence does not hold,
                or somebody else uses the wallet. As after AnchorUnavailable, the anchoring stays where it is and
                its detail says why; the next step tries again.
            Fatal: another process uses this anchor's nonces, or the log does not prove its own head.
        """
        current = self._current() or self._plan()
        if current is None:
            return
        try:
            match current.state:
                case "due":
                    self._sign(current)
                case "signed":
                    self._send(current)
                case _:
                    self._observe(current)
        except (AnchorUnavailable, AnchorRejected) as error:
            with self.database.writing() as connection:
                anchorings.note_detail(connection, current.id, str(error)[:_MAX_REASON])
            raise

    def _current(self) -> Anchoring | None:
        with self.database.reading() as connection:
            return anchorings.earliest_anchoring(connection, self.anchor.name, _OPEN)

    def _plan(self) -> Anchoring | None:
        with self.database.writing() as connection:
            newest = checkpoints.newest_checkpoint(connection)
            last = anchorings.newest_anchoring(connection, self.anchor.name)
            if last is not None:
                covered = last.size >= newest.size and last.state != "rejected"
                if covered or self._within(self.interval, last.created_at):
                    return None
            # Durable after the commit: this head is due here. A crash before it leaves nothing.
            return anchorings.create_anchoring(
                connection, self.anchor.name, self.anchor.kind, newest.size, self.now()
            )

    def _sign(self, item: Anchoring) -> None:
        head = self.head_at(item.size)
        old = self.anchor.attested_size()
        if old >= head.size:
            self._reject(item, f"the authority already holds a head of size {old}")
            return
        with self.database.reading() as connection:
            lane = anchorings.next_nonce(connection, self.anchor.name)
        expected = self.anchor.first_nonce()
        if expected is not None and lane is not None:
            self._require_lane(expected, lane)
        nonce = secrets.randbits(63) if expected is None else expected
        proof = self.consistency(old, head.size) if old else ()
        try:
            attempt = self.anchor.sign(head, nonce, proof, old)
        except AnchorRejected as error:
            self._reject(item, str(error))
            return
        with self.database.writing() as connection:
            # Durable after the commit: the very bytes that may be sent, and that their nonce is taken. A crash
            # before it loses a signature that nobody saw; after it, the stored bytes are sent at the next step.
            if expected is not None:
                anchorings.set_nonce(connection, self.anchor.name, lane, nonce + 1)
            anchorings.add_attempt(connection, item.id, attempt.ref.hex(), attempt.raw, nonce, self.now())
            anchorings.move(connection, item.id, "due", "signed", self.now(), detail="")
        self._count("signed")
        self._send(self._reread(item))

    def _require_lane(self, expected: int, lane: int) -> None:
        """Every nonce before the next one was used, and by us; else no further one is taken."""
        if expected > lane:
            raise AnchorRejected(
                f"the wallet's next nonce is {expected} on chain and {lane} here: somebody else uses its key"
            )
        if expected < lane:
            self._send_between(expected, lane)
            raise AnchorUnavailable(
                f"the wallet's next nonce is {expected} on chain and {lane} here: the node lags behind or lost "
                "blocks; the transactions between were sent again"
            )

    def _send_between(self, first: int, last: int) -> None:
        # Of anchorings that are final, too: their state does not change, but whatever follows waits for them.
        with self.database.reading() as connection:
            missing = anchorings.attempts_between(connection, self.anchor.name, first, last)
        newest = {
            stored.nonce: (size, stored) for size, stored in missing
        }  # of one that was replaced, the last
        for size, stored in newest.values():
            self.anchor.send(self.head_at(size), _attempt(stored))

    def _send(self, item: Anchoring) -> None:
        # What leaves is what was committed. A crash after it is a second sending.
        self._replace(item)  # of no effect but after a long time in which nothing could be sent
        self._apply(item, self.anchor.send(self.head_at(item.size), self._attempts(item)[-1]))

    def _observe(self, item: Anchoring) -> None:
        head, attempts = self.head_at(item.size), self._attempts(item)
        seen = self.anchor.observe(head, attempts)
        if (item.state, seen.step) == ("sent", Step.SENT):
            newer = self._replace(item)
            if newer or not self._within(_RESEND, item.updated_at):
                seen = self._send_again(item, head, self._attempts(item)[-1])
        self._apply(item, seen)

    def _replace(self, item: Anchoring) -> bool:
        """Make an attempt that takes the place of one that is waiting too long; whether there is one now.

        Where none can be made, as when it would cost too much, the last one stands, and is sent again as ever.
        """
        with self.database.reading() as connection:
            stored = anchorings.attempts_of(connection, item.id)
        if self._within(_REPLACE, stored[-1].created_at):
            return False
        try:
            better = self.anchor.replacement([_attempt(each) for each in stored], stored[-1].created_at)
        except AnchorUnavailable as error:
            _log.warning("a transaction is not replaced", anchor=self.anchor.name, detail=str(error))
            self._count("not_replaced")
            return False
        if better is None:
            return False
        with self.database.writing() as connection:
            # Durable after the commit: the bytes of the new attempt, beside all earlier ones, which count as
            # before: any of them may still be mined. A crash after it sends the newest at the next step.
            anchorings.add_attempt(
                connection, item.id, better.ref.hex(), better.raw, better.nonce, self.now()
            )
        self._count("replaced")
        return True

    def _send_again(self, item: Anchoring, head: Head, attempt: Attempt) -> Observation:
        expected = self.anchor.first_nonce()
        if expected is not None and expected < attempt.nonce:
            self._send_between(expected, attempt.nonce)
        seen = self.anchor.send(head, attempt)
        with self.database.writing() as connection:
            anchorings.note_detail(connection, item.id, seen.detail[:_MAX_REASON], sent_at=self.now())
        return seen

    def _apply(self, item: Anchoring, seen: Observation) -> None:
        """Store what was seen. A crash before the commit means that it is looked at again."""
        evidence, way = seen.evidence, _WAY.get((item.state, seen.step), ())
        if item.state == "mined" and (evidence is None or _keeps(item.evidence, evidence)):
            evidence = None
            way = () if seen.step is Step.MINED else way
        state, detail = item.state, seen.detail[:_MAX_REASON]
        with self.database.writing() as connection:
            for target in way:
                found = evidence if target == way[-1] else None
                anchorings.move(connection, item.id, state, target, self.now(), detail=detail, evidence=found)
                state = target
            if not way:
                anchorings.note_detail(connection, item.id, detail)
                if item.state == seen.step == Step.SENT and item.evidence and evidence:
                    # What a calendar answered late, beside what is kept: durable after the commit.
                    anchorings.replace_evidence(connection, item.id, item.evidence, evidence, self.now())
        if way:
            self._count(state)

    def _reject(self, item: Anchoring, reason: str) -> None:
        with self.database.writing() as connection:
            anchorings.move(
                connection, item.id, item.state, "rejected", self.now(), detail=reason[:_MAX_REASON]
            )
        self._count("rejected")

    def _attempts(self, item: Anchoring) -> list[Attempt]:
        with self.database.reading() as connection:
            return [_attempt(stored) for stored in anchorings.attempts_of(connection, item.id)]

    def _reread(self, item: Anchoring) -> Anchoring:
        with self.database.reading() as connection:
            return anchorings.anchoring_by_id(connection, item.id)

    def _within(self, period: timedelta, since: datetime) -> bool:
        # A clock that was ahead when `since` was stored must hold nothing up.
        return timedelta(0) <= self.now() - since < period

    def _count(self, state: str) -> None:
        ANCHOR_MOVES.labels(self.anchor.name, state).inc()


def _attempt(stored: anchorings.Attempt) -> Attempt:
    return Attempt(bytes.fromhex(stored.ref), stored.raw, stored.nonce or 0)


def _keeps(stored: bytes | None, seen: bytes) -> bool:
    """Whether stored evidence is of the same block and has all that is seen now.

    Proofs of state are captured when mined, and may not be had any more when final; or only then, from a node
    that had not got them before.
    """
    if stored is None:
        return False
    old, new = decode_evidence(stored), decode_evidence(seen)
    had, has = (
        (
            e.account_proof is not None,
            None not in (e.head_slots or (None,)),
            sum(item.storage_proof is not None for item in e.not_before),
        )
        for e in (old, new)
    )
    return old.header == new.header and had >= has


# Which states to pass through, in one transaction, when an anchoring in a state is seen at a step. What is not
# here changes nothing; and there is no way out of `final`.
_WAY: dict[tuple[str, Step], tuple[str, ...]] = {
    ("signed", Step.SENT): ("sent",),
    ("signed", Step.MINED): ("sent", "mined"),
    ("signed", Step.FINAL): ("sent", "mined", "final"),
    ("signed", Step.REJECTED): ("rejected",),
    ("sent", Step.MINED): ("mined",),
    ("sent", Step.FINAL): ("mined", "final"),
    ("sent", Step.REJECTED): ("rejected",),
    ("mined", Step.SENT): ("sent",),
    ("mined", Step.MINED): ("mined",),
    ("mined", Step.FINAL): ("final",),
    ("mined", Step.REJECTED): ("rejected",),
}
