"""GET /log/proof/…: proofs about the log itself, at any published size.

These are asked for by the thousand, so they are plain routes: what is in memory is answered at once, without a
thread and without the framework's reading of parameters.
"""

import json
import re
from binascii import b2a_base64
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request

from notary.api import immutable
from notary.api.answers import Json, Response
from notary.api.auth import services_of
from notary.api.plain import PlainRoute
from notary.api.schemas import LogConsistency, LogInclusion
from notary.errors import RequestError
from notary.services.log_proofs import Head

router = APIRouter(tags=["log"])
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")  # one form for each; below 10^18
_NEWEST = "public, max-age=2"


async def inclusion(request: Request) -> Response:
    """Entry `index` is in the log at `size` (RFC 9162 §2.1.3); without `size`, at the newest checkpoint."""
    index, size = _numbers(request, "index", "size")
    proofs = services_of(request).log_proofs
    try:
        found = proofs.inclusion_held(index, size)
    except KeyError:
        found = await to_thread.run_sync(proofs.inclusion, index, size)
    body = {
        "index": found.index,
        "leaf_hash": _base64(found.leaf_hash),
        **_head(found.head),
        "path": [_base64(node) for node in found.path],
    }
    return _answer(request, body, lasting=size is not None)


async def consistency(request: Request) -> Response:
    """The log at `old` begins the log at `new` (RFC 9162 §2.1.4); without `new`, at the newest checkpoint."""
    old, new = _numbers(request, "old", "new")
    proofs = services_of(request).log_proofs
    try:
        found = proofs.consistency_held(old, new)
    except KeyError:
        found = await to_thread.run_sync(proofs.consistency, old, new)
    body = {
        "old": _head(found.old),
        "new": _head(found.new),
        "path": [_base64(node) for node in found.path],
    }
    return _answer(request, body, lasting=new is not None)


def _head(head: Head) -> dict[str, Any]:
    note = None if head.note is None else _base64(head.note)
    return {"size": head.size, "root": _base64(head.root), "checkpoint": note}


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode()


def _numbers(request: Request, required: str, optional: str) -> tuple[int, int | None]:
    """Two parameters, each once and in one form, and no others: an address is one answer's.

    Raises:
        RequestError: anything else.
    """
    given = request.query_params.multi_items()
    values = dict(given)
    if len(values) != len(given) or not {required} <= values.keys() <= {required, optional}:
        raise RequestError(f"send {required}, and {optional} or not, each once, and nothing else")
    for name, value in given:
        if not _NUMBER.fullmatch(value):
            raise RequestError(f"{name} must be a decimal number below 10^18, without sign or leading zeros")
    last = values.get(optional)
    return int(values[required]), None if last is None else int(last)


def _answer(request: Request, body: dict[str, Any], *, lasting: bool) -> Response:
    data = json.dumps(body, separators=(",", ":")).encode()
    return immutable.answer(request, data, Json, immutable.FOR_EVER if lasting else _NEWEST)


# They stand before the framework's own, which describe them in the OpenAPI document.
plain = (
    PlainRoute("/log/proof/inclusion", inclusion, methods=["GET"]),
    PlainRoute("/log/proof/consistency", consistency, methods=["GET"]),
)


def _parameters(required: str, optional: str) -> dict[str, Any]:
    schema = {"type": "string", "pattern": f"^({_NUMBER.pattern})$"}
    return {
        "parameters": [
            {"name": required, "in": "query", "required": True, "schema": schema},
            {"name": optional, "in": "query", "required": False, "schema": schema},
        ]
    }


router.get(plain[0].path, response_model=LogInclusion, openapi_extra=_parameters("index", "size"))(inclusion)
router.get(plain[1].path, response_model=LogConsistency, openapi_extra=_parameters("old", "new"))(consistency)
