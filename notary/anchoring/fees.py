"""What a transaction pays, by the chain's rule: EIP-1559, one gas price, or nothing; and never more than the caps.

A tip and a gas price are paid in full, and by a base fee that is not true nothing is mined, or nothing signed: so none
of them is one endpoint's word. All that answer say one, and the middle one counts.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from notary.anchoring.fields import quantity, record
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable

_GWEI = 10**9
_TIP = "eth_maxPriorityFeePerGas"
_T = TypeVar("_T")


def fee_fields(node: Node, nodes: Sequence[Node] = (), *, again: bool = False) -> dict[str, Any]:
    """The fields of a transaction that say what it pays, wei for a unit of gas.

    Args:
        node: the endpoint that must answer; `node.fees` names the rule, `node.max_fee` and `node.max_tip` the caps.
        nodes: all endpoints of the chain, which are asked, too.
        again: of two suggestions in the middle the higher one counts, as for what blocks left out: that of an endpoint
            which says too little holds nothing up for longer. Else the lower one.

    Raises:
        AnchorUnavailable: the node does not answer, or the chain asks for more than the cap.
        AnchorRejected: the node's answer is no number.
    """
    if node.fees == "free":
        return {"gasPrice": 0}
    if node.fees == "legacy":
        prices = [_price(node), *others(node, nodes, _price)]
        return {"gasPrice": capped(node, middle(prices, again=again))}
    base = base_fee(node, nodes, again=again)
    answer = node.try_ask(_TIP)
    tips = ([] if answer.error else [quantity(answer.result)]) + others(node, nodes, _tip)
    tip = min(middle(tips, again=again) if tips else _GWEI, node.max_tip)
    # Room for six full blocks in a row, each of which raises the base by an eighth; less where the cap is below.
    capped(node, base + tip)
    fee = min(2 * base + tip, node.max_fee)
    return {"maxFeePerGas": fee, "maxPriorityFeePerGas": tip}


def base_fee(node: Node, nodes: Sequence[Node], *, again: bool) -> int:
    """What the newest block asks for a unit of gas before any tip, wei. Arguments and errors as of `fee_fields`."""
    return middle([_base(node), *others(node, nodes, _base)], again=again)


def capped(node: Node, fee: int) -> int:
    """The fee, wei for a unit of gas.

    Raises:
        AnchorUnavailable: it is more than the cap.
    """
    if fee > node.max_fee:
        raise AnchorUnavailable(
            f"the chain asks for {fee} wei for a unit of gas, more than max_fee_gwei allows ({node.max_fee})"
        )
    return fee


def price_of(fields: dict[str, Any], base: int) -> int:
    """What a transaction pays in effect for a unit of gas, in a block with this base fee; the base may be more."""
    if "gasPrice" in fields:
        price: int = fields["gasPrice"]
        return price
    return int(min(fields["maxFeePerGas"], base + fields["maxPriorityFeePerGas"]))


def middle(said: Sequence[int], *, again: bool = False) -> int:
    """The middle one; of two the lower, or `again` the higher."""
    return sorted(said)[len(said) // 2 if again else (len(said) - 1) // 2]


def others(node: Node, nodes: Sequence[Node], question: Callable[[Node], _T]) -> list[_T]:
    """What the other endpoints say, without those that hang, refuse, or are of another chain."""
    found = []
    for other in nodes:
        if other is node or other.away:
            continue
        with suppress(AnchorUnavailable, AnchorRejected):
            other.require_chain()
            found.append(question(other))
    return found


def _base(node: Node) -> int:
    return quantity(record(node.ask("eth_getBlockByNumber", "latest", False)).get("baseFeePerGas"))


def _tip(node: Node) -> int:
    return quantity(node.ask(_TIP))


def _price(node: Node) -> int:
    return quantity(node.ask("eth_gasPrice"))
