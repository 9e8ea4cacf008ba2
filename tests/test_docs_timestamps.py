"""docs/timestamps.md holds what the suite and the tools give."""

from collections import Counter
from pathlib import Path

import compare_timestamps
import pytest
from timestamps import table
from timestamps.tool import Outcome, Tool
from timestamps.tools import TOOLS

from tests.evidence.tsa_case import OURS as RULE
from tests.evidence.tsa_cases import CASES

PAGE = Path(__file__).resolve().parents[1] / "docs" / "timestamps.md"
LINES = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("|")
]
WIDTH = 3 + len(TOOLS)
WIDE = [line for line in LINES if len(line) == WIDTH and line[0] != "---"]
HEAD = next(at for at, line in enumerate(WIDE) if line[0] == "case")
SUMS, ROWS = {line[0]: line[3:] for line in WIDE[1:HEAD]}, WIDE[HEAD + 1 :]
NAMES = [tool.name for tool in TOOLS]


@pytest.fixture(scope="module")
def subjects():
    return {subject.name: subject for subject in compare_timestamps.subjects()}


def test_there_is_a_row_for_each_case_with_its_rule_and_verdict():
    expected = [
        [case.name, case.rule, f"refuse ({case.check})" if case.check else "accept"] for case in CASES
    ]
    assert [line[:3] for line in ROWS] == expected
    assert WIDE[HEAD][3:] == WIDE[0][3:] == NAMES
    assert f"The {len(CASES)} cases" in PAGE.read_text(encoding="utf-8")


def test_ours_is_right_in_each_row(subjects):
    ours = TOOLS[0]
    assert ours.name == "notary"
    assert {table.mark(subject, ours) for subject in subjects.values()} == {table.RIGHT}
    assert {line[3] for line in ROWS} == {table.RIGHT}
    assert SUMS["**wrong**"][0] == "**0**"


def test_the_sums_are_those_of_the_rows():
    for at in range(len(TOOLS)):
        count = Counter(line[3 + at] for line in ROWS)
        wrong = [count.pop(kind, 0) for kind in table.WRONG.values()]
        assert SUMS["**wrong**"][at] == f"**{sum(wrong)}**"
        assert [SUMS[kind][at] for kind in table.WRONG.values()] == list(map(str, wrong))
        for kind in (table.CALLER, table.POLICY, table.BROKE):
            assert SUMS[kind][at] == str(count.pop(kind, 0))
        assert set(count) == {table.RIGHT}


def assert_as_the_script_makes_it(subjects, name, rows=ROWS):
    (line,) = (line for line in rows if line[0] == name)
    assert table.row(subjects[name], TOOLS) == line


@pytest.mark.parametrize(
    "name",
    [
        "RSA, PKCS #1 v1.5",
        "of other data",
        "another nonce",
        "lists of signer's and intermediate's CA, of genTime",
        "lists from after genTime",
        "keyCompromise before genTime",
        "another token with the same serial number",
    ],
)
def test_some_rows_are_as_the_script_makes_them(subjects, name):
    assert_as_the_script_makes_it(subjects, name)


@pytest.mark.anchoring
@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_each_row_is_as_the_script_makes_it(subjects, name):
    """Every tool still says of every case what the page says of it."""
    assert_as_the_script_makes_it(subjects, name)


@pytest.mark.parametrize("column", range(3, WIDTH))
def test_another_word_of_one_tool_is_noticed(subjects, column):
    name = "lists from after genTime"
    (line,) = ([*line] for line in ROWS if line[0] == name)
    line[column] = table.WRONG[Outcome.BREAKS]
    with pytest.raises(AssertionError):
        assert_as_the_script_makes_it(subjects, name, [line])


def tool(error=None, *, name="other", takes=()):
    def ask(_):
        if error:
            raise error

    return Tool(name, lambda: "1", frozenset(takes), ask, (ValueError,))


@pytest.mark.parametrize(
    ("check", "rule", "needs", "asked", "expected"),
    [
        (None, "RFC", "", tool(), table.RIGHT),
        (None, "RFC", "", tool(ValueError()), table.WRONG[Outcome.REFUSES]),
        (None, "RFC", "", tool(TypeError()), table.WRONG[Outcome.BREAKS]),
        (None, RULE, "", tool(ValueError()), table.POLICY),
        (5, "RFC", "", tool(ValueError()), table.RIGHT),
        (5, "RFC", "", tool(TypeError()), table.BROKE),
        (5, "RFC", "", tool(), table.WRONG[Outcome.ACCEPTS]),
        (5, "RFC", "nonce", tool(), table.CALLER),
        (5, "RFC", "nonce", tool(takes=("nonce",)), table.WRONG[Outcome.ACCEPTS]),
        (5, RULE, "", tool(), table.POLICY),
        (5, RULE, "", tool(name="notary"), table.WRONG[Outcome.ACCEPTS]),
    ],
)
def test_a_mark_says_what_came_of_it(check, rule, needs, asked, expected):
    assert table.mark(table.Subject("case", rule, check, needs, None), asked) == expected
