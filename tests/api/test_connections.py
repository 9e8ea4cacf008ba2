"""A connection is bounded in what it says before its request, and in how long it is silent."""

import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest
import uvicorn

from notary.api import connections
from notary.api.connections import MAX_HEAD, BoundedProtocol

GOOD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
    )
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", http=BoundedProtocol))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def connected(port):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        yield connection


def rest(connection):
    """All that comes until the other side closes; nothing where it cuts the connection."""
    found = b""
    with suppress(ConnectionError):
        while data := connection.recv(65536):
            found += data
    return found


def answer(connection):
    found = b""
    while b"\r\n\r\n" not in found or not found.endswith(b"hello"):
        found += connection.recv(65536)
    return found


@pytest.mark.parametrize("head", [b"X-Long: " + b"a" * 2**20, b"X: y\r\n" * 2**17], ids=["one", "many"])
def test_a_head_without_end_is_refused_and_not_kept(port, head):
    with connected(port) as connection:
        with suppress(ConnectionError):  # it may be closed before all is sent
            connection.sendall(GOOD + head)
        found = rest(connection)
    assert found == b"" or found.startswith(b"HTTP/1.1 431 ")


def test_the_refusal_says_why(port):
    with connected(port) as connection:
        connection.sendall(GOOD + b"X-Long: " + b"a" * MAX_HEAD)
        found = rest(connection)
    assert found.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert found.endswith(b"have more than 65536 bytes")


def test_a_head_that_is_long_and_bodies_behind_each_other_are_taken(port):
    long = GOOD + b"X-Long: " + b"a" * (MAX_HEAD - 1000) + b"\r\n\r\n"
    with connected(port) as connection:
        for _ in range(3):  # the count begins anew with each request
            connection.sendall(long)
            connection.sendall(b"hello")
            assert answer(connection).startswith(b"HTTP/1.1 200")
        connection.sendall(GOOD + b"\r\nhello")
        assert answer(connection).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("head", "idle", "sent"),
    [(0.4, 60, b""), (0.4, 60, GOOD), (0.4, 0.8, GOOD + b"\r\nhe")],
    ids=["nothing", "half a head", "half a body"],
)
def test_who_is_silent_is_cut_off(port, monkeypatch, head, idle, sent):
    monkeypatch.setattr(connections, "HEAD_SECONDS", head)
    monkeypatch.setattr(connections, "IDLE_SECONDS", idle)
    with connected(port) as connection:
        connection.sendall(sent)
        assert rest(connection) == b""


def test_who_goes_on_is_waited_for(port, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.4)
    monkeypatch.setattr(connections, "IDLE_SECONDS", 5)
    with connected(port) as connection:
        connection.sendall(GOOD + b"\r\n")
        for byte in b"hello":
            time.sleep(0.3)
            connection.sendall(bytes([byte]))
        assert answer(connection).startswith(b"HTTP/1.1 200")
