"""Guides and tools that are in every package."""

import re
from pathlib import Path

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Parser

from notary.evidence.assemble import assemble
from notary.evidence.controls import control_members
from notary.evidence.package_names import EXPECTED, check_name
from notary.services import package_tools
from notary.services.package_tools import static_members
from tests.evidence import build

FOLDER = Path(package_tools.__file__).parent
GUIDES = ("README.en.txt", "README.zh.txt")


def test_every_file_of_the_folder_is_a_member_and_has_a_place():
    files = {path.name for path in FOLDER.iterdir() if path.suffix in {".txt", ".sh", ".ps1", ".html"}}
    assert files == {name.rpartition("/")[2] for name in static_members()}
    assert {"README.en.txt", "README.zh.txt", "tools/check.sh", "tools/check.ps1"} <= set(static_members())
    for name, data in static_members().items():
        check_name(name)
        assert data.decode("utf-8")


def test_a_tool_that_this_build_has_not_is_left_out(monkeypatch):
    monkeypatch.setattr(
        package_tools, "_MEMBERS", {"check.sh": "tools/check.sh", "no.html": "tools/verify.html"}
    )
    assert set(static_members()) == {"tools/check.sh"}


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guide_has_eight_steps_and_names_what_is_in_a_package(guide):
    text = static_members()[guide].decode()
    assert re.findall(r"^(\d)\. ", text, re.MULTILINE) == [str(at) for at in range(1, 9)]
    named = set(re.findall(r"\b(?:data|heads|controls|tools)/[A-Za-z0-9./_-]*[A-Za-z0-9]", text))
    assert {"tools/check.sh", "tools/verify.html", "data/statement.json", "heads/N/checkpoint"} <= named
    controls = control_members(build.files(build.log()), ("a", build.CONTRACT))
    for name in named - {"data/document"}:
        if name.startswith("controls/"):
            assert name in controls
        elif not name.endswith(("NAME", "document/NAME")):
            check_name(name.replace("/N/", "/7/").replace("NAME", "tsa").removesuffix("/"))
    assert "certutil -hashfile" in text
    assert "sha256sum -c manifest-sha256.txt tagmanifest-sha256.txt" in text


def test_the_two_guides_give_the_same_commands():
    program = r"(?:sha256sum|shasum|certutil|powershell|sh tools|notary verify|openssl|ots) .*"
    english, chinese = (
        [
            re.sub(r'"[^"]*"', "FILE", found)
            for found in re.findall(rf"^ {{5,}}(?:[^ ].*?[:：] *)?({program})$", text, re.MULTILINE)
        ]
        for text in (static_members()[guide].decode() for guide in GUIDES)
    )
    assert len(english) >= 13
    assert english == chinese


def test_the_windows_script_is_read_as_utf_8_and_never_says_passed():
    data = static_members()["tools/check.ps1"]
    assert data.startswith(b"\xef\xbb\xbf")  # PowerShell 5 takes anything else for the machine's own encoding
    text = data.decode("utf-8-sig")
    assert set(re.findall(r"\bexit (\d)", text)) == {"1", "2"}
    assert not re.search(r"Invoke-(WebRequest|RestMethod|Expression)|Net\.|iex|Start-Process", text)
    # Names of members are never patterns.
    assert re.findall(r"Get-ChildItem (\S+)|Resolve-Path (\S+)", text) == [
        ("", "-LiteralPath"), ("-LiteralPath", ""), ("", "-LiteralPath"),
    ]  # fmt: skip


def test_the_windows_script_is_powershell_by_its_grammar():
    """Nothing of it runs here; what no PowerShell would read is seen all the same."""
    parser = Parser(Language(tree_sitter_powershell.language()))
    data = static_members()["tools/check.ps1"].removeprefix(b"\xef\xbb\xbf")
    assert not parser.parse(data).root_node.has_error
    for right, wrong in (
        (b"param(", b"param"),
        (b"exit 1 }", b"exit 1"),
        (b" -f $line", b" -f"),
        (b'"Stop"', b'"Stop'),
    ):
        assert parser.parse(data.replace(right, wrong, 1)).root_node.has_error, right


def test_the_windows_script_takes_bytes_as_they_are_and_compares_indexes():
    """What it must not do, as far as its text shows: it has never been run here."""
    text = static_members()["tools/check.ps1"].decode("utf-8-sig")
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert "ReadAllText" not in code  # which takes UTF-16 with a mark for what it says
    assert code.count("ReadText $place") == 2
    assert "$listed = @{}" not in code  # whose keys are the same in either case
    assert "[Array]::Sort($sorted, [StringComparer]::Ordinal)" in code
    assert "$hash.Length -ne 32 -or [Convert]::ToBase64String($hash) -cne $lines[$at]" in code
    assert "$script:Index -ne $index" in code
    assert "its inclusion.tlog-proof is missing" in code


def test_the_windows_script_reads_sizes_and_indexes_of_nineteen_digits():
    text = static_members()["tools/check.ps1"].decode("utf-8-sig")
    largest = 2**63 - 1
    for form, line in (
        (r'"(\^index [^"]*)"', f"index {largest}"),
        (r'"(\^heads/[^"]*)"', f"heads/{largest}/inclusion.tlog-proof"),
    ):
        pattern = re.search(form, text)[1]
        assert re.search(pattern, line)[1] == str(largest)
        assert not re.search(pattern, line.replace(str(largest), f"{largest}0"))
    # What is larger than the type holds is a failed check, and no fault of the machine.
    assert "[long]::TryParse($Matches[1], [ref]$index)" in text
    assert "try { $root = [Convert]::ToBase64String((Root $Leaf $index ([long]$Size) $path)) }" in text


def test_the_windows_script_says_of_all_that_it_leaves_out():
    text = static_members()["tools/check.ps1"].decode("utf-8-sig")
    open_here = re.search(r'foreach \(\$id in ("[0-9.", ]+")\) \{ Say \$id "unchecked"', text)[1]
    ids = {"2.4"} | set(re.findall(r"[0-9]\.[0-9]", open_here))
    # It compares the manifests, one digest, and paths; of each other kind of check one stands for those behind it.
    assert {id_[0] for id_ in ids} == {"2", "3", "4", "5", "6", "7", "8", "9"}
    assert ids.isdisjoint({"1.1", "2.3", "3.2"})
    assert "size and other digests were not compared" in text


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guide_promises_nothing_of_what_no_check_reads(guide):
    text = static_members()[guide].decode()
    report = text.partition("data/report.pdf")[2].partition("heads/")[0]
    assert ("No check reads it" in report) or ("任何核验均不读取它" in report)
    meta = text.partition("META-INF/")[2]
    assert ("No check of\n  ours reads it" in meta) or ("均不读取该目录" in meta)


def test_the_shell_script_uses_what_it_says_and_nothing_that_runs_data():
    text = static_members()["tools/check.sh"].decode()
    assert "set -euf\nLC_ALL=C\n" in text
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    assert not re.search(r"\b(eval|curl|wget|python3?|perl|readlink|mktemp|xargs|local)\b", code)
    assert not re.search(r"(?<!openssl )\bbase64 -", code)
    assert "-exec" not in code


def test_what_awk_prints_is_in_brackets_where_it_compares():
    """The awk of macOS and the BSDs takes `print a == b` for an error, and what cannot be read for a failed check."""
    text = static_members()["tools/check.sh"].decode()
    printed = re.findall(r"(?:^|[{;)] *|else )\s*print (.*)$", text, re.MULTILINE)
    assert len(printed) > 15
    for line in printed:
        outside = re.sub(r"\([^()]*\)|\"[^\"]*\"", "", re.sub(r"\([^()]*\)", "", line))
        assert not re.search(r"==|!=|~|&&|\|\|", outside.partition(";")[0].partition("}")[0]), line


def test_a_package_of_the_service_is_the_same_with_them_in_any_order():
    files = build.files(build.log()) | static_members()
    assert assemble(files) == assemble(dict(reversed(files.items())))
    assert EXPECTED.encode() in assemble(files)
