"""Keccak-256, the hash of Ethereum: the padding of the competition, not that of SHA3-256 (FIPS 202)."""

from Crypto.Hash import keccak


def keccak256(data: bytes) -> bytes:
    """Hash `data` to 32 bytes."""
    return keccak.new(digest_bits=256, data=data).digest()
