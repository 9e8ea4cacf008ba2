"""The form of OCSP responses (RFC 6960 §4.2), in DER. Lists are not parsed whole: see `timestamp_list`."""

from notary.evidence import asn1
from notary.evidence.asn1 import Node, refuse
from notary.evidence.asn1_form import (
    ENUMERATED,
    INTEGER,
    NULL,
    OCTETS,
    OID,
    WHOLE_BITS,
    WHOLE_TIME,
    Form,
    choice,
    dotted,
    explicit,
    implicit,
    members,
    optional,
    read_integer,
    sequence,
    sequence_of,
)
from notary.evidence.timestamp_form import ALGORITHM, CERTIFICATE, EXTENSIONS, NAME
from notary.evidence.timestamp_signature import DIGESTS, SHA1

MAX_RESPONSE = 16384  # bytes of one OCSP response; real ones have 500 to 6000
MAX_VALUES = 512  # in its answer; one of a certificate of a responder has 200
MAX_CERTIFICATES = 32  # in one OCSP response, and that one may be about
_BASIC = "2b0601050507300101"
_STATUSES = {0, 1, 2, 3, 5, 6}

_DIGEST = sequence(OID, optional(NULL))


def _known_digest(node: Node) -> None:
    _DIGEST.check(node)
    if dotted(members(node, asn1.SEQUENCE)[0].content) not in {SHA1, *DIGESTS}:
        refuse("a certificate identifier with a digest that is not known")


def _few(form: Form) -> Form:
    def check(node: Node) -> None:
        form.check(node)
        if len(members(node, asn1.SEQUENCE)) > MAX_CERTIFICATES:
            refuse(f"an OCSP response with more than {MAX_CERTIFICATES} certificates")

    return Form(form.keys, check)


_ANSWER = sequence(
    sequence(Form(_DIGEST.keys, _known_digest), OCTETS, OCTETS, INTEGER),
    choice(
        implicit(0, NULL),
        implicit(1, sequence(WHOLE_TIME, optional(explicit(0, ENUMERATED)))),
        implicit(2, NULL),
    ),
    WHOLE_TIME,
    optional(explicit(0, WHOLE_TIME)),
    optional(explicit(1, EXTENSIONS)),
)
# Of version 1, which is the default, and no other is known: none is stated.
_DATA = sequence(
    choice(explicit(1, NAME), explicit(2, OCTETS)),
    WHOLE_TIME,
    _few(sequence_of(_ANSWER)),
    optional(explicit(1, EXTENSIONS)),
)
_BASIC_RESPONSE = sequence(
    _DATA, ALGORITHM, WHOLE_BITS, optional(explicit(0, _few(sequence_of(CERTIFICATE))))
)
_RESPONSE = sequence(ENUMERATED, optional(explicit(0, sequence(OID, OCTETS))))


def _response(node: Node) -> None:
    _RESPONSE.check(node)
    status, *answer = members(node, asn1.SEQUENCE)
    number = read_integer(status.content)
    if number not in _STATUSES:
        refuse("an OCSP response with an unknown status")
    if number != 0:
        return
    if not answer or answer[0].children is None:
        refuse("an OCSP response without an answer")
    kind, basic = members(answer[0].children[0], asn1.SEQUENCE)
    if kind.content.hex() != _BASIC:
        refuse("an OCSP response of another kind")
    _BASIC_RESPONSE.check(asn1.parse(basic.content, der=True, most=MAX_VALUES))


OCSP_RESPONSE = Form(_RESPONSE.keys, _response)
