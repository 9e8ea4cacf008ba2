"""Try a random sample of mutmut's mutants: `make mutants SAMPLE=400 SEED=2 NAMES='notary.merkle.*'`.

What was killed stays killed while its function is as it was; what was not is tried again. `mutmut show NAME` tells what
was changed. Exit status 1 when less than 90 % of those tried were killed, or some could not be tried.

mutmut forks a process that has imported everything. What modules make of their functions while they are imported, as
the forms of DER are made, was made of the unchanged ones then. So what has survived is tried again by the tests of its
own module in a process that imports the changed one.
"""

import argparse
import contextlib
import fnmatch
import io
import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutmut import __main__ as mutmut
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import copy_also_copy_files, copy_src_dir

GOAL = 0.9
Z = 1.96  # of a 95 % interval
CHILDREN = 2
FORMS = ["asn1*", "token_form", "timestamp*", "ocsp_digest", "tsa_cases"]  # tests of all that is named *_form
TESTED = ("merkle", "evidence")
MINUTES = 20  # for one such trial; on two busy processors the longest takes three


def results(names: str) -> dict[str, str]:
    """The status of each mutant whose name fits, by its name."""
    mutants, _ = mutmut.collect_source_file_mutation_data(mutant_names=())
    return {name: status_by_exit_code[code] for _, name, code in mutants if fnmatch.fnmatch(name, names)}


def generate() -> None:
    """Write the mutants, as `mutmut run` does before anything else."""
    set_mutant_under_test("mutant_generation")
    Path("mutants").mkdir(exist_ok=True)
    with contextlib.redirect_stdout(io.StringIO()):
        copy_src_dir()
        copy_also_copy_files()
        mutmut.create_mutants(CHILDREN)


def draw(names: Iterable[str], size: int, seed: int) -> list[str]:
    """`size` names, or all if there are fewer, from each module by its share; a smaller sample begins a larger one."""
    modules: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        modules[name.rpartition(".")[0]].append(name)
    ranked: list[tuple[float, str]] = []
    for module, group in modules.items():
        chance = random.Random(f"{seed} {module}")
        chance.shuffle(group)
        start = chance.random()
        ranked += [((start + at) / len(group), name) for at, name in enumerate(group)]
    return [name for _, name in sorted(ranked)[:size]]


def wilson(killed: int, tried: int) -> tuple[float, float]:
    """The ends of the 95 % interval of the share of all that are killed, from a sample of `tried`, at least 1."""
    share, part = killed / tried, Z * Z / tried
    half = Z * (share * (1 - share) / tried + part / (4 * tried)) ** 0.5
    return (share + part / 2 - half) / (1 + part), (share + part / 2 + half) / (1 + part)


def tests_of(name: str) -> list[str]:
    """The files that test the module of a mutant."""
    module = name.split(".")[-2]
    patterns = FORMS if module.endswith("_form") else [f"{module}*"]
    return sorted(
        {
            str(path)
            for each in patterns
            for part in TESTED
            for path in Path("tests", part).glob(f"test_{each}.py")
        }
    )


def tried_alone(name: str) -> str:
    """The status of one mutant, in a process that imports it; `killed` also where it cannot be imported."""
    if not (files := tests_of(name)):
        return "survived"
    command = [sys.executable, "-m", "pytest", "-n", "0", "-x", "-q", *files]
    try:
        done = subprocess.run(
            command, cwd="mutants", env=os.environ | {"MUTANT_UNDER_TEST": name}, check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=MINUTES * 60,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "timeout"
    return "killed" if done.returncode else "survived"


def alone(names: Iterable[str]) -> dict[str, str]:
    """What has survived, each tried in a process of its own.

    Raises:
        SystemExit: the tests of a module fail without any mutant.
    """
    asked = list(names)
    for module in {name.split(".")[-2] for name in asked}:
        if tried_alone(f"none.{module}.none") == "killed":
            sys.exit(f"the tests of {module} do not pass without a mutant")
    with ThreadPoolExecutor(CHILDREN) as pool:
        return dict(zip(asked, pool.map(tried_alone, asked), strict=True))


def table(found: dict[str, str]) -> float:
    """Print what came of each module, package and all; the share of all that was killed.

    What no test reaches has survived. A timeout is no kill: a busy machine may be the reason.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name, status in found.items():
        module = name.rpartition(".")[0]
        for part in (module, module.rpartition(".")[0], "all"):
            counts[part][status if status in {"killed", "timeout"} else "survived"] += 1
        if status != "killed":
            print(f"{status}: {name}")
    print(f"{'':36} tried  killed  survived  timeout   share  95 %, Wilson")
    for part, count in sorted(counts.items(), key=lambda row: (-row[0].count("."), row[0])):
        tried, killed = count.total(), count["killed"]
        low, high = wilson(killed, tried)
        print(
            f"{part:36} {tried:5}  {killed:6}  {count['survived']:8}  {count['timeout']:7}"
            f"  {killed / tried:6.1%}  {low:.1%} to {high:.1%}"
        )
    return counts["all"]["killed"] / max(1, counts["all"].total())


def main() -> int:
    """1 when less than the goal was killed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sample", type=int, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--names", default="*", help="a pattern of the mutants' names")
    asked = parser.parse_args()
    generate()
    before = results(asked.names)
    drawn = draw(before, asked.sample, asked.seed)
    if rest := [name for name in drawn if before[name] != "killed"]:
        mutmut._run(rest, CHILDREN)  # noqa: SLF001 - what `mutmut run` calls
    after = results(asked.names)
    after |= alone(name for name in drawn if after[name] not in {"killed", "not checked"})
    tried = {name: after[name] for name in drawn if after[name] != "not checked"}
    print(f"{len(drawn)} of {len(after)} mutants drawn, {len(tried)} tried")
    return int(table(tried) < GOAL or len(tried) < len(drawn))


if __name__ == "__main__":
    sys.exit(main())
