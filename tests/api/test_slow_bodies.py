"""Whoever sends slowly, or is anybody, takes nothing from those who submit."""

import json
from contextlib import ExitStack

import anyio
import pytest

from notary.services import bulk, submitting, verifying
from notary.services.submitting import OF_ONE, Submitting
from notary.services.types import Principal
from notary.services.verifying import IN_FLIGHT
from tests.api.requests import FORM, form
from tests.api.service import problem


async def send_half(app, path, headers, half):
    """The status and body of the answer to a request whose body stops half way."""
    sent, pieces = [], iter([half])

    async def receive():
        for piece in pieces:
            return {"type": "http.request", "body": piece, "more_body": True}
        await anyio.sleep(60)
        raise AssertionError("it is waited for for ever")

    async def send(message):
        sent.append(message)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b""}
    scope |= {"headers": raw, "http_version": "1.1", "scheme": "http", "root_path": "", "client": ("test", 1)}
    await app(scope, receive, send)
    return sent[0]["status"], json.loads(b"".join(each.get("body", b"") for each in sent[1:]))


@pytest.mark.parametrize(
    ("path", "media_type", "half"),
    [
        ("/v1/evidence/bulk", "application/x-ndjson", b'{"sha-256":'),
        ("/v1/evidence", FORM, form(("file", b"PK"), end=b"")),
        ("/v1/verify", FORM, form(("file", b"PK"), end=b"")),
        ("/v1/evidence", "application/json", b'{"digests":' + b" " * 5000),
    ],
)
def test_a_body_that_does_not_end_gives_its_place_back(service, monkeypatch, path, media_type, half):
    for limits in (bulk, verifying, submitting):
        monkeypatch.setattr(limits, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(Submitting, "body_seconds", 0.2)
    headers = {"Content-Type": media_type, **service.own}
    status, body = anyio.run(send_half, service.app, path, headers, half)
    assert (status, body["code"]) == (413, "too_large")
    assert "did not arrive within 0 seconds" in body["detail"]
    services = service.services
    taken = (services.bulk._flying, services.submitting._flying, services.submitting._bytes)
    assert [len(places) for places in taken] == [0, 0, 0]
    assert services.verifying._flying._value == IN_FLIGHT


def test_one_organisation_has_so_many_documents_under_way_and_the_others_go_on(service):
    tenant_id = service.services.tenants.authenticate(service.key, "submit").tenant_id
    with ExitStack() as places:
        for _ in range(OF_ONE):
            places.enter_context(service.services.submitting.place(Principal(tenant_id, frozenset())))
        said = problem(service.upload(), 429, "too_many_requests")
        assert f"{OF_ONE} documents of yours are under way; wait for one of them" in said
        assert service.upload(headers=service.other).status_code == 202
    assert service.upload().status_code == 202


def test_a_document_may_come_slowly_and_not_for_days(make_service):
    assert make_service().services.submitting.body_seconds > 2000  # 100 MiB, by default
    assert make_service(max_document_bytes=1000).services.submitting.body_seconds < 121


def test_so_many_files_are_verified_at_a_time_and_no_more_are_read(service):
    read = []

    def body():
        read.append(1)
        yield form(("file", b"PK"))

    def verify():
        return service.client.post("/v1/verify", content=body(), headers={"Content-Type": FORM})

    with ExitStack() as places:
        for _ in range(IN_FLIGHT):
            places.enter_context(service.services.verifying.place())
        assert f"{IN_FLIGHT} files are being verified" in problem(verify(), 503, "busy")
        assert read == []
        assert service.upload(b"no PDF").status_code == 202
    assert verify().status_code == 200


def test_files_of_strangers_leave_room_for_documents(make_service):
    service = make_service(spool_reserve_bytes=1000, max_document_bytes=500)
    verifying, submitting = service.services.verifying.spool, service.services.submitting.intake.spool
    assert (verifying.folder, verifying.reserve) == (submitting.folder, 3000)
    for spool in (verifying, submitting):
        object.__setattr__(spool, "free", lambda _: 2900)
    answer = service.client.post("/v1/verify", content=form(("file", b"PK")), headers={"Content-Type": FORM})
    assert "the disk for documents is nearly full" in problem(answer, 503, "busy")
    assert service.upload(b"no PDF").status_code == 202
