"""The demo: how it measures its goals, and its end over evidence that was made before, with 0 or 1."""

import shutil
from pathlib import Path

import demo
import pytest

from notary.cli.remote import with_document
from notary.errors import Unavailable

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


NUMBER = "NA7W-Q3EU-N59P-CCZT"


def state(*final, closed=None, due=()):
    """An answer of the service, with final attestations of these kinds."""
    found = [
        {"anchor": kind, "kind": kind, "state": "final", "size": 2, "updated": "", "detail": ""}
        for kind in final
    ]
    found.append({"anchor": "x", "kind": "evm", "state": "mined", "size": 2, "updated": "", "detail": ""})
    named = {"number": NUMBER, "entry": "00", "index": 1, "inspection": "none"}
    return named | {"closed": closed, "attestations": found, "due": list(due)}


def test_the_time_is_measured_from_the_last_question_before_the_closing_to_the_first_answer_after_the_stamp():
    watch = demo.Watch(10.0)
    watch.note(state(), 11.0, 11.25)
    watch.note(state(), 12.0, 12.25)
    watch.note(state(closed="now"), 13.0, 13.25)  # closed at any moment after 12.0
    watch.note(state("rfc3161", closed="now"), 13.5, 13.75)
    watch.note(state("rfc3161", "evm", closed="now"), 26.5, 26.75)
    watch.note(state("rfc3161", "evm", closed="now"), 40.0, 40.5)  # the first answer counts
    assert (watch.seconds("stamped"), watch.seconds("final")) == (1.75, 14.75)
    assert watch.missed() == []


def test_what_the_first_answer_tells_is_measured_from_the_submission():
    watch = demo.Watch(10.0)
    watch.note(state("rfc3161", "evm", closed="now"), 12.0, 12.5)
    assert (watch.seconds("stamped"), watch.seconds("final")) == (2.5, 2.5)
    assert watch.missed() == ["First time stamp"]  # though it may have been sooner: it was not seen to be


def test_a_goal_that_was_missed_or_never_told_is_named():
    watch = demo.Watch(0.0)
    assert watch.missed() == ["First time stamp", "Final on the chain"]
    watch.note(state("rfc3161", closed="now"), 1.0, 2.0)
    assert watch.missed() == ["Final on the chain"]
    watch.note(state("evm", closed="now"), 15.0, 15.1)
    assert watch.missed() == ["Final on the chain"]


class Answering:
    """A service that gives one answer after the other, and the last one for ever."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def state(self, number):
        assert number == NUMBER
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


ANSWERS = (state(due=["close"]), state(closed="now", due=["stamp"]), state("rfc3161", "evm", closed="now"))


def test_it_watches_until_nothing_is_due_and_says_whether_the_goals_were_reached(capfd, monkeypatch):
    watch = demo.Watch(demo.time.monotonic())
    demo._advance(Answering(*ANSWERS), NUMBER, watch)
    assert demo._end(0, watch.missed(), strict=True) == 0
    said = capfd.readouterr().out
    assert said.count("✓ reached") == 2
    assert 0.2 <= watch.seconds("stamped") < 2  # two pauses between the three questions
    assert said.rstrip().endswith("Both goals of time were reached.")
    monkeypatch.setattr(demo, "GOALS", demo.GOALS | {"final": ("Final on the chain", 0.1)})
    demo._advance(Answering(*ANSWERS), NUMBER, demo.Watch(demo.time.monotonic()))
    said = capfd.readouterr().out
    assert said.count("✓ reached") == said.count("✗ missed") == 1


def test_what_stays_due_ends_the_demo(monkeypatch):
    monkeypatch.setattr(demo, "FINAL_SECONDS", 0.05)
    with pytest.raises(Unavailable, match=r"after 0.05 s these are still due: stamp, anchor"):
        demo._advance(Answering(state(due=["stamp", "anchor"])), NUMBER, demo.Watch(0.0))


@pytest.mark.parametrize(
    ("status", "missed", "strict", "expected"),
    [(0, [], True, 0), (1, [], True, 1), (0, ["x"], False, 0), (1, ["x"], False, 1), (0, ["x"], True, 1)],
)
def test_a_missed_goal_is_said_last_and_fails_the_demo_only_where_that_is_asked_for(
    capfd, status, missed, strict, expected
):
    assert demo._end(status, missed, strict=strict) == expected
    last = "Goals of time that were missed: x." if missed else "Both goals of time were reached."
    assert capfd.readouterr().out.rstrip() == last
