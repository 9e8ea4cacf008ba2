"""RFC 3161 tokens: each numbered check has a token that fails it alone."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import core, tsp
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from rfc3161_client import VerifierBuilder, decode_timestamp_response

from notary.errors import TimestampError, TrustError
from notary.evidence.timestamp import MAX_RESPONSE, Authority, check_token
from tests.mini_tsa import (
    GEN_TIME,
    POLICY,
    TIME_STAMPING,
    MiniTsa,
    authority_extensions,
    certificate,
    der,
    key,
    parsed,
    signer_extensions,
)

NOTE = (
    b"example.org/log\n4\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\xe2\x80\x94 example.org/log AAAA\n"
)
SHA384 = {"imprint_algorithm": "sha384", "imprint_hash": "sha384"}
SECOND = timedelta(seconds=1)
OTHER = certificate("Stranger", key("p256").public_key(), "Middle", key("p256", "middle"))
CA_EXTENSIONS = [*signer_extensions(), (x509.BasicConstraints(True, None), True)]
ODD = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")


@pytest.fixture(scope="module")
def tsa():
    return MiniTsa()


def trusting(tsa, **more):
    fields = {"roots": (der(tsa.root),), "policies": (POLICY,), "accuracy_ms": None, **more}
    return Authority("mini", "Mini Ltd", **fields)


def refused(response, tsa, check, message, **more):
    authority = more.pop("authority", None) or trusting(tsa)
    with pytest.raises(TimestampError, match=message) as caught:
        check_token(response, NOTE, authority, **more)
    assert caught.value.check == check, caught.value


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa", "pss", "ed25519"])
def test_a_good_token_says_when_under_which_policy_and_by_whom(kind):
    tsa = MiniTsa(kind)
    stamp = check_token(tsa.respond(NOTE, nonce=2**63 + 1), NOTE, trusting(tsa), nonce=2**63 + 1)
    assert stamp.gen_time == GEN_TIME
    assert stamp.not_after == GEN_TIME + SECOND
    assert (stamp.policy, stamp.serial, stamp.signer) == (POLICY, 7, "CN=Mini TSA")
    assert stamp.warnings == ("revocation of the signer's certificate was not checked",)


@pytest.mark.parametrize(
    "features",
    [
        SHA384,
        {"imprint_algorithm": "sha3_256", "imprint_hash": "sha3_256"},
        {"parameters": core.Null()},
        {"digest": "sha512"},
        {"ess_digest": "sha384"},
        {"sid": "ski"},
        {"tsa": True},
        {"ess": ("v1", "v2")},
        {"extensions": [{"extn_id": "1.3.6.1.5.5.7.1.3", "critical": False, "extn_value": b"\x30\x00"}]},
    ],
)
def test_what_a_token_may_also_hold(tsa, features):
    stamp = check_token(tsa.respond(NOTE, **features), NOTE, trusting(tsa))
    assert len(stamp.warnings) == 1


def test_an_issuer_and_serial_that_fit_the_signer_are_accepted(tsa):
    signer = parsed(tsa.signer)
    names = [directory(signer.issuer)]
    response = tsa.respond(NOTE, ess_issuer=issuer_serial(names, signer.serial_number))
    assert check_token(response, NOTE, trusting(tsa)).serial == 7


def test_certificates_may_be_out_of_order(tsa):
    response = tsa.respond(NOTE)
    one, two = sorted((der(tsa.signer), der(tsa.middle)))
    swapped = response.replace(one + two, two + one)
    if swapped == response:
        swapped = response.replace(two + one, one + two)
    assert swapped != response
    for each in (response, swapped):
        assert check_token(each, NOTE, trusting(tsa)).serial == 7


def test_a_token_without_certificates_is_checked_with_those_of_the_trust_file(tsa):
    response = tsa.respond(NOTE, certificates=[])
    known = (der(tsa.signer), der(tsa.middle))
    assert check_token(response, NOTE, trusting(tsa, intermediates=known)).serial == 7
    refused(response, tsa, 9, "names 0 certificates instead of one")


def test_a_certificate_that_has_expired_by_today_is_judged_at_gen_time():
    then = datetime(2019, 6, 1, tzinfo=UTC)
    years = (datetime(2019, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC))
    tsa = MiniTsa(years=years, root_years=years)
    tsa.middle = certificate(
        "Middle",
        tsa.middle_key.public_key(),
        "Root",
        tsa.root_key,
        years=years,
        extensions=authority_extensions(),
    )
    assert check_token(tsa.respond(NOTE, gen_time=then), NOTE, trusting(tsa)).gen_time == then


@pytest.mark.parametrize(
    ("check", "message", "defect"),
    [
        (1, "status of the response is waiting, not granted", {"status": "waiting", "token": False}),
        (2, "status rejection holds a token", {"status": "rejection"}),
        (2, "is granted and holds no token", {"token": False}),
        (4, "is not CMS SignedData", {"outer": "data"}),
        (4, "content is not TSTInfo", {"content_type": "data"}),
        (4, r"cannot be read \(ValueError\)", {"tail": b"\x05\x00"}),
        (5, "has 2 signers instead of one", {"signer_infos": 2}),
        (5, "has 0 signers instead of one", {"signer_infos": 0}),
        (6, "no signed attributes", {"signed_attrs": False}),
        (6, "contentType is not there exactly once", {"content_types": ()}),
        (6, "contentType is not there exactly once", {"content_types": ("tst_info", "tst_info")}),
        (6, "contentType is not that of TSTInfo", {"content_types": ("data",)}),
        (6, "messageDigest is not there exactly once", {"message_digests": []}),
        (6, "messageDigest is not the digest", {"message_digests": [bytes(32)]}),
        (6, "of the signer is not on the allow-list", {"digest": "sha1"}),
        (7, "not on the allow-list", {"algorithm": {"algorithm": "sha1_ecdsa"}}),
        (7, "the signature uses digest", {"algorithm": {"algorithm": "sha384_ecdsa"}}),
        (8, "not DER: a SET is not in order", {"unsorted": True}),
        (10, "no attribute that names its signing certificate", {"ess": ()}),
        (10, "name another certificate", {"ess_cert": OTHER}),
        (10, "of ESSCertIDv2 is not on the allow-list", {"ess_digest": "sha1"}),
        (16, "not of version 1", {"version": "v2"}),
        (16, "more than 160 bits", {"serial": 1 << 160}),
        (17, r"policy 1\.2\.3 is not allowed for mini", {"policy": "1.2.3"}),
        (18, "the token is of other data", {"imprint_algorithm": "sha3_256"}),
        (
            18,
            "of the imprint is not on the allow-list",
            {"imprint_algorithm": "sha1", "imprint_hash": "sha1"},
        ),
        (20, "not a UTC time", {"gen_time": b"202603011200Z"}),
        (21, "not between 1 and 999", {"accuracy": {"millis": 1000}}),
        (21, "not between 0 and one hour", {"accuracy": {"seconds": 3601}}),
        (23, "the authority's name in the token", {"tsa": parsed(OTHER).subject}),
        (
            24,
            "critical extension",
            {"extensions": [{"extn_id": "1.2.3", "critical": True, "extn_value": b"\x05\x00"}]},
        ),
    ],
)
def test_a_defect_fails_its_check(tsa, check, message, defect):
    refused(tsa.respond(NOTE, **defect), tsa, check, message)


def test_a_token_over_other_bytes_is_refused(tsa):
    refused(tsa.respond(NOTE + b"\n"), tsa, 18, "the token is of other data")


def test_a_rejection_is_readable_and_cannot_write_to_a_terminal(tsa):
    words = ["no time\x1b[2J", "x" * 300]
    response = tsa.respond(
        NOTE, status="rejection", status_text=words, fail_info="time_not_available", token=False
    )
    refused(response, tsa, 3, r"the authority refused: no time\?\[2J; x{1,200}$")
    response = tsa.respond(NOTE, status="rejection", fail_info="time_not_available", token=False)
    refused(response, tsa, 3, "refused: time_not_available")
    refused(tsa.respond(NOTE, status="rejection", token=False), tsa, 3, "no reason given")


@pytest.mark.parametrize(
    "response",
    [b"", b"\x00", b"\x30\x80", b"<html>busy</html>", b"\x30\x03\x02\x01\x00", b"\x30\x84\xff\xff\xff\xff"],
)
def test_bytes_that_are_no_response_are_refused(tsa, response):
    refused(response, tsa, 4, "cannot be read")


def test_a_machine_without_memory_says_nothing_of_the_token(tsa):
    class Bytes(bytes):
        def __getitem__(self, key):
            raise MemoryError

    response = tsa.respond(NOTE)
    assert check_token(response, NOTE, trusting(tsa))
    with pytest.raises(MemoryError):
        check_token(Bytes(response), NOTE, trusting(tsa))


def test_trailing_bytes_and_large_responses_are_refused(tsa):
    response = tsa.respond(NOTE)
    refused(response + b"\x00", tsa, 4, "cannot be read")
    refused(bytes(MAX_RESPONSE + 1), tsa, 4, "larger than 65536")


def test_the_version_of_the_signed_data_must_allow_for_it(tsa):
    response = tsa.respond(NOTE)
    position = response.index(b"\x02\x01\x03\x31")
    wrong = response[: position + 2] + b"\x01" + response[position + 3 :]
    refused(wrong, tsa, 4, "not of version 3")


def test_no_token_is_held_where_the_content_is_missing(tsa):
    response = parsed_response(tsa.respond(NOTE))
    signed = response["time_stamp_token"]["content"]
    signed["encap_content_info"] = {"content_type": "tst_info"}
    refused(response.dump(force=True), tsa, 4, "holds no TSTInfo")


def test_a_crowd_of_certificates_is_refused(tsa):
    refused(tsa.respond(NOTE, certificates=[tsa.signer] * 33), tsa, 4, "more than 32 certificates")


def test_two_certificates_of_one_issuer_and_serial_are_ambiguous(tsa):
    twin = tsa.issue("Twin", serial=tsa.signer.serial_number)
    refused(tsa.respond(NOTE, certificates=[tsa.signer, twin, tsa.middle]), tsa, 9, "names 2 certificates")


def test_an_issuer_or_serial_of_another_certificate_is_refused(tsa):
    signer = parsed(tsa.signer)
    right, wrong = [directory(signer.issuer)], [directory(signer.subject)]
    message = "another issuer or serial number"
    for names, serial in ((right, 1), (wrong, signer.serial_number), (right * 2, signer.serial_number)):
        refused(tsa.respond(NOTE, ess_issuer=issuer_serial(names, serial)), tsa, 10, message)


def test_both_certificate_identifiers_must_fit(tsa):
    response = tsa.respond(NOTE, ess=("v1", "v2"), ess_cert=OTHER)
    refused(response, tsa, 10, "another certificate")
    refused(tsa.respond(NOTE, ess=("v2", "v2")), tsa, 10, "signingCertificate is not there exactly once")


def test_a_sha1_identifier_alone_is_a_warning(tsa):
    stamp = check_token(tsa.respond(NOTE, ess=("v1",)), NOTE, trusting(tsa))
    assert stamp.warnings[0] == "the signing certificate is named by its SHA-1 digest alone (ESSCertID)"


@pytest.mark.parametrize(
    ("check", "message", "extensions"),
    [
        (11, "has no extended key usage", signer_extensions(purposes=())),
        (11, "is not critical", signer_extensions(critical=False)),
        (11, "not for time-stamping alone", signer_extensions(purposes=(ExtendedKeyUsageOID.SERVER_AUTH,))),
        (
            11,
            "not for time-stamping alone",
            signer_extensions(purposes=(TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING)),
        ),
        (12, "not signatures alone", signer_extensions(cert_sign=True)),
        (12, "not signatures alone", signer_extensions(usage=(False, False))),
        (14, "that of a certificate authority", CA_EXTENSIONS),
        (14, r"unknown critical extensions: 1\.3\.6\.1\.4\.1\.99999\.1", [*signer_extensions(), (ODD, True)]),
    ],
)
def test_a_certificate_that_may_not_stamp_fails_its_check(check, message, extensions):
    tsa = MiniTsa(extensions=extensions)
    refused(tsa.respond(NOTE), tsa, check, message)


def test_a_certificate_without_key_usage_may_stamp():
    tsa = MiniTsa(extensions=[*signer_extensions(usage=()), (ODD, False)])
    assert check_token(tsa.respond(NOTE), NOTE, trusting(tsa)).serial == 7


@pytest.mark.parametrize(
    "gen_time", [datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2030, 2, 1, tzinfo=UTC)]
)
def test_gen_time_outside_the_validity_of_the_signer_is_refused(tsa, gen_time):
    refused(tsa.respond(NOTE, gen_time=gen_time), tsa, 13, "outside the validity of the signer")


def test_a_self_made_authority_is_refused_whatever_it_says(tsa):
    # The same names all the way up, other keys: what a forger would make.
    forger = MiniTsa("p384", root="Root")
    forger.root_key = key("p256", "forger")
    forger.root = certificate(
        "Root", forger.root_key.public_key(), "Root", forger.root_key, extensions=authority_extensions()
    )
    forger.middle = certificate(
        "Middle", forger.middle_key.public_key(), "Root", forger.root_key, extensions=authority_extensions()
    )
    response = forger.respond(NOTE, certificates=[forger.signer, forger.middle, forger.root])
    assert check_token(response, NOTE, trusting(forger)).serial == 7
    refused(response, tsa, 14, "no path leads")


def test_a_path_must_be_whole(tsa):
    refused(tsa.respond(NOTE, certificates=[tsa.signer]), tsa, 14, "no path leads")
    refused(tsa.respond(NOTE), tsa, 14, "no path leads", authority=trusting(tsa, roots=()))


def test_a_path_through_a_certificate_that_is_no_authority_is_refused(tsa):
    tsa = MiniTsa()
    tsa.middle = certificate("Middle", tsa.middle_key.public_key(), "Root", tsa.root_key)
    refused(tsa.respond(NOTE), tsa, 14, "no path leads")


def test_a_path_over_sha1_is_refused(tsa):
    response = parsed_response(tsa.respond(NOTE))
    for choice in response["time_stamp_token"]["content"]["certificates"]:
        if choice.chosen.subject.native == {"common_name": "Middle"}:
            choice.chosen["signature_algorithm"] = {"algorithm": "sha1_ecdsa"}
    refused(response.dump(force=True), tsa, 14, "no path leads")


def test_a_signature_that_does_not_fit_is_refused(tsa):
    response = parsed_response(tsa.respond(NOTE))
    signer = response["time_stamp_token"]["content"]["signer_infos"][0]
    signer["signature"] = tsa.sign(b"something else", "sha256")
    refused(response.dump(force=True), tsa, 7, "the signature does not fit what was signed")


def test_a_path_that_a_name_constraint_forbids_is_refused():
    tsa = MiniTsa()
    names = x509.NameConstraints([x509.DirectoryName(tsa.root.subject)], None)
    tsa.middle = certificate(
        "Middle",
        tsa.middle_key.public_key(),
        "Root",
        tsa.root_key,
        extensions=[*authority_extensions(), (names, True)],
    )
    refused(
        tsa.respond(NOTE),
        tsa,
        14,
        "not all names of the end-entity certificate are in the permitted namespace",
    )


def test_the_root_must_be_valid_at_gen_time_too():
    years = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    tsa = MiniTsa(root_years=years)
    refused(tsa.respond(NOTE), tsa, 14, "the pinned root is not valid at genTime")


def test_a_long_chain_ends(tsa):
    below, chain = tsa.middle_key, []
    for number in range(9):
        name = f"Middle {number}"
        own = key("p256", name)
        chain.append((name, own))
    tsa = MiniTsa()
    names = ["Middle", *(name for name, _ in chain), "Root"]
    keys = [below, *(own for _, own in chain), tsa.root_key]
    links = [
        certificate(
            names[i], keys[i].public_key(), names[i + 1], keys[i + 1], extensions=authority_extensions()
        )
        for i in range(len(names) - 1)
    ]
    refused(tsa.respond(NOTE, certificates=[tsa.signer, *links]), tsa, 14, "no path leads")


def test_certificates_that_sign_one_another_cost_no_more_than_their_number(tsa):
    crowd = [
        certificate(
            "Middle", tsa.middle_key.public_key(), "Middle", tsa.middle_key, extensions=authority_extensions()
        )
        for _ in range(31)
    ]
    before = datetime.now(UTC)
    refused(tsa.respond(NOTE, certificates=[tsa.signer, *crowd]), tsa, 14, "no path leads")
    assert datetime.now(UTC) - before < timedelta(seconds=10)


def test_the_better_of_two_intermediates_is_found_among_the_bad():
    tsa = MiniTsa()
    past = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))
    public, extensions = tsa.middle_key.public_key(), authority_extensions()
    expired = certificate("Middle", public, "Root", tsa.root_key, years=past, extensions=extensions)
    foreign = certificate(
        "Middle", key("p256", "x").public_key(), "Root", key("p256", "x"), extensions=extensions
    )
    response = tsa.respond(NOTE, certificates=[expired, foreign, tsa.signer, tsa.middle, tsa.root])
    assert check_token(response, NOTE, trusting(tsa)).serial == 7


def test_a_weak_key_is_refused():
    tsa = MiniTsa("rsa1024")
    refused(tsa.respond(NOTE), tsa, 7, "with this key is not on the allow-list")


def test_rsa_with_a_foreign_algorithm_is_refused():
    tsa = MiniTsa("rsa")
    refused(tsa.respond(NOTE, algorithm={"algorithm": "sha256_ecdsa"}), tsa, 7, "with an RSA key is not on")
    pss = MiniTsa("pss")
    mask = {"algorithm": "mgf1", "parameters": {"algorithm": "sha1"}}
    weak = {"hash_algorithm": {"algorithm": "sha256"}, "mask_gen_algorithm": mask, "salt_length": 32}
    algorithm = {"algorithm": "rsassa_pss", "parameters": weak}
    refused(pss.respond(NOTE, algorithm=algorithm), pss, 7, "PSS parameters are not on the allow-list")


def test_a_key_that_cannot_be_loaded_is_refused(tsa):
    # The point of the signer's key, moved off the curve, and the certificate identifiers left as they were.
    point = tsa.signer.public_key().public_numbers()
    raw = b"\x04" + point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
    off = raw[:-1] + bytes([raw[-1] ^ 1])
    bad = der(tsa.signer).replace(raw, off)
    response = tsa.respond(NOTE, certificates=[tsa.signer, tsa.middle]).replace(raw, off)
    assert bad != der(tsa.signer)
    # ESSCertIDv2 is over the good certificate, so name the bad one to reach the key.
    changed = tsa.respond(NOTE, ess_cert=JustBytes(bad), certificates=[tsa.signer, tsa.middle]).replace(
        raw, off
    )
    refused(response, tsa, 10, "another certificate")
    refused(changed, tsa, 7, "the key of the signature cannot be used")


def test_policies_left_open_allow_any(tsa):
    response = tsa.respond(NOTE, policy="1.2.3")
    assert check_token(response, NOTE, trusting(tsa, policies=())).policy == "1.2.3"


def test_the_nonce_must_come_back(tsa):
    refused(tsa.respond(NOTE, nonce=6), tsa, 19, "another nonce", nonce=5)
    refused(tsa.respond(NOTE), tsa, 19, "does not hold the nonce", nonce=5)
    refused(tsa.respond(NOTE), tsa, 19, "does not hold the nonce", nonce=0)


def test_gen_time_lies_between_request_and_response_give_or_take_ten_seconds(tsa):
    response, ten = tsa.respond(NOTE), 10 * SECOND
    check_token(response, NOTE, trusting(tsa), sent=GEN_TIME + ten, received=GEN_TIME - ten)
    refused(response, tsa, 20, "earlier than the request", sent=GEN_TIME + ten + SECOND)
    refused(response, tsa, 20, "later than the response", received=GEN_TIME - ten - SECOND)


@pytest.mark.parametrize(
    ("stated", "profile", "expected", "warning"),
    [
        ({"seconds": 0, "millis": 500, "micros": 7}, None, 500_007, None),
        (False, 1500, 1_500_000, "that of the authority's profile is used"),
        ({}, 1500, 1_500_000, "that of the authority's profile is used"),
        (False, None, None, "it bounds nothing"),
        ({"seconds": 60}, 1, 60_000_000, "worse than one second"),
    ],
)
def test_an_unknown_accuracy_is_not_zero(tsa, stated, profile, expected, warning):
    stamp = check_token(tsa.respond(NOTE, accuracy=stated), NOTE, trusting(tsa, accuracy_ms=profile))
    assert stamp.accuracy_us == expected
    after = None if expected is None else GEN_TIME + timedelta(microseconds=expected)
    assert stamp.not_after == after
    assert [w for w in stamp.warnings[1:] if warning and warning in w] == list(stamp.warnings[1:])
    assert len(stamp.warnings) == (2 if warning else 1)


@pytest.mark.parametrize(
    ("text", "microsecond"), [(b"5", 500_000), (b"000001", 1), (b"0000001", 1), (b"9999995", None)]
)
def test_fractions_of_a_second_are_rounded_up(tsa, text, microsecond):
    stamp = check_token(tsa.respond(NOTE, gen_time=b"20260301120000." + text + b"Z"), NOTE, trusting(tsa))
    expected = GEN_TIME + SECOND if microsecond is None else GEN_TIME.replace(microsecond=microsecond)
    assert stamp.gen_time == expected


def test_a_grant_with_modifications_is_a_warning(tsa):
    stamp = check_token(tsa.respond(NOTE, status="granted_with_mods"), NOTE, trusting(tsa))
    assert "the authority granted the request with modifications" in stamp.warnings


def test_no_flipped_bit_changes_what_a_token_says(tsa):
    response, authority = tsa.respond(NOTE), trusting(tsa)
    good = check_token(response, NOTE, authority)
    accepted = 0
    for position in range(len(response)):
        changed = bytearray(response)
        changed[position] ^= 1 << position % 8
        try:
            stamp = check_token(bytes(changed), NOTE, authority)
        except TimestampError:
            continue
        accepted += 1
        assert (stamp.gen_time, stamp.serial, stamp.signer, stamp.accuracy_us) == (
            good.gen_time,
            good.serial,
            good.signer,
            good.accuracy_us,
        )
    assert accepted < 60, "only the few bytes that nothing signs may change"


def test_no_cut_token_is_accepted(tsa):
    response = tsa.respond(NOTE)
    for size in range(0, len(response), 7):
        with pytest.raises(TimestampError, match="cannot be read"):
            check_token(response[:size], NOTE, trusting(tsa))


def test_a_check_may_run_inside_an_event_loop_and_in_threads(tsa):
    response, authority = tsa.respond(NOTE), trusting(tsa)

    async def inside():
        return check_token(response, NOTE, authority)

    with ThreadPoolExecutor(4) as pool:
        stamps = list(pool.map(lambda _: check_token(response, NOTE, authority), range(8)))
    assert asyncio.run(inside()) == stamps[0]
    assert len(set(stamps)) == 1


def test_a_trust_file_with_an_unreadable_certificate_is_named(tsa):
    for junk in (b"", b"junk", der(tsa.root) + b"\x00"):
        with pytest.raises(TrustError, match="certificate of authority mini cannot be read"):
            check_token(tsa.respond(NOTE), NOTE, trusting(tsa, roots=(junk,)))


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa"])
def test_another_implementation_agrees(kind):
    tsa = MiniTsa(kind)
    # Sorted, since that implementation insists on DER where nothing is signed.
    certificates = sorted([tsa.signer, tsa.middle], key=der)
    response = tsa.respond(NOTE, certificates=certificates)
    check_token(response, NOTE, trusting(tsa))
    verifier = VerifierBuilder().add_root_certificate(tsa.root).build()
    assert verifier.verify_message(decode_timestamp_response(response), NOTE)


def parsed_response(response):
    return tsp.TimeStampResp.load(response)


def directory(name):
    return asn1.GeneralName("directory_name", name)


def issuer_serial(names, serial):
    return {"issuer": names, "serial_number": serial}


class JustBytes:
    """Stands in for a certificate where only its bytes are asked for."""

    def __init__(self, data):
        self.data = data

    def public_bytes(self, encoding):
        return self.data
