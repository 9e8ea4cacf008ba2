"""Closing batches of 10⁵ and 10⁶ entries, and what submitters notice of it."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from benchmarks.filling import filling
from benchmarks.harness import (
    Context,
    Row,
    bare_hashing,
    beside,
    pair_of,
    percentile,
    seconds,
    set_aside,
    with_goal,
)
from benchmarks.intake import BULK, BULK_CONNECTIONS, CONNECTIONS, array, lines, memory, single_requests
from benchmarks.load import get_all
from benchmarks.postload import Posted, post_all, request
from benchmarks.service import Place, Server, environment, on_postgresql, serving
from benchmarks.truth import Truth, counted

SMALL, LARGE = 100_000, 1_000_000  # entries of a batch
GOALS = {SMALL: 1.0, LARGE: 10.0}  # seconds
BATCH_MIB = 512.0
SECONDS = 4.0
P99_RATIO, P99_MS = 3.0, 40.0
ASKED = 200
EMPTY = 1000  # files


def batches(context: Context) -> Iterator[Row]:
    """Close batches of 100,000 and of 1,000,000."""
    rows = [_empty_files(context.folder / "empty")]
    with on_postgresql(context.folder / "data") as place:
        truth = Truth(place)
        for size in (SMALL, LARGE):
            with filling(place) as filler:
                truth.acknowledged += filler.fill(size, context.tell)
            rows += _closing(place, size, context)
        context.tell("fsck")
        yield from counted(rows, truth.verdict())


def _empty_files(folder: Path) -> Row:
    """What this file system takes to name a file, which a close does once for each 256 leaves, twice."""
    folder.mkdir()

    def made() -> None:
        for number in range(EMPTY):
            (folder / str(number)).touch()

    each = seconds(made) / EMPTY * 1e6
    return beside("an empty file on this file system", each, "µs", each / 25, "25 µs of an ext4 at rest")


def _closing(place: Place, size: int, context: Context) -> Iterator[Row]:
    times, peaks = [], []
    for turn in range(context.runs + 1):
        context.tell(f"closing {size:,}, turn {turn}")
        before = Before.of(place)
        bare = seconds(lambda: bare_hashing(size))
        closed = json.loads(subprocess.check_output(_closer("once"), env=environment(place)))
        assert closed["size"] - before.size == size, closed
        if turn:
            times.append((closed["seconds"], bare))
            peaks.append(closed["mib"])
        if turn < context.runs:
            before.restore(place, context.folder)
    pair = pair_of(times)
    reference = f"bare hashing {pair.reference:.2f} s"
    row = beside(
        f"closing a batch of {size:,}, PostgreSQL and files", pair.subject, "s", pair.ratio, reference
    )
    yield with_goal(row, GOALS.get(size, 1.0))
    peak = max(peaks)
    yield with_goal(
        beside(f"peak memory of a process that closes {size:,}", peak, "MiB", peak / BATCH_MIB, "512 MiB"),
        BATCH_MIB,
    )


def _closer(mode: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.closer", mode]


@dataclass(frozen=True, slots=True)
class Before:
    """A log before a close, so that the same batch can be closed once more: only a benchmark may take one back."""

    size: int
    state: tuple[object, ...]
    objects: dict[Path, bytes]  # the checkpoint; of all others the names alone count

    @classmethod
    def of(cls, place: Place) -> "Before":
        """What there is now."""
        with psycopg.connect(place.url) as connection:
            state = connection.execute("SELECT size, root, note, staging FROM log_state").fetchone()
        assert state is not None
        log = place.data / "log"
        objects = {path: path.read_bytes() if path.name == "checkpoint" else b"" for path in _files(log)}
        return cls(state[0], tuple(state), objects)

    def restore(self, place: Place, folder: Path) -> None:
        """Take the close back, and leave its objects in `folder`."""
        with psycopg.connect(place.url) as connection:
            connection.execute("UPDATE commit_group SET first_idx = NULL WHERE first_idx >= %s", (self.size,))
            connection.execute("DELETE FROM checkpoint WHERE size > %s", (self.size,))
            connection.execute(
                "UPDATE log_state SET size = %s, root = %s, note = %s, staging = %s", self.state
            )
        for path in _files(place.data / "log"):
            if path not in self.objects:
                set_aside(path, folder)
        for path, data in self.objects.items():
            if path.name == "checkpoint":
                path.write_bytes(data)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def beside_submissions(context: Context) -> Iterator[Row]:
    """Submit while another process closes; then bulk and look-ups, for the memory of the API."""
    with on_postgresql(context.folder / "data") as place, serving(place) as server:
        truth = Truth(place)
        outside, inside = list[Posted](), list[Posted]()
        closes = 0
        for turn in range(context.runs + 1):
            context.tell(f"submitting, nobody closes, turn {turn}")
            quiet = _submit(server, truth)
            with filling(place) as filler:
                truth.acknowledged += filler.fill(SMALL, context.tell)
            context.tell(f"submitting, another process closes, turn {turn}")
            with _closing_on(place) as done:
                busy = _submit(server, truth)
            closes += done["closes"]
            if turn:
                outside.append(quiet)
                inside.append(busy)
        rows = [*_slowest(outside, inside, closes)]
        context.tell("bulk and look-ups")
        _everything_else(server, truth)
        rows.append(memory("an API process after all that", server))
        context.tell(f"fsck of {truth.acknowledged:,}")
        yield from counted(rows, truth.verdict())


def _submit(server: Server, truth: Truth) -> Posted:
    posted = post_all(server.port, single_requests(truth.place.key, SECONDS), CONNECTIONS, 0.01)
    truth.acknowledged += len(posted.seconds)
    truth.kept += posted.kept
    return posted


@contextmanager
def _closing_on(place: Place) -> Iterator[dict[str, int]]:
    """Another process closes once a second; afterwards, how often it did."""
    found: dict[str, int] = {}
    process = subprocess.Popen(
        _closer("on"), env=environment(place), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield found
    finally:
        output, _ = process.communicate()
    found |= json.loads(output)


def _slowest(outside: Sequence[Posted], inside: Sequence[Posted], closes: int) -> Iterator[Row]:
    p99 = [
        (percentile(b.seconds, 0.99), percentile(a.seconds, 0.99))
        for a, b in zip(outside, inside, strict=True)
    ]
    pair = pair_of(p99)
    rates = [statistics.median(posted.rate for posted in posts) for posts in (outside, inside)]
    reference = f"p99 while nobody closes {pair.reference * 1e3:.1f} ms, {rates[0]:,.0f}/s; {closes} closes"
    name = f"p99 of submissions while another process closes, {rates[1]:,.0f}/s"
    row = beside(name, pair.subject * 1e3, "ms", pair.ratio, reference)
    yield replace(row, goal=f"ratio <= {P99_RATIO}", ok=pair.ratio <= P99_RATIO)
    yield with_goal(replace(row, name="the same, absolute"), P99_MS)


def _everything_else(server: Server, truth: Truth) -> None:
    key = truth.place.key
    for form, media_type in ((array, "application/json"), (lines, "application/x-ndjson")):
        requests = [
            request("/v1/evidence/bulk", form(BULK), key, media_type) for _ in range(BULK_CONNECTIONS * 2)
        ]
        posted = post_all(server.port, iter(requests), BULK_CONNECTIONS, 0.2)
        truth.acknowledged += len(requests) * BULK
        truth.kept += posted.kept
    paths = [f"/v1/lookup/sha-256/{os.urandom(32).hex()}" for _ in range(ASKED)]
    get_all(server.port, paths, BULK_CONNECTIONS, key=key)
