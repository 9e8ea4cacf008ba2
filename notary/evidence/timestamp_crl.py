"""A certificate's status by a certificate revocation list (RFC 5280 §5, §6.3.3).

Only complete lists of the certificate's own issuer count: no delta lists, none of some reasons, none on behalf of
another CA, and of a list that covers a part, the part must be the certificate's. Where the certificate names that part
for some reasons alone, or with another issuer, the list shows revocations and nothing else.
"""

from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime

from asn1crypto import algos, core
from cryptography import x509

from notary.evidence import asn1
from notary.evidence.asn1 import Node
from notary.evidence.asn1_form import ENUMERATED, WHOLE_TIME, read_integer, read_moment
from notary.evidence.timestamp_der import dump, load
from notary.evidence.timestamp_extensions import Point, distribution_points, point_names
from notary.evidence.timestamp_list import (
    AUTHORITY_KEY_ID,
    ISSUING_POINT,
    Entry,
    RevocationList,
    read_entries,
    read_list,
    read_start,
)
from notary.evidence.timestamp_names import general_key, name_key
from notary.evidence.timestamp_status import Status, asn1_of, der_of, extension, require_signature

_REASON, _INVALID, _DELTA = "551d15", "551d18", "551d1b"  # contents of object identifiers, hex
# Any other critical extension is one that we do not understand: the list then says nothing (RFC 5280 §5.2, §5.3).
_CRITICAL = {ISSUING_POINT, AUTHORITY_KEY_ID}
_CRITICAL_OF_ENTRY = {_REASON, _INVALID}
_REASONS = (
    "unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
    "certificateHold", "a reason without a name", "removeFromCRL", "privilegeWithdrawn", "aACompromise",
)  # fmt: skip
_USERS, _AUTHORITIES = (2, 1), (2, 2)  # keys of fields of an issuing distribution point
_PARTS = {(2, 3), (2, 4), (2, 5)}  # some reasons, other CAs' certificates, attribute certificates


def crl_statuses(data: bytes, certificate: x509.Certificate, issuer: x509.Certificate) -> list[Status]:
    """All that the list says of the certificate; nothing where it says nothing of it.

    Raises:
        TimestampError: 15, its signature is not that of the issuer that it names.
        FormatError: the bytes are no list, as far as they have to be read.
    """
    start = read_start(data)
    # As the path compares names (RFC 5280 §7.1), since a list that is passed over revokes nobody.
    if name_key(start.issuer) != name_key(dump(asn1_of(issuer).subject)):
        return []
    found = read_list(start)
    if not _is_by_its_key(found, issuer):
        return []
    algorithm = load(algos.SignedDigestAlgorithm, found.algorithm)
    require_signature(issuer, algorithm, found.signature, found.tbs)
    usage = extension(issuer.extensions, x509.KeyUsage)
    if (usage is not None and not usage.crl_sign) or not _covers(found, certificate):
        return []
    scope = found.extension(ISSUING_POINT)
    named = {general_key(name) for name in point_names(scope)} if scope is not None else set()
    points = [point for point in distribution_points(der_of(certificate)) if _is_at(point, named)]
    if named and not points:
        return []
    entries = read_entries(found.entries, core.Integer(certificate.serial_number).dump())
    statuses = _statuses(entries, certificate.serial_number, found.this_update)
    if not named or any(not point.some_reasons and point.issuer is None for point in points):
        return statuses
    # Whom a list of this CA's revokes is revoked. That it covers some reasons alone, or that another CA's should be
    # asked, says only that it shows nobody good.
    return [replace(status, partial=True) for status in statuses if status.revoked_at is not None]


def _is_by_its_key(found: RevocationList, issuer: x509.Certificate) -> bool:
    """Whether the issuer's key is named, where one is: a CA that has changed its key signs for its old name, too."""
    stated = found.extension(AUTHORITY_KEY_ID)
    own = extension(issuer.extensions, x509.SubjectKeyIdentifier)
    identifier = stated and next((each.content for each in stated.children or () if each.key == (2, 0)), None)
    return identifier is None or own is None or bool(identifier == own.digest)


def _covers(found: RevocationList, certificate: x509.Certificate) -> bool:
    """Whether the list is complete, and of the kind of certificates that this one is of."""
    if any(each.critical and each.oid not in _CRITICAL for each in found.extensions):
        return False
    if any(each.oid == _DELTA for each in found.extensions):
        return False  # which should be critical
    scope = found.extension(ISSUING_POINT)
    if scope is None:
        return True
    basic = extension(certificate.extensions, x509.BasicConstraints)
    is_ca = basic is not None and basic.ca
    stated = {each.key: each for each in scope.children or ()}
    if stated.keys() & _PARTS or (_USERS in stated and is_ca) or (_AUTHORITIES in stated and not is_ca):
        return False
    # A name that is relative to the issuer's says nothing that we compare.
    return (2, 0) not in stated or (stated[2, 0].children or ())[0].key == (2, 0)


def _is_at(point: Point, named: AbstractSet[object]) -> bool:
    """Whether one of the names is the point's, or its issuer's where it has none (RFC 5280 §6.3.3 b 2)."""
    own = point.issuer if point.full_name is None else point.full_name
    return any(general_key(name) in named for name in own or ())


def _statuses(entries: list[Entry], serial: int, this_update: datetime) -> list[Status]:
    """Each entry of the number: a later one takes nothing back; one that says *not revoked* where there is none."""
    if any(
        each.critical and each.oid not in _CRITICAL_OF_ENTRY for entry in entries for each in entry.extensions
    ):
        return []
    found = list[Status]()
    for entry in entries:
        if entry.serial != serial:
            continue
        values = {each.oid: asn1.parse(each.value, der=True) for each in entry.extensions}
        since = min(entry.at, _moment(values[_INVALID])) if _INVALID in values else entry.at
        found.append(Status(this_update, since, _reason(values[_REASON]) if _REASON in values else None))
    return found or [Status(this_update)]


def _moment(value: Node) -> datetime:
    WHOLE_TIME.check(value)
    return read_moment(value)


def _reason(value: Node) -> str:
    ENUMERATED.check(value)
    code = read_integer(value.content)
    return _REASONS[code] if 0 <= code < len(_REASONS) else f"reason {code}"
