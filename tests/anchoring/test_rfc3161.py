"""The adapter, against the embedded authority over HTTP and against one that answers wrongly."""

import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from asn1crypto import tsp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.anchoring.port import Head, Step
from notary.anchoring.rfc3161 import TsaAnchor, request
from notary.embedded.tsa import POLICY
from notary.errors import AnchorUnavailable, RequestError, SettingsError
from notary.evidence.timestamp import MAX_RESPONSE, Authority, check_token
from notary.outbound import Outbound
from tests.mini_tsa import GEN_TIME, MiniTsa, certificate, der
from tests.tsa_process import authority_of, running_tsa

NOTE = "example.org/log\n4\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.org/log AAAA\n".encode()
HEAD = Head("example.org/log", 4, bytes(32), NOTE)


def utc_now():
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tsa")


@pytest.fixture(scope="module")
def url(folder):
    with running_tsa(folder) as found:
        yield found


def anchor(url, authority, now=utc_now):
    return TsaAnchor("local", url, authority, Outbound(allow_private=True), now)


def test_a_request_is_of_the_sha256_digest_and_nothing_else():
    parsed = tsp.TimeStampReq.load(request(NOTE, 2**64 - 1), strict=True)
    assert parsed["message_imprint"]["hash_algorithm"]["algorithm"].native == "sha256"
    assert parsed["message_imprint"]["hashed_message"].native == sha256(NOTE).digest()
    assert parsed["nonce"].native == 2**64 - 1
    assert parsed["cert_req"].native is True
    assert parsed["version"].native == "v1"
    assert parsed["req_policy"].native is None


def test_a_request_may_name_a_policy():
    parsed = tsp.TimeStampReq.load(
        request(NOTE, 5, policy="2.25.310943214671094117361735923452351923517"), strict=True
    )
    assert parsed["req_policy"].native == "2.25.310943214671094117361735923452351923517"


@pytest.mark.parametrize(
    ("policies", "asked"), [((), None), ((POLICY,), POLICY), ((POLICY, "1.2.3"), None), (("1.2.3",), "1.2.3")]
)
def test_the_one_policy_that_is_accepted_is_asked_for(folder, url, policies, asked):
    tsa = anchor(url, authority_of(folder, policies=policies))
    attempt = tsa.sign(HEAD, 7, [], 0)
    assert tsp.TimeStampReq.load(attempt.raw, strict=True)["req_policy"].native == asked
    seen = tsa.send(HEAD, attempt)
    if POLICY in policies or not policies:
        assert seen.step is Step.FINAL
        assert (
            check_token(seen.evidence, NOTE, authority_of(folder, policies=policies), nonce=7).policy
            == POLICY
        )
    else:  # the authority itself says no, and no token is made that nobody would accept
        assert seen.step is Step.REJECTED
        assert "check 3: the authority refused: Requested policy is not supported" in seen.detail


@pytest.mark.parametrize("nonce", [-1, 2**64])
def test_a_nonce_outside_64_bits_is_refused(nonce):
    with pytest.raises(RequestError, match="a number of at most 64 bits"):
        request(NOTE, nonce)


def test_a_head_is_stamped_and_the_stored_response_verifies(folder, url):
    tsa = anchor(url, authority_of(folder))
    attempt = tsa.sign(HEAD, 2**63 + 11, [], 0)
    assert attempt.raw == request(NOTE, 2**63 + 11)
    assert (attempt.ref, attempt.nonce) == (sha256(attempt.raw).digest(), 2**63 + 11)
    seen = tsa.send(HEAD, attempt)
    assert seen.step is Step.FINAL
    assert seen.detail.startswith("local: stamped at 20")
    assert check_token(seen.evidence, NOTE, authority_of(folder), nonce=2**63 + 11)
    assert tsa.send(HEAD, attempt).step is Step.FINAL, "sending again is harmless"


def test_nothing_is_asked_of_an_authority_before_it_is_sent_to():
    tsa = anchor("http://127.0.0.1:9/", Authority("local", "x", (), (), None))
    assert (tsa.kind, tsa.attested_size(), tsa.first_nonce()) == ("rfc3161", 0, None)
    seen = tsa.observe(HEAD, [tsa.sign(HEAD, 1, [], 0)])
    assert (seen.step, seen.evidence) == (Step.DUE, None)
    assert seen.detail == "local: no token was kept, it will be asked again"


def test_a_token_is_rejected_and_kept_when_our_clock_disagrees(folder, url):
    def tomorrow():
        return utc_now() + timedelta(days=1)

    tsa = anchor(url, authority_of(folder), tomorrow)
    seen = tsa.send(HEAD, tsa.sign(HEAD, 5, [], 0))
    assert seen.step is Step.REJECTED
    assert seen.detail == "local: check 20: genTime is earlier than the request"
    assert check_token(seen.evidence, NOTE, authority_of(folder))


def test_the_token_of_another_authority_is_rejected(folder, url):
    mini = MiniTsa()
    tsa = anchor(url, Authority("local", "x", (der(mini.root),), (), None))
    seen = tsa.send(HEAD, tsa.sign(HEAD, 5, [], 0))
    assert seen.step is Step.REJECTED
    assert "check 14: no path leads" in seen.detail


@contextmanager
def answering(content, status=200, headers=()):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            """Keep the test's output clean."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def replayed(mini):
    return mini.respond(NOTE, nonce=4, gen_time=utc_now().replace(microsecond=0))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (replayed, "check 19: the token holds another nonce"),
        (lambda mini: mini.respond(NOTE, nonce=5), "check 20: genTime is earlier"),
        (lambda mini: mini.respond(NOTE + b" ", nonce=5), "check 18: the token is of other data"),
        (
            lambda mini: mini.respond(NOTE, status="rejection", fail_info="bad_alg", token=False),
            "check 3: the authority refused: bad_alg",
        ),
        (lambda mini: b"<html>busy</html>", "check 4: the response cannot be read"),
    ],
)
def test_a_wrong_answer_is_rejected_and_kept(make, reason):
    mini = MiniTsa()
    response = make(mini)
    with answering(response) as url:
        tsa = anchor(url, Authority("local", "x", (der(mini.root),), (), None))
        seen = tsa.send(HEAD, tsa.sign(HEAD, 5, [], 0))
    assert seen.step is Step.REJECTED
    assert seen.evidence == response
    assert reason in seen.detail


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b"", 503, "answers with status 503"),
        (b"", 301, "answers with status 301"),
        (bytes(MAX_RESPONSE + 1), 200, "longer than 65536 bytes"),
    ],
)
def test_no_usable_answer_is_unavailable(content, status, message):
    with answering(content, status) as url:
        tsa = anchor(url, Authority("local", "x", (), (), None))
        with pytest.raises(AnchorUnavailable, match=f"local: .*{message}"):
            tsa.send(HEAD, tsa.sign(HEAD, 5, [], 0))


def test_what_a_busy_authority_asks_for_is_handed_on():
    with answering(b"", 429, [("Retry-After", "30")]) as url:
        tsa = anchor(url, Authority("local", "x", (), (), None))
        with pytest.raises(AnchorUnavailable, match=r"local: .*answers with status 429") as caught:
            tsa.send(HEAD, tsa.sign(HEAD, 5, [], 0))
    assert caught.value.retry_after == 30


def test_a_url_that_cannot_be_used_is_refused_at_the_start():
    with pytest.raises(SettingsError, match="a URL to post to is http or https"):
        anchor("ftp://tsa.example/", Authority("local", "x", (), (), None))


@pytest.mark.parametrize("count", [6, 7])
def test_a_token_that_needs_more_than_8_signatures_is_not_taken_in(count):
    """The signer's by so many strangers who bear the name of its CA, and by the CA; that of the CA by the root."""
    tsa = MiniTsa()
    keys = [Ed25519PrivateKey.generate() for _ in range(count)]
    strangers = [certificate("Middle", key.public_key(), "Nobody", key) for key in keys]
    held = [tsa.signer, *strangers, tsa.middle]
    authority = Authority("local", "x", (der(tsa.root),), (), None)
    response = tsa.respond(NOTE, nonce=7, certificates=held)
    assert check_token(response, NOTE, authority, nonce=7), "a verifier tries 64"
    with answering(response) as url:
        found = anchor(url, authority, lambda: GEN_TIME)
        seen = found.send(HEAD, found.sign(HEAD, 7, [], 0))
    assert seen.step is (Step.FINAL if count == 6 else Step.REJECTED)
    if count == 7:
        assert seen.detail == (
            "local: check 14: more than 8 signatures of certificates would have to be tried"
        )
