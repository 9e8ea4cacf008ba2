r"""The answer to a bulk request: one signed promise, a line for each document, and the tree that leads to it.

    {"group": 7, "receipt": "notary receipt v1\n…", "count": 2, "close_by": "2026-03-01T13:00:00Z",
     "lines": [{"number": "MLNL-…", "statement": "{…}", "index":     0}, …], "tree": ["…", …]}

`index` is the place in the commit group; `tree` holds the rows of its Merkle tree as `encode_tree` gives them, so that
`receipt_of` makes the receipt of any line. JSON without escapes but those of quotes and newlines.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from notary.evidence.number import show_number
from notary.intake.numbers import shown
from notary.intake.plain import Places, Plain
from notary.intake.receipts import encode_tree
from notary.intake.space import room
from notary.intake.template import Bytes, Layout, Template
from notary.store.places import MAX_GROUP

_BEFORE = b'{"number":"'
_NUMBER = 19
_BETWEEN = b'","statement":"'
_BEHIND = b'","index":'
_DIGITS = 5  # an index has at most so many, and is set off by spaces: all lines of one form are equally long
_END = b"},"
_INDEXES = np.frombuffer(b"".join(b"%*d" % (_DIGITS, at) for at in range(MAX_GROUP)), np.uint8).reshape(
    -1, _DIGITS
)
_PIECE = 512  # lines at a time: they stay in the processor's cache until they stand in the answer


@dataclass(frozen=True, slots=True)
class DocumentLines:
    """The lines of the documents of one form, each with a comma behind it, which are laid where they are wanted.

    Attributes:
        layout: `Template.quoted_layout` of them.
        plain: the documents, as `document_rows` was given them.
        numbers: likewise.
        salts: likewise.
        first_index: place in the commit group of position 0 of the request.
    """

    layout: Layout
    plain: Plain
    numbers: Bytes
    salts: Bytes
    first_index: int

    @property
    def length(self) -> int:
        """Of each line."""
        return (
            len(_BEFORE) + _NUMBER + len(_BETWEEN) + len(self.layout.row) + len(_BEHIND) + _DIGITS + len(_END)
        )

    def lay(self, out: Bytes, starts: Places) -> None:
        """Write them into `out`, each from its place in `starts` on, which are in the order of `plain.at`."""
        there = sliding_window_view(out, self.length, writeable=True)
        plain, layout, at = self.plain, self.layout, self.plain.at
        numbers = shown(self.numbers[at])
        statement = len(_BEFORE) + _NUMBER + len(_BETWEEN)
        index = statement + len(layout.row) + len(_BEHIND)
        parts = (_BEFORE, bytes(_NUMBER), _BETWEEN, bytes(len(layout.row)), _BEHIND, bytes(_DIGITS), _END)
        lines = np.empty((min(len(at), _PIECE), self.length), np.uint8)
        lines[:] = np.frombuffer(b"".join(parts), np.uint8)
        for start in range(0, len(at), _PIECE):
            part = slice(start, start + _PIECE)
            here = at[part]
            piece = lines[: len(here)]
            piece[:, len(_BEFORE) : len(_BEFORE) + _NUMBER] = numbers[part]
            laid = piece[:, statement : statement + len(layout.row)]
            layout.lay(laid, plain.hex[part], plain.sizes[part], self.numbers[here], self.salts[here])
            piece[:, index : index + _DIGITS] = _INDEXES[here + self.first_index]
            there[starts[part]] = piece


def document_lines(
    template: Template, plain: Plain, numbers: Bytes, salts: Bytes, first_index: int
) -> DocumentLines:
    """The lines of the documents of one form.

    Args:
        template: as `document_rows` was given.
        plain: likewise.
        numbers: likewise.
        salts: likewise.
        first_index: place in the commit group of position 0 of the request.
    """
    return DocumentLines(template.quoted_layout(plain.sizes.shape[1]), plain, numbers, salts, first_index)


def line(number: str, statement: bytes, index: int) -> bytes:
    """One line of any record, with a comma behind it; `number` has 16 characters."""
    text = json.dumps(statement.decode(), ensure_ascii=False)
    return f'{{"number":"{show_number(number)}","statement":{text},"index":{index:{_DIGITS}}}},'.encode()


def bulk_answer(
    group: int,
    note: bytes,
    close_by: str,
    documents: Sequence[DocumentLines],
    others: Mapping[int, bytes],
    rows: Sequence[Sequence[bytes]],
) -> memoryview:
    """The whole answer.

    Args:
        group: id of the commit group.
        note: its signed promise.
        close_by: the moment promised, as it stands in the note.
        documents: the lines of documents of one form each.
        others: all other lines, of `line`, by position; together they leave no position out.
        rows: of the Merkle tree of the commit group, leaf hashes first.
    """
    count = sum(len(each.plain.at) for each in documents) + len(others)
    head = {"group": group, "receipt": note.decode(), "count": count, "close_by": close_by}
    before = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()[:-1] + b',"lines":['
    tree = encode_tree(rows)
    lengths = np.empty(count, np.intp)
    for each in documents:
        lengths[each.plain.at] = each.length
    for at, one in others.items():
        lengths[at] = len(one)
    ends = lengths.cumsum() + len(before)
    starts, end = ends - lengths, int(ends[-1]) - 1  # the last line has no comma
    after = [b'],"tree":["', tree[0], *(part for row in tree[1:] for part in (b'","', row)), b'"]}']
    # Megabytes, each written once.
    out = room(end + sum(map(len, after)))
    put = out.data
    put[: len(before)] = before
    for each in documents:
        each.lay(out, starts[each.plain.at])
    for at, one in others.items():
        put[starts[at] : ends[at]] = one
    for part in after:
        put[end : end + len(part)] = part
        end += len(part)
    return put
