"""POST /v1/evidence: JSON with digests or an event, or multipart with the file; and many at once."""

import io
from contextlib import AbstractAsyncContextManager
from functools import partial
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from notary.api import bodies, forms
from notary.api.auth import KEY, principal_of, services_of
from notary.api.schemas import Accepted, AcceptedBulk, SubmitRequest
from notary.errors import FormatError, RequestError
from notary.evidence.canonical import loads_unordered
from notary.intake.values import LIGHT_BYTES, MAX_VALUES, has_few, is_light
from notary.services import Services, bulk, submitting
from notary.services.types import Principal
from notary.services.wanted import Repeat, Wanted

router = APIRouter()
SINGLE = "/v1/evidence"
BULK = "/v1/evidence/bulk"
_MAX_KEY = 200
_JSON = "application/json"
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": _MAX_KEY},
    "description": "the same request with the same key is answered alike and makes no second record",
}
_ON_DUPLICATE = {
    "name": "on_duplicate",
    "in": "query",
    "schema": {"type": "string", "enum": ["return"]},
    "description": "answer with the record of an equal request that was sent so, too; not together with a key",
}
_SCHEMA = {
    "parameters": [_IDEMPOTENCY_KEY, _ON_DUPLICATE],
    "requestBody": {
        "required": True,
        "content": {
            _JSON: {"schema": SubmitRequest.model_json_schema(ref_template="#/components/schemas/{model}")},
            forms.MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "request": {"type": "string", "description": "the JSON request, where it is needed"},
                    },
                }
            },
        },
    },
}


_BULK_SCHEMA = {
    "parameters": [_IDEMPOTENCY_KEY],
    "requestBody": {
        "required": True,
        "content": {
            _JSON: {
                "schema": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 10_000,
                    "items": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256"},
                }
            },
            "application/x-ndjson": {
                "schema": {
                    "type": "string",
                    "description": "a JSON object in each of 1 to 10,000 lines, with the fields of a submission; "
                    "`sha-256` may stand in place of `digests`",
                }
            },
        },
    },
}


@router.post(
    SINGLE,
    status_code=HTTPStatus.ACCEPTED,
    response_model=Accepted,
    dependencies=[KEY],
    openapi_extra=_SCHEMA,
    tags=["evidence"],
)
async def submit(request: Request) -> Response:
    """Submit a document, its digests, or an event. The answer is sent after everything in it is durable."""
    services = services_of(request)
    principal = await principal_of(request, services, "submit")
    repeat = _repeat(request)
    media_type = _media_type(request)
    if media_type == forms.MEDIA_TYPE:
        answer = await _multipart(request, services, principal, repeat)
    elif media_type == _JSON:
        answer = await _digests(request, services, principal, repeat)
    else:
        raise RequestError(f"the Content-Type is {_JSON}, or {forms.MEDIA_TYPE} with the document")
    return Response(answer, HTTPStatus.ACCEPTED, media_type=_JSON)


@router.post(
    BULK,
    status_code=HTTPStatus.ACCEPTED,
    response_model=AcceptedBulk,
    dependencies=[KEY],
    openapi_extra=_BULK_SCHEMA,
    tags=["evidence"],
)
async def submit_bulk(request: Request) -> Response:
    """Submit up to 10,000 digests or events, all or none, under one signed promise."""
    services = services_of(request)
    principal = await principal_of(request, services, "submit")
    repeat = _repeat(request)
    if repeat.return_equal:
        raise RequestError("on_duplicate is not for bulk requests; send an Idempotency-Key")
    media_type = _media_type(request)
    limit = services.bulk.limit(media_type)
    with services.bulk.place(principal):
        seconds, instead = bulk.BODY_SECONDS, "send fewer lines at a time"
        async with _received(request, services, principal, limit, seconds, instead) as body:
            answer = await services.bulk.submit(principal, media_type, body.take, repeat.key)
    return Response(answer, HTTPStatus.ACCEPTED, media_type=_JSON)


def _media_type(request: Request) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


async def _digests(request: Request, services: Services, principal: Principal, repeat: Repeat) -> bytes:
    submit, limit, seconds = services.submitting, services.max_request_bytes, submitting.BODY_SECONDS
    instead = "send a file as multipart/form-data"
    async with _received(request, services, principal, limit, seconds, instead) as body:
        if not body.light:
            with submit.place_of(principal, body.size):
                return await submit.heavy_digests(principal, lambda: _read(body.take()), repeat)
        data = body.take()
        if is_light(data):
            return await submit.digests(principal, wanted(parse(data)), repeat)
        return await submit.heavy_digests(principal, partial(_read, data), repeat)


async def _multipart(request: Request, services: Services, principal: Principal, repeat: Repeat) -> bytes:
    spool, limit = services.submitting.intake.spool, services.max_request_bytes
    seconds = services.submitting.body_seconds
    with services.submitting.place(principal), _rooms(request).room(principal.tenant_id) as most:
        async with forms.read_form(request, spool, {"request": limit}, seconds, most) as form:
            body = form.fields.get("request", io.BytesIO(b"{}"))
            start = body.read(LIGHT_BYTES + 1)  # a light one is in memory
            body.seek(0)
            return await services.submitting.document(
                principal,
                lambda: _read(body.read()),
                form.file,
                form.media_type,
                repeat,
                light=is_light(start),
            )


def _rooms(request: Request) -> bodies.Rooms:
    rooms: bodies.Rooms = request.app.state.rooms
    return rooms


def _received(
    request: Request, services: Services, who: Principal, limit: int, seconds: float, instead: str
) -> AbstractAsyncContextManager[bodies.Body]:
    spool = services.submitting.intake.spool
    return bodies.received(request, spool, _rooms(request), who.tenant_id, limit, seconds, instead)


def _repeat(request: Request) -> Repeat:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= _MAX_KEY and key.isascii() and key.isprintable()):
        raise RequestError(f"an Idempotency-Key has 1 to {_MAX_KEY} printable ASCII characters")
    wish = request.query_params.get("on_duplicate")
    if wish not in (None, "return"):
        raise RequestError("on_duplicate takes the value 'return', or is left away")
    return Repeat(key, return_equal=wish is not None)


def _read(body: bytes) -> Wanted:
    return wanted(parse(body))


def wanted(request: SubmitRequest) -> Wanted:
    """The request without its wire form; values to commit to stand apart."""
    values = request.model_dump(exclude_none=True)
    plain = {name: values.pop(name) for name in tuple(values) if name in Wanted.__slots__}
    return Wanted(**plain, fields=values)


def parse(body: bytes) -> SubmitRequest:
    """The request in `body`.

    Raises:
        RequestError: not JSON, more values than a request may have, a duplicate key, an unknown field, or a value that
            is not of its form.
    """
    if not has_few(body):
        raise RequestError(
            f"the request has more than {MAX_VALUES:,} values; submit them as a document, or as its digest"
        )
    try:
        return SubmitRequest.model_validate(loads_unordered(body, len(body)))
    except FormatError as error:
        raise RequestError(f"the request is not usable JSON: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "request"
        raise RequestError(f"{where}: {first['msg']}") from error
