"""The app factory."""

import ctypes
import gc
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from anyio import CapacityLimiter
from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from notary import __version__
from notary.api import bodies, cors, health, hot, log_proofs, logs, pages, problems, public, records, submit
from notary.api.middleware import Around
from notary.api.schemas import Problem
from notary.api.unread import Unread
from notary.errors import Fatal, NotaryError
from notary.services import Services

_MULTIPART_OVERHEAD = 64 * 1024
# Packages take memory and processor time; those who wait here do not keep the other calls waiting.
_VERIFICATIONS = 4
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # of malloc.h

_ROUTES = {route.path: route for route in submit.router.routes if isinstance(route, APIRoute)}
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def create_app(services: Services, stop: Callable[[Fatal], None] | None = None) -> FastAPI:
    """The API and the pages over these services.

    Args:
        services: what answers.
        stop: called once the disk has failed under a request, or nothing can be stored any more; the request gets its
            answer, and every later one is refused.
    """
    app = _App(
        title="notary",
        version=__version__,
        description="Submit documents or their digests; take out evidence that verifies without us.",
        responses={"default": {"description": "a problem (RFC 9457), see docs/api.md", "content": _PROBLEM}},
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        redirect_slashes=False,  # an address is right or wrong; a redirect would name the host that was sent
    )
    app.state.services = services
    app.state.broken = problems.Broken(stop)
    app.state.rooms = bodies.Rooms()
    app.state.asking = {}  # for keys, at this moment (notary.api.auth)
    app.state.verifications = CapacityLimiter(_VERIFICATIONS)
    problems.install(app)
    app.router.routes.extend((*log_proofs.plain, *public.plain))
    for module in (submit, records, public, log_proofs, logs, health, pages, cors):
        app.include_router(module.router)
    pages.mount(app)
    max_body = services.max_document_bytes + services.max_request_bytes + _MULTIPART_OVERHEAD
    broken = app.state.broken
    unread = Unread(services.submitting.intake.spool)
    app.add_middleware(Around, max_body=max_body, broken=broken, unread=unread)
    app.direct = {
        submit.SINGLE: Around(_direct(app, submit.submit), max_body, broken, unread),
        # The endpoint has its own limits, and says what to do; this one is for what is far above them.
        submit.BULK: Around(
            _direct(app, submit.submit_bulk), max(max_body, services.bulk.max_bulk_bytes * 2), broken, unread
        ),
    }
    app.hot = hot.Hot(services, broken)
    return app


def settle() -> None:
    """Prepare a process that serves, once everything is imported and put together.

    What lives as long as the process is no longer looked at by the garbage collector, whose pauses were most of
    the slowest hundredth of submissions; and the writer's thread gets its turn ten times sooner than by default.
    The megabytes of a bulk request go back to the system when it is answered.
    """
    _give_back()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
    sys.setswitchinterval(0.0005)


def _give_back() -> None:
    """Have glibc map large pieces of memory by themselves, and make few heaps; another C library has its own ways.

    By default what it once unmapped makes the size from which it maps grow, to 32 MiB, and each thread may fill a heap
    of its own: after some hundred bulk requests the process held 100 MiB more than any of them needed. What is mapped
    by itself the kernel clears each time, page by page; so pieces below a megabyte come from the heap, which keeps four
    at its end, and the larger ones of bulk requests from `notary.intake.space`.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 1 << 20)
        mallopt(_M_TRIM_THRESHOLD, 4 << 20)
        mallopt(_M_ARENA_MAX, 2)


def _direct(app: FastAPI, endpoint: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    """An endpoint past the framework, whose stacks and dependencies cost three quarters of a submission's speed."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"], scope["route"] = app, _ROUTES[scope["path"]]
        try:
            answered = await endpoint(Request(scope, receive))
        except NotaryError as error:
            app.state.broken.see(error)
            answered = problems.answer(error)
        await answered(scope, receive, send)

    return answer


class _App(FastAPI):
    direct: dict[str, Around]  # by path, for POST
    hot: hot.Hot  # for the server (notary.api.quick)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        direct = None
        if scope["type"] == "http" and scope["method"] == "POST":
            direct = self.direct.get(scope["path"])
        if direct is None:
            await super().__call__(scope, receive, send)
            return
        await direct(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is not None:  # made once: it takes as long as twenty submissions
            return self.openapi_schema
        document = super().openapi()
        # By hand: a model given to `responses` would be described as of each route's own media type.
        document["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        return document
