"""The result of a verification, for a person."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from notary.cli.plain import plain
from notary.evidence.catalogue import CHECKS
from notary.evidence.outcome import Check, Interval, Outcome, Report, rfc3339

_STYLE = {Outcome.PASSED: "green", Outcome.FAILED: "bold red", Outcome.UNCHECKED: "yellow"}
_NO_TIMES = "No times are shown, since a check failed. 有检查未通过，不显示时间。"
_WORD = {
    Outcome.PASSED: "passed 通过",
    Outcome.FAILED: "failed 未通过",
    Outcome.UNCHECKED: "could not be checked 未能核验",
}


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
