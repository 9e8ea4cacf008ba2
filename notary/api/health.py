"""Operation: liveness, readiness, metrics."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from notary.api.auth import ServicesDep

router = APIRouter(tags=["operation"])


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(services: ServicesDep) -> JSONResponse:
    """Every step moves; 503 and the names of those that do not otherwise."""
    found = services.health.look()
    body: dict[str, Any] = {
        "status": "late" if found.late else "ok",
        "late": found.late,
        "failing": found.failing,
        "incidents": found.incidents,
    }
    return JSONResponse(body, 503 if found.late else 200, {"Cache-Control": "no-store"})


@router.get("/metrics", response_class=PlainTextResponse)
def metrics() -> Response:
    """Prometheus metrics of this process."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
