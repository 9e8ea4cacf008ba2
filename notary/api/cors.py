"""Which addresses other origins' pages may read, and the answer when they ask."""

from fastapi import APIRouter, Request

from notary.api.answers import Response

HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Retry-After",
}
_PUBLIC = ("/log/", "/v1/lookup/", "/.well-known/notary-trust")
_PREFLIGHT = HEADERS | {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    # No Authorization: a page of another origin has no business with an API key.
    "Access-Control-Allow-Headers": "If-None-Match, Notary-Lookup-Code",
    "Access-Control-Max-Age": "86400",
    "Cache-Control": "public, max-age=86400",
}

router = APIRouter()


def headers_for(path: str) -> dict[str, str]:
    """What lets other origins read the answer to a request for `path`: nothing, unless it is public."""
    return HEADERS if path.startswith(_PUBLIC) else {}


async def preflight(_request: Request) -> Response:
    """A browser asks before a request with headers of its own."""
    return Response(status_code=204, headers=_PREFLIGHT)


# One by one: with a pattern for all of them, an address of nothing would be one that takes OPTIONS.
for _path in (
    "/log/checkpoint",
    "/log/anchors",
    "/log/incidents",
    "/.well-known/notary-trust",
    "/log/tile/{path:path}",
    "/log/proof/inclusion",
    "/log/proof/consistency",
    "/v1/lookup/{algorithm}/{digest}",
):
    router.options(_path, include_in_schema=False)(preflight)
