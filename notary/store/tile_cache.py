"""Tiles that were read, hashed upwards, kept for all requests of a process."""

from collections import OrderedDict
from threading import Lock

from notary.merkle.tile_nodes import Rows
from notary.merkle.tiles import Tile

LIMIT = 32 * 1024 * 1024  # bytes; all of levels 1 and up of 10^8 entries, and 400 tiles of leaves beside them
_LEAVES = 4  # a quarter is for the tiles of leaves, however many there are above them
_OVERHEAD = 600  # bytes of a tile that are not hashes: its name, eight objects, the entry of the table


class TileCache:
    """The least recently used go first, and those of leaves before those above them, which every proof needs.

    A tile never changes, so nothing here grows old. A name includes the width: the partial tiles of former
    sizes are asked for no more, and go. Shared by threads.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        """Keep up to `limit` bytes."""
        self.limit = limit
        self._lock = Lock()
        self._shelves: tuple[OrderedDict[Tile, Rows], ...] = (OrderedDict(), OrderedDict())
        self._sizes = [0, 0]

    @property
    def size(self) -> int:
        """Bytes held."""
        return sum(self._sizes)

    def held(self, tile: Tile) -> Rows:
        """The rows of a tile.

        Raises:
            KeyError: they are not here.
        """
        shelf = self._shelves[tile.level > 0]
        with self._lock:
            shelf.move_to_end(tile)
            return shelf[tile]

    def put(self, tile: Tile, rows: Rows) -> None:
        """Keep the rows of a tile, and let others go for them."""
        above = int(tile.level > 0)
        with self._lock:
            if tile not in self._shelves[above]:
                self._shelves[above][tile] = rows
                self._sizes[above] += _weight(rows)
            while self.size > self.limit:
                self._drop(int(self._sizes[0] <= self.limit // _LEAVES))

    def clear(self) -> None:
        """Forget everything: something that was read proved wrong."""
        with self._lock:
            for shelf in self._shelves:
                shelf.clear()
            self._sizes = [0, 0]

    def _drop(self, above: int) -> None:
        _, rows = self._shelves[above].popitem(last=False)
        self._sizes[above] -= _weight(rows)


def _weight(rows: Rows) -> int:
    return sum(map(len, rows)) + _OVERHEAD
