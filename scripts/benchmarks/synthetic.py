"""A log of any size on disk, written in bulk by the code that closes batches, without a database."""

from collections.abc import Callable
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.evidence.checkpoint import Checkpoint, sign_checkpoint
from notary.merkle.append import append_tiles
from notary.merkle.hashing import EMPTY_ROOT, hash_leaves
from notary.merkle.tiles import TILE_WIDTH, Bundle, Tile, encode_bundle, tiles_at
from notary.store.objects import CHECKPOINT

ORIGIN = "log.example.org/bench"
LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_CHUNK = 1024 * TILE_WIDTH  # leaves; bundles of chunks are full


def entries_from(first: int, count: int) -> list[bytes]:
    """Entries of the synthetic log, from the first of a bundle."""
    entries: list[bytes] = []
    for bundle in range(first // TILE_WIDTH, -(-(first + count) // TILE_WIDTH)):
        data = Random(bundle).randbytes(32 * TILE_WIDTH)
        entries += [data[at : at + 32] for at in range(0, len(data), 32)]
    return entries[:count]


def build_log(
    folder: Path, size: int, tell: Callable[[str], None], key: Ed25519PrivateKey = LOG_KEY
) -> bytes:
    """Write tiles, bundles and the signed checkpoint of a log of `size` entries; not synced.

    Returns:
        Its root.
    """
    made = _Writer(folder)
    edge: dict[Tile, bytes] = {}
    root = EMPTY_ROOT
    for first in range(0, size, _CHUNK):
        tell(f"writing a log of {size:,}: {first * 100 // size} %")
        entries = entries_from(first, min(_CHUNK, size - first))
        tiles, root = append_tiles(first, hash_leaves(entries), edge.__getitem__)
        for tile, data in tiles.items():
            if tile.width == TILE_WIDTH:
                made.write(tile.path(), data)
        # Partial tiles grow until the last chunk, and are none of a checkpoint's before.
        edge = {tile: data for tile, data in (edge | tiles).items() if tile.width < TILE_WIDTH}
        for at in range(0, len(entries), TILE_WIDTH):
            bundle = entries[at : at + TILE_WIDTH]
            name = Bundle((first + at) // TILE_WIDTH, len(bundle)).path()
            made.write(name, encode_bundle(bundle))
    for tile in tiles_at(size):
        made.write(tile.path(), edge[tile])
    made.write(CHECKPOINT, sign_checkpoint(Checkpoint(ORIGIN, size, root), key).encode())
    return root


class _Writer:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folders: set[str] = set()

    def write(self, name: str, data: bytes) -> None:
        parent = name.rpartition("/")[0]
        if parent not in self.folders:
            (self.folder / parent).mkdir(parents=True, exist_ok=True)
            self.folders.add(parent)
        (self.folder / name).write_bytes(data)


def entry_at(index: int) -> bytes:
    """One entry of the synthetic log."""
    first = index // TILE_WIDTH * TILE_WIDTH
    return entries_from(first, index - first + 1)[-1]
