"""Checkpoints: origin, size and root of the log under its signature (C2SP tlog-checkpoint v1.0.0)."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.errors import FormatError, SignatureError
from notary.evidence.note import Note, Verifier, only_signature_of, open_note, sign_note

MAX_SIZE = 2**63 - 1
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree of `size` entries has this `root` (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Three lines; we write no extension lines, which other keys' signatures do not cover."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint, the key that signed it, and `note`: its bytes with only that signature line."""

    checkpoint: Checkpoint
    verifier: Verifier
    note: bytes


def sign_checkpoint(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> Note:
    """Sign with the log key, whose name is the origin."""
    return sign_note(checkpoint.text(), checkpoint.origin, key)


def open_checkpoint(data: bytes, origin: str, keys: Sequence[Verifier]) -> SignedCheckpoint:
    """Verify a checkpoint of the log `origin`.

    Raises:
        FormatError: not a note, or not a checkpoint without extension lines.
        SignatureError: not signed by one of `keys`, or of another origin.
    """
    note, verifier = open_note(data, keys)
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != origin:
        raise SignatureError(f"the checkpoint is of log {checkpoint.origin!r}, not of {origin!r}")
    return SignedCheckpoint(checkpoint, verifier, only_signature_of(note, verifier))


def parse_checkpoint(text: str) -> Checkpoint:
    """Parse the text of a checkpoint; verifies nothing.

    Raises:
        FormatError: not exactly three lines of origin, decimal size and base64 root.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:  # noqa: PLR2004 - three lines, each ended
        raise FormatError("a checkpoint is three lines: origin, size, root")
    return Checkpoint(lines[0], parse_decimal(lines[1]), parse_hash(lines[2]))


def parse_decimal(text: str) -> int:
    """A size or index: decimal, no sign, no leading zero, below 2**63.

    Raises:
        FormatError: anything else.
    """
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_SIZE:
        raise FormatError(f"{text[:24]!r} is not a decimal number below 2**63")
    return int(text)


def parse_hash(text: str) -> bytes:
    """32 bytes in standard base64.

    Raises:
        FormatError: anything else.
    """
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError("a hash is not base64") from error
    if len(value) != 32 or base64.b64encode(value).decode() != text:  # noqa: PLR2004 - SHA-256
        raise FormatError("a hash is not the base64 of 32 bytes")
    return value
