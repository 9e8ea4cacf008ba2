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

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Evidence that verifies without us.",
)
app.command("verify")(verify.command)

_SERVER_COMMANDS = (
    "serve",
    "worker",
    "dev",
    "setup",
    "submit",
    "status",
    "proof",
    "package",
    "report",
    "fsck",
)
_HAS_SERVER = all(find_spec(name) for name in ("fastapi", "sqlmodel", "web3", "httpx"))


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def _missing() -> None:
    raise ToolMissing("this command is part of the service: install notary[server]")


def _add_server_commands() -> None:
    if not _HAS_SERVER:
        for name in _SERVER_COMMANDS:
            app.command(name, hidden=True)(_missing)
        return
    from notary.cli import remote  # noqa: PLC0415 - the base package has no server dependencies
    from notary.cli.operate import add_to  # noqa: PLC0415

    add_to(app)
    remote.add_to(app)


def main() -> None:
    """Run a command; our errors are one line on standard error and exit status 2."""
    try:
        # `notary verify` is for people who have the base package, and must not pay for, nor fail by, the rest.
        if sys.argv[1:2] != ["verify"]:
            _add_server_commands()
        app()
    except NotaryError as error:
        # A message may hold square brackets of its own.
        Console(stderr=True, highlight=False).print(
            f"[red]{error.code}[/red]: {escape(str(error))}", markup=True
        )
        sys.exit(2)
