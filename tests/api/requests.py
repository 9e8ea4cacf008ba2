"""Requests and answers that several tests of submitting have."""

from hashlib import sha256

from notary.evidence.digests import Digester
from notary.evidence.statement import parse_statement
from tests.api.service import DIGEST

FORM = "multipart/form-data; boundary=BOUND"
EMPTY = sha256(b"").hexdigest()
SHA256 = {"sha-256": DIGEST}


def digest_of(data, algorithm):
    digester = Digester([algorithm])
    digester.update(data)
    return digester.hex()[algorithm]


def statement_of(answer):
    return parse_statement(answer["statement"].encode())


def raw(service, body, content_type="application/json", **headers):
    headers = {"Content-Type": content_type, **service.own, **headers}
    return service.client.post("/v1/evidence", content=body, headers=headers)


def form(*parts, end=b"--BOUND--\r\n"):
    body = b""
    for name, data in parts:
        body += b'--BOUND\r\nContent-Disposition: form-data; name="%s"; filename="f"\r\n\r\n' % name.encode()
        body += data + b"\r\n"
    return body + end
