"""Rows of the table `record` in the binary form of PostgreSQL's COPY (`notary.store.rows`), as matrices.

Rows of documents known by digest alone have one length, so all of a request are one matrix.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from notary.intake.plain import Plain
from notary.intake.space import room
from notary.intake.template import HEX, NUMBER, Bytes, Template
from notary.store.rows import encode_row

_DIGEST = 32
_PIECE = 512  # rows at a time: while they are laid, hashed and copied they stay in the processor's cache
_TYPE = b"document"
_SEQ = 6  # offset of the value: count and length stand before it


@dataclass(frozen=True, slots=True)
class DocumentRows:
    """The rows of documents, complete but for `seq`.

    Attributes:
        at: (m,) positions in the request, from 0.
        entries: (m, 32), a part of `matrix`.
        matrix: (m, length of a row).
        statement: offset and length of the statement in a row.
    """

    at: NDArray[np.intp]
    entries: Bytes
    matrix: Bytes
    statement: tuple[int, int]

    def encode(self, first_seq: int) -> memoryview:
        """The rows, without COPY's header and trailer: a view that holds until the next call.

        Args:
            first_seq: of position 0.
        """
        seqs = (self.at + first_seq).astype(">i8").view(np.uint8).reshape(-1, 8)
        self.matrix[:, _SEQ : _SEQ + 8] = seqs
        return self.matrix.reshape(-1).data

    def statements(self) -> list[bytes]:
        """The statements, in the order of `at`."""
        start, length = self.statement
        return cut(self.matrix[:, start : start + length])


def document_rows(
    template: Template,
    plain: Plain,
    numbers: Bytes,
    salts: Bytes,
    tenant_id: int | None,
    visibility: str,
    visibility_chosen: bool,
    room: Callable[[int], Bytes] = room,
) -> DocumentRows:
    """Statements, entries and rows of the documents of one form in a request.

    Args:
        template: what their statements have in common.
        plain: the documents.
        numbers: (n, 16) of the whole request, by position.
        salts: (n, 64) hexadecimal, likewise.
        tenant_id: whose they are.
        visibility: of all of them.
        visibility_chosen: whether the submitter chose it.
        room: gives that many bytes for the rows.
    """
    layout = template.layout(plain.sizes.shape[1])
    length = len(layout.row)
    row = encode_row(
        0, "0" * NUMBER, tenant_id, "document", layout.row.tobytes(), bytes(_DIGEST), bytes(_DIGEST), None,
        visibility, visibility_chosen, None,
    )  # fmt: skip
    number = _SEQ + 8 + 4
    statement = number + NUMBER + 4 + (0 if tenant_id is None else 4) + 4 + len(_TYPE) + 4
    entry = statement + length + 4
    digest = entry + _DIGEST + 4
    count = len(plain.at)
    matrix = room(count * len(row)).reshape(count, len(row))
    digests = np.frombuffer(plain.digests, np.uint8).reshape(count, _DIGEST)
    for start in range(0, count, _PIECE):
        part = slice(start, start + _PIECE)
        at, rows = plain.at[part], matrix[part]
        rows[:] = np.frombuffer(row, np.uint8)
        rows[:, number : number + NUMBER] = numbers[at]
        laid = rows[:, statement : statement + length]
        layout.lay(laid, plain.hex[part], plain.sizes[part], numbers[at], salts[at])
        entries = np.frombuffer(b"".join([sha256(one).digest() for one in cut(laid)]), np.uint8)
        rows[:, entry : entry + _DIGEST] = entries.reshape(-1, _DIGEST)
        rows[:, digest : digest + _DIGEST] = digests[part]
    return DocumentRows(plain.at, matrix[:, entry : entry + _DIGEST], matrix, (statement, length))


def cut(rows: Bytes) -> list[bytes]:
    """Each row of a matrix, which may be a part of a wider one, as bytes of its own; sooner than by slicing."""
    if not rows.size:
        return []
    each: list[bytes] = rows.view(f"V{rows.shape[1]}")[:, 0].tolist()
    return each


def draw_salts(count: int, random: Callable[[int], bytes]) -> Bytes:
    """(count, 64) hexadecimal characters of `count` salts of 32 bytes, from one call of `random`."""
    return np.frombuffer(random(count * HEX // 2).hex().encode(), np.uint8).reshape(count, HEX)


def entries_of(groups: Sequence[DocumentRows], others: Mapping[int, bytes]) -> list[bytes]:
    """The entries of a request by position, 32 bytes each: what its tree is made of.

    Args:
        groups: the rows of its documents of one form each.
        others: the entries of all others, by position; together they leave no position out.
    """
    count = sum(len(group.at) for group in groups) + len(others)
    entries = np.empty((count, _DIGEST), np.uint8)
    for group in groups:
        entries[group.at] = group.entries
    for at, entry in others.items():
        entries[at] = np.frombuffer(entry, np.uint8)
    return cut(entries)
