"""Receipts of a commit group from the rows of its Merkle tree: the bytes of `sign_receipts`, sooner.

`levels` gives the rows. From the row of leaves up, the path of leaf i is row[k][i >> k ^ 1], where there is such a
node: the last of a row of odd length has no sibling, and stands unchanged in the row above.
"""

import base64
import binascii
from collections.abc import Sequence

from notary.errors import FormatError
from notary.evidence.proof_file import RECEIPT, ProofFile

_HASH = 32


def receipts_from(rows: Sequence[Sequence[bytes]], note: bytes) -> list[bytes]:
    """One receipt for each leaf.

    Args:
        rows: of the tree, leaf hashes first, [root] last.
        note: the signed promise, about that root and count.
    """
    # From the root down: what follows a node in the receipts below it is put together once.
    ends = [b"\n" + note]
    for row in reversed(rows[:-1]):
        lines = [binascii.b2a_base64(node) for node in row]
        below: list[bytes] = []
        for left, right, end in zip(lines[::2], lines[1::2], ends, strict=False):
            below += (right + end, left + end)
        ends = below if len(row) % 2 == 0 else [*below, ends[-1]]
    head = f"{RECEIPT}\nindex ".encode()
    return [b"%b%d\n%b" % (head, index, end) for index, end in enumerate(ends)]


def encode_tree(rows: Sequence[Sequence[bytes]]) -> list[bytes]:
    """The rows of a tree for an answer: each the base64 of its hashes joined, lowest first."""
    return [base64.b64encode(b"".join(row)) for row in rows]


def receipt_of(index: int, tree: Sequence[str], note: str) -> bytes:
    """The receipt of one line of a bulk answer; verifies nothing.

    Args:
        index: `index` of the line.
        tree: `tree` of the answer.
        note: `receipt` of the answer.

    Raises:
        FormatError: the rows are not those of a tree with such a leaf.
    """
    count, path = 0, []
    for level, text in enumerate(tree):
        row = _row(text)
        if level == 0:
            count = len(row) // _HASH
            if type(index) is not int or not 0 <= index < count:
                raise FormatError("the tree of the answer has no such leaf")
        if len(row) != ((count - 1 >> level) + 1) * _HASH:
            raise FormatError("a row of the answer's tree is not half as long as the one below it")
        at = (index >> level ^ 1) * _HASH
        if at < len(row):
            path.append(row[at : at + _HASH])
    if not count or len(tree) != (count - 1).bit_length() + 1:
        raise FormatError("the tree of the answer does not end in one root")
    # Whoever puts into the note what no text has finds out when its signature is verified.
    return ProofFile(index, tuple(path), note.encode(errors="replace")).encode(RECEIPT)


def decode_tree(tree: Sequence[str]) -> list[list[bytes]]:
    """The rows that `encode_tree` was given.

    Raises:
        FormatError: not base64 of hashes.
    """
    rows = [_row(text) for text in tree]
    if any(len(row) % _HASH for row in rows):
        raise FormatError("a row of the answer's tree does not consist of hashes")
    return [[row[at : at + _HASH] for at in range(0, len(row), _HASH)] for row in rows]


def _row(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError) as error:
        raise FormatError("a row of the answer's tree is not base64") from error
