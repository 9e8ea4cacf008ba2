"""Fetches what CAs say of certificates, from the places that the certificates name (RFC 5280 §4.2.1.13, §4.2.2.1)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from notary.errors import SettingsError, Unavailable
from notary.evidence.timestamp_revocation_form import MAX_RESPONSE
from notary.evidence.timestamp_status import MAX_REVOCATION, Kind, RevocationData
from notary.outbound import Outbound, check_url

MAX_SOURCES = 8  # of one certificate that are asked


@dataclass(frozen=True, slots=True)
class Source:
    """Where to ask, and for which form of answer."""

    kind: Kind
    url: str


def sources(certificate: x509.Certificate) -> tuple[Source, ...]:
    """The places that a certificate names and that can be asked: lists first, since any tool reads them."""
    try:
        return tuple(source for source in _named(certificate) if _usable(source.url))[:MAX_SOURCES]
    except ValueError:  # an extension that cannot be read names no place
        return ()


def fetch(
    outbound: Outbound, source: Source, certificate: x509.Certificate, issuer: x509.Certificate
) -> RevocationData:
    """Ask; the answer is not looked at.

    Raises:
        Unavailable: no answer, none there, a list of more than 1 MiB, or a response of more than 16 KiB.
    """
    if source.kind is Kind.CRL:
        found = outbound.get(source.url, MAX_REVOCATION)
        if found is None:
            raise Unavailable(f"there is no revocation list at {source.url}")
        return RevocationData(source.kind, found)
    sha1 = hashes.SHA1()  # noqa: S303 - identifies the issuer, and is what every responder knows (RFC 5019 §2.1.1)
    asked = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, sha1)
    body = asked.build().public_bytes(serialization.Encoding.DER)
    answer = outbound.post(source.url, body, "application/ocsp-request", MAX_RESPONSE)
    return RevocationData(source.kind, answer)


def _extension(extensions: Iterable[x509.Extension[Any]], kind: type[Any]) -> Any:
    return next((each.value for each in extensions if isinstance(each.value, kind)), None)


def _named(certificate: x509.Certificate) -> Iterator[Source]:
    for point in _extension(certificate.extensions, x509.CRLDistributionPoints) or ():
        for name in point.full_name or ():
            if isinstance(name, x509.UniformResourceIdentifier):
                yield Source(Kind.CRL, name.value)
    for access in _extension(certificate.extensions, x509.AuthorityInformationAccess) or ():
        name = access.access_location
        if access.access_method == AuthorityInformationAccessOID.OCSP and isinstance(
            name, x509.UniformResourceIdentifier
        ):
            yield Source(Kind.OCSP, name.value)


def _usable(url: str) -> bool:
    """Not LDAP, for example. Which addresses may be asked is judged when it is asked."""
    try:
        check_url(url)
    except SettingsError:
        return False
    return True
