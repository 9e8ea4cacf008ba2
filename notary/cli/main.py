"""Assembles the commands; those of the service are loaded only where the extra `server` is installed."""

import sys
from importlib.util import find_spec
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from notary import __version__
from notary.cli import verify
from notary.errors import NotaryError, ToolMissing

_REMOTE = ("submit", "status", "proof", "package", "report")
_LOCAL = ("serve", "worker", "dev", "setup", "trust", "fsck", "erase", "incidents", "anchor", "key", "tenant")
_ANY_ARGUMENTS = {"allow_extra_args": True, "ignore_unknown_options": True}
_HAS_SERVER = all(find_spec(name) for name in ("fastapi", "sqlmodel", "web3", "httpx"))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


def _root(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and stop.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    pass


def _missing() -> None:
    raise ToolMissing("this command is part of the service: install notary[server]")


def _assemble(wanted: str | None) -> typer.Typer:
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Evidence that verifies without us.",
    )
    app.callback()(_root)
    app.command("verify")(verify.command)
    # `notary verify` is for people who have the base package, and must not pay for, nor fail by, the rest.
    if wanted != "verify":
        _add_server_commands(app, wanted)
    return app


def _add_server_commands(app: typer.Typer, wanted: str | None) -> None:
    if not _HAS_SERVER:
        for name in (*_REMOTE, *_LOCAL):
            app.command(name, hidden=True, context_settings=_ANY_ARGUMENTS)(_missing)
        return
    # Each part costs seconds to load: a client need not wait for the service's libraries.
    if wanted not in _LOCAL:
        from notary.cli import remote  # noqa: PLC0415 - the base package has no server dependencies

        remote.add_to(app)
    if wanted not in _REMOTE:
        from notary.cli.operate import add_to  # noqa: PLC0415 - as above

        add_to(app)


def main() -> None:
    """Run a command; our errors are one line on standard error and exit status 2."""
    try:
        _assemble(sys.argv[1] if len(sys.argv) > 1 else None)()
    except NotaryError as error:
        # A message may hold square brackets of its own.
        Console(stderr=True, highlight=False).print(
            f"[red]{error.code}[/red]: {escape(str(error))}", markup=True
        )
        sys.exit(2)
