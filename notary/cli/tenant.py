"""Customer organisations and their API keys."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from notary import wiring
from notary.cli.folder import AsJson, DataDir, settings_of
from notary.evidence.fields import show_moment
from notary.services.tenants import SCOPES, Tenants
from notary.store.tenants import ApiKey

Scopes = Annotated[list[str] | None, typer.Option("--scope", help="submit, read, report; all by default.")]
Expires = Annotated[
    datetime | None,
    typer.Option(
        help="From when on the key is no longer good, UTC; never by default.",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"],
    ),
]


def add_to(group: typer.Typer) -> None:
    """Add the commands of this module."""
    group.command("add")(tenant_add)
    group.command("key")(tenant_key)
    group.command("revoke")(tenant_revoke)
    group.command("list")(tenant_list)


def tenant_add(
    name: Annotated[str, typer.Argument(help="Name of the organisation.")],
    scope: Scopes = None,
    expires: Expires = None,
    data_dir: DataDir = None,
) -> None:
    """Add an organisation and print its API key: now, and never again."""
    with _tenants(data_dir) as tenants:
        sys.stdout.write(tenants.add(name, tuple(scope or SCOPES), _utc(expires)) + "\n")


def tenant_key(
    name: Annotated[str, typer.Argument(help="Name of the organisation.")],
    scope: Scopes = None,
    expires: Expires = None,
    data_dir: DataDir = None,
) -> None:
    """Give an organisation a further API key and print it."""
    with _tenants(data_dir) as tenants:
        sys.stdout.write(tenants.give_key(name, tuple(scope or SCOPES), _utc(expires)) + "\n")


def tenant_revoke(
    key_id: Annotated[str, typer.Argument(help="What stands between the underscores of the key.")],
    data_dir: DataDir = None,
) -> None:
    """Revoke an API key, at once and for ever."""
    with _tenants(data_dir) as tenants:
        tenants.revoke_key(key_id)


def tenant_list(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List organisations and their keys; of a key its ID, which opens nothing."""
    with _tenants(data_dir) as tenants:
        now = wiring.now()
        found: list[dict[str, Any]] = [
            {
                "name": tenant.name,
                "added": show_moment(tenant.created_at),
                "keys": [_shown(key, now) for key in api_keys],
            }
            for tenant, api_keys in tenants.list()
        ]
    if as_json:
        sys.stdout.write(json.dumps({"organisations": found}, indent=2, ensure_ascii=False) + "\n")
        return
    for each in found:
        sys.stdout.write(f"{each['name']}, added {each['added']}\n")
        for key in each["keys"]:
            end = "" if key["expires"] is None else f", expires {key['expires']}"
            sys.stdout.write(
                f"  {key['id']} {key['state']}: {' '.join(key['scopes'])}, from {key['added']}{end}\n"
            )


def _shown(key: ApiKey, now: datetime) -> dict[str, Any]:
    state = "good" if key.good_at(now) else "expired" if key.revoked_at is None else "revoked"
    return {
        "id": key.id,
        "state": state,
        "scopes": sorted(key.scopes),
        "added": show_moment(key.created_at),
        "expires": None if key.expires_at is None else show_moment(key.expires_at),
        "revoked": None if key.revoked_at is None else show_moment(key.revoked_at),
    }


def _utc(expires: datetime | None) -> datetime | None:
    return None if expires is None else expires.replace(tzinfo=UTC)


@contextmanager
def _tenants(data_dir: Path | None) -> Iterator[Tenants]:
    database, _ = wiring.open_made(settings_of(data_dir))
    try:
        yield Tenants(database, wiring.now)
    finally:
        database.dispose()
