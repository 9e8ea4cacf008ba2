"""The evidence package: one ZIP of plain files, read strictly, written reproducibly (docs/formats.md §11)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO

from notary.errors import FormatError
from notary.evidence import bodies
from notary.evidence.archive import Member, pieces, read_members, write_zip
from notary.evidence.bag import FIXED, check_frame, manifest_of_payload, manifest_of_tags
from notary.evidence.digests import ALGORITHMS, Digester
from notary.evidence.package_names import (
    DOCUMENT,
    FRAME,
    MANIFEST,
    MIMETYPE,
    TAGMANIFEST,
    check_name,
    check_sizes,
    is_document,
)
from notary.evidence.timestamp_status import Kind, RevocationData


@dataclass(frozen=True, slots=True)
class Digests:
    """What a document is: all digests that we can take, in hexadecimal, and its length in bytes."""

    values: dict[str, str]
    size: int


@dataclass(frozen=True, slots=True)
class Package:
    """The members of a package by name, without its frame, and what its document is, if it holds one."""

    files: dict[str, bytes]
    document: Digests | None = None
    document_name: str = ""
    is_proof: bool = False  # made of a bare proof, which is no ZIP

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
            package, twice the same name, a limit passed, or a file that is not as the manifests say.
        OSError: the stream cannot be read, which says nothing of the package.
    """
    members = read_members(stream)
    _check_members(members)
    return _contents(stream, members)


def write_package(files: Mapping[str, bytes], document: tuple[str, bytes] | None = None) -> bytes:
    """The ZIP of these members and the frame that follows from them: the same bytes for the same members.

    Args:
        files: names as in docs/formats.md §11.1, without the frame.
        document: file name and bytes of the document, if it is to be in the package.

    Raises:
        FormatError: a name that has no place in a package, or a limit passed.
    """
    contents = dict(files)
    if document is not None:
        contents[DOCUMENT + document[0]] = document[1]
    for name in contents:
        if name in FRAME:
            raise FormatError(f"{name!r} follows from the other files")
        check_name(name)
    contents |= FIXED
    digests = {name: sha256(data).hexdigest() for name, data in contents.items()}
    contents[MANIFEST] = manifest_of_payload(digests)
    digests[MANIFEST] = sha256(contents[MANIFEST]).hexdigest()
    contents[TAGMANIFEST] = manifest_of_tags(digests)
    check_sizes({name: len(data) for name, data in contents.items()})
    first = (MIMETYPE, contents.pop(MIMETYPE))
    # By bytes, which is the order of the code points in UTF-8.
    return write_zip([first, *sorted(contents.items())])


def _check_members(members: Sequence[Member]) -> None:
    sizes: dict[str, int] = {}
    for member in members:
        check_name(member.name)
        if member.name in sizes:
            raise FormatError(f"{member.name!r} stands in the package twice")
        sizes[member.name] = member.size
    if members[0].name != MIMETYPE:
        raise FormatError("the first file of the package is not mimetype")
    check_sizes(sizes)


def _contents(stream: BinaryIO, members: Sequence[Member]) -> Package:
    files: dict[str, bytes] = {}
    digests: dict[str, str] = {}
    document, document_name = None, ""
    for member in members:
        name, found = member.name, pieces(stream, member)
        if is_document(name):
            document, document_name = _digests(found), name.removeprefix(DOCUMENT)
            digests[name] = document.values["sha-256"]
        else:
            files[name] = b"".join(found)
            digests[name] = sha256(files[name]).hexdigest()
    frame = {name: files.pop(name) for name in FRAME & files.keys()}
    check_frame(frame, digests)
    return Package(files, document, document_name)


def _digests(data: Iterable[bytes]) -> Digests:
    digester = Digester(ALGORITHMS)
    for piece in data:
        digester.update(piece)
    return Digests(digester.hex(), digester.size)
