"""Moves each anchoring one state on: due, signed, sent, mined, final; back from mined to sent on a reorg.

One anchoring is under way at an anchor at a time; a later head covers every earlier one, so none is queued.
Every move is one transaction, may be run again, and says what a crash beside it leaves.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from notary.anchoring.port import Anchor, Attempt, Head, Observation, Step
from notary.errors import AnchorRejected
from notary.evidence.chain import decode_evidence
from notary.observe import ANCHOR_MOVES
from notary.store import anchorings, checkpoints
from notary.store.anchorings import Anchoring
from notary.store.engine import Database

_OPEN = ("due", "signed", "sent", "mined")
_RESEND = timedelta(seconds=30)
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
            AnchorUnavailable: the authority does not answer; nothing has moved.
            Fatal: another process uses this anchor's nonces.
        """
        current = self._current() or self._plan()
        if current is None:
            return
        match current.state:
            case "due":
                self._sign(current)
            case "signed":
                self._send(current)
            case _:
                self._observe(current)

    def _current(self) -> Anchoring | None:
        with self.database.reading() as connection:
            found = anchorings.anchorings(connection, anchor=self.anchor.name, states=_OPEN, limit=1)
        return found[0] if found else None

    def _plan(self) -> Anchoring | None:
        with self.database.writing() as connection:
            newest = checkpoints.newest_checkpoint(connection)
            last = anchorings.newest_anchoring(connection, self.anchor.name)
            if last is not None:
                covered = last.size >= newest.size and last.state != "rejected"
                if covered or self.now() < last.created_at + self.interval:
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
        start = self.anchor.first_nonce()
        nonce = secrets.randbits(63) if start is None else (start if lane is None else lane)
        proof = self.consistency(old, head.size) if old else ()
        try:
            attempt = self.anchor.sign(head, nonce, proof, old)
        except AnchorRejected as error:
            self._reject(item, str(error))
            return
        with self.database.writing() as connection:
            # Durable after the commit: the very bytes that may be sent, and that their nonce is taken. A crash
            # before it loses a signature that nobody saw; after it, the stored bytes are sent at the next step.
            if start is not None:
                anchorings.set_nonce(connection, self.anchor.name, lane, nonce + 1)
            anchorings.add_attempt(connection, item.id, attempt.ref.hex(), attempt.raw, nonce, self.now())
            anchorings.move(connection, item.id, "due", "signed", self.now())
        self._count("signed")
        self._send(self._reread(item))

    def _send(self, item: Anchoring) -> None:
        # Nothing new is made here: what leaves is what was committed. A crash after it is a second sending.
        self._apply(item, self.anchor.send(self.head_at(item.size), self._attempts(item)[-1]))

    def _observe(self, item: Anchoring) -> None:
        head, attempts = self.head_at(item.size), self._attempts(item)
        seen = self.anchor.observe(head, attempts)
        if item.state == "sent" and seen.step is Step.SENT and self.now() > item.updated_at + _RESEND:
            seen = self.anchor.send(head, attempts[-1])
            with self.database.writing() as connection:
                anchorings.note_detail(connection, item.id, seen.detail, self.now())
        self._apply(item, seen)

    def _apply(self, item: Anchoring, seen: Observation) -> None:
        """Store what was seen. A crash before the commit means that it is looked at again."""
        with self.database.writing() as connection:
            state = item.state
            for target in _WAY.get((state, seen.step), ()):
                evidence = seen.evidence if target in ("mined", "final", "rejected") else None
                if (item.state, target) == ("mined", "final") and _same_block(item.evidence, evidence):
                    evidence = None  # proofs of state were captured when mined, and may be gone by now
                detail = seen.detail[:_MAX_REASON]
                anchorings.move(
                    connection, item.id, state, target, self.now(), detail=detail, evidence=evidence
                )
                state = target
        if state != item.state:
            self._count(state)

    def _reject(self, item: Anchoring, reason: str) -> None:
        with self.database.writing() as connection:
            anchorings.move(
                connection, item.id, item.state, "rejected", self.now(), detail=reason[:_MAX_REASON]
            )
        self._count("rejected")

    def _attempts(self, item: Anchoring) -> list[Attempt]:
        with self.database.reading() as connection:
            stored = anchorings.attempts_of(connection, item.id)
        return [Attempt(bytes.fromhex(a.ref), a.raw, a.nonce or 0) for a in stored]

    def _reread(self, item: Anchoring) -> Anchoring:
        with self.database.reading() as connection:
            return anchorings.anchoring_by_id(connection, item.id)

    def _count(self, state: str) -> None:
        ANCHOR_MOVES.labels(self.anchor.name, state).inc()


def _same_block(stored: bytes | None, seen: bytes | None) -> bool:
    if stored is None or seen is None:
        return False
    return decode_evidence(stored).header == decode_evidence(seen).header


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
    ("mined", Step.FINAL): ("final",),
    ("mined", Step.REJECTED): ("rejected",),
}
