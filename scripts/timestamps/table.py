"""The table of docs/timestamps.md: a row a case, a mark a tool, and what is wrong in sum."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from timestamps.tool import Outcome, Question, Tool

OURS = "ours"  # a rule of no standard: another tool that draws the line elsewhere is not wrong
RIGHT = "✓"
BROKE = "✓ breaks"  # a bad token is not taken for a good one; that is all
CALLER = "caller"
POLICY = "policy"
WRONG = {Outcome.ACCEPTS: "✗ accepts", Outcome.REFUSES: "✗ refuses", Outcome.BREAKS: "✗ breaks"}


@dataclass(frozen=True, slots=True)
class Subject:
    """A case of the suite, as the table needs it."""

    name: str
    rule: str
    check: int | None  # that must name the failure in ours; None for a good token
    needs: str
    question: Question


def mark(subject: Subject, tool: Tool) -> str:
    """What came of this case in this tool."""
    outcome = tool.outcome(subject.question)
    if (outcome is Outcome.ACCEPTS) == (subject.check is None):
        return BROKE if outcome is Outcome.BREAKS else RIGHT
    if subject.needs and subject.needs not in tool.takes:
        return CALLER
    if subject.rule == OURS and tool.name != "notary":
        return POLICY
    return WRONG[outcome]


def row(subject: Subject, tools: Sequence[Tool]) -> list[str]:
    """The cells of one case."""
    verdict = "accept" if subject.check is None else f"refuse ({subject.check})"
    return [subject.name, subject.rule, verdict, *(mark(subject, tool) for tool in tools)]


def sums(rows: Sequence[Sequence[str]], tools: Sequence[Tool]) -> list[list[str]]:
    """Below the rows of all cases: one line for each kind of mark that is no plain success."""
    counted = [Counter(each[3 + at] for each in rows) for at in range(len(tools))]
    wrong = [[count[kind] for kind in WRONG.values()] for count in counted]
    lines = [("**wrong**", [f"**{sum(each)}**" for each in wrong])]
    lines += [(f"{kind}", [str(count[kind]) for count in counted]) for kind in WRONG.values()]
    lines += [(f"{kind}", [str(count[kind]) for count in counted]) for kind in (CALLER, POLICY, BROKE)]
    return [[name, "", f"of {len(rows)}", *cells] for name, cells in lines]


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
