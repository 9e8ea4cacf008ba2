"""Verification on this service's own word: what it trusts is its own trust file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import BinaryIO

from notary.errors import Busy, EmptyDocument, EvidenceError, FormatError, NotFound
from notary.evidence.incoming import kind_of, read_evidence, stands_alone
from notary.evidence.outcome import Report
from notary.evidence.package import Digests, Package, digest_stream
from notary.evidence.trust import Trust
from notary.evidence.verify import unreadable, verify
from notary.intake.spool import Spool
from notary.services.packages import Packages
from notary.services.records import Records
from notary.services.types import Found, Viewer

IN_FLIGHT = 256  # requests whose files are taken in, mostly to the disk (notary.api.bodies), or checked
BODY_SECONDS = 300.0  # for a file to arrive
_PDF = b"%PDF-"
_OTHER = "this is neither an evidence package (.zip) nor a proof (.tlog-proof, .json) nor a report (.pdf)"
_BESIDE = (
    "a COSE receipt is checked beside its statement, an OpenTimestamps file beside a proof: "
    "`notary verify` takes both"
)


@dataclass(frozen=True, slots=True)
class Verifying:
    """Verifies what is uploaded: a package, a proof, or a report of ours by its digest.

    Anybody may upload, so what is uploaded has a share of its own: it takes nothing from those who submit.

    Attributes:
        records, packages: what is stored.
        trust: the trust that a package is checked with.
        spool: for files while they are checked; it leaves room for documents.
    """

    records: Records
    packages: Packages
    trust: Callable[[Package], Trust]
    spool: Spool
    _flying: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(IN_FLIGHT), repr=False)

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place for one request, to be taken before its body is read.

        Raises:
            Busy: all are taken.
        """
        if not self._flying.acquire(blocking=False):
            raise Busy(
                f"{IN_FLIGHT} files are being verified; send it again in a second, or verify it yourself"
            )
        try:
            yield
        finally:
            self._flying.release()

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
