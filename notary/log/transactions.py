"""A signed raw transaction, read strictly: one form of one call, and whose it is (EIP-1559, EIP-155, EIP-2)."""

from dataclasses import dataclass

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from notary.anchoring.contract import ANCHOR, call_data
from notary.errors import ChainError
from notary.evidence import rlp
from notary.evidence.keccak import keccak256

MAX_RAW = 128 * 1024  # bytes; no node takes more
_EIP_1559 = 2
_LEGACY_FIELDS, _FIELDS_1559 = 9, 12
# A signature's v is parity + 27, a legacy transaction's parity + 35 + 2 * chain id (EIP-155).
_PARITY, _LEGACY_V = 27, 35
_SIGNATURE = 65
_UINT64, _UINT256 = 2**64 - 1, 2**256 - 1
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@dataclass(frozen=True, slots=True)
class Transaction:
    """What a transaction says; addresses are 20 bytes, none of `to` where it makes a contract."""

    chain_id: int
    nonce: int
    to: bytes
    value: int
    data: bytes
    sender: bytes


@dataclass(frozen=True, slots=True)
class AnchorCall:
    """The input of a call that anchors a head: ids and hashes are 32 bytes, the signature 65."""

    log_id: bytes
    size: int
    root: bytes
    consistency: tuple[bytes, ...]
    signature: bytes


def read_transaction(raw: bytes) -> Transaction:
    """Read a signed transaction and recover its sender.

    Raises:
        ChainError: longer than 128 KiB, of another type, or anything in it that is not in its one form.
    """
    if len(raw) > MAX_RAW:
        raise ChainError(f"a transaction of {len(raw)} bytes is longer than {MAX_RAW}")
    typed = raw[:1] == bytes([_EIP_1559])
    items = rlp.decode_list(raw[1:] if typed else raw)
    expected = _FIELDS_1559 if typed else _LEGACY_FIELDS
    if len(items) != expected:
        raise ChainError(f"a transaction of this type has {expected} fields, not {len(items)}")
    if typed and items[8] != []:
        raise ChainError("the transaction has an access list, and ours have none")
    v, r, s = (rlp.decode_int(item, _UINT256) for item in items[-3:])
    if not typed and v < _LEGACY_V:
        raise ChainError("the transaction names no chain (EIP-155)")
    if typed:
        chain_id, nonce, (to, value, data) = items[0], items[1], items[5:8]
        signed, parity = raw[:1] + rlp.encode(items[:9]), v
    else:
        nonce, (to, value, data) = items[0], items[3:6]
        chain_id, parity = rlp.encode_int((v - _LEGACY_V) // 2), (v - _LEGACY_V) % 2
        signed = rlp.encode([*items[:6], chain_id, b"", b""])
    if not isinstance(to, bytes) or not isinstance(data, bytes):
        raise ChainError("a field of the transaction is a list")
    return Transaction(
        rlp.decode_int(chain_id, _UINT256),
        rlp.decode_int(nonce, _UINT64),
        to,
        rlp.decode_int(value, _UINT256),
        data,
        recover(keccak256(signed), parity, r, s),
    )


def read_anchor_call(data: bytes) -> AnchorCall:
    """Read the input of a call of `anchor`.

    Raises:
        ChainError: it is another call, or not in the one form that we make.
    """
    types = ANCHOR[ANCHOR.index("(") + 1 : -1].split(",")
    try:
        log_id, size, root, consistency, signature = decode(types, data[4:])
    except (DecodingError, OverflowError) as error:
        raise ChainError("the input is not that of a call of anchor") from error
    if call_data(ANCHOR, log_id, size, root, list(consistency), signature) != data:
        raise ChainError("the input is not a call of anchor in its one form")
    return AnchorCall(log_id, size, root, tuple(consistency), signature)


def head_signer(digest: bytes, signature: bytes) -> bytes:
    """The address (20 bytes) whose key made the signature of a head, 65 bytes, over these 32.

    Raises:
        ChainError: it is no signature that the contract takes.
    """
    if len(signature) != _SIGNATURE:
        raise ChainError(f"the signature of the head has {len(signature)} bytes, not {_SIGNATURE}")
    r, s = (int.from_bytes(signature[at : at + 32]) for at in (0, 32))
    return recover(digest, signature[64] - _PARITY, r, s)


def recover(digest: bytes, parity: int, r: int, s: int) -> bytes:
    """The address (20 bytes) whose key signed the 32 bytes.

    Raises:
        ChainError: nobody's did: a parity that is neither 0 nor 1, the larger of the two s, or no point.
    """
    if parity not in (0, 1) or not 0 < s <= _HALF_ORDER:
        raise ChainError("a signature is not in its one form")
    from eth_keys.datatypes import Signature  # noqa: PLC0415 - the API reads no transaction, and has no memory for this
    from eth_keys.exceptions import BadSignature  # noqa: PLC0415 - as above
    from eth_utils.exceptions import ValidationError  # noqa: PLC0415 - as above

    try:
        key = Signature(vrs=(parity, r, s)).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError) as error:
        raise ChainError("a signature is nobody's") from error
    return bytes(key.to_canonical_address())
