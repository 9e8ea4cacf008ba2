"""Forms of ASN.1: what a value must look like, as tables that read like the standards' own modules.

A form judges a parsed value whole: nothing may be missing, and nothing be there that does not belong.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from asn1crypto import core

from notary.evidence import asn1
from notary.evidence.asn1 import Key, Node, refuse

_CONTEXT = 2
_MAX_OID = 64  # bytes
_NAMED_BYTES = 8  # of a bit string
_UTC = re.compile(rb"\d{12}Z")
_WHOLE = re.compile(rb"\d{14}Z")


@dataclass(frozen=True, slots=True)
class Form:
    """`check` raises FormatError for a value that is not of this form."""

    keys: frozenset[Key]  # with which a value of it begins; none: any value
    check: Callable[[Node], None]
    optional: bool = False
    default: bytes = b""  # encoding that may not be stated, where DER is required


def optional(form: Form, default: bytes = b"") -> Form:
    """An element that may be left out of a sequence."""
    return replace(form, optional=True, default=default)


def sequence(*fields: Form) -> Form:
    """A SEQUENCE of these elements in their order, and of no other."""

    def check(node: Node) -> None:
        rest = list(members(node, asn1.SEQUENCE))
        for field in fields:
            present = bool(rest) and (not field.keys or rest[0].key in field.keys)
            if field.optional and not present:
                continue
            if not rest:
                refuse("an element is missing")
            value = rest.pop(0)
            if value.raw == field.default:
                refuse("a default value that is stated, which is not DER")
            field.check(value)
        if rest:
            refuse("an element that does not belong")

    return Form(frozenset({(0, asn1.SEQUENCE)}), check)


def sequence_of(form: Form, *, least: int = 0) -> Form:
    """A SEQUENCE of any number of values of one form."""
    return _repeated(asn1.SEQUENCE, form, least)


def set_of(form: Form, *, least: int = 0) -> Form:
    """A SET of any number of values of one form."""
    return _repeated(asn1.SET, form, least)


def _repeated(tag: int, form: Form, least: int) -> Form:
    def check(node: Node) -> None:
        found = members(node, tag)
        if len(found) < least:
            refuse("an empty list")
        for each in found:
            form.check(each)

    return Form(frozenset({(0, tag)}), check)


def explicit(number: int, form: Form) -> Form:
    """One value in a context tag."""
    key = (_CONTEXT, number)

    def check(node: Node) -> None:
        _require(node, key)
        if node.children is None or len(node.children) != 1:
            refuse("an explicit tag without one value")
        form.check(node.children[0])

    return Form(frozenset({key}), check)


def implicit(number: int, form: Form) -> Form:
    """A context tag in the place of the value's own."""
    key, (own,) = (_CONTEXT, number), form.keys

    def check(node: Node) -> None:
        _require(node, key)
        form.check(node._replace(key=own))

    return Form(frozenset({key}), check)


def choice(*forms: Form) -> Form:
    """A value of one of these forms, known by its tag."""
    table = {key: form for form in forms for key in form.keys}

    def check(node: Node) -> None:
        if node.key not in table:
            refuse("none of the types that may be here")
        table[node.key].check(node)

    return Form(frozenset(table), check)


def primitive(tag: int, judge: Callable[[bytes], object] = lambda _: None) -> Form:
    """A universal value that is not constructed, whose contents `judge` looks at."""

    def check(node: Node) -> None:
        _require(node, (0, tag))
        if node.children is not None:
            refuse("a string in pieces")
        judge(node.content)

    return Form(frozenset({(0, tag)}), check)


def members(node: Node, tag: int) -> tuple[Node, ...]:
    """The values in a SEQUENCE or SET."""
    _require(node, (0, tag))
    if node.children is None:
        refuse("a list that is not constructed")
    return node.children


def _require(node: Node, key: Key) -> None:
    if node.key != key:
        refuse("another type than may be here")


def read_integer(content: bytes) -> int:
    """Of contents in their shortest form.

    Raises:
        FormatError: others.
    """
    if not content:
        refuse("an empty integer")
    if len(content) > 1 and content[0] in {0, 0xFF} and content[0] >> 7 == content[1] >> 7:
        refuse("an integer that is not in its shortest form")
    return int.from_bytes(content, "big", signed=True)


def read_oid(content: bytes) -> bytes:
    """The contents as they are, which have but one form.

    Raises:
        FormatError: others.
    """
    starts = (b for at, b in enumerate(content) if at == 0 or content[at - 1] < 0x80)  # noqa: PLR2004 - no byte follows in its number
    if not 0 < len(content) <= _MAX_OID or content[-1] & 0x80 or 0x80 in starts:  # noqa: PLR2004 - a leading zero
        refuse("not an object identifier in its shortest form")
    return content


def dotted(content: bytes) -> str:
    """An object identifier's text.

    Raises:
        FormatError: contents that are not in their shortest form.
    """
    return str(core.ObjectIdentifier.load(b"\x06" + bytes([len(content)]) + read_oid(content)).dotted)


def read_bits(content: bytes) -> set[int]:
    """Numbers of the bits that are set, those above 63 as one, since no standard names them; the unused must not be.

    Raises:
        FormatError: they are, or there are no contents.
    """
    _bits(content)
    named = content[1 : 1 + _NAMED_BYTES]
    found = {8 * at + bit for at, byte in enumerate(named) for bit in range(8) if byte & (0x80 >> bit)}
    return found | ({8 * _NAMED_BYTES} if any(content[1 + _NAMED_BYTES :]) else set())


def _bits(content: bytes) -> None:
    unused = content[0] if content else 8
    if unused > 7 or (unused and (len(content) == 1 or content[-1] & ((1 << unused) - 1))):  # noqa: PLR2004 - bits of a byte
        refuse("not a bit string")


def _boolean(content: bytes) -> None:
    if content not in {b"\0", b"\xff"}:
        refuse("not a boolean")


def _null(content: bytes) -> None:
    if content:
        refuse("null with contents")


def _whole_bits(content: bytes) -> None:
    _bits(content)
    if content[0]:
        refuse("a bit string that is not of whole bytes")


def read_moment(node: Node) -> datetime:
    """The moment, UTC, in a UTCTime or a GeneralizedTime of whole seconds.

    Raises:
        FormatError: neither.
    """
    TIME.check(node)
    return (_whole_time if node.key == (0, asn1.GENERALIZED) else _utc_time)(node.content)


def _utc_time(content: bytes) -> datetime:
    if not _UTC.fullmatch(content):
        refuse("not a UTC time")
    return _moment((b"20" if content < b"5" else b"19") + content)


def _whole_time(content: bytes) -> datetime:
    if not _WHOLE.fullmatch(content):
        refuse("not a UTC time of whole seconds")
    return _moment(content)


def _moment(text: bytes) -> datetime:
    numbers = [int(text[:4]), *(int(text[at : at + 2]) for at in range(4, 14, 2))]
    try:
        return datetime(*numbers, tzinfo=UTC)  # type: ignore[arg-type,misc] # six of them
    except ValueError:
        refuse("no such moment")


ANY = Form(frozenset(), lambda _: None)
INTEGER = primitive(asn1.INTEGER, read_integer)
ENUMERATED = primitive(asn1.ENUMERATED, read_integer)
OID = primitive(asn1.OID, read_oid)
OCTETS = primitive(asn1.OCTETS)
BITS = primitive(asn1.BITS, _bits)
WHOLE_BITS = primitive(asn1.BITS, _whole_bits)
BOOLEAN = primitive(asn1.BOOLEAN, _boolean)
NULL = primitive(asn1.NULL, _null)
UTF8 = primitive(asn1.UTF8)
WHOLE_TIME = primitive(asn1.GENERALIZED, _whole_time)
TIME = choice(primitive(asn1.UTC_TIME, _utc_time), WHOLE_TIME)  # RFC 5280 §4.1.2.5
# What DER asks of contents, wherever they stand.
CONTENTS = {next(iter(f.keys)): f for f in (INTEGER, ENUMERATED, OID, BITS, BOOLEAN, NULL)}
FALSE = b"\x01\x01\x00"
