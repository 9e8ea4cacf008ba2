"""A certificate's status by an OCSP response (RFC 6960 §3.2, §4.2): of its issuer, or of whom the issuer delegated."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha1

from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from notary.errors import TimestampError
from notary.evidence import asn1
from notary.evidence.asn1 import Node, parse
from notary.evidence.asn1_form import NULL, dotted, members, read_integer, read_time
from notary.evidence.timestamp_certificate import Certificate, read_certificate
from notary.evidence.timestamp_extensions import (
    Extension,
    criticals,
    each_extension,
    key_usage,
    purposes,
    values_of,
)
from notary.evidence.timestamp_issuing import issued
from notary.evidence.timestamp_names import Key, name_key
from notary.evidence.timestamp_revocation_form import read_enumerated, read_invalidity
from notary.evidence.timestamp_signature import DIGESTS, SHA1, digest
from notary.evidence.timestamp_status import CHECK, Status, reason_of, require_signature

_NAMING = DIGESTS | {SHA1: hashes.SHA1}  # which only identifies
# Of a responder's certificate; any other critical extension is one that we do not understand.
_CRITICAL = {
    each.dotted_string
    for each in (ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE)
}
_OCSP_SIGNING = ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string
_SIGNS = {0, 1}  # digitalSignature and nonRepudiation
_REASON, _INVALIDITY, _NO_CHECK = (
    "551d15",
    "551d18",
    "2b0601050507300105",
)  # contents of object identifiers, hex
_GOOD, _REVOKED, _UNKNOWN = range(3)  # tags of a status
_BY_NAME = (2, 1)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is said of one certificate, by its number and the digests of its issuer's name and key."""

    naming: str  # the digest, a dotted OID
    name: bytes
    key: bytes
    serial: int
    status: Node
    this_update: datetime
    values: dict[str, bytes]  # of its extensions, by the contents of their object identifiers in hex
    critical: bool  # whether one of them is

    def is_about(self, certificate: Certificate, issuer: Certificate) -> bool:
        return self.serial == certificate.serial and (self.name, self.key) == (
            digest(self.naming, certificate.issuer, CHECK, "a certificate identifier", _NAMING),
            digest(self.naming, issuer.key_bits, CHECK, "a certificate identifier", _NAMING),
        )

    @property
    def silent(self) -> bool:
        """Whether it says nothing: it does not know the certificate, or has an extension that we do not."""
        return self.status.key[1] == _UNKNOWN or self.critical

    @property
    def revoked(self) -> bool:
        return self.status.key[1] == _REVOKED

    def statuses(self) -> list[Status]:
        """Of two reasons, in its status and beside it (RFC 6960 §4.4.5), each by itself."""
        if not self.revoked:
            return [Status(self.this_update)]
        when, *stated = self.status.children or ()
        since = read_time(when)
        reasons: list[str | None] = [None]
        if stated:
            reasons = [reason_of(read_integer((stated[0].children or ())[0].content))]
        if _INVALIDITY in self.values:
            since = min(since, read_invalidity(self.values[_INVALIDITY]))
        if _REASON in self.values:
            reasons.append(reason_of(read_enumerated(self.values[_REASON])))
        return [Status(self.this_update, since, each) for each in reasons]


@dataclass(frozen=True, slots=True)
class OcspResponse:
    """A successful response of which nothing is verified.

    Attributes:
        signed: what its signature is over.
        algorithm: AlgorithmIdentifier in DER.
        responder: whose it says that it is: what all spellings of a name share, or the SHA-1 of a key.
        signers: certificates in it that are of this name or key.
        critical: whether it has a critical extension.
    """

    signed: bytes
    algorithm: bytes
    signature: bytes
    responder: Key | bytes
    produced_at: datetime
    answers: tuple[_Answer, ...]
    critical: bool
    signers: tuple[Certificate, ...]

    def statuses(self, certificate: Certificate, issuer: Certificate) -> list[Status]:
        """All that the response says of the certificate; nothing where it says nothing of it, or does not know it.

        Raises:
            TimestampError: 15, whoever signed it may not speak for the issuer.
            FormatError: an answer about the certificate, or an extension of the responder's, cannot be read.
        """
        found = [each for each in self.answers if each.is_about(certificate, issuer)]
        signer = issuer if _is_of(issuer, self.responder) else next(iter(self.signers), None)
        if not found or signer is None:  # RFC 6960 §4.2.1 lets him leave his certificate away
            return []
        require_signature(signer, self.algorithm, self.signature, self.signed)
        if (signer is not issuer and not self._may_answer(signer, issuer)) or self.critical:
            return []
        said = [each for each in found if not each.silent]
        # The worst decides: what says nothing hides no revocation, and is not made good by another answer.
        counted = [each for each in said if len(said) == len(found) or each.revoked]
        # What a CA signs after the end of its certificate nobody vouches for.
        return [s for each in counted for s in each.statuses() if issuer.valid_at(s.this_update)]

    def _may_answer(self, signer: Certificate, issuer: Certificate) -> bool:
        """RFC 6960 §4.2.2.2: issued by the CA itself, and for this purpose; §4.2.2.2.1: not to be checked in turn.

        Raises:
            TimestampError: 15, the CA has not delegated this.
            FormatError: an extension that it rests on cannot be read.
        """
        if not issued(issuer.asn1(), signer.asn1()):
            raise TimestampError(CHECK, f"{signer.title} answers for a CA that did not issue its certificate")
        usage = key_usage(signer.der)
        if _OCSP_SIGNING not in (purposes(signer.der) or ()) or not (usage is None or usage & _SIGNS):
            raise TimestampError(CHECK, f"{signer.title} answers without a certificate for OCSP signing")
        if not signer.valid_at(self.produced_at):
            raise TimestampError(CHECK, f"the certificate of {signer.title} was not valid when it answered")
        # Without it the responder's own certificate may be revoked, and whether it is would have to be shown again.
        value = values_of(signer.der).get(_NO_CHECK)
        if value is not None:
            NULL.check(parse(value, der=True))
        # And of an extension that we do not understand nobody knows what it forbids.
        return value is not None and _CRITICAL.issuperset(criticals(signer.der))


def read_response(node: Node) -> OcspResponse | None:
    """A response whose form was checked; None where the responder had no answer to give.

    Raises:
        FormatError: it is none.
    """
    status, *answer = members(node, asn1.SEQUENCE)
    if read_integer(status.content) != 0:
        return None
    _, inner = members((answer[0].children or ())[0], asn1.SEQUENCE)
    data, algorithm, signature, *held = members(parse(inner.content, der=True), asn1.SEQUENCE)
    responder, produced, answers, *extensions = members(data, asn1.SEQUENCE)
    certificates = members((held[0].children or ())[0], asn1.SEQUENCE) if held else ()
    (named,) = responder.children or ()
    whose = name_key(named.raw) if responder.key == _BY_NAME else named.content
    return OcspResponse(
        data.raw,
        algorithm.raw,
        signature.content[1:],
        whose,
        read_time(produced),
        tuple(map(_answer, members(answers, asn1.SEQUENCE))),
        any(each.critical for each in _each(extensions)),
        tuple(each for each in (read_certificate(c.raw) for c in certificates) if _is_of(each, whose)),
    )


def _is_of(candidate: Certificate, responder: Key | bytes) -> bool:
    if isinstance(responder, bytes):
        return responder == sha1(candidate.key_bits, usedforsecurity=False).digest()
    return responder == name_key(candidate.subject)


def _answer(node: Node) -> _Answer:
    named, status, this_update, *rest = members(node, asn1.SEQUENCE)
    algorithm, name, key, serial = members(named, asn1.SEQUENCE)
    extensions = _each([each for each in rest if each.key == (2, 1)])
    return _Answer(
        dotted(members(algorithm, asn1.SEQUENCE)[0].content),
        name.content,
        key.content,
        read_integer(serial.content),
        status,
        read_time(this_update),
        {each.oid: each.value for each in extensions},
        any(each.critical for each in extensions),
    )


def _each(tagged: list[Node]) -> list[Extension]:
    return [found for each in tagged for found in each_extension((each.children or ())[0])]
