"""Verification on this service's own word: what it trusts is its own trust file."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from notary.errors import EmptyDocument, EvidenceError, FormatError, NotFound
from notary.evidence.outcome import Report
from notary.evidence.package import Digests, Package, digest_stream, read_package
from notary.evidence.proof_file import MAX_FILE, TLOG_PROOF
from notary.evidence.trust import Trust
from notary.evidence.verify import package_of_proof, unreadable, verify
from notary.services.packages import Packages
from notary.services.records import Records
from notary.services.types import Viewer

_PDF = b"%PDF-"
_ZIP = b"PK"


@dataclass(frozen=True, slots=True)
class Verifying:
    """Verifies what is uploaded: a package, a proof, or a report of ours by its digest."""

    records: Records
    packages: Packages
    trust: Callable[[Package], Trust]

    def verify(self, stream: BinaryIO) -> Report:
        """The result; a package or proof that cannot be read is a failed check 1.1, never an error.

        Raises:
            EmptyDocument: nothing was sent.
            FormatError: it is not even the beginning of a package, a proof or a report.
            NotFound: a PDF that is no report of this service, as far as the asker may see.
        """
        head = stream.read(len(TLOG_PROOF))
        stream.seek(0)
        if not head:
            raise EmptyDocument("the file is empty; send a package, a proof or a report")
        if head.startswith(_PDF):
            return self._report(digest_stream(stream))
        if head != TLOG_PROOF.encode() and not head.startswith(_ZIP):
            raise FormatError(
                "this is neither an evidence package (.zip) nor a proof (.tlog-proof) nor a report (.pdf)"
            )
        try:
            if head == TLOG_PROOF.encode():
                package = package_of_proof(stream.read(MAX_FILE + 1))
            else:
                package = read_package(stream)
        except EvidenceError as error:
            return unreadable(error)
        return verify(package, self.trust(package))

    def _report(self, digests: Digests) -> Report:
        value = bytes.fromhex(digests.values["sha-256"])
        viewer = Viewer(digest=("sha-256", value))
        found = next((v for v in self.records.lookup("sha-256", value, viewer) if v.type == "report"), None)
        if found is None:
            raise NotFound("this PDF is no report of this service; look a document up by its digest instead")
        package = read_package(BytesIO(self.packages.package(found.number, viewer)))
        return verify(package, self.trust(package), digests)
