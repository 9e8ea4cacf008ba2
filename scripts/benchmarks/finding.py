"""Look-ups by digest in a log of 10⁶ records, of 10⁷ in the large run."""

import os
import statistics
import time
from collections.abc import Iterator, Sequence
from random import Random

from benchmarks.filling import filling
from benchmarks.harness import Context, Row, beside, percentile, seconds, with_goal
from benchmarks.load import get_all
from benchmarks.service import Place, on_postgresql, serving
from benchmarks.truth import Truth, close_all, counted
from notary import wiring
from notary.services.types import Viewer
from notary.store.engine import Database
from notary.store.records import record_at
from notary.wiring import Assembly

NORMAL, LARGE = 1_000_000, 10_000_000
ASKED = 2_000  # a run in the store; a fifth of it over HTTP
STORE_MS, HTTP_MS = 0.5, 3.0


def lookups(context: Context) -> Iterator[Row]:
    """Find records by the digest of their document, hits and misses."""
    size = LARGE if context.large else NORMAL
    with on_postgresql(context.folder / "data") as place:
        truth = Truth(place)
        with filling(place) as filler:
            truth.acknowledged = filler.fill(size, context.tell)
        assembly = wiring.build(place.settings())
        context.tell("closing and indexing")
        rows = [_indexing(assembly, size)]
        hits = _stored(assembly.database, size)
        misses = [os.urandom(32) for _ in hits]
        rows += _in_store(assembly, place, hits, misses, size, context)
        assembly.close()
        rows += _over_http(place, hits, misses, size, context)
        context.tell(f"fsck of {size:,}")
        yield from counted(rows, truth.verdict())


def _indexing(assembly: Assembly, size: int) -> Row:
    taken = seconds(lambda: close_all(assembly))
    # What the server's autovacuum does within a minute; without figures on a new table it plans badly.
    with assembly.database.writing() as connection:
        connection.exec_driver_sql("ANALYZE digest_index")
    return beside(f"close and index {size:,}", taken, "s", taken / size * 1e6, "µs a record in `ratio`")


def _stored(database: Database, size: int) -> list[bytes]:
    random = Random(3)
    with database.reading() as connection:
        found = [record_at(connection, random.randrange(1, size)).sha256 for _ in range(ASKED)]
    return [digest for digest in found if digest is not None]


def _in_store(
    assembly: Assembly,
    place: Place,
    hits: Sequence[bytes],
    misses: Sequence[bytes],
    size: int,
    context: Context,
) -> Iterator[Row]:
    """Past HTTP, but from the connection's beginning to the last row."""
    records = assembly.services.records
    for name, digests, wanted in (("hit", hits, 1), ("miss", misses, 0)):
        runs: list[list[float]] = []
        for turn in range(context.runs + 1):
            context.tell(f"{name} in the store, turn {turn}")
            times = []
            for digest in digests:
                start = time.perf_counter()
                found = records.lookup("sha-256", digest, Viewer(place.tenant_id, ("sha-256", digest)))
                times.append(time.perf_counter() - start)
                assert len(found) == wanted
            runs += [times] if turn else []
        yield with_goal(
            _row(f"look-up at {size:,}, {name}, in the store, p50", runs, _ping(assembly)), STORE_MS
        )


def _ping(assembly: Assembly) -> float:
    """What one question to the database takes, from connection to answer."""
    times = []
    for _ in range(ASKED // 4):
        start = time.perf_counter()
        with assembly.database.reading() as connection:
            connection.exec_driver_sql("SELECT 1")
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _over_http(
    place: Place, hits: Sequence[bytes], misses: Sequence[bytes], size: int, context: Context
) -> Iterator[Row]:
    with serving(place) as server:
        for name, digests in (("hit, with proof", hits), ("miss", misses)):
            paths = [f"/v1/lookup/sha-256/{digest.hex()}" for digest in digests[: ASKED // 5]]
            runs, healths = [], []
            for turn in range(context.runs + 1):
                context.tell(f"{name} over HTTP, turn {turn}")
                load = get_all(server.port, paths, 1, key=place.key)
                health = get_all(server.port, ["/healthz"] * len(paths), 1)
                runs += [load.seconds] if turn else []
                healths += health.seconds if turn else []
            row = _row(f"look-up at {size:,}, {name}, over HTTP, p50", runs, statistics.median(healths))
            yield with_goal(row, HTTP_MS)


def _row(name: str, runs: Sequence[Sequence[float]], nothing: float) -> Row:
    p50 = statistics.median(statistics.median(times) for times in runs)
    p99 = percentile([each for times in runs for each in times], 0.99)
    reference = f"an answer of nothing {nothing * 1e3:.2f} ms; p99 {p99 * 1e3:.2f} ms"
    return beside(name, p50 * 1e3, "ms", p50 / nothing, reference)
