"""RLP, the serialisation of Ethereum (yellow paper, appendix B): one value, one byte string.

A value is bytes or a list of values. Whole numbers are bytes, big-endian without leading zeros.
"""

from collections.abc import Iterator
from typing import TypeAlias

from notary.errors import ChainError

Item: TypeAlias = "bytes | list[Item]"

MAX_DEPTH = 16  # headers, receipts and trie nodes need 5
MAX_VALUES = 65_536  # a receipt with 9,000 events; each costs a verifier a microsecond or two
_SHORT = 55  # lengths up to this stand in the first byte
_STRING, _LIST = 0x80, 0xC0


def encode(item: Item) -> bytes:
    """Encode bytes, or a list of what can be encoded."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < _STRING:
            return item
        return _prefix(len(item), _STRING) + item
    body = b"".join(map(encode, item))
    return _prefix(len(body), _LIST) + body


def decode(data: bytes, most: int = MAX_VALUES) -> Item:
    """Decode the one value that `data` is, or refuse it: `encode` of the result is `data` again.

    Raises:
        ChainError: cut short, followed by other bytes, a length or byte not in its shortest form, lists nested
            deeper than 16, or more than `most` values in all, the lists counted too.
    """
    item, end = _decode(data, 0, len(data), MAX_DEPTH, iter(range(most)))
    if end != len(data):
        raise ChainError(f"RLP: {len(data) - end} bytes follow the value")
    return item


def decode_list(data: bytes, most: int = MAX_VALUES) -> list[Item]:
    """Decode a list.

    Raises:
        ChainError: as `decode`, or the value is not a list.
    """
    item = decode(data, most)
    if isinstance(item, bytes):
        raise ChainError("RLP: not a list")
    return item


def encode_int(number: int) -> bytes:
    """The bytes of a whole number: 0 is no bytes. They are not yet RLP."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def decode_int(item: Item, limit: int) -> int:
    """The whole number that a decoded item is.

    Raises:
        ChainError: a list, leading zeros, or more than `limit`.
    """
    if isinstance(item, list) or item[:1] == b"\x00":
        raise ChainError("RLP: not a whole number in its shortest form")
    number = int.from_bytes(item, "big")
    if number > limit:
        raise ChainError(f"RLP: a number is larger than {limit}")
    return number


def _prefix(length: int, base: int) -> bytes:
    if length <= _SHORT:
        return bytes([base + length])
    size = encode_int(length)
    return bytes([base + _SHORT + len(size)]) + size


def _decode(data: bytes, at: int, end: int, depth: int, left: Iterator[int]) -> tuple[Item, int]:
    """The value that begins at `at` and must not pass `end`, and where it stops; takes one from `left`."""
    if next(left, None) is None:
        raise ChainError("RLP: more values than there can be")
    if at >= end:
        raise ChainError("RLP: cut short")
    first = data[at]
    if first < _STRING:
        return data[at : at + 1], at + 1
    base = _LIST if first >= _LIST else _STRING
    start, stop = _extent(data, at, end, base)
    if base == _STRING:
        if stop - start == 1 and data[start] < _STRING:
            raise ChainError("RLP: a single byte is not in its shortest form")
        return data[start:stop], stop
    if depth == 0:
        raise ChainError(f"RLP: lists are nested deeper than {MAX_DEPTH}")
    items: list[Item] = []
    while start < stop:
        item, start = _decode(data, start, stop, depth - 1, left)
        items.append(item)
    return items, stop


def _extent(data: bytes, at: int, end: int, base: int) -> tuple[int, int]:
    """Where the content of a string or list lies."""
    length, start = data[at] - base, at + 1
    if length > _SHORT:
        size = data[start : start + length - _SHORT]
        start += length - _SHORT
        length = int.from_bytes(size, "big")
        if size[:1] == b"\x00" or length <= _SHORT:
            raise ChainError("RLP: a length is not in its shortest form")
    if start + length > end:
        raise ChainError("RLP: cut short")
    return start, start + length
