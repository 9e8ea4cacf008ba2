"""Certificate revocation lists in DER (RFC 5280 §5), read no further than somebody rests on them (docs/formats.md §9).

A list may have tens of thousands of entries, and whoever packs a package adds lists as he likes. So its issuer is read
first; then, of a list of a CA of the path, all but its entries, which are looked at once the signature is known to be
good, and only where one may be about a certificate of the path.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from notary.evidence import asn1
from notary.evidence.asn1 import Node, refuse
from notary.evidence.asn1_form import (
    BITS,
    BOOLEAN,
    INTEGER,
    TIME,
    WHOLE_BITS,
    implicit,
    members,
    optional,
    read_integer,
    read_time,
    sequence,
)
from notary.evidence.timestamp_extensions import AUTHORITY_KEY, POINT_NAME, Extension, each_extension
from notary.evidence.timestamp_form import ALGORITHM, EXTENSIONS, NAME

MAX_PART = 2048  # bytes of issuer, algorithm, extensions, a time; real ones have a few hundred
MAX_VALUES = 256  # in one of these, and in an entry
MAX_READ = 1024  # entries of one list that are read
AUTHORITY_KEY_ID, ISSUING_POINT = "551d23", "551d1c"  # contents of object identifiers, hex
_SEQUENCE, _INTEGER, _EXTENSIONS = 0x30, 0x02, 0xA0  # first bytes
_TIMES = (0x17, 0x18)
_SHORT = 0x80
_PADDING = b"\0\xff"
_TRUE = b"\x01\x01\xff"  # what stands in every entry with a critical extension

# In DER a FALSE is not stated, so what is there is TRUE.
_POINT = sequence(
    optional(POINT_NAME),
    optional(implicit(1, BOOLEAN), b"\x81\x01\x00"),
    optional(implicit(2, BOOLEAN), b"\x82\x01\x00"),
    optional(implicit(3, BITS)),
    optional(implicit(4, BOOLEAN), b"\x84\x01\x00"),
    optional(implicit(5, BOOLEAN), b"\x85\x01\x00"),
)
_FORMS = {ISSUING_POINT: _POINT, AUTHORITY_KEY_ID: AUTHORITY_KEY}
_ENTRY = sequence(INTEGER, TIME, optional(EXTENSIONS))


@dataclass(frozen=True, slots=True)
class Entry:
    """One certificate that was revoked."""

    serial: int
    at: datetime  # UTC
    extensions: list[Extension]


@dataclass(frozen=True, slots=True)
class Start:
    """A list as far as its issuer; `issuer` and `algorithm` are whole values in DER."""

    data: bytes
    algorithm: bytes
    issuer: bytes
    tbs: tuple[
        int, int, int
    ]  # where what is signed begins, where what follows its issuer does, where it ends


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A list whose entries were not looked at, and of which nothing is verified."""

    algorithm: bytes  # AlgorithmIdentifier, DER
    tbs: bytes  # what is signed
    signature: bytes
    this_update: datetime  # UTC
    entries: bytes  # one behind the other
    extensions: list[Extension]

    def extension(self, oid: str) -> Node | None:
        """The value of one of the extensions that `read_list` has found to be of their form, or None."""
        return next((_parse(each.value) for each in self.extensions if each.oid == oid), None)


def read_start(data: bytes) -> Start:
    """Read version, signature algorithm and issuer.

    Raises:
        FormatError: they are not of their form, or what they stand in does not end with `data`.
    """
    tbs, end = _inside(data, 0, len(data))
    if end != len(data):
        refuse("bytes behind the value")
    at, stop = _inside(data, tbs, end)
    if data[at:stop][:1] == bytes([_INTEGER]):
        version, at = _next(data, at, stop)
        INTEGER.check(_parse(version))
        if read_integer(_parse(version).content) != 1:
            refuse("a list of another version")
    algorithm, at = _next(data, at, stop)
    ALGORITHM.check(_parse(algorithm))
    issuer, at = _next(data, at, stop)
    NAME.check(_parse(issuer))
    return Start(data, algorithm, issuer, (tbs, at, stop))


def read_list(start: Start) -> RevocationList:
    """Read what follows the issuer, and step over the entries.

    Raises:
        FormatError: it is not of its form.
    """
    data, (tbs, at, stop) = start.data, start.tbs
    moment, at = _next(data, at, stop)
    this_update, entries, extensions = read_time(_parse(moment)), b"", list[Extension]()
    if at < stop and data[at] in _TIMES:
        moment, at = _next(data, at, stop)
        read_time(_parse(moment))
    if at < stop and data[at] == _SEQUENCE:
        first, at = _inside(data, at, stop)
        entries = data[first:at]
    if at < stop and data[at] == _EXTENSIONS:
        wrapped, at = _next(data, at, stop)
        extensions = _extensions(_one_of(_parse(wrapped)))
    if at < stop:
        refuse("an element that does not belong")
    algorithm, at = _next(data, stop, len(data))
    if algorithm != start.algorithm:
        refuse("a list names two signature algorithms")
    signature = _parse(data[at:])
    WHOLE_BITS.check(signature)
    found = RevocationList(algorithm, data[tbs:stop], signature.content[1:], this_update, entries, extensions)
    for oid, form in _FORMS.items():
        value = found.extension(oid)
        if value is not None:
            form.check(value)
    return found


def read_entries(entries: bytes, serial: int) -> list[Entry]:
    """Read each entry that may be of this serial number, or in which the bytes 01 01 ff begin.

    Looked for are the contents of the number, without what may be padding: a list that spells a number otherwise than
    DER does is damaged, and some tools read it all the same. Where neither stands anywhere, no entry is looked at.

    Raises:
        FormatError: one that is read is not of its form, one before it does not end where the next begins, or more
            than 1024 are read.
    """
    bare = serial.to_bytes(serial.bit_length() // 8 + 1, "big", signed=True).lstrip(_PADDING)
    if _TRUE not in entries and bare not in entries:
        return []
    return [_entry(_parse(entries[at:stop])) for at, stop in _looked_for(entries, bare)]


def _looked_for(entries: bytes, bare: bytes) -> Iterator[tuple[int, int]]:
    at, end, mark, held, count = 0, len(entries), entries.find(_TRUE), entries.find(bare), 0
    while at < end:
        # Most of the time of a verification may go here: a call for each entry would make it twice as long.
        if entries[at] == _SEQUENCE and at + 1 < end and entries[at + 1] < _SHORT:
            start = at + 2
            stop = start + entries[at + 1]
            if stop > end:
                refuse("a value is cut off")
        else:
            start, stop = _inside(entries, at, end)
        marked, holds = -1 < mark < stop, -1 < held < stop
        if marked or (holds and not _is_of_another(entries[start:stop], bare)):
            count += 1
            if count > MAX_READ:
                refuse(f"more than {MAX_READ} entries would have to be read")
            yield at, stop
        if marked:
            mark = entries.find(_TRUE, stop)
        if holds:
            held = entries.find(bare, stop)
        at = stop


def _is_of_another(entry: bytes, bare: bytes) -> bool:
    """Whether an entry begins with an INTEGER, its length in one byte, that is not this number however it is padded."""
    if len(entry) < 2 or entry[0] != _INTEGER or entry[1] >= _SHORT or len(entry) < 2 + entry[1]:  # noqa: PLR2004 - tag, length
        return False
    return entry[2 : 2 + entry[1]].lstrip(_PADDING) != bare


def _entry(node: Node) -> Entry:
    _ENTRY.check(node)
    serial, moment, *extensions = members(node, asn1.SEQUENCE)
    found = _extensions(extensions[0]) if extensions else []
    return Entry(read_integer(serial.content), read_time(moment), found)


def _extensions(node: Node) -> list[Extension]:
    EXTENSIONS.check(node)
    return each_extension(node)


def _one_of(node: Node) -> Node:
    if node.children is None or len(node.children) != 1:
        refuse("an explicit tag without one value")
    return node.children[0]


def _inside(data: bytes, at: int, limit: int) -> tuple[int, int]:
    """Where the contents of the SEQUENCE at `at` begin and end."""
    first, start, stop = asn1.extent(data, at, limit)
    if first != _SEQUENCE:
        refuse("another type than may be here")
    return start, stop


def _next(data: bytes, at: int, limit: int) -> tuple[bytes, int]:
    """The value at `at`, of a size that is parsed, and where it ends."""
    _, _, stop = asn1.extent(data, at, limit)
    if stop - at > MAX_PART:
        refuse(f"a part of more than {MAX_PART} bytes")
    return data[at:stop], stop


def _parse(data: bytes) -> Node:
    return asn1.parse(data, der=True, most=MAX_VALUES)
