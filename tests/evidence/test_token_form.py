"""What a token, its certificates and its revocation data may not hold, in unsigned parts too."""

from hashlib import sha256

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from notary.errors import FormatError, TimestampError
from notary.evidence import asn1
from notary.evidence.asn1 import parse
from notary.evidence.timestamp import check_token
from notary.evidence.timestamp_der import retag
from notary.evidence.timestamp_extensions import check_extensions, key_usage
from notary.evidence.timestamp_form import CERTIFICATE, GENERAL_NAME, NAME, RESPONSE, TST_INFO
from notary.evidence.timestamp_revocation import Standing, revocation
from notary.evidence.timestamp_revocation_form import OCSP_RESPONSE
from notary.evidence.timestamp_status import Kind, RevocationData
from tests.evidence.tsa_case import NOTE, trusting
from tests.mini_revocation import DAY, crl, ocsp
from tests.mini_tsa import GEN_TIME, MiniTsa, certificate, der, key

TSA = MiniTsa()
SIGNER = der(TSA.signer)
DEFAULT = b"\x01\x01\x00"


def tree(data):
    """Lists of [tag, contents], to be changed."""
    node = parse(data)
    return _listed(node)


def _listed(node):
    return [node.raw[0], node.content if node.children is None else [_listed(each) for each in node.children]]


def encoded(node):
    tag, contents = node
    return retag(tag, contents if isinstance(contents, bytes) else b"".join(map(encoded, contents)))


def changed(data, change):
    found = tree(data)
    change(found)
    return encoded(found)


def tbs(change):
    return lambda found: change(found[1][0][1])


NULL = [5, b""]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c[1].append(NULL), "an element that does not belong"),
        (tbs(lambda f: f[0][1][0].__setitem__(1, b"\x00")), "a default value that is stated"),
        (tbs(lambda f: f[0][1][0].__setitem__(1, b"\x03")), "a version that certificates of these fields"),
        (tbs(lambda f: f[0][1][0].__setitem__(1, b"\x01")), "a version that certificates of these fields"),
        (tbs(lambda f: f.pop(0)), "a version that certificates of these fields"),
        (tbs(lambda f: f[1].__setitem__(1, b"\x00\x01")), "an integer that is not in its shortest form"),
        (tbs(lambda f: f[2][1].append(NULL)), "a certificate names two signature algorithms"),
        (tbs(lambda f: f[6][1].append(NULL)), "an element that does not belong"),
        (tbs(lambda f: f.insert(7, [0x81, b""])), "not a bit string"),
        (tbs(lambda f: f[-1][1][0][1].append(f[-1][1][0][1][0])), "an extension stands twice"),
        (tbs(lambda f: f[-1][1][0][1][0][1].insert(1, [1, b"\x00"])), "a default value that is stated"),
        (tbs(lambda f: f[-1][1][0][1][0][1].insert(1, [1, b"\x01"])), "not a boolean"),
        (tbs(lambda f: f[3][1][0][1].append(f[3][1][0][1][0])), "a part of a name states one thing twice"),
        (tbs(lambda f: f[3][1][0].__setitem__(1, [])), "an empty list"),
        (tbs(lambda f: f[3][1][0][1][0][1].__setitem__(1, [3, b"\x00A"])), "a name that is a bit string"),
    ],
)
def test_a_certificate_with_more_or_less_or_another_spelling_cannot_be_read(change, message):
    CERTIFICATE.check(parse(SIGNER))
    with pytest.raises(FormatError, match=message):
        CERTIFICATE.check(parse(changed(SIGNER, change)))


def test_a_certificate_is_in_der():
    body = b"".join(encoded(each) for each in tree(SIGNER)[1])
    with pytest.raises(FormatError, match="a certificate that is not in DER"):
        CERTIFICATE.check(parse(b"\x30\x80" + body + b"\0\0"))


def test_the_same_holds_for_one_that_is_not_used():
    unused = der(certificate("Unused", key("p256").public_key(), "Nobody", key("p256", "nobody")))
    response = TSA.respond(NOTE)

    def with_more(more):
        def change(found):
            signed = found[1][1][1][1][1][0][1]
            next(each for each in signed if each[0] == 0xA0)[1].append(tree(more))

        return changed(response, change)

    assert check_token(with_more(unused), NOTE, trusting(TSA)).gen_time == GEN_TIME
    twice = changed(unused, tbs(lambda f: f[2][1].append(NULL)))
    with pytest.raises(TimestampError, match="a certificate names two signature algorithms") as caught:
        check_token(with_more(twice), NOTE, trusting(TSA))
    assert caught.value.check == 4


def test_unsigned_parts_of_the_response_are_read_too():
    response = TSA.respond(NOTE)
    long = changed(response, lambda r: r[1][0][1][0].__setitem__(1, b"\x00\x00"))
    with pytest.raises(TimestampError, match="the response cannot be read") as caught:
        check_token(long, NOTE, trusting(TSA))
    assert caught.value.check == 4
    RESPONSE.check(parse(response))
    more = changed(response, lambda r: r[1][1][1][1][1][0][1][-1][1][0][1].append(NULL))
    with pytest.raises(FormatError, match="an element that does not belong"):
        RESPONSE.check(parse(more))
    content = [4, b""]
    other = changed(response, lambda r: r[1][1][1][1][1][0][1][2][1][1].__setitem__(1, [NULL]))
    assert content != NULL
    with pytest.raises(FormatError, match="not an octet string"):
        RESPONSE.check(parse(other))
    pieces = changed(
        response, lambda r: r[1][1][1][1][1][0][1][2][1][1].__setitem__(1, [[0x24, [[4, b"\x30\x00"]]]])
    )
    RESPONSE.check(parse(pieces))


def test_a_tstinfo_is_in_der_and_has_nothing_more():
    info = TSA.info(NOTE)
    TST_INFO.check(parse(info, der=True))
    with pytest.raises(FormatError, match="an element that does not belong"):
        TST_INFO.check(
            parse(changed(info, lambda i: i[1][2][1][0][1].append(NULL) or i[1][2][1][0][1].append(NULL)))
        )


@pytest.mark.parametrize(
    ("tag", "text", "good"),
    [
        (12, "é".encode(), True),
        (12, b"\xff", False),
        (18, b"01 9", True),
        (18, b"a", False),
        (28, b"\0\0\0a", True),
        (28, b"\0\x11\0\0", False),
        (28, b"\0\0\0", False),
        (30, b"\0a", True),
        (30, b"a", False),
        (19, b"\xff", True),
    ],
)
def test_a_text_in_a_name_is_of_its_type(tag, text, good):
    name = retag(0x30, retag(0x31, retag(0x30, b"\x06\x03\x55\x04\x03" + retag(tag, text))))
    if good:
        NAME.check(parse(name))
        return
    with pytest.raises(FormatError, match="a text that is none"):
        NAME.check(parse(name))


@pytest.mark.parametrize(
    "data", [b"\x88\x01\x2a", b"\xa0\x08\x06\x01\x2a\xa0\x03\x02\x01\x01", b"\xa4\x02\x30\x00"]
)
def test_general_names_are_read(data):
    GENERAL_NAME.check(parse(data))


def test_extensions_are_read_to_their_last_byte():
    check_extensions(SIGNER)
    assert key_usage(SIGNER) == {0, 1}
    oid = bytes.fromhex("0603551d0f")
    usage = SIGNER[SIGNER.index(oid) :]
    assert bytes.fromhex("0404030206c0") in usage
    longer = SIGNER.replace(bytes.fromhex("0404030206c0"), bytes.fromhex("0404020206c0"))
    with pytest.raises(FormatError, match="another type than may be here"):
        check_extensions(longer)
    with pytest.raises(FormatError, match="another type than may be here"):
        key_usage(longer)
    plain = changed(SIGNER, tbs(lambda f: f.pop()))
    assert key_usage(plain) is None
    check_extensions(plain)


@pytest.mark.parametrize("count", [0, 1_000_000, 1_000_001, -1, 2**71])
@pytest.mark.parametrize(
    ("oid", "around"),
    [
        ("2.5.29.19", lambda number: b"\x01\x01\xff" + number),
        ("2.5.29.36", lambda number: b"\x80" + number[1:]),
    ],
)
def test_a_count_of_certificates_is_at_most_a_million(oid, around, count):
    number = core.Integer(count).dump()
    inner = around(number)
    value = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), b"0" + bytes([len(inner)]) + inner)
    made = der(certificate("X", TSA.key.public_key(), "Root", TSA.root_key, extensions=[(value, True)]))
    if 0 <= count <= 1_000_000:
        check_extensions(made)
    else:
        with pytest.raises(FormatError, match=r"^ASN\.1: not a number of certificates from 0 to 1000000$"):
            check_extensions(made)


def link():
    return [SIGNER, der(TSA.middle), der(TSA.root)]


def signed_again(data, change):
    """A list changed, and signed as before."""
    found = tree(data)
    change(found[1][0][1])
    body = encoded(found[1][0])
    found[1][2][1] = b"\0" + TSA.middle_key.sign(body, ec.ECDSA(hashes.SHA256()))
    return RevocationData(Kind.CRL, encoded(found))


def test_a_list_speaks_for_its_issuer_however_the_name_is_written():
    revoked = crl(TSA.middle, TSA.middle_key, (TSA.signer, GEN_TIME, "keyCompromise"), at=GEN_TIME + DAY)
    for text in (b"middle", b" Middle  ", b"MIDDLE"):
        other = signed_again(revoked.data, lambda f, text=text: f[2][1][0][1][0][1][1].__setitem__(1, text))
        assert other.data != revoked.data
        assert revocation(link(), GEN_TIME, [other]).standing is Standing.REVOKED
    stranger = signed_again(revoked.data, lambda f: f[2][1][0][1][0][1][1].__setitem__(1, b"Muddle"))
    assert revocation(link(), GEN_TIME, [stranger]).standing is Standing.NOT_CAPTURED


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r[1][0].__setitem__(1, b"\x04"), "an OCSP response with an unknown status"),
        (lambda r: r[1].pop(), "an OCSP response without an answer"),
        (lambda r: r[1][1][1][0][1][0].__setitem__(1, b"\x2a"), "an OCSP response of another kind"),
    ],
)
def test_a_response_of_another_form_is_refused(change, message):
    data = ocsp(TSA.signer, TSA.middle, TSA.middle_key).data
    OCSP_RESPONSE.check(parse(data, der=True))
    with pytest.raises(FormatError, match=message):
        OCSP_RESPONSE.check(parse(changed(data, change), der=True))
    OCSP_RESPONSE.check(parse(changed(data, lambda r: r[1].pop() and r[1][0].__setitem__(1, b"\x03"))))


@pytest.mark.parametrize(
    "algorithm", [hashes.SHA3_256(), hashes.SHA3_384(), hashes.SHA3_512()], ids=lambda a: a.name
)
def test_certificates_may_be_signed_with_sha_3(algorithm):
    tsa = MiniTsa()
    tsa.signer = tsa.issue("Mini TSA", extensions=tsa.extensions, digest=algorithm)
    assert check_token(tsa.respond(NOTE), NOTE, trusting(tsa)).path[0] == der(tsa.signer)


def test_a_name_constraint_that_is_not_understood_fails_the_path():
    tsa = MiniTsa(extensions=None)
    registered = x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    more = [
        (x509.BasicConstraints(True, None), True),
        (usage, True),
        (x509.NameConstraints([registered], None), True),
    ]
    tsa.middle = certificate("Middle", tsa.middle_key.public_key(), "Root", tsa.root_key, extensions=more)
    named = [*tsa.extensions, (x509.SubjectAlternativeName([registered]), False)]
    tsa.signer = tsa.issue("Mini TSA", extensions=named)
    with pytest.raises(TimestampError, match="No containment checker available for") as caught:
        check_token(tsa.respond(NOTE), NOTE, trusting(tsa))
    assert caught.value.check == 14


def test_an_extension_of_an_intermediate_that_is_not_of_its_form_fails_the_path():
    tsa = MiniTsa()
    found = tree(der(tsa.middle))
    for extension in found[1][0][1][-1][1][0][1]:
        if extension[1][0][1] == bytes.fromhex("551d13"):
            extension[1][-1][1] += b""
            extension[1][-1][1] = b"\x30\x06\x01\x01\xff\x01\x01\xff"
    body = encoded(found[1][0])
    found[1][2][1] = b"\0" + tsa.root_key.sign(body, ec.ECDSA(hashes.SHA256()))
    middle = x509.load_der_x509_certificate(encoded(found))
    assert sha256(encoded(found)) != sha256(der(tsa.middle))
    with pytest.raises(TimestampError, match="an extension of a certificate cannot be read") as caught:
        check_token(tsa.respond(NOTE, certificates=[tsa.signer, middle]), NOTE, trusting(tsa))
    assert caught.value.check == 14
    assert asn1.SEQUENCE == 16
