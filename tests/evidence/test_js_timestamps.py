"""The JavaScript verifier names the same check as is right, for every case of the time-stamp suite."""

import json
import subprocess
from base64 import b64encode
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from notary.evidence.timestamp_status import Kind
from tests.evidence.tsa_cases import CASES

SCRIPT = Path(__file__).parents[1] / "verifier_js/judge_tokens.mjs"


def pem(der):
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode()


def text(data):
    return b64encode(data).decode()


def written(given):
    """What Node is given: bytes as base64, certificates as PEM, times as text."""
    files = enumerate(given.revocation, 1)
    return {
        "response": text(given.response),
        "data": text(given.data),
        "roots": [pem(root) for root in given.authority.roots],
        "intermediates": [pem(each) for each in given.authority.intermediates],
        "policies": list(given.authority.policies),
        "nonce": None if given.nonce is None else str(given.nonce),
        "sent": given.sent and given.sent.isoformat(),
        "received": given.received and given.received.isoformat(),
        "revocation": [
            {"name": f"{at}.{'crl' if each.kind is Kind.CRL else 'ocsp'}", "bytes": text(each.data)}
            for at, each in files
        ],
        "strict": given.strict,
        "others": [text(other) for other in given.others],
    }


def test_javascript_names_the_check_that_is_right_for_each_case(tmp_path):
    asked = tmp_path / "cases.json"
    asked.write_text(json.dumps([written(case.make()) for case in CASES]))
    run = subprocess.run(["node", SCRIPT, asked], capture_output=True, text=True, timeout=240, check=True)
    found = json.loads(run.stdout)
    named = dict(zip((case.name for case in CASES), found, strict=True))
    assert named == {case.name: case.check for case in CASES}
    assert set(named.values()) - {None} == set(range(1, 25)), "each check is named by a case"
