"""What must be true of the nonces of wallets: no gap, and none that two anchorings use."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from notary.store.anchorings import Anchoring
from notary.store.engine import Connection
from notary.store.walks import lanes


@dataclass(frozen=True, slots=True)
class _Used:
    """The last nonce of a wallet, and the anchoring whose transactions have it."""

    nonce: int
    anchoring: int


@dataclass(slots=True)
class Lanes:
    """Is told of the transactions of each anchor in the order in which they were made."""

    _last: dict[tuple[str, str], _Used] = field(default_factory=dict)  # by anchor and lane

    def problems(self, item: Anchoring, lane: str, wallet: bytes, nonce: int) -> Iterator[str]:
        """What is wrong with a transaction of this anchoring, stored in `lane`; `wallet` is its sender, 20 bytes."""
        if lane.lower() != f"0x{wallet.hex()}":
            yield f"it is of wallet 0x{wallet.hex()}, and stands in the lane of {lane or 'nobody'}"
            return
        last = self._last.get((item.anchor, lane))
        self._last[item.anchor, lane] = _Used(nonce, item.id)
        if last is None or last == _Used(nonce, item.id):
            return
        if nonce <= last.nonce:
            yield f"nonce {nonce} was used for anchoring {last.anchoring} before, or is earlier than its own"
        elif nonce != last.nonce + 1:
            yield f"its nonce is {nonce}, the one before is {last.nonce}"
        elif item.id == last.anchoring:
            yield f"it uses nonce {nonce} beside {last.nonce}"

    def left_over(self, connection: Connection) -> Iterator[str]:
        """Lanes that are not where the transactions end; call it after all anchorings."""
        stored = lanes(connection)
        for anchor, lane in sorted(stored.keys() | self._last.keys()):
            last = self._last.get((anchor, lane))
            following = None if last is None else last.nonce + 1
            found = stored.get((anchor, lane))
            if found != following:
                yield f"the lane of {anchor} ({lane}) is at {found}, its transactions end at {following}"
