"""Headers of Bitcoin blocks: 80 bytes that state a Merkle root and a time, and show the work that was done on them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from notary.errors import FormatError

HEADER = 80
CONFIRMATIONS = 6  # blocks, the first included, after which the service counts a block as settled
# By consensus a block's time is later than the median of the eleven before it and at most two hours ahead of the
# clocks of others: its maker may have set it early by about as much.
MARGIN = timedelta(hours=2)
_NEGATIVE = 0x800000


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """A block by its header.

    Attributes:
        raw: 80 bytes.
        hash: SHA-256 twice, in the order in which explorers show it; 32 bytes.
        merkle_root: of its transactions, in the order of the header; 32 bytes.
        time: as its maker set it.
    """

    raw: bytes
    hash: bytes
    merkle_root: bytes
    time: datetime

    @property
    def not_after(self) -> datetime:
        """By when what it commits to existed: its time and the margin of two hours."""
        return self.time + MARGIN


def decode_block_header(raw: bytes) -> BlockHeader:
    """Read a header: version, previous, Merkle root, time, bits, nonce; numbers are little-endian.

    The work is compared with the header's own `bits`, which finds every slip of the pen. Which difficulty Bitcoin had
    at its height is not known here: that it is a block of Bitcoin is what whoever names it vouches for.

    Raises:
        FormatError: another length, or its hash is above the target that it states.
    """
    if len(raw) != HEADER:
        raise FormatError(f"a Bitcoin block header has {HEADER} bytes")
    digest = sha256(sha256(raw).digest()).digest()
    bits = int.from_bytes(raw[72:76], "little")
    exponent, mantissa = bits >> 24, bits & 0x7FFFFF
    target = (mantissa << 8 * exponent) >> 24
    if bits & _NEGATIVE or target >= 1 << 256 or int.from_bytes(digest, "little") > target:
        raise FormatError(
            "the Bitcoin block header does not show the work that it states: it is miscopied or made up"
        )
    time = datetime.fromtimestamp(int.from_bytes(raw[68:72], "little"), UTC)
    return BlockHeader(raw, digest[::-1], raw[36:68], time)


def shown(hash_: bytes) -> str:
    """A Merkle root as explorers show it: hexadecimal, the last byte first."""
    return hash_[::-1].hex()
