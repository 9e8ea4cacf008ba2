"""Hashes of complete subtrees, as proofs ask for them, from hash tiles of height 8."""

from collections.abc import Callable
from functools import lru_cache

from notary.errors import FormatError
from notary.merkle.hashing import HASH_SIZE, hash_pairs
from notary.merkle.tiles import (
    MAX_LEVEL,
    TILE_HEIGHT,
    TILE_WIDTH,
    ReadTile,
    Tile,
    require_growth,
    require_length,
)

TILES_KEPT = 64  # tiles that a node source remembers, with their rows about 17 kB each

Rows = tuple[bytes, ...]  # of a tile: row h has its complete subtrees of height h, 32 bytes each; up to row 7
ReadRows = Callable[[Tile], Rows]


def rows_of(data: bytes) -> Rows:
    """Hash a tile (32 bytes for each of its 1 to 256 hashes) upwards, to all complete subtrees within it.

    One proof asks for a subtree of each height: 247 hashes of 255, so the whole tile is hashed at once.
    """
    rows = [data]
    row: list[bytes] = [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]
    while len(rows) < TILE_HEIGHT and len(row) > 1:
        row = hash_pairs(row)
        rows.append(b"".join(row))
    return tuple(rows)


def node_from_rows(read_rows: ReadRows, size: int) -> Callable[[int, int], bytes]:
    """Return a node source, as `inclusion_path` and `consistency_path` want it, over the tiles of a log.

    The node source remembers recent tiles and may be shared by threads. It asks for each tile as it is at
    `size`, partial where it is partial then. It answers for every smaller log, too: complete subtrees stay.

    Args:
        read_rows: gives the `rows_of` a tile.
        size: leaves in the log, 0 to 2^63.

    Raises:
        FormatError: `size` is out of range. The node source raises it for a subtree that is not complete at
            `size`.
    """
    require_growth(0, size)

    @lru_cache(maxsize=TILES_KEPT)
    def rows(tile_level: int, tile_index: int) -> Rows:
        width = min(TILE_WIDTH, (size >> TILE_HEIGHT * tile_level) - tile_index * TILE_WIDTH)
        return read_rows(Tile(tile_level, tile_index, width))

    def node(level: int, index: int) -> bytes:
        if not 0 <= level <= MAX_LEVEL or not 0 <= index < size >> level:
            raise FormatError(f"a log of {size} leaves has no such complete subtree")
        height = level % TILE_HEIGHT
        tile_index = index >> TILE_HEIGHT - height
        at = HASH_SIZE * (index - (tile_index << TILE_HEIGHT - height))
        return rows(level // TILE_HEIGHT, tile_index)[height][at : at + HASH_SIZE]

    return node


def node_from_tiles(read_tile: ReadTile, size: int) -> Callable[[int, int], bytes]:
    """Return a node source as `node_from_rows` does, from the bytes of tiles.

    Args:
        read_tile: gives the bytes of a tile, exactly 32·width; a reader that has only the full one cuts it.
        size: leaves in the log, 0 to 2^63.

    Raises:
        FormatError: as `node_from_rows`; the node source raises it for a tile of the wrong length, too.
    """

    def read_rows(tile: Tile) -> Rows:
        data = read_tile(tile)
        require_length(tile, data)
        return rows_of(data)

    return node_from_rows(read_rows, size)
