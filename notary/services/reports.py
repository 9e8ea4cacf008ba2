"""Reports: verified, rendered, sealed, stored and logged once for each state of a record."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from notary.evidence.bag import evidence_manifest
from notary.evidence.chain import decode_evidence, decode_header
from notary.evidence.digests import Digester
from notary.evidence.number import show_number
from notary.evidence.package import Package
from notary.evidence.trust import Trust
from notary.evidence.verify import verify
from notary.intake.accept import Intake
from notary.intake.report import log_report
from notary.report.facts import AnchorFact, Facts, facts_of, heads_of
from notary.report.pdf import render
from notary.services.kept_reports import KeptReports
from notary.services.packages import Packages
from notary.services.types import Viewer
from notary.store.engine import Database
from notary.store.records import record_by_number


@dataclass(frozen=True, slots=True)
class Reports:
    """Makes the report of a record for the organisation that submitted it."""

    database: Database
    kept: KeptReports
    intake: Intake
    packages: Packages
    trust: Callable[[Package], Trust]
    seal: Callable[[bytes], bytes]  # changes nothing where no seal is configured
    operator: str
    public_url: str
    proves_nothing: bool
    now: Callable[[], datetime]

    def report(self, number: str, tenant_id: int) -> bytes:
        """The PDF. The same state of the record gives the same report, byte for byte.

        Raises:
            NotFound: the organisation has no such record.
            NotReady: the record is in no checkpoint yet.
            ToolMissing: the font is missing.
        """
        self.packages.records.own(number, tenant_id)
        members = self.packages.members(number, Viewer(tenant_id))
        # Not of the package's bytes: they hold guides and tools, too, and the report itself once there is one.
        state = evidence_manifest(members)
        pdf = self.kept.read(number, state)
        if pdf is None:
            pdf = self.kept.keep(number, state, self.seal(render(self._facts(number, members, state))))
        # Durable: the report, before anybody is shown it. A crash here leaves a report that is not logged; the
        # next request finds it stored, and logs it.
        self._log(number, tenant_id, pdf)
        return pdf

    def _log(self, number: str, tenant_id: int, pdf: bytes) -> None:
        digester = Digester(("sha-256", "sm3"))
        digester.update(pdf)
        with self.database.reading() as connection:
            about = record_by_number(connection, number, tenant_id)
        log_report(self.intake, about, digester.hex(), digester.size)

    def _facts(self, number: str, members: dict[str, bytes], state: bytes) -> Facts:
        package = Package(members)
        checked = verify(package, self.trust(package))
        # The report is about the record. Whether a document is the recorded one is for whoever holds it: the
        # report prints the digests, and says that no document was compared.
        result = replace(checked, required=checked.required - {"2.3"})
        return facts_of(
            result,
            number=number,
            operator=self.operator,
            generated=self.now(),
            # With the openings in the package their salts are in this digest: without them nobody can make the same
            # report of another value, and find its digest in the log.
            evidence_digests={"evidence (docs/formats.md §11.7)": sha256(state).hexdigest()},
            heads=heads_of(package, result),
            anchors=_anchors(package),
            verify_url=f"{self.public_url}/e/{show_number(number)}",
            proves_nothing=self.proves_nothing,
        )


def _anchors(package: Package) -> list[AnchorFact]:
    found = []
    for size in package.sizes():
        data = package.files.get(f"heads/{size}/anchor.json")
        if data is None:
            continue
        evidence = decode_evidence(data)
        header = decode_header(evidence.header, evidence.profile)
        found.append(
            AnchorFact(
                size=size,
                chain_id=evidence.chain_id,
                contract="0x" + evidence.contract.hex(),
                log_id="0x" + evidence.log_id.hex(),
                block_number=header.number,
                block_hash="0x" + header.hash.hex(),
                block_time=datetime.fromtimestamp(header.time, UTC),
            )
        )
    return found
