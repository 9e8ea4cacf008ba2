"""Commands of whoever runs the service."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from rich.console import Console
from rich.progress import Progress

from notary import observe, wiring
from notary.api.app import create_app, settle
from notary.api.quick import config
from notary.cli import anchor, incidents, key, setup, tenant, trust
from notary.cli.folder import AsJson, DataDir, settings_of
from notary.embedded import dev
from notary.embedded.guard import one_process
from notary.errors import Fatal, RequestError
from notary.evidence.number import parse_number, show_number
from notary.intake.spool import Spool
from notary.services.erasing import Erasing
from notary.settings import Settings
from notary.settings.loading import load_settings
from notary.wiring.checking import check_log
from notary.worker import Worker

console = Console(highlight=False)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    observe.to_standard_error()
    app.command("serve")(serve)
    app.command("worker")(worker)
    app.command("dev")(run_dev)
    app.command("setup")(setup.command)
    app.command("trust")(trust.command)
    app.command("fsck")(check)
    app.command("erase")(erase)
    app.command("incidents")(incidents.command)
    anchor.add_to(_group(app, "anchor", "Who attests to heads, and the contract that they are anchored in."))
    key.add_to(_group(app, "key", "Keys of the log: made, changed, told of."))
    tenant.add_to(_group(app, "tenant", "Customer organisations and their API keys."))


def _group(app: typer.Typer, name: str, words: str) -> typer.Typer:
    group = typer.Typer(no_args_is_help=True, help=words)
    app.add_typer(group, name=name)
    return group


def serve() -> None:
    """Run the API. Any number of these may run on one PostgreSQL database."""
    observe.set_up(human=sys.stderr.isatty())
    settings = load_settings()
    with one_process(settings):
        _serve(settings)


def _serve(settings: Settings) -> None:
    assembly = wiring.build(settings, working=False)
    observe.without_worker()
    failed: list[Fatal] = []

    def stop(error: Fatal) -> None:
        failed.append(error)
        server.should_exit = True

    app = create_app(assembly.services, stop)
    server = uvicorn.Server(config(app, host=settings.host, port=settings.port))
    try:
        settle()
        server.run()
    finally:
        assembly.close()
    if failed:
        raise failed[0]


def worker() -> None:
    """Run the worker: closes batches, inspects, stamps, anchors. One works, further ones wait."""
    observe.set_up(human=sys.stderr.isatty())
    settings = load_settings()
    with one_process(settings):
        assembly = wiring.build(settings)
        loop = Worker(assembly.steps, beat=assembly.beat)
        dev.on_signal(loop.stop.set)
        try:
            with observe.metrics_at(settings.metrics_host, settings.metrics_port):
                loop.run()
        finally:
            assembly.close()


def run_dev(
    data_dir: Annotated[Path, typer.Option(help="Folder in which everything lies.")] = Path("data"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
) -> None:
    """Run everything in one process, with a local chain and a local TSA. Its anchors prove nothing."""
    observe.set_up(human=sys.stderr.isatty())

    def ready(url: str) -> None:
        console.print(f"[bold]{url}[/]  (Ctrl-C stops it; data in {data_dir})")
        console.print("[yellow]The local chain and TSA prove nothing. 本地链与时间戳无证明力。[/]")

    dev.run(data_dir.resolve(), host, port, ready)


def check(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Re-read everything that is stored and compare it. Exit status 1 where something does not agree."""
    settings = settings_of(data_dir)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, Any] = {}

        def tell(what: str, count: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=None)
            progress.update(tasks[what], completed=count, description=f"{what}: {count}")

        result = check_log(settings, tell)
    if as_json:
        sys.stdout.write(json.dumps({"problems": result.problems, "counts": result.counts}, indent=2) + "\n")
    else:
        for problem in result.problems:
            console.print(f"[red]{problem}[/]")
        counts = ", ".join(f"{count} {what}" for what, count in result.counts.items())
        console.print(f"{len(result.problems)} problems; looked at {counts}")
    raise typer.Exit(1 if result.problems else 0)


def erase(
    number: Annotated[str, typer.Argument(help="Record number.")],
    names: Annotated[list[str] | None, typer.Option("--name", help="Commitment, such as holder.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that the record committed to.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Erase what commitments of a record open, for ever; every proof stays valid."""
    if bool(names) == everything:
        raise RequestError("name what is to be erased with --name, or all of it with --all")
    settings = settings_of(data_dir)
    database, _ = wiring.open_made(settings)
    spool = Spool(settings.temp_dir, settings.spool_reserve_bytes)
    try:
        erased = Erasing(database, spool.discard).erase(parse_number(number), None if everything else names)
    finally:
        database.dispose()
    console.print(f"erased {', '.join(erased)} of {show_number(parse_number(number))}")
