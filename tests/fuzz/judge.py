"""What is wrong with two answers about one mutant."""

from collections.abc import Iterator
from typing import Any

from tests.fuzz.mutations import Mutant
from tests.fuzz.verifiers import failed, vector


def faults(mutant: Mutant, python: dict[str, Any], script: dict[str, Any]) -> Iterator[str]:
    """One sentence for each; none where both answer alike and let nothing through."""
    if python != script:
        yield f"{mutant.what}: the verifiers differ in {', '.join(_differences(python, script))}"
    for name, answer in (("Python", python), ("JavaScript", script)):
        why = accepted(mutant, answer)
        if why:
            yield f"{mutant.what}: {name} accepts {why}"


def accepted(mutant: Mutant, answer: dict[str, Any]) -> str:
    """What a verifier lets through that it should not, or nothing.

    A mutant of which a check must fail may not pass. Any other may, but only with what the unchanged package shows too,
    or less: the same entry at the same place, no other opening, no other bound, no earlier T.
    """
    if answer.get("outcome") != "passed":
        return ""
    if mutant.must_fail:
        return "what a check must refuse"
    true = vector(mutant.sample.report.to_json())
    for key in ("statement", "entry", "index"):
        if answer[key] != true[key]:
            return f"another {key}"
    if not answer["openings"].items() <= true["openings"].items():
        return "another opening"
    if any(bound not in true["time"]["bounds"] for bound in answer["time"]["bounds"]):
        return "another bound"
    if answer["time"]["existed_by"] < true["time"]["existed_by"]:
        return "an earlier time"
    if answer["time"]["made_after"] not in (None, true["time"]["made_after"]):
        return "another not-before block"
    return ""


def _differences(python: dict[str, Any], script: dict[str, Any]) -> list[str]:
    if "checks" not in python or "checks" not in script:
        return [f"kind of answer: {_short(python)} and {_short(script)}"]
    keys = [
        key for key in python.keys() | script.keys() if key != "checks" and python.get(key) != script.get(key)
    ]
    ours, theirs = ([_line(check) for check in answer["checks"]] for answer in (python, script))
    only = [f"-{line}" for line in ours if line not in theirs] + [
        f"+{line}" for line in theirs if line not in ours
    ]
    return [*sorted(keys), *only]


def _line(check: dict[str, Any]) -> str:
    return f"{check['id']} {check['subject']} {check['outcome']} ({check['claim']})"


def _short(answer: dict[str, Any]) -> str:
    return str(answer.get("error") or sorted(failed(answer)))
