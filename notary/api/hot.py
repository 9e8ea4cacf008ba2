"""The busiest call, by itself: one digest as JSON, past framework and ASGI. All else goes the way of all calls.

Each layer of a framework costs as much here as the work itself. So `notary.api.quick` reads the head, and this the
body, matches it whole, hands it to the writer, and answers with headers that stand ready; it counts itself, too.
Everything else about a submission is in `notary.api.submit`, and the answers are the same bytes.
"""

import asyncio
import re
import time
from collections.abc import Callable
from hashlib import sha256
from http import HTTPStatus

from starlette.responses import Response

from notary.api import problems
from notary.api.auth import known_principal
from notary.api.middleware import FIXED_HEADERS
from notary.errors import NotaryError
from notary.intake.submission import Accepted
from notary.observe import REQUEST_SECONDS
from notary.services import Services

PATH = "/v1/evidence"
MAX_BODY = 512
# The form that clients send: a digest, perhaps a size. Strict, so that it says what the general reader would say. The
# spaces between are those of JSON, to which a form feed is none.
_BODY = re.compile(
    rb'~\{~"digests"~:~\{~"sha-256"~:~"([0-9a-f]{64})"~\}~(?:,~"size"~:~([1-9][0-9]{0,14})~)?\}~'.replace(
        b"~", rb"[ \t\n\r]*"
    )
)
_NOTHING = sha256(b"").hexdigest().encode()
_FIXED = b"".join(b"%b: %b\r\n" % each for each in FIXED_HEADERS)
_ACCEPTED = (
    b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\n" + _FIXED + b"content-length: %d\r\n"
)

Send = Callable[[bytes, bytes], None]


class Hot:
    """Answers requests of this form.

    Args:
        services: what answers.
        broken: whether the disk has failed.
    """

    def __init__(self, services: Services, broken: problems.Broken) -> None:
        self.services = services
        self.broken = broken

    def take(self, token: str, body: bytes, send: Send) -> bool:
        """Take a request, if it is of this form and nothing is wrong with it: else the general reader says what is.

        Args:
            token: the API key.
            body: all of it.
            send: is called once, later and in this loop, with a head, to which the server adds its own headers and an
                empty line, and a body.
        """
        started = time.perf_counter()
        found = _BODY.fullmatch(body) if len(body) <= MAX_BODY and self.broken.error is None else None
        if found is None or not self.services.submitting.writer.known:
            return False
        digest, size = found.groups()
        if digest == _NOTHING:
            return False
        told = _Told(self, send, started)
        try:
            principal = known_principal(self.services, token, "submit")
            if principal is None:
                return False
            self.services.submitting.begin(
                principal,
                bytes.fromhex(digest.decode()),
                None if size is None else int(size),
                told,
                asyncio.get_running_loop(),
            )
        except NotaryError:
            return False  # nothing was queued
        return True


class _Told:
    """Who waits for one answer, as `notary.intake.told.Told`."""

    __slots__ = ("hot", "over", "send", "started")

    def __init__(self, hot: Hot, send: Send, started: float) -> None:
        self.hot, self.send, self.started = hot, send, started
        self.over = False

    def done(self) -> bool:
        """Whether it was answered; whether anybody still listens is looked at when it is sent."""
        return self.over

    def set_result(self, result: list[Accepted]) -> None:
        """It is durable."""
        answer = self.hot.services.submitting.said(result)
        self.over = True  # a second answer would be taken for that to the next request
        self.send(_ACCEPTED % len(answer), answer)
        _SECONDS.observe(time.perf_counter() - self.started)

    def set_exception(self, exception: Exception) -> None:
        """It is not, or that is not certain: the same problem that the general reader would send."""
        self.over = True
        self.hot.broken.see(exception)
        answer = (
            problems.answer(exception) if isinstance(exception, NotaryError) else problems.fault(exception)
        )
        self.send(head_of(answer), bytes(answer.body))
        status = str(answer.status_code)
        REQUEST_SECONDS.labels("POST", PATH, status).observe(time.perf_counter() - self.started)


def head_of(answer: Response) -> bytes:
    """Status line and headers of an answer, with those that every answer has."""
    given = {name for name, _ in answer.raw_headers}
    headers = [*answer.raw_headers, *(each for each in FIXED_HEADERS if each[0] not in given)]
    status = HTTPStatus(answer.status_code)
    first = f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()
    return first + b"".join(b"%b: %b\r\n" % each for each in headers)


_SECONDS = REQUEST_SECONDS.labels("POST", PATH, "202")
