"""Receipts: our signed promise, one signature for a commit group of any size (docs/formats.md §6)."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.errors import FormatError, SignatureError
from notary.evidence.checkpoint import parse_decimal, parse_hash
from notary.evidence.fields import moment, show_moment
from notary.evidence.note import Verifier, open_note, sign_note
from notary.evidence.proof_file import RECEIPT, ProofFile, parse_proof_file
from notary.merkle.hashing import hash_leaf, hash_leaves
from notary.merkle.proof import all_inclusion_paths, check_inclusion, inclusion_path
from notary.merkle.tree import levels, root_of

_HEADER = "notary receipt v1"


@dataclass(frozen=True, slots=True)
class Promise:
    """What the receipt key signs. Only `close_by` is a promise; the two targets are objectives."""

    origin: str
    count: int  # entries of the commit group
    root: bytes  # RFC 9162 root over them
    size: int  # newest checkpoint when this was signed
    size_root: bytes
    close_by: datetime  # the entries are in a checkpoint by then
    stamp_target: datetime
    final_target: datetime

    def text(self) -> str:
        """The text of the note."""
        return (
            f"{_HEADER}\n{self.origin}\ncount {self.count}\nroot {_b64(self.root)}\n"
            f"checkpoint {self.size} {_b64(self.size_root)}\n"
            f"close_by {show_moment(self.close_by)}\n"
            f"stamp_target {show_moment(self.stamp_target)}\n"
            f"final_target {show_moment(self.final_target)}\n"
        )


def receipt_key_name(origin: str) -> str:
    """The name of the receipt key of a log."""
    return f"{origin}/receipt"


def group_root(entries: Sequence[bytes]) -> bytes:
    """RFC 9162 root over the entries of one commit group, in their order."""
    return root_of(hash_leaves(entries))


def sign_promise(promise: Promise, key: Ed25519PrivateKey) -> bytes:
    """The signed note of a commit group: with the entries, all that its receipts are made of."""
    return sign_note(promise.text(), receipt_key_name(promise.origin), key).encode()


def sign_receipts(promise: Promise, entries: Sequence[bytes], key: Ed25519PrivateKey) -> list[bytes]:
    """One receipt for each entry of the group, all with the same signed note.

    Raises:
        FormatError: count or root of the promise are not those of `entries`.
    """
    require_promised(promise, entries)
    return receipts_of(sign_promise(promise, key), entries)


def require_promised(promise: Promise, entries: Sequence[bytes]) -> None:
    """Check that the promise of a commit group is about these entries.

    Raises:
        FormatError: count or root are not theirs.
    """
    if (promise.count, promise.root) != (len(entries), group_root(entries)):
        raise FormatError("the promise is not about these entries")


def receipts_of(note: bytes, entries: Sequence[bytes]) -> list[bytes]:
    """The receipts of a commit group, in the order of its entries."""
    paths = all_inclusion_paths(hash_leaves(entries))
    return [ProofFile(index, tuple(path), note).encode(RECEIPT) for index, path in enumerate(paths)]


def receipt_at(note: bytes, entries: Sequence[bytes], index: int) -> bytes:
    """The receipt of one entry of a commit group, byte for byte as in `receipts_of`."""
    return receipts_at(note, entries, [index])[0]


def receipts_at(note: bytes, entries: Sequence[bytes], indexes: Sequence[int]) -> list[bytes]:
    """The receipts of some entries of a commit group, whose tree is made once."""
    rows = levels(hash_leaves(entries))
    paths = [
        inclusion_path(index, len(entries), lambda level, place: rows[level][place]) for index in indexes
    ]
    return [
        ProofFile(index, tuple(path), note).encode(RECEIPT)
        for index, path in zip(indexes, paths, strict=True)
    ]


def open_receipt(data: bytes, origin: str, keys: Sequence[Verifier]) -> tuple[Promise, ProofFile]:
    """Verify the signature of a receipt.

    Raises:
        FormatError: not a receipt.
        SignatureError: not signed by one of `keys`, or a promise of another log.
    """
    file = parse_proof_file(data, RECEIPT)
    note, _ = open_note(file.note, keys)
    promise = parse_promise(note.text)
    if promise.origin != origin:
        raise SignatureError(f"the receipt is of log {promise.origin!r}, not of {origin!r}")
    return promise, file


def check_receipt(promise: Promise, file: ProofFile, entry: bytes) -> None:
    """Check that the receipt covers this entry.

    Raises:
        ProofError: the path does not lead from the entry to the group's root.
    """
    check_inclusion(hash_leaf(entry), file.index, promise.count, file.path, promise.root)


def parse_promise(text: str) -> Promise:
    """Parse the text of a receipt's note.

    Raises:
        FormatError: not the eight lines of the format, or it names no log.
    """
    lines = text.split("\n")
    if len(lines) != 9 or lines[8] or lines[0] != _HEADER or not lines[1]:  # noqa: PLR2004 - eight lines, each ended
        raise FormatError("the note of a receipt is eight lines under 'notary receipt v1'")
    size, _, root = _field(lines[4], "checkpoint").partition(" ")
    return Promise(
        lines[1],
        parse_decimal(_field(lines[2], "count")),
        parse_hash(_field(lines[3], "root")),
        parse_decimal(size),
        parse_hash(root),
        moment(_field(lines[5], "close_by"), "close_by"),
        moment(_field(lines[6], "stamp_target"), "stamp_target"),
        moment(_field(lines[7], "final_target"), "final_target"),
    )


def _field(line: str, name: str) -> str:
    if not line.startswith(name + " "):
        raise FormatError(f"a receipt has no line {name!r} where it must be")
    return line[len(name) + 1 :]


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
