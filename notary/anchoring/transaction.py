"""Transactions of ours: made from fields, signed by whatever holds the key, and read again (EIP-1559, EIP-155)."""

from typing import Any

from eth_typing import Hash32

from notary.evidence import rlp
from notary.evidence.keccak import keccak256
from notary.signers import Signer

_EIP_1559 = 2
_MAX_ITEMS = 16
_FIELDS_1559 = (
    "chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "data",
)  # fmt: skip
_FIELDS_LEGACY = ("nonce", "gasPrice", "gas", "to", "value", "data")
_V_LEGACY = 35  # EIP-155: v is this, twice the chain id, and the parity


def signature_of(signer: Signer, digest: bytes) -> bytes:
    """r, s and v of a digest: 65 bytes."""
    return bytes(signer.unsafe_sign_hash(Hash32(digest)).signature)


def signed(fields: dict[str, Any], signer: Signer) -> tuple[bytes, bytes]:
    """The raw transaction and its hash; `fields` are those of `fields_of`, with the chain id."""
    typed = "maxFeePerGas" in fields
    items = _items(fields, _FIELDS_1559 if typed else _FIELDS_LEGACY)
    chain_id: int = fields["chainId"]
    # The list of storage that will be read is empty (EIP-2930); in place of a signature EIP-155 has the chain id.
    unsigned: list[rlp.Item] = [*items, []] if typed else [*items, rlp.encode_int(chain_id), b"", b""]
    prefix = bytes([_EIP_1559]) if typed else b""
    signature = signature_of(signer, keccak256(prefix + rlp.encode(unsigned)))
    parity = signature[64] - 27
    v = parity if typed else 2 * chain_id + _V_LEGACY + parity
    whole = [*(unsigned if typed else items), *map(rlp.encode_int, (v, *_numbers(signature)))]
    raw = prefix + rlp.encode(whole)
    return raw, keccak256(raw)


def fields_of(raw: bytes) -> dict[str, Any]:
    """What one of our own transactions says."""
    typed = raw[0] == _EIP_1559
    names = _FIELDS_1559 if typed else _FIELDS_LEGACY
    items = rlp.decode_list(raw[1:] if typed else raw, _MAX_ITEMS)
    return {
        name: item if name in {"to", "data"} else int.from_bytes(item)
        for name, item in zip(names, items, strict=False)
        if isinstance(item, bytes)
    }


def cost_of(fields: dict[str, Any]) -> int:
    """Wei that a transaction may take at most: all of its gas at the most that it offers, and its value."""
    price: int = fields.get("maxFeePerGas", fields.get("gasPrice", 0))
    gas: int = fields["gas"]
    value: int = fields["value"]
    return gas * price + value


def _items(fields: dict[str, Any], names: tuple[str, ...]) -> list[rlp.Item]:
    found = (fields.get(name, b"") for name in names)
    return [item if isinstance(item, bytes) else rlp.encode_int(item) for item in found]


def _numbers(signature: bytes) -> tuple[int, int]:
    return int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
