"""The newest final block: what a new statement names as earlier than itself."""

from dataclasses import dataclass

from notary.anchoring.quorum import Quorum


@dataclass(frozen=True, slots=True)
class FinalBlock:
    """A block by its header. `raw` is RLP, `hash` was made from it here, `time` is in seconds since 1970."""

    chain_id: int
    number: int
    hash: bytes
    time: int
    raw: bytes


def newest_finalized(quorum: Quorum) -> FinalBlock:
    """Ask for the newest block that enough endpoints hold to be final, and hash its header again.

    Raises:
        AnchorUnavailable: too few answer, or no block is final yet.
        AnchorRejected: one is of another chain, its header does not have the hash it gives, or they contradict
            each other.
    """
    node, raw, header = quorum.newest()
    return FinalBlock(node.chain_id, header.number, header.hash, header.time, raw)
