"""What a transaction pays, by the chain's rule: EIP-1559, one gas price, or nothing; and never more than the caps.

A tip and a gas price are paid in full, so they are no one endpoint's word: all that answer suggest one, and the middle
one counts.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from notary.anchoring.fields import quantity, record
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable

_GWEI = 10**9
_TIP = "eth_maxPriorityFeePerGas"
_PRICE = "eth_gasPrice"


def fee_fields(node: Node, nodes: Sequence[Node] = (), *, again: bool = False) -> dict[str, Any]:
    """The fields of a transaction that say what it pays, wei for a unit of gas.

    Args:
        node: the endpoint that must answer; `node.fees` names the rule, `node.max_fee` and `node.max_tip` the caps.
        nodes: all endpoints of the chain, which are asked for a tip or a gas price, too.
        again: of two suggestions in the middle the higher one counts, as for what blocks left out: that of an endpoint
            which says too little holds nothing up for longer. Else the lower one.

    Raises:
        AnchorUnavailable: the node does not answer, or the chain asks for more than the cap.
        AnchorRejected: the node's answer is no number.
    """
    if node.fees == "free":
        return {"gasPrice": 0}
    if node.fees == "legacy":
        prices = [quantity(node.ask(_PRICE)), *_others(node, nodes, _PRICE)]
        return {"gasPrice": capped(node, _middle(prices, again=again))}
    base = quantity(record(node.ask("eth_getBlockByNumber", "latest", False)).get("baseFeePerGas"))
    answer = node.try_ask(_TIP)
    tips = ([] if answer.error else [quantity(answer.result)]) + _others(node, nodes, _TIP)
    tip = min(_middle(tips, again=again) if tips else _GWEI, node.max_tip)
    # Room for six full blocks in a row, each of which raises the base by an eighth; less where the cap is below.
    capped(node, base + tip)
    fee = min(2 * base + tip, node.max_fee)
    return {"maxFeePerGas": fee, "maxPriorityFeePerGas": tip}


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


def _others(node: Node, nodes: Sequence[Node], method: str) -> list[int]:
    """What the other endpoints suggest, without those that hang, refuse, or are of another chain."""
    found = []
    for other in nodes:
        if other is node or other.away:
            continue
        with suppress(AnchorUnavailable, AnchorRejected):
            other.require_chain()
            found.append(quantity(other.ask(method)))
    return found


def _middle(suggested: Sequence[int], *, again: bool) -> int:
    return sorted(suggested)[len(suggested) // 2 if again else (len(suggested) - 1) // 2]
