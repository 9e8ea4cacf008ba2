"""Verification on this service's own word: what it trusts is its own trust file."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from notary.errors import EmptyDocument, EvidenceError, FormatError, NotFound
from notary.evidence.incoming import kind_of, read_evidence, stands_alone
from notary.evidence.outcome import Report
from notary.evidence.package import Digests, Package, digest_stream
from notary.evidence.trust import Trust
from notary.evidence.verify import unreadable, verify
from notary.services.packages import Packages
from notary.services.records import Records
from notary.services.types import Found, Viewer

_PDF = b"%PDF-"
_OTHER = "this is neither an evidence package (.zip) nor a proof (.tlog-proof, .json) nor a report (.pdf)"
_BESIDE = (
    "a COSE receipt is checked beside its statement, an OpenTimestamps file beside a proof: "
    "`notary verify` takes both"
)


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
        head = stream.read(len(_PDF))
        stream.seek(0)
        if not head:
            raise EmptyDocument("the file is empty; send a package, a proof or a report")
        if head.startswith(_PDF):
            return self._report(digest_stream(stream))
        if not stands_alone(stream):
            raise FormatError(_BESIDE if kind_of(stream) else _OTHER)
        try:
            package = read_evidence(stream)
        except EvidenceError as error:
            return unreadable(error)
        return verify(package, self.trust(package))

    def _report(self, digests: Digests) -> Report:
        value = bytes.fromhex(digests.values["sha-256"])
        viewer = Viewer(digest=("sha-256", value))
        known = self.records.lookup("sha-256", value, viewer)
        given = (item.record for item in known if isinstance(item, Found))
        found = next((record for record in given if record.type == "report"), None)
        if found is None:
            raise NotFound("this PDF is no report of this service; look a document up by its digest instead")
        package = Package(self.packages.members(found.number, viewer))
        return verify(package, self.trust(package), digests)
