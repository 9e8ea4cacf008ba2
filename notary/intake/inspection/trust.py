"""By what a certificate is measured: roots from outside, a time, and what the file itself brings along."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import x509
from pyhanko.sign.ades.report import AdESIndeterminate
from pyhanko.sign.validation.status import SignatureStatus
from pyhanko_certvalidator import ValidationContext

from notary.intake.inspection.material import Material


@dataclass(frozen=True, slots=True)
class Trust:
    """What a certificate is measured by: roots (DER), the time, and what the file itself brings along."""

    roots: Sequence[x509.Certificate]
    at: datetime
    store: Material | None = None

    def context(self, moment: datetime) -> ValidationContext:
        """A context that fetches nothing. `trust_roots` is never None: that would mean the system's roots."""
        store = self.store or Material()
        return ValidationContext(
            trust_roots=list(self.roots),
            other_certs=list(store.certs),
            crls=list(store.crls),
            ocsps=list(store.ocsps),
            moment=moment,
            best_signature_time=moment,
            allow_fetching=False,
            revocation_mode="soft-fail",
            retroactive_revinfo=True,
        )

    def of(self, status: SignatureStatus) -> str:
        """`untrusted` needs a path to a root of ours that then failed; without one the signer is a stranger."""
        if status.trusted:
            return "trusted"
        path = status.validation_path
        anchor = getattr(path.trust_anchor, "certificate", None) if path is not None else None
        ours = anchor is not None and anchor.dump() in {root.dump() for root in self.roots}
        # pyHanko names no path when the path held and the certificate's purpose did not, nor for a self-signed one.
        misused = status.trust_problem_indic == AdESIndeterminate.CHAIN_CONSTRAINTS_FAILURE
        stranger = not self.roots or status.signing_cert.self_issued
        return "untrusted" if ours or (misused and not stranger) else "unrecognised"
