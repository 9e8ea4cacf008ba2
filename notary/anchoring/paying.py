"""Who pays: the first wallet that can takes a nonce, and another one where it cannot go on.

One attempt of one wallet stands for an anchoring until that wallet is stopped. Then the next one makes its own, and
both may be mined: the contract takes a head once, and refuses the second transaction.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from notary.anchoring.again import Again
from notary.anchoring.port import Anchor, Head
from notary.anchoring.reclaiming import reclaim
from notary.anchoring.sending import Sending, tell_stopped
from notary.errors import (
    AnchorRejected,
    AnchorUnavailable,
    HeadRefused,
    LaneStopped,
    NotaryError,
    NotFound,
    NotReady,
)
from notary.observe import ANCHOR_MOVES
from notary.store import anchorings, outbox, stopped
from notary.store.anchorings import Anchoring
from notary.store.engine import Database

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Paying:
    """Makes attempts and stores them; nothing leaves from here but what the chain lost.

    Attributes:
        payers: the same anchor by each of the wallets, in the order in which they are used.
        consistency: the proof from one size to a later one.
    """

    database: Database
    payers: tuple[Anchor, ...]
    sending: Sending
    consistency: Callable[[int, int], Sequence[bytes]]
    now: Callable[[], datetime]

    def sign(self, item: Anchoring, head: Head, old: int, payers: Sequence[Anchor]) -> str:
        """Have the first of the wallets that can make the attempt, and store it.

        Returns:
            Why the authority would refuse the head; "" where the attempt is stored.

        Raises:
            AnchorUnavailable: no answer; or the only wallet's transactions are not all on the chain.
            LaneStopped: no wallet can pay; says what the first was told.
            AnchorRejected: the answer says nothing of the head.
            NotReady: another process moved the anchoring meanwhile.
            Fatal: another process uses a wallet's nonces.
        """
        problems: list[NotaryError] = []
        for payer in payers:
            try:
                # The chain first: what another process signs between the two is then seen as a lane that is ahead.
                expected = payer.first_nonce()
                with self.database.reading() as connection:
                    lane = outbox.next_nonce(connection, payer.name, payer.lane)
                # One endpoint alone may lag behind or lie: it is asked only to confirm a number of ours.
                if lane is None or (expected is not None and expected > lane):
                    expected = payer.agreed_nonce()
                if lane is not None and expected is not None and expected > lane:
                    lane = reclaim(self.database, payer, self.sending.head_at, lane, expected, self.now())
                problem = self._problem(payer, expected, lane)
                if problem is None:
                    return self._sign_by(payer, item, head, old, expected, lane)
            except LaneStopped as error:
                problem = error
            tell_stopped(self.database, payer.name, payer.lane, problem, self.now())
            problems.append(problem)
        raise problems[0]

    def take_over(self, item: Anchoring, head: Head) -> bool:
        """Have a wallet that has no attempt yet make one, since those that have are stopped; whether there is one.

        Raises:
            AnchorUnavailable: no answer.
            AnchorRejected: the answer says nothing of the head.
        """
        # Of an earlier anchoring of this head it does not matter who paid.
        with self.database.reading() as connection:
            used = {attempt.lane for attempt in outbox.attempts_of(connection, item.id)}
        others = [payer for payer in self.payers if payer.lane not in used]
        if not others:
            return False
        old = others[0].attested_size()
        if old >= head.size:  # one of the attempts was mined meanwhile: looking at them tells
            return False
        try:
            refused = self.sign(item, head, old, others)
        except LaneStopped:
            return False  # and told
        if refused:
            _log.error("no wallet takes over", anchor=item.anchor, detail=refused)
        return not refused

    @property
    def again(self) -> Again:
        """What is made and sent again by the same wallets."""
        return Again(self.payers, self.sending)

    def replace(self, item: Anchoring, head: Head) -> tuple[bool, str]:
        """Make an attempt that takes the place of the last one, where that waits too long.

        Where none can be made, as when it would cost too much, the last one stands, and is sent again as ever.

        Returns:
            Whether there is one now; and why none was made, "" where there is one, or where it is not its time yet.
        """
        with self.database.reading() as connection:
            stored = outbox.attempts_for(connection, item)
        waits = item.state == "sent" and item.evidence is None
        # What was in a block waits from when it left that, or was sent again last: none left it out before.
        since = None if item.evidence is None else max(stored[-1].created_at, item.updated_at)
        blocks = self.again.blocks(stored, waits=waits, since=since)
        if not blocks:
            return False, ""
        payer = self.again.payer(stored[-1].lane)
        if payer is None:  # its wallet was taken out of the settings
            return self._beside(item, head) if blocks == 1 else (False, "")
        try:
            return self.again.make(payer, stored, blocks, since), ""
        except LaneStopped as error:
            tell_stopped(self.database, payer.name, payer.lane, error, self.now())
            made, _ = self._beside(item, head)
            return made, "" if made else str(error)
        except (AnchorUnavailable, AnchorRejected) as error:
            return False, str(error)

    def _beside(self, item: Anchoring, head: Head) -> tuple[bool, str]:
        """As `take_over`; what keeps another wallet from it is no reason not to send the stored bytes again."""
        try:
            return self.take_over(item, head), ""
        except (AnchorUnavailable, AnchorRejected) as error:
            _log.warning("no other wallet takes over", anchor=item.anchor, detail=str(error))
            return False, str(error)

    def _sign_by(
        self, payer: Anchor, item: Anchoring, head: Head, old: int, expected: int | None, lane: int | None
    ) -> str:
        nonce = secrets.randbits(63) if expected is None else expected
        try:
            proof = self.consistency(old, head.size) if old else ()
        except NotFound:
            return f"the authority holds a head of size {old}, of which this log has no checkpoint"
        try:
            attempt = payer.sign(head, nonce, proof, old)
        except HeadRefused as error:
            return str(error)
        with self.database.writing() as connection:
            state = anchorings.anchoring_by_id(connection, item.id).state
            if state != item.state:
                raise NotReady(f"anchoring {item.id} is {state}, not {item.state}: another process moved it")
            # Durable after the commit: the very bytes that may be sent, and that their nonce is taken. A crash
            # before it loses the signatures of wallet and head key, which nobody saw. After it, the stored bytes are
            # sent at the next step.
            if expected is not None:
                outbox.set_nonce(connection, payer.name, payer.lane, lane, nonce + 1)
            outbox.add_attempt(
                connection, item.id, attempt.ref.hex(), attempt.raw, nonce, self.now(), attempt.lane
            )
            stopped.forget_stopped(connection, payer.name, payer.lane, item.created_at)
            if item.state == "due":
                anchorings.move(connection, item.id, "due", "signed", self.now(), detail="")
        ANCHOR_MOVES.labels(payer.name, "signed").inc()
        return ""

    def _problem(self, payer: Anchor, expected: int | None, lane: int | None) -> NotaryError | None:
        """Every nonce before the next one was used, and by us; else no further one is taken."""
        if expected is None or lane is None or expected == lane:
            return None
        counts = f"the wallet's next nonce is {expected} on chain and {lane} here"
        if expected > lane:
            return self._foreign(payer, lane, f"{counts}: somebody else uses its key")
        try:
            self.again.send_between(payer, lane)
        except AnchorUnavailable as error:  # another wallet need not wait for it
            return AnchorUnavailable(
                f"{counts}: the node lags behind or lost blocks; the transactions between: {error}"
            )
        return AnchorUnavailable(
            f"{counts}: the node lags behind or lost blocks; the transactions between were sent again"
        )

    def _foreign(self, payer: Anchor, lane: int, what: str) -> LaneStopped | AnchorUnavailable:
        """The wallet is passed over; and somebody is accused, where it is not one endpoint of several that says so."""
        try:
            agreed = payer.agreed_nonce(accusing=True)
        except AnchorUnavailable as error:
            return LaneStopped(f"{what}, or an endpoint lies: {error}")
        if agreed is None or agreed <= lane:  # who said otherwise a moment ago was alone with it
            return AnchorUnavailable(f"{what}, said an endpoint, and all that answer say {agreed}")
        return LaneStopped(what, foreign=True, nonce=lane)
