"""Evidence of one anchor, taken from a node while it still has the state, and verified before it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from notary.anchoring.blocks import receipt_proof, receipts_of, sealed_header
from notary.anchoring.compiled import CODE_HASH
from notary.anchoring.fields import array, octets, quantity, record, records
from notary.anchoring.port import Head
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable, ChainError
from notary.evidence.chain import (
    ANCHORED,
    HISTORY_CONTRACT,
    HISTORY_WINDOW,
    ChainEvidence,
    Header,
    NotBefore,
    Proof,
    check_code,
    check_history,
    check_receipt,
    decode_header,
    history_slot,
)
from notary.evidence.chain_file import MAX_NOT_BEFORE
from notary.evidence.chain_head import head_slots, stored_head


@dataclass(frozen=True, slots=True)
class Captured:
    """Evidence, the header it rests on, what is missing from it ("" where nothing is), and how many records are new."""

    evidence: ChainEvidence
    header: Header
    missing: str
    records: int


def receipt_of(node: Node, ref: bytes) -> dict[str, Any] | None:
    """The receipt of the transaction with this hash, 32 bytes; None where the node knows of none.

    Raises:
        AnchorUnavailable: the node does not answer.
        AnchorRejected: it shows the receipt of another transaction, as a node that lies does, or a cache before it.
    """
    shown = node.ask("eth_getTransactionReceipt", f"0x{ref.hex()}")
    if shown is None:
        return None
    receipt = record(shown)
    # By a true receipt of another anchor of ours, a head would be final that nothing anchored.
    if octets(receipt.get("transactionHash"), 32) != ref:
        raise AnchorRejected(f"for the receipt of 0x{ref.hex()} the node shows that of another transaction")
    return receipt


def capture(
    node: Node,
    receipt: dict[str, Any],
    head: Head,
    contract: bytes,
    log_id: bytes,
    not_before: Sequence[bytes],
    profile: str,
) -> Captured:
    """Gather the evidence that a mined transaction anchored `head`, and check all of it.

    Args:
        node: of the chain.
        receipt: of the transaction, successful, as `receipt_of` gives it: by its hash it is the one asked for.
        head: what must have been anchored.
        contract: 20 bytes.
        log_id: 32 bytes.
        not_before: RLP of headers of earlier blocks, the newest first: those are taken where there are too many.
        profile: how headers of the chain are hashed.

    Raises:
        AnchorUnavailable: the node does not answer, or a reorg took the block away meanwhile.
        AnchorRejected: the node's answers do not add up to an anchor of this head.
    """
    block_hash = f"0x{octets(receipt.get('blockHash'), 32).hex()}"
    block = node.ask("eth_getBlockByHash", block_hash, False)
    if block is None:
        raise AnchorUnavailable(f"the node has no longer block {block_hash}")
    raw, header = sealed_header(node, record(block), profile)
    index = quantity(receipt.get("transactionIndex"))
    shown = receipts_of(node, record(block))
    transaction = octets(receipt.get("transactionHash"), 32)
    if index >= len(shown):
        raise AnchorRejected(f"block {header.number} has no transaction {index}")
    if octets(shown[index].get("transactionHash"), 32) != transaction:
        raise AnchorRejected(f"transaction {index} of block {header.number} is another one, by its hash")
    evidence = ChainEvidence(
        chain_id=node.chain_id,
        contract=contract,
        log_id=log_id,
        profile=profile,
        header=raw,
        transaction=transaction,
        transaction_index=index,
        receipt_proof=receipt_proof(shown, index, header.receipts_root),
        log_index=_log_index(shown[index], contract, log_id, head),
        account_proof=None,
        history_proof=None,
        not_before=tuple(NotBefore(item, None) for item in not_before[:MAX_NOT_BEFORE]),
        head_slots=(None, None),
    )
    evidence, missing = _with_state(node, evidence, header)
    return Captured(evidence, header, missing, _verify(evidence, header, head))


def _verify(evidence: ChainEvidence, header: Header, head: Head) -> int:
    """Check it all; how many entries the head has beyond the one before it on the chain."""
    try:
        event = check_receipt(evidence, header)
        if evidence.account_proof is not None:
            check_code(evidence, header, CODE_HASH)
        stored = None if None in (evidence.head_slots or ()) else stored_head(evidence, header)
    except ChainError as error:
        raise AnchorRejected(f"the node's evidence does not hold: {error}") from error
    if (event.new_size, event.new_root) != (head.size, head.root):
        raise AnchorRejected(f"the event is of size {event.new_size}, not of the head of size {head.size}")
    if event.old_size >= event.new_size:
        raise AnchorRejected(f"the event goes from size {event.old_size} to {event.new_size}")
    # Whoever has our signature of a later head may have anchored it in the same block.
    if (
        stored is not None
        and stored.size <= head.size
        and (stored.size, stored.root) != (head.size, head.root)
    ):
        raise AnchorRejected(
            f"the contract holds a head of size {stored.size}, not this one of size {head.size}"
        )
    return event.new_size - event.old_size


def _with_state(node: Node, evidence: ChainEvidence, header: Header) -> tuple[ChainEvidence, str]:
    """Add what needs the state of the block, as far as the node still has it."""
    slots = head_slots(evidence.log_id)
    asked = [f"0x{slot.hex()}" for slot in slots]
    answer = node.try_ask("eth_getProof", f"0x{evidence.contract.hex()}", asked, hex(header.number))
    if answer.error is not None:
        return evidence, f"the node has no state of block {header.number}: {answer.error}"
    found = _storage(record(answer.result))
    first, second = (found.get(int.from_bytes(slot)) for slot in slots)
    missing = "" if first and second else f"the node gave no proof of the head in block {header.number}"
    evidence = replace(
        evidence,
        account_proof=_nodes(answer.result, "accountProof"),
        head_slots=(None, None) if missing else (first, second),
    )
    if not evidence.not_before:
        return evidence, missing
    evidence, more = _with_blocks(node, evidence, header)
    return evidence, "; ".join(filter(None, (missing, more)))


def _with_blocks(node: Node, evidence: ChainEvidence, header: Header) -> tuple[ChainEvidence, str]:
    """Add the proofs of the hashes of earlier blocks (EIP-2935)."""
    earlier = [decode_header(item.header, evidence.profile) for item in evidence.not_before]
    slots = [f"0x{history_slot(h.number).hex()}" for h in earlier if _in_window(h, header)]
    answer = node.try_ask("eth_getProof", f"0x{HISTORY_CONTRACT.hex()}", slots, hex(header.number))
    if answer.error is not None:
        return evidence, f"the node has no block hashes in the state of block {header.number}"
    return _with_history(evidence, header, earlier, record(answer.result))


def _with_history(
    evidence: ChainEvidence, header: Header, earlier: Sequence[Header], shown: dict[str, Any]
) -> tuple[ChainEvidence, str]:
    found = _storage(shown)
    proven = replace(
        evidence,
        history_proof=_nodes(shown, "accountProof"),
        not_before=tuple(
            NotBefore(
                item.header,
                found.get(int.from_bytes(history_slot(h.number))) if _in_window(h, header) else None,
            )
            for item, h in zip(evidence.not_before, earlier, strict=True)
        ),
    )
    kept, missing = [], []
    for item, before in zip(proven.not_before, earlier, strict=True):
        try:
            check_history(proven, header, before)
            kept.append(item)
        except ChainError as error:
            kept.append(NotBefore(item.header, None))
            missing.append(str(error))
    if len(missing) == len(kept):  # the chain has no such contract, or not one of these blocks
        proven = replace(proven, history_proof=None)
    return replace(proven, not_before=tuple(kept)), "; ".join(missing[:3])


def _storage(shown: dict[str, Any]) -> dict[int, Proof]:
    """The proofs of storage in an answer, by their slots."""
    return {quantity(p.get("key")): _nodes(p, "proof") for p in records(shown.get("storageProof") or [])}


def _in_window(earlier: Header, header: Header) -> bool:
    return header.number - HISTORY_WINDOW <= earlier.number < header.number


def _log_index(receipt: dict[str, Any], contract: bytes, log_id: bytes, head: Head) -> int:
    """Where in the receipt the event of this head stands; 0, which cannot be verified, where it is not."""
    wanted = (contract, [ANCHORED, log_id], head.size.to_bytes(32) + head.root)
    for at, log in enumerate(records(receipt.get("logs") or [])):
        topics = [octets(topic, 32) for topic in array(log.get("topics"))]
        if (octets(log.get("address"), 20), topics, octets(log.get("data"))[32:]) == wanted:
            return at
    return 0


def _nodes(shown: Any, name: str) -> Proof:
    nodes = record(shown).get(name)
    if not isinstance(nodes, list):
        raise AnchorRejected(f"the node's answer has no {name}")
    return tuple(map(octets, nodes))
