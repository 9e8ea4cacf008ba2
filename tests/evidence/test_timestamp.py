"""RFC 3161 tokens beside the cases of tests/evidence/tsa_cases.py: what they say, and what needs more than one."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import core, tsp
from pyhanko_certvalidator.validate import async_validate_path
from rfc3161_client import VerifierBuilder, decode_timestamp_response

from notary.errors import TimestampError, TrustError
from notary.evidence import timestamp_pkix
from notary.evidence.timestamp import MAX_RESPONSE, check_token
from tests.evidence.tsa_bad_certificates import forged
from tests.evidence.tsa_case import NOTE, OTHER, trusting
from tests.evidence.tsa_good import between, issuer_serial
from tests.mini_tsa import (
    GEN_TIME,
    POLICY,
    MiniTsa,
    authority_extensions,
    certificate,
    der,
    key,
    parsed,
)

SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def tsa():
    return MiniTsa()


def refused(response, tsa, check, message, **more):
    authority = more.pop("authority", None) or trusting(tsa)
    with pytest.raises(TimestampError, match=message) as caught:
        check_token(response, NOTE, authority, **more)
    assert caught.value.check == check, caught.value


def test_a_good_token_says_when_under_which_policy_and_by_whom(tsa):
    stamp = check_token(tsa.respond(NOTE, nonce=2**63 + 1), NOTE, trusting(tsa), nonce=2**63 + 1)
    assert stamp.gen_time == GEN_TIME
    assert stamp.not_after == GEN_TIME + SECOND
    assert (stamp.policy, stamp.serial, stamp.signer) == (POLICY, 7, "CN=Mini TSA")
    assert stamp.warnings == ()
    assert stamp.path == tuple(map(der, (tsa.signer, tsa.middle, tsa.root)))


def test_a_rejection_is_readable_and_cannot_write_to_a_terminal(tsa):
    words = ["no time\x1b[2J", "x" * 300]
    response = tsa.respond(
        NOTE, status="rejection", status_text=words, fail_info="time_not_available", token=False
    )
    refused(response, tsa, 3, r"the authority refused: no time\?\[2J; x{1,200}$")
    response = tsa.respond(NOTE, status="rejection", fail_info="time_not_available", token=False)
    refused(response, tsa, 3, "refused: time_not_available")


@pytest.mark.parametrize(
    "response",
    [b"\x00", b"\x30\x80", b"\x30\x03\x02\x01\x00", b"\x30\x84\xff\xff\xff\xff"],
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


def test_large_responses_are_refused(tsa):
    refused(bytes(MAX_RESPONSE + 1), tsa, 4, "larger than 65536")


def test_the_version_of_the_signed_data_must_allow_for_it(tsa):
    response = tsa.respond(NOTE)
    position = response.index(b"\x02\x01\x03\x31")
    wrong = response[: position + 2] + b"\x01" + response[position + 3 :]
    refused(wrong, tsa, 4, "not of version 3")


def test_a_crowd_of_certificates_is_refused(tsa):
    refused(tsa.respond(NOTE, certificates=[tsa.signer] * 33), tsa, 4, "more than 32 certificates")


def test_another_serial_number_or_a_second_issuer_is_refused(tsa):
    signer = parsed(tsa.signer)
    for names, serial in (([signer.issuer], 1), ([signer.issuer] * 2, signer.serial_number)):
        response = tsa.respond(NOTE, ess_issuer=issuer_serial(names, serial))
        refused(response, tsa, 10, "another issuer or serial number")


def test_both_certificate_identifiers_must_fit(tsa):
    response = tsa.respond(NOTE, ess=("v1", "v2"), ess_cert=OTHER)
    refused(response, tsa, 10, "another certificate")


def test_whoever_trusts_the_forger_accepts_what_he_made():
    forger = forged()
    assert check_token(forger.respond(NOTE), NOTE, trusting(forger)).serial == 7


def test_without_roots_nothing_is_trusted(tsa):
    refused(tsa.respond(NOTE), tsa, 14, "no path leads", authority=trusting(tsa, roots=()))


def test_a_path_over_sha1_is_refused(tsa):
    response = parsed_response(tsa.respond(NOTE))
    for choice in response["time_stamp_token"]["content"]["certificates"]:
        if choice.chosen.subject.native == {"common_name": "Middle"}:
            for holder, field in (
                (choice.chosen, "signature_algorithm"),
                (choice.chosen["tbs_certificate"], "signature"),
            ):
                holder[field] = {"algorithm": "sha1_ecdsa"}
    refused(response.dump(force=True), tsa, 14, "no path leads")


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
    before = time.process_time()
    refused(tsa.respond(NOTE, certificates=[tsa.signer, *crowd]), tsa, 14, "no path leads")
    assert time.process_time() - before < 10


def test_the_better_of_two_intermediates_is_found_among_the_bad(tsa):
    past = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))
    stranger = key("p256", "x")
    extensions = authority_extensions()
    foreign = certificate("Middle", stranger.public_key(), "Root", stranger, extensions=extensions)
    held = [between(tsa, years=past), foreign, tsa.signer, tsa.middle, tsa.root]
    assert check_token(tsa.respond(NOTE, certificates=held), NOTE, trusting(tsa)).serial == 7


def test_an_algorithm_with_sha1_is_refused(tsa):
    refused(tsa.respond(NOTE, algorithm={"algorithm": "sha1_ecdsa"}), tsa, 7, "not on the allow-list")


def test_rsa_with_a_foreign_algorithm_is_refused():
    tsa = MiniTsa("rsa")
    refused(tsa.respond(NOTE, algorithm={"algorithm": "sha256_ecdsa"}), tsa, 7, "with an RSA key is not on")
    pss = MiniTsa("pss")
    mask = {"algorithm": "mgf1", "parameters": {"algorithm": "md5"}}
    weak = {"hash_algorithm": {"algorithm": "sha256"}, "mask_gen_algorithm": mask, "salt_length": 32}
    algorithm = {"algorithm": "rsassa_pss", "parameters": weak}
    refused(
        pss.respond(NOTE, algorithm=algorithm), pss, 7, "a digest of RSASSA-PSS that is not on the allow-list"
    )


@pytest.mark.parametrize("length", [-1, 1025, 2**40])
def test_a_salt_of_impossible_length_is_refused(length):
    pss = MiniTsa("pss")
    assert check_token(pss.respond(NOTE, algorithm=salted(32)), NOTE, trusting(pss)).serial == 7
    response = pss.respond(NOTE, algorithm=salted(length))
    refused(response, pss, 7, "a salt of RSASSA-PSS that is not 0 to 1024 bytes long")
    # Within the limit it is the signature that does not fit.
    refused(pss.respond(NOTE, algorithm=salted(31)), pss, 7, "the signature does not fit what was signed")
    refused(pss.respond(NOTE, algorithm=salted(1024)), pss, 7, "the signature does not fit what was signed")


def salted(length):
    mask = {"algorithm": "mgf1", "parameters": {"algorithm": "sha256"}}
    parameters = {
        "hash_algorithm": {"algorithm": "sha256"},
        "mask_gen_algorithm": mask,
        "salt_length": length,
    }
    return {"algorithm": "rsassa_pss", "parameters": parameters}


@pytest.mark.parametrize(
    ("kind", "algorithm", "reason"),
    [
        (
            "p256",
            {"algorithm": "sha256_ecdsa", "parameters": core.OctetString(b"")},
            "an element that does not",
        ),
        ("ed25519", {"algorithm": "ed25519", "parameters": core.Null()}, "an element that does not belong"),
        ("pss", {"algorithm": "rsassa_pss"}, "an element is missing"),
    ],
)
def test_parameters_that_an_algorithm_does_not_have_are_refused(kind, algorithm, reason):
    tsa = MiniTsa(kind)
    digest = {"digest": "sha512"} if kind == "ed25519" else {}
    assert check_token(tsa.respond(NOTE, **digest), NOTE, trusting(tsa)).serial == 7
    message = rf"the key or the parameters of the signature algorithm [\d.]+ are not allowed: .*{reason}"
    refused(tsa.respond(NOTE, algorithm=algorithm, **digest), tsa, 7, message)


def test_a_path_that_could_only_be_validated_by_waiting_is_none(tsa, monkeypatch):
    """Nothing may be fetched: should the library ever wait for something, the token is refused."""

    async def waits(*given):
        await asyncio.sleep(0)
        return await async_validate_path(*given)

    monkeypatch.setattr(timestamp_pkix, "async_validate_path", waits)
    refused(tsa.respond(NOTE), tsa, 14, "the path could not be validated without fetching")

    async def does_not_wait(*given):
        return await async_validate_path(*given)

    monkeypatch.setattr(timestamp_pkix, "async_validate_path", does_not_wait)
    assert check_token(tsa.respond(NOTE), NOTE, trusting(tsa)).serial == 7


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


def test_a_nonce_of_zero_must_come_back_too(tsa):
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
    assert [w for w in stamp.warnings if warning and warning in w] == list(stamp.warnings)
    assert len(stamp.warnings) == (1 if warning else 0)


@pytest.mark.parametrize(
    ("text", "microsecond"), [(b"5", 500_000), (b"000001", 1), (b"0000001", 1), (b"9999995", None)]
)
def test_fractions_of_a_second_are_rounded_up(tsa, text, microsecond):
    stamp = check_token(tsa.respond(NOTE, gen_time=b"20260301120000." + text + b"Z"), NOTE, trusting(tsa))
    expected = GEN_TIME + SECOND if microsecond is None else GEN_TIME.replace(microsecond=microsecond)
    assert stamp.gen_time == expected


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


class JustBytes:
    """Stands in for a certificate where only its bytes are asked for."""

    def __init__(self, data):
        self.data = data

    def public_bytes(self, encoding):
        return self.data
