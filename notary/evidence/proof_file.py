"""Text files of one shape: a header line, an index, a path, an empty line, a signed note.

`.tlog-proof` is C2SP tlog-proof (C2SP/C2SP at 5ba5ee8); a receipt has the same shape under our own header.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from notary.errors import FormatError
from notary.evidence.checkpoint import parse_decimal, parse_hash
from notary.evidence.note import MAX_NOTE

TLOG_PROOF = "c2sp.org/tlog-proof@v1"
RECEIPT = "notary-receipt@v1"
MAX_PATH = 63
MAX_EXTRA = 8192  # a statement fits: a proof of ours carries it there
MAX_FILE = MAX_NOTE + 64 * 1024


@dataclass(frozen=True, slots=True)
class ProofFile:
    """Index and path of a leaf, and the note that holds root and size. `extra` is signed by nobody."""

    index: int
    path: tuple[bytes, ...]
    note: bytes
    extra: bytes | None = None

    def encode(self, header: str) -> bytes:
        """The bytes of the file."""
        lines = [header]
        if self.extra is not None:
            lines.append("extra " + base64.b64encode(self.extra).decode())
        lines.append(f"index {self.index}")
        lines += [base64.b64encode(node).decode() for node in self.path]
        return "\n".join([*lines, "", ""]).encode() + self.note


def parse_proof_file(data: bytes, header: str) -> ProofFile:
    """Parse a proof or receipt; verifies nothing, and does not look into the note.

    Raises:
        FormatError: too large, not UTF-8, another header, or a line that is not of the format.
    """
    if len(data) > MAX_FILE:
        raise FormatError(f"a proof of {len(data)} bytes is larger than {MAX_FILE}")
    head, blank, note = data.partition(b"\n\n")
    if not blank or not note:
        raise FormatError("a proof has no note after an empty line")
    try:
        lines = head.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise FormatError("a proof is not UTF-8") from error
    if lines[0] != header:
        raise FormatError(f"the file does not begin with {header!r}")
    extra, rest = _extra(lines[1:])
    if not rest or not rest[0].startswith("index "):
        raise FormatError("a proof has no index line")
    return ProofFile(parse_decimal(rest[0].removeprefix("index ")), _path(rest[1:]), note, extra)


def _extra(lines: Sequence[str]) -> tuple[bytes | None, Sequence[str]]:
    if not lines or not lines[0].startswith("extra "):
        return None, lines
    text = lines[0].removeprefix("extra ")
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError("the extra line is not base64") from error
    if len(value) > MAX_EXTRA or base64.b64encode(value).decode() != text:
        raise FormatError("the extra line is too long or not standard base64")
    return value, lines[1:]


def _path(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > MAX_PATH:
        raise FormatError(f"a path of {len(lines)} hashes is longer than {MAX_PATH}")
    return tuple(parse_hash(line) for line in lines)
