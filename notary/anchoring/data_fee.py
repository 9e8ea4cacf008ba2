"""What a rollup takes beside gas: the data of a transaction on the chain below, and its operator's fee (OP Stack).

No field of a transaction bounds it: it is what the chain asks for when the transaction is mined, and the wallet must
hold it. So it is asked for, and doubled where it counts before that.
"""

from collections.abc import Sequence

import structlog
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from notary.anchoring.contract import call_data
from notary.anchoring.fees import middle, others
from notary.anchoring.fields import octets
from notary.anchoring.rpc import Node
from notary.errors import AnchorUnavailable, NoAnswer

_log = structlog.get_logger()
_OP = "op"
_ORACLE = (
    "0x420000000000000000000000000000000000000F"  # GasPriceOracle, the same on every chain of the OP Stack
)
_DATA = "getL1FeeUpperBound(uint256)"  # of an unsigned transaction of so many bytes; since Fjord
_OPERATOR = "getOperatorFee(uint256)"  # of a transaction of so much gas; since Isthmus


def data_fee(node: Node, profile: str, size: int, gas: int, nodes: Sequence[Node] = ()) -> int:
    """Wei that a transaction takes now beside what its gas costs; 0 on a chain that is no rollup.

    A chain that tells none is believed to take none, and the log says so. Of what several endpoints tell the middle
    one counts, of two the lower: one alone that tells of a fee that nobody can pay would keep all heads from being
    signed.

    Args:
        node: the endpoint that must answer.
        profile: what kind of chain it is.
        size: of the transaction, bytes.
        gas: its limit.
        nodes: all endpoints of the chain, which are asked, too.

    Raises:
        AnchorUnavailable: the node does not answer; or they ask for more than all of the gas may cost.
    """
    if profile != _OP:
        return 0

    def told(each: Node) -> int | None:
        data = _told(each, _DATA, size)
        return None if data is None else data + (_told(each, _OPERATOR, gas) or 0)

    fees = [fee for fee in (told(node), *others(node, nodes, told)) if fee is not None]
    if not fees:
        _log.warning("a rollup does not tell what data cost: what is paid for them is not bounded")
        return 0
    fee, most = middle(fees), node.max_fee * gas
    if fee > most:
        raise AnchorUnavailable(
            f"the chain asks for {fee} wei beside the gas of a transaction, more than max_fee_gwei allows for its gas "
            f"({most})"
        )
    return fee


def _told(node: Node, function: str, number: int) -> int | None:
    call = {"to": _ORACLE, "data": f"0x{call_data(function, number).hex()}"}
    answer = node.try_ask("eth_call", call, "latest")
    if answer.error is not None and not answer.reverted:
        raise NoAnswer(f"eth_call: {answer.error}")
    if answer.error is not None:
        return None
    try:
        (found,) = decode(("uint256",), octets(answer.result))
    except DecodingError:  # there is no such contract
        return None
    return int(found)
