"""The two bodies of a bulk request, parsed strictly: all of it is of its form, or the first bad line is named.

`application/json`: one array of 1 to 10,000 strings, each of 64 lower-case hexadecimal digits (SHA-256) and spelt
without escapes. White space between the tokens is that of JSON.

`application/x-ndjson`: 1 to 10,000 lines, each one JSON object (`bulkline`), each ended by a newline, which may be
missing from the last. White space inside a line is that of JSON; a line of nothing but white space is refused.

The same digest may occur many times. Lines of equal form and length, without anything but a digest and perhaps a
size, are read together as one matrix; what does not fit that is left to the reader of single lines, which alone
says what is wrong.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from notary.errors import EmptyDocument, RequestError, TooLarge
from notary.intake.bulkline import parse_line
from notary.intake.plain import HEX, Bytes, Plain, first_empty, plain_lines, unhex
from notary.intake.submission import Submission
from notary.intake.values import has_few

MAX_LINES = 10_000
MAX_LINES_VALUES = (
    500_000  # of all lines together: a second or two of the one turn that all bulk requests share
)
MAX_ARRAY = 1 << 20  # bytes: an array of 10,000 has 670,001, and some white space
_SPACE = rb"[ \t\n\r]*+"
_ELEMENT = re.compile(_SPACE + rb'"([0-9a-f]{64})"' + _SPACE + rb"([],])")
_SEPARATOR = re.compile(rb'"[ \t\n\r]*,[ \t\n\r]*"')
_END = re.compile(_SPACE + rb"\Z")


@dataclass(frozen=True, slots=True)
class Bulk:
    """A bulk request: each position from 0 to `count` - 1 is in one of `plain`, or a key of `others`."""

    count: int
    plain: tuple[Plain, ...]
    others: dict[int, Submission]


def parse_array(body: bytes) -> Bulk:
    """Parse a JSON array of digests; at most 1 MiB.

    Raises:
        TooLarge: more bytes, or more than 10,000 elements.
        EmptyDocument: an element is the digest of no bytes.
        RequestError: not such an array. The first bad element is named, counted from 1.
    """
    if len(body) > MAX_ARRAY:
        raise TooLarge(f"a bulk request of {len(body)} bytes is larger than {MAX_ARRAY}")
    text = _regular(body)
    digests = None if text is None else unhex(text)
    if text is None or digests is None:  # read element by element, which raises where one is wrong
        characters = b"".join(_elements(body))
        text = np.frombuffer(characters, np.uint8).reshape(-1, HEX)
        digests = binascii.unhexlify(characters)
    empty = first_empty(digests)
    if empty is not None:
        raise EmptyDocument(f"element {empty + 1} is the SHA-256 of no bytes; the document was not read")
    return Bulk(len(text), (Plain(np.arange(len(text)), text, digests, text[:, :0]),), {})


def parse_lines(body: bytes, tenant_id: int, limit: int) -> Bulk:
    """Parse lines of JSON objects; at most `limit` bytes together.

    Args:
        body: UTF-8.
        tenant_id: whose they are; stands in no line.
        limit: bytes of the whole body.

    Raises:
        TooLarge: more bytes, more than 10,000 lines or 500,000 values, or a line of more than 128 KiB.
        EmptyDocument: a line has the digest of no bytes.
        RequestError: not such lines. The first bad line is named, counted from 1.
    """
    if len(body) > limit:
        raise TooLarge(f"a bulk request of {len(body)} bytes is larger than {limit}")
    if not body:
        raise RequestError("a bulk request has at least one line")
    if not body.endswith(b"\n"):
        body += b"\n"
    count = body.count(b"\n")
    if count > MAX_LINES:
        raise TooLarge(f"a bulk request has at most {MAX_LINES} lines, not {count}")
    if not has_few(body, MAX_LINES_VALUES):
        raise TooLarge(f"the lines have more than {MAX_LINES_VALUES:,} values together; send fewer at a time")
    data = np.frombuffer(body, np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    starts = np.concatenate(([0], ends[:-1] + 1))
    plain = tuple(plain_lines(data, starts, ends - starts))
    single = np.ones(count, np.bool_)
    for group in plain:
        single[group.at] = False
    others = {
        int(at): parse_line(body[starts[at] : ends[at]], tenant_id, int(at) + 1)
        for at in np.flatnonzero(single)
    }
    return Bulk(count, plain, others)


def _regular(body: bytes) -> Bytes | None:
    """The characters of an array whose separators are all alike, (n, 64); None if it is not so regular."""
    body = body.rstrip(b" \t\n\r")
    if not body.startswith(b'["') or not body.endswith(b'"]'):
        return None
    separator = _SEPARATOR.match(body, 2 + HEX)
    between = separator.group() if separator else b'","'
    width = HEX + len(between)
    count, rest = divmod(len(body) - 4 + len(between), width)
    if rest or not 0 < count <= MAX_LINES:
        return None
    rows = np.frombuffer(body, np.uint8, width * (count - 1), 2).reshape(count - 1, width)  # all but the last
    if (rows[:, HEX:] != np.frombuffer(between, np.uint8)).any():
        return None
    text = np.empty((count, HEX), np.uint8)
    text[:-1] = rows[:, :HEX]
    text[-1] = np.frombuffer(body, np.uint8, HEX, len(body) - 2 - HEX)
    return text


def _elements(body: bytes) -> Iterator[bytes]:
    """The strings of an array, one by one; the reader that says what is wrong."""
    start = re.match(_SPACE + rb"\[", body)
    if start is None:
        raise RequestError("a bulk request as application/json is an array of SHA-256 digests")
    at, number, after = start.end(), 0, b","
    while after == b",":
        number += 1
        if number > MAX_LINES:
            raise TooLarge(f"a bulk request has at most {MAX_LINES} elements")
        element = _ELEMENT.match(body, at)
        if element is None:
            raise RequestError(
                f"element {number} is not a string of 64 lower-case hexadecimal digits, "
                "followed by a comma or the end of the array"
            )
        digest, after = element.groups()
        at = element.end()
        yield digest
    if not _END.match(body, at):
        raise RequestError(f"something follows the array of {number}")
