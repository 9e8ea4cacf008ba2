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

from notary.errors import EvidenceError, Fatal, FormatError, NotaryError, RequestError
from notary.evidence.catalogue import CHECKS
from notary.evidence.exports import package_of_cose, package_of_ots
from notary.evidence.incoming import MOST_BESIDE, Kind, kind_of, read_evidence
from notary.evidence.outcome import Interval, Outcome, Report, rfc3339
from notary.evidence.package import Digests, Package, digest_stream
from notary.evidence.statement import MAX_STATEMENT
from notary.evidence.trust import MAX_TRUST, Trust, parse_trust
from notary.evidence.verify import unreadable, verify

EXIT = {Outcome.PASSED: 0, Outcome.FAILED: 1, Outcome.UNCHECKED: 2}
_STYLE = {Outcome.PASSED: "green", Outcome.FAILED: "bold red", Outcome.UNCHECKED: "yellow"}
_MAX_SHOWN = 2000  # characters of one detail: evidence may make them as long as it likes
_INTERRUPTED = 130
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
    statement: Annotated[Path | None, typer.Option(help="Of a COSE receipt: the statement.")] = None,
    proof: Annotated[
        Path | None,
        typer.Option(help="Of an OpenTimestamps file: a .tlog-proof or JSON proof under its checkpoint."),
    ] = None,
) -> None:
    """Check evidence offline. Exit status: 0 passed, 1 failed, 2 could not be checked or no evidence."""
    try:
        report = check_file(file, document, trust, statement=statement, proof=proof)
        _write(report, as_json=as_json)
    except NotaryError:
        raise
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None
    except Exception as error:
        # Left alone it would end with status 1, which says that the evidence failed.
        raise Fatal(
            f"the verifier itself failed ({type(error).__name__}); this says nothing of the evidence"
        ) from error
    raise typer.Exit(EXIT[report.outcome])


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
    file: Path,
    document: Path | None,
    trust_file: Path | None,
    *,
    statement: Path | None = None,
    proof: Path | None = None,
) -> Report:
    """Read the files and verify.

    Raises:
        RequestError: a file that was named cannot be read, or what is to be beside this file was not named, or
            something else was.
        FormatError: a file is neither a package nor a proof; nothing is said of what it is.
        TrustError: the trust file cannot be used.
    """
    trust = _read_trust(trust_file) if trust_file else None
    digests = _digests(document) if document else None
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
                    return unreadable(error)
    except OSError as error:
        raise RequestError(f"{error.filename or file}: {error.strerror}") from error
    return verify(package, trust, digests)


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
        found = f"{check.subject}: {check.detail}" if check.subject else check.detail
        table.add_row(check.id, name, Text(_WORD[check.outcome], _STYLE[check.outcome]), Text(_plain(found)))
    console.print(table)
    if report.withheld:
        names = f"; opened 已出示: {', '.join(sorted(report.openings))}" if report.openings else ""
        console.print(
            escape(_plain(f"Withheld 未出示: {report.withheld} commitments of the statement{names}"))
        )
    if report.outcome is Outcome.FAILED:
        console.print("No times are shown, since a check failed. 有检查未通过，不显示时间。")
    elif report.interval is not None:
        _show_times(report, report.interval, console)
    for failure in report.failures():
        place = escape(_plain(f" ({failure.subject})" if failure.subject else ""))
        console.print(f"[bold red]Failed: check {failure.id}{place}[/] {escape(_plain(failure.detail))}")
    if report.test_only:
        console.print(
            "[bold yellow]For tests only: the trust file says that its anchors prove nothing.\n"
            "仅供测试：信任文件声明其锚定不证明任何事实。[/]"
        )
    console.print(f"[{_STYLE[report.outcome]}]Outcome 核验结论: {_WORD[report.outcome]}[/]")


def _plain(text: str) -> str:
    """Text from evidence as it may stand on a terminal: in one line, without controls, of bounded length."""
    shown = text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"
    return "".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in shown)


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
        console.print(f"  {escape(_plain(where))}, head {bound.size}")
    console.print(
        "Nothing here shows when it was first written or signed. 以上均不证明文件最初写成或签署的时间。"
    )


def _read_trust(path: Path) -> Trust:
    try:
        with path.open("rb") as stream:
            return parse_trust(stream.read(MAX_TRUST + 1))
    except OSError as error:
        raise RequestError(f"{path}: {error.strerror}") from error


def _digests(path: Path) -> Digests:
    try:
        with path.open("rb") as stream:
            return digest_stream(stream)
    except OSError as error:
        raise RequestError(f"{path}: {error.strerror}") from error
