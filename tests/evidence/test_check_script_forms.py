"""`tools/check.sh` on commitments that are not opened, chains that lack a part, and lists of controls."""

import io
import json

import pytest

from notary.errors import FormatError
from notary.evidence.assemble import assemble
from notary.evidence.commitments import encode_openings
from notary.evidence.controls import parse_expected
from notary.evidence.package import read_package, write_package
from notary.evidence.package_names import EXPECTED
from tests.evidence import build
from tests.evidence import test_check_script as script
from tests.evidence.build import DOCUMENT, EARLY
from tests.evidence.test_check_script_limits import ask, functions
from tests.evidence.test_check_script_tokens import agrees, packed

bare, run = script.bare, script.run
FILES = {name: data for name, data in script.FILES.items() if "/revocation/" not in name}
OPEN, FAILED = "could_not_be_checked", "failed"
OPENED = script.LOG.openings[DOCUMENT]

# --- withheld


def withheld(text):
    return [line for line in text.splitlines() if line.startswith("Withheld 未出示")]


@pytest.mark.parametrize(
    ("openings", "count"), [(None, 4), (OPENED[:1], 3), (OPENED, 0), (script.LOG.openings[5], 4)]
)
def test_one_line_says_how_many_commitments_are_withheld(run, openings, count):
    files = {name: data for name, data in FILES.items() if name != "data/openings.json"}
    if openings is not None:
        files["data/openings.json"] = encode_openings(openings)
    data = packed(files)
    _, checks, _, text, _ = run(data, trust="")
    assert withheld(text) == [
        f"Withheld 未出示: {count} of the 4 commitments of the statement. 陈述的 4 项承诺中有 {count} 项未出示。"
    ]
    report, _ = agrees(data, script.trust_text(), checks)
    assert report.withheld == count


SHOWN = (
    functions("check_openings", "show_withheld")
    + """
wants() { :; }
has() { :; }
at() { place=; }
result() { :; }
only=
while read -r code opened count; do
    said=$code made=$opened
    open_all() { opened=$made; return "$said"; }
    check_openings
    show_withheld
    echo .
done
"""
)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0 1 4", "3 of the 4"),
        ("1 1 4", "4 of the 4"),
        ("2 1 4", "at least 3 of the 4"),  # a value is not read here: the verifier may refuse it
        ("2 5 4", "at least 0 of the 4"),  # one may be there twice
    ],
)
def test_what_cannot_be_read_is_perhaps_not_opened(tmp_path, line, words):
    first, *_ = ask(SHOWN, [line], tmp_path)
    assert first.startswith(f"Withheld 未出示: {words} commitments")
    assert ("至少" in first) == ("at least" in words)


def test_of_a_statement_without_commitments_nothing_is_withheld(tmp_path):
    assert ask(SHOWN, ["0 0 0"], tmp_path) == ["."]


# --- a chain of statements that begins, or goes on, with nothing

EVENT = script.LOG.statements[1].encode()
PROOF = script.LOG.proof(1, EARLY)
CHAINS = {
    "openings alone": ({"previous/1/openings.json": b"{}"}, "previous/1/statement.json"),
    "the second alone": (
        {"previous/2/statement.json": EVENT, "previous/2/inclusion.tlog-proof": PROOF},
        "previous/1/statement.json",
    ),
    "no proof": ({"previous/1/statement.json": EVENT}, "previous/1/inclusion.tlog-proof"),
    "a statement and its proof": (
        {"previous/1/statement.json": EVENT, "previous/1/inclusion.tlog-proof": PROOF},
        None,
    ),
}


@pytest.mark.parametrize("what", script.some(CHAINS, "openings alone", "a statement and its proof"))
def test_a_chain_of_which_a_part_is_missing_fails(run, what):
    more, missing = CHAINS[what]
    data = packed(FILES | more)
    status, checks, _, text, _ = run(data)
    _, expected = agrees(data, script.trust_text(), checks)
    assert (status, checks["9.3", ""], expected["9.3", ""]) == (1, FAILED, FAILED), text
    assert missing is None or f"There is no {missing}." in text


def test_a_chain_of_which_a_part_is_missing_is_open_where_no_head_passed(run):
    data = packed(FILES | CHAINS["openings alone"][0])
    status, checks, _, _, _ = run(data, trust="")
    assert (status, checks["9.3", ""]) == (2, OPEN)


# --- controls

WHOLE = read_package(io.BytesIO(script.WHOLE)).files
GOOD = {
    "check": "2.4",
    "file": "controls/opening-changed.json",
    "name": "a",
    "replaces": "data/openings.json",
}


def named(*names, **changes):
    return [GOOD | {"name": name} | changes for name in names]


LISTS = {
    "sixteen": (named(*(f"a{number}" for number in range(16))), True),
    "a name of 64": (named("a" * 64), True),
    "seventeen": (named(*(f"a{number}" for number in range(17))), False),
    "none": ([], False),
    "a name of 65": (named("a" * 65), False),
    "a name twice": (named("a", "a"), False),
    "a name that begins with a dash": (named("-a"), False),
    "a file of 65 characters": (named("a", file="controls/" + "a" * 65), False),
    "a file that is not there": (named("a", file="controls/none"), False),
    "the list itself": (named("a", file=EXPECTED), False),
    "a guide": (named("a", replaces="README.en.txt"), False),
    "a tool": (named("a", replaces="tools/check.sh"), False),
    "a control": (named("a", replaces="controls/wrong-sibling.tlog-proof"), False),
    "a member that is not there": (named("a", replaces="heads/9/checkpoint"), False),
    "a manifest": (named("a", replaces="manifest-sha256.txt"), False),
}


@pytest.mark.parametrize("what", script.some(LISTS, "sixteen", "seventeen", "a guide"))
def test_a_list_of_controls_is_read_as_the_verifier_reads_it(run, what):
    listed, good = LISTS[what]
    expected = json.dumps({"controls": listed, "version": 1}, separators=(",", ":"), sort_keys=True).encode()
    names = frozenset(WHOLE)
    if good:
        assert len(parse_expected(expected, names)) == len(listed)
    else:
        with pytest.raises(FormatError, match=r"."):
            parse_expected(expected, names)
    files = {name: data for name, data in WHOLE.items() if "/revocation/" not in name} | {EXPECTED: expected}
    status, _, controls, text, problems = run(write_package(files, ("a.pdf", build.CONTRACT)))
    assert problems == ""
    assert (status, set(controls.values())) == ((0, {"fails"}) if good else (1, set())), text
    assert ("controls/expected.json is not of its form" in text) == (not good)


def test_the_control_of_a_link_can_be_tried_where_a_key_has_ended(run):
    """Heads count, and with them their link, only where something dates them within the period of the key."""
    key = build.key_table("log_key", script.LOG.origin, script.LOG.key, "until = 2026-04-01T00:00:00Z")
    late = {
        f"heads/7/tokens/tsa-{each}.tsr": script.stamped(f"tsa-{each}", size=7, serial=8) for each in "ab"
    }
    data = assemble(FILES | late, ("a.pdf", build.CONTRACT))
    _, checks, controls, text, _ = run(data, trust=script.trust_text(log_key=key))
    assert (checks["3.3", ""], controls["consistency-wrong-hash"]) == ("passed", "fails"), text
