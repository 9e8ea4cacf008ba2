"""GET /v1/evidence…: lists, states and everything that is taken out of a record."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import StringConstraints

from notary.api.answers import Pdf, PlainTextResponse, Response, Statement, Xml, Zip
from notary.api.auth import Reader, Reporter, ServicesDep, ViewerDep
from notary.api.schemas import RecordPage, RecordState
from notary.evidence.fields import show_moment
from notary.evidence.number import parse_number, show_number
from notary.services.exports import Format
from notary.services.opening import ALL, MAX_WORDS, NONE, chosen
from notary.services.types import Anchors, RecordView

router = APIRouter(tags=["evidence"])
_MAX_PAGE = 200
SIZE = "^[1-9][0-9]{0,17}$"  # one form for each number
SIZES = "^[1-9][0-9]{0,17}(,[1-9][0-9]{0,17}){0,15}$"  # as many heads as a package holds
_PRIVATE = {"Cache-Control": "private, no-store"}
_PROOFS = {
    Format.TLOG_PROOF: "text/plain; charset=utf-8",
    Format.COSE: 'application/cose; cose-type="cose-sign1"',  # RFC 9052 §2
    Format.JSON: "application/json",
    Format.OTS: "application/octet-stream",
}
_OPEN = "commitments to open: names, several with commas between them or one by one; or all or none"
Word = Annotated[str, StringConstraints(max_length=2000)]


@router.get("/v1/evidence")
def list_records(
    services: ServicesDep,
    principal: Reader,
    cursor: Annotated[str | None, Query(max_length=24, description="number after which to go on")] = None,
    limit: Annotated[int, Query(ge=1, le=_MAX_PAGE)] = 50,
    type_: Annotated[str | None, Query(alias="type", pattern="^(document|event|inspection|report)$")] = None,
    digest: Annotated[str | None, Query(pattern="^[0-9a-fA-F]{64}$", description="SHA-256")] = None,
) -> RecordPage:
    """The organisation's own records, oldest first."""
    after = parse_number(cursor) if cursor else None
    wanted = bytes.fromhex(digest) if digest else None
    views = services.records.page(
        principal.tenant_id, after=after, limit=limit + 1, kind=type_, sha256=wanted
    )
    more = show_number(views[limit - 1].number) if len(views) > limit else None
    shown = [_state(view, principal.tenant_id, services.anchors) for view in views[:limit]]
    return RecordPage(records=shown, next=more)


@router.get("/v1/evidence/{number}")
def state(number: str, services: ServicesDep, viewer: ViewerDep) -> RecordState:
    """Where a record stands, and what is still due."""
    view = services.records.view(parse_number(number), viewer)
    return _state(view, viewer.tenant_id, services.anchors)


@router.get("/v1/evidence/{number}/statement", response_class=Statement)
def statement(number: str, services: ServicesDep, viewer: ViewerDep) -> Response:
    """The canonical bytes of the statement and nothing else."""
    data = services.records.view(parse_number(number), viewer).statement
    return Statement(data, headers=_PRIVATE)


@router.get("/v1/evidence/{number}/receipt", response_class=PlainTextResponse)
def receipt(number: str, services: ServicesDep, principal: Reader) -> Response:
    """The receipt that the submission was answered with."""
    data = services.records.receipt(parse_number(number), principal.tenant_id)
    return PlainTextResponse(data, headers=_PRIVATE)


@router.get(
    "/v1/evidence/{number}/proof",
    response_class=PlainTextResponse,
    responses={200: {"content": {kind: {} for kind in _PROOFS.values()}}},
)
def proof(
    number: str,
    services: ServicesDep,
    viewer: ViewerDep,
    size: Annotated[
        str | None,
        Query(pattern=SIZE, description="of the checkpoint; else the first that covers the record"),
    ] = None,
    format_: Annotated[
        Format,
        Query(alias="format", description="tlog-proof and json carry the statement; cose and ots do not"),
    ] = Format.TLOG_PROOF,
    open_: Annotated[
        list[Word] | None,
        Query(alias="open", max_length=MAX_WORDS, description=f"{_OPEN}; else none. For json"),
    ] = None,
) -> Response:
    """The proof under one checkpoint: a tlog-proof, a COSE receipt, JSON, or an OpenTimestamps file over it."""
    known = parse_number(number)
    choice = chosen(open_ or (), NONE)
    made = services.exports.export(known, viewer, format_, None if size is None else int(size), choice)
    # Whose checkpoint an OpenTimestamps file is over is not to be seen in it.
    ending = f"{made.size}.ots" if format_ is Format.OTS else format_.value
    return Response(made.data, headers=_download(known, ending), media_type=_PROOFS[format_])


@router.get("/v1/evidence/{number}/package", response_class=Zip)
def package(
    number: str,
    services: ServicesDep,
    viewer: ViewerDep,
    heads: Annotated[
        str | None,
        Query(
            pattern=SIZES,
            description="sizes of checkpoints; else of each anchor the first that covers the record",
        ),
    ] = None,
    open_: Annotated[
        list[Word] | None, Query(alias="open", max_length=MAX_WORDS, description=f"{_OPEN}; else all")
    ] = None,
) -> Response:
    """The evidence package, without the document; openings, receipt and report only for who submitted it."""
    known = parse_number(number)
    sizes = None if heads is None else [int(size) for size in heads.split(",")]
    data = services.packages.package(known, viewer, sizes, chosen(open_ or (), ALL))
    return Zip(data, headers=_download(known, "zip"))


@router.get("/v1/evidence/{number}/report", response_class=Pdf)
def report(number: str, services: ServicesDep, principal: Reporter) -> Response:
    """The report, a PDF in 简体中文 and English."""
    known = parse_number(number)
    data = services.reports.report(known, principal.tenant_id)
    return Pdf(data, headers=_download(known, "pdf"))


@router.get("/v1/evidence/{number}/validation/{position}", response_class=Xml)
def validation(
    number: str,
    position: Annotated[
        int, Path(ge=1, le=64, description="of the signature, from 1, as the inspection lists them")
    ],
    services: ServicesDep,
    principal: Reader,
) -> Response:
    """The validation report on a signature of one's own document (ETSI TS 119 102-2), as it was when inspected."""
    known = parse_number(number)
    data = services.records.validation(known, principal.tenant_id, position - 1)
    return Xml(data, headers=_download(known, f"validation-{position}.xml"))


def _state(view: RecordView, tenant_id: int | None, anchors: Anchors) -> RecordState:
    """A record as it goes over the wire to an organisation, or to a stranger, where these anchors are."""
    own = tenant_id is not None and tenant_id == view.tenant_id
    attestations = [
        {
            "anchor": item.anchor,
            "kind": item.kind,
            "size": item.size,
            "state": item.state,
            "updated": show_moment(item.updated),
            # In the words of nodes and authorities, which name hosts of ours and count our wallet's nonces.
            "detail": item.detail if own else "",
        }
        for item in view.attestations
    ]
    digests = (("sha-256", view.sha256), ("sm3", view.sm3))
    return RecordState.model_validate(
        {
            "number": show_number(view.number),
            "type": view.type,
            "entry": view.entry.hex(),
            "received": show_moment(view.received),
            "visibility": view.visibility,
            "digests": {name: value.hex() for name, value in digests if value is not None},
            "index": view.index,
            "closed": show_moment(view.closed) if view.closed else None,
            "size": view.size,
            "attestations": attestations,
            "inspection": view.inspection,
            "due": view.due(anchors),
        }
    )


def _download(number: str, ending: str) -> dict[str, str]:
    name = f"{show_number(number)}.{ending}"
    return {"Content-Disposition": f'attachment; filename="{name}"', **_PRIVATE}
