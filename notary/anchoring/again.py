"""What waits too long is made again for more, and what the chain lost is sent again, each nonce by its own wallet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from notary.anchoring.port import Anchor
from notary.anchoring.sending import Sending, attempt_of, tell_stopped
from notary.errors import AnchorRejected, AnchorUnavailable, LaneStopped
from notary.observe import ANCHOR_MOVES
from notary.store import outbox
from notary.store.anchorings import Anchoring

_log = structlog.get_logger()
REPLACE = timedelta(seconds=48)  # then for any block that left it out: four are made by Ethereum
_BLOCKS = 3  # that left it out are enough sooner
_LEAST = timedelta(seconds=12)  # but no sooner: blocks may be quick
_SOON = 3  # times: all eight would else be made before a fee that rises for minutes is at its height
MOST_AT_ONCE = 16  # nonces that are sent again in a step: no word on a nonce makes it longer


@dataclass(frozen=True, slots=True)
class Again:
    """Of one anchor by some wallets: `payers` and `sending` as in `Paying`."""

    payers: tuple[Anchor, ...]
    sending: Sending

    def payer(self, lane: str) -> Anchor | None:
        """The anchor by the wallet of this address; None where that was taken out of the settings."""
        return next((payer for payer in self.payers if payer.lane == lane), None)

    def blocks(
        self, stored: Sequence[outbox.Attempt], *, waits: bool = False, since: datetime | None = None
    ) -> int:
        """How many blocks must have left out the last of these for its nonce before more is paid: 1 or 3; 0: not yet.

        `waits` says that a node has it and that it never was in a block: what was not sent yet, or lost its block, was
        left out by none of those that were made since. `since` is when it waits from, where not from when it was made.
        """
        last = stored[-1]
        waited = self.sending.now() - (since or last.created_at)
        # A clock that was ahead when it was stored must hold nothing up.
        if not timedelta(0) <= waited < REPLACE:
            return 1
        made = sum((each.lane, each.nonce) == (last.lane, last.nonce) for each in stored)
        return _BLOCKS if waits and waited >= _LEAST and made <= _SOON else 0

    def send_lost(self, item: Anchoring) -> None:
        """Send what the chain lost of earlier nonces of the wallet that made the last attempt. Raises as `sign`."""
        last = self.sending.attempts(item)[-1]
        payer = self.payer(last.lane)
        expected = None if payer is None else payer.first_nonce()
        if payer is not None and expected is not None and expected < last.nonce:
            try:
                self._send_from(payer, last.nonce)  # else the one under way is sent all the same
            except LaneStopped as error:
                tell_stopped(self.sending.database, payer.name, payer.lane, error, self.sending.now())
                raise

    def send_between(self, payer: Anchor, last: int) -> None:
        """Send what the chain lost of a wallet's nonces before `last`, by the word of as many endpoints as must agree.

        Raises:
            AnchorUnavailable: no answer; or they do not agree that anything is lost, and nothing is sent.
            LaneStopped, AnchorRejected: as `Sending.send_between`.
        """
        if not self._send_from(payer, last):
            raise AnchorUnavailable("none is sent again: the endpoints do not agree that one of ours is lost")

    def _send_from(self, payer: Anchor, last: int) -> bool:
        """Whether any was sent; the first of them is made again where it waits too long.

        Whatever follows waits for it, and nobody else raises its fee: its anchoring may be final.
        """
        first = payer.lost_nonce(last)
        if first is None:
            return False
        last = min(last, first + MOST_AT_ONCE)
        with self.sending.database.reading() as connection:
            found = outbox.attempts_between(connection, payer.name, payer.lane, first, last)
        front = [each for _, each in found if each.nonce == found[0][1].nonce]
        if not front or payer.shown([attempt_of(each) for each in front]):
            return False
        blocks = self.blocks(front)
        if blocks:
            try:
                self.make(payer, front, blocks)
            except (AnchorUnavailable, AnchorRejected) as error:  # and told: the last one is sent as it is
                if isinstance(error, LaneStopped):
                    tell_stopped(self.sending.database, payer.name, payer.lane, error, self.sending.now())
        self.sending.send_between(payer.lane, first, last)
        return True

    def make(
        self, payer: Anchor, stored: Sequence[outbox.Attempt], blocks: int, since: datetime | None = None
    ) -> bool:
        """Store what takes the place of the last of these, which so many blocks left out; whether there is any.

        `since` as of `blocks`.

        Raises:
            AnchorUnavailable, AnchorRejected, LaneStopped: as `replacement` of the port.
        """
        last = stored[-1]
        try:
            # By a clock that was ahead no block would be new.
            since = min(since or last.created_at, self.sending.now())
            better = payer.replacement([attempt_of(each) for each in stored], since, blocks)
        except (AnchorUnavailable, AnchorRejected) as error:
            if not isinstance(error, LaneStopped):  # which is told of the wallet
                _log.warning("a transaction is not replaced", anchor=payer.name, detail=str(error))
                ANCHOR_MOVES.labels(payer.name, "not_replaced").inc()
            raise
        if better is None:
            return False
        with self.sending.database.writing() as connection:
            # Durable after the commit: the bytes of the new attempt, beside all earlier ones, which count as
            # before: any of them may still be mined. A crash after it sends the newest at the next step.
            outbox.add_attempt(
                connection,
                last.anchoring_id,
                better.ref.hex(),
                better.raw,
                better.nonce,
                self.sending.now(),
                better.lane,
            )
        ANCHOR_MOVES.labels(payer.name, "replaced").inc()
        return True
