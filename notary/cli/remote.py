"""Commands that speak to a service: submit, status, proof, package, report."""

import io
import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from notary.cli.client import Client
from notary.errors import NotReady, RequestError
from notary.evidence.package import read_package, write_package

Url = Annotated[str | None, typer.Option(help="Address of the service; else NOTARY_URL.")]
KeyFile = Annotated[Path | None, typer.Option(help="File with your API key; else NOTARY_API_KEY_FILE.")]
Number = Annotated[str, typer.Argument(help="Record number.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Out = Annotated[Path | None, typer.Option(help="Where to write; standard output otherwise.")]
_POLL_SECONDS = 0.5


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("submit")(submit)
    app.command("status")(status)
    app.command("package")(package)
    for what in ("proof", "report"):
        app.command(what, help=f"Download the {what} of a record.")(_downloader(what))


def submit(
    files: Annotated[list[Path], typer.Argument(help="Documents.")],
    url: Url = None,
    key_file: KeyFile = None,
    title: Annotated[str | None, typer.Option(help="Committed, not shown.")] = None,
    visibility: Annotated[str | None, typer.Option(help="by-document, by-code, public or private.")] = None,
    as_json: AsJson = False,
) -> None:
    """Submit documents and print their record numbers."""
    client = Client(url, key_file)
    request = {
        key: value for key, value in (("title", title), ("visibility", visibility)) if value is not None
    }
    for path in files:
        try:
            with path.open("rb") as stream:
                answer = client.submit_file(stream, path.name, json.dumps(request), None)
        except OSError as error:
            raise RequestError(f"{path}: {error.strerror}") from error
        if as_json:
            sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        else:
            Console().print(f"[bold]{answer['number']}[/]  {path}  (in the log by {answer['close_by']})")


def status(
    number: Number,
    url: Url = None,
    key_file: KeyFile = None,
    wait: Annotated[bool, typer.Option(help="Wait until nothing is due any more.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait at most.")] = 3600,
    as_json: AsJson = False,
) -> None:
    """Show where a record stands and what is still due."""
    client = Client(url, key_file)
    state = client.state(number)
    if wait:
        state = _wait(client, number, timeout)
    if as_json:
        sys.stdout.write(json.dumps(state, ensure_ascii=False, indent=2) + "\n")
    else:
        Console().print(table_of(state))


def package(
    number: Number,
    url: Url = None,
    key_file: KeyFile = None,
    document: Annotated[Path | None, typer.Option(help="Put this document into the package.")] = None,
    out: Out = None,
) -> None:
    """Download the evidence package of a record."""
    data = Client(url, key_file).download(number, "package")
    if document is not None:
        data = with_document(data, document)
    _write(data, out)


def with_document(data: bytes, document: Path) -> bytes:
    """The same package with the document in it.

    Raises:
        RequestError: the document cannot be read.
    """
    files = dict(read_package(io.BytesIO(data)).files)
    files.pop("manifest.json", None)
    try:
        return write_package(files, (document.name, document.read_bytes()))
    except OSError as error:
        raise RequestError(f"{document}: {error.strerror}") from error


def table_of(state: dict[str, Any]) -> Table:
    """A record's state as a table."""
    table = Table("", "", box=None, show_header=False)
    table.add_row("number 编号", state["number"])
    table.add_row("entry", state["entry"])
    table.add_row(
        "in the log 入册", f"{state['closed']} as entry {state['index']}" if state["closed"] else "due"
    )
    for item in state["attestations"]:
        table.add_row(
            item["anchor"], f"{item['state']}, head {item['size']}, {item['updated']} {item['detail']}"
        )
    table.add_row("inspection 签名检查", state["inspection"])
    table.add_row("still due 待完成", ", ".join(state["due"]) or "nothing 无")
    return table


def _wait(client: Client, number: str, timeout: float) -> dict[str, Any]:
    deadline = time.monotonic() + timeout
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("")
        while (state := client.state(number))["due"]:
            if time.monotonic() > deadline:
                raise NotReady(
                    f"after {timeout:.0f} s these are still due: {', '.join(state['due'])}; ask again later"
                )
            progress.update(task, description=f"waiting for {', '.join(state['due'])}")
            time.sleep(_POLL_SECONDS)
    return state


def _downloader(what: str) -> Any:
    def download(number: Number, url: Url = None, key_file: KeyFile = None, out: Out = None) -> None:
        _write(Client(url, key_file).download(number, what), out)

    return download


def _write(data: bytes, out: Path | None) -> None:
    if out is None:
        sys.stdout.buffer.write(data)
        return
    try:
        out.write_bytes(data)
    except OSError as error:
        raise RequestError(f"{out}: {error.strerror}") from error
