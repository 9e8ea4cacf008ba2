"""The seal holds, covers the whole report, and breaks with one flipped byte."""

import io
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pikepdf
import pytest
from asn1crypto import pem, tsp
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from notary.errors import AnchorRejected, AnchorUnavailable, FormatError, SettingsError
from notary.outbound import Outbound
from notary.report.pdf import render
from notary.report.seal import FIELD, Stamper, load_sealer, seal
from tests.mini_tsa import MiniTsa, authority_extensions, certificate
from tests.report.build import facts
from tests.tsa_process import running_tsa

NOW = datetime.now(UTC)
YEARS = (NOW - timedelta(days=1), NOW + timedelta(days=365))
USAGE = (x509.KeyUsage(True, True, False, False, False, False, False, False, False), True)


def private_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Seal:
    """A certificate and key under a root of the test's own."""

    def __init__(self, key):
        root_key = ec.generate_private_key(ec.SECP256R1())
        self.root = certificate(
            "Root", root_key.public_key(), "Root", root_key, years=YEARS, extensions=authority_extensions()
        )
        own = certificate("Seal", key.public_key(), "Root", root_key, years=YEARS, extensions=[USAGE])
        self.certificates = b"".join(c.public_bytes(serialization.Encoding.PEM) for c in (own, self.root))
        self.key = private_pem(key)
        self.sealer = load_sealer(self.certificates, self.key)

    def validate(self, pdf, *more_roots):
        signature = PdfFileReader(io.BytesIO(pdf)).embedded_signatures[0]
        roots = [asn1.Certificate.load(self.root.public_bytes(serialization.Encoding.DER)), *more_roots]
        return validate_pdf_signature(
            signature,
            ValidationContext(trust_roots=roots, allow_fetching=False),
            ts_validation_context=ValidationContext(trust_roots=roots, allow_fetching=False),
        )


@pytest.fixture(scope="module")
def report():
    return render(facts())


@pytest.fixture(scope="module", params=["p256", "p384", "rsa"])
def office(request):
    if request.param == "rsa":
        return Seal(rsa.generate_private_key(65537, 2048))
    return Seal(ec.generate_private_key(ec.SECP384R1() if request.param == "p384" else ec.SECP256R1()))


@pytest.fixture(scope="module")
def sealed(office, report):
    return seal(report, office.sealer)


def test_a_sealed_report_validates_and_is_covered_whole(office, sealed, report):
    status = office.validate(sealed)
    assert status.bottom_line
    assert status.coverage.name == "ENTIRE_FILE"
    assert status.timestamp_validity is None
    assert sealed.startswith(report)
    assert office.sealer.holder == "CN=Seal"


def test_one_flipped_byte_breaks_the_seal(office, sealed, report):
    first, end, start, length = PdfFileReader(io.BytesIO(sealed)).embedded_signatures[0].byte_range
    assert (first, start + length) == (0, len(sealed))
    # In the report's own bytes, in what the seal appended before its hole, and behind it.
    for position in (len(report) // 3, len(report) + 5, end - 1, start + length - 5):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        assert not _holds(office, bytes(damaged)), position


def _holds(office, pdf):
    try:
        return office.validate(pdf).bottom_line
    except PdfError:
        return False


def test_an_undamaged_seal_holds_by_the_same_measure(office, sealed):
    assert _holds(office, sealed)


def test_a_seal_of_another_root_is_not_trusted(office, sealed):
    status = Seal(ec.generate_private_key(ec.SECP256R1())).validate(sealed)
    assert status.intact
    assert not status.trusted


def test_the_field_is_invisible_certifies_and_the_file_stays_pdf_a(sealed):
    with pikepdf.open(io.BytesIO(sealed)) as pdf:
        (field,) = pdf.Root.AcroForm.Fields
        assert field.T == FIELD
        assert [int(number) for number in field.Rect] == [0, 0, 0, 0]
        assert int(field.F) & 4  # printed, as PDF/A asks of every annotation
        assert field.V.SubFilter == "/ETSI.CAdES.detached"
        assert pdf.Root.Perms.DocMDP.Reference[0].TransformParams.P == 1
        with pdf.open_metadata() as metadata:
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "B")


def test_with_an_authority_the_seal_is_dated(office, report, tmp_path):
    with running_tsa(tmp_path) as url:
        stamper = Stamper(url, Outbound(allow_private=True))
        pdf = seal(report, office.sealer, stamper)
    _, _, root = pem.unarmor((tmp_path / "root.pem").read_bytes())
    status = office.validate(pdf, asn1.Certificate.load(root))
    assert status.bottom_line
    assert status.timestamp_validity.intact
    assert abs(status.timestamp_validity.timestamp - datetime.now(UTC)) < timedelta(minutes=5)


def test_an_authority_that_does_not_answer_leaves_no_seal(office, report):
    with pytest.raises(AnchorUnavailable, match="no time stamp for the seal"):
        seal(report, office.sealer, Stamper("http://127.0.0.1:9/", Outbound(allow_private=True)))


@contextmanager
def authority(answer):
    """A server that answers every request with what `answer` makes of it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield Stamper(f"http://127.0.0.1:{server.server_port}/", Outbound(allow_private=True))
        finally:
            server.shutdown()
            thread.join()


def nonce_of(request):
    return tsp.TimeStampReq.load(request)["nonce"].native


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda _: b"<html>", "is no time stamp"),
        (lambda _: b"", "is no time stamp"),
        (lambda _: MiniTsa().respond(b"", status="rejection", token=False), "is no time stamp"),
        (lambda _: MiniTsa().respond(b"", status="waiting"), "with 'waiting'"),
        (lambda _: MiniTsa().respond(b"", content_type="data"), "is no time stamp"),
        (lambda body: MiniTsa().respond(b"another", nonce=nonce_of(body)), "over something else"),
    ],
)
def test_an_answer_that_is_no_time_stamp_of_the_seal_is_refused(office, report, answer, message):
    with authority(answer) as stamper, pytest.raises(AnchorRejected, match=message):
        seal(report, office.sealer, stamper)


def test_what_is_no_pdf_is_not_sealed(office):
    with pytest.raises(FormatError, match="the report cannot be sealed"):
        seal(b"not a PDF", office.sealer)


def test_a_key_of_another_certificate_is_refused(office):
    with pytest.raises(SettingsError, match="not that of its certificate"):
        load_sealer(office.certificates, private_pem(ec.generate_private_key(ec.SECP256R1())))


def test_a_key_of_a_kind_that_pades_does_not_want_is_refused(office):
    with pytest.raises(SettingsError, match="neither RSA nor ECDSA"):
        load_sealer(office.certificates, private_pem(ed25519.Ed25519PrivateKey.generate()))


@pytest.mark.parametrize(
    "certificates", [b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_an_unreadable_certificate_is_refused(office, certificates):
    with pytest.raises(SettingsError, match="cannot be read"):
        load_sealer(certificates, office.key)


def test_an_unreadable_key_is_refused(office):
    with pytest.raises(SettingsError, match="cannot be read"):
        load_sealer(office.certificates, b"no key")


def test_an_encrypted_key_is_refused(office):
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    with pytest.raises(SettingsError, match="cannot be read"):
        load_sealer(office.certificates, key)


def test_a_stamp_for_another_request_is_refused(office, report, tmp_path):
    outbound = Outbound(allow_private=True)
    with running_tsa(tmp_path) as url:

        def replay(body):
            request = tsp.TimeStampReq.load(body)
            request["nonce"] = 1
            return outbound.post(url, request.dump(), "application/timestamp-query", 65536)

        with authority(replay) as stamper, pytest.raises(AnchorRejected, match="over something else"):
            seal(report, office.sealer, stamper)
