"""`notary verify --controls`: the negative controls of a package, as a table of their own."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from notary.errors import EvidenceError
from notary.evidence.controls import Control
from notary.evidence.outcome import Report
from notary.evidence.package import Digests, Package
from notary.evidence.trust import Trust
from notary.evidence.trying import Tried, try_controls

_WORDS = {
    Tried.FAILS: ("fails as stated 如实不通过", "green"),
    Tried.UNTRIED: ("could not be tried: the check itself did not pass 本次无法验证", "yellow"),
    Tried.STANDS: ("DOES NOT FAIL 未如实不通过", "bold red"),
}
_BELIEVE = (
    "A control did not fail as stated: do not believe this result. 对照样本未如实不通过：本次结果不可信。"
)


def show_controls(
    package: Package, trust: Trust | None, document: Digests | None, report: Report, console: Console
) -> bool:
    """Try each control of the package and print what became of it; whether all that were tried failed as stated."""
    try:
        found = list(try_controls(package, trust, document, report))
    except EvidenceError as error:
        console.print(Text(f"controls/expected.json: {error}", "bold red"))
        console.print(Text(_BELIEVE, "bold red"))
        return False
    if not found:
        console.print("The package holds no controls. 证据包中没有对照样本。")
        return True
    console.print(
        "\nControls: each has one thing wrong and must fail. 对照样本：每份均有一处错误，必须不通过。"
    )
    console.print(_table(found))
    good = all(word is not Tried.STANDS for _, word in found)
    if not good:
        console.print(Text(_BELIEVE, "bold red"))
    return good


def _table(found: list[tuple[Control, Tried]]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    for control, word in found:
        table.add_row(control.check, control.name, Text(*_WORDS[word]))
    return table
