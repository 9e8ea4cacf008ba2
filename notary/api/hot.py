"""The busiest call, by itself: one digest as JSON. What is not of that form goes the way of all others.

Each layer of a framework costs as much here as the work itself. So this one reads the body, matches it whole,
and answers with headers that stand ready; it counts itself, too. Everything else about a submission is in
`notary.api.submit`, and the answers are the same bytes.
"""

import re
import time
from hashlib import sha256
from typing import Any

from notary.api.auth import known_principal
from notary.api.middleware import FIXED_HEADERS
from notary.observe import REQUEST_SECONDS
from notary.services import Services

PATH = "/v1/evidence"
_MAX_BODY = 512
_MAX_TOKEN = 120
# The form that clients send: a digest, perhaps a size. Strict, so that it says what the general reader would say. The
# spaces between are those of JSON, to which a form feed is none.
_BODY = re.compile(
    rb'~\{~"digests"~:~\{~"sha-256"~:~"([0-9a-f]{64})"~\}~(?:,~"size"~:~([1-9][0-9]{0,14})~)?\}~'.replace(
        b"~", rb"[ \t\n\r]*"
    )
)
_NOTHING = sha256(b"").hexdigest().encode()
_JSON = (b"application/json", b"application/json; charset=utf-8")
_HEADERS = ((b"content-type", b"application/json"), *FIXED_HEADERS)


class Unread(Exception):
    """Not of this form; `body` is what was read of it, and `more` whether more is to come."""

    def __init__(self, body: bytes, *, more: bool) -> None:
        super().__init__()
        self.body = body
        self.more = more


async def single(services: Services, scope: Any, receive: Any, send: Any) -> None:
    """Answer one request, if it is of this form and nothing is wrong with it.

    Raises:
        Unread: it is for the general reader, which is also the one that says what is wrong.
    """
    started = time.perf_counter()
    token = _token(scope)
    principal = None if token is None else known_principal(services, token, "submit")
    if principal is None or scope["query_string"]:
        raise Unread(b"", more=True)
    message = await receive()
    body, more = message.get("body", b""), message.get("more_body", False)
    found = None if more or len(body) > _MAX_BODY else _BODY.fullmatch(body)
    if message["type"] != "http.request" or found is None or not services.submitting.writer.known:
        raise Unread(body, more=more)
    digest, size = found.groups()
    if digest == _NOTHING:
        raise Unread(body, more=False)
    answer = await services.submitting.digest(principal, digest.decode(), None if size is None else int(size))
    headers = [*_HEADERS, (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
    _SECONDS.observe(time.perf_counter() - started)


def _token(scope: Any) -> str | None:
    """The API key, where the headers are those of this form."""
    token, plain = None, False
    for name, value in scope["headers"]:
        if name == b"authorization":
            if token is not None:
                return None
            token = value
        elif name == b"content-type":
            plain = value in _JSON
        elif name == b"idempotency-key":
            return None
    if token is None or not plain or not token.startswith(b"Bearer nk_") or len(token) > _MAX_TOKEN:
        return None
    text: str = token[7:].decode("latin-1")
    return text


def again(error: Unread, receive: Any) -> Any:
    """A `receive` that begins with what was read already."""
    first: list[bytes] | None = None if error.more and not error.body else [error.body]

    async def replayed() -> Any:
        if first:
            return {"type": "http.request", "body": first.pop(), "more_body": error.more}
        return await receive()

    return replayed


_SECONDS = REQUEST_SECONDS.labels("POST", PATH, "202")
