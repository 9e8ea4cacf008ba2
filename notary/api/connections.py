"""HTTP connections with bounds that uvicorn does not set: how long a head may be, and how slow whoever sends or reads.

A proxy in front sets such bounds, too. Without them whoever may connect could fill the memory with one head, or with
answers that he does not read, or hold connections and the files of half-sent bodies for ever.
"""

import asyncio
import resource
import sys
from typing import Any

from httptools import HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_HEAD = (
    64 * 1024
)  # bytes of request line and headers, or of trailers; what comes in one piece with their end may be a piece more
HEAD_SECONDS = (
    20.0  # from a head's first byte, or the connection, to its end; and for a body that was answered
)
IDLE_SECONDS = (
    60.0  # within which a body that is waited for, or an answer, goes on by so many bytes, or to its end:
)
LEAST_BYTES = 30_000
# And a quarter of the files that the process may open: each may have two of an upload beside it (a document, and what
# is said of it), and the database has some.
MAX_CONNECTIONS = 2000
GRACE_SECONDS = 10  # for requests under way when the process is to stop
# Requests behind one that is not answered: each is kilobytes, and what comes in one piece may hold fourteen thousand.
MAX_WAITING = 16


def _most() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, soft // 4)


class _RefusedError(Exception):
    """Ends the parser's reading."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A head that is too long is answered with 431; who is too slow, or one too many, is cut off.

    So is who sends more than a few requests ahead of their answers. An offer of another protocol is passed over.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._between = 0  # bytes since a head was whole, or a piece of a body came
        self._head_since: float | None = self.loop.time()
        self._running: RequestResponseCycle | None = None  # what is answered at this moment, or was last
        self._in_head = False  # of a request of which the parser has seen a part
        self._in_body = False
        self._passed_over: int | None = None  # bytes to the end of a request that offers another protocol
        self._answered_since: float | None = None  # while a body that nobody waits for goes on
        self._watch: asyncio.TimerHandle | None = None
        self._mark()
        if len(self.connections) > _most():
            self.transport.abort()
            return
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True  # uvicorn tells the last that came alone
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head before it is kept."""
        if (
            self._head_since is None
            and not self._in_body
            and (self.cycle is None or self.cycle.response_complete)
        ):
            self._head_since = self.loop.time()  # it may be empty lines, which begin no request
        self._between += len(data)
        self._feed(data)
        if self._between > MAX_HEAD and not self.transport.is_closing():
            self._refuse()

    def _feed(self, data: bytes) -> None:
        super().data_received(data)
        rest = memoryview(data)
        while self._passed_over is not None and not self.transport.is_closing():  # as often as one is offered
            rest, self._passed_over = rest[self._passed_over :], None
            super().data_received(rest)  # type: ignore[arg-type] # the parser takes any buffer

    def _unsupported_upgrade_warning(self) -> None:
        """Another protocol was offered, and HTTP goes on: what came behind is the next request, which uvicorn drops."""
        error = sys.exception()
        if isinstance(error, HttpParserUpgrade):
            self._passed_over = error.args[0]

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_message_begin(self) -> None:
        """The next head begins."""
        if len(self.pipeline) >= MAX_WAITING:
            raise _RefusedError("too many requests came ahead of their answers")  # or the parser goes on
        self._in_head = True
        if self._head_since is None:
            self._head_since = self.loop.time()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self.parser.should_upgrade() and not self._is_bare():
            # To the parser all that follows is of the other protocol: the body would be read as the next request.
            raise _RefusedError("a request with a body offers another protocol: send it without Upgrade")
        self._head_since, self._between = None, 0
        self._in_head, self._in_body = False, True
        self._mark()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body has come."""
        self._between = 0
        self._received += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._in_body = False
        super().on_message_complete()

    def resume_writing(self) -> None:
        """Most of what was to be read was."""
        self._mark()
        super().resume_writing()

    def _is_bare(self) -> bool:
        return not any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in self.headers
        )

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; where another answer is to come first, break off: it would be taken for that."""
        if self._owes():
            self.transport.abort()
        else:
            ours = getattr(sys.exception(), "__context__", None)
            super().send_400_response(str(ours) if isinstance(ours, _RefusedError) else msg)

    def _owes(self) -> bool:
        """Whether the next bytes that are sent must be of an answer to what came before that which is read now."""
        cycle = self.cycle
        return bool(self.pipeline) or (
            cycle is not None
            and not cycle.response_complete
            and (cycle.response_started or not self._in_body)
        )

    def _refuse(self) -> None:
        if self._head_since is None or self._owes():  # trailers, or what stands between the pieces of a body
            self.transport.abort()
            return
        words = f"the request line and headers have more than {MAX_HEAD} bytes"
        head = "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain\r\nConnection: close\r\n"
        self.transport.write(f"{head}Content-Length: {len(words)}\r\n\r\n{words}".encode())
        self.transport.close()

    def _mark(self) -> None:
        """From now on is measured how fast the other side is."""
        self._since, self._received, self._unread = (
            self.loop.time(),
            0,
            self.transport.get_write_buffer_size(),
        )

    def _look(self) -> None:
        now, unread = self.loop.time(), self.transport.get_write_buffer_size()
        if not self._in_body or self.cycle is None or not self.cycle.response_complete:
            self._answered_since = None
        elif self._answered_since is None:
            self._answered_since = now
        late = any(
            since is not None and now - since >= HEAD_SECONDS
            for since in (self._head_since, self._answered_since)
        )
        waited = unread > 0 or (self._in_body and not self.flow.read_paused)
        if not waited or unread > self._unread:
            self._mark()
        elif now - self._since >= IDLE_SECONDS:
            late = late or self._received + self._unread - unread < LEAST_BYTES
            self._mark()
        if late:
            self.transport.abort()
        else:
            self._watch = self.loop.call_later(min(HEAD_SECONDS, IDLE_SECONDS) / 4, self._look)
