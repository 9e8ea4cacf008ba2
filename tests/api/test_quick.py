"""Whole requests that are read before the parser: only where it would read the same, and never two at once."""

import asyncio
import re
import time
import timeit
from types import SimpleNamespace

import pytest

from notary.api import connections, quick
from notary.api.quick import read_head
from tests.api.running import connected, running

TOKEN = "nk_0000000000000000_" + "k" * 43
BODY = b'{"digests":{"sha-256":"' + b"ab" * 32 + b'"}}'
FIRST = b"POST /v1/evidence HTTP/1.1\r\n"
FIELDS = {
    b"Host": b"example.org",
    b"Authorization": b"Bearer " + TOKEN.encode(),
    b"Content-Type": b"application/json",
    b"Content-Length": b"%d" % len(BODY),
}


def head(first=FIRST, **changes):
    fields = FIELDS | {name.replace("_", "-").encode(): value for name, value in changes.items()}
    return first + b"".join(b"%b: %b\r\n" % item for item in fields.items() if item[1] is not None)


def test_a_plain_head_is_read():
    assert read_head(head()) == (TOKEN, len(BODY))
    more = head(User_Agent=b"x (y; z)", Accept=b"*/*", Connection=b"Keep-Alive", X_Forwarded_For=b"192.0.2.1")
    assert read_head(more) == (TOKEN, len(BODY))
    assert read_head(FIRST + b"".join(b"%b:%b \t\r\n" % each for each in FIELDS.items())) == (
        TOKEN,
        len(BODY),
    )
    assert (
        read_head(head().replace(b"Host", b"hOST").replace(b"Content-Length", b"content-length")) is not None
    )


@pytest.mark.parametrize(
    "changes",
    [
        {name: b"x"}
        for name in (
            "Transfer_Encoding",
            "Content_Encoding",
            "Expect",
            "Idempotency_Key",
            "Keep_Alive",
            "Proxy_Connection",
            "TE",
            "Trailer",
            "Upgrade",
            "HTTP2_Settings",
        )
    ]
    + [
        {"Host": None},
        {"Host": b""},
        {"Authorization": None},
        {"Authorization": b"Basic abc"},
        {"Authorization": b"bearer " + TOKEN.encode()},
        {"Authorization": b"Bearer " + TOKEN.encode() * 3},
        {"Content_Type": None},
        {"Content_Type": b"text/plain"},
        {"Content_Length": None},
        {"Content_Length": b"0"},
        {"Content_Length": b"087"},
        {"Content_Length": b"+87"},
        {"Content_Length": b"87, 87"},
        {"Content_Length": b"513"},
        {"Content_Length": b"1000"},
        {"Connection": b"close"},
        {"Connection": b"keep-alive, x"},
        {"X": b"a\x00b"},
        {"X": b"a\rb"},
        {"X": b"a\nb"},
        {"X": b"\xc3\xa9"},
        {"X": b"a\r\n folded"},
        {"X Y": b"a space in a name"},
        {"X": b"a\r\nHost: example.com"},
        {"X": b"a\r\ncontent-length: 5"},
        {"X": b"a\r\nx: b"},
    ],
    ids=str,
)
def test_a_head_that_is_not_plain_is_left(changes):
    assert read_head(head(**changes)) is None


@pytest.mark.parametrize(
    "first",
    [
        b"POST /v1/evidence HTTP/1.0\r\n",
        b"POST /v1/evidence?x HTTP/1.1\r\n",
        b"POST  /v1/evidence HTTP/1.1\r\n",
        b"POST /v1/evidence HTTP/1.1\n",
        b"PUT /v1/evidence HTTP/1.1\r\n",
        b"\r\nPOST /v1/evidence HTTP/1.1\r\n",
    ],
)
def test_another_request_line_is_left(first):
    assert read_head(head(first)) is None


class Slow:
    """Takes requests, and answers when told to."""

    def __init__(self):
        self.taken, self.refuses = [], False

    def take(self, token, body, send):
        if self.refuses:
            return False
        self.taken.append((token, body, send))
        return True


class App:
    """An app that answers 200 with what it was sent; its `hot` takes what it gets."""

    def __init__(self):
        self.hot, self.asked, self.connections = Slow(), [], []
        self.gate = None  # of /slow

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        body, more = b"", scope["path"] != "/early"
        if scope["path"] == "/slow":
            self.gate = asyncio.Event()
            await self.gate.wait()
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.asked.append(body)
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def app():
    return App()


@pytest.fixture
def loop(app, monkeypatch):
    """The loop of the server, for what is said from outside."""
    found = []
    made = quick.QuickProtocol.connection_made

    def watched(self, transport):
        found.append(self.loop)
        app.connections.append(self)
        made(self, transport)

    monkeypatch.setattr(quick.QuickProtocol, "connection_made", watched)
    return found


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def answer(app, loop, number=0, body=b"done"):
    """Answer a request that was taken."""
    until(lambda: len(app.hot.taken) > number)
    send = app.hot.taken[number][2]
    loop[0].call_soon_threadsafe(send, b"HTTP/1.1 202 Accepted\r\ncontent-length: %d\r\n" % len(body), body)


def read(connection, end=b"done"):
    got = b""
    while not got.endswith(end):
        piece = connection.recv(65536)
        assert piece, got
        got += piece
    return got


WHOLE = head() + b"\r\n" + BODY


def test_a_whole_request_is_taken_and_answered_in_one_piece(app, loop):
    with running(app) as (port, _), connected(port) as connection:
        for number in range(3):
            connection.sendall(WHOLE)
            answer(app, loop, number)
            got = read(connection)
            assert got.startswith(b"HTTP/1.1 202 Accepted\r\n")
            assert got.count(b"\r\ndate: ") == got.count(b"\r\nserver: ") == 1
            assert got.endswith(b"\r\n\r\ndone")
    assert [taken[:2] for taken in app.hot.taken] == [(TOKEN, BODY)] * 3
    assert app.asked == []


def test_another_head_on_the_same_connection_is_read_anew(app, loop):
    with running(app) as (port, _), connected(port) as connection:
        for number, token in enumerate((TOKEN, TOKEN[:-1] + "x")):
            connection.sendall(WHOLE.replace(TOKEN.encode(), token.encode()))
            answer(app, loop, number)
            read(connection)
    assert [taken[0] for taken in app.hot.taken] == [TOKEN, TOKEN[:-1] + "x"]


def test_a_body_behind_its_head_is_waited_for(app, loop):
    with running(app) as (port, _), connected(port) as connection:
        for number, cut in enumerate((len(WHOLE) - len(BODY), len(WHOLE) - 1)):
            connection.sendall(WHOLE[:cut])
            time.sleep(0.1)
            assert len(app.hot.taken) == number
            connection.sendall(WHOLE[cut:])
            answer(app, loop, number)
            read(connection)
    assert [taken[1] for taken in app.hot.taken] == [BODY] * 2


def test_a_body_in_pieces_is_for_the_parser(app, loop, monkeypatch):
    monkeypatch.setattr(quick, "BODY_SECONDS", 60)
    with running(app) as (port, _), connected(port) as connection:
        for cut in (WHOLE[:-9], WHOLE[-9:-5], WHOLE[-5:]):
            connection.sendall(cut)
            time.sleep(0.1)
        assert read(connection, BODY).startswith(b"HTTP/1.1 200 OK\r\n")
    assert (app.asked, app.hot.taken) == ([BODY], [])


def test_a_body_that_is_late_is_for_the_parser(app, loop, monkeypatch):
    monkeypatch.setattr(quick, "BODY_SECONDS", 0.05)
    with running(app) as (port, _), connected(port) as connection:
        connection.sendall(WHOLE[:-5])
        time.sleep(0.3)
        connection.sendall(WHOLE[-5:])
        assert read(connection, BODY).startswith(b"HTTP/1.1 200 OK\r\n")
        connection.sendall(WHOLE)  # and the next is taken again
        answer(app, loop)
        read(connection)
    assert (app.asked, len(app.hot.taken)) == ([BODY], 1)


@pytest.mark.parametrize("cut", [1, len(FIRST), len(FIRST) + 9])
def test_a_head_in_pieces_is_for_the_parser(app, loop, cut):
    with running(app) as (port, _), connected(port) as connection:
        connection.sendall(WHOLE[:cut])
        time.sleep(0.1)
        connection.sendall(WHOLE[cut:])
        assert read(connection, BODY).startswith(b"HTTP/1.1 200 OK\r\n")
    assert (app.asked, app.hot.taken) == ([BODY], [])


def test_what_is_not_taken_is_for_the_parser(app, loop):
    app.hot.refuses = True
    with running(app) as (port, _), connected(port) as connection:
        for _ in range(2):
            connection.sendall(WHOLE)
            assert read(connection, BODY).startswith(b"HTTP/1.1 200 OK\r\n")
    assert app.asked == [BODY] * 2


def test_two_requests_in_one_piece_are_for_the_parser(app, loop):
    with running(app) as (port, _), connected(port) as connection:
        connection.sendall(WHOLE * 2)
        until(lambda: len(app.asked) == 2)
    assert (app.asked, app.hot.taken) == ([BODY] * 2, [])


def test_what_comes_before_an_answer_waits_for_it(app, loop):
    with running(app) as (port, _), connected(port) as connection:
        connection.sendall(WHOLE)
        until(lambda: app.hot.taken)
        get = b"GET /second HTTP/1.1\r\nHost: x\r\n\r\n"
        connection.sendall(WHOLE)
        time.sleep(0.05)
        connection.sendall(get)
        time.sleep(0.2)
        assert (len(app.hot.taken), app.asked) == (1, [])
        answer(app, loop, 0, b"first")
        read(connection, b"first")
        # What waited came in one piece or in two: the second request is taken, or read by the parser with the third.
        until(lambda: len(app.hot.taken) + len(app.asked) >= 2)
        if len(app.hot.taken) == 2:
            answer(app, loop, 1, b"second")
        until(lambda: b"" in app.asked)
    assert [*(taken[1] for taken in app.hot.taken), *app.asked] == [BODY, BODY, b""]


def test_a_request_after_one_that_the_parser_reads_is_taken(app, loop):
    with running(app) as (port, _), connected(port) as connection:
        connection.sendall(b"POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nother")
        read(connection, b"other")
        connection.sendall(WHOLE)
        answer(app, loop)
        read(connection)
    assert (app.asked, len(app.hot.taken)) == ([b"other"], 1)


def test_a_request_inside_of_a_body_is_none(app, loop):
    """What the parser waits for is never taken for a request: a proxy that reads on would give it another answer."""
    outer = b"POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(WHOLE)
    with running(app) as (port, _), connected(port) as connection:
        connection.sendall(outer)
        time.sleep(0.1)
        connection.sendall(WHOLE)
        assert read(connection, BODY).startswith(b"HTTP/1.1 200 OK\r\n")
    assert (app.asked, app.hot.taken) == ([WHOLE], [])


def test_a_request_inside_of_a_body_that_was_answered_is_none(app, loop):
    outer = b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (2 * len(WHOLE))
    with running(app) as (port, _), connected(port) as connection:
        connection.sendall(outer)
        read(connection, b"\r\n\r\n")
        for _ in range(2):
            connection.sendall(WHOLE)
            time.sleep(0.1)
        connection.sendall(WHOLE)
        answer(app, loop)
        read(connection)
    assert (app.asked, len(app.hot.taken)) == ([b""], 1)


def test_a_request_behind_one_that_is_not_answered_yet_is_for_the_parser(app, loop):
    with running(app) as (port, _), connected(port) as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: app.gate is not None)
        connection.sendall(WHOLE)
        time.sleep(0.2)
        loop[0].call_soon_threadsafe(app.gate.set)
        read(connection, BODY)
    assert (app.asked, app.hot.taken) == ([b"", BODY], [])


@pytest.mark.parametrize(
    "changes",
    [
        {"cycle": SimpleNamespace(response_complete=False)},
        {"_in_body": True},
        {"_between": 2},
        {"_in_head": True},
        {"flow": SimpleNamespace(write_paused=True)},
        {"transport": SimpleNamespace(is_closing=lambda: True)},
    ],
    ids=",".join,
)
def test_a_connection_is_at_rest_only_if_nothing_is_under_way(changes):
    rest = {
        "cycle": None,
        "_in_body": False,
        "_in_head": False,
        "_between": 0,
        "flow": SimpleNamespace(write_paused=False),
        "transport": SimpleNamespace(is_closing=lambda: False),
    }
    assert quick.QuickProtocol._at_rest(SimpleNamespace(**rest))
    assert not quick.QuickProtocol._at_rest(SimpleNamespace(**rest | changes))


def test_nothing_is_written_to_who_has_gone():
    gone = SimpleNamespace(transport=SimpleNamespace(is_closing=lambda: True), _behind=b"x", _pending=True)
    quick.QuickProtocol._send(gone, b"", b"")
    assert (gone._pending, gone._behind) == (False, b"")


def test_nothing_more_is_read_before_an_answer(app, loop):
    with running(app) as (port, _), connected(port) as connection:
        connection.sendall(WHOLE)
        until(lambda: app.hot.taken)
        connection.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: app.connections[0].flow.read_paused)
        answer(app, loop)
        until(lambda: app.asked)
        assert not app.connections[0].flow.read_paused


def test_who_waits_for_an_answer_is_not_cut_off_like_who_sends_no_head(app, loop, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    with running(app) as (port, _), connected(port) as connection:
        connection.sendall(WHOLE)
        time.sleep(0.8)
        answer(app, loop)
        read(connection)


def test_a_body_that_came_ends_the_wait_for_it(app, loop, monkeypatch):
    monkeypatch.setattr(quick, "BODY_SECONDS", 2)
    with running(app) as (port, _), connected(port) as connection:
        for number, seconds in enumerate((0.1, 1.2)):
            connection.sendall(WHOLE[:-5])
            time.sleep(seconds)  # the second is longer than what was left of the first's wait
            connection.sendall(WHOLE[-5:])
            answer(app, loop, number)
            read(connection)
            time.sleep(1.2 * (number == 0))
    assert app.asked == []


def test_what_follows_the_beginning_of_a_head_is_no_request(app, loop):
    with running(app) as (port, _), connected(port) as connection:
        connection.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\nX-Rest: ")
        time.sleep(0.1)
        connection.sendall(WHOLE)
        time.sleep(0.2)
    assert app.hot.taken == []


@pytest.mark.parametrize(
    "before",
    [
        b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
        b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ],
    ids=["no body", "a body", "chunks"],
)
def test_what_follows_the_beginning_of_a_head_that_came_with_another_request_is_no_request(app, loop, before):
    """One value of a header to the parser and to a proxy: taken for a request it would be smuggled past them."""
    with running(app) as (port, _), connected(port) as connection:
        connection.sendall(before + b"POST /b HTTP/1.1\r\nHost: x\r\nX-Rest: ")
        until(lambda: app.asked and app.connections[0].cycle.response_complete)
        connection.sendall(WHOLE)  # its first line is the rest of that header, and the rest are headers of /b
        until(lambda: app.asked[1:] or app.hot.taken)
        assert (app.asked[1:], app.hot.taken) == ([BODY], [])
        connection.sendall(WHOLE)  # and the next is taken again
        answer(app, loop)
        read(connection)


def test_a_head_that_is_refused_costs_no_more_than_its_length():
    """Where each of some thousand blanks was tried as the end of two runs, one head took 26 ms of all requests."""
    blanks = FIRST + b"X:" + b" " * 3900 + b"\x01\r\n"
    assert min(timeit.repeat(lambda: read_head(blanks), number=1, repeat=5)) < 0.005


def test_who_has_gone_is_not_answered_and_harms_nobody(app, loop):
    with running(app) as (port, _):
        with connected(port) as connection:
            connection.sendall(WHOLE)
            until(lambda: app.hot.taken)
        with connected(port) as connection:
            time.sleep(0.1)
            answer(app, loop, 0)
            connection.sendall(WHOLE)
            answer(app, loop, 1)
            read(connection)


def test_who_goes_within_a_body_leaves_nothing(app, loop, monkeypatch):
    monkeypatch.setattr(quick, "BODY_SECONDS", 60)
    with running(app) as (port, _), connected(port) as other:
        with connected(port) as connection:
            connection.sendall(WHOLE[:-3])
            until(lambda: any(each._held for each in app.connections))
        until(lambda: not any(each._held or each._late for each in app.connections))
        other.sendall(WHOLE)
        answer(app, loop)
        read(other)
    assert (len(app.hot.taken), app.asked) == (1, [])


def test_a_process_that_is_to_stop_answers_what_it_took(app, loop):
    with running(app) as (port, end), connected(port) as connection:
        connection.sendall(WHOLE)
        until(lambda: app.hot.taken)
        assert not end(0.5)
        answer(app, loop)
        assert b"\r\nconnection: close\r\n" in read(connection)
        assert connection.recv(10) == b""
        assert end()


def test_a_process_that_is_to_stop_waits_for_the_rest_of_a_body(app, loop, monkeypatch):
    monkeypatch.setattr(quick, "BODY_SECONDS", 30)
    with running(app) as (port, end), connected(port) as connection:
        connection.sendall(WHOLE[:-3])
        time.sleep(0.2)
        assert not end(0.5)
        connection.sendall(WHOLE[-3:])
        assert read(connection, BODY).startswith(b"HTTP/1.1 200 OK\r\n")
        assert end()


def test_a_connection_that_rests_too_long_after_an_answer_ends(app, loop):
    with running(app, timeout_keep_alive=1) as (port, _), connected(port) as connection:
        dates = []
        for number in range(2):
            connection.sendall(WHOLE)
            time.sleep(2 * number)  # not while its answer is made
            answer(app, loop, number)
            dates += re.findall(rb"\r\ndate: (.*?)\r\n", read(connection))
        assert dates[0] != dates[1]
        began = time.monotonic()
        assert connection.recv(10) == b""
        assert time.monotonic() - began < 10


def test_an_app_without_it_is_served_as_ever(loop):
    async def plain(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"done"})

    with running(plain) as (port, _), connected(port) as connection:
        connection.sendall(WHOLE)
        assert read(connection).startswith(b"HTTP/1.1 200 OK\r\n")
