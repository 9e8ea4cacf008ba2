"""A connection is bounded in what it says before its request, and in how slowly it sends and reads."""

import gc
import time
from contextlib import suppress

import pytest

from notary.api import connections
from notary.api.connections import LEAST_BYTES, MAX_HEAD, MAX_WAITING, BoundedProtocol
from tests.api.running import connected, running

CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
LARGE = 16 * 2**20  # more than the system keeps for who does not read
GOOD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    if scope["path"] == "/large":
        await say(send, bytes(LARGE))
        return
    body, more = b"", scope["path"] != "/early"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await say(send, body)


async def say(send, body):
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
    )
    for start in range(0, len(body) or 1, LARGE // 16):
        piece = body[start : start + LARGE // 16]
        await send({"type": "http.response.body", "body": piece, "more_body": start + len(piece) < len(body)})


@pytest.fixture
def port():
    with running(app) as (found, _):
        yield found


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


def poured(connection, piece, pause=0.0):
    for _ in range(2**10 if not pause else 100):
        connection.sendall(piece)
        time.sleep(pause)


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


@pytest.mark.parametrize(
    ("before", "junk"),
    [
        (b"1\r\na\r\n0\r\n", b"X: " + b"a" * 2**16 + b"\r\n"),
        (b"1\r\na\r\n0\r\n", b"X: y\r\n" * 2**13),
        (b"1;x=", b"a" * 2**16),
    ],
    ids=["a long trailer", "many trailers", "the head of a chunk"],
)
def test_what_stands_around_a_body_is_bounded_as_a_head_is(port, before, junk):
    with connected(port) as connection:
        connection.sendall(CHUNKED + before)
        with pytest.raises(ConnectionError):
            poured(connection, junk)


def test_short_trailers_and_a_body_of_many_small_pieces_are_taken(port):
    with connected(port) as connection:
        connection.sendall(CHUNKED + b"1\r\na\r\n" * MAX_HEAD + b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n")
        assert answer(connection).startswith(b"HTTP/1.1 200")


def test_a_head_behind_an_answer_that_came_early_is_bounded(port):
    with connected(port) as connection:
        connection.sendall(GOOD.replace(b"/", b"/early", 1) + b"\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")  # before the body came
        connection.sendall(b"hello" + GOOD)
        with pytest.raises(ConnectionError):
            poured(connection, b"X: " + b"a" * 2**16 + b"\r\n")


def test_a_body_that_was_answered_is_not_listened_to_for_ever(port, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.4)
    with connected(port) as connection:
        connection.sendall(GOOD.replace(b"/", b"/early", 1).replace(b"5", b"%d" % 2**40, 1) + b"\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")  # before the body came
        with pytest.raises(ConnectionError):
            poured(connection, b"a" * LEAST_BYTES, pause=0.1)


def test_who_sends_nothing_but_empty_lines_is_cut_off(port, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.4)
    with connected(port) as connection:
        connection.sendall(GOOD + b"\r\nhello")
        assert answer(connection).startswith(b"HTTP/1.1 200")
        connection.settimeout(0.1)
        for _ in range(100):
            try:
                connection.sendall(b"\r\n")
                assert connection.recv(1) == b""
            except TimeoutError:
                continue
            except ConnectionError:  # it was cut off while this was on its way
                return
            return
        pytest.fail("it was kept for ten seconds")


def test_who_sends_a_body_byte_by_byte_is_cut_off(port, monkeypatch):
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.8)
    with connected(port) as connection:
        connection.sendall(GOOD.replace(b"5", b"500", 1) + b"\r\n")
        with pytest.raises(ConnectionError):
            poured(connection, b"a", pause=0.1)


def test_a_body_that_comes_fast_enough_may_take_long(port, monkeypatch):
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.8)
    with connected(port) as connection:
        connection.sendall(GOOD.replace(b"5", b"%d" % (20 * LEAST_BYTES + 5), 1) + b"\r\n")
        for _ in range(20):
            connection.sendall(b"a" * LEAST_BYTES)
            time.sleep(0.1)
        connection.sendall(b"hello")
        assert answer(connection).startswith(b"HTTP/1.1 200")


def test_who_does_not_read_his_answer_is_cut_off(port, monkeypatch):
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.8)
    with connected(port) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(2.5)
        assert len(rest(connection)) < LARGE


def test_who_reads_his_answer_slowly_gets_it(port, monkeypatch):
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.8)
    found = 0
    with connected(port) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while data := connection.recv(2**16):
            found += len(data)
            time.sleep(0.01)
    assert found > LARGE


def test_nothing_is_left_of_those_who_ask_for_another_protocol(port):
    asked = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    asked += b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    for _ in range(5):
        with connected(port) as connection:
            connection.sendall(asked)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    end = time.monotonic() + 10
    while sum(isinstance(each, BoundedProtocol) for each in gc.get_objects()):
        assert time.monotonic() < end, "connections that are closed are kept"
        time.sleep(0.1)
        gc.collect()


def test_one_too_many_is_cut_off_and_the_others_go_on(port, monkeypatch):
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 2)
    with connected(port) as one, connected(port) as two:
        one.sendall(GOOD + b"\r\n")
        two.sendall(GOOD + b"\r\n")
        time.sleep(0.2)
        with connected(port) as three:
            assert rest(three) == b""
        for each in (one, two):
            each.sendall(b"hello")
            assert answer(each).startswith(b"HTTP/1.1 200")


def test_a_process_that_is_to_stop_waits_for_a_request_and_not_for_ever(monkeypatch):
    monkeypatch.setattr(connections, "GRACE_SECONDS", 2)
    with running(app) as (port, end), connected(port) as one, connected(port) as two:
        for each in (one, two):
            each.sendall(GOOD + b"\r\nhel")
        time.sleep(0.3)
        assert not end(0.3)
        one.sendall(b"lo")  # it is under way, and gets its answer
        assert answer(one).startswith(b"HTTP/1.1 200")
        assert end(10)


# A request that is not answered as long as nobody reads: what comes behind it waits.
UNREAD = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
NEXT = b"GET /early HTTP/1.1\r\nHost: x\r\n\r\n"


def waiting_requests():
    return sum(len(each.pipeline) for each in gc.get_objects() if isinstance(each, BoundedProtocol))


def test_a_few_requests_may_come_ahead_of_their_answers(port):
    with connected(port) as connection:
        connection.sendall(NEXT * (MAX_WAITING + 1))  # the first of them waits for none
        found = b""
        while found.count(b"HTTP/1.1 200") <= MAX_WAITING:
            found += connection.recv(65536)
        connection.sendall(GOOD + b"\r\nhello")
        assert answer(connection).startswith(b"HTTP/1.1 200")


def test_who_sends_many_requests_ahead_is_cut_off_and_they_are_not_kept(port):
    """One piece of 256 KiB holds thousands, and each was kept with all that belongs to a request: 17 MB."""
    with connected(port) as connection:
        connection.sendall(UNREAD + NEXT * 5000)
        time.sleep(0.5)
        assert waiting_requests() <= MAX_WAITING
        assert len(rest(connection)) < LARGE


@pytest.mark.parametrize(
    "behind",
    [b"\x00 no HTTP\r\n\r\n", NEXT[:-2] + b"X-Long: " + b"a" * MAX_HEAD],
    ids=["no HTTP", "a long head"],
)
@pytest.mark.parametrize("first", [UNREAD, NEXT + UNREAD], ids=["one", "several"])
def test_a_refusal_does_not_come_in_the_place_of_an_answer_that_is_owed(port, first, behind):
    with connected(port) as connection:
        connection.sendall(first)
        time.sleep(0.3)
        connection.sendall(behind)
        time.sleep(0.3)
        found = rest(connection)
    assert b"HTTP/1.1 4" not in found


OFFER = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"


def test_what_comes_behind_an_offer_of_another_protocol_is_answered(port):
    offer = NEXT[:-2] + OFFER + b"\r\n"
    with connected(port) as connection:
        connection.sendall(offer + offer + GOOD + b"\r\nhel")
        time.sleep(0.1)
        connection.sendall(b"lo")  # which, its beginning dropped, would be no HTTP
        assert answer(connection).count(b"HTTP/1.1 200") == 3
        connection.sendall(offer)
        connection.sendall(GOOD + b"\r\nhello")
        assert answer(connection).count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize(
    "head", [GOOD.replace(b"5", b"%d" % len(NEXT), 1), CHUNKED[:-2]], ids=["of a length", "in chunks"]
)
def test_the_body_of_a_request_that_offers_another_protocol_is_no_request(port, head):
    """To the parser it was: whoever shares a connection through a proxy could put answers in the place of others'."""
    with connected(port) as connection:
        connection.sendall(head + OFFER + b"\r\n")
        time.sleep(0.2)
        with suppress(ConnectionError):
            connection.sendall(NEXT)
        found = rest(connection)
    assert found.startswith(b"HTTP/1.1 400 ")
    assert found.endswith(b"send it without Upgrade")
    assert found.count(b"HTTP/1.1") == 1


def test_a_request_under_way_is_told_that_nobody_waits_though_others_came_behind_it(port, caplog):
    with connected(port) as connection:
        connection.sendall(UNREAD + NEXT * 3)
        time.sleep(0.3)
    time.sleep(0.3)
    assert "Exception in ASGI application" not in caplog.text


@pytest.mark.parametrize(
    ("soft", "most"), [(1024, 256), (100_000, 2000), (connections.resource.RLIM_INFINITY, 2000)]
)
def test_connections_leave_three_of_four_files_for_uploads_and_the_database(monkeypatch, soft, most):
    monkeypatch.setattr(connections.resource, "getrlimit", lambda _: (soft, soft))
    assert connections._most() == most
