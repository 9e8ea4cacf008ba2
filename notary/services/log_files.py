"""The log as static files: checkpoint, tiles, entry bundles."""

from dataclasses import dataclass, replace

from notary.errors import Fatal, FormatError, NotFound
from notary.merkle.hashing import HASH_SIZE
from notary.merkle.tiles import TILE_WIDTH, Bundle, Tile, decode_bundle, encode_bundle, parse_tile_path
from notary.store.objects import CHECKPOINT, Objects

_IN_BUNDLE = 2 + 32  # bytes of an entry: its length, and a SHA-256


@dataclass(frozen=True, slots=True)
class LogFiles:
    """Reads what was published."""

    objects: Objects

    def checkpoint(self) -> bytes:
        """The newest checkpoint.

        Raises:
            NotFound: the log is not open yet.
        """
        found = self.objects.read(CHECKPOINT)
        if found is None:
            raise NotFound("the log is not open yet")
        return found

    def read(self, path: str) -> bytes:
        """A tile or entry bundle by its C2SP path; a partial one may be cut from the full one.

        Raises:
            NotFound: no path of a tile, or no such tile yet.
            Fatal, Unavailable: what is stored cannot be read.
        """
        try:
            wanted = parse_tile_path(path)
        except FormatError as error:
            raise NotFound(f"not the path of a tile: {error}") from error
        found = self.objects.read(wanted.path())
        if found is None and wanted.width < TILE_WIDTH:
            found = self._cut(wanted)
        if found is None:
            raise NotFound("there is no such tile (yet)")
        length = wanted.width * (HASH_SIZE if isinstance(wanted, Tile) else _IN_BUNDLE)
        if len(found) != length:
            # Caches would keep it for ever.
            raise Fatal(f"{path} holds {len(found)} bytes, and must hold {length}: run `notary fsck`")
        return found

    def _cut(self, wanted: Tile | Bundle) -> bytes | None:
        """A partial tile of a size that was never a checkpoint, or whose partial tile is gone."""
        full = self.objects.read(replace(wanted, width=TILE_WIDTH).path())
        if full is None or isinstance(wanted, Tile):
            return full and full[: wanted.width * HASH_SIZE]
        try:
            return encode_bundle(decode_bundle(full, TILE_WIDTH)[: wanted.width])
        except FormatError as error:
            raise Fatal(f"{wanted.path()} cannot be cut from the full one: {error}") from error
