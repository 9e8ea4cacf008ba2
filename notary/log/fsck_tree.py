"""The log built once more from its entries, checkpoint by checkpoint, without the tiles that are stored."""

from collections.abc import Iterator
from itertools import islice

from notary.errors import EvidenceError
from notary.evidence.checkpoint import Checkpoint, open_checkpoint
from notary.evidence.cose import check_root
from notary.evidence.key_history import LOG
from notary.log.fsck_keys import Keys
from notary.merkle.append import append_tiles
from notary.merkle.hashing import EMPTY_ROOT, hash_leaves
from notary.merkle.tiles import (
    TILE_WIDTH,
    Tile,
    encode_bundle,
    entry_bundles,
    new_tiles,
    tiles_at,
)
from notary.merkle.tree import CompactRange
from notary.store.checkpoints import StoredCheckpoint

_CHUNK = TILE_WIDTH * TILE_WIDTH


class Rebuilt:
    """Grows with the checkpoints and tells every object that each of them must have.

    Attributes:
        size: entries so far; less than the last checkpoint wanted if there are no more.
        root: of these, 32 bytes; computed from a compact range, apart from the tiles.
    """

    def __init__(self, entries: Iterator[bytes]) -> None:
        self.size = 0
        self.root = EMPTY_ROOT
        self._entries = entries
        self._range = CompactRange()
        self._edge: dict[Tile, bytes] = {}
        self._row: list[bytes] = []  # entries of the partial bundle at the end

    def grow(self, size: int) -> Iterator[tuple[str, bytes]]:
        """Take entries up to `size`; yields name and bytes of every object of that checkpoint that is new."""
        old = self.size
        touched: dict[Tile, bytes] = {}
        while self.size < size:
            end = min(size, self.size - self.size % _CHUNK + _CHUNK)
            chunk = list(islice(self._entries, end - self.size))
            if not chunk:
                return
            leaves = hash_leaves(chunk)
            made, _ = append_tiles(self.size, leaves, self._edge.__getitem__)
            self._range = self._range.extended(leaves)
            for tile, data in made.items():
                if tile.width == TILE_WIDTH:
                    yield tile.path(), data
                else:
                    touched[tile] = data
            self._edge = {tile: data for tile, data in (self._edge | made).items() if tile.width < TILE_WIDTH}
            yield from self._bundles(chunk, last=end == size)
            self.size += len(chunk)
            self._edge = {tile: self._edge[tile] for tile in tiles_at(self.size)}
        self.root = self._range.root()
        if self.size > old:
            yield from ((tile.path(), touched[tile]) for tile in tiles_at(self.size) if tile in touched)

    def drain(self) -> int:
        """Count the entries that no checkpoint has; returns how many there are in all."""
        return self.size + sum(1 for _ in self._entries)

    def _bundles(self, chunk: list[bytes], *, last: bool) -> Iterator[tuple[str, bytes]]:
        row = [*self._row, *chunk]
        first = self.size // TILE_WIDTH * TILE_WIDTH
        for bundle in entry_bundles(self.size, self.size + len(chunk)):
            if bundle.width == TILE_WIDTH or last:
                start = bundle.index * TILE_WIDTH - first
                yield bundle.path(), encode_bundle(row[start : start + bundle.width])
        self._row = row[len(row) // TILE_WIDTH * TILE_WIDTH :]


def names_between(old: int, new: int) -> set[str]:
    """The names of the objects that a checkpoint of `new` entries has, and the one of `old` before it has not."""
    tiles = {tile.path() for tile in new_tiles(old, new)}
    return tiles | {bundle.path() for bundle in entry_bundles(old, new)}


def checkpoint_problems(
    stored: StoredCheckpoint, tree: Rebuilt, origin: str, keys: Keys, before: int
) -> Iterator[str]:
    """One sentence for each thing wrong with a checkpoint, beside the tree that has grown to its size.

    `before` is the size of the checkpoint before it, at which the log had said which key signs this one.
    """
    if tree.size != stored.size:
        yield f"checkpoint {stored.size} is larger than the {tree.size} entries there are"
    elif stored.root != tree.root:
        yield f"checkpoint {stored.size}: its root is not that of its entries"
    try:
        signed = open_checkpoint(stored.note, origin, keys.log)
    except EvidenceError as error:
        yield f"checkpoint {stored.size}: {error}"
        return
    for problem in keys.signer_problems(LOG, signed.verifier, before):
        yield f"checkpoint {stored.size}: {problem}"
    if (signed.checkpoint.size, signed.checkpoint.root) != (stored.size, stored.root):
        yield f"checkpoint {stored.size}: another size or root is signed"
    if stored.cose is not None:
        try:
            check_root(stored.cose, Checkpoint(origin, stored.size, stored.root), signed.verifier)
        except EvidenceError as error:
            yield f"checkpoint {stored.size}: {error}"
