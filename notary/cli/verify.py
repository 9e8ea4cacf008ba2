"""`notary verify FILE`: offline, against a trust file of the verifier's own."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from notary.errors import EvidenceError, RequestError
from notary.evidence.catalogue import CHECKS
from notary.evidence.outcome import Interval, Outcome, Report, rfc3339
from notary.evidence.package import Digests, digest_stream, read_package
from notary.evidence.proof_file import MAX_FILE, TLOG_PROOF
from notary.evidence.trust import MAX_TRUST, Trust, parse_trust
from notary.evidence.verify import package_of_proof, unreadable, verify

EXIT = {Outcome.PASSED: 0, Outcome.FAILED: 1, Outcome.UNCHECKED: 2}
_STYLE = {Outcome.PASSED: "green", Outcome.FAILED: "bold red", Outcome.UNCHECKED: "yellow"}
_WORD = {
    Outcome.PASSED: "passed 通过",
    Outcome.FAILED: "failed 未通过",
    Outcome.UNCHECKED: "could not be checked 未能核验",
}


def command(
    file: Annotated[Path, typer.Argument(help="An evidence package (.zip) or a proof (.tlog-proof).")],
    document: Annotated[
        Path | None, typer.Option(help="The document, where the package does not hold it.")
    ] = None,
    trust: Annotated[
        Path | None, typer.Option(help="Your trust file. Trust is taken from nowhere else.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Check evidence offline. Exit status: 0 passed, 1 failed, 2 could not be checked."""
    report = check_file(file, document, trust)
    if as_json:
        sys.stdout.write(json.dumps(report.to_json(), ensure_ascii=False, indent=2) + "\n")
    else:
        show(report, Console(highlight=False))
    raise typer.Exit(EXIT[report.outcome])


def check_file(file: Path, document: Path | None, trust_file: Path | None) -> Report:
    """Read the files and verify.

    Raises:
        RequestError: a file that was named cannot be read.
        TrustError: the trust file cannot be used.
    """
    trust = _read_trust(trust_file) if trust_file else None
    digests = _digests(document) if document else None
    try:
        with file.open("rb") as stream:
            if stream.read(len(TLOG_PROOF)) == TLOG_PROOF.encode():
                stream.seek(0)
                package = package_of_proof(stream.read(MAX_FILE + 1))
            else:
                stream.seek(0)
                package = read_package(stream)
    except EvidenceError as error:
        return unreadable(error)
    except OSError as error:
        raise RequestError(f"{file}: {error.strerror}") from error
    return verify(package, trust, digests)


def show(report: Report, console: Console) -> None:
    """The result for a person: each check, the times, the outcome."""
    table = Table(box=None, pad_edge=False)
    for title in ("", "Check", "Outcome", "What was found"):
        table.add_column(title, overflow="fold")
    for check in report.checks:
        text = CHECKS[check.id]
        name = f"{text.name_en}\n{text.name_zh}"
        found = f"{check.subject}: {check.detail}" if check.subject else check.detail
        table.add_row(check.id, name, Text(_WORD[check.outcome], _STYLE[check.outcome]), Text(found))
    console.print(table)
    if report.interval is not None:
        _show_times(report.interval, console)
    for failure in report.failures():
        place = f" ({failure.subject})" if failure.subject else ""
        console.print(f"[bold red]Failed: check {failure.id}{escape(place)}[/] {escape(failure.detail)}")
    console.print(f"[{_STYLE[report.outcome]}]Outcome 核验结论: {_WORD[report.outcome]}[/]")


def _show_times(interval: Interval, console: Console) -> None:
    after = rfc3339(interval.made_after) or "not shown 未能证明"
    by = rfc3339(interval.existed_by) or "not shown 未能证明"
    console.print(
        f"The record was made after 记录制作于此之后: [bold]{after}[/] {escape(interval.made_after_block)}"
    )
    console.print(f"The document existed by 内容最迟于此时已存在: [bold]{by}[/]")
    for bound in interval.bounds:
        where = f"{rfc3339(bound.not_after)}  {bound.kind}  {bound.source} ({bound.organisation})"
        console.print(f"  {escape(where)}, head {bound.size}")
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
