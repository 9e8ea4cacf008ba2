"""API keys: `Authorization: Bearer nk_<id>_<secret>`, one scope for each kind of call."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPBearer

from notary.errors import KeyInvalid, KeyMissing
from notary.evidence.digests import parse_digest
from notary.services import Services
from notary.services.types import Principal, Viewer

_MAX_HEADER = 200
# Only for the OpenAPI document: `bearer` reads the header, and answers as the other calls do.
KEY = Security(HTTPBearer(scheme_name="key", description="nk_<id>_<secret>", auto_error=False))


def services_of(request: Request) -> Services:
    """The services that the app was made with."""
    services: Services = request.app.state.services
    return services


async def _services(request: Request) -> Services:
    return services_of(request)  # a dependency that is no coroutine would be called in a thread


ServicesDep = Annotated[Services, Depends(_services)]


def requires(scope: str) -> Callable[[Request, Services], Awaitable[Principal]]:
    """A dependency: the principal of the key sent, which must have `scope`."""

    async def dependency(request: Request, services: ServicesDep, _documented: object = KEY) -> Principal:
        return await principal_of(request, services, scope)

    return dependency


Reader = Annotated[Principal, Depends(requires("read"))]
Reporter = Annotated[Principal, Depends(requires("report"))]


async def principal_of(request: Request, services: Services, scope: str) -> Principal:
    """Who holds the key sent, which must have `scope`: by what was read in the last seconds, else by the database."""
    token = bearer(request)
    principal = known_principal(services, token, scope)
    if principal is None:
        principal = await _asked(request, services, token, scope)
    request.state.tenant_id = principal.tenant_id  # for what of the answer is not read (notary.api.unread)
    return principal


async def _asked(request: Request, services: Services, token: str, scope: str) -> Principal:
    # Those who come with the same key at the same time share one question.
    asking: dict[object, asyncio.Task[Principal]] = request.app.state.asking
    question = asyncio.get_running_loop(), token, scope
    task = asking.get(question)
    if task is None:
        task = asyncio.create_task(run_in_threadpool(services.tenants.authenticate, token, scope))
        asking[question] = task
        task.add_done_callback(lambda _: asking.pop(question, None))
    return await asyncio.shield(task)


def known_principal(services: Services, token: str, scope: str) -> Principal | None:
    """Who holds a key, by what was read in the last seconds; None if nothing was.

    It is read again while it still holds, beside the requests: else all that come at its end would wait for it.

    Raises:
        ScopeMissing: the key is good, but not for this.
    """
    tenants = services.tenants
    known = tenants.recent(token, scope)
    if known is not None and tenants.ageing(token):
        asyncio.get_running_loop().run_in_executor(None, tenants.read_again, token, scope)
    return known


async def viewer(request: Request, services: ServicesDep, _documented: object = KEY) -> Viewer:
    """Who asks: the key's organisation where a key is sent, else a stranger with what he presents.

    A stranger presents a digest as `?digest=sha-256:<hex>`, or a look-up code as `?code=` or in the header
    `Notary-Lookup-Code`.
    """
    principal = await principal_of(request, services, "read") if "Authorization" in request.headers else None
    shown = request.query_params.get("digest", "")
    algorithm, _, value = shown.partition(":")
    code = request.headers.get("Notary-Lookup-Code") or request.query_params.get("code")
    return Viewer(
        principal.tenant_id if principal else None,
        (algorithm, parse_digest(algorithm, value)) if shown else None,
        code[:64] if code else None,
        principal is not None and "report" in principal.scopes,
    )


ViewerDep = Annotated[Viewer, Depends(viewer)]


def bearer(request: Request) -> str:
    """The key in the Authorization header.

    Raises:
        KeyMissing: there is none.
        KeyInvalid: it is too long for one, or there are two.
    """
    sent = request.headers.getlist("Authorization")
    if len(sent) > 1:
        raise KeyInvalid("two Authorization headers were sent: send one key")
    header = sent[0] if sent else ""
    if len(header) > _MAX_HEADER:
        raise KeyInvalid("what was sent is too long for an API key")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise KeyMissing(
            "send your API key as 'Authorization: Bearer nk_…'; `notary tenant add NAME` prints one"
        )
    return token.strip()
