"""Leaf and node hashes (RFC 6962 §2.1, RFC 9162 §2.1.1): SHA-256 with a prefix that keeps the two apart."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from notary.errors import FormatError

HASH_SIZE = 32
EMPTY_ROOT: bytes = sha256(b"").digest()


def hash_leaf(entry: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ entry), 32 bytes; `entry` may be of any length."""
    return sha256(b"\x00" + entry).digest()


def hash_leaves(entries: Iterable[bytes]) -> list[bytes]:
    """Return `hash_leaf` of each entry; the same for many at once, without a call for each."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def hash_node(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 ‖ left ‖ right), 32 bytes; both children are hashes of 32 bytes."""
    return sha256(b"\x01" + left + right).digest()


def require_hashes(hashes: Sequence[bytes]) -> None:
    """Refuse hashes of another length: two that are 31 and 33 bytes long would make the same node.

    Raises:
        FormatError: one of them is not 32 bytes long.
    """
    if set(map(len, hashes)) - {HASH_SIZE}:
        raise FormatError(f"every hash must be {HASH_SIZE} bytes")
