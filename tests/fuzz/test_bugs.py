"""The comparison of the verifiers finds bugs: each of these, put into one of them, is seen as a disagreement."""

import shutil

import pytest

from tests.fuzz.alone import ALONE
from tests.fuzz.bugs import BUGS
from tests.fuzz.lines import STRANGERS
from tests.fuzz.mutations import Mutant, mutants
from tests.fuzz.pointed import POINTED
from tests.fuzz.verifiers import ROOT, JavaScript, OtherPython, by_python
from tests.fuzz.zips import packed

MUTANTS = 1000  # every bug is seen long before the last of them
IN_TEST = (
    "js: a root is not compared",
    "js: any line of a key will do",
    "js: no prefix of a leaf",
    "py: the not-before block's time",
    "py: too few seals",
)
BY_HAND = [pytest.param(name, marks=() if name in IN_TEST else pytest.mark.fuzz) for name in BUGS]


def asked():
    """Those that one check alone refuses, those made for one bug each, then mutants."""
    for make in ALONE.values():
        sample = make()
        yield Mutant(sample, "alone", packed(sample.files))
    for name, pointed in (POINTED | STRANGERS).items():
        sample = pointed.make()
        yield Mutant(sample, name, packed(sample.files))
    yield from mutants(0, MUTANTS)


SOURCE = asked()
KNOWN = []  # what of it was judged already: every bug is tried with the same


def judged():
    """Each of those with the answer of this tree's Python, which is asked once in a process."""
    at = 0
    while True:
        if at == len(KNOWN):
            mutant = next(SOURCE, None)
            if mutant is None:
                return
            KNOWN.append((mutant, by_python(mutant.data, mutant.sample)))
        yield KNOWN[at]
        at += 1


def copied(folder):
    """This tree's package without what no verifier needs."""
    shutil.copytree(ROOT / "notary", folder / "notary", ignore=shutil.ignore_patterns("__pycache__", "fonts"))
    return folder


def found(name, tree):
    """How many were asked until the two disagreed; None where they never did."""
    language, _, _ = name.partition(":")
    with OtherPython(tree) if language == "py" else JavaScript(tree) as changed:
        for number, (mutant, answer) in enumerate(judged(), 1):
            if changed.ask(mutant.data, mutant.sample) != answer:
                return number
    return None


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", BY_HAND)
def test_a_bug_is_seen(name, tmp_path):
    tree = copied(tmp_path)
    BUGS[name].apply(tree)
    assert found(name, tree) is not None


@pytest.mark.fuzz
@pytest.mark.timeout(600)
@pytest.mark.parametrize("language", ["py", "js"])
def test_without_a_bug_nothing_is_seen(language, tmp_path):
    assert found(f"{language}: none", copied(tmp_path)) is None


def test_there_are_thirty_and_more_in_both():
    languages = [name.partition(":")[0] for name in BUGS]
    assert (len(BUGS) >= 30, languages.count("js") >= 10, languages.count("py") >= 10) == (True, True, True)


def test_each_can_still_be_made():
    """Asked of all, and not only where one is made: `make test-fuzz` alone makes most of them."""
    assert [name for name, bug in BUGS.items() if bug.found(ROOT) != 1] == []
