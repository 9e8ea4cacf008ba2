"""An anchor is tried on a node before the head key signs it: the trial shows nothing that anybody signed.

What the contract looks at before the signature is tried on the node; the rest is computed here (`require_extension`).
"""

from collections.abc import Sequence
from typing import Any

from notary.anchoring.contract import ANCHOR, call_data, refusal, revert_reason
from notary.anchoring.port import Head
from notary.anchoring.rpc import Node
from notary.errors import AnchorUnavailable, HeadRefused, NoAnswer

# Measured (docs/performance.md): the first head of a log takes 57,702, others at most 43,000 and 1,150 for a hash.
_GAS, _GAS_OF_A_HASH, _MARGIN_PERCENT = 60_000, 1_150, 25
# Of the right form, over whatever is signed, and of a key that is the head key of no log: the point r is the generator
# of secp256k1, and s is 1.
_NO_HEAD_KEYS = (
    bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
    + (1).to_bytes(32)
    + b"\x1b"
)
_EXPECTED = "NotSignedByHeadKey"


def gas_of(hashes: int) -> int:
    """The gas limit of an anchor with a consistency proof of so many hashes: what the contract needs, and a quarter.

    It is ours and no node's word: by one that is too high a wallet would be empty, and the day's share spent, before
    they are; with one that is too low the transaction fails and is paid for.
    """
    return (_GAS + _GAS_OF_A_HASH * hashes) * (100 + _MARGIN_PERCENT) // 100


def require_taken(
    node: Node, sender: str, contract: bytes, log_id: bytes, head: Head, consistency: Sequence[bytes]
) -> None:
    """Assert that the contract would take this head, if the head key had signed it.

    A node that does not say why a call fails says nothing against the head.

    Args:
        node: of the chain.
        sender: address of the wallet.
        contract: 20 bytes.
        log_id: 32 bytes.
        head: to be anchored.
        consistency: the proof from the head on chain to it.

    Raises:
        AnchorUnavailable: the node does not answer or does not try it; or it takes what nobody signed, and lies.
        HeadRefused: the contract would refuse; says why.
    """
    data = call_data(ANCHOR, log_id, head.size, head.root, list(consistency), _NO_HEAD_KEYS)
    call: dict[str, Any] = {"from": sender, "to": f"0x{contract.hex()}", "data": f"0x{data.hex()}"}
    tried = node.try_ask("eth_estimateGas", call)
    if tried.error is None:
        raise AnchorUnavailable("eth_estimateGas: the node takes a head that nobody signed")
    if not tried.reverted:  # a node that is busy says nothing of the head
        raise NoAnswer(f"eth_estimateGas: {tried.error}")
    if tried.data not in (None, "", "0x") and refusal(tried) != _EXPECTED:
        raise HeadRefused(f"tried before signing: {revert_reason(tried)}")
