"""The form of what extensions of certificates say (RFC 5280 §4.2), for those that a check or the path rests on."""

from dataclasses import dataclass
from functools import lru_cache

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
    Form,
    choice,
    dotted,
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
from notary.evidence.timestamp_form import CONSTRAINED_NAME, GENERAL_NAME

_IDENTIFIER, _KEY_USAGE, _ALTERNATIVES, _CONSTRAINTS, _POINTS, _PURPOSES = (
    f"551d{each}" for each in ("0e", "0f", "11", "13", "1f", "25")
)
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
_SUBTREES = sequence_of(sequence(CONSTRAINED_NAME))  # bounds on their depth mean nothing (§4.2.1.10)
_POINT = sequence(
    optional(POINT_NAME), optional(implicit(1, BITS)), optional(implicit(2, sequence_of(GENERAL_NAME)))
)
_POLICIES = sequence_of(sequence(OID, optional(sequence_of(ANY))), least=1)


def _policies(node: Node) -> None:
    _POLICIES.check(node)
    found = [members(each, asn1.SEQUENCE)[0].content for each in members(node, asn1.SEQUENCE)]
    if len(set(found)) < len(found):
        asn1.refuse("a policy stands twice")


FORMS = {  # by the contents of the object identifier, hex
    _IDENTIFIER: OCTETS,  # subjectKeyIdentifier
    _KEY_USAGE: BITS,
    _ALTERNATIVES: _NAMES,  # subjectAltName
    _CONSTRAINTS: sequence(optional(BOOLEAN, FALSE), optional(_COUNT)),  # basicConstraints
    "551d1e": sequence(optional(implicit(0, _SUBTREES)), optional(implicit(1, _SUBTREES))),  # nameConstraints
    _POINTS: sequence_of(_POINT, least=1),  # cRLDistributionPoints
    "551d20": Form(_POLICIES.keys, _policies),  # certificatePolicies
    "551d21": sequence_of(sequence(OID, OID), least=1),  # policyMappings
    "551d23": AUTHORITY_KEY,
    "551d24": sequence(optional(implicit(0, _COUNT)), optional(implicit(1, _COUNT))),  # policyConstraints
    _PURPOSES: sequence_of(OID, least=1),  # extKeyUsage
    "551d36": _COUNT,  # inhibitAnyPolicy
    "2b06010505070101": sequence_of(sequence(OID, GENERAL_NAME), least=1),  # authorityInfoAccess
}


@lru_cache(
    maxsize=256
)  # a certificate is asked for one extension after another, and stands in token after token
def _extensions(der: bytes) -> list[tuple[bytes, bool, bytes]]:
    """Contents of its object identifier, whether it is critical, and value of each extension of a certificate."""
    tbs, *_ = members(asn1.parse(der), asn1.SEQUENCE)
    (last,) = members(tbs, asn1.SEQUENCE)[-1:]
    if last.key != (2, 3):
        return []
    found = []
    for extension in members((last.children or ())[0], asn1.SEQUENCE):
        oid, *critical, value = members(extension, asn1.SEQUENCE)
        found.append((oid.content, any(each.content != b"\0" for each in critical), value.content))
    return found


def _value(der: bytes, wanted: str) -> Node | None:
    """The value of one extension of `FORMS`, by the contents of its object identifier in hex."""
    for oid, _, value in _extensions(der):
        if oid.hex() == wanted:
            node = asn1.parse(value, der=True)
            FORMS[wanted].check(node)
            return node
    return None


def check_extensions(der: bytes) -> None:
    """Refuse a certificate in which an extension of `FORMS` is not of its form.

    Args:
        der: a certificate of the form of timestamp_form.CERTIFICATE.

    Raises:
        FormatError: with the reason.
    """
    for oid, _, value in _extensions(der):
        if oid.hex() in FORMS:
            FORMS[oid.hex()].check(asn1.parse(value, der=True))


def criticals(der: bytes) -> list[str]:
    """The dotted object identifiers of a certificate's critical extensions, in order."""
    return sorted(dotted(oid) for oid, critical, _ in _extensions(der) if critical)


def key_usage(der: bytes) -> set[int] | None:
    """The numbers of the bits that are set in a certificate's key usage; None where it states none.

    Raises:
        FormatError: it is no bit string.
    """
    value = _value(der, _KEY_USAGE)
    return None if value is None else read_bits(value.content)


def purposes(der: bytes) -> list[str] | None:
    """The dotted object identifiers in a certificate's extended key usage; None where it states none.

    Raises:
        FormatError: they are none.
    """
    value = _value(der, _PURPOSES)
    return None if value is None else [dotted(each.content) for each in members(value, asn1.SEQUENCE)]


def is_authority(der: bytes) -> bool:
    """Whether a certificate's basic constraints say that it is of a CA.

    Raises:
        FormatError: they are none.
    """
    value = _value(der, _CONSTRAINTS)
    return value is not None and any(each.key == (0, asn1.BOOLEAN) for each in members(value, asn1.SEQUENCE))


def key_identifier(der: bytes) -> bytes | None:
    """A certificate's subject key identifier; None where it states none.

    Raises:
        FormatError: it is no octet string.
    """
    value = _value(der, _IDENTIFIER)
    return None if value is None else value.content


def alternative_names(der: bytes) -> tuple[Node, ...]:
    """The general names in a certificate's subjectAltName; none where it has none.

    Raises:
        FormatError: they are none.
    """
    value = _value(der, _ALTERNATIVES)
    return () if value is None else members(value, asn1.SEQUENCE)


@dataclass(frozen=True, slots=True)
class Point:
    """A distribution point: its full names and those of another issuer, or None each; whether it is of some reasons."""

    full_name: tuple[Node, ...] | None
    issuer: tuple[Node, ...] | None
    some_reasons: bool


def distribution_points(der: bytes) -> list[Point]:
    """The points in a certificate's cRLDistributionPoints; none where it has none.

    Raises:
        FormatError: they are none.
    """
    value = _value(der, _POINTS)
    found = (
        [] if value is None else [{f.key[1]: f for f in each.children or ()} for each in value.children or ()]
    )
    return [
        Point(point_names(each) or None, fields[2].children if 2 in fields else None, 1 in fields)  # noqa: PLR2004 - tags
        for each, fields in zip((value.children or ()) if value else (), found, strict=True)
    ]


def point_names(point: Node) -> tuple[Node, ...]:
    """The full names in a distribution point, a certificate's or a list's; none where it has none."""
    for field in point.children or ():
        if field.key == (2, 0):
            (name,) = field.children or ()
            return (name.children or ()) if name.key == (2, 0) else ()
    return ()
