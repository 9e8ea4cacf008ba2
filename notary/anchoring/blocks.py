"""Blocks as a node shows them, made into what can be verified: header bytes and trie proofs."""

import time
from collections.abc import Sequence
from typing import Any

from trie.hexary import HexaryTrie

from notary.anchoring.fields import array, octets, quantity, record, records
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable, ChainError
from notary.evidence import rlp
from notary.evidence.chain import Header, decode_header
from notary.evidence.chain_bft import SEALED
from notary.evidence.chain_seals import check_seals, validators_at

FINALIZED = "finalized"
LATEST = "latest"
SEALS = "seals"
_DEPTH = "depth:"
_HASH = 32  # bytes
_DEPOSIT = 0x7E  # type of the transactions that an OP chain takes from the chain below
_MAX_RECEIPTS = 100_000
_MAX_SINGLE = 2000  # that are asked for one by one
_SINGLE_SECONDS = 20.0  # that this takes of a step: its other questions have their time, too
# Fields of a header in their order, and whether they are numbers. Those after the nonce came with London, Shanghai,
# Cancun, Prague and Amsterdam, in this order; a chain has a beginning of the list.
_FIELDS = (
    ("parentHash", False), ("sha3Uncles", False), ("miner", False), ("stateRoot", False),
    ("transactionsRoot", False), ("receiptsRoot", False), ("logsBloom", False), ("difficulty", True),
    ("number", True), ("gasLimit", True), ("gasUsed", True), ("timestamp", True), ("extraData", False),
    ("mixHash", False), ("nonce", False),
    ("baseFeePerGas", True), ("withdrawalsRoot", False), ("blobGasUsed", True), ("excessBlobGas", True),
    ("parentBeaconBlockRoot", False), ("requestsHash", False), ("blockAccessListHash", False),
    ("slotNumber", True),
)  # fmt: skip
_NEEDED = 15


def header_of(block: dict[str, Any], profile: str) -> tuple[bytes, Header]:
    """The RLP of a block's header, rebuilt from the node's JSON and hashed again.

    Raises:
        AnchorRejected: a field is missing, or the hash is not the one that the node gives.
    """
    items = [
        rlp.encode_int(quantity(block.get(name))) if is_number else octets(block.get(name))
        for at, (name, is_number) in enumerate(_FIELDS)
        if at < _NEEDED or block.get(name) is not None
    ]
    raw = rlp.encode(list(items))
    try:
        header = decode_header(raw, profile)
    except ChainError as error:
        raise AnchorRejected(f"the node's header cannot be used: {error}") from error
    if header.hash != octets(block.get("hash"), 32):
        raise AnchorRejected(f"the header of block {header.number} does not have the hash the node gives")
    return raw, header


def block_at(node: Node, tag: str, profile: str) -> tuple[bytes, Header]:
    """Header bytes and header of the block at a tag or a number in hexadecimal.

    Raises:
        AnchorUnavailable: the node does not answer or has no such block.
        AnchorRejected: the header does not have the hash the node gives, or not the seals that it needs.
    """
    block = node.ask("eth_getBlockByNumber", tag, False)
    if block is None:
        raise AnchorUnavailable(f"the node has no block {tag}")
    raw, header = sealed_header(node, record(block), profile)
    if tag == LATEST:
        node.newest = header.time
    return raw, header


def sealed_header(node: Node, block: dict[str, Any], profile: str) -> tuple[bytes, Header]:
    """As `header_of`; and where blocks of the chain are sealed, the node's validators have sealed this one.

    Raises:
        AnchorRejected: as `header_of`; the seals do not hold, or no validators are known for this block.
    """
    raw, header = header_of(block, profile)
    if (
        profile not in SEALED or header.number == 0
    ):  # nobody seals the first block, and it holds no transaction
        return raw, header
    validators = validators_at(header.number, node.validators)
    if validators is None:
        raise AnchorRejected(f"no validators of block {header.number} are configured")
    try:
        check_seals(raw, header, profile, validators)
    except ChainError as error:
        raise AnchorRejected(f"the node's block is not sealed: {error}") from error
    return raw, header


def final_number(node: Node, finality: str, profile: str) -> int:
    """Number of the newest block that the rule holds to be final, or -1 where there is none yet.

    Args:
        node: of the chain.
        finality: "finalized", the tag of that name; "depth:N", N blocks, the final one counted; or "seals", the
            newest block, which its validators sealed and can never take back.
        profile: how headers are hashed.

    Raises:
        AnchorUnavailable: the node does not answer.
        AnchorRejected: the rule is not known.
    """
    if finality == FINALIZED:
        return block_at(node, FINALIZED, profile)[1].number
    if finality == SEALS and profile in SEALED:
        return block_at(node, LATEST, profile)[1].number or -1
    depth = finality.removeprefix(_DEPTH)
    if finality == depth or not depth.isdecimal() or int(depth) < 1:
        raise AnchorRejected(f"{finality!r} is not a rule of finality")
    return max(-1, block_at(node, LATEST, profile)[1].number - int(depth) + 1)


def receipts_of(node: Node, block: dict[str, Any]) -> list[dict[str, Any]]:
    """The receipts of a block, in the order of its transactions.

    A node that cannot give them at once, such as GoQuorum's, is asked for each.

    Raises:
        AnchorUnavailable: the node does not answer, or has not all of them; or there are more to be asked for, and the
            next call goes on.
        AnchorRejected: its answers are of another form.
    """
    answer = node.try_ask("eth_getBlockReceipts", block.get("hash"))
    found = answer.result
    hashes = block.get("transactions")
    if answer.error is not None and isinstance(hashes, list) and len(hashes) <= _MAX_SINGLE:
        found = _one_by_one(node, f"{block.get('hash')}", hashes)
    if not isinstance(found, list) or None in found:
        raise AnchorUnavailable(f"the node has not the receipts of block {block.get('hash')}")
    return [record(item) for item in found]


def _one_by_one(node: Node, block: str, hashes: Sequence[Any]) -> list[Any]:
    """The receipts of these transactions, or up to the first that the node has not.

    The hashes are the node's word, and it may be slow: what was asked for is remembered, and the last call forgets it.

    Raises:
        AnchorUnavailable: the node does not answer; or it took too long, and the next call goes on.
    """
    of, before = node.receipts
    found = list(before) if of == block else []
    end = time.monotonic() + _SINGLE_SECONDS
    asked = len(found)
    try:
        while len(found) < len(hashes) and None not in found:
            if len(found) > asked and time.monotonic() > end:
                raise AnchorUnavailable(
                    f"the receipts of block {block} are asked for one by one: {len(found)} of {len(hashes)} by now"
                )
            found.append(node.ask("eth_getTransactionReceipt", hashes[len(found)]))
    finally:
        node.receipts = (block, tuple(found))
    node.receipts = ("", ())
    return found


def receipt_proof(receipts: Sequence[dict[str, Any]], index: int, root: bytes) -> tuple[bytes, ...]:
    """The trie nodes from the receipts root to one receipt, built from all receipts of the block.

    Raises:
        AnchorRejected: the receipts do not have this root, or there are too many.
    """
    if len(receipts) > _MAX_RECEIPTS:
        raise AnchorRejected(f"a block of {len(receipts)} receipts")
    trie: Any = HexaryTrie({})
    for at, receipt in enumerate(receipts):
        trie[rlp.encode(rlp.encode_int(at))] = _receipt(receipt)
    if trie.root_hash != root:
        raise AnchorRejected("the receipts of the block do not have its receipts root")
    nodes = [_plain(node) for node in trie.get_proof(rlp.encode(rlp.encode_int(index)))]
    encoded = [rlp.encode(node) for node in nodes]
    # The library lists nodes shorter than a hash as well, though they stand inside their parents.
    return tuple(node for at, node in enumerate(encoded) if at == 0 or len(node) >= _HASH)


def _receipt(receipt: dict[str, Any]) -> bytes:
    """The bytes that the receipts trie holds (EIP-2718; yellow paper §4.4.1)."""
    logs: list[rlp.Item] = [
        [
            octets(log.get("address"), 20),
            [octets(t, 32) for t in array(log.get("topics"))],
            octets(log.get("data")),
        ]
        for log in records(receipt.get("logs") or [])
    ]
    kind = quantity(receipt.get("type", "0x0"))
    if kind > 0x7F:  # noqa: PLR2004 - EIP-2718
        raise AnchorRejected(f"a transaction of type {kind}")
    fields: list[rlp.Item] = [
        rlp.encode_int(quantity(receipt.get("status"))),
        rlp.encode_int(quantity(receipt.get("cumulativeGasUsed"))),
        octets(receipt.get("logsBloom"), 256),
        logs,
    ]
    if kind == _DEPOSIT and receipt.get("depositReceiptVersion") is not None:  # OP Stack, since Canyon
        fields += [
            rlp.encode_int(quantity(receipt.get(name))) for name in ("depositNonce", "depositReceiptVersion")
        ]
    body = rlp.encode(fields)
    return bytes([kind]) + body if kind else body


def _plain(node: Any) -> rlp.Item:
    return bytes(node) if isinstance(node, (bytes, bytearray)) else [_plain(item) for item in node]
