"""Whether the authorities of a trust file are independent: no certificate may speak for two organisations."""

from collections.abc import Sequence
from itertools import combinations

from asn1crypto import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import load_der_x509_certificate

from notary.errors import TrustError
from notary.evidence.outcome import source_of
from notary.evidence.timestamp import Authority
from notary.evidence.timestamp_der import dump, load


def require_independent(authorities: Sequence[Authority]) -> None:
    """Refuse two organisations with one root, or where one's root was issued by the other's.

    A token names no authority of the trust file: it stands in the package under a name that anybody may choose.
    Where it leads to a root of each of two, the word of one would count for two.

    Raises:
        TrustError: names the two.
    """
    for one, other in combinations(authorities, 2):
        if source_of(one.organisation) == source_of(other.organisation):
            continue
        roots = [(a, b) for a in one.roots for b in other.roots]
        # An intermediate of the file may stand between the two roots.
        more = [(a, b) for a in one.roots for b in other.intermediates]
        more += [(a, b) for a in one.intermediates for b in other.roots]
        if any(_related(a, b) for a, b in [*roots, *(pair for pair in more if pair[0] != pair[1])]):
            raise TrustError(
                f"trust file: a token of {one.name} could count for {other.name} too, or the reverse: their roots "
                "are the same or one issued the other. Give both the same organisation: they are one source"
            )


def _related(one: bytes, other: bytes) -> bool:
    return _key(one) == _key(other) or _issued(one, other) or _issued(other, one)


def _key(der: bytes) -> bytes:
    certificate: x509.Certificate = load(x509.Certificate, der)
    return dump(certificate.public_key)


def _issued(issuer: bytes, subject: bytes) -> bool:
    try:
        load_der_x509_certificate(subject).verify_directly_issued_by(load_der_x509_certificate(issuer))
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
