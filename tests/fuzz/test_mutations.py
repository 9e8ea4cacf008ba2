"""Mutants of valid packages: none is accepted by either verifier, and both always say the same."""

import os
from collections import Counter

import pytest

from tests.fuzz.corpus import samples
from tests.fuzz.judge import accepted, faults
from tests.fuzz.mutations import Mutant, mutants
from tests.fuzz.verifiers import SLOW, JavaScript, by_python, timed, vector
from tests.fuzz.zips import packed

IN_TEST = 2000
SEED = int(os.environ.get("NOTARY_FUZZ_SEED", "1000"))
PARTS, OF_PART = 40, int(os.environ.get("NOTARY_FUZZ_MUTANTS", "200000")) // 40


def judged(seed, count):
    """What is wrong, and how many were asked by their outcome."""
    wrong, outcomes = [], Counter()
    with JavaScript() as javascript:
        for mutant in mutants(seed, count):
            python, ours = timed(by_python, mutant.data, mutant.sample)
            script, theirs = timed(javascript.ask, mutant.data, mutant.sample)
            wrong += faults(mutant, python, script)
            if max(ours, theirs) > SLOW:
                wrong.append(f"{mutant.what}: took {max(ours, theirs):.1f} s")
            outcomes[python.get("outcome", "no evidence")] += 1
    return wrong, outcomes


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_unchanged_they_pass_in_both(sample):
    with JavaScript() as javascript:
        answer = javascript.ask(packed(sample.files), sample)
    assert answer == vector(sample.report.to_json())
    assert answer["outcome"] == "passed"


@pytest.mark.timeout(300)
def test_no_mutant_is_accepted_and_the_verifiers_agree():
    wrong, outcomes = judged(0, IN_TEST)
    assert wrong == []
    assert outcomes.total() > IN_TEST
    assert outcomes["failed"] > IN_TEST * 0.9  # else the mutants are none


@pytest.mark.fuzz
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_mutant_of_very_many_is_accepted(part):
    wrong, outcomes = judged(SEED + part, OF_PART)
    assert wrong == []
    assert outcomes.total() == OF_PART


def test_one_that_is_accepted_would_be_seen():
    sample = samples()[0]
    true = vector(sample.report.to_json())
    mutant = Mutant(sample, "none", b"")
    bound = true["time"]["bounds"][0]
    assert accepted(mutant, true) == ""
    assert accepted(Mutant(sample, "none", b"", must_fail=True), true) == "what a check must refuse"
    for change, why in (
        ({"entry": "00"}, "another entry"),
        ({"index": 1}, "another index"),
        ({"openings": {"title": "x"}}, "another opening"),
        (
            {"time": true["time"] | {"bounds": [bound | {"not_after": "2020-01-01T00:00:00Z"}]}},
            "another bound",
        ),
        ({"time": true["time"] | {"existed_by": "2020-01-01T00:00:00Z"}}, "an earlier time"),
        ({"time": true["time"] | {"made_after": "2020-01-01T00:00:00Z"}}, "another not-before block"),
    ):
        assert accepted(mutant, true | change) == why


def test_a_disagreement_is_named():
    sample = samples()[0]
    true = vector(sample.report.to_json())
    checks = [check | {"claim": "recomputed"} if check["id"] == "4.1" else check for check in true["checks"]]
    (one,) = faults(Mutant(sample, "x", b""), true, true | {"checks": checks})
    assert one == "x: the verifiers differ in -4.1  passed (stated), +4.1  passed (recomputed)"
    (two,) = faults(Mutant(sample, "x", b""), true, {"error": "NoEvidence"})
    assert two == "x: the verifiers differ in kind of answer: [] and NoEvidence"
