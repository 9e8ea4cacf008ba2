"""ASN.1 in BER, with a mark on what is DER (X.690). The whole value is walked when it is parsed.

The libraries that say what a token means read lazily and forgive much; what they would pass over is refused here
(docs/formats.md §9).
"""

from collections.abc import Iterator
from typing import NamedTuple, NoReturn

from notary.errors import FormatError

BOOLEAN, INTEGER, BITS, OCTETS, NULL, OID, ENUMERATED, UTF8 = 1, 2, 3, 4, 5, 6, 10, 12
SEQUENCE, SET, UTC_TIME, GENERALIZED = 16, 17, 23, 24
MAX_DEPTH = 32
MAX_VALUES = 4096  # in what is parsed at once: a response with five certificates has 700
_MAX_TAG_BYTES = 3
_MAX_LENGTH_BYTES = 4
_HIGH_TAG = 0x1F
_CONSTRUCTED = 0x20
_LONG_FORM = 0x80

Key = tuple[int, int]  # class (0 universal to 3 private) and tag number


class Node(NamedTuple):
    """One value: all its bytes, its contents, and the values in it where it is constructed."""

    key: Key
    raw: bytes
    content: bytes
    children: tuple["Node", ...] | None
    der: bool  # itself and all in it, as to tags, lengths and the order of SETs; of contents it says nothing


def refuse(what: str) -> NoReturn:
    """Raises FormatError."""
    raise FormatError(f"ASN.1: {what}")


def parse(data: bytes, *, der: bool = False, most: int = MAX_VALUES) -> Node:
    """The one value in `data`, to the last byte.

    Args:
        data: BER, nested at most 32 deep.
        der: whether lengths must be in their shortest form and SETs in order.
        most: values that may be in it, itself counted.

    Raises:
        FormatError: with the reason.
    """
    node, end = _value(data, 0, len(data), 0, iter(range(most)))
    if end != len(data):
        refuse("bytes behind the value")
    if der and not node.der:
        refuse("not DER: a length that is not in its shortest form, or a SET that is not in order")
    return node


def extent(data: bytes, at: int, limit: int) -> tuple[int, int, int]:
    """The value at `at`, which ends at `limit` or before and is not looked into.

    Returns:
        Its first byte, which holds class and tag; where its contents begin; where they end.

    Raises:
        FormatError: it is cut off, has a tag of several bytes, or a length that is not DER.
    """
    first = _byte(data, at, limit)
    if first & _HIGH_TAG == _HIGH_TAG:
        refuse("a tag that is too long")
    _byte(data, at + 1, limit)
    size, start, der = _length(data, at + 1, limit)
    if size is None or not der:
        refuse("not DER: a length that is not in its shortest form")
    if start + size > limit:
        refuse("a value is cut off")
    return first, start, start + size


def _value(data: bytes, start: int, limit: int, depth: int, left: Iterator[int]) -> tuple[Node, int]:
    if depth > MAX_DEPTH:
        refuse("nested too deeply")
    if next(left, None) is None:
        refuse("too many values")
    constructed = bool(_byte(data, start, limit) & _CONSTRUCTED)
    key, at = _tag(data, start, limit)
    size, at, der = _length(data, at, limit)
    stop = limit if size is None else at + size
    if stop > limit or (size is None and not constructed):
        refuse("a value is cut off")
    children, end = None, stop
    if constructed:
        children, stop, end = _children(data, at, stop, depth, left, indefinite=size is None)
        der = der and all(child.der for child in children) and not (key == (0, SET) and _unsorted(children))
    if key[0] == 0 and constructed != (key[1] in {SEQUENCE, SET}):
        if key[1] != OCTETS:
            refuse("constructed where it may not be, or the reverse")
        der = False  # a string in pieces
    return Node(key, data[start:end], data[at:stop], children, der), end


def _children(
    data: bytes, at: int, stop: int, depth: int, left: Iterator[int], *, indefinite: bool
) -> tuple[tuple[Node, ...], int, int]:
    """The values in it, where its contents end, and where it does."""
    found = list[Node]()
    while at < stop:
        if indefinite and data.startswith(b"\0\0", at):
            if at + 2 > stop:
                refuse("a value is cut off")
            return tuple(found), at, at + 2
        child, at = _value(data, at, stop, depth + 1, left)
        if child.key == (0, 0):
            refuse("an end without a beginning")
        found.append(child)
    if indefinite:
        refuse("a value is cut off")
    return tuple(found), stop, stop


def _byte(data: bytes, at: int, limit: int) -> int:
    if at >= limit:
        refuse("a value is cut off")
    return data[at]


def _tag(data: bytes, at: int, limit: int) -> tuple[Key, int]:
    first = _byte(data, at, limit)
    if first & _HIGH_TAG != _HIGH_TAG:
        return (first >> 6, first & _HIGH_TAG), at + 1
    number = 0
    for count in range(1, _MAX_TAG_BYTES + 1):
        byte = _byte(data, at + count, limit)
        number = number << 7 | byte & 0x7F
        last = byte < _LONG_FORM
        if number == 0 or (last and number < _HIGH_TAG):
            refuse("a tag that is not in its shortest form")
        if last:
            return (first >> 6, number), at + count + 1
    refuse("a tag that is too long")


def _length(data: bytes, at: int, limit: int) -> tuple[int | None, int, bool]:
    """The length, None where it is indefinite; where the contents begin; whether it is in its shortest form."""
    first = _byte(data, at, limit)
    at += 1
    if first < _LONG_FORM:
        return first, at, True
    if first == _LONG_FORM:
        return None, at, False
    count = first & 0x7F
    if count > _MAX_LENGTH_BYTES or at + count > limit:
        refuse("a value is cut off")
    size = int.from_bytes(data[at : at + count], "big")
    return size, at + count, size >= _LONG_FORM and size >= 256 ** (count - 1)


def _unsorted(children: tuple[Node, ...]) -> bool:
    encoded = [child.raw for child in children]
    return encoded != sorted(encoded)
