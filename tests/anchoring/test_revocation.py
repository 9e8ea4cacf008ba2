"""Where a certificate says that its CA may be asked, and what is asked there."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from notary.anchoring.revocation import MAX_SOURCES, Source, fetch, sources
from notary.errors import Unavailable
from notary.evidence.timestamp_revocation_form import MAX_RESPONSE
from notary.evidence.timestamp_status import MAX_REVOCATION, Kind
from notary.outbound import Outbound
from tests.anchoring.test_stamps import place, responder
from tests.mini_tsa import MiniTsa, signer_extensions


@contextmanager
def answering(content):
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer(b"")

        def do_POST(self):
            self.answer(self.rfile.read(int(self.headers["Content-Length"])))

        def answer(self, body):
            seen.append((self.command, self.path, self.headers["Content-Type"], body))
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            """Keep the test's output clean."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


def naming(*places):
    return MiniTsa("p256", extensions=[*signer_extensions(), *places])


def test_lists_come_before_responders_and_what_cannot_be_asked_is_left_out():
    tsa = naming(responder("http://ocsp.example/"), place("http://ca.example/one.crl"))
    assert sources(tsa.signer) == (
        Source(Kind.CRL, "http://ca.example/one.crl"),
        Source(Kind.OCSP, "http://ocsp.example/"),
    )
    assert sources(naming(place("ldap://ca.example/cn=list")).signer) == ()
    assert sources(naming(place("http://user@ca.example/")).signer) == ()
    assert sources(naming().signer) == ()


def test_a_certificate_may_not_send_us_to_any_number_of_places():
    many = [
        x509.DistributionPoint([x509.UniformResourceIdentifier(f"http://ca.example/{at}")], None, None, None)
        for at in range(MAX_SOURCES + 1)
    ]
    found = sources(naming((x509.CRLDistributionPoints(many), False)).signer)
    assert [source.url for source in found] == [f"http://ca.example/{at}" for at in range(MAX_SOURCES)]


def test_an_extension_that_cannot_be_read_names_no_place():
    broken = x509.UnrecognizedExtension(x509.CRLDistributionPoints.oid, b"\x05\x00")
    assert sources(naming((broken, False)).signer) == ()


def test_a_list_is_fetched_and_a_responder_asked_about_the_certificate():
    tsa = naming()
    with answering(b"word") as (url, seen):
        client = Outbound(allow_private=True)
        listed = fetch(client, Source(Kind.CRL, f"{url}/ca.crl"), tsa.signer, tsa.middle)
        answered = fetch(client, Source(Kind.OCSP, f"{url}/ocsp"), tsa.signer, tsa.middle)
    assert (listed.kind, listed.data, answered.kind, answered.data) == (Kind.CRL, b"word", Kind.OCSP, b"word")
    assert seen[0] == ("GET", "/ca.crl", None, b"")
    assert seen[1][:3] == ("POST", "/ocsp", "application/ocsp-request")
    asked = ocsp.load_der_ocsp_request(seen[1][3])
    assert asked.serial_number == tsa.signer.serial_number
    assert asked.hash_algorithm.name == "sha1"


def test_too_long_an_answer_and_a_place_inside_are_refused():
    tsa = naming()
    for kind, limit in ((Kind.CRL, MAX_REVOCATION), (Kind.OCSP, MAX_RESPONSE)):
        with answering(bytes(limit + 1)) as (url, seen):
            source = Source(kind, f"{url}/")
            with pytest.raises(Unavailable, match=f"is longer than {limit} bytes"):
                fetch(Outbound(allow_private=True), source, tsa.signer, tsa.middle)
            with pytest.raises(Unavailable, match="has no address that requests may go to"):
                fetch(Outbound(allow_private=False), source, tsa.signer, tsa.middle)
        assert len(seen) == 1
        with answering(bytes(limit)) as (url, _):
            found = fetch(Outbound(allow_private=True), Source(kind, f"{url}/"), tsa.signer, tsa.middle)
        assert found.data == bytes(limit)
