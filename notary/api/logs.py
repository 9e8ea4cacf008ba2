"""GET /log/…: the log as C2SP tlog-tiles, and its attested heads."""

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from notary.api import cors, immutable
from notary.api.answers import Octets, PlainTextResponse, Response
from notary.api.auth import ServicesDep
from notary.evidence.number import parse_number, show_number
from notary.evidence.trust_statement import MAX_VERSIONS
from notary.services.incidents import MAX_PAGE, IncidentView
from notary.services.types import Anchors

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


@router.get("/.well-known/notary-trust", response_class=PlainTextResponse)
def trust_statement(
    request: Request,
    services: ServicesDep,
    version: Annotated[int | None, Query(ge=1, le=MAX_VERSIONS, description="none: the newest")] = None,
) -> Response:
    """What verifiers are asked to trust, signed by the log: the newest version, or one of the earlier ones."""
    note = services.trust_statements.read(version)
    age = "public, max-age=60" if version is None else immutable.FOR_EVER
    return immutable.answer(request, note, PlainTextResponse, age)


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


@router.get("/log/incidents")
def incidents(
    services: ServicesDep,
    response: Response,
    after: Annotated[
        str | None, Query(max_length=24, description="number of the last incident that is known")
    ] = None,
) -> dict[str, Any]:
    """Promises of receipts that the operator broke, as it says in the log, oldest first; `next` is the cursor.

    `subject` is the first entry of the commit group whose promise it was. Its proof is that of a public record.
    """
    response.headers.update({"Cache-Control": "public, max-age=5", **cors.HEADERS})
    found = services.incidents.page("" if after is None else parse_number(after))
    return {
        "incidents": [incident_json(item, services.anchors) for item in found],
        "next": show_number(found[-1].record.number) if len(found) == MAX_PAGE else None,
    }


def incident_json(item: IncidentView, anchors: Anchors) -> dict[str, Any]:
    """An incident, as everybody may read it."""
    return {
        "number": show_number(item.record.number),
        "kind": item.kind,
        "subject": None if item.subject is None else item.subject.hex(),
        "detail": item.detail,
        "statement": item.record.statement.decode(),
        "openings": item.openings,
        "index": item.record.index,
        "state": item.record.stage(anchors),
    }
