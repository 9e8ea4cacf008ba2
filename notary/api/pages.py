"""The public pages: what this is, verification in the browser, and the page of a record number."""

from collections.abc import MutableMapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.staticfiles import StaticFiles

from notary.api.auth import ServicesDep, viewer
from notary.api.problems import status_of
from notary.api.words import LANGUAGES, choose_language, script_words, tag, words
from notary.errors import BadDigest, BadNumber, NotaryError, NotFound, Unavailable, UnknownAlgorithm
from notary.evidence.fields import show_moment
from notary.evidence.number import parse_number, show_number
from notary.services import Services

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_STATIC = Path(__file__).parent / "static"
_FOR_EVER = "public, max-age=31536000, immutable"
_CHANGES = {"Cache-Control": "no-cache", "Vary": "Accept-Language"}
# Depends on a digest or a code in the request, which no cache may keep.
_PRIVATE = {"Cache-Control": "no-store", "Vary": "Accept-Language"}

_templates = Environment(
    loader=PackageLoader("notary.api"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@router.get("/")
def home(request: Request, services: ServicesDep) -> Response:
    """What this service is, and where to go."""
    return _page(request, services, "home.html")


@router.get("/verify")
def verify(request: Request, services: ServicesDep) -> Response:
    """A file is hashed in the browser, looked up, and its proof checked there; or a package is uploaded."""
    return _page(request, services, "verify.html", number=None, view=None)


@router.get("/e/{number}")
async def record(number: str, request: Request, services: ServicesDep) -> Response:
    """The page of a record number; it says whether there is one only to who may see it."""
    try:
        known = parse_number(number)
    except BadNumber as error:
        return _page(request, services, "mistyped.html", error=error, typed=number[:64])
    view, trouble = None, None
    try:
        asker = await viewer(request, services)
        view = await run_in_threadpool(services.records.view, known, asker)
    except (NotFound, BadDigest, UnknownAlgorithm):
        pass  # one page for all who may not see it, whether it is there or not
    except Unavailable as error:
        trouble = error
    shown = {"number": show_number(known), "view": view, "stage": view and view.stage(services.anchors)}
    return _page(request, services, "record.html", headers=_PRIVATE, error=trouble, **shown)


def mount(app: FastAPI) -> None:
    """Serve scripts, styles and pictures; the address names their content, so browsers may keep them."""
    app.mount("/static", _Static(directory=_STATIC), name="static")


@cache
def fingerprint() -> str:
    """First 16 hexadecimal characters of a SHA-256 over everything in static/."""
    digest = sha256()
    for path in sorted(path for path in _STATIC.rglob("*") if path.is_file()):
        name = path.relative_to(_STATIC).as_posix()
        digest.update(name.encode() + b"\0" + sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


class _Static(StaticFiles):
    """/static/<fingerprint>/<name>; another fingerprint gets what there is now, and must ask again."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        version, _, name = path.partition("/")
        answer = await super().get_response(name, scope)
        answer.headers["Cache-Control"] = _FOR_EVER if version == fingerprint() else "no-cache"
        return answer


def _page(
    request: Request,
    services: Services,
    template: str,
    *,
    headers: dict[str, str] = _CHANGES,
    error: NotaryError | None = None,
    **values: Any,
) -> Response:
    asked = request.query_params.get("lang")
    language = choose_language(asked, request.headers.get("Accept-Language", ""))
    content = _templates.get_template(template).render(
        **values,
        t=words(language)["page"],
        words=script_words(language),
        tag=tag(language),
        # Links go on in a language that was chosen by hand, and leave the other visitors to their browser.
        lang=f"?lang={language}" if asked in LANGUAGES else "",
        other=next(name for name in LANGUAGES if name != language),
        path=request.url.path,
        static=f"/static/{fingerprint()}",
        origin=services.origin,
        operator=services.operator,
        embedded=services.embedded,
        vkeys=[key.vkey for key in services.packages.prover.all_keys()],
        moment=show_moment,
    )
    return HTMLResponse(content, 200 if error is None else status_of(error).value, headers)
