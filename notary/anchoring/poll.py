"""The newest final block: what a new statement names as earlier than itself."""

from dataclasses import dataclass

from notary.anchoring.blocks import FINALIZED, block_at, final_number
from notary.anchoring.rpc import Node
from notary.errors import AnchorUnavailable


@dataclass(frozen=True, slots=True)
class FinalBlock:
    """A block by its header. `raw` is RLP, `hash` was made from it here, `time` is in seconds since 1970."""

    chain_id: int
    number: int
    hash: bytes
    time: int
    raw: bytes


def newest_finalized(node: Node, finality: str = FINALIZED, profile: str = "ethereum") -> FinalBlock:
    """Ask for the newest block that the chain's rule holds to be final, and hash its header again.

    Raises:
        AnchorUnavailable: the node does not answer, or no block is final yet.
        AnchorRejected: the node is of another chain, or its header does not have the hash it gives.
    """
    node.require_chain()
    number = final_number(node, finality, profile)
    if number < 0:
        raise AnchorUnavailable("no block is final yet")
    raw, header = block_at(node, hex(number), profile)
    return FinalBlock(node.chain_id, header.number, header.hash, header.time, raw)
