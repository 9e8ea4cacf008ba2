"""Digests of documents: which algorithms there are, and how several are taken in one pass."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from cryptography.hazmat.primitives import hashes

from notary.errors import BadDigest, UnknownAlgorithm


class _Sm3:
    """SM3 (GB/T 32905-2016) with hashlib's interface; hashlib has it only where its OpenSSL does."""

    def __init__(self) -> None:
        self._context = hashes.Hash(hashes.SM3())

    def update(self, data: bytes) -> None:
        self._context.update(data)

    def digest(self) -> bytes:
        return self._context.finalize()


# name -> (length in bytes, constructor). Order is the order in which they are shown.
ALGORITHMS: dict[str, tuple[int, Callable[[], Any]]] = {
    "sha-256": (32, hashlib.sha256),
    "sm3": (32, _Sm3),
    "sha-384": (48, hashlib.sha384),
    "sha-512": (64, hashlib.sha512),
    "sha3-256": (32, hashlib.sha3_256),
    "sha3-512": (64, hashlib.sha3_512),
}


class Digester:
    """Several digests over one stream, and its length."""

    def __init__(self, algorithms: Iterable[str]) -> None:
        """Start the digests named.

        Raises:
            UnknownAlgorithm: a name is not in `ALGORITHMS`.
        """
        self.size = 0
        self._contexts = {name: _algorithm(name)[1]() for name in algorithms}

    def update(self, chunk: bytes) -> None:
        """Take in the next bytes."""
        self.size += len(chunk)
        for context in self._contexts.values():
            context.update(chunk)

    def hex(self) -> dict[str, str]:
        """The digests in lower-case hexadecimal; call it once, at the end."""
        return {name: context.digest().hex() for name, context in self._contexts.items()}


def parse_digest(name: str, text: str) -> bytes:
    """Decode a digest in hexadecimal, either case.

    Raises:
        UnknownAlgorithm: `name` is not one of `ALGORITHMS`.
        BadDigest: not hexadecimal, or not of the algorithm's length.
    """
    length, _ = _algorithm(name)
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(text) != 2 * length or len(digest) != length:  # fromhex lets spaces pass: then it is too short
        raise BadDigest(f"a {name} digest is {2 * length} hexadecimal characters; check what you copied")
    return digest


def _algorithm(name: str) -> tuple[int, Callable[[], Any]]:
    known = ALGORITHMS.get(name)
    if known is None:
        raise UnknownAlgorithm(
            f"{name[:40]!r} is not a digest algorithm we know: use {', '.join(ALGORITHMS)}"
        )
    return known
