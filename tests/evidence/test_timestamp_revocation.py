"""Revocation beside the cases of tests/evidence/tsa_cases.py: limits, hostile bytes, and several files at once."""

import time

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from notary.errors import TimestampError
from notary.evidence import timestamp_revocation_form
from notary.evidence.timestamp import check_token
from notary.evidence.timestamp_certificate import read_certificate
from notary.evidence.timestamp_revocation import (
    MAX_DATA,
    Standing,
    check_revocation,
    revocation,
    statuses_of,
)
from notary.evidence.timestamp_status import MAX_REVOCATION, Kind, RevocationData
from tests.evidence.tsa_case import NOTE, OTHER, answer, authority, trusting
from tests.evidence.tsa_good import between
from tests.mini_revocation import DAY, both, crl, ocsp, responder
from tests.mini_tsa import GEN_TIME, MiniTsa, authority_extensions, certificate, key


@pytest.fixture(scope="module")
def tsa():
    return authority()


@pytest.fixture(scope="module")
def stamp(tsa):
    return check_token(answer(), NOTE, trusting(tsa))


def standing(stamp, *data):
    return revocation(stamp.path, stamp.gen_time, data).standing


def refused(stamp, message, *data):
    with pytest.raises(TimestampError, match=message) as caught:
        check_revocation(stamp.path, stamp.gen_time, data, strict=False)
    assert caught.value.check == 15


def test_the_finding_names_each_certificate_and_the_time_of_its_data(tsa, stamp):
    found = revocation(stamp.path, stamp.gen_time, both(tsa, at=GEN_TIME + DAY))
    assert found.detail == (
        "not revoked at genTime: CN=Mini TSA by 2026-03-02T12:00:00+00:00; CN=Middle by 2026-03-02T12:00:00+00:00"
    )
    assert (found.standing, found.standing.value) == (Standing.NOT_REVOKED, "not_revoked")


def test_a_pinned_root_needs_nobodys_word(tsa):
    alone = MiniTsa("rsa")
    alone.signer = certificate(
        "Direct", alone.key.public_key(), "Root", alone.root_key, extensions=alone.extensions
    )
    stamp = check_token(alone.respond(NOTE, certificates=[alone.signer]), NOTE, trusting(alone))
    assert len(stamp.path) == 2
    assert standing(stamp, crl(alone.root, alone.root_key)) is Standing.NOT_REVOKED
    assert standing(stamp) is Standing.NOT_CAPTURED


def test_one_word_that_a_certificate_was_revoked_outweighs_any_other(tsa, stamp):
    good = both(tsa, at=GEN_TIME + DAY)
    bad = crl(tsa.middle, tsa.middle_key, (tsa.signer, GEN_TIME - DAY, "keyCompromise"), at=GEN_TIME)
    assert standing(stamp, *good) is Standing.NOT_REVOKED
    assert standing(stamp, *good, bad) is standing(stamp, bad, *good) is Standing.REVOKED


@pytest.mark.parametrize("reasons", [("keyCompromise", "superseded"), ("superseded", "keyCompromise")])
def test_of_two_words_in_one_file_the_worse_counts(tsa, stamp, reasons):
    """Whatever their order: a later entry takes nothing back."""
    after = GEN_TIME + DAY
    _, root = both(tsa, at=GEN_TIME + 2 * DAY)
    mild = crl(tsa.middle, tsa.middle_key, (tsa.signer, after, "superseded"), at=GEN_TIME + 2 * DAY)
    assert standing(stamp, mild, root) is Standing.NOT_REVOKED
    entries = [(tsa.signer, after, reason) for reason in reasons]
    assert (
        standing(stamp, crl(tsa.middle, tsa.middle_key, *entries, at=GEN_TIME + 2 * DAY), root)
        is Standing.REVOKED
    )
    words = {"status": "REVOKED", "revoked_at": after, "at": GEN_TIME + 2 * DAY}
    names = {"keyCompromise": "key_compromise", "superseded": "superseded"}
    one = ocsp(tsa.signer, tsa.middle, tsa.middle_key, reason="superseded", **words)
    assert standing(stamp, one, root) is Standing.NOT_REVOKED
    two = ocsp(
        tsa.signer, tsa.middle, tsa.middle_key,
        reason=reasons[0], also=[(after, names[reasons[1]])], **words,
    )  # fmt: skip
    assert standing(stamp, two, root) is Standing.REVOKED


def test_of_a_response_too_the_earlier_of_revocation_and_invalidity_counts(tsa, stamp):
    _, root = both(tsa, at=GEN_TIME + 2 * DAY)
    words = {
        "status": "REVOKED",
        "revoked_at": GEN_TIME + DAY,
        "reason": "superseded",
        "at": GEN_TIME + 2 * DAY,
    }
    for invalid, expected in ((GEN_TIME + DAY, Standing.NOT_REVOKED), (GEN_TIME - DAY, Standing.REVOKED)):
        response = ocsp(tsa.signer, tsa.middle, tsa.middle_key, invalid=invalid, **words)
        assert standing(stamp, response, root) is expected


def test_a_list_of_changes_counts_for_nothing_however_it_is_marked(tsa, stamp):
    _, root = both(tsa)
    for critical in (True, False):
        changes = crl(tsa.middle, tsa.middle_key, extensions=[(x509.DeltaCRLIndicator(1), critical)])
        assert standing(stamp, changes, root) is Standing.NOT_CAPTURED


def test_a_response_that_leaves_its_signer_out_says_nothing(tsa, stamp):
    by = responder(tsa.middle, tsa.middle_key)
    response = ocsp(tsa.signer, tsa.middle, tsa.middle_key, by=by, held=False)
    assert standing(stamp, response, both(tsa)[1]) is Standing.NOT_CAPTURED


def test_a_delegate_with_a_purpose_that_we_do_not_understand_says_nothing(tsa, stamp):
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    root = both(tsa)[1]
    for usage, expected in ((None, Standing.NOT_REVOKED), (odd, Standing.NOT_CAPTURED)):
        by = responder(tsa.middle, tsa.middle_key, usage=usage)
        response = ocsp(tsa.signer, tsa.middle, tsa.middle_key, by=by)
        assert standing(stamp, response, root) is expected


def test_other_extensions_of_an_answer_are_passed_over_whatever_their_order(tsa, stamp):
    _, root = both(tsa, at=GEN_TIME + 2 * DAY)
    words = {
        "status": "REVOKED",
        "revoked_at": GEN_TIME + DAY,
        "reason": "superseded",
        "at": GEN_TIME + 2 * DAY,
    }
    # An archive cutoff (RFC 6960 §4.4.4) is a time too, and says nothing of the key.
    odd = {"extn_id": "archive_cutoff", "critical": False, "extn_value": core.GeneralizedTime(GEN_TIME - DAY)}
    for invalid, expected in (
        (None, Standing.NOT_REVOKED),
        (GEN_TIME + DAY, Standing.NOT_REVOKED),
        (GEN_TIME - DAY, Standing.REVOKED),
    ):
        for beside in (([odd], []), ([], [odd])):
            response = ocsp(tsa.signer, tsa.middle, tsa.middle_key, invalid=invalid, beside=beside, **words)
            assert standing(stamp, response, root) is expected


UNREAD = {  # extensions that no check of revocation reads, each of which the library refuses to read
    "unknown": (x509.ObjectIdentifier("1.3.6.1.4.1.99999.3"), b"\x04\x00"),
    "admissions": (x509.ExtensionOID.ADMISSIONS, b"\x04\x00"),
    "freshest list": (x509.ExtensionOID.FRESHEST_CRL, b"0\x03\x02\x01\x05"),
    "no names": (x509.ExtensionOID.NAME_CONSTRAINTS, b"0\x00"),
    "poison": (x509.ExtensionOID.PRECERT_POISON, b"\x04\x00"),
    "a point of nothing": (x509.ExtensionOID.CRL_DISTRIBUTION_POINTS, b"0\x02\x30\x00"),
    "a point of reasons": (x509.ExtensionOID.CRL_DISTRIBUTION_POINTS, b"0\x06\x30\x04\x81\x02\x07\x80"),
}


@pytest.mark.parametrize("name", UNREAD)
def test_an_extension_that_no_check_reads_hides_no_revocation_and_keeps_nothing_open(name):
    odd, base = MiniTsa("rsa"), MiniTsa("rsa")  # of the same names and keys
    value = (x509.UnrecognizedExtension(*UNREAD[name]), False)
    odd.middle = between(odd, extensions=[*authority_extensions(), value])
    stamp = check_token(answer(odd), NOTE, trusting(odd))
    assert standing(stamp, *both(base)) is Standing.NOT_REVOKED
    gone = crl(base.middle, base.middle_key, (odd.signer, GEN_TIME - DAY, "keyCompromise"))
    assert standing(stamp, gone, crl(base.root, base.root_key)) is Standing.REVOKED


def test_an_authority_with_a_use_of_its_key_that_cannot_be_read_shows_nothing(tsa, stamp):
    use = x509.UnrecognizedExtension(x509.ExtensionOID.KEY_USAGE, b"\x04\x00")
    others = [each for each in authority_extensions() if not isinstance(each[0], x509.KeyUsage)]
    odd = between(tsa, extensions=[*others, (use, True)]).public_bytes(Encoding.DER)
    with pytest.raises(TimestampError, match=r"cannot be read: ASN\.1: another type than may be here"):
        revocation([stamp.path[0], odd, stamp.path[2]], stamp.gen_time, both(tsa))
    assert revocation(stamp.path, stamp.gen_time, both(tsa)).standing is Standing.NOT_REVOKED  # control


def test_a_certificate_that_cannot_be_read_at_all_leaves_its_standing_open(stamp):
    path = [stamp.path[0], b"0\x00", *stamp.path[2:]]
    found = revocation(path, stamp.gen_time, ())
    assert (found.standing, found.detail) == (
        Standing.NOT_CAPTURED,
        "a certificate of the path is not as DER wants it",
    )
    with pytest.raises(TimestampError, match=r"^a certificate of the path is not as DER wants it$") as caught:
        check_revocation(path, stamp.gen_time, (), strict=True)
    assert caught.value.check == 15


def test_a_list_and_a_response_may_stand_together(tsa, stamp):
    lists = both(tsa)
    response = ocsp(tsa.middle, tsa.root, tsa.root_key)
    assert standing(stamp, lists[0], response) is Standing.NOT_REVOKED
    assert standing(stamp, response) is Standing.NOT_CAPTURED


def test_too_much_is_refused(tsa, stamp):
    (lists, root) = both(tsa)
    assert standing(stamp, *[lists] * (MAX_DATA - 1), root) is Standing.NOT_REVOKED
    refused(stamp, "more than 8 files of revocation data", *[lists] * MAX_DATA, root)
    large = RevocationData(Kind.CRL, bytes(MAX_REVOCATION + 1))
    refused(stamp, "revocation data is larger than 1048576 bytes", large)


def test_a_response_about_a_crowd_is_refused(tsa, stamp, monkeypatch):
    response = ocsp(tsa.signer, tsa.middle, tsa.middle_key)
    assert standing(stamp, response, both(tsa)[1]) is Standing.NOT_REVOKED
    monkeypatch.setattr(timestamp_revocation_form, "MAX_CERTIFICATES", 0)
    refused(stamp, "an OCSP response with more than 0 certificates", response)


def test_a_list_that_names_two_signature_algorithms_is_refused(tsa, stamp):
    data = both(tsa)[0].data
    oid = b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"  # ecdsa-with-SHA256
    at = data.rindex(oid)
    assert data.index(oid) < at
    changed = data[: at + 9] + b"\x03" + data[at + 10 :]
    refused(stamp, "a list names two signature algorithms", RevocationData(Kind.CRL, changed))


def test_a_delegate_that_may_not_sign_at_all_is_refused(tsa, stamp):
    usage = x509.KeyUsage(False, False, True, False, False, False, False, False, False)
    by = responder(tsa.middle, tsa.middle_key, usage=usage)
    refused(
        stamp,
        "answers without a certificate for OCSP signing",
        ocsp(tsa.signer, tsa.middle, tsa.middle_key, by=by),
    )


@pytest.mark.parametrize("kind", list(Kind))
def test_no_flipped_bit_or_cut_makes_data_say_something_else(tsa, stamp, kind):
    signer, issuer = map(read_certificate, stamp.path[:2])
    by = responder(tsa.middle, tsa.middle_key)
    whole = {
        Kind.CRL: crl(
            tsa.middle, tsa.middle_key, (tsa.signer, GEN_TIME + DAY, "superseded"), at=GEN_TIME + 2 * DAY
        ),
        Kind.OCSP: ocsp(tsa.signer, tsa.middle, tsa.middle_key, by=by),
    }[kind]
    good = statuses_of(whole, signer, issuer)
    assert good
    same, refusals = 0, set()
    for at in range(len(whole.data)):
        for changed in (
            whole.data[:at] + bytes([whole.data[at] ^ (1 << at % 8)]) + whole.data[at + 1 :],
            whole.data[:at],
        ):
            try:
                status = statuses_of(RevocationData(kind, changed), signer, issuer)
            except TimestampError as error:
                refusals.add(error.check)
                continue
            assert status in ([], good)
            same += bool(status)
    # Of a response, the responder's certificate beside the signature: what of it is not looked at may change.
    assert refusals == {15}
    assert same < (5 if kind is Kind.CRL else 40)


def test_a_long_list_is_read_in_time(tsa, stamp):
    made = x509.CertificateRevocationListBuilder().issuer_name(tsa.middle.subject).last_update(GEN_TIME)
    made = made.next_update(GEN_TIME + DAY)
    entries = [
        x509.RevokedCertificateBuilder().serial_number(2**64 + n).revocation_date(GEN_TIME).build()
        for n in range(20_000)
    ]
    made._revoked_certificates = entries  # one by one, the builder takes a time that grows with the square
    signed = made.sign(tsa.middle_key, hashes.SHA256())
    data = RevocationData(Kind.CRL, signed.public_bytes(Encoding.DER))
    before = time.process_time()
    assert standing(stamp, data, both(tsa)[1]) is Standing.NOT_REVOKED
    assert time.process_time() - before < 10


def test_a_certificate_of_another_name_is_not_looked_for(tsa, stamp):
    """A list that names somebody else says nothing, however it is signed."""
    stranger = certificate("Stranger", key("p256", "x").public_key(), "Stranger", key("p256", "x"))
    assert standing(stamp, crl(tsa.middle, tsa.middle_key, named=stranger)) is Standing.NOT_CAPTURED
    assert standing(stamp, crl(OTHER, key("p256"), named=tsa.middle)) is Standing.NOT_CAPTURED
    refused(stamp, "is not signed by it", crl(OTHER, key("p256"), named=tsa.middle, identified=False))


def test_a_response_that_names_the_key_under_another_name_says_nothing(tsa, stamp):
    ca = certificate("Other", tsa.middle_key.public_key(), "Root", tsa.root_key)
    serial = tsa.signer.serial_number
    other = certificate("Mini TSA", tsa.key.public_key(), "Other", tsa.middle_key, serial=serial)
    by = (tsa.middle, tsa.middle_key)
    named = ocsp(tsa.signer, tsa.middle, tsa.middle_key, by=by, held=False)
    elsewhere = ocsp(other, ca, tsa.middle_key, by=by, held=False)
    assert standing(stamp, named, both(tsa)[1]) is Standing.NOT_REVOKED
    assert standing(stamp, elsewhere, both(tsa)[1]) is Standing.NOT_CAPTURED
