"""The local authority: made once, answers on loopback, and other implementations accept its tokens."""

import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from notary.anchoring.rfc3161 import request
from notary.embedded import tsa
from notary.errors import TimestampError, ToolMissing
from notary.evidence.timestamp import check_token
from notary.evidence.timestamp_revocation import check_revocation
from notary.evidence.timestamp_status import Kind, RevocationData
from tests.tsa_process import authority_of, running_tsa

NOTE = "example.org/log\n4\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.org/log AAAA\n".encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tsa")


@pytest.fixture(scope="module")
def url(folder):
    with running_tsa(folder) as found:
        yield found


def ask(url, body, **headers):
    connection = HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.request("POST", "/", body, {"Content-Type": "application/timestamp-query", **headers})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()
    finally:
        connection.close()


def test_its_token_passes_every_check(folder, url):
    before = datetime.now(UTC)
    status, kind, response = ask(url, request(NOTE, 2**64 - 1))
    assert (status, kind) == (200, "application/timestamp-reply")
    authority = authority_of(folder, policies=(tsa.POLICY,))
    stamp = check_token(response, NOTE, authority, nonce=2**64 - 1, sent=before, received=datetime.now(UTC))
    assert stamp.policy == tsa.POLICY
    assert stamp.not_after == stamp.gen_time + timedelta(seconds=1)
    assert "proves nothing" in stamp.signer
    assert stamp.warnings == ()
    with pytest.raises(TimestampError, match="the token is of other data"):
        check_token(response, NOTE + b" ", authority)


def fetched(url, path):
    connection = HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()
    finally:
        connection.close()


def test_the_list_that_its_certificate_names_shows_that_it_was_not_revoked(folder, url):
    stamp = check_token(ask(url, request(NOTE, 1))[2], NOTE, authority_of(folder))
    places = x509.load_der_x509_certificate(stamp.path[0]).extensions.get_extension_for_class(
        x509.CRLDistributionPoints
    )
    assert [name.value for point in places.value for name in point.full_name] == [f"{url}root.crl"]
    status, kind, data = fetched(url, f"/{tsa.CRL}")
    assert (status, kind) == (200, "application/pkix-crl")
    found = check_revocation(stamp.path, stamp.gen_time, [RevocationData(Kind.CRL, data)], strict=True)
    assert found.detail.startswith("not revoked at genTime: CN=Embedded test TSA")
    assert fetched(url, "/other")[0] == 404


def test_it_comes_back_at_its_place_with_its_certificate_and_else_names_the_new_one(tmp_path):
    with running_tsa(tmp_path) as first:
        one = (tmp_path / "signer.pem").read_bytes()
    with running_tsa(tmp_path) as second:
        assert second == first
        assert (tmp_path / "signer.pem").read_bytes() == one
        with running_tsa(tmp_path) as beside:
            assert beside != first
            response = ask(beside, request(NOTE, 1))[2]
    stamp = check_token(response, NOTE, authority_of(tmp_path))
    assert f"{beside}root.crl".encode() in stamp.path[0]


def test_openssl_accepts_its_token_over_the_note(folder, url, tmp_path):
    response = ask(url, request(NOTE, 1))[2]
    (tmp_path / "note").write_bytes(NOTE)
    (tmp_path / "other").write_bytes(NOTE + b" ")
    (tmp_path / "token.tsr").write_bytes(response)
    moment = str(int(check_token(response, NOTE, authority_of(folder)).gen_time.timestamp()))
    verify = ["openssl", "ts", "-verify", "-attime", moment, "-CAfile", str(folder / "root.pem")]
    verify += ["-in", str(tmp_path / "token.tsr"), "-data"]
    good = subprocess.run([*verify, str(tmp_path / "note")], capture_output=True, text=True, check=False)
    assert good.returncode == 0, good.stderr
    assert "Verification: OK" in good.stdout + good.stderr
    bad = subprocess.run([*verify, str(tmp_path / "other")], capture_output=True, text=True, check=False)
    assert bad.returncode != 0
    assert "message imprint mismatch" in bad.stderr


def test_a_third_implementation_accepts_its_token(folder, url):
    response = decode_timestamp_response(ask(url, request(NOTE, 1))[2])
    root = x509.load_pem_x509_certificate((folder / "root.pem").read_bytes())
    verifier = VerifierBuilder().add_root_certificate(root).build()
    assert verifier.verify_message(response, NOTE)
    with pytest.raises(VerificationError, match="Mismatch between messages"):
        verifier.verify_message(response, NOTE + b" ")


def test_what_is_no_query_is_refused(folder, url):
    with pytest.raises(TimestampError, match="the authority refused"):
        check_token(ask(url, b"junk")[2], NOTE, authority_of(folder))
    assert ask(url, b"x", **{"Content-Type": "text/plain"})[0] == 415
    assert ask(url, iter([b"x"]), **{"Transfer-Encoding": "chunked"})[0] == 411
    assert ask(url, bytes(tsa.MAX_QUERY + 1))[0] == 413


def test_tokens_asked_for_at_once_have_different_serial_numbers(folder, url):
    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(lambda nonce: ask(url, request(NOTE, nonce))[2], range(1, 9)))
    authority = authority_of(folder)
    stamps = [check_token(r, NOTE, authority, nonce=n) for n, r in enumerate(responses, 1)]
    assert len({stamp.serial for stamp in stamps}) == 8
    assert not list(folder.glob("*.tsq"))


def test_it_is_made_once_and_again_where_making_stopped_half_way(tmp_path):
    root = tsa.prepare(tmp_path / "new" / "tsa")
    first = root.read_bytes()
    assert tsa.prepare(root.parent).read_bytes() == first
    for key in ("signer.key", "root.key"):
        assert stat.S_IMODE((root.parent / key).stat().st_mode) == 0o600
    assert b"proves nothing" in x509.load_pem_x509_certificate(first).subject.public_bytes()
    root.unlink()
    assert tsa.prepare(root.parent).read_bytes() != first
    response = tsa.reply(root.parent, request(NOTE, 1))
    assert check_token(response, NOTE, authority_of(root.parent), nonce=1)


def test_a_broken_folder_makes_no_response(tmp_path):
    root = tsa.prepare(tmp_path)
    (tmp_path / "openssl.cnf").write_text("[nothing]\n")
    with pytest.raises(OSError, match="openssl ts made no response"):
        tsa.reply(root.parent, request(NOTE, 1))
    with running_tsa(tmp_path) as url:
        assert ask(url, request(NOTE, 1))[0] == 500


def test_a_machine_without_openssl_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="needs the program openssl, which is not installed"):
        tsa.prepare(tmp_path / "tsa")
    assert not (tmp_path / "tsa").exists()
