"""GET /log/…: the log as C2SP tlog-tiles, and its attested heads."""

import base64
from typing import Any

from fastapi import APIRouter

from notary.api.answers import Octets, PlainTextResponse, Response
from notary.api.auth import ServicesDep

router = APIRouter(tags=["log"])
_FOR_EVER = "public, max-age=31536000, immutable"
_CORS = {"Access-Control-Allow-Origin": "*"}


@router.get("/log/checkpoint", response_class=PlainTextResponse)
def checkpoint(services: ServicesDep) -> Response:
    """The newest signed checkpoint."""
    headers = {"Cache-Control": "public, max-age=2", **_CORS}
    return PlainTextResponse(services.tiles.checkpoint(), headers=headers)


@router.get("/log/tile/{path:path}", response_class=Octets)
def tile(path: str, services: ServicesDep) -> Response:
    """A tile or an entry bundle; both never change."""
    data = services.tiles.read(f"tile/{path}")
    return Octets(data, headers={"Cache-Control": _FOR_EVER, **_CORS})


@router.get("/log/anchors")
def anchors(services: ServicesDep, response: Response) -> dict[str, Any]:
    """Attested heads, newest first: checkpoint, token or chain evidence of each, in base64."""
    response.headers.update({"Cache-Control": "public, max-age=5", **_CORS})
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
