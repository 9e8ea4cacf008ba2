"""Proofs from the tiles that are stored."""

from dataclasses import dataclass, field

from notary.errors import Fatal
from notary.merkle.hashing import EMPTY_ROOT, HASH_SIZE, hash_node
from notary.merkle.proof import Node, consistency_path, inclusion_path
from notary.merkle.tile_nodes import Rows, node_from_rows, node_from_tiles, rows_of
from notary.merkle.tiles import Tile, tiles_at
from notary.merkle.tree import range_nodes, root_of
from notary.store.objects import Reads
from notary.store.tile_cache import TileCache


def root_from(node: Node, size: int) -> bytes:
    """The root of the first `size` leaves, 0 to 2^63, from their complete subtrees; 32 bytes."""
    if size == 0:
        return EMPTY_ROOT
    *larger, root = (node(level, index) for level, index in range_nodes(0, size))
    for left in reversed(larger):
        root = hash_node(left, root)
    return root


@dataclass(frozen=True, slots=True)
class Tiles:
    """The hash tiles of the log.

    A complete subtree of a log is one of every larger log. So a proof at any size is read from the tiles of
    `have`: a size that was published, for which every tile is there. Left away, it is the size of the proof.

    Attributes:
        objects: where tiles lie.
        cache: what proofs read, kept. `read`, `root` and `check_edge` go past it: they look at what is stored.
    """

    objects: Reads
    cache: TileCache = field(default_factory=TileCache, compare=False)

    def read(self, tile: Tile) -> bytes:
        """The bytes of a tile, 32·width; a partial one may be cut from the full one.

        Raises:
            Fatal: a tile that must be there is missing or has another length.
            Unavailable: it cannot be read now.
        """
        data = self.objects.read(tile.path())
        if data is None:
            data = self.objects.read(Tile(tile.level, tile.index).path()) or b""
            data = data[: tile.width * HASH_SIZE]
        if len(data) != tile.width * HASH_SIZE:
            raise Fatal(f"{tile.path()} is missing or damaged: it holds {len(data)} bytes")
        return data

    def root(self, size: int) -> bytes:
        """The root of the tree of `size` leaves, 32 bytes.

        Raises:
            Fatal, Unavailable: as `read`.
        """
        return root_from(node_from_tiles(self.read, size), size)

    def check_edge(self, size: int, root: bytes) -> None:
        """Check what the next close builds on: every level's last tiles, up to the root.

        Raises:
            Fatal: a tile is missing, or does not hash into the one above or to `root`.
            Unavailable: as `read`.
        """
        if self.root(size) != root:
            raise Fatal(f"the tiles at size {size} do not have the root of the checkpoint")
        for tile in tiles_at(size):
            self.read(tile)
        level, full = 0, size >> 8
        while full:
            index = full - 1
            below = self.read(Tile(level, index))
            width = min(256, full - index // 256 * 256)
            above = self.read(Tile(level + 1, index // 256, width))
            offset = index % 256 * HASH_SIZE
            hashes = [below[at : at + HASH_SIZE] for at in range(0, len(below), HASH_SIZE)]
            if root_of(hashes) != above[offset : offset + HASH_SIZE]:
                raise Fatal(f"tile {Tile(level, index).path()} does not hash into the one above it")
            level, full = level + 1, full >> 8

    def nodes(self, have: int) -> Node:
        """Complete subtrees of the log of `have` leaves, through the cache.

        Raises:
            FormatError: from what is returned, for a subtree that is not complete.
            Fatal, Unavailable: as `read`, from what is returned.
        """
        return node_from_rows(self._rows, have)

    def held(self, have: int) -> Node:
        """As `nodes`, from the cache alone: never waits.

        Raises:
            KeyError: from what is returned, for a subtree of a tile that is not there.
        """
        return node_from_rows(self.cache.held, have)

    def inclusion(self, index: int, size: int, have: int | None = None) -> list[bytes]:
        """The inclusion path of entry `index` at `size`.

        Raises:
            ProofError: `index` is outside the tree.
            Fatal, Unavailable: as `read`.
        """
        return inclusion_path(index, size, self.nodes(size if have is None else have))

    def consistency(self, old: int, new: int, have: int | None = None) -> list[bytes]:
        """The proof that the tree of `old` leaves begins the tree of `new`.

        Raises:
            ProofError: not 1 ≤ `old` ≤ `new`.
            Fatal, Unavailable: as `read`.
        """
        return consistency_path(old, new, self.nodes(new if have is None else have))

    def _rows(self, tile: Tile) -> Rows:
        try:
            return self.cache.held(tile)
        except KeyError:
            rows = rows_of(self.read(tile))
            self.cache.put(tile, rows)
            return rows
