r"""The answer to a bulk request: one signed promise, a line for each document, and the tree that leads to it.

    {"group": 7, "receipt": "notary receipt v1\n…", "count": 2, "close_by": "2026-03-01T13:00:00Z",
     "lines": [{"number": "MLNL-…", "statement": "{…}", "index":     0}, …], "tree": ["…", …]}

`index` is the place in the commit group; `tree` holds the rows of its Merkle tree as `encode_tree` gives them, so that
`receipt_of` makes the receipt of any line. JSON without escapes but those of quotes and newlines.
"""

import json
from collections.abc import Sequence

import numpy as np

from notary.evidence.number import show_number
from notary.intake.numbers import shown
from notary.intake.plain import Plain
from notary.intake.receipts import encode_tree
from notary.intake.rows import cut
from notary.intake.template import Bytes, Template

_BEFORE = b'{"number":"'
_NUMBER = 19
_BETWEEN = b'","statement":"'
_BEHIND = b'","index":'
_DIGITS = 5  # an index has at most so many, and is set off by spaces: all lines of one form are equally long
_END = b"},"


def document_lines(template: Template, plain: Plain, numbers: Bytes, salts: Bytes, first_index: int) -> Bytes:
    """The lines of the documents of one form, each with a comma behind it.

    Args:
        template: as `document_rows` was given.
        plain: likewise.
        numbers: likewise.
        salts: likewise.
        first_index: place in the commit group of position 0 of the request.

    Returns:
        (m, length of a line) characters, in the order of `plain.at`.
    """
    if len(plain.at) < len(numbers):
        numbers, salts = numbers[plain.at], salts[plain.at]
    layout = template.quoted_layout(plain.sizes.shape[1])
    number = len(_BEFORE)
    statement = number + _NUMBER + len(_BETWEEN)
    index = statement + len(layout.row) + len(_BEHIND)
    line = b"".join(
        (_BEFORE, bytes(_NUMBER), _BETWEEN, bytes(len(layout.row)), _BEHIND, b" " * _DIGITS, _END)
    )
    lines = np.empty((len(plain.at), len(line)), np.uint8)
    lines[:] = np.frombuffer(line, np.uint8)
    lines[:, number : number + _NUMBER] = shown(numbers)
    layout.lay(lines[:, statement : statement + len(layout.row)], plain.hex, plain.sizes, numbers, salts)
    rest = plain.at + first_index
    for place in range(_DIGITS - 1, -1, -1):
        digit = (rest % 10 + ord("0")).astype(np.uint8)
        lines[:, index + place] = digit if place == _DIGITS - 1 else np.where(rest > 0, digit, ord(" "))
        rest //= 10
    return lines


def line(number: str, statement: bytes, index: int) -> bytes:
    """One line of any record, with a comma behind it; `number` has 16 characters."""
    text = json.dumps(statement.decode(), ensure_ascii=False)
    return f'{{"number":"{show_number(number)}","statement":{text},"index":{index:{_DIGITS}}}},'.encode()


def join_lines(groups: Sequence[tuple[Plain, Bytes]], others: dict[int, bytes]) -> bytes | memoryview:
    """All lines of a request in order, without the last comma.

    Args:
        groups: lines of `document_lines` with the documents that they are about.
        others: the lines of `line` by position.
    """
    if len(groups) == 1 and not others:
        return groups[0][1].reshape(-1).data[:-1]  # megabytes, copied once: into the answer
    lines = dict(others)
    for plain, matrix in groups:
        lines.update(zip(plain.at.tolist(), cut(matrix), strict=True))
    return b"".join([lines[at] for at in range(len(lines))])[:-1]


def bulk_answer(
    group: int,
    note: bytes,
    close_by: str,
    count: int,
    lines: bytes | memoryview,
    rows: Sequence[Sequence[bytes]],
) -> bytes:
    """The whole answer.

    Args:
        group: id of the commit group.
        note: its signed promise.
        close_by: the moment promised, as it stands in the note.
        count: documents in the request.
        lines: of `join_lines`.
        rows: of the Merkle tree of the commit group, leaf hashes first.
    """
    head = {"group": group, "receipt": note.decode(), "count": count, "close_by": close_by}
    return b"".join(
        (
            json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()[:-1],
            b',"lines":[',
            lines,
            b'],"tree":["',
            b'","'.join(encode_tree(rows)),
            b'"]}',
        )
    )
