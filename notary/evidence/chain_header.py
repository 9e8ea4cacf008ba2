"""Headers of blocks, and how their hashes are made on each kind of chain."""

from dataclasses import dataclass

from notary.errors import ChainError
from notary.evidence import rlp
from notary.evidence.canonical import MAX_INTEGER
from notary.evidence.keccak import keccak256

PROFILES = ("ethereum",)
MAX_HEADER = 8192  # bytes
MAX_TIME = 253_402_300_799  # the last second of the year 9999
_FIELDS = range(15, 25)  # 15 since Frontier, 21 with Prague, room for the next forks
MAX_VALUES = 64
# Lengths of the fields of fixed length by position (yellow paper §4.4.3): parent, ommers, beneficiary, state,
# transactions, receipts, bloom, mix hash, nonce.
_LENGTHS = {0: 32, 1: 32, 2: 20, 3: 32, 4: 32, 5: 32, 6: 256, 13: 32, 14: 8}


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says. `time` is in seconds since 1970; hash and roots are 32 bytes."""

    number: int
    hash: bytes
    time: int
    state_root: bytes
    receipts_root: bytes
    transactions_root: bytes


def decode_header(raw: bytes, profile: str) -> Header:
    """Decode the RLP of a header and hash it as the chain does.

    Args:
        raw: at most 8192 bytes.
        profile: how the chain hashes headers; "ethereum" is Keccak-256 of the whole.

    Raises:
        ChainError: a profile that we do not know, or bytes that are no header.
    """
    if profile not in PROFILES:
        raise ChainError(
            f"headers of profile {profile!r} cannot be hashed here; known: {', '.join(PROFILES)}"
        )
    if len(raw) > MAX_HEADER:
        raise ChainError(f"a header of {len(raw)} bytes is longer than {MAX_HEADER}")
    items = rlp.decode_list(raw, MAX_VALUES)
    if len(items) not in _FIELDS:
        raise ChainError(f"a header does not have {len(items)} fields")
    fields = [item for item in items if isinstance(item, bytes)]
    if len(fields) != len(items) or any(len(fields[at]) != length for at, length in _LENGTHS.items()):
        raise ChainError("a field of the header is not of its length")
    return Header(
        number=rlp.decode_int(fields[8], MAX_INTEGER),
        hash=keccak256(raw),
        time=rlp.decode_int(fields[11], MAX_TIME),
        state_root=fields[3],
        receipts_root=fields[5],
        transactions_root=fields[4],
    )
