"""Submitting and finding again: single digests and bulk requests through the real API, and look-ups by digest."""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import Random

from benchmarks.filling import Filler, filling
from benchmarks.harness import Context, Row, at_least, beside, hash_ns, percentile, with_goal
from benchmarks.postload import Posted, post_all, request
from benchmarks.service import Place, Server, make, on_postgresql, serving
from benchmarks.truth import Truth, counted
from notary import wiring
from notary.wiring import Assembly

CONNECTIONS = 64
SECONDS = 3.0
WARM_SECONDS = 0.5
QUIET_NS = 400  # a machine on which a hash takes more is not held to absolute figures
NOTHING_RATIO, EACH_RATIO, EACH_RATIO_SQLITE = 0.75, 2.3, 2.5
RATE, P99_MS = 10_000, 15.0

BULK = 10_000
BULK_CONNECTIONS = 4
BULK_REQUESTS = 8  # a run; half of it in a small table, which would not stay small
COPIED = 2  # groups, just before each run
ARRAY_RATIO, LINES_RATIO, GROWTH_RATIO = 0.7, 0.5, 0.9
API_MIB = 200.0
SMALL, NORMAL, LARGE = 100_000, 1_000_000, 10_000_000  # rows


@dataclass
class Runs:
    """The runs of one subject."""

    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, posted: Posted, of_each: int = 1) -> None:
        """Another run."""
        self.rates.append(posted.rate * of_each)
        self.seconds += posted.seconds

    @property
    def rate(self) -> float:
        """A second, the median of the runs."""
        return statistics.median(self.rates)

    def said(self) -> str:
        """Its times, of all runs together."""
        p50, p99 = (percentile(self.seconds, part) * 1e3 for part in (0.5, 0.99))
        return f"p50 {p50:.1f}, p99 {p99:.1f} ms"

    def ratio(self, others: Sequence[float]) -> float:
        """The median of the ratios to runs beside these."""
        return statistics.median(mine / theirs for mine, theirs in zip(self.rates, others, strict=True))


def singles(context: Context) -> Iterator[Row]:
    """One digest a request, with statement and receipt, durable."""
    with on_postgresql(context.folder / "postgresql") as place:
        truth, runs, bare = _single_runs(place, ("as-is", "no-op", "insert", "each"), context)
        yield from counted(_single_rows(runs, bare), truth.verdict())
    place = make(f"sqlite:///{context.folder}/notary.db", context.folder / "sqlite")
    truth, runs, _ = _single_runs(place, ("as-is", "each"), context)
    yield from counted([_against_each(runs, "SQLite", EACH_RATIO_SQLITE)], truth.verdict())


def _single_runs(
    place: Place, modes: Sequence[str], context: Context
) -> tuple[Truth, dict[str, Runs], list[float]]:
    """Servers side by side on one database, loaded turn by turn."""
    truth, runs, bare = Truth(place), {mode: Runs() for mode in modes}, list[float]()
    assembly = wiring.build(place.settings())
    with ExitStack() as stack:
        ports = {mode: stack.enter_context(serving(place, mode)).port for mode in modes}
        for turn in range(context.runs + 1):
            for mode in modes:
                context.tell(f"turn {turn}, {mode}")
                seconds = SECONDS if turn else WARM_SECONDS  # the first fills caches
                posted = post_all(ports[mode], single_requests(place.key, seconds), CONNECTIONS, 0.01)
                if mode != "no-op":
                    truth.acknowledged += len(posted.seconds)
                    truth.kept += posted.kept
                if turn:
                    runs[mode].add(posted)
                _close(assembly)
            bare.append(hash_ns())
    assembly.close()
    return truth, runs, bare


def single_requests(key: str, seconds: float) -> Iterator[bytes]:
    """Requests with one random digest each, for so long."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        yield request("/v1/evidence", b'{"digests":{"sha-256":"%s"}}' % os.urandom(32).hex().encode(), key)


def _single_rows(runs: dict[str, Runs], bare: Sequence[float]) -> Iterator[Row]:
    mine, nothing = runs["as-is"], runs["no-op"]
    name = f"single digest, PostgreSQL, {CONNECTIONS} connections"
    reference = f"the commit as a no-op {nothing.rate:,.0f}/s, {nothing.said()}"
    yield at_least(
        Row(name, mine.rate, "/s", mine.ratio(nothing.rates), reference, "", ok=True), ratio=NOTHING_RATIO
    )
    yield _against_insert(runs)
    yield _against_each(runs, "PostgreSQL", EACH_RATIO)
    speed = statistics.median(bare)
    p99 = percentile(mine.seconds, 0.99) * 1e3
    reference = f"a bare hash takes {speed:.0f} ns"
    rate = beside(f"{name}, rate", mine.rate, "/s", mine.rate * speed / 1e9, reference)
    slowest = beside(f"{name}, p99", p99, "ms", p99 * 1e6 / speed, reference)
    if speed > QUIET_NS:
        yield from (rate, slowest)
        return
    yield at_least(rate, value=RATE)
    yield with_goal(slowest, P99_MS)


def _against_insert(runs: dict[str, Runs]) -> Row:
    mine, each = runs["as-is"], runs["insert"]
    name = "single digest, PostgreSQL: group commit, beside one INSERT"
    reference = f"one INSERT a request, which commits itself, signed each {each.rate:,.0f}/s, {each.said()}"
    row = Row(name, mine.rate, "/s", mine.ratio(each.rates), reference, "", ok=True)
    return at_least(row, ratio=EACH_RATIO)


def _against_each(runs: dict[str, Runs], database: str, least: float) -> Row:
    mine, each = runs["as-is"], runs["each"]
    name = f"single digest, {database}: group commit"
    reference = (
        f"one transaction a request, signed each {each.rate:,.0f}/s, {each.said()}; as it is {mine.said()}"
    )
    return at_least(Row(name, mine.rate, "/s", mine.ratio(each.rates), reference, "", ok=True), ratio=least)


def bulk(context: Context) -> Iterator[Row]:
    """Ten thousand digests a request, durable, a statement each, 4 connections."""
    sizes = (SMALL, NORMAL, LARGE) if context.large else (SMALL, NORMAL)
    ratios: dict[int, float] = {}
    rows: list[Row] = []
    with on_postgresql(context.folder / "data") as place:
        truth = Truth(place)
        with filling(place) as filler, serving(place) as server:
            for size in sizes:
                truth.acknowledged += filler.fill(size - truth.acknowledged, context.tell)
                forms = (array, lines) if size == NORMAL else (array,)
                for form in forms:
                    requests = BULK_REQUESTS // 2 if size == SMALL else BULK_REQUESTS
                    mine, copied = _bulk_runs(form, server.port, filler, truth, context, requests)
                    ratios[size] = ratios.get(size, mine.ratio(copied))
                    rows.append(_bulk_row(form, size, mine, copied))
            rows.append(memory("an API process after bulk", server))
        if context.large:
            growth = ratios[LARGE] / ratios[NORMAL]
            row = beside(f"bulk: that ratio at {LARGE:,} to that at {NORMAL:,}", growth, "", growth, "")
            rows.append(at_least(row, value=GROWTH_RATIO))
        yield from counted(rows, _told(truth, context))


def _bulk_runs(
    form: Callable[[int], bytes], port: int, filler: Filler, truth: Truth, context: Context, many: int
) -> tuple[Runs, list[float]]:
    media_type = "application/json" if form is array else "application/x-ndjson"
    mine, copied = Runs(), list[float]()
    for turn in range(context.runs + 1):
        context.tell(f"{form.__name__} at {truth.acknowledged:,}, turn {turn}")
        count = many if turn else BULK_CONNECTIONS
        requests = [
            request("/v1/evidence/bulk", form(BULK), truth.place.key, media_type) for _ in range(count)
        ]
        raw = COPIED * BULK / filler.copy(COPIED * BULK, BULK)
        posted = post_all(port, iter(requests), BULK_CONNECTIONS, 0.05)
        truth.kept += posted.kept
        truth.acknowledged += (COPIED + count) * BULK
        if turn:
            mine.add(posted, BULK)
            copied.append(raw)
    return mine, copied


def _bulk_row(form: Callable[[int], bytes], size: int, mine: Runs, copied: Sequence[float]) -> Row:
    name = f"bulk of {BULK:,}, {form.__name__}, from {size:,} rows on"
    reference = f"raw COPY of such rows {statistics.median(copied):,.0f}/s; {mine.said()}"
    row = Row(name, mine.rate, "docs/s", mine.ratio(copied), reference, "", ok=True)
    if size != NORMAL:
        return row
    return at_least(row, ratio=ARRAY_RATIO if form is array else LINES_RATIO)


def memory(what: str, server: Server) -> Row:
    """The most that an API process ever held."""
    peak = server.peak_mib()
    row = beside(f"memory of {what}, peak", peak, "MiB", peak / API_MIB, f"{API_MIB:.0f} MiB")
    return with_goal(row, API_MIB)


def array(count: int) -> bytes:
    """A JSON array of random digests."""
    return b'["' + b'","'.join(_digests(count)) + b'"]'


def lines(count: int) -> bytes:
    """NDJSON of random digests and sizes."""
    random = Random(count)
    sizes = [random.randrange(1, 10 ** random.randrange(3, 9)) for _ in range(count)]
    parts = zip(_digests(count), sizes, strict=True)
    return b"".join([b'{"sha-256":"%b","size":%d}\n' % (digest, size) for digest, size in parts])


def _digests(count: int) -> list[bytes]:
    text = os.urandom(32 * count).hex().encode()
    return [text[at : at + 64] for at in range(0, len(text), 64)]


def _told(truth: Truth, context: Context) -> str:
    context.tell(f"fsck of {truth.acknowledged:,}")
    return truth.verdict()


def _close(assembly: Assembly) -> None:
    assert assembly.sequencer is not None
    while assembly.sequencer.sequence() is not None:
        pass
