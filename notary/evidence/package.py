"""The evidence package: one ZIP of plain files, read strictly, written reproducibly (docs/formats.md §11)."""

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from errno import EINVAL
from hashlib import sha256
from typing import Any, BinaryIO

from notary.errors import FormatError
from notary.evidence import bodies, canonical
from notary.evidence.archive import (
    MAX_FILES,
    UNREADABLE,
    check_end,
    check_layout,
    check_local,
    write_zip,
)
from notary.evidence.digests import ALGORITHMS, Digester
from notary.evidence.fields import exact_keys, hexadecimal, natural, version
from notary.evidence.timestamp_revocation import MAX_DATA
from notary.evidence.timestamp_status import Kind, RevocationData

VERSION = 1
MAX_FILE = 8 * 1024 * 1024
MAX_MANIFEST = 256 * 1024
MAX_HEADS = 16  # each costs a verifier signatures, tokens and an anchor
MAX_TOTAL = 64 * 1024 * 1024
MAX_DOCUMENT = 2 * 10**9  # all offsets stay below 2^31, where ZIP needs no fields of 64 bits
MANIFEST = "manifest.json"
_SIZE = r"[1-9][0-9]{0,18}"
_ANCHOR = r"[a-z0-9][a-z0-9._-]{0,63}"
_STATUS = rf"[1-{MAX_DATA}]\.({'|'.join(Kind)})"
_NAMES = re.compile(
    r"manifest\.json|README\.txt|statement\.json|openings\.json|receipt\.txt|consistency\.json"
    rf"|heads/{_SIZE}/(checkpoint|inclusion\.tlog-proof|anchor\.json|header\.rlp|tokens/{_ANCHOR}\.tsr|ots/{_ANCHOR}\.ots)"
    rf"|heads/{_SIZE}/revocation/{_ANCHOR}/{_STATUS}"
    r"|(inspection|incident)/(statement\.json|openings\.json|inclusion\.tlog-proof)"
)
# What is no path and no control on any system, and turns no text round (U+202E and its like).
_DOCUMENT = re.compile(
    r"document/(?!\.{1,2}$)[^/\\:*?\"<>|\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]{1,120}"
)


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
    is_proof: bool = False  # made of a bare proof, which has no manifest

    def sizes(self) -> list[int]:
        """Sizes of the heads in the package, ascending."""
        return sorted({int(name.split("/")[1]) for name in self.files if name.startswith("heads/")})

    def tokens(self, size: int) -> dict[str, bytes]:
        """Raw time-stamp responses over one head, by name of the authority."""
        return self._named(f"heads/{size}/tokens/")

    def ots(self, size: int) -> dict[str, bytes]:
        """OpenTimestamps files over one head, by name of the anchor."""
        return self._named(f"heads/{size}/ots/")

    def _named(self, prefix: str) -> dict[str, bytes]:
        return {n[len(prefix) : -4]: d for n, d in sorted(self.files.items()) if n.startswith(prefix)}

    def revocation(self, size: int, authority: str) -> tuple[RevocationData, ...]:
        """What was captured of the certificates behind one token, in the order of the file names."""
        prefix = f"heads/{size}/revocation/{authority}/"
        return tuple(
            RevocationData(Kind(name.rpartition(".")[2]), data)
            for name, data in sorted(self.files.items())
            if name.startswith(prefix)
        )


def digest_stream(stream: BinaryIO, limit: int = bodies.MAX_DOCUMENT) -> Digests:
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
        FormatError: not a ZIP of stored files from its first byte to its last, a name that has no place in a
            package, twice the same name, a limit passed, or a file that is not as the manifest says.
        OSError: the stream cannot be read, which says nothing of the package.
    """
    try:
        begin, size, count = check_end(stream)
        with zipfile.ZipFile(stream) as archive:
            check_layout(archive, begin, size, count)
            members = _members(archive, stream)
            manifest = _manifest(archive, members)
            return _contents(archive, members, manifest)
    except UNREADABLE as error:
        raise FormatError(f"not a readable ZIP: {type(error).__name__}") from error
    except OSError as error:
        if error.errno != EINVAL:
            raise
        # A damaged ZIP sent its reader to a place before the first byte.
        raise FormatError(f"not a readable ZIP: {type(error).__name__}") from error


def write_package(files: Mapping[str, bytes], document: tuple[str, bytes] | None = None) -> bytes:
    """The ZIP of these files with its manifest: the same bytes for the same files.

    Args:
        files: names as in docs/formats.md §11, without the manifest.
        document: file name and bytes of the document, if it is to be in the package.

    Raises:
        FormatError: a name that has no place in a package, or a limit passed.
    """
    contents = dict(files)
    if document is not None:
        contents[f"document/{document[0]}"] = document[1]
    for name in contents:
        _check_name(name)
    _check_sizes({name: len(data) for name, data in contents.items()})
    listed = {n: {"sha-256": sha256(d).hexdigest(), "size": len(d)} for n, d in contents.items()}
    manifest = {"version": VERSION, "files": [{"name": n, **listed[n]} for n in sorted(listed)]}
    return write_zip([(MANIFEST, canonical.dumps(manifest)), *sorted(contents.items())])


def _members(archive: zipfile.ZipFile, stream: BinaryIO) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        _check_name(info.filename)
        if info.filename in members:
            raise FormatError(f"{info.filename!r} stands in the package twice")
        check_local(stream, info)
        members[info.filename] = info
    _check_sizes({name: info.file_size for name, info in members.items() if name != MANIFEST})
    return members


def _check_sizes(sizes: Mapping[str, int]) -> None:
    """Limits, but for the manifest, which follows from the rest."""
    if len(sizes) >= MAX_FILES:
        raise FormatError(f"a package holds 1 to {MAX_FILES} files")
    if len({name.split("/")[1] for name in sizes if name.startswith("heads/")}) > MAX_HEADS:
        raise FormatError(f"a package holds at most {MAX_HEADS} heads")
    for name, size in sizes.items():
        limit = MAX_DOCUMENT if name.startswith("document/") else MAX_FILE
        if size > limit:
            raise FormatError(f"{name!r} is larger than {limit} bytes")
    if sum(size for name, size in sizes.items() if not name.startswith("document/")) > MAX_TOTAL:
        raise FormatError(f"the files of the package are larger than {MAX_TOTAL} bytes together")


def _manifest(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> dict[str, tuple[int, bytes]]:
    if MANIFEST not in members:
        raise FormatError("the package has no manifest.json")
    value = exact_keys(
        canonical.loads(_read(archive, members[MANIFEST]), MAX_MANIFEST), ("version", "files"), "manifest"
    )
    version(value["version"], VERSION, "manifest")
    if not isinstance(value["files"], list):
        raise FormatError("files is not a list of manifest entries")
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
    return archive.read(info)  # stored, so no longer than it stands in the ZIP


def _check_name(name: str) -> None:
    if not (_NAMES.fullmatch(name) or _DOCUMENT.fullmatch(name)):
        raise FormatError(f"{name[:80]!r} has no place in a package")
