"""Whether the authorities of a trust file are independent: no certificate may speak for two organisations."""

from collections.abc import Sequence
from itertools import combinations

from asn1crypto import x509

from notary.errors import TrustError
from notary.evidence.outcome import source_of
from notary.evidence.timestamp import Authority
from notary.evidence.timestamp_der import load
from notary.evidence.timestamp_issuing import issued
from notary.evidence.timestamp_path import key_of


def require_independent(authorities: Sequence[Authority]) -> None:
    """Refuse related tables of two organisations, and related ones of one that restrict its tokens differently.

    Tables are related where a root of one is a root of the other, or issued it.

    A token names no authority of the trust file: it stands in the package under a name that anybody may choose.
    Where it leads to a root of each of two, the word of one would count for two, and what only one of them asks for
    would be asked of nobody.

    Raises:
        TrustError: names the two.
    """
    for one, other in combinations(authorities, 2):
        if not _share_roots(one, other):
            continue
        if source_of(one.organisation) != source_of(other.organisation):
            raise TrustError(
                f"trust file: a token of {one.name} could count for {other.name} too, or the reverse: their roots "
                "are the same or one issued the other. Give both the same organisation: they are one source"
            )
        if _restrictions(one) != _restrictions(other):
            raise TrustError(
                f"trust file: a token of {one.name} could stand under {other.name} too, or the reverse: their roots "
                "are the same or one issued the other. Give both the same revocation, accuracy_ms and policies"
            )


def _share_roots(one: Authority, other: Authority) -> bool:
    roots = [(a, b) for a in one.roots for b in other.roots]
    # An intermediate of the file may stand between the two roots.
    more = [(a, b) for a in one.roots for b in other.intermediates]
    more += [(a, b) for a in one.intermediates for b in other.roots]
    return any(_related(a, b) for a, b in [*roots, *(pair for pair in more if pair[0] != pair[1])])


def _restrictions(authority: Authority) -> tuple[bool, int | None, frozenset[str]]:
    return authority.strict, authority.accuracy_ms, frozenset(authority.policies)


def _related(one: bytes, other: bytes) -> bool:
    a, b = (load(x509.Certificate, der) for der in (one, other))
    # As on the path of a token: names in any case, and no signature by which no token could lead there.
    return key_of(a) == key_of(b) or issued(a, b) or issued(b, a)
