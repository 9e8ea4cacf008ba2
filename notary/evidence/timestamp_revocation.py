"""Check 15: whether the certificates behind a token were revoked (RFC 3161 §4), with three outcomes.

Made with functions of our own, not with pyhanko-certvalidator: there, data issued later than the moment that is
validated counts only with a switch that takes older data too; a reason makes no difference, where RFC 3161 §4 lets
one reason spoil every token and another only those that came after it; and its algorithms are not our allow-list.
Nor is anything read with a library: each refuses the whole for what no check asks of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from notary.errors import FormatError, TimestampError
from notary.evidence.asn1 import parse
from notary.evidence.timestamp_certificate import Certificate, read_certificate
from notary.evidence.timestamp_crl import list_statuses
from notary.evidence.timestamp_list import Start, read_start
from notary.evidence.timestamp_ocsp import OcspResponse, read_response
from notary.evidence.timestamp_revocation_form import MAX_RESPONSE, OCSP_RESPONSE
from notary.evidence.timestamp_status import CHECK, MAX_REVOCATION, Kind, RevocationData, Status

MAX_DATA = 8  # files beside one token; a path has at most seven certificates below its root
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
        certificates = [read_certificate(der) for der in path]
    except FormatError:
        return Revocation(Standing.NOT_CAPTURED, "a certificate of the path is not as DER wants it")
    files = [_read(each) for each in data]
    shown, missing = [], []
    for certificate, issuer in pairwise(certificates):
        statuses = [status for each in files for status in _said(each, certificate, issuer)]
        for status in statuses:
            if spoils(status, moment):
                return Revocation(Standing.REVOKED, _revoked(certificate, status))
        good = [s for s in statuses if shows(s, certificate, moment)]
        if good:
            shown.append(f"{certificate.title} by {good[0].this_update.isoformat()}{_later(good)}")
        else:
            missing.append(certificate.title)
    if missing:
        return Revocation(
            Standing.NOT_CAPTURED, f"no revocation data from genTime or later covers {'; '.join(missing)}"
        )
    return Revocation(Standing.NOT_REVOKED, f"not revoked at genTime: {'; '.join(shown)}")


def statuses_of(data: RevocationData, certificate: Certificate, issuer: Certificate) -> list[Status]:
    """All that one file says of a certificate; nothing where it says nothing of it, or may not be used to say it.

    Raises:
        TimestampError: 15: it is forged, too large, or cannot be read.
    """
    return _said(_read(data), certificate, issuer)


def _read(data: RevocationData) -> Start | OcspResponse | None:
    """What a file holds, a list as far as its issuer; None for a response that is no answer."""
    limit = MAX_REVOCATION if data.kind is Kind.CRL else MAX_RESPONSE
    if len(data.data) > limit:
        raise TimestampError(CHECK, f"revocation data is larger than {limit} bytes")
    try:
        if data.kind is Kind.CRL:
            return read_start(data.data)
        node = parse(data.data, der=True)
        OCSP_RESPONSE.check(node)
        return read_response(node)
    except FormatError as error:
        raise TimestampError(CHECK, f"revocation data cannot be read: {error}") from error


def _said(read: Start | OcspResponse | None, certificate: Certificate, issuer: Certificate) -> list[Status]:
    if read is None:
        return []
    try:
        if isinstance(read, Start):
            return list_statuses(read, certificate, issuer)
        return read.statuses(certificate, issuer)
    except FormatError as error:
        raise TimestampError(CHECK, f"revocation data cannot be read: {error}") from error


def spoils(status: Status, moment: datetime) -> bool:
    """Whether a revocation makes tokens of that moment bad (RFC 3161 §4).

    For a certificate of a CA the same holds: whoever has its key makes a signer's certificate of any date.
    """
    if status.revoked_at is None:
        return False
    return status.reason not in _HARMLESS or status.revoked_at <= moment


def shows(status: Status, certificate: Certificate, moment: datetime) -> bool:
    """Whether a status, which does not spoil, shows that nothing did at that moment: it is whole, from then or later.

    A CA may leave certificates out of its lists once they have expired (RFC 5280 §3.3).
    """
    listed = status.revoked_at is not None
    if status.partial:
        return False
    return status.this_update >= moment and (listed or status.this_update <= certificate.not_after)


def _revoked(certificate: Certificate, status: Status) -> str:
    assert status.revoked_at is not None  # noqa: S101 - it spoils
    reason = status.reason or "no reason stated, which spoils every token"
    return f"the certificate of {certificate.title} was revoked at {status.revoked_at.isoformat()} ({reason})"


def _later(good: Sequence[Status]) -> str:
    later = next((s for s in good if s.revoked_at is not None), None)
    if later is None or later.revoked_at is None:
        return ""
    return (
        f", revoked later, at {later.revoked_at.isoformat()} ({later.reason}), which spoils no earlier token"
    )
