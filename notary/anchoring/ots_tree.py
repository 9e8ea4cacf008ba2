"""OpenTimestamps files in the hands of the library: opened, joined, closed.

The library gets nothing that the strict reader of `notary.evidence` has not passed, and what it makes goes through
that reader again.
"""

from collections.abc import Iterator

from opentimestamps.core.notary import PendingAttestation
from opentimestamps.core.op import OpAppend, OpSHA256
from opentimestamps.core.serialize import (
    BytesDeserializationContext,
    BytesSerializationContext,
    DeserializationError,
)
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp

from notary.errors import AnchorRejected, FormatError
from notary.evidence.ots_file import parse_answer, parse_ots


def opened(digest: bytes, kept: bytes | None) -> Timestamp:
    """The tree of a stored file over a SHA-256 digest, or an empty one.

    Raises:
        AnchorRejected: it is no such file.
    """
    if kept is None:
        return Timestamp(digest)
    try:
        parse_ots(kept, digest)
    except FormatError as error:
        raise AnchorRejected(f"the stored OpenTimestamps file: {error}") from error
    found: Timestamp = DetachedTimestampFile.deserialize(BytesDeserializationContext(kept)).timestamp
    return found


def closed(digest: bytes, stamp: Timestamp) -> bytes:
    """The file of a tree, read once more: nothing leaves here that a verifier would refuse."""
    context = BytesSerializationContext()
    DetachedTimestampFile(OpSHA256(), stamp).serialize(context)
    data = bytes(context.getbytes())
    parse_ots(data, digest)
    return data


def blinded(stamp: Timestamp, blind: bytes) -> Timestamp:
    """The place SHA-256(message ‖ blind) under a tree, made where it is not there."""
    found: Timestamp = stamp.ops.add(OpAppend(blind)).ops.add(OpSHA256())
    return found


def joined(calendar: str, answer: bytes, place: Timestamp) -> None:
    """Add to a place what a calendar answered about it, which `parse_answer` has passed.

    Raises:
        AnchorRejected: the library, which knows more kinds of attestations, cannot read one; or something is said
            twice, of which it keeps one.
    """
    context = BytesSerializationContext()
    try:
        found = Timestamp.deserialize(BytesDeserializationContext(answer), place.msg)
    except DeserializationError as error:
        raise AnchorRejected(f"{calendar}: {error}") from error
    found.serialize(context)
    if set(parse_answer(bytes(context.getbytes()), place.msg)) != set(parse_answer(answer, place.msg)):
        raise AnchorRejected(f"{calendar} answers with one operation twice at one place")
    place.merge(found)


def promises(stamp: Timestamp) -> list[tuple[Timestamp, str]]:
    """Each place of a tree that a calendar has promised for, with the calendar's address."""
    return [
        (place, item.uri.rstrip("/"))
        for place in _places(stamp)
        for item in sorted(place.attestations)
        if isinstance(item, PendingAttestation)
    ]


def _places(stamp: Timestamp) -> Iterator[Timestamp]:
    yield stamp
    for below in stamp.ops.values():
        yield from _places(below)
