"""The form of what extensions of certificates say (RFC 5280 §4.2), for those that a check or the path rests on."""

from notary.evidence import asn1
from notary.evidence.asn1 import Node
from notary.evidence.asn1_form import (
    ANY,
    BITS,
    BOOLEAN,
    FALSE,
    INTEGER,
    OCTETS,
    OID,
    choice,
    explicit,
    implicit,
    members,
    optional,
    primitive,
    read_bits,
    read_integer,
    sequence,
    sequence_of,
    set_of,
)
from notary.evidence.timestamp_form import GENERAL_NAME

_KEY_USAGE = "551d0f"
_MOST = 1_000_000  # certificates in a path


def _count(content: bytes) -> None:
    if not 0 <= read_integer(content) <= _MOST:
        asn1.refuse(f"not a number of certificates from 0 to {_MOST}")


_COUNT = primitive(asn1.INTEGER, _count)
_NAMES = sequence_of(GENERAL_NAME, least=1)
POINT_NAME = explicit(0, choice(implicit(0, _NAMES), implicit(1, set_of(ANY))))
AUTHORITY_KEY = sequence(
    optional(implicit(0, OCTETS)),
    optional(implicit(1, sequence_of(GENERAL_NAME))),
    optional(implicit(2, INTEGER)),
)
_SUBTREES = sequence_of(sequence(GENERAL_NAME))  # bounds on their depth mean nothing (§4.2.1.10)
_POINT = sequence(
    optional(POINT_NAME), optional(implicit(1, BITS)), optional(implicit(2, sequence_of(GENERAL_NAME)))
)
FORMS = {  # by the contents of the object identifier, hex
    "551d0e": OCTETS,  # subjectKeyIdentifier
    _KEY_USAGE: BITS,
    "551d11": _NAMES,  # subjectAltName
    "551d13": sequence(optional(BOOLEAN, FALSE), optional(_COUNT)),  # basicConstraints
    "551d1e": sequence(optional(implicit(0, _SUBTREES)), optional(implicit(1, _SUBTREES))),  # nameConstraints
    "551d1f": sequence_of(_POINT, least=1),  # cRLDistributionPoints
    "551d20": sequence_of(sequence(OID, optional(sequence_of(ANY))), least=1),  # certificatePolicies
    "551d21": sequence_of(sequence(OID, OID), least=1),  # policyMappings
    "551d23": AUTHORITY_KEY,
    "551d24": sequence(optional(implicit(0, _COUNT)), optional(implicit(1, _COUNT))),  # policyConstraints
    "551d25": sequence_of(OID, least=1),  # extKeyUsage
    "551d36": _COUNT,  # inhibitAnyPolicy
    "2b06010505070101": sequence_of(sequence(OID, GENERAL_NAME), least=1),  # authorityInfoAccess
}


def _values(der: bytes) -> dict[str, Node]:
    tbs, *_ = members(asn1.parse(der), asn1.SEQUENCE)
    (last,) = members(tbs, asn1.SEQUENCE)[-1:]
    if last.key != (2, 3):
        return {}
    found = {}
    for extension in members((last.children or ())[0], asn1.SEQUENCE):
        oid, *_, value = members(extension, asn1.SEQUENCE)
        if oid.content.hex() in FORMS:
            found[oid.content.hex()] = asn1.parse(value.content, der=True)
    return found


def check_extensions(der: bytes) -> None:
    """Refuse a certificate in which an extension of `FORMS` is not of its form.

    Args:
        der: a certificate of the form of timestamp_form.CERTIFICATE.

    Raises:
        FormatError: with the reason.
    """
    for oid, value in _values(der).items():
        FORMS[oid].check(value)


def key_usage(der: bytes) -> set[int] | None:
    """The numbers of the bits that are set in a certificate's key usage; None where it states none.

    Raises:
        FormatError: it is no bit string.
    """
    value = _values(der).get(_KEY_USAGE)
    if value is None:
        return None
    BITS.check(value)
    return read_bits(value.content)
