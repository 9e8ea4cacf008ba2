"""What benchmarks share: runs in pairs, rows, the table, bench.json.

A subject runs next to its reference, turn by turn, so that a slow spell of the machine hits both; what counts is
the median of the ratios.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

MIN_RUNS = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `ratio` is value / reference, the median of the paired runs; an empty `goal` is met."""

    name: str
    value: float
    unit: str
    ratio: float
    reference: str
    goal: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Context:
    """What a benchmark is given.

    Attributes:
        runs: counted runs of each pair, at least 5.
        folder: where it may leave files; all are removed after the last benchmark.
        tell: shows what is being done.
        large: whether to measure at the sizes that take an hour, too.
    """

    runs: int
    folder: Path
    tell: Callable[[str], None]
    large: bool = False


Benchmark = Callable[[Context], Iterable[Row]]


def set_aside(path: Path, folder: Path) -> None:
    """Move a file or folder away that has been measured; whoever made `folder` deletes it in the end.

    Nothing is deleted while there is more to measure: for minutes after a deletion ext4 gives out no inode that
    was freed, and looks at each of them again for every file that is made (`recently_deleted` in its ialloc.c).
    After 20,000 deletions a file took 550 µs of processor, and 25 µs before (2026-11-27, Linux 6.18). A log
    itself deletes nothing but a few staging objects a close.
    """
    aside = folder / "aside"
    aside.mkdir(exist_ok=True)
    path.rename(aside / token_hex(8))


@dataclass(frozen=True, slots=True)
class Pair:
    """Median seconds of subject and reference, and the median of their ratios."""

    subject: float
    reference: float
    ratio: float


def paired(subject: Callable[[], object], reference: Callable[[], object], runs: int) -> Pair:
    """Run both, turn by turn."""
    subject(), reference()  # the first run of each fills caches and is not counted
    return pair_of([(seconds(subject), seconds(reference)) for _ in range(runs)])


def pair_of(times: Sequence[tuple[float, float]]) -> Pair:
    """What paired times, each (subject, reference), say."""
    return Pair(
        statistics.median(mine for mine, _ in times),
        statistics.median(theirs for _, theirs in times),
        statistics.median(mine / theirs for mine, theirs in times),
    )


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def by_ratio(name: str, value: float, unit: str, pair: Pair, reference: str, most: float) -> Row:
    """A figure whose ratio may be `most`."""
    return Row(name, value, unit, pair.ratio, reference, f"ratio <= {most}", pair.ratio <= most)


def by_value(name: str, value: float, unit: str, ratio: float, reference: str, most: float) -> Row:
    """A figure that may be `most` itself."""
    return with_goal(Row(name, value, unit, ratio, reference, "", ok=True), most)


def with_goal(row: Row, most: float) -> Row:
    """The same figure, which may be `most`."""
    return replace(row, goal=f"value <= {most}", ok=row.value <= most)


def at_least(row: Row, *, ratio: float | None = None, value: float | None = None) -> Row:
    """The same figure, whose ratio or value must be that much."""
    if ratio is not None:
        return replace(row, goal=f"ratio >= {ratio}", ok=row.ratio >= ratio)
    assert value is not None
    return replace(row, goal=f"value >= {value}", ok=row.value >= value)


def beside(name: str, value: float, unit: str, ratio: float, reference: str) -> Row:
    """A figure that stands there for comparison."""
    return Row(name, value, unit, ratio, reference, "", ok=True)


def bare_hashing(leaves: int) -> list[bytes]:
    """Hash as often, and as many bytes, as a tree of 32-byte entries takes, and build nothing."""
    leaf, node = bytes(33), bytes(65)
    return [sha256(leaf).digest() for _ in range(leaves)] + [sha256(node).digest() for _ in range(leaves - 1)]


def percentile(values: Iterable[float], part: float) -> float:
    """The value that `part` of all are below, 0 to 1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def hash_ns(times: int = 100_000) -> float:
    """Nanoseconds of one SHA-256 of 65 bytes, called in a loop: how fast this machine is at this moment."""
    block = bytes(65)
    start = time.perf_counter()
    for _ in range(times):
        sha256(block).digest()
    return (time.perf_counter() - start) / times * 1e9


def run(benchmarks: Sequence[Benchmark], runs: int, folder: Path, *, large: bool = False) -> Iterator[Row]:
    """Run benchmarks one after another, and say meanwhile which one it is."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        for number, benchmark in enumerate(benchmarks, 1):
            title = f"{number} of {len(benchmarks)}: {(benchmark.__doc__ or '').partition('.')[0]}"
            task = progress.add_task(title, total=None)
            place = folder / benchmark.__name__
            place.mkdir()
            yield from benchmark(Context(runs, place, _teller(progress, task, title), large))
            progress.remove_task(task)


def _teller(progress: Progress, task: TaskID, title: str) -> Callable[[str], None]:
    return lambda what: progress.update(task, description=f"{title} ({what})")


def show(rows: Iterable[Row]) -> None:
    """Print the table."""
    table = Table("what", "median", "ratio", "reference", "goal", "")
    for row in rows:
        verdict = "" if not row.goal else "reached" if row.ok else "missed"
        table.add_row(
            row.name, f"{row.value:.2f} {row.unit}", f"{row.ratio:.2f}", row.reference, row.goal, verdict
        )
    Console().print(table)


def write(rows: Iterable[Row], path: Path) -> None:
    """Write bench.json."""
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
