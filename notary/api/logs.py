"""GET /log/…: the log as C2SP tlog-tiles, and its attested heads."""

import base64
from typing import Any

from fastapi import APIRouter, Request

from notary.api import cors, immutable
from notary.api.answers import Octets, PlainTextResponse, Response
from notary.api.auth import ServicesDep

router = APIRouter(tags=["log"])


@router.get("/log/checkpoint", response_class=PlainTextResponse)
def checkpoint(request: Request, services: ServicesDep) -> Response:
    """The newest signed checkpoint."""
    return immutable.answer(request, services.tiles.checkpoint(), PlainTextResponse, "public, max-age=2")


@router.get("/log/tile/entries/{path:path}", response_class=Octets)
def bundle(path: str, request: Request, services: ServicesDep) -> Response:
    """An entry bundle; it never changes."""
    data = services.tiles.read(f"tile/entries/{path}")
    return immutable.answer(request, data, Octets, compressible=True)


@router.get("/log/tile/{path:path}", response_class=Octets)
def tile(path: str, request: Request, services: ServicesDep) -> Response:
    """A hash tile; it never changes."""
    return immutable.answer(request, services.tiles.read(f"tile/{path}"), Octets)


@router.get("/log/anchors")
def anchors(services: ServicesDep, response: Response) -> dict[str, Any]:
    """Attested heads, newest first: checkpoint, token or chain evidence of each, in base64."""
    response.headers.update({"Cache-Control": "public, max-age=5", **cors.HEADERS})
    return {
        "anchors": [
            {
                "anchor": item.anchor,
                "kind": item.kind,
                "size": item.size,
                "state": item.state,
                "checkpoint": base64.b64encode(item.note).decode(),
                "evidence": base64.b64encode(item.evidence).decode(),
            }
            for item in services.records.attested_heads()
        ]
    }
