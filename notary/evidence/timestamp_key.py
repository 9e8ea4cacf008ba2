"""Public keys of authorities and CAs, as far as they could be read in two ways, and the parameters of RSASSA-PSS.

The library that verifies takes a key for PSS as one for any RSA signature, points that RFC 5480 forbids, and
encodings of a point that RFC 8032 does not have; whoever may choose his key could make what one verifier passes and
another refuses.
"""

from collections.abc import Container
from typing import NamedTuple

from notary.evidence.asn1 import SEQUENCE, Node, parse, refuse
from notary.evidence.asn1_form import (
    INTEGER,
    NULL,
    OID,
    dotted,
    explicit,
    members,
    optional,
    read_integer,
    sequence,
)

RSA_PSS = "1.2.840.113549.1.1.10"
ED25519 = "1.3.101.112"
PLAIN = sequence(OID, optional(NULL))  # an algorithm without parameters
_EC = "1.2.840.10045.2.1"
_MGF1 = "1.2.840.113549.1.1.8"
_PARAMETERS = sequence(
    explicit(0, PLAIN),
    explicit(1, sequence(OID, PLAIN)),
    optional(explicit(2, INTEGER)),
    optional(explicit(3, INTEGER)),
)
PSS = sequence(OID, _PARAMETERS)
_PSS_KEY = sequence(OID, optional(_PARAMETERS))
_SALT, _MAX_SALT = 20, 1024  # bytes: where none is stated (RFC 8017 A.2.3), and at most
_POINTS = (b"\2", b"\3", b"\4")  # how one begins, compressed or not (RFC 5480 §2.2)
_P = 2**255 - 19


class Pss(NamedTuple):
    """Parameters of RSASSA-PSS: the digests of message and mask as dotted OIDs, and the bytes of salt."""

    digest: str
    mask: str
    salt: int


def read_pss(algorithm: Node, digests: Container[str]) -> Pss:
    """The parameters of an AlgorithmIdentifier of the form `PSS`.

    Raises:
        FormatError: they name another mask than MGF1, a digest that is none of `digests`, or another trailer or salt.
    """
    fields = {each.key[1]: (each.children or ())[0] for each in members(_second(algorithm), SEQUENCE)}
    mask, of_mask = members(fields[1], SEQUENCE)
    found = [dotted(members(each, SEQUENCE)[0].content) for each in (fields[0], of_mask)]
    if dotted(mask.content) != _MGF1 or not all(each in digests for each in found):
        refuse("a mask or a digest of RSASSA-PSS that is not on the allow-list")
    salt, trailer = (read_integer(fields[at].content) if at in fields else None for at in (2, 3))
    if trailer not in {None, 1} or not 0 <= (_SALT if salt is None else salt) <= _MAX_SALT:
        refuse(f"a salt of RSASSA-PSS that is not 0 to {_MAX_SALT} bytes long, or another trailer")
    return Pss(found[0], found[1], _SALT if salt is None else salt)


def check_key(key_info: bytes, algorithm: Node, digests: Container[str]) -> None:
    """Refuse a key that is not for signatures of this algorithm, or not encoded as its standard has it.

    Args:
        key_info: SubjectPublicKeyInfo, whose form was checked.
        algorithm: AlgorithmIdentifier of the signature; of the form `PSS` where it is that.
        digests: dotted OIDs that PSS may name.

    Raises:
        FormatError: with the reason.
    """
    kind, key = members(parse(key_info), SEQUENCE)
    name, point = dotted(members(kind, SEQUENCE)[0].content), key.content[1:]
    if name == RSA_PSS:
        _check_pss_key(kind, algorithm, digests)
    if name == _EC and not point.startswith(_POINTS):
        refuse("a point in another form than RFC 5480 has")
    if name == ED25519 and not _is_canonical(point):
        refuse("a point in another encoding than RFC 8032 has")


def _check_pss_key(kind: Node, algorithm: Node, digests: Container[str]) -> None:
    """RFC 4055 §3.3: for PSS alone, and with the digests, and at least the salt, that it states."""
    _PSS_KEY.check(kind)
    if dotted(members(algorithm, SEQUENCE)[0].content) != RSA_PSS:
        refuse("a key for RSASSA-PSS alone")
    if len(members(kind, SEQUENCE)) == 1:
        return
    used, allowed = read_pss(algorithm, digests), read_pss(kind, digests)
    if used[:2] != allowed[:2] or used.salt < allowed.salt:
        refuse("a key for RSASSA-PSS with other parameters")


def _second(algorithm: Node) -> Node:
    _, parameters = members(algorithm, SEQUENCE)
    return parameters


def _is_canonical(point: bytes) -> bool:
    """Whether y is below the prime, and an x of 0 is not called odd (RFC 8032 §5.1.3)."""
    number = int.from_bytes(point, "little")
    y, odd = number & ((1 << 255) - 1), number >> 255
    return y < _P and not (odd and y in {1, _P - 1})
