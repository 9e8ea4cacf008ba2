"""The form of certificates and of time-stamp responses: RFC 5280 §4, RFC 5652 §5, RFC 3161 §2.4.2, RFC 5035."""

from notary.errors import FormatError, TimestampError
from notary.evidence import asn1
from notary.evidence.asn1 import Node, refuse
from notary.evidence.asn1_form import (
    ANY,
    BITS,
    BOOLEAN,
    FALSE,
    INTEGER,
    OCTETS,
    OID,
    TIME,
    UTF8,
    WHOLE_BITS,
    Form,
    choice,
    explicit,
    implicit,
    members,
    optional,
    primitive,
    read_integer,
    sequence,
    sequence_of,
    set_of,
)

_V3 = 2
# Bytes of a Name; real ones have a few hundred. How long it takes to compare two grows with the square of their length:
# Unicode puts each mark in its place by stepping over those before it.
MAX_NAME = 2048
_MAX_POINT = 0x10FFFF
_DIGITS = frozenset(b"0123456789 ")


def require(form: Form, data: bytes, check: int, what: str, *, der: bool = False) -> None:
    """Refuse what is not of this form to its last byte.

    Raises:
        TimestampError: `check`.
    """
    judge(form, parsed(data, check, what, der=der), check, what)


def parsed(data: bytes, check: int, what: str, *, der: bool = False) -> Node:
    """The value in `data`, to its last byte.

    Raises:
        TimestampError: `check`.
    """
    try:
        return asn1.parse(data, der=der)
    except FormatError as error:
        raise TimestampError(check, f"{what} cannot be read: {error}") from error


def judge(form: Form, value: Node, check: int, what: str) -> None:
    """Refuse a value that is not of this form.

    Raises:
        TimestampError: `check`.
    """
    try:
        form.check(value)
    except FormatError as error:
        raise TimestampError(check, f"{what} cannot be read: {error}") from error


def _decodes(tag: int, content: bytes) -> bool:
    if tag == asn1.UTF8:
        try:
            content.decode()
        except UnicodeDecodeError:
            return False
    width = {28: 4, 30: 2}.get(tag, 1)  # UniversalString, BMPString
    points = (content[at : at + 4] for at in range(0, len(content), 4))
    wide = tag != 28 or all(int.from_bytes(point, "big") <= _MAX_POINT for point in points)  # noqa: PLR2004 - UniversalString
    numeric = tag != 18 or _DIGITS.issuperset(content)  # noqa: PLR2004 - NumericString
    return len(content) % width == 0 and wide and numeric


def _string(tag: int) -> Form:
    def judge(content: bytes) -> None:
        if not _decodes(tag, content):
            refuse("a text that is none")

    return primitive(tag, judge)


_VALUE = choice(*map(_string, (12, 18, 19, 20, 22, 28, 30)), BITS)  # of an attribute of a name
_UNIQUE_IDENTIFIER = b"\x55\x04\x2d"  # x500UniqueIdentifier (X.520), the one that is a bit string
_RDN = set_of(sequence(OID, _VALUE), least=1)


def _part_of_name(node: Node) -> None:
    _RDN.check(node)
    attributes = [members(each, asn1.SEQUENCE) for each in members(node, asn1.SET)]
    types = [kind.content for kind, _ in attributes]
    if len(set(types)) < len(types):
        refuse("a part of a name states one thing twice")
    if any(value.key in BITS.keys and kind.content != _UNIQUE_IDENTIFIER for kind, value in attributes):
        refuse("a name that is a bit string")


def _extensions(form: Form) -> Form:
    def check(node: Node) -> None:
        form.check(node)
        types = [members(each, asn1.SEQUENCE)[0].content for each in members(node, asn1.SEQUENCE)]
        if len(set(types)) < len(types):
            refuse("an extension stands twice")

    return Form(form.keys, check)


_PARTS = sequence_of(Form(_RDN.keys, _part_of_name))


def _name(node: Node) -> None:
    if len(node.raw) > MAX_NAME:
        refuse(f"a name of more than {MAX_NAME} bytes")
    _PARTS.check(node)


NAME = Form(_PARTS.keys, _name)


def _ascii(content: bytes) -> None:
    if not content.isascii():
        refuse("an address with a character that addresses do not have")


def _general_name(*sizes: int) -> Form:
    """A GeneralName (§4.2.1.6), whose iPAddress has one of these sizes, in bytes."""

    def address(content: bytes) -> None:
        if len(content) not in sizes:
            refuse("an IP address of another length")

    return choice(
        implicit(0, sequence(OID, explicit(0, ANY))),
        *(implicit(number, primitive(asn1.OCTETS, _ascii)) for number in (1, 2, 6)),  # mail, DNS, URI
        implicit(3, sequence_of(ANY)),
        explicit(4, NAME),
        implicit(5, sequence_of(ANY)),
        implicit(7, primitive(asn1.OCTETS, address)),
        implicit(8, OID),
    )


GENERAL_NAME = _general_name(4, 16)
CONSTRAINED_NAME = _general_name(8, 32)  # with a mask behind the address (§4.2.1.10)
ALGORITHM = sequence(OID, optional(ANY))
EXTENSIONS = _extensions(sequence_of(sequence(OID, optional(BOOLEAN, FALSE), OCTETS)))
_BER_EXTENSIONS = _extensions(sequence_of(sequence(OID, optional(BOOLEAN), OCTETS)))

_TBS = sequence(
    optional(explicit(0, INTEGER), b"\xa0\x03\x02\x01\x00"),
    INTEGER,
    ALGORITHM,
    NAME,
    sequence(TIME, TIME),
    NAME,
    sequence(ALGORITHM, WHOLE_BITS),
    optional(implicit(1, BITS)),
    optional(implicit(2, BITS)),
    optional(explicit(3, EXTENSIONS)),
)
_CERTIFICATE = sequence(_TBS, ALGORITHM, WHOLE_BITS)


def _certificate(node: Node) -> None:
    _CERTIFICATE.check(node)
    if not node.der:
        refuse("a certificate that is not in DER")
    tbs, algorithm, _ = members(node, asn1.SEQUENCE)
    fields = members(tbs, asn1.SEQUENCE)
    stated = fields[0].key == (2, 0)
    version = read_integer((fields[0].children or fields)[0].content) if stated else 0
    if fields[1 + stated].raw != algorithm.raw:
        refuse("a certificate names two signature algorithms")
    later = {key for key in (field.key for field in fields[1:]) if key[0]}
    if not 0 <= version <= _V3 or (later and version < 1) or ((2, 3) in later and version != _V3):
        refuse("a version that certificates of these fields do not have")


CERTIFICATE = Form(_CERTIFICATE.keys, _certificate)


def read_pieces(node: Node) -> bytes:
    """The contents of an OCTET STRING, in pieces or not, as BER allows.

    Raises:
        FormatError: it is none.
    """
    if node.key != (0, asn1.OCTETS):
        refuse("not an octet string")
    return node.content if node.children is None else b"".join(map(read_pieces, node.children))


def _pieces(node: Node) -> None:
    read_pieces(node)


_CONTENT = Form(frozenset({(0, asn1.OCTETS)}), _pieces)
ATTRIBUTES = set_of(sequence(OID, set_of(ANY)))
_ISSUER_AND_SERIAL = sequence(NAME, INTEGER)
_SIGNER = sequence(
    INTEGER,
    choice(_ISSUER_AND_SERIAL, implicit(0, OCTETS)),
    ALGORITHM,
    optional(implicit(0, set_of(ANY))),  # judged as what is signed
    ALGORITHM,
    OCTETS,
    optional(implicit(1, ATTRIBUTES)),
)
_SIGNED_DATA = sequence(
    INTEGER,
    set_of(ALGORITHM),
    sequence(OID, optional(explicit(0, _CONTENT))),
    optional(implicit(0, set_of(CERTIFICATE))),
    optional(implicit(1, set_of(ANY))),
    set_of(_SIGNER),
)
RESPONSE = sequence(
    sequence(INTEGER, optional(sequence_of(UTF8)), optional(BITS)),
    optional(sequence(OID, explicit(0, _SIGNED_DATA))),
)
_ACCURACY = sequence(optional(INTEGER), optional(implicit(0, INTEGER)), optional(implicit(1, INTEGER)))
TST_INFO = sequence(
    INTEGER,
    OID,
    sequence(ALGORITHM, OCTETS),
    INTEGER,
    primitive(asn1.GENERALIZED),
    optional(_ACCURACY),
    optional(BOOLEAN),
    optional(INTEGER),
    optional(explicit(0, GENERAL_NAME)),
    optional(implicit(1, _BER_EXTENSIONS)),
)
_NAMED = optional(sequence(sequence_of(GENERAL_NAME), INTEGER))
_POLICIES = optional(sequence_of(sequence(OID, optional(sequence_of(ANY)))))
ESS_V1 = sequence(sequence_of(sequence(OCTETS, _NAMED), least=1), _POLICIES)
ESS_V2 = sequence(sequence_of(sequence(optional(ALGORITHM), OCTETS, _NAMED), least=1), _POLICIES)
