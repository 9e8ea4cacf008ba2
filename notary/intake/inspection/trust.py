"""By what a certificate is measured: roots from outside, a time, and what the file itself brings along."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import x509
from pyhanko.sign.ades.report import AdESIndeterminate
from pyhanko.sign.validation.status import SignatureStatus
from pyhanko_certvalidator import ValidationContext

from notary.evidence.timestamp_der import dump
from notary.intake.inspection.material import Material


@dataclass(frozen=True, slots=True)
class Trust:
    """What a certificate is measured by: roots (DER), the time, and what the file itself brings along.

    `readable`: whether all that the file brings along in its stores could be read.
    """

    roots: Sequence[x509.Certificate]
    at: datetime
    store: Material | None = None
    readable: bool = True

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

    def revoked(self, status: SignatureStatus, moment: datetime, inside: Material | None = None) -> bool:
        """Whether data at hand, in the stores or `inside` the signature, says that a path's certificate was revoked.

        pyHanko asks only of a certificate that names an address of revocation data, so it is asked here of every one.
        """
        path = [status.signing_cert] if status.validation_path is None else list(status.validation_path)
        return any(here.revokes(each, moment) for here in (self.store, inside) if here for each in path)

    def of(self, status: SignatureStatus) -> str:
        """`untrusted` needs a path to a root of ours that then failed; without one the signer is a stranger."""
        if status.trusted:
            return "trusted"
        path = status.validation_path
        anchor = getattr(path.trust_anchor, "certificate", None) if path is not None else None
        ours = anchor is not None and dump(anchor) in set(map(dump, self.roots))
        # pyHanko names no path when the path held and the certificate's purpose did not, nor for a self-signed one.
        misused = status.trust_problem_indic == AdESIndeterminate.CHAIN_CONSTRAINTS_FAILURE
        stranger = not self.roots or status.signing_cert.self_issued
        return "untrusted" if ours or (misused and not stranger) else "unrecognised"
