"""The log on disk: appending to it, whatever its size, and what a leaf takes."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.harness import (
    Context,
    Pair,
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
from benchmarks.truth import PART, counted
from notary.errors import NotaryError
from notary.evidence.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from notary.evidence.note import Verifier
from notary.log import staging
from notary.log.batch import build
from notary.log.edge import Edge
from notary.merkle.hashing import hash_leaf
from notary.merkle.proof import check_consistency, check_inclusion
from notary.store.files import FileObjects
from notary.store.tiles import Tiles

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
    edge: Edge  # as the process has it that made the close before; the turn that is not counted reads it
    made: list[str] = field(default_factory=list)  # names of what the last append staged
    staged: str = ""
    note: bytes = b""

    def append(self) -> None:
        """All that a close does until the new entries are durable: tiles, bundles, root, signature, one fsync."""
        staged, self.made = [], []
        for part in build(self.edge, self.size, self.root, self.entries):
            staged.append(staging.stage(self.objects, part.objects, epoch=1))
            self.made += part.objects
        self.staged = staging.join(staged)
        self.note = sign_checkpoint(Checkpoint(ORIGIN, part.size, part.root), LOG_KEY).encode()

    def place(self) -> None:
        """Put the tiles to their names, each file synced."""
        staging.apply(self.objects, self.staged)

    def problem(self) -> str:
        """What is wrong with what was appended: its tiles, that it goes on from before, and proofs of a random part."""
        tiles = Tiles(self.objects)
        verifier = Verifier(ORIGIN, LOG_KEY.public_key().public_bytes_raw())
        try:
            signed = open_checkpoint(self.note, ORIGIN, [verifier]).checkpoint
            size, root = signed.size, signed.root
            tiles.check_edge(size, root)
            check_consistency(self.size, size, tiles.consistency(self.size, size), self.root, root)
            for at in Random(7).sample(range(len(self.entries)), round(len(self.entries) * PART)):
                path = tiles.inclusion(self.size + at, size)
                check_inclusion(hash_leaf(self.entries[at]), self.size + at, size, path, root)
        except NotaryError as error:
            return f"at {self.size:,}: {error}"
        return ""

    def undo(self, folder: Path) -> None:
        """Take the appended entries back, and leave their objects in `folder`.

        But the staging object is removed, as each close removes its own. So the next one gets memory that the kernel
        has had before. A page that it has for the first time costs 10 µs where the host of a virtual machine has to
        find it, 1.7 ms for a staging object, and no service pays that at each close.
        """
        staging.discard(self.objects, self.staged)
        for name in self.made:
            set_aside(self.objects.root / name, folder)


def appending(context: Context) -> Iterator[Row]:
    """Append 10,000 entries to logs of 10⁶ and 10⁷, durably; to one of 10⁸ in the large run."""
    free = shutil.disk_usage(context.folder).free
    lacking = context.large and free < LARGE_BYTES
    sizes = LARGE_SIZES if context.large and not lacking else SIZES
    logs = [made(size, context) for size in sizes]
    appends: dict[int, list[tuple[float, float]]] = {size: [] for size in sizes}
    places: dict[int, list[tuple[float, float]]] = {size: [] for size in sizes}
    problems: list[str] = []
    for turn in range(context.runs + 1):
        for log in logs:
            context.tell(f"turn {turn} at {log.size:,}")
            mine, bare, placed = (
                seconds(log.append), seconds(lambda: bare_hashing(APPENDED)), seconds(log.place),
            )  # fmt: skip
            problems += [log.problem()] if turn == context.runs else []
            log.undo(context.folder)
            if turn:  # the first fills caches
                appends[log.size].append((mine, bare))
                places[log.size].append((placed, bare))
    pairs = {size: (pair_of(appends[size]), pair_of(places[size])) for size in sizes}
    verdict = "; ".join(filter(None, problems))
    yield from counted([*_rows(pairs), *_bytes(logs[-1])], verdict)
    if lacking:
        yield _unmeasured(free)


def _rows(pairs: dict[int, tuple[Pair, Pair]]) -> Iterator[Row]:
    for size, (pair, placed) in pairs.items():
        reference = f"bare hashing {pair.reference * 1e3:.1f} ms"
        yield by_ratio(_name(size), pair.subject * 1e3, "ms", pair, reference, APPEND_RATIO)
        name = f"tiles of {APPENDED:,} at their names"
        yield beside(name, placed.subject * 1e3, "ms", placed.ratio, reference)
    ratios = [pair.ratio for pair, _ in pairs.values()]
    flat = max(ratios) / min(ratios)
    yield by_value("append, largest to smallest ratio", flat, "", flat, "those above", FLAT_RATIO)


def _name(size: int) -> str:
    return f"append {APPENDED:,} to {size:,}, durable"


def _unmeasured(free: int) -> Row:
    """A goal that nobody can say is reached; the run is not a whole one."""
    reference = (
        f"not measured: {LARGE_BYTES >> 30} GiB of disk are needed, and {free >> 30} are free; see --folder"
    )
    return Row(_name(LARGE_SIZES[-1]), 0, "ms", 0, reference, f"ratio <= {APPEND_RATIO}", ok=False)


def made(size: int, context: Context) -> Log:
    """A log on disk, and what shall be appended to it."""
    objects = FileObjects(context.folder / str(size))
    root = build_log(objects.root, size, context.tell)
    first = size // 256 * 256
    entries = entries_from(first, size - first + APPENDED)[size - first :]
    return Log(size, objects, root, entries, Edge(objects))


def _bytes(log: Log) -> Iterator[Row]:
    stored = sum(path.stat().st_size for path in _files(log.objects.root / "tile"))
    value = stored / log.size
    reference = "32 bytes of a hash"
    yield by_value(f"bytes a leaf, {log.size:,}", value, "bytes", value / 32, reference, LEAF_BYTES)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
