"""What must be true of the nonces of a wallet: no gap, and none that two anchorings use."""

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

    _last: dict[tuple[str, bytes], _Used] = field(default_factory=dict)  # by anchor and wallet
    _newest: dict[str, tuple[int, int, bytes]] = field(default_factory=dict)  # anchoring, nonce, wallet

    def problems(self, item: Anchoring, wallet: bytes, nonce: int) -> Iterator[str]:
        """What is wrong with a transaction of this anchoring; `wallet` is its sender, 20 bytes."""
        newest = self._newest.get(item.anchor)
        if newest is not None and newest[:2] == (item.id, nonce) and newest[2] != wallet:
            yield f"it is of wallet 0x{wallet.hex()}, what it replaces of 0x{newest[2].hex()}"
            return
        self._newest[item.anchor] = (item.id, nonce, wallet)
        last = self._last.get((item.anchor, wallet))
        self._last[item.anchor, wallet] = _Used(nonce, item.id)
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
        for anchor in sorted(stored.keys() | self._newest.keys()):
            newest = self._newest.get(anchor)
            following = None if newest is None else newest[1] + 1
            if stored.get(anchor) != following:
                yield f"the lane of {anchor} is at {stored.get(anchor)}, its transactions end at {following}"
