"""`notary verify FILE`: against a trust file of the verifier's own, offline unless he names whom to ask for blocks."""

import io
import json
import re
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console

from notary.cli.asking import ask, sources_of
from notary.cli.controls import show_controls
from notary.cli.given import Given, given_files
from notary.cli.shown import show
from notary.errors import EvidenceError, Fatal, FormatError, NotaryError, RequestError
from notary.evidence.exports import package_of_cose, package_of_ots
from notary.evidence.incoming import MOST_BESIDE, Kind, kind_of, read_evidence
from notary.evidence.outcome import Outcome, Report
from notary.evidence.package import Package
from notary.evidence.statement import MAX_STATEMENT
from notary.evidence.trust import with_answers
from notary.evidence.verify import unreadable, verify

EXIT = {Outcome.PASSED: 0, Outcome.FAILED: 1, Outcome.UNCHECKED: 2}
_INTERRUPTED = 130
_OTHER = (
    "this is neither an evidence package (.zip) nor a proof (.tlog-proof, .json, .cose, .ots). Give one of these: a "
    "statement or a receipt is checked inside its package, a document or a report with --document beside it"
)

_File = Annotated[
    Path, typer.Argument(help="An evidence package (.zip) or a proof (.tlog-proof, .json, .cose, .ots).")
]
_Document = Annotated[Path | None, typer.Option(help="The document, where the package does not hold it.")]
_Trust = Annotated[Path | None, typer.Option(help="Your trust file. Trust is taken from nowhere else.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
_Controls = Annotated[
    bool, typer.Option("--controls", help="Also try the package's controls: each must fail as it says.")
]
_Statement = Annotated[Path | None, typer.Option(help="Of a COSE receipt: the statement.")]
_Proof = Annotated[
    Path | None,
    typer.Option(help="Of an OpenTimestamps file: a .tlog-proof or JSON proof under its checkpoint."),
]
_Nodes = Annotated[
    list[str] | None,
    typer.Option(
        "--node",
        help="Address (JSON-RPC) of a node that you trust: its blocks count as those of your trust file. Repeatable.",
    ),
]
_Explorers = Annotated[
    list[str] | None,
    typer.Option("--explorer", help="The same of the API of an explorer, as Etherscan has it. Repeatable."),
]
_Private = Annotated[
    bool,
    typer.Option(
        "--allow-private", help="With --node or --explorer: http, this machine and private networks, too."
    ),
]


def command(
    file: _File,
    document: _Document = None,
    trust: _Trust = None,
    as_json: _AsJson = False,
    controls: _Controls = False,
    statement: _Statement = None,
    proof: _Proof = None,
    node: _Nodes = None,
    explorer: _Explorers = None,
    private: _Private = False,
) -> None:
    """Check evidence, offline without --node and --explorer. Exit status: 0 passed, 1 failed, 2 neither.

    2 stands for what could not be checked, and for what is no evidence. With --controls it is 1, too, where a control
    does not fail as stated; then no result is printed as JSON.
    """
    try:
        sources = sources_of(node or (), explorer or (), allow_private=private)
        given = given_files(document, trust)
        if sources and given.trust is None:
            raise RequestError(
                "--node and --explorer need --trust: it says which chain and contract are meant"
            )
        package, report = check_file(file, given, statement=statement, proof=proof)
        if package is not None and given.trust is not None and (answers := ask(sources, report.blocks)):
            given = replace(given, trust=with_answers(given.trust, answers))
            report = verify(package, given.trust, given.document)
        stands = _tell(package, given, report, as_json=as_json, controls=controls)
    except NotaryError:
        raise
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None
    except Exception as error:
        # Left alone it would end with status 1, which says that the evidence failed.
        raise Fatal(
            f"the verifier itself failed ({type(error).__name__}); this says nothing of the evidence"
        ) from error
    raise typer.Exit(EXIT[Outcome.FAILED] if stands else EXIT[report.outcome])


def _tell(package: Package | None, given: Given, report: Report, *, as_json: bool, controls: bool) -> bool:
    """Write the result, and what became of the controls where they are wanted; whether one stands.

    JSON is kept and read without the table beside it: while a control stands it must not say *passed*.
    """
    if not controls or package is None:
        _write(report, as_json=as_json)
        return False
    if as_json:
        stands = not _controls(package, given, report, as_json=True)
        if not stands or report.outcome is Outcome.FAILED:
            _write(report, as_json=True)
        return stands
    _write(report, as_json=False)
    return not _controls(package, given, report, as_json=False)


def _controls(package: Package, given: Given, report: Report, *, as_json: bool) -> bool:
    """Beside the result as JSON, which is one value, the table goes to standard error."""
    console = Console(stderr=as_json, highlight=False, emoji=False)
    return show_controls(package, given.trust, given.document, report, console)


def _write(report: Report, *, as_json: bool) -> None:
    try:
        if as_json:
            # UTF-8 wherever it goes (RFC 8259 §8.1).
            sys.stdout.buffer.write((as_text(report) + "\n").encode())
        else:
            if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal may know no Chinese
                sys.stdout.reconfigure(errors="backslashreplace")
            show(report, Console(highlight=False, emoji=False))
        sys.stdout.flush()
    except OSError as error:
        raise RequestError(f"the result cannot be written: {error.strerror}") from error
    except SystemExit as error:  # how rich takes a pipe that nobody reads; its status would be 1
        raise RequestError("the result cannot be written: nobody reads it") from error


def as_text(report: Report) -> str:
    """The result as JSON that no terminal takes for a command: what does not print is escaped."""
    text = json.dumps(report.to_json(), ensure_ascii=False, indent=2)
    return re.sub(r"[^ -~\n]", lambda found: _escaped(found[0]), text)


def _escaped(character: str) -> str:
    # json.dumps leaves U+007F as it is.
    return character if character.isprintable() else json.dumps(character)[1:-1].replace("\x7f", "\\u007f")


def check_file(
    file: Path, given: Given, *, statement: Path | None = None, proof: Path | None = None
) -> tuple[Package | None, Report]:
    """Read a file, and what is to be beside it, and verify.

    Returns:
        What is in it, None where it could not be read, and the report.

    Raises:
        RequestError: a file cannot be read, what is to be beside this one was not named, or something else was.
        FormatError: it is neither a package nor a proof; nothing is said of what it is.
    """
    try:
        with file.open("rb") as stream:
            kind = kind_of(stream)
            if kind is None:
                raise FormatError(f"{file}: {_OTHER}")
            _check_beside(kind, statement, proof)
            with ExitStack() as stack:
                # Opened before anything is judged: a file that is not there is no fault of the evidence.
                beside = next((stack.enter_context(p.open("rb")) for p in (statement, proof) if p), None)
                if kind is Kind.OTS and beside and kind_of(beside) not in {Kind.PROOF, Kind.JSON}:
                    raise RequestError(f"{proof} is neither a .tlog-proof nor a JSON proof")
                try:
                    package = _package(kind, stream, beside)
                except EvidenceError as error:
                    return None, unreadable(error)
    except OSError as error:
        raise RequestError(f"{error.filename or file}: {error.strerror}") from error
    return package, verify(package, given.trust, given.document)


def _check_beside(kind: Kind, statement: Path | None, proof: Path | None) -> None:
    if (statement is not None) != (kind is Kind.COSE):
        raise RequestError("a COSE receipt is checked with --statement, and nothing else is")
    if (proof is not None) != (kind is Kind.OTS):
        raise RequestError("an OpenTimestamps file is checked with --proof, and nothing else is")


def _package(kind: Kind, stream: BinaryIO, beside: BinaryIO | None) -> Package:
    if beside is None:
        return read_evidence(stream)
    if kind is Kind.COSE:
        return package_of_cose(stream.read(MOST_BESIDE), beside.read(MAX_STATEMENT + 1))
    return package_of_ots(stream.read(MOST_BESIDE), read_evidence(beside))
