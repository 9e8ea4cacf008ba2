"""RFC 9457 problem details: the one table from our errors to HTTP statuses."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from notary import errors
from notary.api import cors

_log = structlog.get_logger()

# The most specific class counts. What is not here is a fault of ours: 500, and nothing of it is shown.
STATUSES: dict[type[errors.NotaryError], HTTPStatus] = {
    errors.EvidenceError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.RequestError: HTTPStatus.BAD_REQUEST,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.DigestMismatch: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.KeyMissing: HTTPStatus.UNAUTHORIZED,
    errors.KeyInvalid: HTTPStatus.UNAUTHORIZED,
    errors.ScopeMissing: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.NotReady: HTTPStatus.CONFLICT,
    errors.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
_RETRY_SECONDS = "5"
_SOON = dict.fromkeys((errors.Busy.code, errors.NumberTaken.code, errors.TooManyRequests.code), "1")
_RETRIED = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}
# What the framework answers by itself; any other of its statuses has the code of a wrong request.
_FRAMEWORK = {
    HTTPStatus.NOT_FOUND: (errors.NotFound.code, "there is nothing at this address"),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "method_not_allowed",
        "this address takes the methods of the header Allow",
    ),
}
_FAULT = "the service could not answer; the request can be sent again"


class Broken:
    """Whether the disk has failed under this process, or it can store nothing any more: then it must end."""

    def __init__(self, stop: Callable[[errors.Fatal], None] | None) -> None:
        self.error: errors.Fatal | None = None
        self._stop = stop

    def see(self, error: Exception) -> None:
        """Stop the process, once, if this error says so."""
        if isinstance(error, (errors.DiskFailed, errors.WriterEnded)) and self.error is None:
            self.error = error
            _log.critical("this process cannot go on; stopping", code=error.code, detail=str(error))
            if self._stop is not None:
                self._stop(error)


def install(app: FastAPI) -> None:
    """Answer every error with a problem."""
    app.add_exception_handler(errors.NotaryError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)


def problem(status: HTTPStatus, code: str, detail: str, **more: Any) -> JSONResponse:
    """A problem document; `code` is stable, `detail` says what to do next."""
    body = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "code": code,
        "detail": detail,
    }
    headers = {"Cache-Control": "no-store"}
    if status in _RETRIED or code == errors.NotReady.code:
        headers["Retry-After"] = _SOON.get(code, _RETRY_SECONDS)
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body | more, status.value, headers, media_type="application/problem+json")


def fault(error: Exception) -> JSONResponse:
    """The answer to a fault of ours: the log has all of it, the caller nothing."""
    _log.error("request failed", kind=type(error).__name__, exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, errors.NotaryError.code, _FAULT)


def stopped() -> JSONResponse:
    """The answer of a process that is about to end."""
    detail = "this process is stopping after a failure; send the request again, to another or later"
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, errors.Fatal.code, detail)


def too_large(limit: int) -> JSONResponse:
    """The answer to a body that says itself that it is over the limit; none of it is read."""
    detail = f"the request is larger than {limit} bytes; send the digests of the document instead"
    return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, errors.TooLarge.code, detail)


def status_of(error: errors.NotaryError) -> HTTPStatus:
    """The status of the most specific class that the table names."""
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def answer(error: errors.NotaryError) -> Response:
    """The answer to an error of ours."""
    status = status_of(error)
    return (
        fault(error)
        if status is HTTPStatus.INTERNAL_SERVER_ERROR
        else problem(status, error.code, str(error))
    )


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.NotaryError)  # noqa: S101 - registered for no other class
    request.app.state.broken.see(error)
    return _readable(request, answer(error))


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for no other class
    first = error.errors()[0] if error.errors() else {"loc": (), "msg": "the request is malformed"}
    where = ".".join(str(part) for part in first["loc"])
    detail = f"{where}: {first['msg']}"
    return _readable(request, problem(HTTPStatus.BAD_REQUEST, errors.RequestError.code, detail))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for no other class
    status = HTTPStatus(error.status_code)
    code, detail = _FRAMEWORK.get(status, (errors.RequestError.code, str(error.detail)))
    answer = problem(status, code, detail)
    answer.headers.update(error.headers or {})  # such as Allow
    return _readable(request, answer)


def _readable(request: Request, answer: Response) -> Response:
    """What other origins may read, they may read the problems of, too."""
    answer.headers.update(cors.headers_for(request.url.path))
    return answer
