"""Customer organisations and their API keys."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from notary import wiring
from notary.cli.folder import DataDir, settings_of
from notary.services.tenants import SCOPES, Tenants

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


def _utc(expires: datetime | None) -> datetime | None:
    return None if expires is None else expires.replace(tzinfo=UTC)


@contextmanager
def _tenants(data_dir: Path | None) -> Iterator[Tenants]:
    database, _ = wiring.open_stores(settings_of(data_dir))
    try:
        yield Tenants(database, wiring.now)
    finally:
        database.dispose()
