"""What a stranger may call: look-up by digest, and verification."""

from typing import Annotated, Any

from fastapi import APIRouter, File, UploadFile
from fastapi.responses import Response

from notary.api.auth import ServicesDep, ViewerDep
from notary.api.schemas import Lookup, PublicRecord
from notary.evidence.digests import parse_digest
from notary.evidence.fields import show_moment
from notary.evidence.number import show_number
from notary.services import Services
from notary.services.types import RecordView, Viewer

router = APIRouter(tags=["public"])
_CORS = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}


@router.get("/v1/lookup/{algorithm}/{digest}")
def lookup(
    algorithm: str, digest: str, services: ServicesDep, viewer: ViewerDep, response: Response
) -> Lookup:
    """Records of a document that we saw, by its SHA-256 or SM3: earliest first, organisations alike.

    Records that the asker may not see are not mentioned: not found means not found here, never forged.
    """
    value = parse_digest(algorithm, digest)
    response.headers.update(_CORS)
    asker = Viewer(viewer.tenant_id, (algorithm, value), viewer.code)
    records = [_public(services, view, asker) for view in services.records.lookup(algorithm, value, asker)]
    return Lookup(algorithm=algorithm, digest=value.hex(), records=records)


@router.post("/v1/verify")
def verify(file: Annotated[UploadFile, File()], services: ServicesDep, response: Response) -> dict[str, Any]:
    """Check a package, a proof or a report, with this service's own trust file.

    The result is our word. For a result that does not rest on it, run `notary verify` with a trust file from
    elsewhere.
    """
    response.headers.update(_CORS)
    return services.verifying.verify(file.file).to_json()


def _public(services: Services, view: RecordView, asker: Viewer) -> PublicRecord:
    proof = services.packages.proof(view.number, asker).decode() if view.index is not None else None
    return PublicRecord.model_validate(
        {
            "number": show_number(view.number),
            "entry": view.entry.hex(),
            "statement": view.statement.decode(),
            "received": show_moment(view.received),
            "state": view.stage(),
            "proof": proof,
        }
    )
