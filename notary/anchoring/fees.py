"""What a transaction pays, by the chain's rule: EIP-1559, one gas price, or nothing; and never more than the cap."""

from typing import Any

from notary.anchoring.rpc import Node, quantity, record
from notary.errors import AnchorUnavailable

_GWEI = 10**9


def fee_fields(node: Node) -> dict[str, Any]:
    """The fields of a transaction that say what it pays, wei for a unit of gas.

    Args:
        node: `node.fees` names the rule, `node.max_fee` the cap.

    Raises:
        AnchorUnavailable: the node does not answer, or asks for more than the cap.
        AnchorRejected: its answer is no number.
    """
    if node.fees == "free":
        return {"gasPrice": 0}
    if node.fees == "legacy":
        return {"gasPrice": capped(node, quantity(node.ask("eth_gasPrice")))}
    base = quantity(record(node.ask("eth_getBlockByNumber", "latest", False)).get("baseFeePerGas"))
    tip_answer = node.try_ask("eth_maxPriorityFeePerGas")
    tip = _GWEI if tip_answer.error else quantity(tip_answer.result)
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
