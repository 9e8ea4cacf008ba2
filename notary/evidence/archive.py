"""The ZIP of a package, from its first byte to its last: stored members one behind the other and nothing else.

Programs that read a ZIP from the front and those that read it from its directory must see the same files, so
a gap, a compressed member, an extra field or a second directory is refused. Only `write_zip` makes such files.
"""

import io
import struct
import zipfile
from collections.abc import Iterable
from typing import BinaryIO

from notary.errors import FormatError

MAX_FILES = 512
_MAX_DIRECTORY = MAX_FILES * 1024  # a name has at most 494 bytes
_END = struct.Struct("<4s4H2LH")  # end of central directory, APPNOTE 4.3.16
_LOCAL, _CENTRAL = 30, 46  # bytes of the two headers before the name
_UTF8 = 0x800
_FILE_TYPE, _REGULAR = 0o170000, (0, 0o100000)  # of a Unix mode, in the upper half of the attributes
_NO_FILE = 0x08 | 0x10  # MS-DOS: a volume's name, a folder
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that ZIP can say: a package has no time of its own
# All that zipfile is known to raise on damaged archives; RuntimeError is its word for encryption.
UNREADABLE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OverflowError,
    ValueError,
    struct.error,
)


def check_end(stream: BinaryIO) -> tuple[int, int, int]:
    """Read the end of a ZIP before anything else is made of it.

    Returns:
        Where the central directory begins, its length, and how many members it has.

    Raises:
        FormatError: no end of a ZIP, one with a comment, in several parts or of 64 bits, or with more members
            than a package has.
    """
    length = stream.seek(0, io.SEEK_END)
    if length < _END.size:
        raise FormatError("not a readable ZIP: too short")
    stream.seek(length - _END.size)
    mark, disk, first, here, count, size, begin, comment = _END.unpack(stream.read(_END.size))
    if mark != b"PK\x05\x06" or comment:
        raise FormatError("not a readable ZIP: it does not end with its directory")
    if disk or first or here != count or begin + size + _END.size != length:
        raise FormatError("not a readable ZIP: the directory is not where it must be")
    if not 1 <= count <= MAX_FILES or size > _MAX_DIRECTORY:
        raise FormatError(f"a package holds 1 to {MAX_FILES} files")
    return begin, size, count


def check_layout(archive: zipfile.ZipFile, begin: int, size: int, count: int) -> None:
    """Check that the members follow each other without gaps up to the directory of `size` bytes at `begin`.

    Raises:
        FormatError: they do not, or a member is compressed, encrypted, no plain file, or has extra fields.
    """
    infos = archive.infolist()
    if len(infos) != count or archive.start_dir != begin:
        raise FormatError("not a readable ZIP: the directory is not where it must be")
    at = 0
    for info in infos:
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise FormatError(f"{info.filename[:80]!r} is compressed")
        if info.flag_bits & ~_UTF8 or info.extra or info.comment:
            raise FormatError(f"{info.filename[:80]!r} is encrypted or has extra fields")
        if (info.external_attr >> 16 & _FILE_TYPE) not in _REGULAR or info.external_attr & _NO_FILE:
            # A program that unpacks it would make a link of it, and show another file than the one checked.
            raise FormatError(f"{info.filename[:80]!r} is marked as a link, folder or device")
        if info.header_offset != at or info.orig_filename != info.filename:
            raise FormatError("there is data before, behind or between the files of the ZIP")
        at += _LOCAL + _name_size(info) + info.file_size
    # Records of 64 bits behind the directory would count into its size.
    if at != begin or size != sum(_CENTRAL + _name_size(info) for info in infos):
        raise FormatError("there is data before, behind or between the files of the ZIP")


def check_local(stream: BinaryIO, info: zipfile.ZipInfo) -> None:
    """Check that the header before a member's bytes says the same as the directory.

    Raises:
        FormatError: it does not.
    """
    stream.seek(info.header_offset)
    found = stream.read(_LOCAL + _name_size(info))
    if found != info.FileHeader():
        raise FormatError(f"the two headers of {info.filename!r} differ")


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


def _name_size(info: zipfile.ZipInfo) -> int:
    return len(info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437"))
