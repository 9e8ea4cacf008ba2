"""How the service is served: uvicorn, and before it a reader of whole requests of the one form that is asked for most.

The parser, scope, task, event and two writes of each request cost as much as all that is done for one digest. So where
a connection is at rest, and what comes is one request to `notary.api.hot`, of the plainest form that HTTP/1.1 has, it
is read here, and answered in one piece. Whatever is not exactly so is given to uvicorn as it came: a head in pieces, a
request before the last was answered, an odd character, a header that would change what is meant, a body that is slow.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import uvicorn

from notary.api.connections import GRACE_SECONDS, BoundedProtocol
from notary.api.hot import MAX_BODY, PATH, Hot

_FIRST = f"POST {PATH} HTTP/1.1\r\n".encode()
_MAX_HEAD = 4096
BODY_SECONDS = 0.5  # for a body to follow its head, before the parser has both
_MAX_TOKEN = 120
# RFC 9110 5.1, 5.5 and 5.6.2, without the bytes beyond ASCII that a value may have, and without folded lines. A run of
# blanks is given back to nothing (+): else each of them is tried as an end of the first and of the second.
_LINE = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]++):[ \t]*+([\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?[ \t]*+\r\n"
)
# These would change how the request is read, or what is answered.
_OTHER = frozenset(
    (
        b"transfer-encoding",
        b"content-encoding",
        b"expect",
        b"idempotency-key",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"upgrade",
        b"http2-settings",
    )
)
_JSON = (b"application/json", b"application/json; charset=utf-8")
_LENGTH = re.compile(rb"[1-9][0-9]{0,2}")


def config(app: Callable[..., Any], **options: Any) -> uvicorn.Config:
    """How the service is served; `options` are uvicorn's, as host and port."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        http=QuickProtocol,
        ws="none",  # nothing here speaks it, and a connection that is handed over is out of these bounds
        timeout_graceful_shutdown=GRACE_SECONDS,  # or one open request would keep a process that must stop
        **options,
    )


class QuickProtocol(BoundedProtocol):
    """One connection. What is not read here is as if this class were not there."""

    def connection_made(self, transport: Any) -> None:
        """Nothing is under way."""
        self._hot: Hot | None = getattr(self.config.app, "hot", None)
        self._pending = False  # a request that was taken here is not answered yet
        self._ending = False  # the connection ends with the next answer
        self._behind = b""  # what came meanwhile
        self._held = b""  # a head, and what there is of its body: many clients send them apart
        self._late: asyncio.TimerHandle | None = None
        self._head, self._token, self._length = b"", "", 0  # the last head: a client's are mostly the same
        self._added: tuple[Any, bytes] = (None, b"")
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._unheld()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a whole request, or give it to the parser; what comes before an answer waits for it."""
        if self._pending:
            self._behind += data
            self.flow.pause_reading()
            return
        held = self._unheld()
        data = held + data
        if not (
            self._hot is not None
            and data.startswith(_FIRST)
            and self._at_rest()
            and self._take(data, again=bool(held))
        ):
            super().data_received(data)

    def shutdown(self) -> None:
        """No further request; one that was taken is answered before."""
        if self._pending:
            self._ending = True
            return
        self._let_go()
        super().shutdown()

    def _at_rest(self) -> bool:
        """Whether the parser waits for a request, has seen nothing of it, and all answers were sent."""
        return (
            (self.cycle is None or self.cycle.response_complete)
            and not self._in_head  # it may have come with the end of what was answered
            and not self._in_body
            and not self._between
            and not self.flow.write_paused
            and not self.transport.is_closing()
        )

    def _take(self, data: bytes, *, again: bool) -> bool:
        at = data.find(b"\r\n\r\n", 0, _MAX_HEAD)
        head = data[: at + 2]
        if at < 0 or (head != self._head and not self._read(head)):
            return False
        self._unset_keepalive_if_required()
        body = data[at + 4 :]
        if len(body) < self._length:
            if again:  # a body in pieces is slow, or made to be: the parser has bounds for those
                return False
            self._held, self._late = data, self.loop.call_later(BODY_SECONDS, self._let_go)
            return True
        assert self._hot is not None  # noqa: S101 - the caller looked
        if len(body) > self._length or not self._hot.take(self._token, body, self._send):
            return False
        self._pending, self._head_since = True, None
        return True

    def _read(self, head: bytes) -> bool:
        found = read_head(head)
        if found is None:
            return False
        self._head, (self._token, self._length) = head, found
        return True

    def _unheld(self) -> bytes:
        held, self._held = self._held, b""
        if self._late is not None:
            self._late.cancel()
            self._late = None
        return held

    def _let_go(self) -> None:
        """What is held goes the way of all others."""
        held = self._unheld()
        if held:
            super().data_received(held)

    def _send(self, head: bytes, body: bytes) -> None:
        self._pending = False
        behind, self._behind = self._behind, b""
        if self.transport.is_closing():
            return
        end = b"connection: close\r\n\r\n" if self._ending else b"\r\n"
        self.transport.write(b"".join((head, self._server_headers(), end, body)))
        if self._ending:
            self.transport.close()
        self.on_response_complete()
        if behind and not self.transport.is_closing():
            self.data_received(behind)

    def _server_headers(self) -> bytes:
        headers = self.server_state.default_headers
        if self._added[0] is not headers:  # uvicorn makes them anew each second
            self._added = headers, b"".join(b"%b: %b\r\n" % each for each in headers)
        return self._added[1]


def read_head(head: bytes) -> tuple[str, int] | None:
    """The API key and the length of the body of a plain request to `PATH`; None where it is anything else.

    Args:
        head: the request line and all header lines, each with its end, without the empty line.
    """
    if not head.startswith(_FIRST):
        return None
    place, fields = len(_FIRST), dict[bytes, bytes]()
    while place < len(head):
        line = _LINE.match(head, place)
        if line is None or (name := line[1].lower()) in fields:
            return None
        fields[name], place = line[2] or b"", line.end()
    token, length = fields.get(b"authorization", b""), fields.get(b"content-length", b"")
    if (
        not fields.get(b"host")
        or not _OTHER.isdisjoint(fields)
        or fields.get(b"connection", b"keep-alive").lower() != b"keep-alive"
        or fields.get(b"content-type") not in _JSON
        or not token.startswith(b"Bearer nk_")
        or len(token) > _MAX_TOKEN
        or not _LENGTH.fullmatch(length)
        or int(length) > MAX_BODY
    ):
        return None
    return token[7:].decode("ascii"), int(length)
