"""Statements of documents known by their digest alone, by template: the bytes of `Statement.encode`, sooner.

What is in them is hexadecimal, a number, or was matched against a pattern without quotes and backslashes, so
nothing ever needs an escape, and the order of keys (RFC 8785) is that of the text here.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from notary.errors import FormatError
from notary.evidence.bodies import MAX_DOCUMENT, MEDIA_TYPE
from notary.evidence.commitments import Commitments
from notary.evidence.fields import show_moment
from notary.evidence.statement import VERSION, Block, parse_statement
from notary.merkle.hashing import EMPTY_ROOT

Bytes = NDArray[np.uint8]

HEX = 64  # characters of a digest or a salt
NUMBER = 16  # characters of a record number
_EMPTY: Final = Commitments(0, EMPTY_ROOT)
_MEDIA_TYPE = re.compile(MEDIA_TYPE)
_SAMPLE = "2222222222222222"  # a number whose check fits: of time 0 and random bits 0


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows of one length, and where in them stands what differs from row to row.

    Attributes:
        row: all bytes, with anything where something else is to be laid.
        digest, salt: offset of 64 hexadecimal characters.
        size, size_width: offset and number of the decimal digits of the size; no digits where it is null.
        number: offset of 16 characters.
    """

    row: Bytes
    digest: int
    size: int
    size_width: int
    number: int
    salt: int

    def lay(self, rows: Bytes, digests: Bytes, sizes: Bytes, numbers: Bytes, salts: Bytes) -> None:
        """Write n statements into `rows`, shape (n, length of `row`).

        Args:
            rows: written to; may be a part of wider rows.
            digests: (n, 64) lower-case hexadecimal.
            sizes: (n, `size_width`) decimal digits, the first not 0.
            numbers: (n, 16) ASCII characters.
            salts: (n, 64) lower-case hexadecimal.
        """
        rows[:] = self.row
        rows[:, self.digest : self.digest + HEX] = digests
        if self.size_width:
            rows[:, self.size : self.size + self.size_width] = sizes
        rows[:, self.number : self.number + NUMBER] = numbers
        rows[:, self.salt : self.salt + HEX] = salts


class Template:
    """The statements of one log that say the same second and the same not-before block."""

    def __init__(self, origin: str, now: datetime, block: Block | None) -> None:
        """Keep what they have in common.

        Raises:
            FormatError: a verifier would refuse them.
        """
        not_before = "null"
        if block is not None:
            not_before = (
                f'{{"chain_id":{block.chain_id},"hash":"{block.hash.hex()}"'
                f',"number":{block.number},"time":{block.time}}}'
            )
        self._log = f'}},"log":"{origin}","not_before":{not_before},"number":"'
        self._tail = f'","time":"{show_moment(now)}","type":"document","version":{VERSION}}}'
        # Digits and a media type aside, which are checked one by one, all are then as good as this one.
        parse_statement(self.document(bytes(32), _SAMPLE, bytes(32)))

    def document(
        self,
        digest: bytes,
        number: str,
        salt: bytes,
        size: int | None = None,
        media_type: str | None = None,
        commitments: Commitments = _EMPTY,
        previous: bytes | None = None,
    ) -> bytes:
        """One statement; the document was not seen, and nothing is claimed of it but its SHA-256.

        Args:
            digest: SHA-256, 32 bytes.
            number: as `number_of` gives it.
            salt: 32 bytes.
            size: bytes, at most 2^50.
            media_type: `type/subtype` in lower case.
            commitments: count and root.
            previous: entry of the statement that this one follows.

        Raises:
            FormatError: a length, the size or the media type is not of its form.
        """
        if not len(digest) == len(salt) == HEX // 2 or len(number) != NUMBER:
            raise FormatError("digest and salt are 32 bytes, a record number is 16 characters")
        after = "null" if previous is None else f'"{previous.hex()}"'
        kind = "null" if media_type is None else _quoted(media_type)
        return (
            f'{{"commitments":{{"count":{commitments.count},"root":"{commitments.root.hex()}"}}'
            f',"document":{{"claimed":{{}},"digests":{{"sha-256":"{digest.hex()}"}},"media_type":'
            f'{kind},"seen":false,"size":{"null" if size is None else _size(size)}'
            f'{self._log}{number}","previous":{after},"salt":"{salt.hex()}{self._tail}'
        ).encode("ascii")

    def layout(self, size_width: int = 0) -> Layout:
        """How statements without commitments, media type and predecessor lie in rows of one length.

        Args:
            size_width: decimal digits of the size, at most 15: then it is below 2^50; 0 for null.
        """
        size = 10 ** (size_width - 1) if size_width else None
        return self._laid(self.document(bytes(32), _SAMPLE, bytes(32), size), size_width, 1)

    def quoted_layout(self, size_width: int = 0) -> Layout:
        """The same with each quote escaped, as a statement stands inside a JSON string."""
        size = 10 ** (size_width - 1) if size_width else None
        plain = self.document(bytes(32), _SAMPLE, bytes(32), size)
        return self._laid(plain.replace(b'"', b'\\"'), size_width, 2)

    def _laid(self, row: bytes, size_width: int, quote: int) -> Layout:
        """Find the places in `row`, whose quotes are `quote` bytes long."""
        tail = len(self._tail) + (quote - 1) * self._tail.count('"')
        salt = len(row) - tail - HEX
        return Layout(
            np.frombuffer(row, np.uint8),
            digest=row.index(b"0" * HEX),  # the first: the root of no commitments has no such run
            size=row.index(b"size") + 4 + quote + 1,
            size_width=size_width,
            number=row.rindex(_SAMPLE.encode(), 0, salt),
            salt=salt,
        )


@lru_cache(maxsize=8)
def template_of(origin: str, second: datetime, block: Block | None) -> Template:
    """The same `Template` for the same arguments: making one costs as much as a dozen statements."""
    return Template(origin, second, block)


def template_at(origin: str, now: datetime, block: Block | None) -> Template:
    """The template for statements made now; parts of a second are dropped, as a statement has none."""
    return template_of(origin, now.astimezone(UTC).replace(microsecond=0), block)


def _size(size: int) -> str:
    if type(size) is not int or not 0 <= size <= MAX_DOCUMENT:
        raise FormatError(f"size is not a whole number from 0 to {MAX_DOCUMENT}")
    return str(size)


@lru_cache(maxsize=256)
def _quoted(media_type: str) -> str:
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise FormatError("media_type is not of the form it must have")
    return f'"{media_type}"'
