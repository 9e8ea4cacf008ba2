"""Tokens that are as they should be, of certificates that may not stamp or that nobody trusts."""

from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.evidence.tsa_case import OURS, Case, Given, answer, authority, signer
from tests.evidence.tsa_good import ODD, between
from tests.mini_tsa import (
    TIME_STAMPING,
    YEARS,
    MiniTsa,
    authority_extensions,
    certificate,
    key,
    name,
    signer_extensions,
)

_PROFILE = "RFC 3161 §2.3"
_PATH = "RFC 5280 §6.1"
_SOLE = "not for time-stamping alone"
_CA = [*signer_extensions(), (x509.BasicConstraints(True, None), True)]
_ENCIPHERMENT = x509.KeyUsage(False, False, True, False, False, False, False, False, False)
_MARCH = datetime(2026, 3, 1, tzinfo=UTC)  # twelve hours before genTime
_APRIL = datetime(2026, 4, 1, tzinfo=UTC)
_NO_PATH = "no path leads"


def _extended(*purposes, critical=True):
    return signer(extensions=signer_extensions(purposes=purposes, critical=critical))


def _middle(**features):
    """The intermediate's certificate is another."""

    def make():
        tsa = MiniTsa("rsa")
        tsa.middle = between(tsa, **features)
        return Given(answer(tsa), tsa)

    return make


def forged(root="Root"):
    """An authority that calls itself as ours does, with other keys: what a forger would make."""
    forger = MiniTsa("rsa")
    forger.key = key("rsa", "forger")
    forger.root_key = forger.middle_key = key("p256", "forger")
    public, extensions = forger.root_key.public_key(), authority_extensions()
    forger.root = certificate(root, public, root, forger.root_key, extensions=extensions)
    forger.middle = certificate("Middle", public, root, forger.root_key, extensions=extensions)
    forger.signer = forger.issue("Mini TSA", extensions=forger.extensions)
    return forger


def _untrusted(root):
    def make():
        forger = forged(root)
        response = answer(forger, certificates=[forger.signer, forger.middle, forger.root])
        return Given(response, authority())

    return make


def _without_intermediate():
    return Given(answer(certificates=[authority().signer]), authority())


def _constrained():
    tsa = MiniTsa("rsa")
    names = x509.NameConstraints([x509.DirectoryName(tsa.root.subject)], None)
    tsa.middle = between(tsa, extensions=[*authority_extensions(), (names, True)])
    return Given(answer(tsa), tsa)


def _policy_twice():
    policy = x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4"), None)
    return x509.CertificatePolicies([policy, policy]), False


def _alternative(value):
    """The signer's certificate has that subjectAltName; the caller has it, since not every tool writes it again."""

    def make():
        extension = x509.UnrecognizedExtension(
            x509.ExtensionOID.SUBJECT_ALTERNATIVE_NAME, bytes.fromhex(value)
        )
        tsa = MiniTsa("rsa", extensions=[*signer_extensions(), (extension, False)])
        return Given(answer(tsa, certificates=[tsa.middle]), tsa, supplied=(tsa.signer,))

    return make


def named(subject, issuer):
    """The intermediate's certificate is of this subject, and the signer's names this issuer."""

    def make():
        tsa = MiniTsa("rsa")
        public, own = tsa.middle_key.public_key(), tsa.key.public_key()
        tsa.middle = certificate(subject, public, "Root", tsa.root_key, extensions=authority_extensions())
        tsa.signer = certificate("Mini TSA", own, issuer, tsa.middle_key, extensions=tsa.extensions)
        return Given(answer(tsa), tsa)

    return make


def in_turn(*others):
    """The caller has, before the intermediate, other certificates of its key and name, with these extensions."""

    def make():
        tsa = MiniTsa("rsa")
        key_of_top, public = key("p256", "top"), tsa.middle_key.public_key()
        top = certificate(
            "Top", key_of_top.public_key(), "Root", tsa.root_key, extensions=authority_extensions()
        )
        held = [
            certificate("Middle", public, "Top", key_of_top, extensions=each)
            for each in (*others, authority_extensions())
        ]
        return Given(answer(tsa, certificates=[tsa.signer]), tsa, supplied=(*held, top))

    return make


NO_SIGNING = [
    (x509.BasicConstraints(True, None), True),
    (x509.KeyUsage(True, False, False, False, False, False, True, False, False), True),
]


def of_ca(*purposes, critical=False):
    """Extensions of a CA that may issue for these purposes."""
    return [*authority_extensions(), (x509.ExtendedKeyUsage(list(purposes)), critical)]


WEB = of_ca(ExtendedKeyUsageOID.SERVER_AUTH)
EXCLUDING = [
    *authority_extensions(),
    (x509.NameConstraints(None, [x509.DirectoryName(name("MINI  tsa"))]), True),
]


def _old_root():
    tsa = MiniTsa("rsa", root_years=(YEARS[0], _MARCH))
    return Given(answer(tsa), tsa)


GOOD = (
    Case("CA of a name that is newer than Unicode 3.2", "RFC 5280 §7.1", named("鿏 Ⱥ CA", "鿏 ⱥ  CA")),
    Case("CA named with a capital sharp s", "RFC 5280 §7.1", named("Große CA", "GROẞE CA")),
    Case("a certificate that may not sign stands before one that may", _PATH, in_turn(NO_SIGNING)),
    Case("a certificate that excludes the signer stands before one that does not", _PATH, in_turn(EXCLUDING)),
    Case("a CA for web servers stands before one that states no purpose", OURS, in_turn(WEB)),
    Case(
        "CA for time-stamping and web servers",
        OURS,
        _middle(extensions=of_ca(ExtendedKeyUsageOID.SERVER_AUTH, TIME_STAMPING, critical=True)),
    ),
    Case("CA for any purpose", OURS, _middle(extensions=of_ca(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE))),
)

PROFILE = (
    Case("no extended key usage", _PROFILE, _extended(), 11, "has no extended key usage"),
    Case("for web servers", _PROFILE, _extended(ExtendedKeyUsageOID.SERVER_AUTH), 11, _SOLE),
    Case(
        "for time-stamping and code-signing",
        _PROFILE,
        _extended(TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING),
        11,
        _SOLE,
    ),
    Case(
        "extended key usage not critical", _PROFILE, _extended(TIME_STAMPING, critical=False), 11, "critical"
    ),
    Case(
        "key usage with keyCertSign, not a CA",
        OURS,
        signer(extensions=signer_extensions(cert_sign=True)),
        12,
        "not signatures alone",
    ),
    Case(
        "key usage without signatures",
        "RFC 5280 §4.2.1.12",
        signer(extensions=[*signer_extensions(usage=()), (_ENCIPHERMENT, True)]),
        12,
        "not signatures alone",
    ),
    Case(
        "genTime before notBefore",
        _PATH,
        signer(years=(_APRIL, YEARS[1])),
        13,
        "outside the validity of the signer",
    ),
    Case(
        "genTime after notAfter",
        _PATH,
        signer(years=(YEARS[0], _MARCH)),
        13,
        "outside the validity of the signer",
    ),
    Case("signer is a CA", OURS, signer(extensions=_CA), 14, "that of a certificate authority"),
    Case(
        "unknown critical extension",
        "RFC 5280 §4.2",
        signer(extensions=[*signer_extensions(), (ODD, True)]),
        14,
        r"unknown critical extensions: 1\.3\.6\.1\.4\.1\.99999\.1",
    ),
)

PATH = (
    Case("root that is not trusted", _PATH, _untrusted("Another Root"), 14, _NO_PATH, "roots"),
    Case("forger's authority with the same names", _PATH, _untrusted("Root"), 14, _NO_PATH, "roots"),
    Case("intermediate missing", _PATH, _without_intermediate, 14, _NO_PATH, "roots"),
    Case("intermediate is no CA", _PATH, _middle(extensions=()), 14, "is not a CA", "roots"),
    Case(
        "intermediate not yet valid at genTime",
        _PATH,
        _middle(years=(_APRIL, YEARS[1])),
        14,
        _NO_PATH,
        "roots",
    ),
    Case(
        "intermediate expired before genTime", _PATH, _middle(years=(YEARS[0], _MARCH)), 14, _NO_PATH, "roots"
    ),
    Case(
        "name constraint forbids the signer",
        _PATH,
        _constrained,
        14,
        "is not permitted by a CA above",
        "roots",
    ),
    Case(
        "a policy of the signer twice",
        "RFC 5280 §4.2.1.4",
        signer(extensions=[*signer_extensions(), _policy_twice()]),
        14,
        "a policy stands twice",
    ),
    Case(
        "a policy of the intermediate twice",
        "RFC 5280 §4.2.1.4",
        _middle(extensions=[*authority_extensions(), _policy_twice()]),
        14,
        "a policy stands twice",
    ),
    Case(
        "alternative name with a character that is not ASCII",
        "RFC 5280 §4.2.1.6",
        _alternative("30058203c3a941"),
        14,
        "a character that addresses do not have",
    ),
    Case(
        "alternative name of an address of three bytes",
        "RFC 5280 §4.2.1.6",
        _alternative("30058703010203"),
        14,
        "an IP address of another length",
    ),
    Case("issuer's name without its dot", "RFC 5280 §7.1", named("ı CA", "I CA"), 14, _NO_PATH, "roots"),
    Case(
        "name constraint excludes the signer in another case",
        "RFC 5280 §7.1",
        _middle(extensions=EXCLUDING),
        14,
        "is excluded by a CA above",
        "roots",
    ),
    Case("CA for web servers", OURS, _middle(extensions=WEB), 14, "for other purposes than time-stamping"),
    Case(
        "CA for web servers and code-signing, critical",
        OURS,
        _middle(
            extensions=of_ca(ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CODE_SIGNING, critical=True)
        ),
        14,
        "for other purposes than time-stamping",
    ),
    Case("root expired before genTime", OURS, _old_root, 14, "pinned root is not valid at genTime"),
)
