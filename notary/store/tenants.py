"""Customer organisations and their API keys."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, select, update

from notary.errors import Conflict, NotFound
from notary.store.sql import insert
from notary.store.tables import api_key, tenant


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer organisation."""

    id: int
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as we know it: its public id and the SHA-256 of its secret."""

    id: str
    tenant_id: int
    secret_sha256: bytes
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None  # no longer good from then on; None: never
    revoked_at: datetime | None

    def good_at(self, now: datetime) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def create_tenant(connection: Connection, name: str, now: datetime) -> Tenant:
    """Add a tenant.

    Raises:
        Conflict: there is one of that name.
    """
    statement = insert(connection, tenant).on_conflict_do_nothing().returning(tenant.c.id)
    identity = connection.execute(statement, {"name": name, "created_at": now}).scalar()
    if identity is None:
        raise Conflict(f"there is a tenant named {name!r} already")
    return Tenant(identity, name, now)


def tenants(connection: Connection) -> list[Tenant]:
    """All tenants, in the order in which they came."""
    return [Tenant(*row) for row in connection.execute(_TENANT.order_by(tenant.c.id))]


def tenant_named(connection: Connection, name: str) -> Tenant:
    """One tenant.

    Raises:
        NotFound: there is none of that name.
    """
    row = connection.execute(_TENANT.where(tenant.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"there is no tenant named {name!r}")
    return Tenant(*row)


def add_api_key(
    connection: Connection,
    key_id: str,
    tenant_id: int,
    secret_sha256: bytes,
    scopes: Iterable[str],
    now: datetime,
    expires_at: datetime | None = None,
) -> ApiKey:
    """Add a key; `key_id` is random and public, the secret itself is never stored."""
    key = ApiKey(key_id, tenant_id, secret_sha256, frozenset(scopes), now, expires_at, None)
    connection.execute(
        api_key.insert(),
        {
            "id": key_id,
            "tenant_id": tenant_id,
            "secret_sha256": secret_sha256,
            "scopes": " ".join(sorted(key.scopes)),
            "created_at": now,
            "expires_at": expires_at,
        },
    )
    return key


def find_api_key(connection: Connection, key_id: str) -> ApiKey | None:
    """A key by its public id, good or not any more; None if it never was."""
    row = connection.execute(_KEY.where(api_key.c.id == key_id)).one_or_none()
    return None if row is None else _key(row)


def api_keys(connection: Connection, tenant_id: int) -> list[ApiKey]:
    """All keys of a tenant, revoked ones too."""
    query = _KEY.where(api_key.c.tenant_id == tenant_id).order_by(api_key.c.created_at)
    return [_key(row) for row in connection.execute(query)]


def revoke_api_key(connection: Connection, key_id: str, now: datetime) -> None:
    """Revoke a key, for ever; a key that is revoked keeps its first date.

    Raises:
        NotFound: there is no such key.
    """
    if find_api_key(connection, key_id) is None:
        raise NotFound(f"there is no API key {key_id!r}")
    connection.execute(
        update(api_key).where(api_key.c.id == key_id, api_key.c.revoked_at.is_(None)).values(revoked_at=now)
    )


_KEY = select(*(api_key.c[name] for name in ApiKey.__slots__))
_TENANT = select(tenant.c.id, tenant.c.name, tenant.c.created_at)


def _key(row: Row[tuple[object, ...]]) -> ApiKey:
    values = row._asdict()
    return ApiKey(**(values | {"scopes": frozenset(values["scopes"].split())}))
