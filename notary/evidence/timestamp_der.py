"""As much of DER (X.690 §8, §10, §11.6) as is needed to insist on it where a signature is over it."""

from typing import Any

from notary.errors import FormatError

_MAX_DEPTH = 16
_SET = 0x31
_CONSTRUCTED = 0x20
_HIGH_TAG = 0x1F
_LONG_FORM = 0x80


def load(kind: Any, data: bytes) -> Any:
    """Parse with a class of asn1crypto, which has no types; refuses trailing bytes."""
    return kind.load(data, strict=True)


def dump(value: Any) -> bytes:
    """The bytes that a value was parsed from."""
    encoded: bytes = value.dump()
    return encoded


def retag(tag: int, contents: bytes) -> bytes:
    """`contents` under a one-byte tag, with the definite length that DER asks for."""
    size = len(contents)
    if size < _LONG_FORM:
        return bytes([tag, size]) + contents
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG_FORM | len(length)]) + length + contents


def check_der(data: bytes, depth: int = 0) -> None:
    """Refuse what is not a series of DER values: long lengths, unsorted SETs, depth above 16.

    Raises:
        FormatError: with the reason.
    """
    if depth > _MAX_DEPTH:
        raise FormatError("values are nested too deeply")
    for tag, contents in _values(data):
        if tag & _CONSTRUCTED:
            check_der(contents, depth + 1)
        if tag == _SET:
            members = [retag(inner, value) for inner, value in _values(contents)]
            if members != sorted(members):
                raise FormatError("a SET is not in order")


def _values(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    rest = data
    while rest:
        if len(rest) < 2:  # noqa: PLR2004 - tag and length
            raise FormatError("a value is cut off")
        tag, first = rest[0], rest[1]
        if tag & _HIGH_TAG == _HIGH_TAG:
            raise FormatError("a tag of more than one byte")
        count = first - _LONG_FORM if first >= _LONG_FORM else 0
        size = int.from_bytes(rest[2 : 2 + count], "big") if count else first
        contents = rest[2 + count : 2 + count + size]
        # One form only: what the length says, written the shortest way, gives the same bytes again.
        if len(contents) != size or not rest.startswith(retag(tag, contents)):
            raise FormatError("a length is not in its shortest form or runs past the end")
        found.append((tag, contents))
        rest = rest[2 + count + size :]
    return found
