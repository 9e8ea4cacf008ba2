"""An imprint of SM3: stamped, checked, and checked by OpenSSL; SM3 anywhere else in a token is refused."""

import hashlib
import subprocess
from datetime import UTC, datetime

import pytest
from asn1crypto import pem, tsp

from notary.anchoring.rfc3161 import request
from notary.embedded import tsa as embedded
from notary.errors import TimestampError
from notary.evidence.outcome import Outcome
from notary.evidence.timestamp import Authority, check_token
from notary.evidence.timestamp_signature import SM3
from tests.evidence import build
from tests.evidence.tsa_case import NOTE, trusting
from tests.mini_tsa import MiniTsa


@pytest.fixture(scope="module")
def tsa():
    return MiniTsa()


def stamped(tsa, **changes):
    return tsa.respond(NOTE, **{"imprint_algorithm": SM3, "imprint_hash": "sm3"} | changes)


def test_a_token_over_sm3_is_accepted(tsa):
    assert check_token(stamped(tsa), NOTE, trusting(tsa)).serial == 7


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        (NOTE + b" ", {}),
        (NOTE, {"imprint_hash": "sha256"}),  # the right bytes under another hash's name, and the reverse
        (NOTE, {"imprint_algorithm": "sha256"}),
    ],
)
def test_a_token_over_the_sm3_of_other_data_is_refused(tsa, data, changes):
    with pytest.raises(TimestampError, match="the token is of other data") as caught:
        check_token(stamped(tsa, **changes), data, trusting(tsa))
    assert caught.value.check == 18


def test_sm3_is_for_what_is_stamped_and_for_nothing_that_is_signed(tsa):
    response = tsp.TimeStampResp.load(stamped(tsa))
    (signer,) = response["time_stamp_token"]["content"]["signer_infos"]
    signer["digest_algorithm"] = {"algorithm": SM3}
    with pytest.raises(TimestampError, match=rf"algorithm {SM3} of .* is not on the allow-list") as caught:
        check_token(response.dump(force=True), NOTE, trusting(tsa))
    assert caught.value.check == 6


def test_a_package_with_a_token_over_sm3_is_as_good(tsa):
    log = build.log()
    name = f"heads/{build.EARLY}/tokens/tsa-a.tsr"
    token = log.token("tsa-a", build.EARLY, imprint_algorithm=SM3, imprint_hash="sm3")
    files = build.files(log) | {name: token}
    report = build.check(files, build.trust(log))
    assert report.outcome is Outcome.PASSED
    assert "tsa-a" in [bound.source for bound in report.interval.bounds]
    wrong = log.token("tsa-a", build.EARLY, imprint_algorithm=SM3, imprint_hash="sha256")
    failed = build.check(files | {name: wrong}, build.trust(log)).failures()
    assert [(check.id, check.subject) for check in failed] == [("5.1", f"tsa-a@{build.EARLY}")]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A folder of an authority by OpenSSL that stamps SM3 too."""
    folder = tmp_path_factory.mktemp("tsa")
    embedded.prepare(folder)
    config = folder / "openssl.cnf"
    config.write_text(config.read_text().replace("digests = ", "digests = sm3, "))
    return folder


def openssl(*arguments):
    done = subprocess.run(
        [embedded.openssl(), "ts", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return done.returncode, done.stdout + done.stderr


def test_openssl_stamps_our_request_and_both_verify_the_token(authority, tmp_path):
    sent = datetime.now(UTC)
    response = embedded.reply(authority, request(NOTE, 11, "sm3"))
    assert hashlib.new("sm3", NOTE).digest() in response
    _, _, root = pem.unarmor((authority / embedded.ROOT).read_bytes())
    known = Authority("local", "Embedded", (root,), (), None)
    stamp = check_token(response, NOTE, known, nonce=11, sent=sent, received=datetime.now(UTC))
    assert stamp.gen_time.replace(microsecond=0) >= sent.replace(microsecond=0)
    (tmp_path / "token").write_bytes(response)
    (tmp_path / "note").write_bytes(NOTE)
    (tmp_path / "other").write_bytes(NOTE + b" ")
    given = ("-verify", "-in", tmp_path / "token", "-CAfile", authority / embedded.ROOT, "-data")
    assert openssl(*given, tmp_path / "note")[0] == 0
    status, words = openssl(*given, tmp_path / "other")
    assert status != 0
    assert "message imprint mismatch" in words


def test_openssl_asks_for_what_we_ask_for(tmp_path):
    (tmp_path / "note").write_bytes(NOTE)
    status, _ = openssl("-query", "-data", tmp_path / "note", "-sm3", "-no_nonce", "-out", tmp_path / "tsq")
    assert status == 0
    theirs = tsp.TimeStampReq.load((tmp_path / "tsq").read_bytes())["message_imprint"]
    ours = tsp.TimeStampReq.load(request(NOTE, 11, "sm3"), strict=True)["message_imprint"]
    assert ours["hash_algorithm"]["algorithm"].dotted == theirs["hash_algorithm"]["algorithm"].dotted == SM3
    assert ours["hashed_message"].native == theirs["hashed_message"].native
