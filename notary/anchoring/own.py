"""A transaction of a wallet of ours, as the chain has it: made into its bytes again, and believed by its signatures."""

from typing import Any

from notary.anchoring.fields import octets, quantity, record
from notary.anchoring.port import Attempt, Head
from notary.anchoring.reading import read_anchor_call, read_transaction
from notary.anchoring.rpc import Node
from notary.errors import ChainError
from notary.evidence import rlp
from notary.evidence.keccak import keccak256

_EIP_1559, _LEGACY = "0x2", "0x0"
_FEES = {_EIP_1559: ("maxPriorityFeePerGas", "maxFeePerGas"), _LEGACY: ("gasPrice",)}


def own_transaction(
    node: Node, wallet: str, contract: bytes, log_id: bytes, head: Head, ref: bytes
) -> Attempt | None:
    """The transaction with this hash, where the wallet signed it and it does nothing but anchor exactly this head.

    What the node says of it is not believed: the bytes must have the hash, and the signature under them the wallet.

    Args:
        node: of the chain.
        wallet: address.
        contract: 20 bytes.
        log_id: 32 bytes.
        head: that it should anchor.
        ref: 32 bytes.

    Returns:
        None where it is another one's, does anything else, or is not to be had.

    Raises:
        AnchorUnavailable: the node does not answer.
        AnchorRejected: it is of another chain, or its answer is of another form.
    """
    node.require_chain()
    answer = node.ask("eth_getTransactionByHash", f"0x{ref.hex()}")
    raw = None if answer is None else _raw(record(answer), node.chain_id)
    if raw is None or keccak256(raw) != ref:
        return None
    try:
        said = read_transaction(raw)
        call = read_anchor_call(said.data)
    except ChainError:
        return None
    if (said.chain_id, said.to, said.value) != (node.chain_id, contract, 0):
        return None
    if (call.log_id, call.size, call.root) != (log_id, head.size, head.root):
        return None
    if said.sender != bytes.fromhex(wallet[2:]):
        return None
    return Attempt(ref, raw, said.nonce, wallet)


def _raw(answer: dict[str, Any], chain_id: int) -> bytes | None:
    """The signed bytes in the one form of ours; None of another type. Right only where they have the hash."""
    kind = answer.get("type", _LEGACY)
    if kind not in _FEES or answer.get("to") is None:
        return None
    numbers = ("nonce", *_FEES[kind], "gas")
    items: list[rlp.Item] = [rlp.encode_int(quantity(answer.get(name))) for name in numbers]
    items += [
        octets(answer["to"]),
        rlp.encode_int(quantity(answer.get("value"))),
        octets(answer.get("input")),
    ]
    signature = [rlp.encode_int(quantity(answer.get(name))) for name in ("v", "r", "s")]
    if kind == _LEGACY:
        return rlp.encode([*items, *signature])
    return bytes([2]) + rlp.encode([rlp.encode_int(chain_id), *items, [], *signature])
