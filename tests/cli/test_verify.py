"""`notary verify`: what it answers a person, a program and a shell."""

import json
import re
import shutil
from pathlib import Path

import pytest

from notary.cli.given import given_files
from notary.cli.verify import check_file
from notary.errors import FormatError, RequestError, TrustError
from notary.evidence.assemble import assemble
from notary.evidence.catalogue import CHECKS
from notary.evidence.outcome import Outcome
from notary.evidence.package import read_package, write_package
from tests.evidence.vectors import LATER

V1 = Path(__file__).parents[1] / "testdata/v1"
PACKAGE, TRUST, CONTRACT = V1 / "package.zip", V1 / "trust.toml", V1 / "contract.pdf"


@pytest.fixture
def damaged(tmp_path):
    path = tmp_path / "damaged.zip"
    data = bytearray(PACKAGE.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return path


def test_good_evidence_is_status_0_and_says_so_in_two_languages(notary):
    done = notary("verify", PACKAGE, "--trust", TRUST)
    assert "Outcome 核验结论: passed 通过" in done.out
    assert "The document existed by" in done.out
    assert done.err == ""


def test_the_answer_for_programs_is_the_recorded_one(notary):
    result = json.loads(notary("verify", PACKAGE, "--trust", TRUST, "--json").out)
    for check in result["checks"]:
        assert check.pop("detail")  # for people, and free to change
        sentence = check.pop("sentence")
        text = CHECKS[check["id"]]
        assert sentence == {"zh": text.passed_zh, "en": text.passed_en} or check["id"] in LATER
    # What came later says of an older package that it could not be made.
    later = [check["outcome"] for check in result["checks"] if check["id"] in LATER]
    assert set(later) == {"could_not_be_checked"}
    result["checks"] = [check for check in result["checks"] if check["id"] not in LATER]
    assert result == json.loads((V1 / "result.json").read_text())


def test_damaged_evidence_is_status_1_and_names_the_check(notary, damaged):
    done = notary("verify", damaged, "--trust", TRUST, expected=1)
    assert "Failed: check 1.1" in done.out
    assert "failed 未通过" in done.out
    result = json.loads(notary("verify", damaged, "--trust", TRUST, "--json", expected=1).out)
    assert result["outcome"] == "failed"
    assert [check["id"] for check in result["checks"]] == ["1.1"]


def test_without_trust_good_evidence_is_status_2(notary):
    done = notary("verify", PACKAGE, expected=2)
    assert "could not be checked" in done.out
    assert (
        json.loads(notary("verify", PACKAGE, "--json", expected=2).out)["outcome"] == "could_not_be_checked"
    )


def test_without_trust_damaged_evidence_is_still_status_1(notary, damaged):
    notary("verify", damaged, expected=1)


def test_another_document_fails_by_name(notary, tmp_path):
    other = tmp_path / "other.pdf"
    other.write_bytes(CONTRACT.read_bytes() + b" ")
    done = notary("verify", PACKAGE, "--trust", TRUST, "--document", other, expected=1)
    assert "Failed: check 2.3 (given)" in done.out
    notary("verify", PACKAGE, "--trust", TRUST, "--document", CONTRACT)


def test_of_evidence_that_failed_no_time_is_shown(notary, tmp_path):
    """Every bound of it stands, and 8.1 passed."""
    other = tmp_path / "other.pdf"
    other.write_bytes(b"another document")
    good, failed = (
        notary("verify", PACKAGE, "--trust", TRUST, *more, expected=status).out
        for more, status in (((), 0), (("--document", other), 1))
    )
    assert "existed by" in " ".join(good.split())
    assert not re.search("existed by|最迟于此时", " ".join(failed.split()))
    # Once for the result, and once in the place of T in the row of 8.1.
    assert "".join(failed.split()).count("Notimesareshown,sinceacheckfailed.有检查未通过") >= 1
    row = failed.split("8.1", 1)[1]
    assert "No times are" in row.split("Failed: check")[0]


def test_a_receipt_is_not_said_to_carry_the_statement_that_lies_beside_it(notary):
    for file, more, said in (
        (
            "receipt.cose",
            ("--statement", V1 / "statements/document.json"),
            "a receipt, and the statement beside it",
        ),
        ("inclusion.tlog-proof", (), "a proof that carries its statement"),
    ):
        done = notary("verify", V1 / file, *more, "--trust", TRUST, "--json", expected=2)
        assert json.loads(done.out)["checks"][0]["detail"] == said


def test_what_each_check_found_is_said_in_both_languages(notary):
    shown = "".join(notary("verify", PACKAGE, "--trust", TRUST).out.split())
    for id_ in ("1.1", "2.3", "8.1"):
        head = CHECKS[id_].sentence(Outcome.PASSED, "zh")[:4]
        assert head in shown, id_


def test_a_bare_proof_is_checked_as_far_as_it_goes(notary):
    done = notary("verify", V1 / "inclusion.tlog-proof", "--trust", TRUST, "--json", expected=2)
    outcomes = {check["id"]: check["outcome"] for check in json.loads(done.out)["checks"]}
    assert outcomes["3.2"] == "passed"
    assert outcomes["8.1"] == "could_not_be_checked"


@pytest.mark.parametrize("content", [b"PK", b"PK\x03\x04" * 10, b"c2sp.org/tlog-proof@v1"])
def test_what_begins_as_evidence_and_is_none_is_status_1_and_no_traceback(notary, tmp_path, content):
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    done = notary("verify", path, "--trust", TRUST, "--json", expected=1)
    assert [(c["id"], c["outcome"]) for c in json.loads(done.out)["checks"]] == [("1.1", "failed")]


@pytest.mark.parametrize("name", ["statements/document.json", "receipt.txt", "contract.pdf", "trust.toml"])
def test_a_file_that_is_no_package_and_no_proof_is_not_called_failed(notary, name):
    done = notary("verify", V1 / name, "--trust", TRUST, expected=2)
    assert done.out == ""
    said = " ".join(done.err.split())
    assert said.startswith(f"format: {V1 / name}: this is neither an evidence package (.zip) nor a proof")
    assert "a receipt is checked inside its package, a document or a report with --document" in said


@pytest.mark.parametrize("content", [b"", b"P", b"no evidence", b"c2sp.org/tlog-proof@v2", b"[" * 100_000])
def test_what_is_no_evidence_at_all_is_status_2_and_no_traceback(notary, tmp_path, content):
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    for more in ((), ("--json",), ("--trust", TRUST)):
        done = notary("verify", path, *more, expected=2)
        assert (done.out, done.err.startswith("format: ")) == ("", True)


@pytest.mark.parametrize("option", ["FILE", "--document", "--trust"])
@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_a_file_that_cannot_be_read_is_one_clear_line(notary, tmp_path, option, kind):
    path = tmp_path / "[red]x"
    if kind == "folder":
        path.mkdir()
    reason = {"missing": "No such file or directory", "folder": "Is a directory"}[kind]
    arguments = [path] if option == "FILE" else [PACKAGE, option, path]
    done = notary("verify", *arguments, expected=2)
    assert done.out == ""
    assert " ".join(done.err.split()) == f"bad_request: {path}: {reason}"


def test_a_trust_file_that_cannot_be_used_is_one_clear_line(notary, tmp_path):
    path = tmp_path / "trust.toml"
    path.write_text("version = 9\n")
    done = notary("verify", PACKAGE, "--trust", path, expected=2)
    assert done.err.startswith("trust: trust file: ")


def checked(file, document, trust):
    return check_file(file, given_files(document, trust))


def test_the_same_as_a_function(tmp_path):
    assert checked(PACKAGE, None, TRUST)[1].outcome == "passed"
    for arguments in [(tmp_path, None, None), (PACKAGE, tmp_path, None), (PACKAGE, None, tmp_path)]:
        with pytest.raises(RequestError, match="Is a directory"):
            checked(*arguments)
    with pytest.raises(FormatError, match="this is neither an evidence package"):
        checked(V1 / "receipt.txt", None, TRUST)
    (tmp_path / "t").write_bytes(b"\xff")
    with pytest.raises(TrustError, match="trust file"):
        checked(PACKAGE, None, tmp_path / "t")


def test_names_from_evidence_are_no_markup(notary, tmp_path):
    shutil.copy(PACKAGE, tmp_path / "p.zip")
    text = TRUST.read_text().replace("tsa-a Ltd", "[bold]tsa-a[/bold] Ltd")
    assert text != TRUST.read_text()
    (tmp_path / "t.toml").write_text(text)
    done = notary("verify", tmp_path / "p.zip", "--trust", tmp_path / "t.toml")
    assert "[bold]tsa-a[/bold] Ltd" in done.out


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The recorded package with its controls."""
    with PACKAGE.open("rb") as stream:
        files = read_package(stream).files
    path = tmp_path_factory.mktemp("whole") / "whole.zip"
    path.write_bytes(assemble(files, ("contract.pdf", CONTRACT.read_bytes())))
    return path


def test_controls_that_fail_as_stated_leave_the_status_as_it_is(notary, whole):
    done = notary("verify", whole, "--trust", TRUST, "--controls")
    assert done.out.count("fails as stated") == 10
    assert "passed 通过" in done.out
    done = notary("verify", whole, "--controls", expected=2)
    assert (done.out.count("fails as stated"), done.out.count("could not be tried")) == (2, 8)


def test_the_answer_for_programs_stays_one_value_beside_the_controls(notary, whole):
    done = notary("verify", whole, "--trust", TRUST, "--controls", "--json")
    assert json.loads(done.out)["outcome"] == "passed"
    assert done.err.count("fails as stated") == 10


def test_a_control_that_would_pass_is_status_1(notary, whole, tmp_path):
    with whole.open("rb") as stream:
        files = read_package(stream).files
    document = ("contract.pdf", CONTRACT.read_bytes())
    good = {"controls/wrong-sibling": files["heads/4/inclusion.tlog-proof"]}
    path = tmp_path / "p.zip"
    path.write_bytes(write_package(files | good, document))
    arguments = ("verify", path, "--trust", TRUST)
    assert notary(*arguments).out.count("DOES NOT FAIL") == 0
    done = notary(*arguments, "--controls", expected=1)
    assert done.out.count("DOES NOT FAIL") == 1
    assert "do not believe this result" in done.out
    path.write_bytes(write_package(files | {"controls/expected.json": b"{}"}, document))
    done = notary(*arguments, "--controls", expected=1)
    assert "controls/expected.json: " in done.out


def test_no_json_says_passed_where_a_control_stands(notary, whole, tmp_path):
    with whole.open("rb") as stream:
        files = read_package(stream).files
    path = tmp_path / "p.zip"
    for change in (
        {"controls/wrong-sibling": files["heads/4/inclusion.tlog-proof"]},
        {"controls/expected.json": b"{}"},
    ):
        path.write_bytes(write_package(files | change, ("contract.pdf", CONTRACT.read_bytes())))
        done = notary("verify", path, "--trust", TRUST, "--controls", "--json", expected=1)
        assert done.out == ""
        assert "do not believe this result" in done.err
        # What failed anyway is said: no word of it is false.
        arguments = ("verify", path, "--trust", TRUST, "--document", path, "--controls", "--json")
        assert json.loads(notary(*arguments, expected=1).out)["outcome"] == "failed"


def test_a_package_without_controls_says_so(notary):
    assert "holds no controls" in notary("verify", PACKAGE, "--trust", TRUST, "--controls").out
