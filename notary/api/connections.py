"""HTTP connections with bounds that uvicorn does not set: the length of a head, and how long one may be silent.

A proxy in front sets such bounds, too. Without them whoever may connect could fill the memory with one head, or hold
connections and the files of half-sent bodies for ever.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = (
    64 * 1024
)  # bytes of request line and headers; what comes in one piece with its end may be a piece more
HEAD_SECONDS = 20.0  # from the first byte of a head, or from the connection, to its end
IDLE_SECONDS = 60.0  # without a byte of a body that is waited for
GRACE_SECONDS = 10  # for requests under way when the process is to stop


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A head that is too long is answered with 431; who is silent for too long is cut off."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._head_bytes = 0
        self._head_since: float | None = self.loop.time()
        self._heard = self.loop.time()
        self._watch: asyncio.TimerHandle | None = self.loop.call_later(HEAD_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head before it is kept."""
        self._heard = self.loop.time()
        if self._head_since is None and (self.cycle is None or not self.cycle.more_body):
            self._head_since = self._heard  # the next request begins
        if self._head_since is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_since is not None and self._head_bytes > MAX_HEAD and not self.transport.is_closing():
            self._refuse()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._head_since, self._head_bytes = None, 0
        super().on_headers_complete()

    def _refuse(self) -> None:
        words = f"the request line and headers have more than {MAX_HEAD} bytes"
        head = "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain\r\nConnection: close\r\n"
        self.transport.write(f"{head}Content-Length: {len(words)}\r\n\r\n{words}".encode())
        self.transport.close()

    def _look(self) -> None:
        now = self.loop.time()
        cycle: Any = self.cycle
        if self._head_since is not None:
            late = now - self._head_since >= HEAD_SECONDS
        else:
            wanted = cycle is not None and cycle.more_body and not self.flow.read_paused
            late = wanted and now - self._heard >= IDLE_SECONDS
        if late:
            self.transport.abort()
        else:
            self._watch = self.loop.call_later(HEAD_SECONDS / 4, self._look)
