"""The outbound client goes where it was sent and nowhere inside."""

import socket
import ssl
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from notary import outbound
from notary.errors import SettingsError, Unavailable
from notary.outbound import Outbound, check_url, permitted, resolve, retry_after


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers), body))
        status = {"/redirect": 302, "/missing": 404, "/many": 429, "/busy": 503}.get(self.path, 200)
        self.send_response(status)
        if status >= 400:
            self.send_header("Retry-After", "7")
        if status == 302:
            self.send_header("Location", "/here")
        if self.path == "/drip":
            self.drip()
            return
        content = b"x" * 100 if self.path == "/large" else body
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers), b""))
        self.send_response({"/missing": 404, "/busy": 503}.get(self.path, 200))
        content = b"x" * 100
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def drip(self):
        try:
            for _ in range(200):
                self.wfile.write(b"X-Slow: 1\r\n")
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:
            self.close_connection = True

    def log_message(self, *args):
        """Keep the test's output clean."""


@contextmanager
def serving():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server():
    with serving() as found:
        yield found


def url(server, path="/here", host="127.0.0.1"):
    return f"http://{host}:{server.server_port}{path}"


def post(client, where, limit=64):
    return client.post(where, b"question", "application/timestamp-query", limit)


def test_a_body_comes_back_and_the_host_is_named(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert post(Outbound(allow_private=True), url(server)) == b"question"
    path, headers, body = server.seen[0]
    assert (path, body) == ("/here", b"question")
    assert headers["Content-Type"] == "application/timestamp-query"
    assert headers["Host"] == f"127.0.0.1:{server.server_port}"


def test_loopback_is_refused_unless_it_is_configured(server):
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(Unavailable, match=f"{host} has no address that requests may go to"):
            post(Outbound(allow_private=False), url(server, host=host))
    assert server.seen == []


@pytest.mark.parametrize(
    ("address", "public", "private"),
    [
        ("93.184.215.14", True, True),
        ("2606:4700::1111", True, True),
        ("127.0.0.1", False, True),
        ("::1", False, True),
        ("10.0.0.1", False, True),
        ("172.16.0.1", False, True),
        ("192.168.1.1", False, True),
        ("100.64.0.1", False, True),
        ("fd00::1", False, True),
        ("::ffff:127.0.0.1", False, True),
        ("::ffff:93.184.215.14", False, True),
        ("::ffff:169.254.169.254", False, False),
        ("169.254.169.254", False, False),
        ("fe80::1", False, False),
        ("fe80::1%1", False, False),
        ("224.0.0.1", False, False),
        ("ff02::1", False, False),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("255.255.255.255", False, False),
        ("240.0.0.1", False, False),
        ("2002:7f00:1::", False, False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False, False),
        ("64:ff9b::7f00:1", False, True),
        ("fec0::1", False, False),
        ("192.0.0.192", False, False),
        ("100.100.100.200", False, False),
        ("168.63.129.16", False, False),
        ("::ffff:168.63.129.16", False, False),
        ("64:ff9b::a83f:8110", False, False),
        ("fd00:ec2::254", False, False),
        ("64:ff9b::5db8:d70e", True, True),
    ],
)
def test_an_address_is_judged_by_its_family_and_range(address, public, private):
    assert permitted(address, allow_private=False) is public
    assert permitted(address, allow_private=True) is private
    client = Outbound(allow_private=False, resolver=lambda host, port: [address])
    if not public:
        with pytest.raises(Unavailable, match="no address that requests may go to"):
            post(client, "http://tsa.example/")


def test_a_name_is_resolved_once_and_that_answer_is_connected_to(server):
    answers = [["127.0.0.1"], ["127.0.0.2"]]
    asked = []

    def rebinding(host, port):
        asked.append((host, port))
        return answers.pop(0)

    client = Outbound(allow_private=True, resolver=rebinding)
    assert post(client, url(server, host="tsa.example")) == b"question"
    assert asked == [("tsa.example", server.server_port)]
    assert server.seen[0][1]["Host"] == f"tsa.example:{server.server_port}"


def test_a_name_that_turns_inward_between_requests_is_refused(server):
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    client = Outbound(allow_private=True, resolver=lambda host, port: answers.pop(0))
    post(client, url(server, host="tsa.example"))
    with pytest.raises(Unavailable, match="has no address that"):
        post(client, url(server, host="tsa.example"))
    assert len(server.seen) == 1


def test_forbidden_addresses_are_left_out_and_dead_ones_passed_over(server):
    client = Outbound(allow_private=True, resolver=lambda host, port: ["169.254.1.1", "::1", "127.0.0.1"])
    assert post(client, url(server, host="tsa.example")) == b"question"


def test_redirects_and_other_statuses_are_not_answers(server):
    client = Outbound(allow_private=True)
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1 answers with status 302"):
        post(client, url(server, "/redirect"))
    with pytest.raises(Unavailable, match="answers with status 404"):
        post(client, url(server, "/missing"))
    assert [seen[0] for seen in server.seen] == ["/redirect", "/missing"]


def test_what_is_there_is_read_and_what_is_not_is_none(server):
    client = Outbound(allow_private=True)
    assert client.get(url(server, "/here"), 100) == b"x" * 100
    assert client.get(url(server, "/missing"), 100) is None
    with pytest.raises(Unavailable, match="answers with status 503"):
        client.get(url(server, "/busy"), 100)
    with pytest.raises(Unavailable, match="longer than 99 bytes"):
        client.get(url(server, "/here"), 99)
    with pytest.raises(Unavailable, match="has no address that requests may go to"):
        Outbound(allow_private=False).get(url(server, "/here"), 100)
    with pytest.raises(SettingsError, match="a URL to post to is http or https"):
        client.get("file:///etc/passwd", 100)
    assert {headers["User-Agent"] for _, headers, _ in server.seen} == {"notary"}


def test_a_long_answer_is_cut_off(server):
    client = Outbound(allow_private=True)
    assert len(post(client, url(server, "/large"), limit=100)) == 100
    with pytest.raises(Unavailable, match="longer than 99 bytes"):
        post(client, url(server, "/large"), limit=99)


def test_a_dripping_answer_ends_at_the_deadline(server, monkeypatch):
    monkeypatch.setattr(outbound, "TOTAL_SECONDS", 0.5)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match=r"does not answer \(ReadTimeout\)"):
        post(Outbound(allow_private=True), url(server, "/drip"))
    assert time.monotonic() - begun < 5


def test_a_dead_port_and_an_unknown_name_are_unavailable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        with pytest.raises(Unavailable, match=r"does not answer \(ConnectError\)"):
            post(Outbound(allow_private=True), f"http://127.0.0.1:{taken.getsockname()[1]}/")

    def unknown(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with pytest.raises(Unavailable, match=r"the name tsa\.example cannot be resolved"):
        post(Outbound(allow_private=True, resolver=unknown), "https://tsa.example/")


def test_the_authorities_of_the_system_are_read_once_and_are_not_none():
    one, other = (Outbound(allow_private=private)._tls for private in (True, False))
    assert one is other
    assert one.verify_mode is ssl.CERT_REQUIRED
    assert one.check_hostname
    assert one.get_ca_certs()


def test_a_server_without_tls_does_not_answer_https(server):
    where = url(server).replace("http:", "https:")
    with pytest.raises(Unavailable, match="does not answer"):
        post(Outbound(allow_private=True), where)
    assert server.seen == []


def test_the_system_resolves_loopback():
    assert "127.0.0.1" in resolve("localhost", 80)


@pytest.mark.parametrize(
    "where",
    [
        "",
        "tsa.example",
        "file:///etc/passwd",
        "ftp://tsa.example/",
        "http:///path",
        "http://user@tsa.example/",
        "http://user:word@tsa.example/",
        "http://tsa.example/#part",
        "http://tsa.example:99999/",
        "http://tsa.example:0/",
        "http://[::1/",
        "http://tsa.example/a b",
        "http://tsa.example/\r\nX: 1",
        "http://tsä.example/",
    ],
)
def test_a_url_that_is_not_plain_is_a_wrong_setting(where):
    with pytest.raises(SettingsError, match="a URL to post to is http or https"):
        check_url(where)


def test_nothing_is_begun_after_the_deadline(server, monkeypatch):
    monkeypatch.setattr(outbound, "TOTAL_SECONDS", 0)
    with pytest.raises(Unavailable, match=r"does not answer \(ConnectTimeout\)"):
        post(Outbound(allow_private=True), url(server))
    assert server.seen == []


@pytest.mark.parametrize(
    ("path", "status", "asked"), [("/many", 429, 7), ("/busy", 503, 7), ("/missing", 404, None)]
)
def test_a_server_may_ask_to_be_left_alone_where_it_is_too_busy(server, path, status, asked):
    with pytest.raises(Unavailable, match=f"answers with status {status}") as caught:
        post(Outbound(allow_private=True), url(server, path))
    assert caught.value.retry_after == asked


DATE = (b"Date", b"Sun, 01 Mar 2026 12:00:00 GMT")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], None),
        ([(b"Retry-After", b"0")], 0),
        ([(b"retry-after", b" 120 ")], 120),
        ([(b"Retry-After", b"999999999")], 999_999_999),
        ([(b"Retry-After", b"9999999999")], None),
        ([(b"Retry-After", b"-1")], None),
        ([(b"Retry-After", b"1.5")], None),
        ([(b"Retry-After", "٣".encode())], None),
        ([(b"Retry-After", b"\xff")], None),
        ([(b"Retry-After", b"soon"), DATE], None),
        ([(b"Retry-After", b"Sun, 01 Mar 2026 12:02:00 GMT"), DATE], 120),
        ([(b"Retry-After", b"Sun, 01 Mar 2026 11:00:00 GMT"), DATE], 0),
        ([(b"Retry-After", b"Sun, 01 Mar 2026 12:02:00 GMT")], None),
        ([(b"Retry-After", b"Sun, 01 Mar 2026 12:02:00 -0000"), DATE], None),
        ([(b"Retry-After", b"Sun, 31 Feb 2026 12:02:00 GMT"), DATE], None),
    ],
)
def test_how_long_is_read_strictly_and_by_the_servers_own_clock(headers, seconds):
    assert retry_after(headers) == seconds
