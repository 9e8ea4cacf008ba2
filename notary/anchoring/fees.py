"""What a transaction pays, by the chain's rule: EIP-1559, one gas price, or nothing."""

from typing import Any

from notary.anchoring.rpc import Node, quantity, record
from notary.errors import AnchorUnavailable

_GWEI = 10**9
MAX_FEE = 1000 * _GWEI  # for a unit of gas; a node that asks for more is not believed


def fee_fields(node: Node) -> dict[str, Any]:
    """The fields of a transaction that say what it pays; `node.fees` names the rule.

    Raises:
        AnchorUnavailable: the node does not answer, or asks for more than 1000 gwei for a unit of gas.
        AnchorRejected: its answer is no number.
    """
    if node.fees == "free":
        return {"gasPrice": 0}
    if node.fees == "legacy":
        return {"gasPrice": believed(quantity(node.ask("eth_gasPrice")))}
    base = quantity(record(node.ask("eth_getBlockByNumber", "latest", False)).get("baseFeePerGas"))
    tip_answer = node.try_ask("eth_maxPriorityFeePerGas")
    tip = _GWEI if tip_answer.error else quantity(tip_answer.result)
    fee = believed(
        2 * base + tip
    )  # room for six full blocks in a row, each of which raises the base by an eighth
    return {"type": 2, "maxFeePerGas": fee, "maxPriorityFeePerGas": tip}


def believed(fee: int) -> int:
    """The fee, wei for a unit of gas.

    Raises:
        AnchorUnavailable: it is more than 1000 gwei.
    """
    if fee > MAX_FEE:
        raise AnchorUnavailable(f"the chain asks for {fee} wei for a unit of gas, more than {MAX_FEE}")
    return fee
