"""The log on disk: appending to it, whatever its size, and what a leaf takes."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import (
    Context,
    Row,
    bare_hashing,
    beside,
    by_ratio,
    by_value,
    pair_of,
    seconds,
    set_aside,
)
from benchmarks.synthetic import LOG_KEY, ORIGIN, build_log, entries_from
from notary.evidence.checkpoint import Checkpoint, sign_checkpoint
from notary.log import staging
from notary.log.batch import Part, build
from notary.store.files import FileObjects

SIZES = (1_000_000, 10_000_000)
LARGE_SIZES = (*SIZES, 100_000_000)
LARGE_BYTES = 12 << 30  # that the largest takes, and a little
APPENDED = 10_000
APPEND_RATIO = 1.5
FLAT_RATIO = 1.15
LEAF_BYTES = 67


@dataclass
class Log:
    """A log of `size` on disk, to which the same entries are appended again and again."""

    size: int
    objects: FileObjects
    root: bytes
    entries: list[bytes]
    batch: Part | None = None
    staged: str = ""

    def append(self) -> None:
        """All that a close does until the new entries are durable: tiles, bundles, root, signature, one fsync."""
        (self.batch,) = build(self.objects, self.size, self.root, self.entries)
        self.staged = staging.stage(self.objects, self.batch.objects, epoch=1)
        sign_checkpoint(Checkpoint(ORIGIN, self.batch.size, self.batch.root), LOG_KEY)

    def place(self) -> None:
        """Put the tiles to their names, each file synced."""
        staging.apply(self.objects, self.staged)

    def undo(self, folder: Path) -> None:
        """Take the appended entries back, and leave their objects in `folder`."""
        assert self.batch is not None
        for name in (self.staged, *self.batch.objects):
            set_aside(self.objects.root / name, folder)


def appending(context: Context) -> Iterator[Row]:
    """Append 10,000 entries to logs of 10⁶ and 10⁷, durably; to one of 10⁸ in the large run, if the disk has room."""
    roomy = context.large and shutil.disk_usage(context.folder).free > LARGE_BYTES
    sizes = LARGE_SIZES if roomy else SIZES
    logs = [made(size, context) for size in sizes]
    appends: dict[int, list[tuple[float, float]]] = {size: [] for size in sizes}
    places: dict[int, list[tuple[float, float]]] = {size: [] for size in sizes}
    for turn in range(context.runs + 1):
        for log in logs:
            context.tell(f"turn {turn} at {log.size:,}")
            mine, bare, placed = (
                seconds(log.append), seconds(lambda: bare_hashing(APPENDED)), seconds(log.place),
            )  # fmt: skip
            log.undo(context.folder)
            if turn:  # the first fills caches
                appends[log.size].append((mine, bare))
                places[log.size].append((placed, bare))
    ratios = []
    for log in logs:
        pair = pair_of(appends[log.size])
        ratios.append(pair.ratio)
        reference = f"bare hashing {pair.reference * 1e3:.1f} ms"
        name = f"append {APPENDED:,} to {log.size:,}, durable"
        yield by_ratio(name, pair.subject * 1e3, "ms", pair, reference, APPEND_RATIO)
        pair = pair_of(places[log.size])
        name = f"tiles of {APPENDED:,} at their names"
        yield beside(name, pair.subject * 1e3, "ms", pair.ratio, reference)
    flat = max(ratios) / min(ratios)
    yield by_value("append, largest to smallest ratio", flat, "", flat, "those above", FLAT_RATIO)
    yield from _bytes(logs[-1])


def made(size: int, context: Context) -> Log:
    """A log on disk, and what shall be appended to it."""
    objects = FileObjects(context.folder / str(size))
    root = build_log(objects.root, size, context.tell)
    first = size // 256 * 256
    return Log(size, objects, root, entries_from(first, size - first + APPENDED)[size - first :])


def _bytes(log: Log) -> Iterator[Row]:
    stored = sum(path.stat().st_size for path in _files(log.objects.root / "tile"))
    value = stored / log.size
    reference = "32 bytes of a hash"
    yield by_value(f"bytes a leaf, {log.size:,}", value, "bytes", value / 32, reference, LEAF_BYTES)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
