"""Good tokens beside what their CAs say of the certificates, and tokens that share a serial number."""

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import AuthorityInformationAccessOID, ObjectIdentifier

from notary.evidence.timestamp_status import Kind, RevocationData
from tests.evidence.tsa_case import OTHER, OURS, Case, Given, answer, authority
from tests.evidence.tsa_good import between
from tests.mini_revocation import DAY, both, crl, ocsp, refusal, responder
from tests.mini_tsa import GEN_TIME, YEARS, MiniTsa, certificate, key, signer_extensions

_TSP = "RFC 3161 §4"
_CRL = "RFC 5280 §6.3.3"
_OCSP = "RFC 6960 §3.2"
_DELEGATED = "RFC 6960 §4.2.2.2"
_LATER = GEN_TIME + DAY
_WEEK = GEN_TIME + 7 * DAY
_BEFORE = GEN_TIME - DAY
_OPEN = "no revocation data from genTime or later covers"
_ODD = (x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.2"), b"\x05\x00"), True)
_URL = [x509.UniformResourceIdentifier("http://ca.example/one.crl")]
_ANOTHER = [x509.UniformResourceIdentifier("http://ca.example/two.crl")]


def _given(make, *, strict=True, tsa=None):
    """`make` gives the data from the authority."""

    def given():
        chosen = tsa() if tsa else authority()
        return Given(answer(chosen), chosen, revocation=tuple(make(chosen)), strict=strict)

    return given


def _listed(reason, when=_LATER, *since, at=_WEEK):
    """The signer's certificate is in its CA's list."""
    return _given(lambda tsa: both(tsa, (tsa.signer, when, reason, *since), at=at))


def _signers(make):
    """The data on the signer's certificate is `make`'s, that on the intermediate's as it should be."""
    return _given(lambda tsa: (make(tsa), crl(tsa.root, tsa.root_key)))


def _responding():
    """An authority whose signer's certificate names where its CA answers: other verifiers look at no answer else."""
    place = x509.UniformResourceIdentifier("http://ca.example/ocsp")
    access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)
    named = (x509.AuthorityInformationAccess([access]), False)
    return MiniTsa("rsa", extensions=[*signer_extensions(), named])


def _answered(make):
    """As `_signers`, and the signer's certificate says that there are OCSP responses."""
    return _given(lambda tsa: (make(tsa), crl(tsa.root, tsa.root_key)), tsa=_responding)


def _scoped(**fields):
    scope = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    extension = (x509.IssuingDistributionPoint(**{**scope, **fields}), True)
    return lambda tsa: crl(tsa.middle, tsa.middle_key, extensions=[extension])


def _pointing():
    """An authority whose signer's certificate names where its part of the list is."""
    point = x509.DistributionPoint(_URL, None, None, None)
    return MiniTsa("rsa", extensions=[*signer_extensions(), (x509.CRLDistributionPoints([point]), False)])


def _ended():
    """Its signer's certificate ends a day after genTime."""
    return MiniTsa("rsa", years=(YEARS[0], GEN_TIME + DAY))


def _middle_ended():
    """The certificate of its signer's CA ends a day after genTime."""
    tsa = MiniTsa("rsa")
    years = (YEARS[0], GEN_TIME + DAY)
    tsa.middle = between(tsa, years=years)
    return tsa


def _no_list_signer():
    """The intermediate may sign certificates, and no lists."""
    tsa = MiniTsa("rsa")
    usage = x509.KeyUsage(False, False, False, False, False, True, False, False, False)
    public = tsa.middle_key.public_key()
    extensions = [(x509.BasicConstraints(True, None), True), (usage, True)]
    tsa.middle = _middle(tsa, public, extensions)
    return tsa


def _middle(tsa, public, extensions):
    return certificate("Middle", public, "Root", tsa.root_key, extensions=extensions)


def _delegated(**features):
    def make(tsa):
        by = responder(tsa.middle, tsa.middle_key, **features)
        return ocsp(tsa.signer, tsa.middle, tsa.middle_key, by=by)

    return make


def _answers(**features):
    return lambda tsa: ocsp(tsa.signer, tsa.middle, tsa.middle_key, **features)


def _changed(data, at=-1):
    changed = bytearray(data.data)
    changed[at] ^= 1
    return RevocationData(data.kind, bytes(changed))


def _resized(data, end=None, tail=b""):
    return RevocationData(data.kind, data.data[:end] + tail)


def _forged(tsa):
    return crl(tsa.middle, key("p256", "forger"))


def _by_forger(tsa):
    own = key("p256", "forger")
    by = (_middle(tsa, own.public_key(), []), own)
    return ocsp(tsa.signer, tsa.middle, tsa.middle_key, by=by, by_name=True, held=False)


def _renewed(tsa):
    """The intermediate's name with a key that is not on the path, as its list says."""
    later = MiniTsa("rsa")
    later.middle_key = key("p256", "renewed")
    public = later.middle_key.public_key()
    return crl(_middle(later, public, []), later.middle_key)


def _twice():
    tsa = authority()
    return Given(answer(nonce=5), tsa, others=(answer(nonce=6),))


def _same():
    tsa = authority()
    more = answer(nonce=5, certificates=[tsa.signer, tsa.middle, tsa.root])
    return Given(more, tsa, others=(answer(nonce=5),))


def _other_number():
    tsa = authority()
    return Given(answer(nonce=5, serial=8), tsa, others=(answer(nonce=6),))


GOOD = (
    Case("lists of signer's and intermediate's CA, of genTime", _CRL, _given(both)),
    Case("lists from after genTime", _CRL, _given(lambda tsa: both(tsa, at=_WEEK))),
    Case(
        "another certificate is listed",
        _CRL,
        _given(lambda tsa: both(tsa, (OTHER, _BEFORE, "keyCompromise"))),
    ),
    Case("unspecified, stated, after genTime", _TSP, _listed("unspecified")),
    Case("affiliationChanged after genTime", _TSP, _listed("affiliationChanged")),
    Case("superseded after genTime", _TSP, _listed("superseded")),
    Case("cessationOfOperation after genTime", _TSP, _listed("cessationOfOperation")),
    Case("list of user certificates", "RFC 5280 §5.2.5", _signers(_scoped(only_contains_user_certs=True))),
    Case(
        "list of the part that the certificate names",
        "RFC 5280 §5.2.5",
        _given(lambda tsa: (_scoped(full_name=_URL)(tsa), crl(tsa.root, tsa.root_key)), tsa=_pointing),
    ),
    Case("OCSP: good, by the issuer", _OCSP, _answered(_answers()), needs="ocsp"),
    Case(
        "OCSP: good, certificate named by SHA-256",
        _OCSP,
        _answered(_answers(digest=hashes.SHA256(), by_name=True)),
        needs="ocsp",
    ),
    Case("OCSP: good, by a delegated responder", _DELEGATED, _answered(_delegated()), needs="ocsp"),
    Case(
        "OCSP: superseded after genTime",
        _TSP,
        _answered(_answers(status="REVOKED", at=_WEEK, revoked_at=_LATER, reason="superseded")),
        needs="ocsp",
    ),
    Case(
        "list from before genTime, not captured is let pass",
        OURS,
        _given(lambda tsa: both(tsa, at=_BEFORE), strict=False),
        says=_OPEN,
    ),
    Case(
        "list of another issuer, not captured is let pass",
        OURS,
        _given(lambda tsa: (crl(OTHER, key("p256")),), strict=False),
        says=_OPEN,
    ),
    Case("the token that is held already, in another response", "RFC 3161 §2.4.2", _same),
    Case("another token with another serial number", "RFC 3161 §2.4.2", _other_number),
)

BAD = (
    Case(
        "keyCompromise before genTime",
        _TSP,
        _listed("keyCompromise", _BEFORE, at=GEN_TIME),
        15,
        "keyComp",
        "crl",
    ),
    Case("keyCompromise after genTime", _TSP, _listed("keyCompromise"), 15, "keyCompromise", "crl"),
    Case("no reason stated, after genTime", _TSP, _listed(None), 15, "no reason stated", "crl"),
    Case(
        "superseded before genTime",
        _TSP,
        _listed("superseded", _BEFORE, at=GEN_TIME),
        15,
        "superseded",
        "crl",
    ),
    Case(
        "superseded at genTime", _TSP, _listed("superseded", GEN_TIME, at=GEN_TIME), 15, "superseded", "crl"
    ),
    Case("privilegeWithdrawn after genTime", _TSP, _listed("privilegeWithdrawn"), 15, "privilegeW", "crl"),
    Case("certificateHold after genTime", OURS, _listed("certificateHold"), 15, "certificateHold", "crl"),
    Case(
        "superseded after genTime, invalid since before",
        "RFC 5280 §5.3.2",
        _listed("superseded", _LATER, _BEFORE),
        15,
        "superseded",
        "crl",
    ),
    Case(
        "keyCompromise in a list from before genTime",
        _TSP,
        _listed("keyCompromise", _BEFORE - DAY, at=_BEFORE),
        15,
        "keyCompromise",
        "crl",
    ),
    Case(
        "intermediate revoked, cACompromise",
        _CRL,
        _given(
            lambda tsa: (
                crl(tsa.middle, tsa.middle_key),
                crl(tsa.root, tsa.root_key, (tsa.middle, _BEFORE, "cACompromise")),
            )
        ),
        15,
        "CN=Middle was revoked",
        "crl",
    ),
    Case(
        "intermediate revoked after genTime, no reason stated",
        OURS,
        _given(
            lambda tsa: (
                crl(tsa.middle, tsa.middle_key, at=_WEEK),
                crl(tsa.root, tsa.root_key, (tsa.middle, _LATER, None), at=_WEEK),
            )
        ),
        15,
        "CN=Middle was revoked",
        "crl",
    ),
    Case("no revocation data, strict", OURS, _given(lambda tsa: ()), 15, _OPEN, "crl"),
    Case(
        "no list of the intermediate's CA, strict", OURS, _given(lambda tsa: both(tsa)[:1]), 15, _OPEN, "crl"
    ),
    Case(
        "list from before genTime, strict", OURS, _given(lambda tsa: both(tsa, at=_BEFORE)), 15, _OPEN, "crl"
    ),
    Case(
        "list of another issuer, strict",
        _CRL,
        _signers(lambda tsa: crl(tsa.root, tsa.root_key)),
        15,
        _OPEN,
        "crl",
    ),
    Case("list by the same name's later key, strict", _CRL, _signers(_renewed), 15, _OPEN, "crl"),
    Case(
        "list in the issuer's name by somebody else",
        _CRL,
        _signers(_forged),
        15,
        "is not signed by it",
        "crl",
    ),
    Case(
        "list with one bit of its signature changed",
        _CRL,
        _signers(lambda tsa: _changed(both(tsa)[0])),
        15,
        "is not signed by it",
        "crl",
    ),
    Case(
        "list cut off",
        "RFC 5280 §5.1",
        _signers(lambda tsa: _resized(both(tsa)[0], -20)),
        15,
        "cannot be read",
        "crl",
    ),
    Case(
        "a byte after the list",
        OURS,
        _signers(lambda tsa: _resized(both(tsa)[0], tail=b"\x00")),
        15,
        "cannot be read",
        "crl",
    ),
    Case(
        "delta list, strict",
        "RFC 5280 §5.2.4",
        _signers(lambda tsa: crl(tsa.middle, tsa.middle_key, extensions=[(x509.DeltaCRLIndicator(1), True)])),
        15,
        _OPEN,
        "crl",
    ),
    Case(
        "list of CA certificates, strict",
        "RFC 5280 §5.2.5",
        _signers(_scoped(only_contains_ca_certs=True)),
        15,
        _OPEN,
        "crl",
    ),
    Case(
        "list of some reasons, strict",
        "RFC 5280 §5.2.5",
        _signers(_scoped(only_some_reasons=frozenset([x509.ReasonFlags.superseded]))),
        15,
        _OPEN,
        "crl",
    ),
    Case("indirect list, strict", "RFC 5280 §5.2.5", _signers(_scoped(indirect_crl=True)), 15, _OPEN, "crl"),
    Case(
        "list of another part than the certificate names, strict",
        _CRL,
        _given(lambda tsa: (_scoped(full_name=_ANOTHER)(tsa), crl(tsa.root, tsa.root_key)), tsa=_pointing),
        15,
        _OPEN,
        "crl",
    ),
    Case(
        "list with an unknown critical extension, strict",
        "RFC 5280 §5.2",
        _signers(lambda tsa: crl(tsa.middle, tsa.middle_key, extensions=[_ODD])),
        15,
        _OPEN,
        "crl",
    ),
    Case(
        "an entry of the list with one, strict",
        "RFC 5280 §5.3",
        _signers(
            lambda tsa: crl(tsa.middle, tsa.middle_key, (OTHER, _BEFORE, None), entry_extensions=[_ODD])
        ),
        15,
        _OPEN,
        "crl",
    ),
    Case(
        "list by a CA that may sign none, strict",
        _CRL,
        _given(both, tsa=_no_list_signer),
        15,
        _OPEN,
        "crl",
    ),
    Case(
        "list from after the end of the certificate, strict",
        "RFC 5280 §3.3",
        _given(lambda tsa: both(tsa, at=_WEEK), tsa=_ended),
        15,
        _OPEN,
        "crl",
    ),
    Case(
        "list from after the end of its CA's certificate, strict",
        OURS,
        _given(
            lambda tsa: (crl(tsa.middle, tsa.middle_key, at=_WEEK), crl(tsa.root, tsa.root_key)),
            tsa=_middle_ended,
        ),
        15,
        _OPEN,
        "crl",
    ),
    Case(
        "OCSP: revoked, keyCompromise",
        _TSP,
        _answered(_answers(status="REVOKED", at=_WEEK, revoked_at=_LATER, reason="keyCompromise")),
        15,
        "keyCompromise",
        "ocsp",
    ),
    Case(
        "OCSP: revoked after genTime, no reason stated",
        _TSP,
        _answered(_answers(status="REVOKED", at=_WEEK, revoked_at=_LATER)),
        15,
        "no reason stated",
        "ocsp",
    ),
    Case("OCSP: unknown, strict", "RFC 6960 §2.2", _answered(_answers(status="UNKNOWN")), 15, _OPEN, "ocsp"),
    Case("OCSP: from before genTime, strict", OURS, _answered(_answers(at=_BEFORE)), 15, _OPEN, "ocsp"),
    Case(
        "OCSP: about another certificate, strict",
        _OCSP,
        _answered(lambda tsa: ocsp(OTHER, tsa.middle, tsa.middle_key)),
        15,
        _OPEN,
        "ocsp",
    ),
    Case(
        "OCSP: the serial number at another CA, strict",
        _OCSP,
        _answered(lambda tsa: ocsp(tsa.signer, tsa.root, tsa.root_key)),
        15,
        _OPEN,
        "ocsp",
    ),
    Case("OCSP: tryLater, strict", "RFC 6960 §4.2.1", _answered(lambda tsa: refusal()), 15, _OPEN, "ocsp"),
    Case(
        "OCSP: delegated without OCSPSigning",
        _DELEGATED,
        _answered(_delegated(purposes=())),
        15,
        "answers without a certificate for OCSP signing",
        "ocsp",
    ),
    Case(
        "OCSP: delegated for web servers",
        _DELEGATED,
        _answered(_delegated(purposes=[x509.ExtendedKeyUsageOID.SERVER_AUTH])),
        15,
        "answers without a certificate for OCSP signing",
        "ocsp",
    ),
    Case(
        "OCSP: delegated by another CA",
        _DELEGATED,
        _answered(
            lambda tsa: ocsp(
                tsa.signer, tsa.middle, tsa.middle_key, by=responder(tsa.root, tsa.root_key, name="Root")
            )
        ),
        15,
        "answers for a CA that did not issue",
        "ocsp",
    ),
    Case(
        "OCSP: delegate's certificate has ended",
        _DELEGATED,
        _answered(_delegated(years=(YEARS[0], GEN_TIME - timedelta(days=2)))),
        15,
        "was not valid when it answered",
        "ocsp",
    ),
    Case(
        "OCSP: delegate without nocheck, strict",
        "RFC 6960 §4.2.2.2.1",
        _answered(_delegated(nocheck=False)),
        15,
        _OPEN,
        "ocsp",
    ),
    Case(
        "OCSP: in the issuer's name by somebody else",
        _OCSP,
        _answered(_by_forger),
        15,
        "is not signed by it",
        "ocsp",
    ),
    Case(
        "OCSP: signer's certificate not at hand",
        _OCSP,
        _answered(
            lambda tsa: ocsp(tsa.signer, tsa.middle, tsa.middle_key, by=(OTHER, key("p256")), held=False)
        ),
        15,
        "no revocation data from genTime or later covers",
        "ocsp",
    ),
    Case(
        "OCSP: unknown critical extension, strict",
        "RFC 6960 §4.4",
        _answered(_answers(extensions=[_ODD])),
        15,
        _OPEN,
        "ocsp",
    ),
    Case(
        "OCSP: cut off",
        "RFC 6960 §4.2.1",
        _answered(lambda tsa: _resized(_answers()(tsa), -20)),
        15,
        "cannot be read",
        "ocsp",
    ),
    Case(
        "a list that is called an OCSP response",
        OURS,
        _answered(lambda tsa: RevocationData(Kind.OCSP, both(tsa)[0].data)),
        15,
        "cannot be read",
        "ocsp",
    ),
    Case(
        "another token with the same serial number",
        "RFC 3161 §2.4.2",
        _twice,
        22,
        "serial number 7",
        "serial",
    ),
)
