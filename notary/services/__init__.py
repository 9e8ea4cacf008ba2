"""The steps in one frozen value: what the API and the command line call."""

from dataclasses import dataclass

from notary.services.bulk import BulkSubmitting
from notary.services.exports import Exports
from notary.services.health import Health
from notary.services.incidents import Incidents
from notary.services.log_files import LogFiles
from notary.services.log_proofs import LogProofs
from notary.services.packages import Packages
from notary.services.records import Records
from notary.services.reports import Reports
from notary.services.submitting import Submitting
from notary.services.tenants import Tenants
from notary.services.types import Anchors
from notary.services.verifying import Verifying


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a process of the service can be asked for."""

    origin: str
    operator: str
    embedded: bool
    anchors: Anchors  # that are configured
    max_document_bytes: int
    max_request_bytes: int
    tenants: Tenants
    submitting: Submitting
    bulk: BulkSubmitting
    records: Records
    packages: Packages
    exports: Exports
    reports: Reports
    verifying: Verifying
    tiles: LogFiles
    log_proofs: LogProofs
    incidents: Incidents
    health: Health
