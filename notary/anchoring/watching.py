"""Each wallet is looked at while nothing is signed: what it holds, and whether somebody else uses its key."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from notary.anchoring.agreeing import nonce_of
from notary.anchoring.funds import held_by
from notary.anchoring.port import Anchor
from notary.anchoring.rpc import Node
from notary.anchoring.sending import tell_stopped
from notary.errors import AnchorRejected, AnchorUnavailable, LaneStopped
from notary.evidence.chain import decode_evidence
from notary.observe import WALLET_WEI
from notary.store import anchorings, outbox, stopped
from notary.store.engine import Database
from notary.store.final_words import final_words

_log = structlog.get_logger()
_PERIOD = timedelta(seconds=12)  # a block of Ethereum: a theft is told of within about two
_OPEN = ("due", "signed", "sent")
_MOST = 16  # final words that are looked at, as where nonces are taken back


@dataclass(slots=True)
class WalletWatch:
    """Of one anchor on a chain. It tells, and holds nothing up: what signs compares again.

    Attributes:
        payers: the same anchor by each of its wallets.
        nodes: all endpoints of the chain.
    """

    database: Database
    payers: Sequence[Anchor]
    nodes: Sequence[Node]
    now: Callable[[], datetime]
    _looked: datetime | None = field(default=None, init=False)
    _told: dict[str, int] = field(default_factory=dict, init=False)  # by address of a wallet

    def look(self) -> None:
        """Look at each wallet, by every endpoint that does not hang; of one that answers nothing, nothing is said."""
        now = self.now()
        if self._looked is not None and timedelta(0) <= now - self._looked < _PERIOD:
            return
        self._looked = now
        for payer in self.payers:
            counts, held = [], []
            for node in self.nodes:
                with suppress(AnchorUnavailable, AnchorRejected):
                    if not node.hung:
                        counts.append(nonce_of(node, payer.lane))
                        held.append(held_by(node, payer.lane))
            if held:
                WALLET_WEI.labels(payer.name, payer.lane).set(min(held))
            try:
                self._compare(payer, max(counts, default=0))
            except (AnchorUnavailable, AnchorRejected) as error:
                _log.warning("a wallet may be used by somebody else", wallet=payer.lane, detail=str(error))

    def _compare(self, payer: Anchor, count: int) -> None:
        """Tell of nonces that went to somebody else, once for each number of them."""
        # The chain was asked first: what is signed meanwhile is then seen as a lane that is ahead.
        lane = self._lane(payer)
        if lane is None or count <= lane or self._is_told(payer, count):
            return
        if self._ours(payer, count - lane):
            return
        agreed, lane = payer.agreed_nonce(accusing=True), self._lane(payer)
        if agreed is None or lane is None or agreed <= lane:
            return
        what = f"the wallet's next nonce is {agreed} on chain and {lane} here: somebody else uses its key"
        tell_stopped(
            self.database, payer.name, payer.lane, LaneStopped(what, foreign=True, nonce=lane), self.now()
        )
        self._told[payer.lane] = count

    def _is_told(self, payer: Anchor, count: int) -> bool:
        """Whether this was told, and is still shown: another wallet that signs has what stopped this one forgotten."""
        if self._told.get(payer.lane) != count:
            return False
        with self.database.reading() as connection:
            return payer.lane in stopped.stopped_lanes(connection, payer.name)

    def _ours(self, payer: Anchor, most: int) -> bool:
        """Whether so many nonces may be those of our own transactions that a restored database does not know.

        It has no anchoring yet of the head that the chain holds; or it adopted as many heads as there are nonces. What
        signs next takes them back, or accuses.
        """
        held = payer.attested_size()
        with self.database.reading() as connection:
            under_way = anchorings.earliest_anchoring(connection, payer.name, _OPEN)
            if under_way is not None:
                lanes = {each.lane for each in outbox.attempts_for(connection, under_way)}
                if not lanes or payer.lane in lanes:  # the step of the anchor looks itself
                    return True
            newest = anchorings.newest_anchoring(connection, payer.name)
            if newest is None or held > newest.size:
                return True
            words = final_words(connection, payer.name, most=_MOST) + [newest] * (newest.state == "mined")
            known = {each.ref for word in words for each in outbox.attempts_for(connection, word)}
        made = [decode_evidence(word.evidence).transaction for word in words if word.evidence is not None]
        return sum(ref is not None and ref.hex() not in known for ref in made) >= most

    def _lane(self, payer: Anchor) -> int | None:
        with self.database.reading() as connection:
            return outbox.next_nonce(connection, payer.name, payer.lane)
