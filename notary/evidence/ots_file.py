"""OpenTimestamps files (.ots), read strictly and with bounds (docs/formats.md §9.1).

Own code and not the library `opentimestamps`, which the service uses to write them: that reads numbers of any length
and trees of any size, knows deprecated operations, and brings a Bitcoin library and a second Keccak. What has to be
read here is four operations and two attestations.
"""

from dataclasses import dataclass
from hashlib import sha256

from Crypto.Hash import RIPEMD160

from notary.errors import FormatError

MAGIC = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94"
MAX_FILE = 262144
MAX_DEPTH = 256  # operations from the digest to an attestation
MAX_OPERATIONS = 2048  # in the whole file
MAX_ATTESTATIONS = 64
MAX_MESSAGE = 4096  # bytes, of any message and of any operand
MAX_PAYLOAD = 8192
# Of one answer of a calendar: so that those of eight calendars, each asked twice, fit into one file.
MAX_ANSWER = 10_000
MAX_ANSWER_OPERATIONS = 120
MAX_ANSWER_ATTESTATIONS = 4
MAX_URI = 1000
MAX_HEIGHT = 2**31 - 1
VERSION = 1

_ATTESTATION, _FORK = 0x00, 0xFF
_APPEND, _PREPEND, _SHA256, _RIPEMD160 = 0xF0, 0xF1, 0x08, 0x03
_PENDING = bytes.fromhex("83dfe30d2ef90c8e")
_BITCOIN = bytes.fromhex("0588960d73d71901")
_TAG = 8
_DIGEST = 32
_URI_CHARACTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._/:")


@dataclass(frozen=True, slots=True)
class Pending:
    """A calendar has taken `message` in, and is asked for more by it."""

    message: bytes
    uri: str


@dataclass(frozen=True, slots=True)
class InBlock:
    """`merkle_root` (32 bytes, in the order of the header) is said to be that of the Bitcoin block at `height`."""

    merkle_root: bytes
    height: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """An attestation of another kind, named by its tag (hex): kept, shown, and proof of nothing."""

    tag: str


Attestation = Pending | InBlock | Unknown


def parse_ots(data: bytes, digest: bytes) -> tuple[Attestation, ...]:
    """Read a file over the SHA-256 `digest`; its attestations in the order of the file.

    Raises:
        FormatError: not such a file, of another digest, beyond a limit, with an operation that we do not know, or with
            bytes left over.
    """
    if len(data) > MAX_FILE:
        raise FormatError(f"an OpenTimestamps file has at most {MAX_FILE} bytes")
    source = _Source(data)
    if source.take(len(MAGIC), "the header") != MAGIC:
        raise FormatError("not an OpenTimestamps file")
    if source.number("the version") != VERSION:
        raise FormatError(f"the version of the OpenTimestamps file is not {VERSION}")
    if source.byte("the digest's algorithm") != _SHA256:
        raise FormatError("the OpenTimestamps file is not over a SHA-256 digest")
    if source.take(_DIGEST, "the digest") != digest:
        raise FormatError("the OpenTimestamps file is over another digest")
    return _tree(source, digest, MAX_OPERATIONS, MAX_ATTESTATIONS)


def parse_answer(data: bytes, message: bytes) -> tuple[Attestation, ...]:
    """Read what a calendar answers for `message`: a file's tree without its header.

    Raises:
        FormatError: as `parse_ots`.
    """
    if len(data) > MAX_ANSWER:
        raise FormatError(f"an answer of a calendar has at most {MAX_ANSWER} bytes")
    return _tree(_Source(data), message, MAX_ANSWER_OPERATIONS, MAX_ANSWER_ATTESTATIONS)


def heights_of(data: bytes) -> set[int]:
    """Heights of the blocks that a file names, whatever it is over: where to look, and proof of nothing.

    Raises:
        FormatError: as `parse_ots`.
    """
    start = len(MAGIC) + 2
    found = parse_ots(data, data[start : start + _DIGEST])
    return {item.height for item in found if isinstance(item, InBlock)}


class _Source:
    """Bytes that are read from the front, and end nowhere but where they should."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int, what: str) -> bytes:
        if count > self.left:
            raise FormatError(f"the OpenTimestamps file ends within {what}")
        self._at += count
        return self._data[self._at - count : self._at]

    def byte(self, what: str) -> int:
        return self.take(1, what)[0]

    def number(self, what: str) -> int:
        """LEB128, unsigned, in its shortest form, of at most five bytes."""
        value = 0
        for shift in range(0, 35, 7):
            byte = self.byte(what)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the bit that says that another byte follows
                if byte == 0 and shift:
                    break
                return value
        raise FormatError(f"{what} is not a number in its shortest form, or too large")

    def sized(self, limit: int, what: str) -> bytes:
        count = self.number(f"the length of {what}")
        if count > limit:
            raise FormatError(f"{what} has more than {limit} bytes")
        return self.take(count, what)


def _tree(source: _Source, message: bytes, operations: int, attestations: int) -> tuple[Attestation, ...]:
    """Walk the tree without recursion: where it forks, the message is kept until the first branch has ended."""
    found: list[Attestation] = []
    forks: list[tuple[bytes, int]] = []
    depth = 0
    while True:
        tag = source.byte("the tree")
        if tag == _FORK:
            forks.append((message, depth))
            tag = source.byte("the tree")
        if tag != _ATTESTATION:
            message, depth, operations = _apply(source, tag, message), depth + 1, operations - 1
            if operations < 0:
                raise FormatError("too many operations in an OpenTimestamps file")
            if depth > MAX_DEPTH:
                raise FormatError(f"more than {MAX_DEPTH} operations in a row")
            continue
        found.append(_attestation(source, message))
        if len(found) > attestations:
            raise FormatError(f"more than {attestations} attestations")
        if not forks:
            break
        message, depth = forks.pop()
    if source.left:
        raise FormatError("bytes are left over behind the OpenTimestamps file")
    return tuple(found)


def _apply(source: _Source, tag: int, message: bytes) -> bytes:
    if tag == _SHA256:
        return sha256(message).digest()
    if tag == _RIPEMD160:
        return RIPEMD160.new(message).digest()
    if tag not in {_APPEND, _PREPEND}:
        raise FormatError(f"operation 0x{tag:02x} of the OpenTimestamps file is not one that we know")
    operand = source.sized(MAX_MESSAGE, "an operand")
    if not operand:
        raise FormatError("an operand is empty")
    if len(message) + len(operand) > MAX_MESSAGE:
        raise FormatError(f"a message has more than {MAX_MESSAGE} bytes")
    return message + operand if tag == _APPEND else operand + message


def _attestation(source: _Source, message: bytes) -> Attestation:
    tag = source.take(_TAG, "the tag of an attestation")
    payload = _Source(source.sized(MAX_PAYLOAD, "an attestation"))
    attestation: Attestation
    if tag == _PENDING:
        uri = payload.sized(MAX_URI, "the address of a calendar")
        if not uri or not _URI_CHARACTERS.issuperset(uri):
            raise FormatError("the address of a calendar is empty, or has characters that it may not have")
        attestation = Pending(message, uri.decode("ascii"))
    elif tag == _BITCOIN:
        height = payload.number("the height of a block")
        if height > MAX_HEIGHT:
            raise FormatError("the height of a block is too large")
        if len(message) != _DIGEST:
            raise FormatError("what is said to be a Merkle root has not 32 bytes")
        attestation = InBlock(message, height)
    else:
        return Unknown(tag.hex())
    if payload.left:
        raise FormatError("bytes are left over in an attestation")
    return attestation
