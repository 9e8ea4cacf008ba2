"""A certificate's status by a certificate revocation list (RFC 5280 §5, §6.3.3).

Only complete lists of the certificate's own issuer count: no delta lists, none of some reasons, none on behalf of
another CA, and of a list that covers a part, the part must be the certificate's. Where the certificate names that part
for some reasons alone, or with another issuer, the list shows revocations and nothing else.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from notary.evidence import asn1
from notary.evidence.asn1 import Node, parse
from notary.evidence.asn1_form import members, read_integer, read_time
from notary.evidence.timestamp_certificate import Certificate
from notary.evidence.timestamp_extensions import each_extension, key_identifier, key_usage
from notary.evidence.timestamp_names import Key, name_key
from notary.evidence.timestamp_points import Scope, Shown, read_scope
from notary.evidence.timestamp_revocation_form import read_enumerated, read_invalidity
from notary.evidence.timestamp_status import Status, reason_of, require_signature

# Contents of object identifiers, hex.
_REASON, _INVALIDITY, _DELTA, _SCOPE, _AUTHORITY_KEY = (
    f"551d{each}" for each in ("15", "18", "1b", "1c", "23")
)
# Any other critical extension is one that we do not understand: the list then says nothing (RFC 5280 §5.2, §5.3).
_CRITICAL, _CRITICAL_OF_ENTRY = {_SCOPE, _AUTHORITY_KEY}, {_REASON, _INVALIDITY}
_CRL_SIGN = 6
_NO_SCOPE = Scope(None, users=False, authorities=False, nobody=False)


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A list of which nothing is verified.

    Attributes:
        signed: what its signature is over.
        algorithm: AlgorithmIdentifier in DER.
        issuer: what all spellings of its name share; worked out once, since it may be of a megabyte.
        key_identifier: of its issuer's key, or None.
        whole: whether it is complete, with no critical extension that is not understood.
        entries: as they stand.
    """

    signed: bytes
    algorithm: bytes
    signature: bytes
    issuer: Key
    this_update: datetime
    key_identifier: bytes | None
    scope: Scope
    whole: bool
    entries: tuple[Node, ...]

    def statuses(self, certificate: Certificate, issuer: Certificate) -> list[Status]:
        """All that the list says of the certificate; nothing where it says nothing of it.

        Raises:
            TimestampError: 15, its signature is not that of the issuer that it names.
            FormatError: an entry of the certificate, or an extension of it or of its issuer, cannot be read.
        """
        if not self._is_of(issuer):
            return []
        require_signature(issuer, self.algorithm, self.signature, self.signed)
        usage = key_usage(issuer.der)
        if not self.whole or (usage is not None and _CRL_SIGN not in usage):
            return []
        shown = self.scope.shows(certificate.der)
        if shown is Shown.NOTHING:
            return []
        found = self._entries_of(certificate.serial)
        if shown is Shown.REVOKED_ALONE:
            return [replace(status, partial=True) for status in found]
        return found or [Status(self.this_update)]

    def _is_of(self, issuer: Certificate) -> bool:
        """Whether issuer and key are named: a CA that has changed its key signs for its old name with the new one.

        Names are compared as the path compares them (RFC 5280 §7.1), since a list that is passed over revokes nobody.
        """
        if self.issuer != name_key(issuer.subject):
            return False
        own = key_identifier(issuer.der)
        return None in (own, self.key_identifier) or own == self.key_identifier

    def _entries_of(self, serial: int) -> list[Status]:
        """Each entry of the number: a later one takes nothing back."""
        found = []
        for entry in self.entries:
            number, when, *extensions = members(entry, asn1.SEQUENCE)
            if read_integer(number.content) != serial:
                continue
            values = {oid.hex(): value for each in extensions for oid, _, value in each_extension(each)}
            since, reason = read_time(when), None
            if _INVALIDITY in values:
                since = min(since, read_invalidity(values[_INVALIDITY]))
            if _REASON in values:
                reason = reason_of(read_enumerated(values[_REASON]))
            found.append(Status(self.this_update, since, reason))
        return found


def read_list(node: Node) -> RevocationList:
    """A list whose form was checked.

    Raises:
        FormatError: it is none.
    """
    tbs, algorithm, signature = members(node, asn1.SEQUENCE)
    fields = [each for each in members(tbs, asn1.SEQUENCE) if each.key != (0, asn1.INTEGER)]
    _, issuer, this_update, *rest = fields
    entries = next((each for each in rest if each.key == (0, asn1.SEQUENCE)), None)
    extensions = [
        each for field in rest if field.key == (2, 0) for each in each_extension((field.children or ())[0])
    ]
    values = {oid.hex(): parse(value, der=True) for oid, _, value in extensions if oid.hex() in _CRITICAL}
    found = () if entries is None else members(entries, asn1.SEQUENCE)
    whole = all(
        oid.hex() != _DELTA and (not critical or oid.hex() in _CRITICAL) for oid, critical, _ in extensions
    )
    return RevocationList(
        tbs.raw,
        algorithm.raw,
        signature.content[1:],
        name_key(issuer.raw),
        read_time(this_update),
        _key_in(values.get(_AUTHORITY_KEY)),
        read_scope(values[_SCOPE]) if _SCOPE in values else _NO_SCOPE,
        whole and not any(map(_is_odd, found)),
        found,
    )


def _key_in(authority_key: Node | None) -> bytes | None:
    fields = () if authority_key is None else members(authority_key, asn1.SEQUENCE)
    return next((each.content for each in fields if each.key == (2, 0)), None)


def _is_odd(entry: Node) -> bool:
    extensions = members(entry, asn1.SEQUENCE)[2:]
    return any(
        critical and oid.hex() not in _CRITICAL_OF_ENTRY
        for each in extensions
        for oid, critical, _ in each_extension(each)
    )
