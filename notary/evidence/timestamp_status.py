"""What a CA says of one certificate at one moment, and what both of its forms, CRL and OCSP, have in common."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notary.errors import TimestampError
from notary.evidence.timestamp_der import load
from notary.evidence.timestamp_signature import verify_signature

CHECK = 15  # of docs/formats.md §9
MAX_REVOCATION = 1024 * 1024  # bytes of one CRL or OCSP response


class Kind(StrEnum):
    """The form of revocation data, which is its file's name extension."""

    CRL = "crl"
    OCSP = "ocsp"


@dataclass(frozen=True, slots=True)
class RevocationData:
    """One DER CertificateList (RFC 5280 §5) or OCSPResponse (RFC 6960 §4.2), as it was answered."""

    kind: Kind
    data: bytes


@dataclass(frozen=True, slots=True)
class Status:
    """A CA's signed word on one certificate: revoked, or as of `this_update` not."""

    this_update: datetime  # UTC
    revoked_at: datetime | None = None  # UTC; of revocation or invalidity date the earlier
    reason: str | None = None  # as RFC 5280 §5.3.1 names it; None where the CA states none
    partial: bool = False  # of some reasons, or of another issuer's part: it may spoil, and shows nothing


def require_signature(issuer: x509.Certificate, algorithm: Any, signature: bytes, data: bytes) -> None:
    """Refuse what bears the issuer's name and not its signature, or one that is not on the allow-list.

    Args:
        issuer: who is named.
        algorithm: the AlgorithmIdentifier as asn1crypto parses it.
        signature: its value.
        data: what was signed.

    Raises:
        TimestampError: 15.
    """
    key = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    try:
        verify_signature(key, algorithm, signature, data)
    except TimestampError as error:
        raise TimestampError(
            CHECK, f"revocation data in the name of {name_of(issuer)} is not signed by it: {error}"
        ) from error


def extension(extensions: Iterable[x509.Extension[Any]], kind: type[Any]) -> Any:
    """The value of the extension of a class of cryptography, or None."""
    return next((each.value for each in extensions if isinstance(each.value, kind)), None)


def der_of(certificate: x509.Certificate) -> bytes:
    """Its DER."""
    return certificate.public_bytes(Encoding.DER)


def asn1_of(certificate: x509.Certificate) -> asn1.Certificate:
    """As asn1crypto parses it."""
    parsed: asn1.Certificate = load(asn1.Certificate, der_of(certificate))
    return parsed


def name_of(certificate: x509.Certificate) -> str:
    """Its subject as it may be shown (RFC 4514)."""
    return certificate.subject.rfc4514_string()
