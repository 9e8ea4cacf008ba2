"""Beside the parser: the same bytes, in the same pieces, are the same requests with the quick reader and without it."""

import asyncio
import random

import httptools
import pytest
from uvicorn.server import ServerState

from notary.api.connections import BoundedProtocol
from notary.api.quick import QuickProtocol, config, read_head
from tests.api.test_quick import BODY, TOKEN, WHOLE, head

# --- One head


class Parsed:
    """What the parser makes of one request."""

    def __init__(self, data):
        self.url, self.body, self.headers, self.whole = b"", b"", [], 0
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(data)

    def on_url(self, url):
        self.url += url

    def on_header(self, name, value):
        self.headers.append((name.lower(), value))

    def on_headers_complete(self):
        self.plain = self.parser.should_keep_alive() and not self.parser.should_upgrade()
        self.first = self.parser.get_method(), self.url, self.parser.get_http_version()

    def on_body(self, body):
        self.body += body

    def on_message_complete(self):
        self.whole += 1


PIECES = [bytes([byte]) for byte in range(256)] + [
    b"\r\n", b"\r\n ", b"X:\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Connection: close\r\n",
    b"Connection: upgrade\r\n", b"Upgrade: h2c\r\n", b"Content-Length : 5\r\n", b"Idempotency-Key: x\r\n",
]  # fmt: skip


@pytest.mark.parametrize("part", range(4))
def test_every_head_that_is_read_is_read_so_by_the_parser_too(part):
    """With each byte of a head changed to each other one, left out, and something put before it."""
    plain, read = head(Connection=b"keep-alive", X=b"y"), 0
    for at in range(part, len(plain), 4):
        for piece in PIECES:
            for skipped in (0, 1):
                changed = plain[:at] + piece + plain[at + skipped :]
                found = read_head(changed)
                if found is None:
                    continue
                read += 1
                token, length = found
                parsed = Parsed(changed + b"\r\n" + b"x" * length)
                fields = dict(parsed.headers)
                scheme, _, sent = fields[b"authorization"].decode().partition(" ")
                assert parsed.first == (b"POST", b"/v1/evidence", "1.1")
                assert (parsed.whole, parsed.body, parsed.plain) == (1, b"x" * length, True)
                assert (scheme, sent.strip(), len(fields)) == ("Bearer", token, len(parsed.headers))
                assert fields[b"content-type"].strip() in (
                    b"application/json",
                    b"application/json; charset=utf-8",
                )
                assert b"idempotency-key" not in fields
    assert read > 1000
    assert len(TOKEN) < 120


# --- Many requests in any pieces


class Transport(asyncio.Transport):
    def __init__(self):
        super().__init__()
        self.out, self.closing, self.reads = b"", False, asyncio.Event()
        self.reads.set()

    def write(self, data):
        self.out += bytes(data)

    def close(self):
        self.closing = True
        self.reads.set()

    abort = close

    def is_closing(self):
        return self.closing

    def pause_reading(self):
        self.reads.clear()

    def resume_reading(self):
        self.reads.set()

    def get_write_buffer_size(self):
        return 0

    def get_extra_info(self, _name, default=None):
        return default


class App:
    """Answers with what it was sent, soon or later; its `hot` takes most of what it is given."""

    def __init__(self, seed):
        self.random, self.seen, self.taken = random.Random(seed), [], 0
        self.hot = self

    def take(self, _token, body, send):
        if self.random.random() < 0.1:
            return False
        self.taken += 1
        self.seen.append(("/v1/evidence", body))
        answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n" % len(body)
        asyncio.get_running_loop().call_later(self.random.choice((0, 0.001)), send, answer, body)
        return True

    async def __call__(self, scope, receive, send):
        body, more = b"", scope["path"] != "/early"
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body, more = body + message["body"], message["more_body"]
        self.seen.append((scope["path"], body))
        if scope["path"] == "/slow":
            await asyncio.sleep(0.001)
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def post(path, body):
    return b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (path, len(body), body)


CHUNKED = (
    b"POST /chunked HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\nX: y\r\n\r\n"
)
STREAMS = [
    *[WHOLE] * 15, post(b"/other", WHOLE), post(b"/early", WHOLE * 2), post(b"/slow", b"hi"),
    b"GET /get HTTP/1.1\r\nHost: x\r\n\r\n", CHUNKED % (len(WHOLE), WHOLE), b"\r\n\r\n",
    b"GET /rest HTTP/1.1\r\nX-Rest: ", b"POST /rest HTTP/1.1\r\nX-Rest: ", WHOLE[:-3],
    head(Expect=b"100-continue") + b"\r\n" + BODY, WHOLE.replace(b"HTTP/1.1", b"HTTP/1.0"),
    head(Connection=b"close") + b"\r\n" + BODY, post(b"/v1/evidence?x", b"abc"),
]  # fmt: skip


async def served(kind, pieces, waits):
    """What the app was asked, and whether the connection goes on; how much of it was taken before the parser."""
    app, state, transport = App(len(pieces)), ServerState(), Transport()
    options = config(app, lifespan="off")
    options.load()
    protocol = kind(options, state, {}, asyncio.get_running_loop())
    protocol.connection_made(transport)
    for piece, wait in zip(pieces, waits, strict=True):
        await transport.reads.wait()
        if transport.closing:
            break
        protocol.data_received(piece)
        await asyncio.sleep(wait)
    if kind is QuickProtocol:
        protocol._let_go()
    calm = 0  # a body that is not whole leaves its task waiting
    while calm < 5:
        before = len(app.seen), len(transport.out)
        await asyncio.sleep(0.004)
        calm = calm + 1 if before == (len(app.seen), len(transport.out)) else 0
        calm *= not getattr(protocol, "_pending", False)
    found = app.seen, transport.closing
    transport.closing = True
    protocol.connection_lost(None)
    await asyncio.gather(*state.tasks)
    return found, app.taken


@pytest.mark.parametrize("seed", range(4))
def test_any_requests_in_any_pieces_are_those_that_the_parser_alone_finds(seed):
    rng = random.Random(seed)

    async def one():
        stream = b"".join(rng.choice(STREAMS) for _ in range(rng.randint(1, 6)))
        cuts = {rng.randrange(1, len(stream) + 1) for _ in range(rng.choice((0, 0, 1, 2)))}
        at = stream.find(WHOLE[:26], 1)
        while at > 0:  # most pieces begin where a request may
            cuts |= {at} if rng.random() < 0.7 else set()
            at = stream.find(WHOLE[:26], at + 1)
        ends = [*sorted(cuts - {len(stream)}), len(stream)]
        pieces = [stream[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        waits = [rng.choice((0, 0.002, 0.004)) for _ in pieces]
        quick, count = await served(QuickProtocol, pieces, waits)
        parser, _ = await served(BoundedProtocol, pieces, waits)
        assert quick == parser, pieces
        return count

    async def many():
        return sum([await one() for _ in range(50)])

    assert asyncio.run(many()) > 5
