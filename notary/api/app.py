"""The app factory."""

from collections.abc import Callable
from typing import Any

from anyio import CapacityLimiter
from fastapi import FastAPI

from notary import __version__
from notary.api import cors, health, log_proofs, logs, pages, problems, public, records, submit
from notary.api.middleware import Around
from notary.api.schemas import Problem
from notary.errors import DiskFailed
from notary.services import Services

_MULTIPART_OVERHEAD = 64 * 1024
# Packages take memory and processor time; those who wait here do not keep the other calls waiting.
_VERIFICATIONS = 4

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def create_app(services: Services, stop: Callable[[DiskFailed], None] | None = None) -> FastAPI:
    """The API and the pages over these services.

    Args:
        services: what answers.
        stop: called once the disk has failed under a request, which gets its answer; every later one is refused.
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
    app.state.verifications = CapacityLimiter(_VERIFICATIONS)
    problems.install(app)
    app.router.routes.extend(log_proofs.plain)
    for module in (submit, records, public, log_proofs, logs, health, pages, cors):
        app.include_router(module.router)
    pages.mount(app)
    max_body = max(services.max_document_bytes, services.bulk.max_bulk_bytes)
    max_body += services.max_request_bytes + _MULTIPART_OVERHEAD
    app.add_middleware(Around, max_body=max_body, broken=app.state.broken)
    return app


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        # By hand: a model given to `responses` would be described as of each route's own media type.
        document["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        return document
