"""The app factory."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders

from notary import __version__
from notary.api import health, logs, pages, problems, public, records, submit
from notary.services import Services

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_MULTIPART_OVERHEAD = 64 * 1024
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def create_app(services: Services) -> FastAPI:
    """The API and the pages over these services."""
    app = FastAPI(
        title="notary",
        version=__version__,
        description="Submit documents or their digests; take out evidence that verifies without us.",
        max_body_size=services.max_document_bytes + services.max_request_bytes + _MULTIPART_OVERHEAD,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    app.state.services = services
    problems.install(app)
    for module in (submit, records, public, logs, health, pages):
        app.include_router(module.router)
    pages.mount(app)
    app.add_middleware(SecurityHeaders)
    return app


class SecurityHeaders:
    """Adds headers to every answer; plain ASGI, since BaseHTTPMiddleware costs two thirds of the speed."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with headers."""

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)
