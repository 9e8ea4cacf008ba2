"""The evidence package: one ZIP of plain files, read strictly, written reproducibly (docs/formats.md §11)."""

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, BinaryIO

from notary.errors import FormatError
from notary.evidence import canonical
from notary.evidence.digests import ALGORITHMS, Digester
from notary.evidence.fields import exact_keys, hexadecimal, natural

VERSION = 1
MAX_FILES = 512
MAX_FILE = 8 * 1024 * 1024
MAX_TOTAL = 64 * 1024 * 1024
MAX_DOCUMENT = 2**32 - 1
MANIFEST = "manifest.json"
# All that zipfile is known to raise on damaged archives; RuntimeError is its word for encryption.
_UNREADABLE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    struct.error,
)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that ZIP can say: a package has no time of its own
_SIZE = r"(0|[1-9][0-9]{0,18})"
_TOKEN = r"[a-z0-9][a-z0-9._-]{0,63}\.tsr"  # noqa: S105 - a file name
_NAMES = re.compile(
    r"manifest\.json|README\.txt|statement\.json|openings\.json|receipt\.txt|consistency\.json"
    rf"|heads/{_SIZE}/(checkpoint|inclusion\.tlog-proof|anchor\.json|header\.rlp|tokens/{_TOKEN})"
    r"|inspection/(statement\.json|openings\.json|inclusion\.tlog-proof)"
)
_DOCUMENT = re.compile(r"document/[^/\\:*?\"<>|\x00-\x1f\x7f]{1,120}")


@dataclass(frozen=True, slots=True)
class Digests:
    """What a document is: all digests that we can take, in hexadecimal, and its length in bytes."""

    values: dict[str, str]
    size: int


@dataclass(frozen=True, slots=True)
class Package:
    """The files of a package by name, and what its document is, if it holds one."""

    files: dict[str, bytes]
    document: Digests | None = None
    document_name: str = ""

    def sizes(self) -> list[int]:
        """Sizes of the heads in the package, ascending."""
        return sorted({int(name.split("/")[1]) for name in self.files if name.startswith("heads/")})

    def tokens(self, size: int) -> dict[str, bytes]:
        """Raw time-stamp responses over one head, by name of the authority."""
        prefix = f"heads/{size}/tokens/"
        return {n[len(prefix) : -4]: d for n, d in sorted(self.files.items()) if n.startswith(prefix)}


def digest_stream(stream: BinaryIO, limit: int = MAX_DOCUMENT) -> Digests:
    """Take every digest that we know over a stream of at most `limit` bytes.

    Raises:
        FormatError: there are more.
    """
    digester = Digester(ALGORITHMS)
    while chunk := stream.read(1 << 20):
        digester.update(chunk)
        if digester.size > limit:
            raise FormatError(f"the document is larger than the {limit} bytes named")
    return Digests(digester.hex(), digester.size)


def read_package(stream: BinaryIO) -> Package:
    """Read a package from a seekable stream.

    Raises:
        FormatError: not a ZIP from its first byte to its last, a name that has no place in a package, twice
            the same name, a limit passed, or a file that is not as the manifest says.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            members = _members(archive, stream)
            manifest = _manifest(archive, members)
            return _contents(archive, members, manifest)
    except _UNREADABLE as error:
        raise FormatError(f"not a readable ZIP: {type(error).__name__}") from error


def write_package(files: Mapping[str, bytes], document: tuple[str, bytes] | None = None) -> bytes:
    """The ZIP of these files with its manifest: the same bytes for the same files.

    Args:
        files: names as in docs/formats.md §11, without the manifest.
        document: file name and bytes of the document, if it is to be in the package.

    Raises:
        FormatError: a name that has no place in a package.
    """
    contents = dict(files)
    if document is not None:
        contents[f"document/{document[0]}"] = document[1]
    for name in contents:
        _check_name(name)
    listed = {n: {"sha-256": sha256(d).hexdigest(), "size": len(d)} for n, d in contents.items()}
    manifest = {"version": VERSION, "files": [{"name": n, **listed[n]} for n in sorted(listed)]}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in [(MANIFEST, canonical.dumps(manifest)), *sorted(contents.items())]:
            member = zipfile.ZipInfo(name, _EPOCH)
            member.external_attr = 0o644 << 16
            member.create_system = 3
            archive.writestr(member, data)
    return buffer.getvalue()


def _members(archive: zipfile.ZipFile, stream: BinaryIO) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if not infos or len(infos) > MAX_FILES:
        raise FormatError(f"a package holds 1 to {MAX_FILES} files")
    if archive.comment or min(info.header_offset for info in infos) != 0 or not _ends_here(stream):
        raise FormatError("there is data before, behind or beside the files of the ZIP")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        _check_name(info.filename)
        if info.filename in members:
            raise FormatError(f"{info.filename!r} stands in the package twice")
        if info.flag_bits & 1 or info.extra or info.comment:
            raise FormatError(f"{info.filename!r} is encrypted or has extra fields")
        members[info.filename] = info
    total = sum(info.file_size for name, info in members.items() if not name.startswith("document/"))
    if total > MAX_TOTAL:
        raise FormatError(f"the files of the package are larger than {MAX_TOTAL} bytes together")
    return members


def _ends_here(stream: BinaryIO) -> bool:
    stream.seek(-22, io.SEEK_END)  # end of central directory without a comment
    return stream.read(4) == b"PK\x05\x06"


def _manifest(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> dict[str, tuple[int, bytes]]:
    if MANIFEST not in members:
        raise FormatError("the package has no manifest.json")
    value = exact_keys(
        canonical.loads(_read(archive, members[MANIFEST]), MAX_FILE), ("version", "files"), "manifest"
    )
    if value["version"] != VERSION or not isinstance(value["files"], list):
        raise FormatError("the manifest is of no version that we know")
    listed: dict[str, tuple[int, bytes]] = {}
    for item in value["files"]:
        _listed(item, listed)
    for name in sorted(set(listed) ^ (set(members) - {MANIFEST})):
        raise FormatError(
            f"{name!r} is {'listed, but missing' if name in listed else 'not listed in the manifest'}"
        )
    return listed


def _listed(item: Any, listed: dict[str, tuple[int, bytes]]) -> None:
    exact_keys(item, ("name", "size", "sha-256"), "manifest entry")
    name = item["name"]
    if not isinstance(name, str) or name in listed:
        raise FormatError("a manifest entry has no name of its own")
    listed[name] = (natural(item["size"], "size", MAX_DOCUMENT), hexadecimal(item["sha-256"], "SHA-256", 32))


def _contents(
    archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], listed: dict[str, tuple[int, bytes]]
) -> Package:
    files: dict[str, bytes] = {}
    document, document_name = None, ""
    for name, (size, digest) in listed.items():
        if name.startswith("document/"):
            if document is not None:
                raise FormatError("the package holds more than one document")
            with archive.open(members[name]) as stream:
                document, document_name = digest_stream(stream, size), name.removeprefix("document/")  # type: ignore[arg-type] # ZipExtFile reads bytes
            found = document.size, bytes.fromhex(document.values["sha-256"])
        else:
            files[name] = _read(archive, members[name])
            found = len(files[name]), sha256(files[name]).digest()
        if found != (size, digest):
            raise FormatError(f"{name!r} is not the file that the manifest lists")
    return Package(files, document, document_name)


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.file_size > MAX_FILE:
        raise FormatError(f"{info.filename!r} is larger than {MAX_FILE} bytes")
    with archive.open(info) as stream:
        data = stream.read(MAX_FILE + 1)  # the size in the header is the evidence's word: read with a bound
    if len(data) > MAX_FILE:
        raise FormatError(f"{info.filename!r} is larger than {MAX_FILE} bytes")
    return data


def _check_name(name: str) -> None:
    if not (
        _NAMES.fullmatch(name) or (_DOCUMENT.fullmatch(name) and name not in {"document/.", "document/.."})
    ):
        raise FormatError(f"{name[:80]!r} has no place in a package")
