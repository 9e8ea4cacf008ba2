"""Good tokens beside what their CAs say of the certificates, and tokens that share a serial number."""

from datetime import timedelta

from asn1crypto import core
from asn1crypto import ocsp as lenient
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import AuthorityInformationAccessOID, ObjectIdentifier

from notary.evidence.timestamp_status import Kind, RevocationData
from tests.evidence.tsa_case import OTHER, OURS, Case, Given, answer, authority
from tests.evidence.tsa_good import between
from tests.mini_revocation import DAY, both, crl, ocsp, refusal, responder
from tests.mini_tsa import GEN_TIME, YEARS, MiniTsa, certificate, key, name, signer_extensions

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


def _scope(**fields):
    scope = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**{**scope, **fields}), True


def _scoped(**fields):
    extension = _scope(**fields)
    return lambda tsa: crl(tsa.middle, tsa.middle_key, extensions=[extension])


def _pointing(names=_URL, reasons=None, issuer=None):
    """An authority whose signer's certificate names where its part of the list is."""
    point = x509.DistributionPoint(names, None, reasons, issuer)
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


def _unknown_beside(answers):
    """The certificate is also said not to be known; behind that, so that it is read first."""
    one = answers[0].copy()
    answers.append(answers[0].copy())
    one["cert_status"] = lenient.CertStatus("unknown", core.Null())
    answers[0] = one


def _odd_beside(answers):
    """An answer about another certificate has an extension that nobody knows."""
    other = answers[0].copy()
    other["cert_id"]["serial_number"] = 12345
    value = core.ParsableOctetString(b"\x05\x00")
    other["single_extensions"] = [{"extn_id": "1.2.3.4", "critical": True, "extn_value": value}]
    answers.append(other)


def _reason_beside(code):
    value = core.ParsableOctetString(bytes([10, 1, code]))

    def change(answers):
        answers[0]["single_extensions"] = [{"extn_id": "2.5.29.21", "critical": False, "extn_value": value}]

    return change


_GONE = {"status": "REVOKED", "at": _WEEK, "revoked_at": _LATER}


def _part(scope, point, *revoked):
    """A list of one part, of which the certificate says where it is: `scope` and `point` are names."""

    def tsa():
        return _pointing(*point)

    def make(tsa):
        extension = _scope(full_name=scope)
        entries = [(tsa.signer, *each) for each in revoked]
        return crl(tsa.middle, tsa.middle_key, *entries, extensions=[extension], at=_WEEK), crl(
            tsa.root, tsa.root_key, at=_WEEK
        )

    return _given(make, tsa=tsa)


_SOME = frozenset([x509.ReasonFlags.key_compromise])
_ELSEWHERE = [x509.DirectoryName(name("Other CA"))]


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


def _in_capitals():
    """Another token of the number, whose signer's certificate spells the authority's name in capitals."""
    tsa, again = authority(), MiniTsa("rsa")
    again.signer = again.issue("MINI  TSA", extensions=again.extensions)
    return Given(answer(nonce=5), tsa, others=(answer(again, nonce=6),))


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
        "OCSP: an extension of the answer about another certificate",
        "RFC 6960 §4.4",
        _answered(_answers(change=_odd_beside)),
        needs="ocsp",
    ),
    Case(
        "OCSP: delegated with a key for nonRepudiation",
        "RFC 5280 §4.2.1.12",
        _answered(
            _delegated(usage=x509.KeyUsage(False, True, False, False, False, False, False, False, False))
        ),
        needs="ocsp",
    ),
    Case(
        "OCSP: superseded after genTime, in the status and beside it",
        "RFC 6960 §4.4.5",
        _answered(_answers(**_GONE, reason="superseded", change=_reason_beside(4))),
        needs="ocsp",
    ),
    Case(
        "list of a part that the certificate names in another case",
        "RFC 5280 §7.1",
        _part([x509.DirectoryName(name("PART  ONE"))], [[x509.DirectoryName(name("Part one"))]]),
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
        "OCSP: keyCompromise behind an answer that knows nothing",
        OURS,
        _answered(_answers(**_GONE, reason="keyCompromise", change=_unknown_beside)),
        15,
        "keyCompromise",
        "ocsp",
    ),
    Case(
        "OCSP: good behind an answer that knows nothing, strict",
        OURS,
        _answered(_answers(change=_unknown_beside)),
        15,
        _OPEN,
        "ocsp",
    ),
    Case(
        "OCSP: keyCompromise after genTime, superseded beside it",
        OURS,
        _answered(_answers(**_GONE, reason="keyCompromise", change=_reason_beside(4))),
        15,
        "keyCompromise",
        "ocsp",
    ),
    Case(
        "OCSP: no reason in the status, superseded beside it",
        OURS,
        _answered(_answers(**_GONE, change=_reason_beside(4))),
        15,
        "no reason stated",
        "ocsp",
    ),
    Case(
        "OCSP: superseded after genTime, keyCompromise beside it",
        OURS,
        _answered(_answers(**_GONE, reason="superseded", change=_reason_beside(1))),
        15,
        "keyCompromise",
        "ocsp",
    ),
    Case(
        "keyCompromise in a list of a part that the certificate names in another case",
        "RFC 5280 §7.1",
        _part(
            [x509.DirectoryName(name("PART  ONE"))],
            [[x509.DirectoryName(name("Part one"))]],
            (_BEFORE, "keyCompromise"),
        ),
        15,
        "keyCompromise",
        "crl",
    ),
    Case(
        "list of a part that the certificate names for some reasons, strict",
        _CRL,
        _part(_URL, [_URL, _SOME]),
        15,
        _OPEN,
        "crl",
    ),
    Case(
        "superseded after genTime in a list of a part for some reasons, strict",
        _CRL,
        _part(_URL, [_URL, _SOME], (_LATER, "superseded")),
        15,
        _OPEN,
        "crl",
    ),
    Case(
        "keyCompromise in a list of a part for some reasons",
        _CRL,
        _part(_URL, [_URL, _SOME], (_BEFORE, "keyCompromise")),
        15,
        "keyCompromise",
        "crl",
    ),
    Case(
        "list of a part that is said to be another CA's, strict",
        _CRL,
        _part(_URL, [_URL, None, _ELSEWHERE]),
        15,
        _OPEN,
        "crl",
    ),
    Case(
        "keyCompromise in a list of a part that is said to be another CA's",
        OURS,
        _part(_URL, [_URL, None, _ELSEWHERE], (_BEFORE, "keyCompromise")),
        15,
        "keyCompromise",
        "crl",
    ),
    Case(
        "keyCompromise in a list at the name of another CA",
        _CRL,
        _part(_ELSEWHERE, [None, None, _ELSEWHERE], (_BEFORE, "keyCompromise")),
        15,
        "keyCompromise",
        "crl",
    ),
    Case(
        "another token with the same serial number, of the name in capitals",
        "RFC 5280 §7.1",
        _in_capitals,
        22,
        "serial number 7",
        "serial",
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
