"""Moves each anchoring one state on: due, signed, sent, mined, final; back from mined to sent on a reorg.

One anchoring is under way at an anchor at a time; a later head covers every earlier one, so none is queued.
Every move is one transaction, may be run again, and says what a crash beside it leaves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from notary.anchoring.again import REPLACE
from notary.anchoring.forks import look_for_fork, require_not_refused, tell_refused
from notary.anchoring.moves import WAY, keeps, reorged, require_anchors
from notary.anchoring.paying import Paying
from notary.anchoring.port import Anchor, Head, Observation, Step
from notary.anchoring.sending import Sending, show_stopped
from notary.errors import AnchorRejected, AnchorUnavailable, LaneStopped, OutOfTime
from notary.observe import ANCHOR_MOVES
from notary.store import anchorings, checkpoints
from notary.store.anchorings import Anchoring
from notary.store.engine import Database
from notary.store.incidents import believed

_log = structlog.get_logger()
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
        reserves: the same anchor by further wallets, each used where those before it are stopped.
    """

    database: Database
    anchor: Anchor
    interval: timedelta
    head_at: Callable[[int], Head]
    consistency: Callable[[int, int], Sequence[bytes]]
    now: Callable[[], datetime]
    reserves: tuple[Anchor, ...] = ()

    def step(self) -> None:
        """Take one step; with nothing under way and a new checkpoint, make that one due and go on.

        Raises:
            AnchorUnavailable, OutOfTime: the authority does not answer, or not in the time that a step may take.
            LaneStopped: no wallet can pay, or somebody else uses its key.
            AnchorRejected: its answer says nothing of the head: it is another chain, or its evidence does not
                hold. As after the two above, the anchoring stays where it is and its detail says why; the next
                step tries again. Or a chain refused the head: it is rejected, and each step says so until
                another is due.
            Fatal: another process uses this anchor's nonces, or the log does not prove its own head.
        """
        current = self._current() or self._plan()
        if current is None:
            require_not_refused(self.database, self.anchor.name)
            return
        try:
            match current.state:
                case "due":
                    self._sign(current)
                case "signed":
                    self._send(current)
                case _:
                    self._observe(current)
        except (AnchorUnavailable, AnchorRejected, OutOfTime) as error:
            with self.database.writing() as connection:
                anchorings.note_detail(connection, current.id, str(error)[:_MAX_REASON])
            raise
        finally:
            self.show()

    def show(self) -> None:
        """Set the metric of wallets that are stopped to what is stored; for a process that does not lead, too."""
        show_stopped(self.database, self.anchor.name, [payer.lane for payer in self._payers])

    @property
    def _payers(self) -> tuple[Anchor, ...]:
        return (self.anchor, *self.reserves)

    @property
    def _sending(self) -> Sending:
        return Sending(self.database, self.anchor, self.head_at, self.now)

    @property
    def _paying(self) -> Paying:
        return Paying(self.database, self._payers, self._sending, self.consistency, self.now)

    def _current(self) -> Anchoring | None:
        with self.database.reading() as connection:
            return anchorings.earliest_anchoring(connection, self.anchor.name, _OPEN)

    def _plan(self) -> Anchoring | None:
        with self.database.writing() as connection:
            newest = checkpoints.newest_checkpoint(connection)
            last = anchorings.newest_anchoring(connection, self.anchor.name)
            if last is not None:
                again = not believed(connection, last.id)  # at once, even if the head is the same
                covered = last.size >= newest.size and last.state != "rejected"
                if not again and (covered or self._within(self.interval, last.created_at)):
                    return None
            # Durable after the commit: this head is due here. A crash before it leaves nothing.
            return anchorings.create_anchoring(
                connection, self.anchor.name, self.anchor.kind, newest.size, self.now()
            )

    def _sign(self, item: Anchoring) -> None:
        head = self.head_at(item.size)
        old = self.anchor.attested_size()
        if old >= head.size:
            seen = self._sending.found(item, head)
            if seen is not None:
                self._apply(item, head, seen)
                return
            self._look_for_fork(old)
            self._reject(item, f"the authority already holds a head of size {old}")
            return
        refused = self._paying.sign(item, head, old, self._payers)
        if refused:
            self._look_for_fork(old)
            self._reject(item, refused)
            return
        self._send(self._reread(item))

    def _send(self, item: Anchoring) -> None:
        # What leaves is what was committed. A crash after it is a second sending.
        head = self.head_at(item.size)
        self._paying.replace(item, head)  # of no effect but after a long time in which nothing could be sent
        self._apply(item, head, self._send_or_take_over(item, head))

    def _observe(self, item: Anchoring) -> None:
        head = self.head_at(item.size)
        seen = self._sending.look(item, head)
        if (item.state, seen.step) == ("sent", Step.SENT):
            # What was in a block is not sent again before it may be made again for more.
            due = not self._within(_RESEND if item.evidence is None else REPLACE, item.updated_at)
            # Before more is paid for what the chain holds already: ours may wait for ever.
            other = self._sending.adopt(item, head) if due else None
            if other is not None:
                seen = other
            else:
                made, why = self._paying.replace(item, head)
                if made or due:
                    seen = self._send_again(item, head, seen.detail, why)
                elif why:
                    seen = replace(seen, detail=why)
        self._apply(item, head, seen)
        if (item.state, seen.step) == ("mined", Step.SENT):
            # A node may have lost it with its block. A crash before this: it is sent when it is due.
            self._send_again(self._reread(item), head, seen.detail, "")

    def _send_again(self, item: Anchoring, head: Head, detail: str, why: str) -> Observation:
        seen = self._send_or_take_over(item, head, after_lost=True)
        # That it was sent again says less than what it waits for, and why it is not made again for more tells most.
        seen = replace(seen, detail=why or seen.detail or detail)
        with self.database.writing() as connection:
            anchorings.note_detail(connection, item.id, seen.detail[:_MAX_REASON], sent_at=self.now())
        self._count("resent")
        return seen

    def _send_or_take_over(self, item: Anchoring, head: Head, *, after_lost: bool = False) -> Observation:
        try:
            if after_lost:
                self._paying.again.send_lost(item)
            return self._sending.send(item, head)
        except LaneStopped:
            if self._paying.take_over(item, head):
                return self._sending.send(item, head)
            seen = self._sending.adopt(item, head)  # nobody here can pay, and somebody else did
            if seen is None:
                raise
            return seen

    def _apply(self, item: Anchoring, head: Head, seen: Observation) -> None:
        """Store what was seen. A crash before the commit means that it is looked at again.

        Raises:
            AnchorRejected: it is the anchor of another head: nothing is stored.
        """
        evidence, way = seen.evidence, WAY.get((item.state, seen.step), ())
        if item.state == "mined" and (evidence is None or keeps(item.evidence, evidence)):
            evidence = None
            way = () if seen.step is Step.MINED else way
        if seen.step in (Step.MINED, Step.FINAL):
            require_anchors(item.kind, evidence or item.evidence, head)
        if reorged(item.state, item.evidence, seen.step, evidence):
            self._count("reorged")
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
        if state == "rejected":
            tell_refused(self.anchor, detail)

    def _reject(self, item: Anchoring, reason: str) -> None:
        detail = reason[:_MAX_REASON]
        with self.database.writing() as connection:
            anchorings.move(connection, item.id, item.state, "rejected", self.now(), detail=detail)
        self._count("rejected")
        tell_refused(self.anchor, detail)

    def _look_for_fork(self, size: int) -> None:
        look_for_fork(self.database, self.anchor, self.head_at, size, self.now())

    def _reread(self, item: Anchoring) -> Anchoring:
        with self.database.reading() as connection:
            return anchorings.anchoring_by_id(connection, item.id)

    def _within(self, period: timedelta, since: datetime) -> bool:
        # A clock that was ahead when `since` was stored must hold nothing up.
        return timedelta(0) <= self.now() - since < period

    def _count(self, state: str) -> None:
        ANCHOR_MOVES.labels(self.anchor.name, state).inc()
