"""Heads and the contract: whether one extends the head on chain, and which transaction anchored one."""

from collections.abc import Sequence

from notary.anchoring.blocks import block_at
from notary.anchoring.contract import read_head, read_keys
from notary.anchoring.port import Head
from notary.anchoring.rpc import Node, octets, records
from notary.errors import AnchorRejected, ProofError
from notary.evidence.chain import ANCHORED
from notary.merkle.proof import check_consistency

_SEARCH_BLOCKS = 5000  # back from the newest, for an anchor that somebody else sent


def require_extension(
    node: Node,
    contract: bytes,
    log_id: bytes,
    head_key: str,
    head: Head,
    consistency: Sequence[bytes],
    old_size: int,
) -> None:
    """Assert that the contract would take this head: before the head key signs, since one bad anchor is for ever.

    Args:
        node: of the chain.
        contract: 20 bytes.
        log_id: 32 bytes.
        head_key: address that would sign.
        head: to be anchored.
        consistency: the proof from the head on chain to it; none for the first.
        old_size: where the proof starts.

    Raises:
        AnchorUnavailable: the node does not answer.
        AnchorRejected: the head does not extend the one on chain, or the head key is not the log's.
    """
    size, root = read_head(node, contract, log_id)
    key = read_keys(node, contract, log_id).head
    if key != bytes.fromhex(head_key[2:]):
        raise AnchorRejected(f"the log's head key is 0x{key.hex()}, ours is {head_key}")
    if size != old_size:
        raise AnchorRejected(f"the head on chain is of size {size}, the proof starts at {old_size}")
    if head.size <= size:
        raise AnchorRejected(f"the head on chain is of size {size}, no smaller than {head.size}")
    if size == 0:
        if consistency:
            raise AnchorRejected("the first anchor has nothing to be consistent with")
        return
    try:
        check_consistency(size, head.size, consistency, root, head.root)
    except ProofError as error:
        raise AnchorRejected(f"the head does not extend the one on chain: {error}") from error


def transaction_of(node: Node, contract: bytes, log_id: bytes, head: Head, profile: str) -> bytes | None:
    """The hash of whichever recent transaction anchored exactly this head, or None.

    Raises:
        AnchorUnavailable: the node does not answer.
        AnchorRejected: its answer is of another form.
    """
    newest = block_at(node, "latest", profile)[1].number
    query = {
        "address": f"0x{contract.hex()}",
        "topics": [f"0x{ANCHORED.hex()}", f"0x{log_id.hex()}"],
        "fromBlock": hex(max(0, newest - _SEARCH_BLOCKS)),
    }
    wanted = head.size.to_bytes(32) + head.root
    for log in records(node.ask("eth_getLogs", query)):
        if octets(log.get("data"))[32:] == wanted:
            return octets(log.get("transactionHash"), 32)
    return None
