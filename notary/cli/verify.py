"""`notary verify FILE`: offline, against a trust file of the verifier's own."""

import io
import json
import re
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from notary.cli.controls import show_controls
from notary.cli.given import Given, given_files
from notary.cli.plain import plain
from notary.errors import EvidenceError, Fatal, FormatError, NotaryError, RequestError
from notary.evidence.catalogue import CHECKS
from notary.evidence.exports import package_of_cose, package_of_ots
from notary.evidence.incoming import MOST_BESIDE, Kind, kind_of, read_evidence
from notary.evidence.outcome import Check, Interval, Outcome, Report, rfc3339
from notary.evidence.package import Package
from notary.evidence.statement import MAX_STATEMENT
from notary.evidence.verify import unreadable, verify

EXIT = {Outcome.PASSED: 0, Outcome.FAILED: 1, Outcome.UNCHECKED: 2}
_STYLE = {Outcome.PASSED: "green", Outcome.FAILED: "bold red", Outcome.UNCHECKED: "yellow"}
_INTERRUPTED = 130
_NO_TIMES = "No times are shown, since a check failed. 有检查未通过，不显示时间。"
_OTHER = (
    "this is neither an evidence package (.zip) nor a proof (.tlog-proof, .json, .cose, .ots). Give one of these: a "
    "statement or a receipt is checked inside its package, a document or a report with --document beside it"
)
_WORD = {
    Outcome.PASSED: "passed 通过",
    Outcome.FAILED: "failed 未通过",
    Outcome.UNCHECKED: "could not be checked 未能核验",
}


def command(
    file: Annotated[
        Path, typer.Argument(help="An evidence package (.zip) or a proof (.tlog-proof, .json, .cose, .ots).")
    ],
    document: Annotated[
        Path | None, typer.Option(help="The document, where the package does not hold it.")
    ] = None,
    trust: Annotated[
        Path | None, typer.Option(help="Your trust file. Trust is taken from nowhere else.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    controls: Annotated[
        bool, typer.Option("--controls", help="Also try the package's controls: each must fail as it says.")
    ] = False,
    statement: Annotated[Path | None, typer.Option(help="Of a COSE receipt: the statement.")] = None,
    proof: Annotated[
        Path | None,
        typer.Option(help="Of an OpenTimestamps file: a .tlog-proof or JSON proof under its checkpoint."),
    ] = None,
) -> None:
    """Check evidence offline. Exit status: 0 passed, 1 failed, 2 could not be checked or no evidence.

    With --controls it is 1, too, where a control does not fail as stated.
    """
    stands = False
    try:
        given = given_files(document, trust)
        package, report = check_file(file, given, statement=statement, proof=proof)
        _write(report, as_json=as_json)
        if controls and package is not None:
            stands = not _controls(package, given, report, as_json=as_json)
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


def show(report: Report, console: Console) -> None:
    """The result for a person: each check, the times, the outcome."""
    table = Table(box=None, pad_edge=False)
    for title in ("", "Check", "Outcome", "What was found"):
        table.add_column(title, overflow="fold")
    for check in report.checks:
        text = CHECKS[check.id]
        name = f"{text.name_en}\n{text.name_zh}"
        found = "\n".join(filter(None, (plain(_found(check, report)), text.sentence(check.outcome, "zh"))))
        table.add_row(check.id, name, Text(_WORD[check.outcome], _STYLE[check.outcome]), Text(found))
    console.print(table)
    if report.withheld:
        names = f"; opened 已出示: {', '.join(sorted(report.openings))}" if report.openings else ""
        console.print(
            escape(plain(f"Withheld 未出示: {report.withheld} commitments of the statement{names}"))
        )
    if report.outcome is Outcome.FAILED:
        console.print(_NO_TIMES)
    elif report.interval is not None:
        _show_times(report, report.interval, console)
    for failure in report.failures():
        place = escape(plain(f" ({failure.subject})" if failure.subject else ""))
        console.print(f"[bold red]Failed: check {failure.id}{place}[/] {escape(plain(failure.detail))}")
    if report.test_only:
        console.print(
            "[bold yellow]For tests only: the trust file says that its anchors prove nothing, and sources count as "
            "independent by its word alone.\n"
            "仅供测试：信任文件声明其锚定不证明任何事实；各来源是否相互独立，也仅以该文件所述为准。[/]"
        )
    console.print(f"[{_STYLE[report.outcome]}]Outcome 核验结论: {_WORD[report.outcome]}[/]")


def _found(check: Check, report: Report) -> str:
    """What a check found and of what; T, which stands in the detail of 8.1, not of evidence that failed."""
    if check.id == "8.1" and check.outcome is Outcome.PASSED and report.outcome is Outcome.FAILED:
        return _NO_TIMES
    return f"{check.subject}: {check.detail}" if check.subject else check.detail


def _show_times(report: Report, interval: Interval, console: Console) -> None:
    if report.outcome is not Outcome.PASSED:
        console.print(
            "The times below count only once the outcome is passed. 结论为“通过”后，以下时间才成立。"
        )
    after = rfc3339(interval.made_after) or "not shown 未能证明"
    by = rfc3339(interval.existed_by) or "not shown 未能证明"
    console.print(
        f"The record was made after 记录制作于此之后: [bold]{after}[/] {escape(interval.made_after_block)}"
    )
    has_document = "document" in (report.statement or {})
    what = "document existed by 内容" if has_document else "record existed by 记录"
    console.print(f"The {what}最迟于此时已存在: [bold]{by}[/]")
    for bound in interval.bounds:
        where = f"{rfc3339(bound.not_after)}  {bound.kind}  {bound.source} ({bound.organisation})"
        console.print(f"  {escape(plain(where))}, head {bound.size}")
    console.print(
        "Nothing here shows when it was first written or signed. 以上均不证明文件最初写成或签署的时间。"
    )
