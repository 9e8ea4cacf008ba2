"""Headers of blocks, and how their hashes are made on each kind of chain."""

from dataclasses import dataclass

from notary.errors import ChainError
from notary.evidence import chain_bft, rlp
from notary.evidence.canonical import MAX_INTEGER
from notary.evidence.chain_file import MAX_HEADER
from notary.evidence.keccak import keccak256

# docs/formats.md §10 says of each what its headers are like, and what is final there.
PROFILES = ("ethereum", "op", *chain_bft.SEALED, "anvil")
MAX_TIME = 253_402_300_799  # the last second of the year 9999
_OLDEST = 15
_FIELDS = range(_OLDEST, 25)  # 15 since Frontier, 21 with Prague, room for the next forks
_NO_OMMERS = keccak256(b"\xc0")
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


def decode_header(raw: bytes, profile: str) -> Header:
    """Decode the RLP of a header and hash it as the chain does.

    Args:
        raw: at most 8192 bytes.
        profile: one of `PROFILES`: what the header must be like, and how it is hashed.

    Raises:
        ChainError: a profile that we do not know, bytes that are no header, or a header of another profile.
    """
    if profile not in PROFILES:
        raise ChainError(
            f"headers of profile {profile!r} cannot be hashed here; known: {', '.join(PROFILES)}"
        )
    fields = header_fields(raw)
    number = rlp.decode_int(fields[8], MAX_INTEGER)
    _require_profile(fields, profile)
    sealed = profile in chain_bft.SEALED and number > 0  # nobody seals the first block
    return Header(
        number=number,
        hash=chain_bft.block_hash(fields, profile) if sealed else keccak256(raw),
        time=rlp.decode_int(fields[11], MAX_TIME),
        state_root=fields[3],
        receipts_root=fields[5],
    )


def header_fields(raw: bytes) -> list[bytes]:
    """The fields of a header in their order.

    Raises:
        ChainError: bytes that are no header.
    """
    if len(raw) > MAX_HEADER:
        raise ChainError(f"a header of {len(raw)} bytes is longer than {MAX_HEADER}")
    items = rlp.decode_list(raw, MAX_VALUES)
    if len(items) not in _FIELDS:
        raise ChainError(f"a header does not have {len(items)} fields")
    fields = [item for item in items if isinstance(item, bytes)]
    if len(fields) != len(items) or any(len(fields[at]) != length for at, length in _LENGTHS.items()):
        raise ChainError("a field of the header is not of its length")
    return fields


def _require_profile(fields: list[bytes], profile: str) -> None:
    """Refuse a header of another kind of chain: its hash would be made in another way, or mean something else."""
    is_sealed = fields[13] == chain_bft.MIX_HASH
    if is_sealed != (profile in chain_bft.SEALED):
        marked = "has" if is_sealed else "has not"
        raise ChainError(f"not a header of profile {profile}: it {marked} the mix hash of sealed chains")
    if is_sealed and fields[7] != b"\x01":
        raise ChainError(f"not a header of profile {profile}: its difficulty is not 1")
    # A sequencer mines nothing. What the fields after the base fee hold there is another's business.
    if profile == "op" and (
        fields[7] or any(fields[14]) or fields[1] != _NO_OMMERS or len(fields) == _OLDEST
    ):
        raise ChainError("not a header of profile op: it has difficulty, nonce or ommers, or no base fee")
