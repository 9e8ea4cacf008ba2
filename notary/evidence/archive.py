"""The ZIP of a package, from its first byte to its last: stored members one behind the other and nothing else.

Programs that read a ZIP from the front and those that read it from its directory must see the same files, so
a gap, a compressed member, an extra field or a second directory is refused. It is read here and not by a library:
what each field may hold is said in docs/formats.md §11.2, and a library has rules of its own, and others tomorrow.
Only `write_zip` makes such files.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from notary.errors import FormatError

MAX_FILES = 512
_MAX_DIRECTORY = MAX_FILES * 1024  # a name has at most 494 bytes
_MAX_VERSION = 63  # of ZIP (APPNOTE 6.3): what a later one adds nobody here knows
_END = struct.Struct("<4s4H2LH")  # end of central directory, APPNOTE 4.3.16
_CENTRAL = struct.Struct("<4s6H3L5H2L")  # an entry of it before the name, 4.3.12
_LOCAL = 30  # bytes of the header in front of a member before the name, 4.3.7
_LOCATOR, _LOCATOR_SIZE = b"PK\x06\x07", 20  # of a directory of 64 bits, before the end, 4.3.15
_UTF8 = 0x800
_TEXT = 0x01  # internal attributes: said to be text
_TYPES = (0, 8)  # of a Unix mode, in the upper four bits of the attributes: none, a plain file
_NO_FILE = 0x08 | 0x10  # MS-DOS: a volume's name, a folder
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that ZIP can say: a package has no time of its own
_PIECE = 1 << 20  # bytes
_MISPLACED = "not a readable ZIP: the directory is not where it must be"
_BETWEEN = "there is data before, behind or between the files of the ZIP"


@dataclass(frozen=True, slots=True)
class Member:
    """A file in the ZIP: its name, where its bytes begin, how many there are, and their CRC-32."""

    name: str
    begin: int
    size: int
    crc: int


class _Entry(NamedTuple):
    """The fields of an entry of the directory, in their order."""

    mark: bytes
    made_by: int
    needed: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed: int
    size: int
    name: int  # bytes
    extra: int
    comment: int
    disk: int
    internal: int
    external: int
    offset: int


def read_members(stream: BinaryIO) -> list[Member]:
    """The members in their order, once both headers of each were read; their bytes were not.

    Raises:
        FormatError: no ZIP that is as §11.2 says, from its first byte to its last.
    """
    begin, size, count = _read_end(stream)
    directory = _read(stream, begin, size)
    if directory[-_LOCATOR_SIZE:].startswith(_LOCATOR):
        # By chance, too: other programs would look for another directory where it points.
        raise FormatError("not a readable ZIP: it has a directory of 64 bits")
    members: list[Member] = []
    at = offset = 0
    for _ in range(count):
        entry, raw = _read_entry(directory, at)
        member = Member(_check_entry(entry, raw), offset + _LOCAL + len(raw), entry.size, entry.crc)
        if entry.offset != offset or member.begin + member.size > begin:
            raise FormatError(_BETWEEN)
        # From the version needed to the length of extra fields, which is 0, both headers are the same.
        local = b"PK\x03\x04" + directory[at + 6 : at + 32] + raw
        if _read(stream, offset, len(local)) != local:
            raise FormatError(f"the two headers of {member.name[:80]!r} differ")
        members.append(member)
        at += _CENTRAL.size + len(raw)
        offset = member.begin + member.size
    if at != size:
        raise FormatError(_MISPLACED)
    if offset != begin:
        raise FormatError(_BETWEEN)
    return members


def pieces(stream: BinaryIO, member: Member) -> Iterator[bytes]:
    """The bytes of a member, which count only once the last of them was given.

    Raises:
        FormatError: they do not fit their checksum.
    """
    crc = 0
    for at in range(0, member.size, _PIECE):
        piece = _read(stream, member.begin + at, min(_PIECE, member.size - at))
        crc = zlib.crc32(piece, crc)
        yield piece
    if crc != member.crc:
        raise FormatError(f"{member.name!r} is damaged: its bytes do not fit their checksum")


def write_zip(members: Iterable[tuple[str, bytes]]) -> bytes:
    """The ZIP of these members in their order: the same bytes for the same members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members:
            member = zipfile.ZipInfo(name, _EPOCH)
            member.external_attr = 0o644 << 16
            member.create_system = 3
            archive.writestr(member, data)
    return buffer.getvalue()


def _read_end(stream: BinaryIO) -> tuple[int, int, int]:
    """Where the directory begins, its length, and how many members it has."""
    length = stream.seek(0, io.SEEK_END)
    if length < _END.size:
        raise FormatError("not a readable ZIP: too short")
    mark, disk, first, here, count, size, begin, comment = _END.unpack(
        _read(stream, length - _END.size, _END.size)
    )
    if mark != b"PK\x05\x06" or comment:
        raise FormatError("not a readable ZIP: it does not end with its directory")
    if disk or first or here != count or begin + size + _END.size != length:
        raise FormatError(_MISPLACED)
    if not 1 <= count <= MAX_FILES or size > _MAX_DIRECTORY:
        raise FormatError(f"a package holds 1 to {MAX_FILES} files")
    return begin, size, count


def _read_entry(directory: bytes, at: int) -> tuple[_Entry, bytes]:
    """The entry of the directory that begins there, and the bytes of its name."""
    if at + _CENTRAL.size > len(directory):
        raise FormatError(_MISPLACED)
    entry = _Entry._make(_CENTRAL.unpack_from(directory, at))
    raw = directory[at + _CENTRAL.size : at + _CENTRAL.size + entry.name]
    if entry.mark != b"PK\x01\x02" or len(raw) != entry.name:
        raise FormatError(_MISPLACED)
    return entry, raw


def _check_entry(entry: _Entry, raw: bytes) -> str:
    """The name of a member that is stored, and nothing but a plain file."""
    try:
        name = raw.decode("utf-8" if entry.flags & _UTF8 else "ascii")
    except UnicodeDecodeError as error:
        raise FormatError("a name in the ZIP is neither ASCII nor marked as UTF-8 and UTF-8") from error
    shown = repr(name[:80])
    if entry.method or entry.packed != entry.size:
        raise FormatError(f"{shown} is compressed")
    if entry.flags & ~_UTF8 or entry.extra or entry.comment:
        raise FormatError(f"{shown} is encrypted or has extra fields")
    if entry.needed & 0xFF > _MAX_VERSION:
        raise FormatError(f"{shown} needs a later version of ZIP")
    if entry.disk or entry.internal & ~_TEXT:
        raise FormatError(f"{shown} is said to lie on another disk, or to be made of records")
    if entry.external >> 28 not in _TYPES or entry.external & _NO_FILE:
        # A program that unpacks it would make a link of it, and show another file than the one checked.
        raise FormatError(f"{shown} is marked as a link, folder or device")
    return name


def _read(stream: BinaryIO, at: int, size: int) -> bytes:
    stream.seek(at)
    data = stream.read(size)
    if len(data) != size:
        raise FormatError("not a readable ZIP: it ended while it was read")
    return data
