"""Trust files that `tools/check.sh` must refuse as the verifier does, before a shell computes with what they say."""

import re
import subprocess
from itertools import combinations

import pytest

from notary.errors import TrustError
from notary.evidence.assemble import assemble
from notary.evidence.outcome import source_of
from notary.evidence.package import write_package
from notary.evidence.trust import parse_trust
from notary.services.package_tools import static_members
from tests.evidence import test_check_script as script
from tests.evidence.build import CONTRACT, EARLY

bare, run = script.bare, script.run
SILENT = {f"heads/{EARLY}/tokens/{name}.tsr": script.stamped(name, accuracy=False) for name in script.TSAS}
PLAIN = assemble(script.FILES | SILENT, ("a.pdf", CONTRACT))


PLAIN_STATED = write_package(script.FILES, ("a.pdf", CONTRACT))


def with_lines(lines):
    return script.trust_text(tsa_a=script.TABLES["tsa_a"] + lines, tsa_b=script.TABLES["tsa_b"] + lines)


@pytest.mark.parametrize("shell", script.SHELLS)
def test_what_a_trust_file_says_is_never_run(run, tmp_path, shell):
    made = tmp_path / "made"
    text = with_lines(f'accuracy_ms = "found[$(echo >{made})0]"\n')
    status, checks, _, _, problems = run(PLAIN, trust=text, shell=shell)
    assert (status, checks, made.exists()) == (2, {}, False)
    assert "check.sh: the trust file cannot be read by this script" in problems


REFUSED = {
    "a negative accuracy": with_lines("accuracy_ms = -3600000\n"),
    "an accuracy over an hour": with_lines("accuracy_ms = 3600001\n"),
    "an accuracy in quotes": with_lines('accuracy_ms = "1000"\n'),
    "k in quotes": script.trust_text().replace("version = 1", 'version = 1\nk = "1"'),
    "a version in quotes": script.trust_text().replace("version = 1", 'version = "1"'),
    "a version in a list": script.trust_text().replace("version = 1", "version = [1]"),
    "a name without quotes": script.trust_text().replace('name = "tsa-a"', "name = tsa-a"),
    "an organisation with a tab": script.trust_text().replace("tsa-a Ltd", "tsa-a\tLtd"),
}


@pytest.mark.parametrize("what", script.some(REFUSED, "a negative accuracy", "k in quotes"))
def test_a_trust_file_that_the_verifier_refuses_is_refused(run, what):
    with pytest.raises(TrustError, match=r"."):
        parse_trust(REFUSED[what].encode())
    status, checks, _, _, problems = run(PLAIN, trust=REFUSED[what])
    assert (status, checks) == (2, {})
    assert problems.startswith(("check.sh: trust file", "line "))


@pytest.mark.fuzz
def test_a_published_accuracy_is_added_to_the_bound(run):
    status, _, _, text, _ = run(PLAIN, trust=with_lines("accuracy_ms = 2001\n"))
    assert status == 0
    assert "2026-03-01T12:00:03Z" in text


def test_head_keys_with_a_period_are_read_and_looked_for(run):
    table = f'[[chain.head_key]]\naddress = "0x{"11" * 20}"\nuntil = 2027-01-01T00:00:00Z\n\n[[tsa]]'
    text = script.trust_text().replace("[[tsa]]", table, 1)
    parse_trust(text.encode())
    status, checks, _, _, problems = run(trust=text)
    assert problems == ""
    assert [word for (id_, _), word in checks.items() if id_ == "6.6"] == ["could_not_be_checked"]
    assert status == 0


# In each row spellings of one name; of different rows the names are different, and the script can tell.
NAMES = [
    ["tsa-a Ltd", "TSA A Ltd.", "ＴＳＡ－Ａ Ｌｔｄ"],
    ["联合信任", "联合信任 ", "「联合信任」", "联合　信任"],
    ["联合信任（北京）", "联合信任(北京)", "联合信任·北京"],
    ["国家授时中心"],
    ["國家授時中心"],
    ["Österreich", "österreich"],
    ["Société Générale"],
    ["Росстандарт", "РОССТАНДАРТ"],
    ["タイムスタンプ"],
    ["타임스탬프"],
    ["1 & 2", "１２"],
]
# Signs whose every spelling it does not know: they are the same name as what they may be.
OPEN = [
    "Österreich",
    "straße",
    "Σωκράτης",
    "㈱国家授时中心",
    "①",
    "ﬁrm",
    "e\u0301a",
    "\U0001f600",
    "***",
    "＊＊＊",
]


# Each line of stdin is an organisation that bounds the time; then k grows until 8.1 does not pass any more.
COUNT = """
moment() { :; }
result() { [ "$2" = passed ] || more=no; }
trust=x only= moment_by= not_before= doubtful=no n=0
: >"$work/joins"
: >"$work/early"
while IFS= read -r found; do
    n=$((n + 1))
    PLAIN
    printf '%s a@4 %s key%s,\\n' "$n" "$plain" "$n"
done >"$work/bounds"
k=0 more=yes
while k=$((k + 1)) && check_time && [ "$more" = yes ]; do :; done
echo $((k - 1))
"""


def counting():
    """Of the script what makes a name comparable, and what counts sources."""
    text = static_members()["tools/check.sh"].decode()
    functions = [
        re.search(rf"^{name}\(\) {{.*?^}}$", text, re.MULTILINE | re.DOTALL)[0]
        for name in ("folded", "sources", "check_time")
    ]
    begin, end = text.index("        plain=$(folded"), text.index('        value tsa "$n" roots')
    return "\n".join([*functions, COUNT.replace("PLAIN", text[begin:end])])


def counted(names, tmp_path, shell=("dash",)):
    """How many sources bounds under these names are to the script."""
    done = subprocess.run(
        [*shell, "-c", counting()],
        input="".join(f"{name}\n" for name in names),
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "work": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return int(done.stdout)


@pytest.mark.parametrize("shell", [["dash"], ["busybox", "sh"]] if "busybox" in script.SHELLS else [["dash"]])
def test_names_beyond_ascii_are_told_apart_and_spellings_of_one_are_not(tmp_path, shell):
    everything = [name for row in NAMES for name in row]
    assert counted(everything, tmp_path, shell) == len({source_of(name) for name in everything}) == len(NAMES)


def test_no_two_spellings_of_one_name_are_two_sources(tmp_path):
    others = {"strasse", "éa", "firm", "1", *(row[0] for row in NAMES)}
    pairs = list(combinations(sorted({*OPEN, *others}), 2))
    same = [pair for pair in pairs if len({source_of(name) for name in pair}) == 1]
    assert len(same) >= 5
    assert [pair for pair in same if counted(pair, tmp_path) != 1] == []
    apart = [("straße", "firm"), ("ﬁrm", "Société Générale"), ("Σωκράτης A", "Σωκράτης B")]
    assert [counted(pair, tmp_path) for pair in apart] == [2, 2, 2]


@pytest.mark.parametrize(
    ("names", "wanted"), [(("联合信任", "国家授时中心"), 0), (("联合信任（北京）", "联合信任(北京)"), 2)]
)
def test_two_organisations_beyond_ascii_are_two_sources(run, names, wanted):
    tables = {
        f"tsa_{x}": script.TABLES[f"tsa_{x}"].replace(f"tsa-{x} Ltd", name)
        for x, name in zip("ab", names, strict=True)
    }
    text = script.trust_text(chain=script.NO_BLOCK, **tables).replace("version = 1", "version = 1\nk = 2", 1)
    status, checks, _, _, _ = run(PLAIN_STATED, trust=text)
    assert (status, checks["8.1", ""]) == (wanted, "could_not_be_checked" if wanted else "passed")
