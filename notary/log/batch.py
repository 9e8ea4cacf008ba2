"""What a close computes before it writes: tiles, bundles, the new root."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from notary.errors import Fatal, FormatError
from notary.merkle.hashing import hash_leaves
from notary.merkle.tile_nodes import node_from_tiles
from notary.merkle.tiles import (
    TILE_WIDTH,
    Bundle,
    ReadTile,
    Tile,
    append_tiles,
    decode_bundle,
    encode_bundle,
    entry_bundles,
)
from notary.store.objects import Objects
from notary.store.tiles import Tiles, root_from


@dataclass(frozen=True, slots=True)
class Batch:
    """The objects, by name, that a log has after a close and had not before; and its root."""

    size: int
    root: bytes
    objects: dict[str, bytes]


def build(objects: Objects, old_size: int, old_root: bytes, entries: Sequence[bytes]) -> Batch:
    """Append entries (32 bytes each) to the log of `old_size`.

    Raises:
        Fatal: the stored tiles are not those of `old_root`.
        Unavailable: they cannot be read now.
    """
    # The tiles that the old root is computed from are the ones that are appended to; each is read once.
    read = cache(Tiles(objects).read)
    if root_from(node_from_tiles(read, old_size), old_size) != old_root:
        raise Fatal(f"the tiles at size {old_size} do not have the root of the checkpoint")
    made, root = append_tiles(old_size, hash_leaves(entries), read)
    new = {tile.path(): data for tile, data in made.items()}
    first = old_size // TILE_WIDTH * TILE_WIDTH
    row = [*last_entries(objects, old_size, read), *entries]
    for bundle in entry_bundles(old_size, old_size + len(entries)):
        start = bundle.index * TILE_WIDTH - first
        new[bundle.path()] = encode_bundle(row[start : start + bundle.width])
    return Batch(old_size + len(entries), root, new)


def last_entries(objects: Objects, size: int, read: ReadTile | None = None) -> list[bytes]:
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
