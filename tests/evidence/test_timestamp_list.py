"""Lists are read no further than somebody rests on them, and signatures are tried once: counted, not timed."""

import io

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from notary.errors import FormatError, TimestampError
from notary.evidence import asn1, timestamp_issuing, timestamp_list
from notary.evidence.asn1_form import read_time
from notary.evidence.package import read_package
from notary.evidence.package_names import MAX_ANCHORS, MAX_OTS, check_sizes
from notary.evidence.timestamp_certificate import read_certificate
from notary.evidence.timestamp_crl import list_statuses
from notary.evidence.timestamp_der import retag
from notary.evidence.timestamp_issuing import Tries
from notary.evidence.timestamp_list import read_entries, read_list, read_start
from notary.evidence.timestamp_points import Scope, Shown
from notary.evidence.verify import verify
from tests.evidence.test_token_form import NULL, changed, tbs
from tests.fuzz import costly
from tests.fuzz.costly import DAMAGED, ED25519, READ, TIME, VERSION, name
from tests.fuzz.zips import packed
from tests.mini_revocation import DAY, crl
from tests.mini_tsa import GEN_TIME, MiniTsa, certificate, der, parsed

TSA = MiniTsa()
SERIAL = b"\x02\x01\x05"
ENTRY = retag(0x30, b"\x02\x01\x06" + TIME)


@pytest.fixture
def count(monkeypatch):
    """How often a function of a module was called."""

    def counting(module, function):
        calls, real = [], getattr(module, function)

        def counted(*args, **more):
            calls.append(args)
            return real(*args, **more)

        monkeypatch.setattr(module, function, counted)
        return calls

    return counting


def long_list(issuer, key, entries=1000):
    made = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject).last_update(GEN_TIME + DAY)
    made = made.next_update(GEN_TIME + 2 * DAY)
    made._revoked_certificates = [  # one by one, the builder takes a time that grows with the square
        x509.RevokedCertificateBuilder().serial_number(2**64 + n).revocation_date(GEN_TIME).build()
        for n in range(entries)
    ]
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def said(data):
    """What a list says of the signer's certificate."""
    return list_statuses(
        read_start(data), *(read_certificate(der(each)) for each in (TSA.signer, TSA.middle))
    )


def test_of_another_ca_s_list_no_more_is_parsed_than_its_issuer(count):
    stranger = certificate("Stranger", TSA.key.public_key(), "Stranger", TSA.key)
    parses, entries = count(asn1, "parse"), count(timestamp_list, "_entry")
    assert said(long_list(stranger, TSA.key)) == []
    of_stranger = len(parses)
    assert of_stranger < 10
    assert max(len(data) for data, *_ in parses) < 100
    assert said(long_list(TSA.middle, TSA.middle_key))  # control
    assert (of_stranger < len(parses) - of_stranger < 40, entries) == (True, [])


def test_of_the_entries_those_alone_are_read_that_may_say_something(count):
    entries = count(timestamp_list, "_entry")
    found = said(long_list(TSA.middle, TSA.middle_key))
    assert [status.revoked_at for status in found] == [None]
    assert entries == []
    many = [ENTRY] * 500
    assert [
        each.serial for each in read_entries(b"".join([*many, retag(0x30, SERIAL + TIME), *many]), 5)
    ] == [5]
    assert [each.serial for each in read_entries(b"".join([*many, READ, *many, READ]), 9)] == [
        5,
        5,
    ]
    assert len(entries) == 3
    long = retag(
        0x30, SERIAL + TIME + retag(0x30, retag(0x30, b"\x06\x03\x2a\x03\x04" + retag(4, bytes(200))))
    )
    assert [each.serial for each in read_entries(ENTRY + long, 5)] == [5]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (READ + b"\x05\x00", "another type than may be here"),
        (READ + b"\x31\x00", "another type than may be here"),
        (READ + ENTRY + b"\x30", "a value is cut off"),
        (READ + b"\x30\x05\x02", "a value is cut off"),
        (READ + b"\x30\x82\xff\xff\x02", "a value is cut off"),
        (READ + b"\x30\x81\x01\x02", "not DER"),
        (READ + b"\x30\x80\x00\x00", "not DER"),
        (READ + b"\x3f\x81\x01\x00", "a tag that is too long"),
        (READ * 1025, "more than 1024 entries would have to be read"),
        (retag(0x30, SERIAL + TIME + TIME), "an element that does not belong"),
        (retag(0x30, SERIAL), "an element is missing"),
    ],
)
def test_entries_that_are_none_are_refused_where_one_is_looked_for(entries, message):
    with pytest.raises(FormatError, match=message):
        read_entries(entries, 5)


def test_where_none_is_looked_for_nothing_is_seen():
    assert read_entries(ENTRY + b"\x05\x00", 7) == []
    assert len(read_entries(READ * 1024 + DAMAGED, 7)) == 1024


def spelt(content):
    return retag(0x30, retag(2, content) + TIME)


@pytest.mark.parametrize(
    ("serial", "padded"),
    [(5, b"\0\x05"), (200, b"\0\0\xc8"), (0, b"\0\0"), (0, b""), (-1, b"\xff\xff")],
)
def test_a_number_that_is_padded_is_found_and_refused(serial, padded):
    with pytest.raises(FormatError, match=r"an empty integer|not in its shortest form"):
        read_entries(ENTRY + spelt(padded), serial)


def test_a_number_is_found_behind_any_length_and_type_and_no_other_is_read(count):
    for first in (
        b"\x02\x81\x01\x05",
        b"\x02\x88" + bytes(7) + b"\x01\x05",
        b"\x0a\x01\x05",
        b"\x02\x7f\x05",
        b"\x02\x02\x05",
    ):
        with pytest.raises(FormatError):
            read_entries(retag(0x30, first), 5)
    entries = count(timestamp_list, "_entry")
    assert [each.serial for each in read_entries(ENTRY + spelt(b"\0\xc8") + spelt(b"\x38"), 200)] == [200]
    assert [each.serial for each in read_entries(ENTRY + spelt(b"\0") + ENTRY, 0)] == [0]
    assert [each.serial for each in read_entries(spelt(b"\xff") + ENTRY, -1)] == [-1]
    assert len(entries) == 3
    others = [retag(0x30, b"\x02\x01\x06" + retag(4, b"\x05")), spelt(b"\x05\x01"), spelt(b"\x01\x05")]
    assert read_entries(b"".join(others), 5) == []
    assert len(entries) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c[1].append(NULL), "bytes behind the value"),
        (lambda c: c.__setitem__(0, 0x31), "another type than may be here"),
        (lambda c: c[1].__setitem__(0, NULL), "another type than may be here"),
        (tbs(lambda f: f[0].__setitem__(1, b"\x02")), "a list of another version"),
        (tbs(lambda f: f[1][1].append(NULL)), "a list names two signature algorithms"),
        (tbs(lambda f: f.append(NULL)), "an element that does not belong"),
        (tbs(lambda f: f[-1][1].append(NULL)), "an explicit tag without one value"),
        (tbs(lambda f: f[3].__setitem__(1, b"260230000000Z")), "no such moment"),
        (tbs(lambda f: f.__setitem__(3, [4, b"260301000000Z"])), "none of the types that may be here"),
        (
            tbs(lambda f: f[-1][1][0][1][0][1][-1].__setitem__(1, b"\x05\x00")),
            "another type than may be here",
        ),
    ],
)
def test_a_list_of_another_form_is_refused(change, message):
    data = crl(TSA.middle, TSA.middle_key, at=GEN_TIME).data
    assert read_list(read_start(data)).this_update == GEN_TIME
    with pytest.raises(FormatError, match=message):
        read_list(read_start(changed(data, change)))


def test_a_part_that_is_too_long_and_bytes_behind_the_list_are_refused():
    with pytest.raises(FormatError, match="a part of more than 2048 bytes"):
        read_start(costly.revocation_list(costly.name_of_size(2049)))
    with pytest.raises(FormatError, match="bytes behind the value"):
        read_start(costly.revocation_list(name(b"x")) + b"\0")
    with pytest.raises(FormatError, match="too many values"):
        read_start(costly.revocation_list(name(*[b""] * 64)))


def test_a_list_of_version_1_without_a_next_one_or_entries_is_one():
    body = ED25519 + name(b"x") + TIME
    data = retag(0x30, retag(0x30, body) + ED25519 + retag(3, b"\0sig"))
    found = read_list(read_start(data))
    assert (found.entries, found.extensions, found.signature) == (b"", [], b"sig")
    assert found.tbs == retag(0x30, body)
    assert VERSION not in data


def test_a_time_of_either_kind_is_the_same_moment():
    for data in (b"\x17\x0d260301120000Z", b"\x18\x0f20260301120000Z"):
        assert read_time(asn1.parse(data)) == GEN_TIME


def test_a_list_shows_of_a_certificate_what_its_points_let_it():
    one, two, three = (x509.UniformResourceIdentifier(f"http://a.example/{n}.crl") for n in range(1, 4))
    reasons = frozenset([x509.ReasonFlags.key_compromise])
    points = [
        x509.DistributionPoint([one], None, reasons, None),
        x509.DistributionPoint(None, None, None, [two]),
        x509.DistributionPoint([three], None, None, None),
    ]
    held = certificate(
        "P", TSA.key.public_key(), "P", TSA.key, extensions=[(x509.CRLDistributionPoints(points), False)]
    )
    shown = []
    for at in (None, one, two, three, x509.UniformResourceIdentifier("http://b.example/")):
        names = None if at is None else frozenset([(6, b"\x86" + bytes([len(at.value)]) + at.value.encode())])
        scope = Scope(names, users=False, authorities=False, nobody=False)
        assert scope.shows(der(TSA.signer)) is (Shown.ALL if at is None else Shown.NOTHING)
        shown.append(scope.shows(der(held)))
    assert shown == [Shown.ALL, Shown.REVOKED_ALONE, Shown.REVOKED_ALONE, Shown.ALL, Shown.NOTHING]


def test_a_signature_is_tried_once_for_all_tokens_of_an_authority_and_no_more_than_64(count):
    signatures = count(timestamp_issuing, "verify_signature")
    sample = costly.strangers(30, 30, 3)
    report = verify(read_package(io.BytesIO(packed(sample.files))), sample.trust, None)
    assert [each.id for each in report.failures()] == ["5.1"]
    assert len(signatures) == 64
    tries = Tries()
    signatures.clear()
    for _ in range(100):
        assert tries.issued(parsed(TSA.middle), parsed(TSA.signer))
        assert not tries.issued(parsed(TSA.root), parsed(TSA.signer))  # of another name
    assert len(signatures) == 1


def test_the_65th_signature_is_not_tried(monkeypatch):
    monkeypatch.setattr(timestamp_issuing, "MAX_TRIES", 1)
    tries, issuer = Tries(), parsed(TSA.middle)
    assert tries.issued(issuer, parsed(TSA.signer))
    assert tries.issued(issuer, parsed(TSA.signer))
    with pytest.raises(
        TimestampError, match="more than 1 signatures of certificates would have to be tried"
    ) as caught:
        tries.issued(issuer, parsed(TSA.issue("Another")))
    assert caught.value.check == 14
    with pytest.raises(TimestampError, match="more than 0 signatures of certificates"):
        Tries(0).issued(issuer, parsed(TSA.signer))


def test_files_of_one_kind_are_bounded_together():
    half = MAX_ANCHORS // 2
    sizes = {"mimetype": 31, "heads/1/anchor.json": half, "heads/2/anchor.json": half}
    check_sizes(sizes | {"data/document/anchor.json": 1, "controls/x.crl": half})
    with pytest.raises(
        FormatError, match=r"the anchor\.json files of the package are larger than 16777216 bytes"
    ):
        check_sizes(sizes | {"heads/3/anchor.json": 1})
    files = {f"heads/{size}/ots/{name}.ots": 1 for size in (1, 2) for name in range(MAX_OTS // 2)}
    check_sizes(files)
    with pytest.raises(FormatError, match="a package holds at most 32 OpenTimestamps files"):
        check_sizes(files | {"heads/1/ots/more.ots": 1})
