"""What a CA says of one certificate at one moment, and what both of its forms, CRL and OCSP, have in common."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from asn1crypto import algos

from notary.errors import TimestampError
from notary.evidence.timestamp_certificate import Certificate
from notary.evidence.timestamp_der import load
from notary.evidence.timestamp_signature import verify_signature

CHECK = 15  # of docs/formats.md §9
MAX_REVOCATION = 1024 * 1024  # bytes of one CRL; an OCSP response has fewer


class Kind(StrEnum):
    """The form of revocation data, which is its file's name extension."""

    CRL = "crl"
    OCSP = "ocsp"


@dataclass(frozen=True, slots=True)
class RevocationData:
    """One DER CertificateList (RFC 5280 §5) or OCSPResponse (RFC 6960 §4.2), as it was answered."""

    kind: Kind
    data: bytes


_REASONS = (
    "unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
    "certificateHold", "7", "removeFromCRL", "privilegeWithdrawn", "aACompromise",
)  # fmt: skip


def reason_of(number: int) -> str:
    """The name of a CRLReason (RFC 5280 §5.3.1); of one that there is not its number."""
    return _REASONS[number] if 0 <= number < len(_REASONS) else str(number)


@dataclass(frozen=True, slots=True)
class Status:
    """A CA's signed word on one certificate: revoked, or as of `this_update` not."""

    this_update: datetime  # UTC
    revoked_at: datetime | None = None  # UTC; of revocation or invalidity date the earlier
    reason: str | None = None  # as RFC 5280 §5.3.1 names it, or its number; None where the CA states none
    partial: bool = False  # of some reasons, or of another issuer's part: it may spoil, and shows nothing


def require_signature(issuer: Certificate, algorithm: bytes, signature: bytes, data: bytes) -> None:
    """Refuse what bears the issuer's name and not its signature, or one that is not on the allow-list.

    Args:
        issuer: who is named.
        algorithm: the AlgorithmIdentifier in DER.
        signature: its value.
        data: what was signed.

    Raises:
        TimestampError: 15.
    """
    try:
        verify_signature(issuer.key, load(algos.SignedDigestAlgorithm, algorithm), signature, data)
    except TimestampError as error:
        raise TimestampError(
            CHECK, f"revocation data in the name of {issuer.title} is not signed by it: {error}"
        ) from error
