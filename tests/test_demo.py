"""The end of the demo, over evidence that was made before: what it says, and by what it ends with 0 or 1."""

import shutil
from pathlib import Path

import demo
import pytest

from notary.cli.remote import with_document

V1 = Path(__file__).parent / "testdata/v1"


@pytest.fixture
def out(tmp_path):
    """A folder as `make demo` leaves one, up to the point where it verifies."""
    shutil.copy(V1 / "contract.pdf", tmp_path / "document.pdf")
    shutil.copy(V1 / "trust.toml", tmp_path)
    package = with_document((V1 / "package.zip").read_bytes(), tmp_path / "document.pdf")
    (tmp_path / "evidence.zip").write_bytes(package)
    return tmp_path


def test_it_ends_by_saying_what_its_authority_and_chain_are_in_both_languages(out, capfd):
    assert demo._verify(out) == 0
    said = capfd.readouterr().out
    assert "For tests only: the trust file says that its anchors prove nothing" in said
    assert "failed: 2.3" in said
    _, _, last = said.partition("The evidence passed and the damaged one failed, as both must.")
    assert "only because the trust file names them as different organisations" in last
    assert "仅因信任文件将其列为不同的组织" in last
    assert last.rstrip().endswith("没有证明力。")


def test_evidence_that_does_not_pass_is_no_success_of_the_demo(out, capfd):
    more = (V1 / "trust.toml").read_text().replace("test_only = true", "test_only = true\nk = 5", 1)
    (out / "trust.toml").write_text(more)
    assert demo._verify(out) == 1
    assert "Expected exit status 0 and 1, got 2 and 1." in capfd.readouterr().out
