"""Commands that speak to a service: submit, status, proof, package, report."""

import io
import json
import mimetypes
import secrets
import sys
from contextlib import closing
from enum import StrEnum
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from notary.cli.client import Client
from notary.cli.state import table_of, wait_for
from notary.cli.submitting import Selection, submit_many
from notary.errors import DigestMismatch, RequestError
from notary.evidence.assemble import assemble
from notary.evidence.bodies import Document
from notary.evidence.package import read_package
from notary.evidence.package_names import STATEMENT
from notary.evidence.statement import parse_statement

Url = Annotated[str | None, typer.Option(help="Address of the service; else NOTARY_URL.")]
KeyFile = Annotated[Path | None, typer.Option(help="File with your API key; else NOTARY_API_KEY_FILE.")]
Number = Annotated[str, typer.Argument(help="Record number.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Out = Annotated[Path | None, typer.Option(help="Where to write; standard output otherwise.")]
Open = Annotated[
    list[str] | None,
    typer.Option("--open", help="A commitment to open, such as title; again for each; or all, or none."),
]


class ProofFormat(StrEnum):
    """How a proof is written."""

    TLOG_PROOF = "tlog-proof"
    COSE = "cose"
    JSON = "json"
    OTS = "ots"


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("submit")(submit)
    app.command("status")(status)
    app.command("package")(package)
    app.command("proof")(proof)
    app.command("report")(report)


def submit(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Documents, or folders: of every file in one, the digest.")
    ] = None,
    url: Url = None,
    key_file: KeyFile = None,
    title: Annotated[str | None, typer.Option(help="Committed, not shown.")] = None,
    visibility: Annotated[str | None, typer.Option(help="by-document, by-code, public or private.")] = None,
    from_file: Annotated[
        Path | None,
        typer.Option(help="Digests of the files listed there, one path a line; - for standard input."),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(help="Where digests sent and answers are kept; else beside the folder or list."),
    ] = None,
    receipts: Annotated[
        Path | None, typer.Option(help="Folder for receipt and statement of each file of a folder or list.")
    ] = None,
    again: Annotated[
        bool, typer.Option(help="Record a document once more that was recorded before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Submit documents and print their record numbers; of folders and lists the digests alone leave this machine."""
    paths = files or []
    if not paths and from_file is None:
        raise RequestError("name documents, a folder, or a list of files with --from-file")
    common = {
        key: value for key, value in (("title", title), ("visibility", visibility)) if value is not None
    }
    many = from_file is not None or any(path.is_dir() for path in paths)
    _refuse_others(many=many, of_many=bool(journal or receipts), of_one=again)
    with closing(Client(url, key_file)) as client:
        if many:
            selected = Selection(paths, from_file, journal, receipts)
            submit_many(client, selected, common, as_json=as_json)
            return
        for path in paths:
            _submit_one(client, path, common, again=again, as_json=as_json)


def _refuse_others(*, many: bool, of_many: bool, of_one: bool) -> None:
    if not many and of_many:
        raise RequestError("--journal and --receipts are for folders and lists")
    if many and of_one:
        raise RequestError(
            "--again is for documents; a folder or list is recorded anew with another --journal"
        )


def _submit_one(client: Client, path: Path, common: dict[str, str], *, again: bool, as_json: bool) -> None:
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    try:
        with path.open("rb") as stream:
            digest = file_digest(stream, "sha256").hexdigest()
            stream.seek(0)
            request = {"digests": {"sha-256": digest}, **common}  # compared with the bytes that arrive
            key = secrets.token_hex(16) if again else _key_of(request, media_type)
            answer = client.submit_file(stream, path.name, json.dumps(request), key, media_type)
    except OSError as error:
        raise RequestError(f"{path}: {error.strerror}") from error
    if as_json:
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        return
    number, close_by = escape(answer["number"]), escape(answer["close_by"])
    # On one line however long the path is: scripts read it.
    Console(soft_wrap=True, highlight=False).print(
        f"[bold]{number}[/]  {escape(str(path))}  (in the log by {close_by})"
    )


def _key_of(request: dict[str, Any], media_type: str) -> str:
    """The same for the same request: who repeats the command after a lost answer makes no second record."""
    whole = json.dumps([request, media_type], sort_keys=True)
    return f"notary-submit-{sha256(whole.encode()).hexdigest()}"


def status(
    number: Number,
    url: Url = None,
    key_file: KeyFile = None,
    wait: Annotated[bool, typer.Option(help="Wait until nothing is due any more.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait at most.")] = 3600,
    as_json: AsJson = False,
) -> None:
    """Show where a record stands and what is still due."""
    with closing(Client(url, key_file)) as client:
        state = wait_for(client, number, timeout) if wait else client.state(number)
    if as_json:
        sys.stdout.write(json.dumps(state, ensure_ascii=False, indent=2) + "\n")
    else:
        Console().print(table_of(state))


def package(
    number: Number,
    url: Url = None,
    key_file: KeyFile = None,
    document: Annotated[Path | None, typer.Option(help="Put this document into the package.")] = None,
    heads: Annotated[
        str | None,
        typer.Option(help="Sizes of the checkpoints to prove it under, with commas: the same always."),
    ] = None,
    opened: Open = None,
    out: Out = None,
) -> None:
    """Download the evidence package of a record; without --open all its commitments are opened."""
    with closing(Client(url, key_file)) as client:
        asked: dict[str, str | list[str]] = {} if heads is None else {"heads": heads}
        data = client.download(number, "package", asked | ({"open": opened} if opened else {}))
    if document is not None:
        data = with_document(data, document)
    _write(data, out)


def proof(
    number: Number,
    url: Url = None,
    key_file: KeyFile = None,
    form: Annotated[
        ProofFormat, typer.Option("--format", help="cose and ots are verified beside statement and proof.")
    ] = ProofFormat.TLOG_PROOF,
    size: Annotated[
        int | None, typer.Option(min=1, help="Of the checkpoint; else the first that serves.")
    ] = None,
    opened: Open = None,
    out: Out = None,
) -> None:
    """Download the proof of a record; --open is for the JSON form, which opens nothing without it."""
    asked: dict[str, str | list[str]] = {"format": form.value}
    if size is not None:
        asked["size"] = str(size)
    if opened:
        asked["open"] = opened
    with closing(Client(url, key_file)) as client:
        data = client.download(number, "proof", asked)
    _write(data, out)


def report(
    number: Number,
    url: Url = None,
    key_file: KeyFile = None,
    validation: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Instead, of the document's signature at this place: the report of ETSI TS 119 102-2, XML.",
        ),
    ] = None,
    out: Out = None,
) -> None:
    """Download the report of a record."""
    with closing(Client(url, key_file)) as client:
        data = client.download(number, "report" if validation is None else f"validation/{validation}")
    _write(data, out)


def with_document(data: bytes, document: Path) -> bytes:
    """The same package with the document in it.

    Raises:
        RequestError: the document cannot be read.
        DigestMismatch: the record is of another one.
    """
    files = read_package(io.BytesIO(data)).files
    try:
        content = document.read_bytes()
    except OSError as error:
        raise RequestError(f"{document}: {error.strerror}") from error
    body = parse_statement(files[STATEMENT]).body
    if not isinstance(body, Document) or body.digests["sha-256"] != sha256(content).hexdigest():
        raise DigestMismatch(f"{document} is not the document of this record")
    return assemble(files, (document.name, content))


def _write(data: bytes, out: Path | None) -> None:
    if out is None:
        sys.stdout.buffer.write(data)
        return
    try:
        out.write_bytes(data)
    except OSError as error:
        raise RequestError(f"{out}: {error.strerror}") from error
