"""The sample of mutants is drawn as it says, and its figures are those of the textbook."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"a": 500, "b": 300, "c": 199, "d": 1}
ASKED = f"""
import json, sys
sys.path.insert(0, "scripts")
import mutants
names = [f"notary.{{module}}.x_f__mutmut_{{at}}" for module, count in {SIZES}.items() for at in range(count)]
draws = [mutants.draw(names, size, seed) for size, seed in ((100, 1), (250, 1), (250, 2), (5000, 1))]
found = {{"notary.a.x": "killed", "notary.a.y": "survived", "notary.a.z": "timeout", "notary.b.x": "no tests"}}
share = mutants.table(found)
print(json.dumps([names, draws, mutants.wilson(81, 263), mutants.wilson(10, 10), share]))
"""


@pytest.fixture(scope="module")
def answers():
    # In a process of its own: mutmut sets how processes are started, and reads its settings where it is started.
    done = subprocess.run([sys.executable, "-c", ASKED], cwd=ROOT, capture_output=True, text=True, check=True)
    *printed, answer = done.stdout.splitlines()
    return [*json.loads(answer), printed]


def test_a_sample_takes_from_each_module_by_its_share(answers):
    names, (sample, *_), *_ = answers
    assert len(set(sample)) == len(sample) == 100
    assert set(sample) <= set(names)
    count = Counter(name.split(".")[1] for name in sample)
    assert all(abs(count[module] - size / 10) <= 1 for module, size in SIZES.items())


def test_a_larger_sample_begins_with_the_smaller_and_another_seed_draws_others(answers):
    names, (small, large, other, whole), *_ = answers
    assert large[:100] == small
    assert set(other) != set(large)
    assert sorted(whole) == sorted(names)


def test_the_interval_is_wilsons(answers):
    # 81 of 263 is an example of R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872: 0.2553 to 0.3662.
    _, _, some, every, *_ = answers
    assert some == pytest.approx([0.2553, 0.3662], abs=5e-5)
    assert every == pytest.approx([0.7225, 1], abs=5e-5)


def test_what_ran_out_of_time_or_was_reached_by_no_test_was_not_killed(answers):
    *_, share, printed = answers
    assert share == 0.25
    assert printed[:3] == ["survived: notary.a.y", "timeout: notary.a.z", "no tests: notary.b.x"]
    rows = {line.split()[0]: line.split()[1:5] for line in printed[4:]}
    assert rows["all"] == ["4", "1", "2", "1"]
    assert rows["notary.a"] == ["3", "1", "1", "1"]
    assert rows["notary.b"] == ["1", "0", "1", "0"]
