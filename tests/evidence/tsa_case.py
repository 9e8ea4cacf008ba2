"""What one case of the time-stamp suite is: bytes that a verifier gets, and the verdict that is right."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from notary.evidence.timestamp import Authority
from tests.mini_tsa import POLICY, MiniTsa, certificate, der, key

NOTE = (
    b"example.org/log\n4\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\xe2\x80\x94 example.org/log AAAA\n"
)
OURS = (
    "ours"  # in place of a rule: an allow-list or a limit of this verifier, which another may draw elsewhere
)
OTHER = certificate("Stranger", key("p256").public_key(), "Middle", key("p256", "middle"))


@dataclass(frozen=True, slots=True)
class Given:
    """A response over `data`, and what the caller knows of the request and of the authority."""

    response: bytes
    tsa: MiniTsa  # the authority that the caller trusts, whoever made the response
    data: bytes = NOTE
    digest: str = "sha256"  # that the request asked for
    nonce: int | None = None
    sent: datetime | None = None
    received: datetime | None = None
    supplied: tuple = ()  # certificates that the caller has beside the root
    revocation: tuple = ()  # data that was captured beside the token
    strict: bool = False  # whether a token without it is to be refused
    others: tuple = ()  # responses over the same data whose tokens the caller has already

    @property
    def authority(self):
        return trusting(self.tsa, intermediates=tuple(map(der, self.supplied)))


@dataclass(frozen=True, slots=True)
class Case:
    """`check` is the number in docs/formats.md §9 that must name the failure; None for a token that is good.

    `says` is a pattern of our message: of the failure, or of the one warning.
    `needs` is what a verifier must take to see the failure: status, policy, nonce, time, roots, crl, ocsp or serial;
    empty for nothing.
    """

    name: str
    rule: str
    make: Callable[[], Given] = field(repr=False)
    check: int | None = None
    says: str = ""
    needs: str = ""


@cache
def authority(kind="rsa"):
    """One for each kind of key; RSA where no case says otherwise, since every tool compared reads it."""
    return MiniTsa(kind)


def trusting(tsa, **more):
    fields = {"roots": (der(tsa.root),), "policies": (POLICY,), "accuracy_ms": None, **more}
    return Authority("mini", "Mini Ltd", **fields)


def answer(tsa=None, /, **features):
    """The authority's response over NOTE, its certificates in the order of DER, which some tools insist on."""
    tsa = tsa or authority()
    certificates = sorted(features.pop("certificates", [tsa.signer, tsa.middle]), key=der)
    return tsa.respond(NOTE, certificates=certificates, **features)


def token(*, kind="rsa", digest="sha256", given=None, **features):
    """How to make what a token with these features is given with; `given` are fields of Given."""

    def make():
        tsa = authority(kind)
        response = answer(tsa, digest=digest, **features)
        return Given(response, tsa, **(given or {}))

    return make


def signer(**features):
    """The same for an authority that differs in its signer's certificate."""

    def make():
        tsa = MiniTsa("rsa", **features)
        return Given(answer(tsa), tsa)

    return make
