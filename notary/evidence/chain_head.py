"""The head that the contract itself held after a block: its two storage slots under the state root."""

from dataclasses import dataclass

from notary.errors import ChainError
from notary.evidence import rlp
from notary.evidence.chain import account_of
from notary.evidence.chain_file import ChainEvidence
from notary.evidence.chain_header import Header
from notary.evidence.keccak import keccak256
from notary.evidence.mpt import verify_proof

_LOGS = bytes(32)  # `logs` is the first variable of the contract, so its slot is 0
_KEY_BITS, _SIZE_BITS = 160, 64


@dataclass(frozen=True, slots=True)
class StoredHead:
    """What the contract held of a log: entries (0 where nothing was anchored), root, address of the head key."""

    size: int
    root: bytes
    key: bytes


def head_slots(log_id: bytes) -> tuple[bytes, bytes]:
    """The two slots (32 bytes each) of a log: key, size and turn packed into one; the root in the next.

    They are those of the value at `log_id` in a mapping, as the layout of Solidity's storage has it.
    """
    first = keccak256(log_id + _LOGS)
    return first, ((int.from_bytes(first) + 1) % 2**256).to_bytes(32)


def stored_head(e: ChainEvidence, header: Header) -> StoredHead:
    """The head of the log in the state after the block, which is the last one that was anchored in it.

    It means what it says where the code of the contract is known (`check_code`).

    Raises:
        ChainError: a proof was not captured or does not hold, or a slot is malformed.
    """
    storage_root = account_of(header, e.contract, e.account_proof)[2]
    if not isinstance(storage_root, bytes):
        raise ChainError("the account of the contract is malformed")
    words = []
    for slot, proof in zip(head_slots(e.log_id), e.head_slots or (None, None), strict=True):
        if proof is None:
            raise ChainError("no storage proof of the head was captured")
        value = verify_proof(storage_root, keccak256(slot), proof)
        words.append(rlp.decode_int(rlp.decode(value or b"\x80"), 2**256 - 1))
    packed, root = words
    key = packed % 2**_KEY_BITS
    size = packed >> _KEY_BITS & 2**_SIZE_BITS - 1
    return StoredHead(size, root.to_bytes(32), key.to_bytes(20))
