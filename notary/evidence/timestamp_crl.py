"""A certificate's status by a certificate revocation list (RFC 5280 §5, §6.3.3).

Only complete lists of the certificate's own issuer count: no delta lists, none of some reasons, none on behalf of
another CA, and of a list that covers a part, the part must be the certificate's. Where the certificate names that part
for some reasons alone, or with another issuer, the list shows revocations and nothing else.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from asn1crypto import crl as lenient
from cryptography import x509
from cryptography.x509.oid import CRLEntryExtensionOID, ExtensionOID

from notary.evidence.timestamp_der import load
from notary.evidence.timestamp_names import name_key, same_name
from notary.evidence.timestamp_status import Status, asn1_of, extension, require_signature

# Any other critical extension is one that we do not understand: the list then says nothing (RFC 5280 §5.2, §5.3).
_CRITICAL = {ExtensionOID.ISSUING_DISTRIBUTION_POINT, ExtensionOID.AUTHORITY_KEY_IDENTIFIER}
_CRITICAL_OF_ENTRY = {CRLEntryExtensionOID.CRL_REASON, CRLEntryExtensionOID.INVALIDITY_DATE}


def crl_statuses(data: bytes, certificate: x509.Certificate, issuer: x509.Certificate) -> list[Status]:
    """All that the list says of the certificate; nothing where it says nothing of it.

    Raises:
        TimestampError: 15, its signature is not that of the issuer that it names.
        ValueError, TypeError: the bytes are no DER CertificateList.
    """
    # Strict DER to the last byte, with one signature algorithm inside and outside of what is signed.
    revoked = x509.load_der_x509_crl(data)
    parsed = load(lenient.CertificateList, data)
    if not _is_of(revoked, parsed["tbs_cert_list"]["issuer"], issuer):
        return []
    require_signature(issuer, parsed["signature_algorithm"], revoked.signature, revoked.tbs_certlist_bytes)
    usage = extension(issuer.extensions, x509.KeyUsage)
    if (usage is not None and not usage.crl_sign) or not _covers(revoked, certificate):
        return []
    scope = extension(revoked.extensions, x509.IssuingDistributionPoint)
    named = () if scope is None else scope.full_name or ()
    found = _entries(revoked, certificate.serial_number)
    if not named:
        return found
    points = [point for point in _points(certificate) if _is_at(point, named)]
    if any(point.reasons is None and point.crl_issuer is None for point in points):
        return found
    # Whom a list of this CA's revokes is revoked. That it covers some reasons alone, or that another CA's should be
    # asked, says only that it shows nobody good.
    return [replace(status, partial=True) for status in found if points and status.revoked_at is not None]


def _is_of(revoked: x509.CertificateRevocationList, name: Any, issuer: x509.Certificate) -> bool:
    """Whether issuer and key are named: a CA that has changed its key signs for its old name with the new one.

    Names are compared as the path compares them (RFC 5280 §7.1), since a list that is passed over revokes nobody.
    """
    if not same_name(name, asn1_of(issuer).subject):
        return False
    stated = extension(revoked.extensions, x509.AuthorityKeyIdentifier)
    own = extension(issuer.extensions, x509.SubjectKeyIdentifier)
    if stated is not None and own is not None and stated.key_identifier is not None:
        return bool(stated.key_identifier == own.digest)
    return True


def _covers(revoked: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    if any(each.critical and each.oid not in _CRITICAL for each in revoked.extensions):
        return False
    if extension(revoked.extensions, x509.DeltaCRLIndicator) is not None:
        return False  # which should be critical
    scope = extension(revoked.extensions, x509.IssuingDistributionPoint)
    if scope is None:
        return True
    basic = extension(certificate.extensions, x509.BasicConstraints)
    is_ca = basic is not None and basic.ca
    if scope.indirect_crl or scope.only_some_reasons or scope.only_contains_attribute_certs:
        return False
    if (scope.only_contains_user_certs and is_ca) or (scope.only_contains_ca_certs and not is_ca):
        return False
    return scope.relative_name is None


def _points(certificate: x509.Certificate) -> Iterable[x509.DistributionPoint]:
    return extension(certificate.extensions, x509.CRLDistributionPoints) or ()


def _is_at(point: x509.DistributionPoint, named: Iterable[x509.GeneralName]) -> bool:
    """Whether one of the names is the point's, or its issuer's where it has none (RFC 5280 §6.3.3 b 2)."""
    own = {_general(name) for name in point.full_name or point.crl_issuer or ()}
    return any(_general(name) in own for name in named)


def _general(name: x509.GeneralName) -> object:
    """What two general names that are the same share: names of X.500 as §9 compares them, others as they are."""
    return name_key(name.value.public_bytes()) if isinstance(name, x509.DirectoryName) else name


def _entries(revoked: x509.CertificateRevocationList, serial: int) -> list[Status]:
    """Each entry of the number: a later one takes nothing back; one that says *not revoked* where there is none."""
    moment, found = revoked.last_update_utc, list[Status]()
    for entry in revoked:
        if any(each.critical and each.oid not in _CRITICAL_OF_ENTRY for each in entry.extensions):
            return []
        if entry.serial_number != serial:
            continue
        reason = extension(entry.extensions, x509.CRLReason)
        invalid = extension(entry.extensions, x509.InvalidityDate)
        since = entry.revocation_date_utc
        since = since if invalid is None else min(since, invalid.invalidity_date_utc)
        found.append(Status(moment, since, None if reason is None else reason.reason.value))
    return found or [Status(moment)]
