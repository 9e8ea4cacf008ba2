"""A transaction that stays unmined is made again, with the same nonce and call, for a higher fee.

Whichever of the two is mined, the nonce is used once: that makes it safe, and nothing else would.
"""

from typing import TYPE_CHECKING, Any

from notary.anchoring.fees import believed, fee_fields
from notary.anchoring.port import Attempt
from notary.anchoring.rpc import Node
from notary.evidence import rlp

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

MAX_REPLACEMENTS = 8  # of one transaction: three times the fee it began with
_RAISED_PERCENT = 15  # nodes ask for 10 % on both fee fields
_EIP_1559 = 2
_MAX_ITEMS = 16
_FIELDS_1559 = (
    "chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "data",
)  # fmt: skip
_FIELDS_LEGACY = ("nonce", "gasPrice", "gas", "to", "value", "data")
_FEES = ("maxPriorityFeePerGas", "maxFeePerGas", "gasPrice")


def fields_of(raw: bytes) -> dict[str, Any]:
    """What one of our own transactions says, in the form that a wallet signs (EIP-1559, or EIP-155)."""
    typed = raw[0] == _EIP_1559
    names = _FIELDS_1559 if typed else _FIELDS_LEGACY
    items = rlp.decode_list(raw[1:] if typed else raw, _MAX_ITEMS)
    found: dict[str, Any] = {
        name: item if name in {"to", "data"} else int.from_bytes(item)
        for name, item in zip(names, items, strict=False)
        if isinstance(item, bytes)
    }
    return found | {"type": _EIP_1559} if typed else found


def replaced(node: Node, wallet: "LocalAccount", attempt: Attempt) -> Attempt:
    """The same call and nonce, for 15 % more on each fee field, or for what the node asks now where that is more.

    Raises:
        AnchorUnavailable: the node does not answer, or that is more than 1000 gwei for a unit of gas.
        AnchorRejected: its answer is no number.
    """
    fields, now = fields_of(attempt.raw), fee_fields(node)
    for name in _FEES:
        if name in fields:
            old = fields[name]
            raised = max(-(-old * (100 + _RAISED_PERCENT) // 100), old + 1)  # of nothing, too
            fields[name] = believed(max(raised, now.get(name, 0)))
    signed = wallet.sign_transaction(fields | {"chainId": node.chain_id})
    return Attempt(bytes(signed.hash), bytes(signed.raw_transaction), attempt.nonce)
