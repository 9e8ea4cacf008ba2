"""The example contract: a PDF that others can check, with keys kept for the next time."""

import asyncio
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path

import pypdfium2
from asn1crypto import tsp, x509
from cryptography import x509 as certificates
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

import notary
from notary.embedded.contract import PARTIES, make_contract, unsigned_contract

SCRIPT = Path(notary.__file__).parent.parent / "scripts" / "make_contract.py"


def test_the_text_is_the_same_every_time():
    assert unsigned_contract() == unsigned_contract()


def test_every_page_says_that_it_is_an_example():
    pages = pypdfium2.PdfDocument(unsigned_contract())
    text = [page.get_textpage().get_text_bounded() for page in pages]
    assert 1 <= len(text) <= 2
    assert all("示例文件" in page and "EXAMPLE ONLY" in page for page in text)
    assert "甲方示例有限公司" in text[0]
    assert "Party B (Buyer)" in text[0]


def test_both_signatures_hold_by_the_root_that_is_returned(tmp_path):
    root = make_contract(tmp_path / "c.pdf", tmp_path / "keys")
    with (tmp_path / "c.pdf").open("rb") as file:
        signatures = PdfFileReader(file).embedded_signatures
        assert [signature.field_name for signature in signatures] == ["party-a", "party-b"]
        for signature in signatures:
            context = ValidationContext(trust_roots=[x509.Certificate.load(root)])
            status = asyncio.run(async_validate_pdf_signature(signature, context))
            assert status.bottom_line
            assert status.signing_cert.key_usage_value.native == {"digital_signature", "non_repudiation"}


def test_the_unsigned_bytes_are_the_beginning_of_the_signed_file(tmp_path):
    make_contract(tmp_path / "c.pdf", tmp_path / "keys")
    assert (tmp_path / "c.pdf").read_bytes().startswith(unsigned_contract())


def test_keys_are_kept_private_and_used_again(tmp_path):
    keys = tmp_path / "keys"
    root = make_contract(tmp_path / "one.pdf", keys)
    assert make_contract(tmp_path / "two.pdf", keys) == root == (keys / "root.der").read_bytes()
    assert {path.stat().st_mode & 0o777 for path in keys.glob("*.key.pem")} == {0o600}
    assert keys.stat().st_mode & 0o777 == 0o700
    subjects = [
        certificates.load_der_x509_certificate((keys / f"{p.field}.der").read_bytes()) for p in PARTIES
    ]
    assert [subject.subject.rfc4514_string() for subject in subjects] == [
        "CN=张三,O=甲方示例有限公司,C=CN",
        "CN=李四,O=乙方示例有限公司,C=CN",
    ]


def test_an_authority_that_is_named_is_asked_for_a_stamp(tmp_path):
    """It refuses here, and then no half-stamped contract is written."""
    asked = []

    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.rfile.read(int(self.headers["Content-Length"])))
            body = tsp.TimeStampResp({"status": {"status": "rejection"}}).dump()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            pass

    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        code = (
            f"import sys; sys.argv = ['x', {str(tmp_path / 'c.pdf')!r}, {str(tmp_path / 'k')!r}, {url!r}]; "
        )
        code += f"import runpy; sys.path.insert(0, {str(SCRIPT.parent.parent)!r}); "
        code += f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        server.shutdown()
    assert done.returncode == 1
    assert "TimestampRequestError" in done.stderr
    request = tsp.TimeStampReq.load(asked[0])
    assert request["message_imprint"]["hash_algorithm"]["algorithm"].native == "sha256"
    assert not (tmp_path / "c.pdf").exists()


def test_the_script_says_how_it_is_used(tmp_path):
    environment = {"PYTHONPATH": str(SCRIPT.parent.parent)}
    done = subprocess.run(
        [sys.executable, SCRIPT], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.returncode, done.stdout.split(":")[0]) == (2, "Write a signed example contract")
    command = [sys.executable, SCRIPT, tmp_path / "c.pdf", tmp_path / "keys"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert "signed by two parties" in done.stdout
    assert len(PdfFileReader(BytesIO((tmp_path / "c.pdf").read_bytes())).embedded_signatures) == 2
