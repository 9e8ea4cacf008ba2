"""Measure the Merkle tree against bare hashing on this machine: `make bench`.

Each subject runs next to its reference, turn by turn, so that a slow spell of the machine hits both; what counts
is the median of the ratios. Prints a table and writes bench.json; exits 1 when a goal is missed.
"""

import argparse
import json
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from rich.console import Console
from rich.table import Table

from notary.merkle.hashing import hash_leaf, hash_leaves
from notary.merkle.proof import all_inclusion_paths, check_inclusion, inclusion_path, paths_down
from notary.merkle.tree import levels, root_of

LEAVES = 100_000
MIN_RUNS = 5

# Goals. Ratios are to bare hashing in the same run.
BUILD_RATIO = 1.15
PROOF_US = 0.6  # a leaf


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table; `ratio` is value / reference, the median of the paired runs; `goal` may be empty."""

    name: str
    value: float
    unit: str
    ratio: float
    reference: str
    goal: str
    ok: bool


def paired(
    subject: Callable[[], object], reference: Callable[[], object], runs: int
) -> tuple[float, float, float]:
    """Return the median seconds of both and the median of their ratios, from `runs` interleaved runs."""
    subject(), reference()  # the first run of each fills caches and is not counted
    times = [(_seconds(subject), _seconds(reference)) for _ in range(runs)]
    ratio = statistics.median(mine / theirs for mine, theirs in times)
    return statistics.median(t[0] for t in times), statistics.median(t[1] for t in times), ratio


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def bare_hashing(leaves: int) -> list[bytes]:
    """Hash as often, and as many bytes, as a tree of 32-byte entries takes, and build nothing."""
    leaf, node = bytes(33), bytes(65)
    return [sha256(leaf).digest() for _ in range(leaves)] + [sha256(node).digest() for _ in range(leaves - 1)]


def bench_build(entries: list[bytes], runs: int) -> Result:
    """Entries to root."""
    count = len(entries)
    mine, bare, ratio = paired(lambda: root_of(hash_leaves(entries)), lambda: bare_hashing(count), runs)
    reference = f"bare hashing {bare * 1e3:.1f} ms"
    return Result(
        f"tree build, {count:,}",
        mine * 1e3,
        "ms",
        ratio,
        reference,
        f"ratio <= {BUILD_RATIO}",
        ratio <= BUILD_RATIO,
    )


def bench_all_proofs(entries: list[bytes], runs: int) -> Result:
    """The paths of all leaves, from the rows of a tree that is built."""
    count = len(entries)
    rows = levels(hash_leaves(entries))
    mine, bare, ratio = paired(lambda: deque(paths_down(rows), maxlen=0), lambda: bare_hashing(count), runs)
    value = mine / count * 1e6
    reference = f"bare hashing {bare / count * 1e6:.2f} us/leaf"
    return Result(
        f"all proofs, {count:,}",
        value,
        "us/leaf",
        ratio,
        reference,
        f"value <= {PROOF_US}",
        value <= PROOF_US,
    )


def bench_all_proofs_and_tree(entries: list[bytes], runs: int) -> Result:
    """The same from the leaf hashes, so with the building of the tree."""
    count = len(entries)
    leaf_hashes = hash_leaves(entries)
    mine, bare, ratio = paired(
        lambda: deque(all_inclusion_paths(leaf_hashes), maxlen=0), lambda: bare_hashing(count), runs
    )
    value = mine / count * 1e6
    reference = f"bare hashing {bare / count * 1e6:.2f} us/leaf"
    return Result(f"tree and all proofs, {count:,}", value, "us/leaf", ratio, reference, "", ok=True)


def bench_verify(entries: list[bytes], runs: int) -> Result:
    """One inclusion proof checked, against merkletools' way of doing it: hexadecimal, a dict for each sibling."""
    count, index, repeats = len(entries), len(entries) // 3, 2_000
    rows = levels(hash_leaves(entries))
    path = inclusion_path(index, count, lambda level, place: rows[level][place])
    leaf_hash, root = hash_leaf(entries[index]), rows[-1][0]
    siblings = [{"left" if index >> level & 1 else "right": node.hex()} for level, node in enumerate(path)]
    claimed = _merkletools_root(siblings, leaf_hash.hex()).hex()

    def verify() -> None:
        for _ in range(repeats):
            check_inclusion(leaf_hash, index, count, path, root)

    def merkletools() -> None:
        for _ in range(repeats):
            if bytearray.fromhex(claimed) != _merkletools_root(siblings, leaf_hash.hex()):
                raise AssertionError

    mine, theirs, ratio = paired(verify, merkletools, runs)
    reference = f"merkletools' algorithm {theirs / repeats * 1e6:.1f} us"
    name = f"one verification of {count:,}"
    return Result(name, mine / repeats * 1e6, "us", ratio, reference, "ratio < 1", ratio < 1)


def _merkletools_root(siblings: list[dict[str, str]], target: str) -> bytes:
    node = bytes(bytearray.fromhex(target))
    for sibling in siblings:
        try:
            node = sha256(bytearray.fromhex(sibling["left"]) + node).digest()
        except KeyError:
            node = sha256(node + bytearray.fromhex(sibling["right"])).digest()
    return node


def show(results: list[Result]) -> None:
    """Print the table."""
    table = Table("what", "median", "ratio", "reference", "goal", "")
    for result in results:
        value = f"{result.value:.2f} {result.unit}"
        verdict = "" if not result.goal else "reached" if result.ok else "missed"
        table.add_row(result.name, value, f"{result.ratio:.2f}", result.reference, result.goal, verdict)
    Console().print(table)


def main() -> int:
    """Run every benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="counted runs of each, at least 5")
    parser.add_argument("--output", type=Path, default=Path("bench.json"))
    arguments = parser.parse_args()
    if arguments.runs < MIN_RUNS:
        parser.error(f"a median needs at least {MIN_RUNS} runs")
    entries = [sha256(number.to_bytes(8, "big")).digest() for number in range(LEAVES)]
    benches = (bench_build, bench_all_proofs, bench_all_proofs_and_tree, bench_verify)
    results = [bench(entries, arguments.runs) for bench in benches]
    show(results)
    arguments.output.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")
    return 0 if all(result.ok for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
