"""Submitting: what is accepted."""

import json
from hashlib import sha256

from notary.api.schemas import Accepted
from notary.errors import FormatError
from notary.evidence import canonical
from notary.evidence.note import Verifier
from notary.evidence.number import lookup_code, show_number
from notary.evidence.receipt import check_receipt, open_receipt
from notary.evidence.statement import entry_of
from tests.api.requests import SHA256, digest_of, form, raw, statement_of
from tests.api.service import DIGEST, DOCUMENT, ORIGIN, problem


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
