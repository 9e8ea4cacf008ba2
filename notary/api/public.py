"""What a stranger may call: look-up by digest, and verification."""

from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import Response

from notary.api import cors, forms
from notary.api.auth import ServicesDep, ViewerDep
from notary.api.schemas import Lookup, PublicRecord
from notary.errors import NotReady
from notary.evidence.digests import parse_digest
from notary.evidence.fields import show_moment
from notary.evidence.number import show_number
from notary.services import Services
from notary.services.types import RecordView, Viewer

router = APIRouter(tags=["public"])
_FILE = {
    "type": "object",
    "required": [forms.FILE],
    "properties": {forms.FILE: {"type": "string", "format": "binary"}},
}


@router.get("/v1/lookup/{algorithm}/{digest}")
def lookup(
    algorithm: str, digest: str, services: ServicesDep, viewer: ViewerDep, response: Response
) -> Lookup:
    """Records of a document that we saw, by its SHA-256 or SM3: earliest first, organisations alike.

    Records that the asker may not see are not mentioned: not found means not found here, never forged.
    """
    value = parse_digest(algorithm, digest)
    response.headers.update(cors.HEADERS)
    asker = Viewer(viewer.tenant_id, (algorithm, value), viewer.code)
    records = [_public(services, view) for view in services.records.lookup(algorithm, value, asker)]
    return Lookup(algorithm=algorithm, digest=value.hex(), records=records)


@router.post(
    "/v1/verify",
    openapi_extra={"requestBody": {"required": True, "content": {forms.MEDIA_TYPE: {"schema": _FILE}}}},
)
async def verify(request: Request, services: ServicesDep) -> dict[str, Any]:
    """Check a package, a proof or a report, with this service's own trust file.

    The result is our word. For a result that does not rest on it, run `notary verify` with a trust file from
    elsewhere.
    """
    async with forms.read_form(request, services.submitting.intake.spool, {}) as form:
        limiter = request.app.state.verifications
        report = await to_thread.run_sync(services.verifying.verify, form.file, limiter=limiter)
    return report.to_json()


def _public(services: Services, view: RecordView) -> PublicRecord:
    try:
        proof = services.packages.proof_of(view).decode()
    except NotReady:  # not closed, or its checkpoint is being published at this moment
        proof = None
    return PublicRecord.model_validate(
        {
            "number": show_number(view.number),
            "entry": view.entry.hex(),
            "statement": view.statement.decode(),
            "received": show_moment(view.received),
            "state": view.stage(services.anchors),
            "proof": proof,
        }
    )
