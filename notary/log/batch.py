"""What a close computes before it writes: tiles, bundles, the new root."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

from notary.errors import Fatal, FormatError
from notary.merkle.append import append_entries
from notary.merkle.hashing import hash_leaves
from notary.merkle.tiles import (
    TILE_WIDTH,
    Bundle,
    ReadTile,
    Tile,
    decode_bundle,
    encode_bundle,
    entry_bundles,
    tiles_at,
)
from notary.store.objects import Reads
from notary.store.tiles import Tiles

CHUNK = TILE_WIDTH * TILE_WIDTH  # entries: what is in memory at a time, and in one staging object


@dataclass(frozen=True, slots=True)
class Part:
    """Objects, by name, that a log has after a close and had not before; and the log once they are there."""

    size: int
    root: bytes
    objects: dict[str, bytes]


def build(objects: Reads, old_size: int, old_root: bytes, entries: Iterable[bytes]) -> Iterator[Part]:
    """Append entries (32 bytes each) to the log of `old_size`, part by part; the last one's root counts.

    A batch may have a million entries: each part holds at most 65,536, and one that another follows ends where a tile
    of level 2 begins a new hash, so that no tile stands in two of them but the partial ones of the last.

    Raises:
        Fatal: the stored tiles are not those of `old_root`.
        Unavailable: they cannot be read now.
    """
    # The tiles that the old root is computed from are the ones that are appended to; each is read once.
    stored = cache(Tiles(objects).read)
    if append_entries(old_size, [], stored)[1] != old_root:
        raise Fatal(f"the tiles at size {old_size} do not have the root of the checkpoint")
    edge: dict[Tile, bytes] = {}

    def read(tile: Tile) -> bytes:
        return edge.get(tile) or stored(tile)

    size, begun = old_size, last_entries(objects, old_size, stored)
    source = iter(entries)
    chunk = list(islice(source, CHUNK - size % CHUNK))
    while chunk:
        following = list(islice(source, CHUNK))
        if (
            len(chunk) + len(following) <= CHUNK
        ):  # nothing comes after: one part, and one flush, wherever it ends
            chunk, following = chunk + following, []
        made, root = append_entries(size, chunk, read)
        end = size + len(chunk)
        edge |= {tile: data for tile, data in made.items() if tile.width < TILE_WIDTH}
        new = {tile.path(): data for tile, data in made.items() if tile.width == TILE_WIDTH}
        if not following:  # partial tiles are those of the checkpoint, and no others
            new |= {tile.path(): edge[tile] for tile in tiles_at(end) if tile in edge}
        new |= _bundles(size, begun, chunk)
        yield Part(end, root, new)
        size, chunk, begun = end, following, []  # a part that another follows ends with a full bundle


def _bundles(old_size: int, begun: list[bytes], entries: list[bytes]) -> dict[str, bytes]:
    """The bundles that entries make; the first begins with those of the partial bundle at `old_size`."""
    made = {}
    start = 0
    for bundle in entry_bundles(old_size, old_size + len(entries)):
        end = start + bundle.width - len(begun)
        made[bundle.path()] = encode_bundle(begun + entries[start:end])
        start, begun = end, []
    return made


def last_entries(objects: Reads, size: int, read: ReadTile | None = None) -> list[bytes]:
    """The entries of the partial bundle at the end of a log of `size`, compared with their tile.

    Args:
        objects: the log's objects.
        size: of the log.
        read: gives tiles; None reads them from `objects`.

    Raises:
        Fatal: it is missing, damaged, or holds other entries.
        Unavailable: it cannot be read now.
    """
    index, width = divmod(size, TILE_WIDTH)
    if not width:
        return []
    path = Bundle(index, width).path()
    data = objects.read(path)
    if data is None:
        raise Fatal(f"{path} is missing")
    try:
        entries = decode_bundle(data, width)
    except FormatError as error:
        raise Fatal(f"{path} is damaged: {error}") from error
    tile = (read or Tiles(objects).read)(Tile(0, index, width))
    if b"".join(hash_leaves(entries)) != tile:
        raise Fatal(f"the entries in {path} are not those of its tile")
    return entries
