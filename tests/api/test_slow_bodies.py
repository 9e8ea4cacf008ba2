"""Whoever sends slowly, or is anybody, takes nothing from those who submit."""

import errno
import json
from contextlib import ExitStack, asynccontextmanager
from tempfile import SpooledTemporaryFile

import anyio
import httpx
import pytest

from notary.api import bodies
from notary.errors import Unavailable
from notary.services import bulk, submitting, verifying
from notary.services.submitting import OF_ONE, Submitting
from notary.services.types import Principal
from notary.services.verifying import IN_FLIGHT
from tests.api.requests import FORM, form
from tests.api.service import DIGEST, problem
from tests.api.test_bulk import GOOD, lines


def scope_of(path, headers):
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b""}
    scope |= {"headers": raw, "http_version": "1.1", "scheme": "http", "root_path": "", "client": ("test", 1)}
    return scope


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

    await app(scope_of(path, headers), receive, send)
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


async def until(condition):
    for _ in range(3000):
        if condition():
            return
        await anyio.sleep(0.01)
    raise AssertionError("it does not come about within thirty seconds")


@asynccontextmanager
async def halves(app, path, media_type, half, own, count):
    """So many requests of each of these organisations, whose bodies stop half way and stay so until the block ends."""
    waiting = []

    async def one(headers):
        pieces, sent = iter([half]), []

        async def receive():
            if (piece := next(pieces, None)) is None:
                waiting.append(headers)
                await anyio.sleep_forever()
            return {"type": "http.request", "body": piece, "more_body": True}

        async def send(message):
            sent.append(message)

        await app(scope_of(path, headers), receive, send)
        refused.append(sent[0]["status"])

    refused = []
    async with anyio.create_task_group() as tasks:
        for headers in own:
            for _ in range(count):
                tasks.start_soon(one, {"Content-Type": media_type, **headers})
        await until(lambda: len(waiting) + len(refused) == count * len(own))
        yield len(waiting), refused
        tasks.cancel_scope.cancel()


LINES = lines(*[GOOD] * 2000)
LARGE = json.dumps({"digests": {"sha-256": DIGEST}, "metadata": {"a": "x" * 60_000}}).encode()


@pytest.mark.parametrize(
    ("path", "media_type", "half", "whole", "count"),
    [
        ("/v1/evidence/bulk", "application/x-ndjson", LINES, LINES, bulk.OF_ONE),
        ("/v1/evidence", "application/json", b" " * (2**20 - 9), LARGE, 40),
        ("/v1/evidence", FORM, form(("request", b" " * 2**19), end=b""), form(("file", b"PK")), OF_ONE),
    ],
    ids=["bulk", "large", "document"],
)
def test_slow_bodies_of_two_keep_no_third_out_and_are_on_the_disk(
    service, monkeypatch, path, media_type, half, whole, count
):
    """They held all places for bulk requests, or the bytes of all large requests, and a megabyte each in memory."""
    third = {"Authorization": f"Bearer {service.services.tenants.add('Third')}"}
    files = []

    class Watched(SpooledTemporaryFile):
        def __init__(self, **more):
            super().__init__(**more)
            files.append(self)

    monkeypatch.setattr(bodies, "SpooledTemporaryFile", Watched)

    own = service.own, service.other

    async def run():
        transport = httpx.ASGITransport(service.app)
        async with (
            halves(service.app, path, media_type, half, own, count) as (held, refused),
            httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client,
        ):
            in_memory = [file for file in files if not file._rolled]
            answer = await client.post(path, content=whole, headers={"Content-Type": media_type, **third})
            return held, refused, len(in_memory), answer

    held, refused, in_memory, answer = anyio.run(run)
    assert (held, refused) == (2 * count, [])
    assert len(files) >= 2 * count
    assert in_memory <= bodies.ROOMS
    assert answer.status_code == 202
    assert service.app.state.rooms == bodies.Rooms()  # all were given back


def test_rooms_are_few_and_one_organisation_has_not_all_of_them():
    rooms = bodies.Rooms()
    with ExitStack() as held:
        ours = [held.enter_context(rooms.room(1)) for _ in range(bodies.ROOMS_OF_ONE + 1)]
        others = [held.enter_context(rooms.room(2 + at)) for at in range(bodies.ROOMS)]
    assert ours == [bodies.ROOM] * bodies.ROOMS_OF_ONE + [bodies.WITHOUT]
    assert others.count(bodies.ROOM) == bodies.ROOMS - bodies.ROOMS_OF_ONE
    with rooms.room(1) as most:
        assert most == bodies.ROOM


@pytest.mark.parametrize("rooms", [0, 1])
def test_a_body_without_a_room_is_a_body_like_any_other(service, monkeypatch, rooms):
    monkeypatch.setattr(bodies, "ROOMS", rooms)
    key = {"Idempotency-Key": "once"}
    for path, media_type, body in (
        ("/v1/evidence/bulk", "application/x-ndjson", LINES),
        ("/v1/evidence", "application/json", LARGE),
        ("/v1/evidence", FORM, form(("file", b"PK" * 50_000), ("request", b"{}" + b" " * 50_000))),
    ):
        headers = {"Content-Type": media_type, **service.own, **key}
        key = {"Idempotency-Key": path + media_type}
        pieces = [body[at : at + 7000] for at in range(0, len(body), 7000)]
        answers = [service.client.post(path, content=sent, headers=headers) for sent in (body, iter(pieces))]
        assert {answer.status_code for answer in answers} == {202}
        assert answers[0].content == answers[1].content


def test_a_body_that_finds_no_room_on_the_disk_is_refused(make_service, monkeypatch):
    service = make_service(spool_reserve_bytes=1000)
    headers = {"Content-Type": "application/json", **service.own}
    spool = service.services.submitting.intake.spool
    object.__setattr__(spool, "free", lambda _: 2000)
    for rooms, status in ((1, 202), (0, 503)):
        monkeypatch.setattr(bodies, "ROOMS", rooms)
        answer = service.client.post("/v1/evidence", content=LARGE, headers=headers)
        assert answer.status_code == status
    said = problem(answer, 503, "busy")
    assert said == "the disk for documents is nearly full; send less at a time, or try again later"
    object.__setattr__(spool, "free", lambda _: 2**30)
    object.__setattr__(spool, "folder", spool.folder / "not there")
    said = problem(service.client.post("/v1/evidence", content=LARGE, headers=headers), 503, "unavailable")
    assert said == "the request cannot be kept on the disk now: No such file or directory"


def test_what_the_disk_does_not_give_back_is_no_submission():
    class Failing(SpooledTemporaryFile):
        def read(self, *_):
            raise OSError(errno.EIO, "of a test")

    with Failing() as file:
        body = bodies.Body()
        body.open(file)
        with pytest.raises(Unavailable, match=r"cannot be kept on the disk now: of a test"):
            body.take()


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
