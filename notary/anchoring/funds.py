"""What a wallet may still take out: what it holds on the chain, and its share of a day."""

from collections.abc import Iterable

from notary.anchoring.fields import quantity
from notary.anchoring.port import Attempt
from notary.anchoring.rpc import Node
from notary.anchoring.transaction import cost_of, fields_of
from notary.errors import LaneStopped
from notary.observe import WALLET_WEI


def held_by(node: Node, wallet: str) -> int:
    """Wei that a wallet holds.

    Raises:
        AnchorUnavailable: the node does not answer.
        AnchorRejected: its answer is no number.
    """
    return quantity(node.ask("eth_getBalance", wallet, "latest"))


def require_funds(node: Node, anchor: str, wallet: str, cost: int) -> None:
    """Assert that a wallet holds what a transaction may take, in wei, as every node does before it takes one.

    Raises:
        LaneStopped: it does not.
        AnchorUnavailable: the node does not answer.
    """
    held = held_by(node, wallet)
    WALLET_WEI.labels(anchor, wallet).set(held)
    if held < cost:
        raise LaneStopped(f"wallet {wallet} holds {held} wei, and the transaction may take {cost}")


def require_share(wallet: str, cost: int, allowed: int | None) -> None:
    """Assert that a transaction may take so much, in wei, of what is left of the wallet's day; None: any.

    Raises:
        LaneStopped: it may not.
    """
    if allowed is not None and cost > allowed:
        raise LaneStopped(
            f"wallet {wallet} may spend {allowed} wei more today, and the transaction may take {cost}"
        )


def most_spent(attempts: Iterable[Attempt], nonce: int, data: int = 0) -> int:
    """Wei that attempts of one lane may have taken and may still take, those of one nonce left out.

    `data` is what each is counted with beside its gas.

    Of each nonce one is mined: the dearest counts, at all of its gas. What was mined took less, and what is still
    in a pool may take all of it: no node needs to be asked for that, and none can lie about it.
    """
    dearest: dict[int, int] = {}
    for attempt in attempts:
        if attempt.nonce != nonce:
            cost = cost_of(fields_of(attempt.raw))
            dearest[attempt.nonce] = max(cost, dearest.get(attempt.nonce, 0))
    return sum(dearest.values()) + data * len(dearest)
