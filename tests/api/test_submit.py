"""POST /v1/evidence: what is accepted, and each way of being wrong."""

import json
import re
import threading
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from itertools import count

import pytest

from notary import wiring
from notary.api.schemas import Accepted
from notary.errors import FormatError
from notary.evidence import canonical
from notary.evidence.digests import Digester
from notary.evidence.note import Verifier
from notary.evidence.number import lookup_code, parse_number, show_number
from notary.evidence.receipt import check_receipt, open_receipt
from notary.evidence.statement import entry_of, parse_statement
from notary.intake.spool import Spool
from tests.api.service import DIGEST, DOCUMENT, ORIGIN, problem

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


# --- what is accepted


def test_digests_become_a_record_with_statement_and_receipt(service):
    answer = service.post({"digests": SHA256, "title": "租赁合同", "size": 27})
    assert answer.status_code == 202
    body = Accepted.model_validate(answer.json())
    statement = statement_of(answer.json())
    assert entry_of(body.statement.encode()).hex() == body.entry
    assert show_number(statement.number) == body.number
    assert (statement.type, statement.log, statement.body.seen) == ("document", ORIGIN, False)
    assert statement.body.digests == SHA256
    assert body.lookup_code == show_number(lookup_code(statement.salt))
    assert body.visibility == "by-code"
    verifier = Verifier.from_vkey(service.assembly.genesis.receipt_key)
    promise, file = open_receipt(body.receipt.encode(), ORIGIN, [verifier])
    check_receipt(promise, file, bytes.fromhex(body.entry))
    assert "租赁合同" not in answer.text  # committed to, never shown


def test_the_bytes_of_a_document_are_digested_here(service):
    answer = service.upload(request='{"title": "lease", "visibility": "public"}')
    assert answer.status_code == 202, answer.text
    body = statement_of(answer.json()).body
    assert body.seen
    assert body.digests == {"sha-256": DIGEST, "sm3": digest_of(DOCUMENT, "sm3")}
    assert (body.size, body.media_type) == (len(DOCUMENT), "text/plain")
    assert answer.json()["visibility"] == "public"
    assert service.spooled() == []  # no PDF, so nothing waits for inspection


def test_a_document_needs_no_request_part(service):
    assert statement_of(service.upload().json()).commitments.count == 0


def test_the_request_part_may_come_as_a_file_and_before_the_document(service):
    parts = [("request", ("r.json", b'{"title": "a"}', "application/json")), ("file", ("c", DOCUMENT))]
    answer = service.client.post("/v1/evidence", files=parts, headers=service.own)
    assert answer.status_code == 202, answer.text
    assert statement_of(answer.json()).commitments.count == 1


def test_a_document_larger_than_memory_allows_goes_through_the_disk(service, monkeypatch):
    data = bytes(range(256)) * 12_000  # 3 MB
    answer = service.upload(data)
    assert answer.status_code == 202, answer.text
    assert statement_of(answer.json()).body.digests["sha-256"] == sha256(data).hexdigest()


def test_a_document_in_chunks_without_a_length_is_read(service):
    body = form(("file", DOCUMENT))
    chunks = (body[start : start + 7] for start in range(0, len(body), 7))
    answer = raw(service, chunks, "multipart/form-data; boundary=BOUND")
    assert answer.status_code == 202, answer.text
    assert statement_of(answer.json()).body.digests["sha-256"] == DIGEST


def test_a_pdf_waits_for_inspection_and_its_report_follows(service):
    answer = service.upload(b"%PDF-1.7 nothing more", media_type="application/octet-stream")
    number = answer.json()["number"]
    assert statement_of(answer.json()).body.media_type == "application/pdf"
    assert len(service.spooled()) == 1
    assert service.get(f"/v1/evidence/{number}", service.own).json()["inspection"] == "waiting"
    service.inspect()
    state = service.get(f"/v1/evidence/{number}", service.own).json()
    assert state["inspection"] == "failed"
    assert state["visibility"] == "by-code"
    assert "inspection" in state["due"]  # until its statement is in the log, under an anchored head
    assert service.spooled() == []


def test_further_digests_are_compared_where_the_bytes_are_seen_and_else_claimed(service):
    more = {"sha-512": digest_of(DOCUMENT, "sha-512").upper()}
    seen = service.upload(request=json.dumps({"digests": SHA256 | more}))
    assert statement_of(seen.json()).body.claimed == {"sha-512": more["sha-512"].lower()}
    told = service.post({"digests": SHA256 | {"sm3": "ab" * 32}})
    assert statement_of(told.json()).body.claimed == {"sm3": "ab" * 32}


def test_an_event_has_no_document_and_may_follow_a_record(service):
    first = service.accepted()
    event = {"kind": "event", "phase": "sent", "actor": "甲方", "sequence": 3, "source": "client"}
    answer = service.post(event | {"previous": first["number"].lower()})
    assert answer.status_code == 202, answer.text
    statement = statement_of(answer.json())
    assert (statement.type, statement.body, statement.commitments.count) == ("event", None, 4)
    assert statement.previous.hex() == first["entry"]


def test_a_media_type_loses_its_parameters_and_capitals(service):
    answer = service.post({"digests": SHA256, "media_type": "Text/HTML; charset=utf-8"})
    assert statement_of(answer.json()).body.media_type == "text/html"


def test_every_field_is_committed_to_under_its_name(service):
    fields = {
        "matter": "M-1", "phase": "signed", "sequence": 0, "actor": "甲方", "holder": "乙方", "source": "server",
        "reference": "R-1", "title": "合同", "metadata": {"a": [1, None, {"b": True}], "合同编号": "A-1"},
    }  # fmt: skip
    answer = service.post({"digests": SHA256} | fields)
    assert answer.status_code == 202, answer.text
    assert statement_of(answer.json()).commitments.count == len(fields)
    shown = json.dumps(answer.json(), ensure_ascii=False)
    assert not [value for value in ("M-1", "甲方", "乙方", "R-1", "合同") if value in shown]


def test_metadata_may_be_nested_as_deep_as_a_commitment_allows(service):
    for depth in range(1, 12):
        value = 1
        for _ in range(depth):
            value = {"a": value}
        answer = service.upload(request=json.dumps({"metadata": value}))
        try:
            canonical.dumps(["salt", "metadata", value])
            canonical.dumps({"metadata": value})
        except FormatError:
            assert "nested deeper" in problem(answer, 400, "bad_request")
        else:
            assert answer.status_code == 202, answer.text
        assert service.spooled() == []


# --- what is refused

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
def test_a_request_that_is_wrong_is_a_problem_with_a_code_and_no_record(service, request_, code, detail):
    assert re.search(detail, problem(service.post(request_), 400, code))
    assert service.count() == 0


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
    ("very-deep-list", b"[" * 500_000, "deeper than 10"),
    ("very-deep-object", b'{"a":' * 100_000, "deeper than 10"),
    ("lone-surrogate", b'{"title":"\\ud800",' + D + b"}", "not valid Unicode"),
    ("trailing-bytes", b"{" + D + b"}{}", "not JSON"),
]


@pytest.mark.parametrize(("body", "detail"), [b[1:] for b in BODIES], ids=[b[0] for b in BODIES])
def test_a_body_that_is_not_usable_json_is_a_problem(service, body, detail):
    assert detail in problem(raw(service, body), 400, "bad_request")
    parts = form(("request", body), ("file", DOCUMENT))
    assert detail in problem(raw(service, parts, FORM), 400, "bad_request")
    assert (service.count(), service.spooled()) == (0, [])


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

FORM = "multipart/form-data; boundary=BOUND"


def form(*parts, end=b"--BOUND--\r\n"):
    body = b""
    for name, data in parts:
        body += b'--BOUND\r\nContent-Disposition: form-data; name="%s"; filename="f"\r\n\r\n' % name.encode()
        body += data + b"\r\n"
    return body + end


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
def test_a_form_that_is_wrong_is_a_problem(service, body, kind, detail):
    assert re.search(detail, problem(raw(service, body, kind), 400, "bad_request"))
    assert (service.count(), service.spooled()) == (0, [])


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
def test_an_upload_that_is_wrong_leaves_no_record_and_no_file(service, data, request_, status, code, detail):
    answer = service.upload(data, request=json.dumps(request_))
    assert detail in problem(answer, status, code)
    assert (service.count(), service.spooled()) == (0, [])


@pytest.mark.parametrize("media_type", ["x", "text/", "text/pl ain", "text/\u00fc"])
def test_a_media_type_of_no_known_form_is_refused(service, media_type):
    answer = service.upload(request=json.dumps({"media_type": media_type}))
    assert "media_type" in problem(answer, 400, "bad_request")
    assert (service.count(), service.spooled()) == (0, [])


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


# --- too much waits


def test_when_too_much_waits_new_ones_are_refused_and_leave_nothing(make_service):
    service = make_service(max_pending=1)
    service.services.submitting.writer.clock = count().__next__  # nothing that was read is fresh enough
    service.accepted()
    service.later()
    for answer in (service.post({"digests": SHA256}), service.upload(b"%PDF-1.7 a")):
        assert "wait for a checkpoint" in problem(answer, 503, "unavailable")
        assert answer.headers["Retry-After"] == "5"
    assert service.spooled() == []
    service.close()
    service.later()
    assert service.upload(b"%PDF-1.7 a").status_code == 202


@pytest.mark.parametrize(
    ("bounds", "status", "code"),
    [({"MAX_QUEUED": 0}, 503, "busy"), ({"SHARE": 0}, 429, "too_many_requests")],
)
def test_a_full_queue_is_a_problem_of_a_second_and_leaves_nothing(service, monkeypatch, bounds, status, code):
    for name, value in bounds.items():
        monkeypatch.setattr(f"notary.intake.writer.{name}", value)
    body = json.dumps([DIGEST]).encode()
    headers = {"Content-Type": "application/json", **service.own}
    for answer in (
        service.post({"digests": SHA256}),
        service.upload(b"%PDF-1.7 a"),
        service.client.post("/v1/evidence/bulk", content=body, headers=headers),
    ):
        problem(answer, status, code)
        assert answer.headers["Retry-After"] == "1"
    monkeypatch.undo()
    assert (service.count(), service.spooled()) == (0, [])


PDF = b"%PDF-1.7 a"


@pytest.mark.parametrize(
    ("limits", "status", "code", "detail"),
    [
        ({"max_inspections": 1}, 429, "too_many_requests", "1 documents of your organisation wait"),
        (
            {"max_document_bytes": 15, "max_spool_bytes": 15},
            503,
            "busy",
            "too many documents wait to be inspected",
        ),
    ],
)
def test_when_too_much_waits_for_inspection_no_further_pdf_is_taken_in(
    make_service, monkeypatch, limits, status, code, detail
):
    service = make_service(**limits)
    assert service.upload(PDF).status_code == 202
    before, received = service.spooled(), []
    monkeypatch.setattr(Spool, "receive", lambda *given, **_: received.append(given))
    for sent in (PDF, b"no PDF"):  # the second is said to be one, and would be inspected as well
        answer = service.upload(sent, media_type="application/pdf; version=1")
        assert detail in problem(answer, status, code)
        assert answer.headers["Retry-After"] == "1"
    assert (service.count(), service.spooled(), received) == (1, before, [])
    monkeypatch.undo()
    assert service.upload(b"no PDF").status_code == 202  # nothing of it stays in the spool
    assert service.accepted()
    service.close()
    service.inspect()
    service.later()
    assert service.upload(PDF).status_code == 202


def test_while_the_disk_is_nearly_full_no_document_is_read(make_service):
    service, read = make_service(spool_reserve_bytes=2**62), []

    def body():
        read.append(1)
        yield b"x"

    for path in ("/v1/evidence", "/v1/verify"):
        headers = {"Content-Type": "multipart/form-data; boundary=x", **service.own}
        answer = service.client.post(path, content=body(), headers=headers)
        assert "the disk for documents is nearly full" in problem(answer, 503, "busy")
        assert answer.headers["Retry-After"] == "1"
    assert (read, service.spooled()) == ([], [])
    assert service.accepted()  # digests need no room


@pytest.mark.parametrize(("length", "status"), [(None, 503), (100, 202)])
def test_a_document_counts_as_much_as_it_says_or_as_much_as_may_be(make_service, length, status):
    service = make_service(max_document_bytes=10_000, spool_reserve_bytes=0)
    service.services.submitting.room.free = lambda _: 15_000
    whole = form(("file", DOCUMENT))
    sent = whole if length else iter([whole])
    assert raw(service, sent, FORM).status_code == status


def test_a_number_that_is_taken_is_a_problem_to_be_tried_again(service):
    moment, intake = wiring.now(), service.services.submitting.intake
    object.__setattr__(intake, "now", lambda: moment)
    object.__setattr__(intake, "random", bytes)
    assert service.post({"digests": SHA256}).status_code == 202
    for answer in (service.post({"digests": SHA256}), service.upload(b"%PDF-1.7 a")):
        assert "drawn twice" in problem(answer, 503, "number_taken")
        assert answer.headers["Retry-After"] == "1"
    assert (service.count(), service.spooled()) == (1, [])


# --- on_duplicate=return

CHANGED = [
    {"digests": {"sha-256": "11" * 32}},
    {"digests": SHA256, "title": "b"},
    {"digests": SHA256},
    {"digests": SHA256, "title": "a", "visibility": "private"},
    {"digests": SHA256 | {"sm3": "22" * 32}, "title": "a"},
    {"kind": "event", "title": "a"},
]


def again(service, request, headers=None, **more):
    return service.post(request, headers=headers or {}, params={"on_duplicate": "return"}, **more)


def test_an_equal_request_is_answered_with_the_record_of_before_if_that_is_wished(service):
    request = {
        "digests": SHA256,
        "title": "a",
        "metadata": {"b": 1, "a": 2, "合同编号": 3, "𠮷": 4, "\ufb33": 5},
    }
    first = again(service, request)
    assert first.status_code == 202, first.text
    service.close()
    assert again(service, dict(reversed(request.items()))).content == first.content
    assert service.count() == 1
    assert service.post(request).json()["number"] != first.json()["number"]  # without the wish
    assert again(service, request).content == first.content
    assert again(service, request, service.other).json()["number"] != first.json()["number"]


@pytest.mark.parametrize("request_", CHANGED)
def test_only_a_request_that_is_equal_in_all_is_a_duplicate(service, request_):
    first = again(service, {"digests": SHA256, "title": "a"}).json()
    other = again(service, request_)
    assert other.status_code == 202, other.text
    assert other.json()["number"] != first["number"]
    assert service.count() == 2


def test_a_document_that_is_sent_twice_is_a_duplicate(service):
    wish = {"params": {"on_duplicate": "return"}}
    first = service.upload(b"%PDF-1.7 a", request='{"title":"a"}', **wish)
    assert service.upload(b"%PDF-1.7 a", request='{ "title" : "a" }', **wish).content == first.content
    assert (service.count(), len(service.spooled())) == (1, 1)
    for data, request in ((b"%PDF-1.7 b", '{"title":"a"}'), (b"%PDF-1.7 a", "{}")):
        assert service.upload(data, request=request, **wish).status_code == 202
    assert (service.count(), len(service.spooled())) == (3, 3)
    # Digests alone say something else: that the service saw no bytes.
    digests = {"digests": {"sha-256": sha256(b"%PDF-1.7 a").hexdigest()}, "title": "a"}
    assert again(service, digests).json()["number"] != first.json()["number"]


def test_the_wish_and_a_key_exclude_each_other(service):
    keyed = {"Idempotency-Key": "a"}
    assert "exclude each other" in problem(again(service, {"digests": SHA256}, keyed), 400, "bad_request")
    answer = service.upload(headers=keyed, params={"on_duplicate": "return"})
    assert "exclude each other" in problem(answer, 400, "bad_request")
    for wish in ("", "Return", "refuse"):
        answer = service.post({"digests": SHA256}, params={"on_duplicate": wish})
        assert "on_duplicate takes the value 'return'" in problem(answer, 400, "bad_request")
    assert (service.count(), service.spooled()) == (0, [])


def test_equal_requests_at_once_make_one_record(service):
    request = {"digests": SHA256, "title": "a"}
    with ThreadPoolExecutor(8) as pool:
        service.own, service.client  # noqa: B018 - made before the threads need it
        answers = list(pool.map(lambda _: again(service, request), range(24)))
        others = list(pool.map(lambda n: again(service, request | {"title": f"{n}"}), range(8)))
    assert {answer.status_code for answer in answers + others} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.json()["number"] for answer in others}) == 8
    assert service.count() == 9


# --- Idempotency-Key


def test_the_same_request_with_the_same_key_gets_the_same_answer(service):
    keyed = {"Idempotency-Key": "order 17"}
    request = {"digests": SHA256, "title": "a", "metadata": {"b": 1, "a": 2}}
    first = service.post(request, headers=keyed)
    assert first.status_code == 202
    service.close()
    again = service.post(dict(reversed(request.items())), headers=keyed)
    assert (again.status_code, again.content) == (202, first.content)
    assert service.count() == 1
    assert service.post(request).json()["number"] != first.json()["number"]


def test_the_same_document_with_the_same_key_gets_the_same_answer(service):
    keyed = {"Idempotency-Key": "a"}
    first = service.upload(b"%PDF-1.7 a", request='{"title":"a"}', headers=keyed)
    again = service.upload(b"%PDF-1.7 a", request='{ "title" : "a" }', headers=keyed)
    assert (again.status_code, again.content) == (202, first.content)
    assert (service.count(), len(service.spooled())) == (1, 1)


def test_another_request_with_the_same_key_is_refused_and_changes_nothing(service):
    keyed = {"Idempotency-Key": "a"}
    first = service.post({"digests": SHA256, "title": "a"}, headers=keyed)
    for request in CHANGED:
        answer = service.post(request, headers=keyed)
        assert "used for another request" in problem(answer, 409, "conflict")
    answer = service.upload(request='{"title":"a"}', headers=keyed)
    assert "used for another request" in problem(answer, 409, "conflict")
    assert (service.count(), service.spooled()) == (1, [])
    assert service.post({"digests": SHA256, "title": "a"}, headers=keyed).content == first.content


def test_a_document_under_the_key_of_another_leaves_no_file(service):
    keyed = {"Idempotency-Key": "a"}
    service.upload(b"%PDF-1.7 a", headers=keyed)
    assert problem(service.upload(b"%PDF-1.7 b", headers=keyed), 409, "conflict")
    assert len(service.spooled()) == 1


def test_two_organisations_may_use_the_same_key(service):
    keyed = {"Idempotency-Key": "a"}
    ours = service.post({"digests": SHA256}, headers=keyed).json()
    theirs = service.post({"digests": SHA256}, headers=keyed | service.other).json()
    assert ours["number"] != theirs["number"]


@pytest.mark.parametrize("key", ["", "x" * 201, "tab\tkey", "caf\u00e9"])
def test_a_key_that_is_no_key_is_refused(service, key):
    answer = service.post({"digests": SHA256}, headers={"Idempotency-Key": key.encode("latin-1")})
    assert "1 to 200 printable ASCII" in problem(answer, 400, "bad_request")


def test_requests_at_once_with_one_key_make_one_record(service):
    answers = []

    def send():
        answers.append(service.upload(b"%PDF-1.7 a", headers={"Idempotency-Key": "a"}))

    senders = [threading.Thread(target=send) for _ in range(8)]
    service.own, service.client  # noqa: B018 - made before the threads need it
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert (service.count(), len(service.spooled())) == (1, 1)
