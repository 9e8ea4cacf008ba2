"""The tree as static resources: C2SP tlog-tiles, hash tiles of height 8 and entry bundles.

Tile n at level l holds the hashes of the complete subtrees (8·l, 256·n) to (8·l, 256·n + width - 1). A tile
is partial until it holds 256, and only full ones are hashed into the level above.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from notary.errors import FormatError
from notary.merkle.hashing import HASH_SIZE
from notary.merkle.tree import MAX_SIZE

TILE_HEIGHT = 8
TILE_WIDTH = 256
MAX_LEVEL = 63
MAX_ENTRY = 0xFFFF  # bytes: a bundle counts them in 16 bits

_PATH_LIMIT = 64  # characters; the longest real path has 47
_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?")


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """The name of a hash tile.

    Attributes:
        level: 0 to 63; level 0 holds leaf hashes.
        index: position in its level, from 0, below 2^55.
        width: hashes in the tile, 1 to 256; fewer than 256 make it partial.

    Raises:
        FormatError: one of them is out of range.
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not 0 <= self.level <= MAX_LEVEL:
            raise FormatError("the level of a tile is between 0 and 63")
        _require_place(self.index, self.width)

    def path(self) -> str:
        """Return where the tile is served, for example tile/0/x001/x234/067 or tile/1/000.p/17."""
        return f"tile/{self.level}/{_place(self.index, self.width)}"

    def entries_path(self) -> str:
        """Return where the entries under a tile of level 0 are served.

        Raises:
            FormatError: the tile is of another level, so its hashes are not those of entries.
        """
        if self.level:
            raise FormatError("only a tile of level 0 has entries")
        return Bundle(self.index, self.width).path()


@dataclass(frozen=True, slots=True, order=True)
class Bundle:
    """The name of an entry bundle: the entries whose leaf hashes are in `Tile(0, index, width)`.

    Attributes:
        index: position of the bundle, from 0, below 2^55.
        width: entries in the bundle, 1 to 256; fewer than 256 make it partial.

    Raises:
        FormatError: one of them is out of range.
    """

    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        _require_place(self.index, self.width)

    def path(self) -> str:
        """Return where the bundle is served, for example tile/entries/x001/x234/067.p/8."""
        return f"tile/entries/{_place(self.index, self.width)}"


ReadTile = Callable[[Tile], bytes]


def parse_tile_path(path: str) -> Tile | Bundle:
    """Read a path such as tile/0/x001/x234/067.p/8; there is exactly one form for each tile.

    Raises:
        FormatError: the path is not one that `Tile.path` or `Bundle.path` gives.
    """
    match = _PATH.fullmatch(path) if len(path) <= _PATH_LIMIT else None
    if match is None:
        raise FormatError("this is not the path of a tile")
    kind, groups, partial = match.groups()
    index = int(re.sub("[x/]", "", groups))
    width = TILE_WIDTH if partial is None else int(partial)
    resource = Bundle(index, width) if kind == "entries" else Tile(int(kind), index, width)
    # Writing it again finds every other spelling: leading zeros, empty x-groups, .p/256.
    if resource.path() != path:
        raise FormatError("the path of a tile has a shorter form, and only that is allowed")
    return resource


def new_tiles(old_size: int, new_size: int) -> list[Tile]:
    """Return the hash tiles, full and partial, that a log of `new_size` has and one of `old_size` has not.

    Ordered by level, then index. Partial tiles of sizes in between are not among them.

    Raises:
        FormatError: the sizes are not 0 <= `old_size` <= `new_size` <= 2^63.
    """
    require_growth(old_size, new_size)
    return [
        Tile(level, index, width)
        for level in levels_of(new_size)
        for index, width in _growth(old_size >> TILE_HEIGHT * level, new_size >> TILE_HEIGHT * level)
    ]


def entry_bundles(old_size: int, new_size: int) -> list[Bundle]:
    """Return the bundles, full and partial, that a log of `new_size` has and one of `old_size` has not.

    Raises:
        FormatError: the sizes are not 0 <= `old_size` <= `new_size` <= 2^63.
    """
    require_growth(old_size, new_size)
    return [Bundle(index, width) for index, width in _growth(old_size, new_size)]


def tiles_at(size: int) -> list[Tile]:
    """Return the partial tiles of a log of `size` leaves, at most one a level: its right edge.

    Raises:
        FormatError: `size` is not between 0 and 2^63.
    """
    require_growth(0, size)
    counts = ((level, size >> TILE_HEIGHT * level) for level in levels_of(size))
    return [Tile(level, n // TILE_WIDTH, n % TILE_WIDTH) for level, n in counts if n % TILE_WIDTH]


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Encode 1 to 256 entries of at most 65,535 bytes, each after its length as a big-endian uint16.

    Raises:
        FormatError: no entries or too many, or one that is too long.
    """
    _require_place(0, len(entries))
    lengths = list(map(len, entries))
    if (
        lengths.count(lengths[0]) == len(lengths) and lengths[0] <= MAX_ENTRY
    ):  # as ours are: a tenth of the time
        prefix = lengths[0].to_bytes(2, "big")
        return prefix + prefix.join(entries)
    if max(lengths) > MAX_ENTRY:
        raise FormatError(f"an entry of a bundle is at most {MAX_ENTRY} bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes, count: int) -> list[bytes]:
    """Decode a bundle that must hold exactly `count` entries, 1 to 256.

    Raises:
        FormatError: `count` is out of range, or `data` ends early or late.
    """
    _require_place(0, count)
    entries: list[bytes] = []
    at = 0
    for _ in range(count):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if at > len(data):
            raise FormatError(f"the bundle ends within entry {len(entries)} of {count}")
        entries.append(data[start:at])
    if at != len(data):
        raise FormatError(f"{len(data) - at} bytes follow the {count} entries of the bundle")
    return entries


def _place(index: int, width: int) -> str:
    partial = f".p/{width}" if width < TILE_WIDTH else ""
    return f"{_above(index // 1000)}{index % 1000:03}{partial}"


@lru_cache(maxsize=64)
def _above(index: int) -> str:
    """The folders of a thousand tiles: the thousandth part of their indexes by three digits, x001/x234/ for 1234."""
    return f"{_above(index // 1000)}x{index % 1000:03}/" if index else ""


def _require_place(index: int, width: int) -> None:
    if not 0 <= index < MAX_SIZE // TILE_WIDTH:
        raise FormatError("the index of a tile is between 0 and 2^55 - 1")
    if not 1 <= width <= TILE_WIDTH:
        raise FormatError("a tile or bundle holds between 1 and 256 hashes or entries")


def require_growth(old_size: int, new_size: int) -> None:
    """Refuse sizes that no log has, or that it cannot have one after the other.

    Raises:
        FormatError: not 0 <= `old_size` <= `new_size` <= 2^63.
    """
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise FormatError("the sizes of a log are between 0 and 2^63, and it never shrinks")


def levels_of(size: int) -> range:
    """Return the levels at which a log of `size` leaves has tiles."""
    return range(-(-size.bit_length() // TILE_HEIGHT))


def _growth(old_count: int, new_count: int) -> Iterator[tuple[int, int]]:
    """Yield (index, width) of the tiles of one level that exist at `new_count` hashes, not at `old_count`."""
    if new_count == old_count:
        return
    last, rest = divmod(new_count, TILE_WIDTH)
    yield from ((index, TILE_WIDTH) for index in range(old_count // TILE_WIDTH, last))
    if rest:
        yield last, rest


def require_length(tile: Tile, data: bytes) -> None:
    """Refuse the bytes of another tile.

    Raises:
        FormatError: `data` is not 32·width bytes.
    """
    if len(data) != tile.width * HASH_SIZE:
        raise FormatError(f"{tile.path()} holds {len(data)} bytes, not {tile.width * HASH_SIZE}")
