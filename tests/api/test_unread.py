"""What is not read of an answer is on the disk, and comes whole all the same."""

import time
import weakref
from contextlib import contextmanager
from hashlib import sha256

import numpy as np
import pytest

from notary.api import bodies, problems, unread
from notary.api.middleware import Around
from notary.api.unread import PIECE, Unread
from notary.intake.spool import Spool
from tests.api.running import connected, running

LONG = 24 << 20  # more than the system keeps for who does not read
BYTES = np.random.default_rng(1).integers(0, 256, LONG, np.uint8)
HEAD = b"HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def files(monkeypatch):
    """The files that were made."""
    made, file = [], bodies.file

    def watched(*arguments):
        made.append(file(*arguments))
        return made[-1]

    monkeypatch.setattr(bodies, "file", watched)
    return made


class Service:
    """Answers everything with `LONG` bytes, to the organisation that the path names."""

    def __init__(self, folder):
        self.alive, self.spool = [], Spool(folder)
        self.around = Around(self.answer, 1, problems.Broken(None), Unread(self.spool))

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            await self.around(scope, receive, send)

    async def answer(self, scope, receive, send):
        if scope["path"] != "/":
            scope["state"]["tenant_id"] = int(scope["path"][1:])
        body = BYTES.copy()
        weakref.finalize(body, self.alive.remove, len(self.alive))
        self.alive.append(len(self.alive))
        headers = [(b"content-length", b"%d" % LONG)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": memoryview(body)})


@pytest.fixture
def served(tmp_path):
    service = Service(tmp_path)
    with running(service) as (port, _):
        yield service, port


@contextmanager
def asked(port, path=b"/", method=b"GET"):
    """A connection that has asked, and reads nothing yet."""
    with connected(port) as connection:
        connection.sendall(b"%b %b %b" % (method, path, HEAD))
        yield connection


def read_head(connection):
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65536)
        assert piece, got
        got += piece
    return got


def read(connection):
    """The body of an answer, or what comes of it before the connection ends."""
    parts = [read_head(connection).partition(b"\r\n\r\n")[2]]
    size = len(parts[0])
    while size < LONG and (piece := connection.recv(1 << 20)):
        parts.append(piece)
        size += len(piece)
    return b"".join(parts)


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_answer_that_is_read_never_touches_the_disk(served, files):
    _, port = served
    with asked(port) as connection:
        assert read(connection) == BYTES.tobytes()
    assert files == []


def test_an_answer_that_is_not_read_is_not_kept_in_memory_and_comes_whole(served, files):
    service, port = served
    with asked(port) as one, asked(port, b"/1") as two:
        until(lambda: len(files) == 2 and service.alive == [])  # the server has them no more
        for connection in (one, two):
            assert sha256(read(connection)).digest() == sha256(BYTES.tobytes()).digest()
        one.sendall(b"GET / " + HEAD)
        assert read(one) == BYTES.tobytes()  # the connection goes on
    assert all(file.closed for file in files)


@pytest.mark.parametrize("reason", ["of one", "of all", "disk", "no disk"])
def test_what_is_not_read_and_has_no_room_on_the_disk_is_broken_off(
    served, files, monkeypatch, caplog, reason
):
    service, port = served
    if reason == "disk":
        monkeypatch.setattr(Spool, "require", refuse)
    elif reason == "no disk":
        object.__setattr__(service.spool, "folder", service.spool.folder / "not there")
    else:
        place = service.around.unread._flying
        monkeypatch.setattr(place, "of_one" if reason == "of one" else "most", LONG + 1)
    with asked(port, b"/1") as one:
        with asked(port, b"/1") as two, asked(port, b"/2") as three:
            time.sleep(2 * unread.PROMPT_SECONDS + 0.5)
            lengths = sorted(len(read(connection)) for connection in (one, two, three))
        whole = {"of one": 2, "of all": 1, "disk": 0, "no disk": 0}[reason]
        assert lengths.count(LONG) == whole
        assert all(length < LONG for length in lengths[: 3 - whole])
    assert "Exception in ASGI application" not in caplog.text  # nothing of ours is wrong
    with asked(port) as connection:  # whoever reads is not concerned
        assert read(connection) == BYTES.tobytes()


def refuse(*_):
    raise problems.errors.Busy("of a test")


def test_who_goes_leaves_nothing(served, files):
    service, port = served
    with asked(port):
        until(lambda: len(files) == 1)
    until(lambda: files[0].closed and len(service.around.unread._flying) == 0)


def test_head_has_no_body(served, files):
    _, port = served
    with asked(port, method=b"HEAD") as connection:
        assert read_head(connection).endswith(b"\r\n\r\n")
        connection.sendall(b"GET / " + HEAD)
        assert read(connection) == BYTES.tobytes()


def test_a_long_answer_of_the_service_is_counted_for_who_asked(service, monkeypatch):
    seen, send = [], Unread.send

    async def watched(self, sending, body, whose):
        seen.append((len(body), whose))
        await send(self, sending, body, whose)

    monkeypatch.setattr(Unread, "send", watched)
    monkeypatch.setattr("notary.api.middleware.PIECE", 100)
    tenant_id = service.services.tenants.authenticate(service.key, "submit").tenant_id
    answer = service.upload()
    assert seen == [(len(answer.content), tenant_id)]
    assert service.get("/verify").status_code == 200
    assert seen[-1][1] is None
    assert len(answer.content) < PIECE
