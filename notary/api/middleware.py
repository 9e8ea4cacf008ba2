"""Around every request: headers, HEAD, a limit for bodies, a problem where nothing else answered, metrics.

Plain ASGI, since Starlette's BaseHTTPMiddleware costs two thirds of the speed.
"""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect

from notary.api import problems
from notary.api.unread import PIECE, Unread
from notary.errors import TooLarge
from notary.observe import REQUEST_SECONDS

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = structlog.get_logger()
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # What may be kept says so itself.
    "Cache-Control": "no-store",
}
FIXED_HEADERS = tuple((name.lower().encode(), value.encode()) for name, value in _HEADERS.items())
# Methods that a stranger made up would be a label of the metrics each.
_METHODS = ("GET", "HEAD", "POST", "OPTIONS")


class Around:
    """The outermost layer of the application."""

    def __init__(self, app: App, max_body: int, broken: problems.Broken, unread: Unread) -> None:
        self.app = app
        self.max_body = max_body
        self.broken = broken
        self.unread = unread

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; whatever happens, the answer is a problem at worst."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status, sent = time.perf_counter(), 500, False
        # HEAD is GET without its body, which the server leaves away by the method that it was sent.
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        long: list[bytes | memoryview] = []  # what is left to be sent

        async def with_headers(message: Message) -> None:
            nonlocal sent, status
            if message["type"] == "http.response.start":
                sent, status = True, message["status"]
                _complete(message)
            elif len(message.get("body", b"")) > PIECE and not message.get("more_body", False):
                long.append(message["body"])  # once nothing here holds it any more
                return
            await send(message)

        try:
            if self.broken.error is not None:
                await problems.stopped()(inner, receive, with_headers)
            elif _announced(scope) > self.max_body:
                await problems.too_large(self.max_body)(inner, receive, with_headers)
            else:
                await self.app(inner, _limited(receive, self.max_body), with_headers)
        except ClientDisconnect:
            status = 499  # nobody is there to be answered; the number is nginx's, for the metrics
        except Exception as error:
            self.broken.see(error)
            if sent:
                raise  # too late for a problem: the server breaks the connection off
            await problems.fault(error)(inner, receive, with_headers)
        finally:
            route = getattr(inner.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            REQUEST_SECONDS.labels(method, route, str(status)).observe(time.perf_counter() - started)
        if long:
            await self.unread.send(send, long.pop(), inner.get("state", {}).get("tenant_id"))


def _complete(message: Message) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)


def _limited(receive: Receive, limit: int) -> Receive:
    total = 0

    async def limited() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise TooLarge(f"the request is larger than {limit} bytes; send the digests instead")
        return message

    return limited


def _announced(scope: Scope) -> int:
    # The server has refused whatever is no number, and holds the client to its word.
    value = Headers(scope=scope).get("Content-Length", "0")
    return int(value) if value.isascii() and value.isdecimal() else 0
