"""The client of the API: what it is told, and what it makes of the answers."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO

import pytest

from notary import errors
from notary.cli.client import Client
from notary.errors import (
    BadNumber,
    Conflict,
    EmptyDocument,
    KeyInvalid,
    KeyMissing,
    NotaryError,
    NotFound,
    NotReady,
    RequestError,
    Unavailable,
)

NUMBER = "NA7W-Q3EU-N59P-CCZT"


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "key"
    path.write_text("nk_x\n")
    return path


@pytest.fixture
def answering(key):
    """A client of a server that answers every request alike."""
    servers = []

    def make(status, body, media_type="application/problem+json"):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        client = Client(f"http://127.0.0.1:{server.server_port}", key)
        servers.append((server, thread, client))
        return client

    yield make
    for server, thread, client in servers:
        client.close()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("content", [b"", b"\n", b"nk_x\nnk_y", "nk_é".encode(), b"nk_\x00"])
def test_a_file_without_one_key_is_refused(key, content):
    key.write_bytes(content)
    with pytest.raises(KeyMissing, match=r"does not hold one API key|cannot be read"):
        Client("http://127.0.0.1:1", key)


def test_a_key_file_must_be_named_and_there(key, tmp_path, monkeypatch):
    monkeypatch.delenv("NOTARY_API_KEY_FILE", raising=False)
    with pytest.raises(KeyMissing, match="--key-file or NOTARY_API_KEY_FILE"):
        Client("http://127.0.0.1:1")
    with pytest.raises(KeyMissing, match="cannot be read"):
        Client("http://127.0.0.1:1", tmp_path / "none")
    monkeypatch.setenv("NOTARY_API_KEY_FILE", str(key))
    Client("http://127.0.0.1:1").close()


@pytest.mark.parametrize(
    "url", ["", "localhost:8000", "ftp://x", "http://", "http://a\x01b", "http://a:99999", "file:///x"]
)
def test_an_address_that_is_none_is_refused(key, url, monkeypatch):
    monkeypatch.setenv("NOTARY_URL", url)
    with pytest.raises(RequestError, match="is not the address of a service"):
        Client(None, key)


def test_a_service_that_is_not_there_is_unavailable(key):
    client = Client("http://127.0.0.1:1", key)
    with pytest.raises(Unavailable, match="does not answer: ConnectError"):
        client.state(NUMBER)
    with pytest.raises(Unavailable, match="does not answer: ConnectError"):
        client.submit_file(BytesIO(b"x"), "x", "{}", "key")
    client.close()


@pytest.mark.parametrize("number", ["", "x", "../../v1/evidence", f"{NUMBER}?x", f"{NUMBER}/report"])
def test_a_number_that_cannot_be_is_never_sent(key, number):
    client = Client("http://127.0.0.1:1", key)
    with pytest.raises(BadNumber, match="has 16 characters"):
        client.state(number)
    with pytest.raises(BadNumber, match="has 16 characters"):
        client.download(number, "proof")
    client.close()


@pytest.mark.parametrize(
    "code", sorted({kind.code for kind in vars(errors).values() if isinstance(kind, type)})
)
def test_a_problem_comes_back_as_the_error_that_it_was(answering, code):
    body = b'{"status": 400, "code": "%s", "detail": "do that"}' % code.encode()
    with pytest.raises(NotaryError, match=r"^do that$") as caught:
        answering(400, body).state(NUMBER)
    # A time stamp's error has the number of its check, which a problem has not.
    assert caught.value.code == ("unavailable" if code == "timestamp" else code)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, b"<html>bad gateway"),
        (404, b"[]"),
        (400, b"{}"),
        (500, b'"x"'),
        (301, b""),
        (503, b'{"code": "x"}'),
    ],
)
def test_an_error_that_is_no_problem_of_ours_is_unavailable(answering, status, body):
    with pytest.raises(Unavailable, match=f"answered {status} without a reason"):
        answering(status, body).state(NUMBER)


def test_a_code_of_a_later_release_is_unavailable_and_its_detail_is_kept(answering):
    client = answering(429, b'{"code": "too_many", "detail": "slower\\u001b[31m"}')
    with pytest.raises(Unavailable, match="slower\ufffd\\[31m"):
        client.state(NUMBER)


@pytest.mark.parametrize("body", [b"<html>hello", b"[]", b"{}", b""])
def test_a_success_of_something_else_is_no_success(answering, body):
    with pytest.raises(Unavailable, match="no service of this kind"):
        answering(200, body, "text/html").state(NUMBER)


def test_against_the_real_service(served):
    url, key, service = served
    client = Client(url, key)
    answer = client.submit_file(BytesIO(b"x"), "x", '{"title":"a"}', "key")
    assert client.submit_file(BytesIO(b"x"), "x", '{"title":"a"}', "key") == answer
    with pytest.raises(Conflict, match="used for another request"):
        client.submit_file(BytesIO(b"y"), "x", "{}", "key")
    with pytest.raises(EmptyDocument, match="at least one byte"):
        client.submit_file(BytesIO(b""), "x", "{}", None)
    with pytest.raises(NotReady, match="in no checkpoint yet"):
        client.download(answer["number"], "proof")
    service.close()
    assert client.download(answer["number"].lower(), "statement").decode() == answer["statement"]
    with pytest.raises(NotFound, match="that you may see"):
        client.state(NUMBER)
    service.services.tenants.revoke_key(service.key.split("_")[1])
    with pytest.raises(KeyInvalid, match="unknown, revoked or expired"):
        client.state(answer["number"])
    client.close()
