"""A certificate's status by a certificate revocation list (RFC 5280 §5, §6.3.3).

Only complete lists of the certificate's own issuer count: no delta lists, none of some reasons, none on behalf of
another CA, and of a list that covers a part, the part must be the certificate's. Where the certificate names that part
for some reasons alone, or with another issuer, the list shows revocations and nothing else.
"""

from dataclasses import replace

from notary.evidence import asn1
from notary.evidence.asn1_form import members
from notary.evidence.timestamp_certificate import Certificate
from notary.evidence.timestamp_extensions import key_identifier, key_usage
from notary.evidence.timestamp_list import (
    AUTHORITY_KEY_ID,
    ISSUING_POINT,
    Entry,
    RevocationList,
    Start,
    read_entries,
    read_list,
)
from notary.evidence.timestamp_names import name_key
from notary.evidence.timestamp_points import Shown, read_scope
from notary.evidence.timestamp_revocation_form import read_enumerated, read_invalidity
from notary.evidence.timestamp_status import Status, reason_of, require_signature

_REASON, _INVALIDITY, _DELTA = "551d15", "551d18", "551d1b"  # contents of object identifiers, hex
# Any other critical extension is one that we do not understand: the list then says nothing (RFC 5280 §5.2, §5.3).
_CRITICAL, _CRITICAL_OF_ENTRY = {ISSUING_POINT, AUTHORITY_KEY_ID}, {_REASON, _INVALIDITY}
_CRL_SIGN = 6


def list_statuses(start: Start, certificate: Certificate, issuer: Certificate) -> list[Status]:
    """All that the list says of the certificate; nothing where it says nothing of it.

    Raises:
        TimestampError: 15, its signature is not that of the issuer that it names.
        FormatError: the list, as far as it has to be read, or an extension of the certificate or of its issuer that it
            rests on, cannot be read.
    """
    # As the path compares names (RFC 5280 §7.1), since a list that is passed over revokes nobody.
    if name_key(start.issuer) != name_key(issuer.subject):
        return []
    found = read_list(start)
    if not _is_by_its_key(found, issuer):
        return []
    require_signature(issuer, found.algorithm, found.signature, found.tbs)
    if not _counts(found, issuer):
        return []
    scope = found.extension(ISSUING_POINT)
    shown = Shown.ALL if scope is None else read_scope(scope).shows(certificate.der)
    if shown is Shown.NOTHING:
        return []
    entries = read_entries(found.entries, certificate.serial)
    if any(
        each.critical and each.oid not in _CRITICAL_OF_ENTRY for entry in entries for each in entry.extensions
    ):
        return []
    # Each entry of the number: a later one takes nothing back.
    revoked = [_status(found, each) for each in entries if each.serial == certificate.serial]
    if shown is Shown.REVOKED_ALONE:
        return [replace(status, partial=True) for status in revoked]
    return revoked or [Status(found.this_update)]


def _is_by_its_key(found: RevocationList, issuer: Certificate) -> bool:
    """Whether the issuer's key is named, where one is: a CA that has changed its key signs for its old name, too."""
    stated, own = found.extension(AUTHORITY_KEY_ID), key_identifier(issuer.der)
    fields = () if stated is None else members(stated, asn1.SEQUENCE)
    named = next((each.content for each in fields if each.key == (2, 0)), None)
    return None in (own, named) or own == named


def _counts(found: RevocationList, issuer: Certificate) -> bool:
    """Whether the list is complete, and one that its issuer may sign, then too."""
    if any(each.oid == _DELTA or (each.critical and each.oid not in _CRITICAL) for each in found.extensions):
        return False
    usage = key_usage(issuer.der)
    # What a CA signs after the end of its certificate nobody vouches for.
    return (usage is None or _CRL_SIGN in usage) and issuer.valid_at(found.this_update)


def _status(found: RevocationList, entry: Entry) -> Status:
    values = {each.oid: each.value for each in entry.extensions}
    since, reason = entry.at, None
    if _INVALIDITY in values:
        since = min(since, read_invalidity(values[_INVALIDITY]))
    if _REASON in values:
        reason = reason_of(read_enumerated(values[_REASON]))
    return Status(found.this_update, since, reason)
