"""Submitting: what is refused, as JSON and as a form, leaves nothing behind."""

import json
import re
from base64 import b64encode

import pytest

from notary.evidence.number import parse_number
from tests.api.requests import EMPTY, FORM, SHA256, form, raw
from tests.api.service import DIGEST, DOCUMENT, problem

TEXT = "a string of 1 to 300"
JSON_PROBLEMS = [
    ("no-digest", {}, "bad_request", "send the sha-256 of the document, or the document itself"),
    ("only-sm3", {"digests": {"sm3": "00" * 32}}, "bad_request", "send the sha-256"),
    ("short-digest", {"digests": {"sha-256": DIGEST[:-1]}}, "bad_digest", "64"),
    ("long-digest", {"digests": {"sha-256": DIGEST + "00"}}, "bad_digest", "64"),
    ("not-hexadecimal", {"digests": {"sha-256": "g" * 64}}, "bad_digest", "hexadecimal"),
    ("full-width-digits", {"digests": {"sha-256": "\uff11" * 64}}, "bad_digest", "hexadecimal"),
    ("base64-digest", {"digests": {"sha-256": b64encode(bytes(32)).decode()}}, "bad_digest", "64"),
    ("wrong-length-of-another", {"digests": SHA256 | {"sha-512": DIGEST}}, "bad_digest", "128"),
    ("unknown-algorithm", {"digests": SHA256 | {"md5": "00" * 16}}, "unknown_algorithm", "sha-256"),
    ("empty-document", {"digests": {"sha-256": EMPTY}}, "empty_document", "no bytes"),
    ("empty-document-in-capitals", {"digests": {"sha-256": EMPTY.upper()}}, "empty_document", "no bytes"),
    ("size-0", {"digests": SHA256, "size": 0}, "bad_request", "^size: "),
    ("size-as-text", {"digests": SHA256, "size": "27"}, "bad_request", "^size: .*integer"),
    ("size-as-truth", {"digests": SHA256, "size": True}, "bad_request", "^size: .*integer"),
    ("size-too-large", {"digests": SHA256, "size": 2**50 + 1}, "bad_request", "^size: "),
    ("unknown-field", {"digests": SHA256, "color": "red"}, "bad_request", "^color: .*not permitted"),
    ("tenant-of-the-caller's-choice", {"digests": SHA256, "tenant_id": 1}, "bad_request", "^tenant_id: "),
    ("unknown-kind", {"kind": "genesis"}, "bad_request", "^kind: "),
    ("unknown-visibility", {"digests": SHA256, "visibility": "all"}, "bad_request", "^visibility: "),
    ("empty-title", {"digests": SHA256, "title": ""}, "bad_request", "^title: "),
    ("long-title", {"digests": SHA256, "title": "x" * 301}, "bad_request", "^title: "),
    ("negative-sequence", {"digests": SHA256, "sequence": -1}, "bad_request", "^sequence: "),
    ("media-type", {"digests": SHA256, "media_type": "pdf"}, "bad_request", "media"),
    ("metadata-list", {"digests": SHA256, "metadata": [1]}, "bad_request", "^metadata: "),
    ("metadata-key", {"digests": SHA256, "metadata": {"钥" * 65: 1}}, "bad_request", "a key of 1 to 64 characters"),
    ("metadata-no-key", {"digests": SHA256, "metadata": {"a": [{"": 1}]}}, "bad_request", "a key of 1 to 64 char"),
    ("metadata-too-large", {"digests": SHA256, "metadata": {"a": "x" * 200_000}}, "bad_request", "larger than"),
    ("mistyped-previous", {"digests": SHA256, "previous": "AAAA-AAAA-AAAA-AAAB"}, "bad_record_number", "mistyped"),
    ("no-previous", {"digests": SHA256, "previous": "x"}, "bad_record_number", "has 16 characters"),
    ("event-with-digest", {"kind": "event", "digests": SHA256}, "bad_request", "an event has no document"),
    ("event-with-size", {"kind": "event", "size": 5}, "bad_request", "an event has no document"),
    ("event-by-document", {"kind": "event", "visibility": "by-document"}, "bad_request", "no document to present"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "code", "detail"), [c[1:] for c in JSON_PROBLEMS], ids=[c[0] for c in JSON_PROBLEMS]
)
def test_a_request_that_is_wrong_is_a_problem_with_a_code_and_no_record(
    shared_service, request_, code, detail
):
    assert re.search(detail, problem(shared_service.post(request_), 400, code))
    assert shared_service.count() == 0


D = b'"digests":{"sha-256":"' + DIGEST.encode() + b'"}'
BODIES = [
    ("empty", b"", "not JSON"),
    ("not-json", b"digest=1", "not JSON"),
    ("not-utf-8", b'{"title":"\xff",' + D + b"}", "not JSON"),
    ("list", b"[]", "dictionary"),
    ("null", b"null", "dictionary"),
    ("duplicate-key", b'{"title":"a","title":"b",' + D + b"}", "same key twice"),
    ("duplicate-digest", b'{"digests":{"sha-256":"00","sha-256":"11"}}', "same key twice"),
    ("float", b'{"metadata":{"a":1.0},' + D + b"}", "not an integer"),
    ("exponent", b'{"metadata":{"a":1e2},' + D + b"}", "not an integer"),
    ("NaN", b'{"metadata":{"a":NaN},' + D + b"}", "not an integer"),
    ("huge-integer", b'{"metadata":{"a":' + b"9" * 5000 + b"}," + D + b"}", "beyond"),
    ("deep-list", b'{"metadata":{"a":' + b"[" * 11 + b"]" * 11 + b"}," + D + b"}", "deeper than 10"),
    ("very-deep-list", b"[" * 9_000, "deeper than 10"),
    ("very-deep-object", b'{"a":' * 9_000, "deeper than 10"),
    ("endless-list", b"[" * 500_000, "more than 10,000 values"),
    ("endless-object", b'{"a":' * 100_000, "more than 10,000 values"),
    ("endless-string", b'["' + b'\\"' * 300_000, "not JSON"),
    ("lone-surrogate", b'{"title":"\\ud800",' + D + b"}", "not valid Unicode"),
    ("trailing-bytes", b"{" + D + b"}{}", "not JSON"),
]


@pytest.mark.parametrize(("body", "detail"), [b[1:] for b in BODIES], ids=[b[0] for b in BODIES])
def test_a_body_that_is_not_usable_json_is_a_problem(shared_service, body, detail):
    assert detail in problem(raw(shared_service, body), 400, "bad_request")
    parts = form(("request", body), ("file", DOCUMENT))
    assert detail in problem(raw(shared_service, parts, FORM), 400, "bad_request")
    assert (shared_service.count(), shared_service.spooled()) == (0, [])


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"]
)
def test_another_content_type_is_refused(service, content_type):
    body = json.dumps({"digests": SHA256}).encode()
    assert "application/json" in problem(raw(service, body, content_type), 400, "bad_request")
    assert raw(service, body, "Application/JSON; charset=utf-8").status_code == 202


def test_a_body_over_the_limit_is_refused(make_service):
    service = make_service(max_request_bytes=2000)
    body = json.dumps({"digests": SHA256, "metadata": {"a": "x" * 2000}}).encode()
    assert "larger than 2000 bytes" in problem(raw(service, body), 413, "too_large")
    chunks = (body[start : start + 100] for start in range(0, len(body), 100))
    assert "larger than 2000 bytes" in problem(raw(service, chunks), 413, "too_large")
    parts = form(("file", DOCUMENT), ("request", body))
    assert "'request' is larger than 2000 bytes" in problem(raw(service, parts, FORM), 413, "too_large")
    assert (service.count(), service.spooled()) == (0, [])


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_over_the_limit_leaves_nothing_behind(make_service, chunked):
    service = make_service(max_document_bytes=50_000, max_request_bytes=1024, max_bulk_bytes=2**20)
    data = bytes(50_001)
    for body, detail in (
        (data, "the document is larger than 50000"),
        (data * 30, "the request is larger than 116560"),
    ):
        whole = form(("file", body))
        sent = (whole[start : start + 9999] for start in range(0, len(whole), 9999)) if chunked else whole
        assert detail in problem(raw(service, sent, FORM), 413, "too_large")
    assert (service.count(), service.spooled()) == (0, [])
    assert service.upload(data[:-1]).status_code == 202


def test_a_length_that_is_over_the_limit_is_refused_before_a_byte_is_read(service):
    read = []

    def body():
        read.append(1)
        yield b"x"

    answer = raw(service, body(), FORM, **{"Content-Length": str(10**12)})
    assert "larger than" in problem(answer, 413, "too_large")
    assert read == []


# --- forms

FORMS = [
    ("two-files", form(("file", b"a"), ("file", b"b")), FORM, "'file' comes twice"),
    ("two-requests", form(("request", b"{}"), ("request", b"{}"), ("file", b"b")), FORM, "'request' comes twice"),
    ("no-file", form(("request", b"{}")), FORM, "'file' with the document is missing"),
    ("no-part", form(), FORM, "is missing"),
    ("another-part", form(("document", b"a")), FORM, "'document'; expected is 'file' and 'request'"),
    ("a-part-too-many", form(("file", b"a"), ("title", b"b")), FORM, "'title'; expected is"),
    ("no-boundary", form(("file", b"a")), "multipart/form-data", "names no boundary"),
    ("another-boundary", form(("file", b"a")), "multipart/form-data; boundary=X", "not multipart/form-data"),
    ("long-boundary", b"", "multipart/form-data; boundary=" + "x" * 300, "boundary .* too long"),
    ("cut-off", form(("file", b"a"), end=b""), FORM, "ends before its last boundary"),
    ("cut-off-in-a-boundary", form(("file", b"a"), end=b"--BOUND-"), FORM, "ends before its last boundary"),
    ("nothing", b"", FORM, "ends before its last boundary"),
    ("no-name", b"--BOUND\r\nContent-Type: a/b\r\n\r\nx\r\n--BOUND--\r\n", FORM, "a part is named ''"),
    ("endless-header", b"--BOUND\r\nX: " + b"x" * 100_000, FORM, "not multipart/form-data"),
    ("many-headers", b"--BOUND\r\n" + b"X: y\r\n" * 1000, FORM, "not multipart/form-data"),
    ("slow-codec", form(("request", b"abcd-" + b"9zzz" * 60_000), ("file", b"a")),
     f"{FORM}; charset=punycode", "not JSON"),
    ("escapes", form(("request", b'{"title":"\\ud800"}'), ("file", b"a")), f"{FORM}; charset=unicode_escape",
     "not valid Unicode"),
]  # fmt: skip


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("body", "kind", "detail"), [f[1:] for f in FORMS], ids=[f[0] for f in FORMS])
def test_a_form_that_is_wrong_is_a_problem(shared_service, body, kind, detail):
    assert re.search(detail, problem(raw(shared_service, body, kind), 400, "bad_request"))
    assert (shared_service.count(), shared_service.spooled()) == (0, [])


def test_an_empty_document_is_refused(service):
    assert "send at least one byte" in problem(service.upload(b""), 400, "empty_document")
    assert (service.count(), service.spooled()) == (0, [])


UPLOADS = [
    ("another-digest", {"digests": {"sha-256": "00" * 32}}, 422, "digest_mismatch", "was changed on its way"),
    ("another-sm3", {"digests": {"sm3": "00" * 32}}, 422, "digest_mismatch", "the sm3 of the bytes"),
    ("bad-digest", {"digests": {"sha-256": "00"}}, 400, "bad_digest", "64"),
    ("unknown-algorithm", {"digests": {"crc": "00"}}, 400, "unknown_algorithm", "sha-256"),
    ("another-size", {"size": 5}, 400, "bad_request", f"has {len(DOCUMENT)} bytes, not the 5"),
    ("event", {"kind": "event"}, 400, "bad_request", "an event has no document; send it as JSON"),
    ("mistyped-previous", {"previous": "AAAA-AAAA-AAAA-AAAB"}, 400, "bad_record_number", "mistyped"),
    ("unknown-previous", {"previous": "2222-2222-2222-2222"}, 404, "not_found", "there is no record"),
    ("metadata-too-large", {"metadata": {"a": "x" * 200_000}}, 400, "bad_request", "larger than"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "status", "code", "detail"), [u[1:] for u in UPLOADS], ids=[u[0] for u in UPLOADS]
)
@pytest.mark.parametrize("data", [DOCUMENT, b"%PDF-" + DOCUMENT[5:]], ids=["text", "pdf"])
def test_an_upload_that_is_wrong_leaves_no_record_and_no_file(
    shared_service, data, request_, status, code, detail
):
    answer = shared_service.upload(data, request=json.dumps(request_))
    assert detail in problem(answer, status, code)
    assert (shared_service.count(), shared_service.spooled()) == (0, [])


@pytest.mark.parametrize("media_type", ["x", "text/", "text/pl ain", "text/\u00fc"])
def test_a_media_type_of_no_known_form_is_refused(shared_service, media_type):
    answer = shared_service.upload(request=json.dumps({"media_type": media_type}))
    assert "media_type" in problem(answer, 400, "bad_request")
    assert (shared_service.count(), shared_service.spooled()) == (0, [])


def test_the_previous_record_of_another_organisation_is_as_if_it_were_not(service):
    theirs = service.post({"digests": SHA256, "visibility": "public"}, headers=service.other).json()["number"]
    unknown = service.post({"digests": SHA256, "previous": "2222-2222-2222-2222"})
    answer = service.post({"digests": SHA256, "previous": theirs})
    assert problem(answer, 404, "not_found") == problem(unknown, 404, "not_found").replace(
        "2222222222222222", parse_number(theirs)
    )


def test_a_disk_that_takes_nothing_is_a_problem_to_be_tried_again(service, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("notary.api.forms._Reader.part_data", full)
    answer = service.upload()
    assert "No space left" in problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "5"
