"""What a stranger may call: look-up by digest, and verification."""

import json
from dataclasses import replace
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request

from notary.api import cors, forms
from notary.api.answers import Json, Response
from notary.api.auth import KEY, ServicesDep, services_of, viewer
from notary.api.plain import PlainRoute
from notary.api.schemas import Lookup
from notary.evidence.digests import parse_digest
from notary.evidence.fields import show_moment
from notary.evidence.number import show_number
from notary.services import Services
from notary.services import verifying as limits
from notary.services.types import Found, Grown, Viewer

router = APIRouter(tags=["public"])
_FILE = {
    "type": "object",
    "required": [forms.FILE],
    "properties": {forms.FILE: {"type": "string", "format": "binary"}},
}


async def lookup(request: Request) -> Response:
    """Records of a document that we saw, by its SHA-256 or SM3: earliest first, organisations alike.

    Apart from them, records of documents whose earlier revision this is: their first bytes, and not they themselves.
    Records that the asker may not see are not mentioned: not found means not found here, never forged.
    """
    services = services_of(request)
    algorithm, digest = request.path_params["algorithm"], request.path_params["digest"]
    value = parse_digest(algorithm, digest)
    asker = replace(await viewer(request, services), digest=(algorithm, value))
    found = await to_thread.run_sync(_found, services, algorithm, value, asker)
    body = {"algorithm": algorithm, "digest": value.hex(), **found}
    return Json(json.dumps(body, ensure_ascii=False, separators=(",", ":")), headers=cors.HEADERS)


# It stands before the framework's own, which describes it in the OpenAPI document.
plain = (PlainRoute("/v1/lookup/{algorithm}/{digest}", lookup, methods=["GET"]),)
_PATH = {
    "parameters": [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in ("algorithm", "digest")
    ]
}
router.get(plain[0].path, response_model=Lookup, openapi_extra=_PATH, dependencies=[KEY])(lookup)


@router.post(
    "/v1/verify",
    openapi_extra={"requestBody": {"required": True, "content": {forms.MEDIA_TYPE: {"schema": _FILE}}}},
)
async def verify(request: Request, services: ServicesDep) -> dict[str, Any]:
    """Check a package, a proof or a report, with this service's own trust file.

    The result is our word. For a result that does not rest on it, run `notary verify` with a trust file from
    elsewhere.
    """
    verifying = services.verifying
    with verifying.place(), request.app.state.rooms.room(None) as most:
        async with forms.read_form(request, verifying.spool, {}, limits.BODY_SECONDS, most) as form:
            limiter = request.app.state.verifications
            report = await to_thread.run_sync(verifying.verify, form.file, limiter=limiter)
    return report.to_json()


def _found(services: Services, algorithm: str, value: bytes, asker: Viewer) -> dict[str, Any]:
    shown: dict[str, Any] = {"records": [], "earlier_revisions": []}
    for each in services.records.lookup(algorithm, value, asker):
        if each.earlier is None:
            shown["records"].append(_public(services, each))
        else:
            told = _told(each) if isinstance(each, Grown) else _public(services, each)
            of = {name: getattr(each.earlier, name) for name in ("revision", "revisions", "length")}
            shown["earlier_revisions"].append(told | of)
    return shown


def _told(grown: Grown) -> dict[str, Any]:
    withheld = dict.fromkeys(("entry", "statement", "state", "proof"))
    return {"number": show_number(grown.number), "received": show_moment(grown.received), **withheld}


def _public(services: Services, found: Found) -> dict[str, Any]:
    record, proof = found.record, services.packages.proof_found(found)
    return {
        "number": show_number(record.number),
        "entry": record.entry.hex(),
        "statement": record.statement.decode(),
        "received": show_moment(record.received),
        "state": record.stage(services.anchors),
        "proof": None if proof is None else proof.decode(),
    }
