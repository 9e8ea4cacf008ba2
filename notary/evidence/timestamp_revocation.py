"""Check 15: whether the certificates behind a token were revoked (RFC 3161 §4), with three outcomes.

Made with functions of our own, not with pyhanko-certvalidator: there, data issued later than the moment that is
validated counts only with a switch that takes older data too; a reason makes no difference, where RFC 3161 §4 lets
one reason spoil every token and another only those that came after it; and its algorithms are not our allow-list.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from notary.errors import FormatError, TimestampError
from notary.evidence.timestamp_crl import crl_statuses
from notary.evidence.timestamp_form import require
from notary.evidence.timestamp_ocsp import ocsp_statuses
from notary.evidence.timestamp_revocation_form import MAX_RESPONSE, OCSP_RESPONSE
from notary.evidence.timestamp_status import (
    CHECK,
    MAX_REVOCATION,
    Kind,
    RevocationData,
    Status,
    name_of,
)

MAX_DATA = 8  # files beside one token; a path has at most seven certificates below its root
_READ = {
    each.dotted_string
    for each in (
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
    )
}
_POINTS = (
    ExtensionOID.CRL_DISTRIBUTION_POINTS.dotted_string
)  # without them a list of some points says nothing
# With these the key was in good hands to the end: tokens from before stay valid. RFC 3161 §4, item 1.
_HARMLESS = {"unspecified", "affiliationChanged", "superseded", "cessationOfOperation"}


class Standing(StrEnum):
    """What is known of a path's certificates at genTime."""

    NOT_REVOKED = "not_revoked"
    REVOKED = "revoked"
    NOT_CAPTURED = "not_captured"


@dataclass(frozen=True, slots=True)
class Revocation:
    """The finding, and one English sentence on it."""

    standing: Standing
    detail: str


def check_revocation(
    path: Sequence[bytes], moment: datetime, data: Sequence[RevocationData], *, strict: bool
) -> Revocation:
    """Refuse a token whose certificates were revoked; under the strict policy also one that leaves it open.

    Args:
        path: DER certificates, the signer's first, each issued by the next, up to the pinned root.
        moment: genTime, UTC.
        data: what was captured beside the token, in any order.
        strict: whether *not captured* fails too.

    Raises:
        TimestampError: 15: revoked, not captured under the strict policy, or data that is forged or cannot be read.
    """
    found = revocation(path, moment, data)
    if found.standing is Standing.REVOKED or (strict and found.standing is Standing.NOT_CAPTURED):
        raise TimestampError(CHECK, found.detail)
    return found


def revocation(path: Sequence[bytes], moment: datetime, data: Sequence[RevocationData]) -> Revocation:
    """What the data shows of each certificate below the root, which is pinned and vouched for by nobody else.

    Raises:
        TimestampError: 15: data that is forged, too large, too much, or cannot be read.
    """
    if len(data) > MAX_DATA:
        raise TimestampError(CHECK, f"more than {MAX_DATA} files of revocation data")
    try:
        certificates = [_readable(der) for der in path]
    except Exception:  # noqa: BLE001 - stricter than the parser that found the path, and raises nearly anything
        return Revocation(Standing.NOT_CAPTURED, "a certificate of the path is not as DER wants it")
    for each in data:
        _require_form(each)
    shown, missing = [], []
    for certificate, issuer in pairwise(certificates):
        statuses = [status for each in data for status in _said(each, certificate, issuer)]
        for status in statuses:
            if spoils(status, moment):
                return Revocation(Standing.REVOKED, _revoked(certificate, status))
        good = [s for s in statuses if shows(s, certificate, moment)]
        if good:
            shown.append(f"{name_of(certificate)} by {good[0].this_update.isoformat()}{_later(good)}")
        else:
            missing.append(name_of(certificate))
    if missing:
        return Revocation(
            Standing.NOT_CAPTURED, f"no revocation data from genTime or later covers {'; '.join(missing)}"
        )
    return Revocation(Standing.NOT_REVOKED, f"not revoked at genTime: {'; '.join(shown)}")


def _readable(der: bytes) -> x509.Certificate:
    """The certificate; where the library cannot read its extensions, with those alone that revocation rests on.

    The library reads all or none, also those of which §9 of docs/formats.md says nothing. What one of these holds must
    not hide a revocation. The path, with all signatures in it, was checked before.
    """
    for kept in (None, _READ, _READ - {_POINTS}):
        certificate = x509.load_der_x509_certificate(der if kept is None else _with_alone(der, kept))
        try:
            _ = certificate.extensions
        except Exception:  # noqa: BLE001, S112 - it raises nearly anything
            continue
        return certificate
    raise FormatError("an extension that revocation rests on cannot be read")


def _with_alone(der: bytes, kept: AbstractSet[str]) -> bytes:
    bare = asn1_x509.Certificate.load(der)
    tbs = bare["tbs_certificate"]
    tbs["extensions"] = [each for each in tbs["extensions"] if each["extn_id"].dotted in kept] or None
    made: bytes = bare.dump()
    return made


def statuses_of(
    data: RevocationData, certificate: x509.Certificate, issuer: x509.Certificate
) -> list[Status]:
    """All that one file says of a certificate; nothing where it says nothing of it, or may not be used to say it.

    Raises:
        TimestampError: 15: it is forged, too large, or cannot be read.
    """
    _require_form(data)
    return _said(data, certificate, issuer)


def _said(data: RevocationData, certificate: x509.Certificate, issuer: x509.Certificate) -> list[Status]:
    read = crl_statuses if data.kind is Kind.CRL else ocsp_statuses
    try:
        statuses = read(data.data, certificate, issuer)
    except (TimestampError, MemoryError):
        raise
    except FormatError as error:
        raise TimestampError(CHECK, f"revocation data cannot be read: {error}") from error
    except Exception as error:
        # The parsers raise nearly anything on hostile input: this is no revocation data.
        raise TimestampError(CHECK, f"revocation data cannot be read ({type(error).__name__})") from error
    # What a CA signs after the end of its certificate nobody vouches for.
    return [status for status in statuses if _within(status.this_update, issuer)]


def _require_form(data: RevocationData) -> None:
    """Of a list this is seen where it is read, and only as far as it has to be."""
    limit = MAX_REVOCATION if data.kind is Kind.CRL else MAX_RESPONSE
    if len(data.data) > limit:
        raise TimestampError(CHECK, f"revocation data is larger than {limit} bytes")
    if data.kind is Kind.OCSP:
        require(OCSP_RESPONSE, data.data, CHECK, "revocation data", der=True)


def spoils(status: Status, moment: datetime) -> bool:
    """Whether a revocation makes tokens of that moment bad (RFC 3161 §4).

    For a certificate of a CA the same holds: whoever has its key makes a signer's certificate of any date.
    """
    if status.revoked_at is None:
        return False
    return status.reason not in _HARMLESS or status.revoked_at <= moment


def shows(status: Status, certificate: x509.Certificate, moment: datetime) -> bool:
    """Whether a status, which does not spoil, shows that nothing did at that moment: it is whole, from then or later.

    A CA may leave certificates out of its lists once they have expired (RFC 5280 §3.3).
    """
    listed = status.revoked_at is not None
    if status.partial:
        return False
    return status.this_update >= moment and (listed or status.this_update <= certificate.not_valid_after_utc)


def _within(moment: datetime, certificate: x509.Certificate) -> bool:
    return certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc


def _revoked(certificate: x509.Certificate, status: Status) -> str:
    assert status.revoked_at is not None  # noqa: S101 - it spoils
    reason = status.reason or "no reason stated, which spoils every token"
    return (
        f"the certificate of {name_of(certificate)} was revoked at {status.revoked_at.isoformat()} ({reason})"
    )


def _later(good: Sequence[Status]) -> str:
    later = next((s for s in good if s.revoked_at is not None), None)
    if later is None or later.revoked_at is None:
        return ""
    return (
        f", revoked later, at {later.revoked_at.isoformat()} ({later.reason}), which spoils no earlier token"
    )
