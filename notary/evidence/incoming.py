"""Files that somebody hands over as evidence: whether they are any, and what is in them."""

from typing import BinaryIO

from notary.evidence.package import Package, read_package
from notary.evidence.proof_file import MAX_FILE, TLOG_PROOF
from notary.evidence.verify import package_of_proof

_PROOF = TLOG_PROOF.encode()
_ZIP = b"PK"


def is_evidence(stream: BinaryIO) -> bool:
    """Whether a seekable stream begins as a package or a proof does.

    One that does not is something else, and no damaged evidence: nothing of it can pass or fail.
    """
    head = _head(stream)
    return head == _PROOF or head.startswith(_ZIP)


def read_evidence(stream: BinaryIO) -> Package:
    """A package, or a bare proof as one, told apart by their first bytes.

    Raises:
        FormatError: not of the format.
        OSError: the stream cannot be read, which says nothing of what is in it.
    """
    if _head(stream) == _PROOF:
        return package_of_proof(stream.read(MAX_FILE + 1))
    return read_package(stream)


def _head(stream: BinaryIO) -> bytes:
    stream.seek(0)
    head = stream.read(len(_PROOF))
    stream.seek(0)
    return head
