"""As much of DER (X.690 §8, §10, §11.6) as is needed to insist on it where a signature is over it."""

from typing import Any

from asn1crypto import core

from notary.evidence.asn1 import Node, parse, refuse
from notary.evidence.asn1_form import CONTENTS

_MAX_DEPTH = 16
_LONG_FORM = 0x80


def load(kind: Any, data: bytes) -> Any:
    """Parse with a class of asn1crypto, which has no types; refuses trailing bytes."""
    return kind.load(data, strict=True)


def dump(value: Any) -> bytes:
    """The bytes that a value was parsed from; of a choice what was chosen, without a tag that may be around it.

    Not by the library, which takes a length whose last byte is 80 for an indefinite one, and encodes anew what it may
    not be able to read, or has other bytes for: one certificate of 256 has such a length.
    """
    if isinstance(value, core.Choice):
        return dump(value.chosen)
    if value._header is None:  # noqa: SLF001 - of a copy, which has the contents alone
        return retag(value.class_ << 6 | value.method << 5 | value.tag, value.contents)
    encoded: bytes = value._header + value.contents + value._trailer  # noqa: SLF001 - it has no other way
    return encoded


def retag(tag: int, contents: bytes) -> bytes:
    """`contents` under a one-byte tag, with the definite length that DER asks for."""
    size = len(contents)
    if size < _LONG_FORM:
        return bytes([tag, size]) + contents
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG_FORM | len(length)]) + length + contents


def check_der(data: bytes) -> None:
    """Refuse what is not one value in DER, in all that can be seen without its schema; depth above 16.

    Raises:
        FormatError: with the reason.
    """
    _check(parse(data, der=True), 0)


def _check(node: Node, depth: int) -> None:
    if depth > _MAX_DEPTH:
        refuse("values are nested more than 16 deep")
    if node.key in CONTENTS:
        CONTENTS[node.key].check(node)
    for child in node.children or ():
        _check(child, depth + 1)
