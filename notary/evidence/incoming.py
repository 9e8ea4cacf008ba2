"""Files that somebody hands over as evidence: what they are, by how they begin, and what is in them."""

from enum import Enum
from typing import BinaryIO

from notary.evidence import cose, json_proof, ots_file
from notary.evidence.exports import package_of_json, package_of_proof
from notary.evidence.package import Package, read_package
from notary.evidence.proof_file import MAX_FILE, TLOG_PROOF

# One more byte than any of its kind may have is read, so that what is too large is seen to be.
MOST_BESIDE = max(cose.MAX_RECEIPT, ots_file.MAX_FILE) + 1


class Kind(Enum):
    """What evidence may be; the value is how it begins."""

    PACKAGE = b"PK"
    PROOF = TLOG_PROOF.encode()
    JSON = json_proof.BEGINNING
    COSE = cose.TAG_AND_ARRAY  # checked beside its statement
    OTS = ots_file.MAGIC  # checked beside a proof


def kind_of(stream: BinaryIO) -> Kind | None:
    """What a seekable stream begins as; None of what is something else.

    That is no damaged evidence: nothing of it can pass or fail.
    """
    stream.seek(0)
    head = stream.read(max(len(kind.value) for kind in Kind))
    stream.seek(0)
    return next((kind for kind in Kind if head.startswith(kind.value)), None)


def stands_alone(stream: BinaryIO) -> bool:
    """Whether it begins as evidence that nothing else is needed to check: a package or a proof."""
    return kind_of(stream) in {Kind.PACKAGE, Kind.PROOF, Kind.JSON}


def read_evidence(stream: BinaryIO) -> Package:
    """A package, or a proof as one.

    Raises:
        FormatError: not of the format.
        OSError: the stream cannot be read, which says nothing of what is in it.
    """
    match kind_of(stream):
        case Kind.PROOF:
            return package_of_proof(stream.read(MAX_FILE + 1))
        case Kind.JSON:
            return package_of_json(stream.read(json_proof.MAX_JSON_PROOF + 1))
        case _:
            return read_package(stream)
