"""What no check asks of makes no difference, and what one asks of is read alike by both verifiers.

Each case is judged by both; a library that reads all or nothing would refuse the good ones, or hide a revocation.
"""

import json
import subprocess
from base64 import b64encode
from itertools import cycle, pairwise

import pytest

from notary.errors import TimestampError
from notary.evidence import timestamp_names
from notary.evidence.timestamp import check_token
from notary.evidence.timestamp_certificate import read_certificate
from notary.evidence.timestamp_names import name_key, shown_key, shown_name
from notary.evidence.timestamp_revocation import check_revocation, statuses_of
from notary.evidence.timestamp_status import Kind, RevocationData, reason_of
from notary.evidence.trust_toml import certificate as trusted
from tests.evidence import tsa_raw as raw
from tests.evidence.test_js_timestamps import SCRIPT, text
from tests.evidence.tsa_case import NOTE, trusting
from tests.evidence.tsa_raw import (
    RawTsa,
    common,
    enumerated,
    extension,
    integer,
    named,
    oid,
    retag,
    seq,
    tagged,
    time,
)
from tests.mini_tsa import POLICY, MiniTsa, der, key

GOOD, REVOCATION, PATH = None, 15, 14
MAIL, UNIQUE = "1.2.840.113549.1.9.1", "2.5.4.45"
URI = retag(0x86, b"http://ca.example/one.crl")
JUNK = b"\x05\x00"


def pem(data):
    return f"-----BEGIN CERTIFICATE-----\n{b64encode(data).decode()}\n-----END CERTIFICATE-----\n"


def case(tsa, data=None, strict=True):
    """Strict: not captured fails, so that only what was shown to be good passes."""
    return tsa, tsa.lists() if data is None else data, strict


def by_python(tsa, data, strict):
    assert trusted(pem(der(tsa.root)), "roots") == der(tsa.root)
    try:
        stamp = check_token(tsa.respond(NOTE), NOTE, trusting(tsa))
        check_revocation(stamp.path, stamp.gen_time, data, strict=strict)
    except TimestampError as error:
        return error.check
    return None


def written(tsa, data, strict):
    return {
        "response": text(tsa.respond(NOTE)),
        "data": text(NOTE),
        "roots": [pem(der(tsa.root))],
        "intermediates": [],
        "policies": [POLICY],
        "nonce": None,
        "sent": None,
        "received": None,
        "revocation": [
            {"name": f"{at}.{each.kind.value}", "bytes": text(each.data)} for at, each in enumerate(data, 1)
        ],
        "strict": strict,
        "others": [],
    }


def agreed(tmp_path, cases, expected):
    asked = tmp_path / "cases.json"
    asked.write_text(json.dumps([written(*each) for each in cases.values()]))
    run = subprocess.run(["node", SCRIPT, asked], capture_output=True, text=True, timeout=240, check=True)
    assert {name: by_python(*each) for name, each in cases.items()} == expected
    assert dict(zip(cases, json.loads(run.stdout), strict=True)) == expected


TEXTS = {
    "a printable text with @ and _": common(b"a_b@c", 19),
    "a printable text of Latin-1": common(b"Autorit\xe9", 19),
    "a Teletex text of Latin-1": common(b"Autorit\xe9", 20),
    "an IA5 text of Latin-1": common(b"Autorit\xe9", 22),
    "half a pair of UTF-16": common(b"\xd8\x00\x00a", 30),
    "half a pair in four bytes": common(b"\x00\x00\xd8\x00", 28),
    "an address in two bytes a character": named((MAIL, retag(30, b"\x00a\x00@\x00b"))),
    "an address in Teletex": named((MAIL, retag(20, b"a@b"))),
    "an identifier as text": named((UNIQUE, retag(12, b"x")), ("2.5.4.3", retag(12, b"x"))),
    "no text": common(b""),
}


def test_a_name_of_any_text_is_read(tmp_path):
    cases = {
        (what, place): case(RawTsa(names={place: name}))
        for what, name in TEXTS.items()
        for place in ("signer", "middle", "root")
    }
    agreed(tmp_path, cases, dict.fromkeys(cases, GOOD))


def test_a_bit_string_is_not_the_text_of_its_bytes(tmp_path):
    bits, spelt = named((UNIQUE, b"\x03\x02\x00\xff")), named((UNIQUE, retag(12, b"#030200ff")))
    cases = {
        "the same": case(RawTsa(names={"middle": bits})),
        "a text": case(RawTsa(names={"middle": bits}, issuer=spelt)),
    }
    agreed(tmp_path, cases, {"the same": GOOD, "a text": PATH})
    assert name_key(bits) != name_key(named((UNIQUE, retag(12, b" 030200ff"))))


UNREAD = ("2.5.29.9", "2.5.29.16", "2.5.29.18", "2.5.29.46", "1.3.6.1.5.5.7.1.11", "1.3.6.1.5.5.7.1.24")
OF_ROOT = (*UNREAD, *(f"2.5.29.{arc}" for arc in (17, 30, 31, 32, 33, 35, 36, 54)), "1.3.6.1.5.5.7.1.1")


def test_an_extension_that_no_check_asks_of_may_hold_anything(tmp_path):
    odd = [retag(0xA3, NULL) for NULL in (raw.NULL,)] + [tagged(5, tagged(1, retag(12, b"x")))]
    odd.append(retag(0x86, b"http://[::1"))
    cases = {
        (place, kind, critical): case(RawTsa(extensions={place: [extension(kind, JUNK, critical=critical)]}))
        for place, kinds in (("signer", UNREAD), ("middle", UNREAD), ("root", OF_ROOT))
        for kind in kinds
        for critical in ([False, True] if place == "root" else [False])
    }
    cases |= {
        ("alternative name", at): case(RawTsa(extensions={"signer": [extension("2.5.29.17", seq(each))]}))
        for at, each in enumerate(odd)
    }
    agreed(tmp_path, cases, dict.fromkeys(cases, GOOD))


ODD, READABLE = (extension("2.5.29.9", value) for value in (JUNK, seq()))


class OddTsa(RawTsa):
    """A certificate has a length whose last byte is 80, as an indefinite one, and an extension that nobody reads."""

    def __init__(self, place):
        for size in cycle(range(256)):
            super().__init__(extensions={place: [ODD, extension("1.2.3.4", bytes(size))]}, any_length=True)
            if getattr(self, place).data[3] == 0x80:
                break

    def respond(self, data):
        """With certificates that the library can write, in whose place the real ones are put."""
        real = [self.signer.data, self.middle.data]
        written = [each.replace(ODD, READABLE) for each in real]
        made = super().respond(data, certificates=list(map(raw.Raw, written)))
        for one, other in zip(written, real, strict=True):
            made = made.replace(one, other)
        return made


def test_a_length_that_ends_like_an_indefinite_one_is_none(tmp_path):
    cases = {place: case(OddTsa(place)) for place in ("signer", "middle", "root")}
    agreed(tmp_path, cases, dict.fromkeys(cases, GOOD))


def constrained(kind, permitted, stated, subject=None):
    value = seq(tagged(0, seq(permitted)))
    extensions = {"middle": [extension("2.5.29.30", value, critical=True)]}
    if stated:
        extensions["signer"] = [extension("2.5.29.17", seq(stated))]
    return case(RawTsa(names={"signer": subject} if subject else {}, extensions=extensions))


CONSTRAINED = {
    "an address within": (retag(0x87, b"\x0a\0\0\0\xff\0\0\0"), retag(0x87, b"\x0a\1\2\3"), None, GOOD),
    "an address without": (retag(0x87, b"\x0a\0\0\0\xff\0\0\0"), retag(0x87, b"\x0b\1\2\3"), None, PATH),
    "of the other length": (retag(0x87, b"\x0a\0\0\0\xff\0\0\0"), retag(0x87, 16 * b"\x0a"), None, PATH),
    "any host": (retag(0x82, b""), retag(0x82, b"a.b"), None, GOOD),
    "a host of the domain": (retag(0x82, b"A.b"), retag(0x82, b"x.a.B"), None, GOOD),
    "a host of another": (retag(0x82, b"a.b"), retag(0x82, b"xa.b"), None, PATH),
    "a mailbox": (retag(0x81, b"a@ab"), retag(0x81, b"a@AB"), None, GOOD),
    "a host for a mailbox": (retag(0x81, b"a@ab"), retag(0x81, b"ab"), None, PATH),
    "a mailbox of a host below": (retag(0x81, b".a.b"), retag(0x81, b"x@c.a.b"), None, GOOD),
    "a mailbox of the host": (retag(0x81, b".a.b"), retag(0x81, b"x@a.b"), None, PATH),
    "a URI": (retag(0x86, b"a.b"), retag(0x86, b"http://u@A.B:80/x?y"), None, GOOD),
    "a URI of a number": (retag(0x86, b"a.b"), retag(0x86, b"http://1.2.3.4/"), None, PATH),
    "a URI without a host": (retag(0x86, b"a.b"), retag(0x86, b"urn:a.b"), None, PATH),
    "an address in the subject": (
        retag(0x81, b"a.b"),
        None,
        named((MAIL, retag(30, b"\0x\0@\0a\0.\0b"))),
        GOOD,
    ),
    "another in the subject": (retag(0x81, b"a.b"), None, named((MAIL, retag(12, b"x@b.c"))), PATH),
}


def test_the_names_that_a_ca_may_give_are_its_constraints(tmp_path):
    cases = {what: constrained(what, *given[:3]) for what, given in CONSTRAINED.items()}
    agreed(tmp_path, cases, {what: given[3] for what, given in CONSTRAINED.items()})


TSA = RawTsa()
REASON = {number: extension("2.5.29.21", enumerated(number)) for number in (1, 4, 7, 11)}
OF_ENTRY = {
    "an unknown reason": REASON[7],
    "no reason": extension("2.5.29.21", JUNK),
    "a date with parts of a second": extension("2.5.29.24", time("20260101000000.5Z")),
    "no date": extension("2.5.29.24", JUNK),
    "an issuer": extension("2.5.29.29", JUNK),
}
OF_LIST = {
    "a negative number": extension("2.5.29.20", b"\x02\x02\xf0\x00"),
    "another name of the issuer": extension("2.5.29.18", JUNK),
    "another list": extension("2.5.29.46", JUNK),
    "its issuer's issuer without number": extension("2.5.29.35", seq(tagged(1, tagged(4, common("Root"))))),
    "a part of everything": extension("2.5.29.28", seq(), critical=True),
}


def test_what_a_list_says_of_others_and_of_itself_makes_no_difference(tmp_path):
    serial, other = TSA.signer.serial, integer(99)
    cases, expected = {}, {}
    for what, each in OF_ENTRY.items():
        cases["of another", what] = case(TSA, TSA.lists(raw.entry(other, each)))
        gone = raw.entry(serial, REASON[1])
        cases["revoked behind another", what] = case(
            TSA, TSA.lists(raw.entry(other, each), gone), strict=False
        )
    for what, each in OF_LIST.items():
        cases["of the list", what] = case(TSA, TSA.lists(extensions=[each]))
        cases["revoked, of the list", what] = case(
            TSA, TSA.lists(raw.entry(serial, REASON[1]), extensions=[each]), strict=False
        )
    expected = {name: REVOCATION if name[0].startswith("revoked") else GOOD for name in cases}
    cases["users and authorities"] = case(
        TSA,
        TSA.lists(extensions=[extension("2.5.29.28", seq(b"\x81\x01\xff\x82\x01\xff"), critical=True)]),
        False,
    )
    expected["users and authorities"] = GOOD  # let pass: of nobody, it says nothing
    agreed(tmp_path, cases, expected)


AFTER = "20410101000000Z"  # the end of every certificate


def test_what_a_list_does_not_count_for_is_seen_before_what_it_rests_on_is_read(tmp_path):
    odd = RawTsa()
    root = odd.names["root"]
    odd.root = raw.certificate(
        root, odd.root_key, root, odd.root_key, [raw.AUTHORITY[0], extension("2.5.29.15", JUNK)]
    )
    delta = extension("2.5.29.27", integer(1), critical=True)
    mine, middle = TSA.lists()[0], TSA.names["middle"]

    def listed(entry, when):
        data = raw.signed(TSA.middle_key, integer(1), raw.ECDSA, middle, time(when), seq(entry))
        return case(TSA, [mine, RevocationData(Kind.CRL, data)], strict=False)

    def answered(when, *extensions):
        status = raw.revoked(4, when=raw.LATER)
        answer = raw.answer_about(TSA.signer, TSA.middle, status, *extensions)
        made = answer.replace(status + time(raw.LATER), status + time(when))
        return case(TSA, [mine, raw.response(TSA.middle_key, TSA.middle, made)], strict=False)

    damaged, date = seq(TSA.signer.serial, JUNK), extension("2.5.29.24", JUNK)
    of_root = {
        what: raw.revocation_list(root, odd.root_key, extensions=more)
        for what, more in (("a", [delta]), ("b", []))
    }
    cases = {
        "a part, by whose use of its key nobody knows": case(odd, [mine, of_root["a"]], strict=False),
        "all, by whose use of its key nobody knows": case(odd, [mine, of_root["b"]], strict=False),
        "damaged, and signed after the end": listed(damaged, AFTER),
        "damaged": listed(damaged, raw.LATER),
        "an answer, signed after the end": answered(AFTER),
        "an odd answer, signed after the end": answered(AFTER, date),
    }
    agreed(tmp_path, cases, dict(zip(cases, 2 * [GOOD, REVOCATION] + [GOOD, REVOCATION], strict=True)))


POINTS = {
    "reasons alone": seq(b"\x81\x02\x06\x40"),
    "nothing": seq(),
    "a relative name": seq(tagged(0, tagged(1, JUNK))),
    "an odd name": seq(tagged(0, tagged(0, tagged(3, JUNK)))),
}


@pytest.mark.parametrize("reason", [None, 1, 4])
def test_a_point_beside_that_of_the_list_hides_no_revocation(tmp_path, reason):
    scope = extension("2.5.29.28", seq(tagged(0, tagged(0, URI))), critical=True)
    cases = {}
    for what, beside in POINTS.items():
        points = seq(seq(tagged(0, tagged(0, URI))), beside)
        tsa = RawTsa(extensions={"signer": [extension("2.5.29.31", points)]})
        gone = [] if reason is None else [raw.entry(tsa.signer.serial, REASON[reason])]
        cases[what] = case(tsa, tsa.lists(*gone, extensions=[scope]))
    agreed(tmp_path, cases, dict.fromkeys(cases, REVOCATION if reason == 1 else GOOD))


def delegated(*extensions, name=None):
    return raw.certificate(
        name or common("Responder"), key("p256", "responder"), TSA.names["middle"], TSA.middle_key, extensions
    )


def answered(status=b"\x80\x00", *extensions, by=None):
    about = raw.answer_about(TSA.signer, TSA.middle, status, *extensions)
    if by is None:
        return raw.response(TSA.middle_key, TSA.middle, about)
    return raw.response(key("p256", "responder"), by, about, certificates=[by])


def test_a_responder_is_judged_by_what_is_asked_of_it(tmp_path):
    odd = extension("1.2.3", JUNK, critical=True)
    cases, expected = {}, {}
    for what, by, outcome in (
        ("usual", delegated(*raw.RESPONDER), GOOD),
        ("a text of Latin-1", delegated(*raw.RESPONDER, name=common(b"\xe9_@", 19)), GOOD),
        ("unread", delegated(*raw.RESPONDER, extension("2.5.29.17", JUNK)), GOOD),
        (
            "nocheck that is none",
            delegated(raw.RESPONDER[0], extension("1.3.6.1.5.5.7.48.1.5", seq())),
            REVOCATION,
        ),
        ("no purpose", delegated(raw.RESPONDER[1]), REVOCATION),
        ("no purpose, and what nobody understands", delegated(raw.RESPONDER[1], odd), REVOCATION),
        ("what nobody understands", delegated(*raw.RESPONDER, odd), GOOD),  # let pass: it says nothing
    ):
        cases[what] = case(
            TSA, [answered(by=by), TSA.list_of_root()], strict=outcome is GOOD and "nobody" not in what
        )
        expected[what] = outcome
    agreed(tmp_path, cases, expected)


def test_what_stands_beside_an_answer_is_read_as_in_a_list(tmp_path):
    when = {
        "a date": (time("20260302120000Z"), GOOD),
        "with parts of a second": (time("20260302120000.5Z"), REVOCATION),
        "with a zone": (time("20260302120000+0100"), REVOCATION),
        "without seconds": (time("202603021200Z"), REVOCATION),
        "with a byte behind it": (time("20260302120000Z") + b"\0", REVOCATION),
    }
    cases, expected = {}, {}
    for what, (value, outcome) in when.items():
        cases[what] = case(TSA, [answered(raw.revoked(4), extension("2.5.29.24", value)), TSA.list_of_root()])
        expected[what] = outcome
    long = extension("2.5.29.21", b"\x0a\x81\x01\x04")
    cases["a reason in a longer form"] = case(TSA, [answered(raw.revoked(4), long), TSA.list_of_root()])
    cases["an unknown reason"] = case(TSA, [answered(raw.revoked(11)), TSA.list_of_root()])
    agreed(tmp_path, cases, expected | {"a reason in a longer form": 15, "an unknown reason": 15})


def test_a_response_without_success_is_read_to_its_last_byte(tmp_path):
    cases, expected = {}, {}
    for what, inner, outcome in (
        ("nothing", b"", GOOD),
        ("an answer of any kind", tagged(0, seq(oid("1.2.3"), retag(4, b"zz"))), GOOD),
        ("no answer", tagged(0, raw.NULL), REVOCATION),
        ("more", tagged(0, seq(oid("1.2.3"), retag(4, b""), raw.NULL)), REVOCATION),
    ):
        cases[what] = case(TSA, [RevocationData(Kind.OCSP, seq(enumerated(3), inner))], strict=False)
        expected[what] = outcome
    cases["success without an answer"] = case(
        TSA, [RevocationData(Kind.OCSP, seq(enumerated(0)))], strict=False
    )
    agreed(tmp_path, cases, expected | {"success without an answer": REVOCATION})


def test_the_first_check_that_does_not_hold_is_named(tmp_path):
    """The signer is named by issuer and number: the form of its key identifier is a matter of its path."""
    tsa = RawTsa(extensions={"signer": [extension("2.5.29.14", JUNK)]})
    agreed(tmp_path, {"identifier": case(tsa)}, {"identifier": PATH})


def test_a_name_is_shown_without_what_a_terminal_would_obey():
    name = named(
        ("2.5.4.10", retag(12, " #1, \x1b[2J\u202e".encode())), ("2.5.4.3", retag(30, b"\xd8\x00\x00 "))
    )
    assert shown_name(name) == r"CN=\ED\A0\80\ ,O=\ #1\, \1B[2J\E2\80\AE"
    assert (
        shown_name(named((UNIQUE, b"\x03\x02\x00\xff"), ("1.2.3", retag(12, b"x"))))
        == "1.2.3=x,2.5.4.45=#00ff"
    )


def test_the_words_on_a_revocation_name_its_reason():
    signer, issuer = (read_certificate(der(each)) for each in (TSA.signer, TSA.middle))
    listed = [raw.entry(TSA.signer.serial, REASON[number]) for number in (1, 4, 7, 11)]
    found = statuses_of(TSA.lists(*listed)[0], signer, issuer)
    assert [each.reason for each in found] == ["keyCompromise", "superseded", "7", "11"]
    assert reason_of(-1) == "-1"
    assert all(one.this_update == two.this_update for one, two in pairwise(found))


def test_of_a_long_name_nothing_is_kept():
    name_key(common("y" * 100))
    held = timestamp_names._kept_key.cache_info()
    name_key(common("x" * 3000))
    assert timestamp_names._kept_key.cache_info() == held
    name_key(common("z" * 2000))
    assert timestamp_names._kept_key.cache_info() != held


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([extension("1.2.3", JUNK, critical=True)], r"^CN=Middle has unknown critical extensions: 1\.2\.3$"),
        ([extension("2.5.29.46", JUNK, critical=True)], None),
    ],
)
def test_a_critical_extension_of_an_intermediate_is_one_that_is_understood(more, message):
    tsa = RawTsa(extensions={"middle": more})
    if message is None:
        assert check_token(tsa.respond(NOTE), NOTE, trusting(tsa)).serial == 7
        return
    with pytest.raises(TimestampError, match=message) as caught:
        check_token(tsa.respond(NOTE), NOTE, trusting(tsa))
    assert caught.value.check == PATH


def test_a_refusal_in_another_encoding_is_a_refusal():
    refusal = seq(seq(integer(2), seq(retag(12, b"non, d\xe9sol\xe9"))))
    with pytest.raises(TimestampError, match=r"^the authority refused: non, d\ufffdsol\ufffd$") as caught:
        check_token(refusal, NOTE, trusting(TSA))
    assert caught.value.check == 3


ANY_POLICY, QUALIFIER = (
    oid("2.5.29.32.0"),
    seq(seq(oid("1.3.6.1.5.5.7.2.1"), retag(22, b"http://ca.example"))),
)
POLICIES = extension("2.5.29.32", seq(seq(oid("1.2.3"), QUALIFIER), seq(ANY_POLICY)))
EXPLICIT = extension("2.5.29.36", seq(retag(0x80, b"\0")), critical=True)  # from here on a policy is wanted


def test_policies_are_followed_down_the_path(tmp_path):
    given = {
        "stated": ({"middle": [POLICIES], "signer": [POLICIES]}, GOOD),
        "wanted and stated": ({"middle": [POLICIES, EXPLICIT], "signer": [POLICIES]}, GOOD),
        "wanted and not stated": ({"middle": [POLICIES, EXPLICIT]}, PATH),
    }
    cases = {what: case(RawTsa(extensions=extensions)) for what, (extensions, _) in given.items()}
    agreed(tmp_path, cases, {what: check for what, (_, check) in given.items()})


def test_a_ca_that_issues_for_its_own_name_is_bound_by_no_constraint_on_names():
    # RFC 5280 §6.1.3 b, c: the names of a self-issued certificate are not compared, where it is not the last.
    tsa = RawTsa(names={"middle": common("Root")})
    assert check_token(tsa.respond(NOTE), NOTE, trusting(tsa)).serial == 7


def test_an_extension_of_the_signer_that_is_asked_of_must_be_readable(tmp_path):
    cases = {"constraints": case(RawTsa(extensions={"signer": [extension("2.5.29.19", JUNK)]}))}
    agreed(tmp_path, cases, {"constraints": PATH})
    tsa = cases["constraints"][0]
    with pytest.raises(TimestampError, match=r"^an extension of the signer's certificate cannot be read: "):
        check_token(tsa.respond(NOTE), NOTE, trusting(tsa))


def test_a_certificate_whose_key_identifier_cannot_be_read_is_not_the_one_that_is_named():
    odd = RawTsa(extensions={"signer": [extension("2.5.29.14", JUNK)]}).signer
    tsa = MiniTsa("p256")
    response = tsa.respond(NOTE, sid="ski", certificates=[odd, tsa.signer, tsa.middle])
    assert check_token(response, NOTE, trusting(tsa)).serial == 7


def test_a_name_with_half_a_pair_is_a_text_of_its_own():
    half, escaped, whole = (
        ((frozenset({("550403", text)}),)) for text in ("\ud800", "\\ud800", "\U00010000")
    )
    shown = [shown_key(key) for key in (half, escaped, whole)]
    assert shown[0] == '[[["550403", "\\ud800"]]]'
    assert len({text.encode() for text in shown}) == 3
