"""Answers that never change: strong ETag, 304, and gzip where it helps."""

import gzip
import re
from hashlib import sha256

from fastapi import Request

from notary.api import cors
from notary.api.answers import Response

FOR_EVER = "public, max-age=31536000, immutable"
_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e]*")')
_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_NO_BODY = 304


def answer(
    request: Request,
    data: bytes,
    kind: type[Response],
    cache_control: str = FOR_EVER,
    *,
    compressible: bool = False,
) -> Response:
    """`data` for whoever has it not yet, else 304.

    Args:
        request: its If-None-Match and Accept-Encoding are looked at.
        data: the bytes; the same for the same address, for as long as `cache_control` says.
        kind: gives the media type.
        cache_control: how long caches may keep it.
        compressible: send it as gzip to whoever takes that. Hashes do not compress.
    """
    headers = {"Cache-Control": cache_control, **cors.HEADERS}
    tag = sha256(data).hexdigest()[:32]
    zipped = compressible and takes_gzip(request.headers.get("Accept-Encoding", ""))
    if compressible:
        headers["Vary"] = "Accept-Encoding"
    # Two representations are two strong tags (RFC 9110 §8.8.3.3).
    headers["ETag"] = f'"{tag}-gzip"' if zipped else f'"{tag}"'
    if matches(request.headers.get("If-None-Match", ""), headers["ETag"]):
        return Response(status_code=_NO_BODY, headers=headers)
    if zipped:
        headers["Content-Encoding"] = "gzip"
        # No time in it: the same bytes each time, as a strong tag promises.
        data = gzip.compress(data, mtime=0)
    return kind(data, headers=headers)


def matches(header: str, tag: str) -> bool:
    """Whether If-None-Match names `tag`, by weak comparison (RFC 9110 §13.1.2)."""
    return header.strip() == "*" or tag in _TAG.findall(header)


def takes_gzip(header: str) -> bool:
    """Whether Accept-Encoding takes gzip, and not less gladly than no coding (RFC 9110 §12.5.3)."""
    qualities = {}
    for item in header.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        quality = next((value[2:] for value in parameters if value.startswith("q=")), "1")
        qualities[name] = float(quality) if _QUALITY.fullmatch(quality) else 0.0
    wanted = qualities.get("gzip", qualities.get("*", 0.0))
    return wanted > 0 and wanted >= qualities.get("identity", 0.0)
