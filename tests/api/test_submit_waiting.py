"""Submitting while too much waits, or the disk is full."""

import json
from itertools import count

import pytest
from sqlalchemy import text

from notary import wiring
from notary.intake.spool import Spool
from tests.api.requests import FORM, SHA256, form, raw
from tests.api.service import DIGEST, problem


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


def test_organisations_are_inspected_in_turn(service):
    for headers in (service.own, service.own, service.other):
        assert service.upload(PDF, headers=headers).status_code == 202
    for _ in range(3):  # a turn ends after some seconds, which three readings may take on a busy machine
        service.inspect()
    with service.assembly.database.reading() as connection:
        found = text("SELECT tenant_id FROM record WHERE type = 'inspection' ORDER BY seq")
        first, second, third = connection.execute(found).scalars()
    assert first == third != second


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


def test_a_document_is_taken_in_while_the_disk_has_room_for_it(service):
    free, spool = [10_000], service.services.submitting.intake.spool
    object.__setattr__(spool, "reserve", 4_000)
    object.__setattr__(spool, "free", lambda _: free[0])
    whole = form(("file", bytes(2500)))
    assert raw(service, whole, FORM).status_code == 202
    for sent in (form(("file", bytes(3000))), filling(free, whole)):  # by its length; while it comes
        assert "nearly full" in problem(raw(service, sent, FORM), 503, "busy")
    free[0], strangers = 10_000, service.services.verifying.spool
    object.__setattr__(strangers, "reserve", 4_000)
    object.__setattr__(strangers, "free", lambda _: free[0])
    answer = service.client.post("/v1/verify", content=filling(free, whole), headers={"Content-Type": FORM})
    assert "nearly full" in problem(answer, 503, "busy")  # before it is written, not only where it would stay
    assert service.spooled() == []


def filling(free, whole):
    yield whole[:1000]
    free[0] = 3_999
    yield whole[1000:]


def test_a_number_that_is_taken_is_a_problem_to_be_tried_again(service):
    moment, intake = wiring.now(), service.services.submitting.intake
    object.__setattr__(intake, "now", lambda: moment)
    object.__setattr__(intake, "random", bytes)
    assert service.post({"digests": SHA256}).status_code == 202
    for answer in (service.post({"digests": SHA256}), service.upload(b"%PDF-1.7 a")):
        assert "drawn twice" in problem(answer, 503, "number_taken")
        assert answer.headers["Retry-After"] == "1"
    assert (service.count(), service.spooled()) == (1, [])
