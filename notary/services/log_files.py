"""The log as static files: checkpoint, tiles, entry bundles."""

from dataclasses import dataclass

from notary.errors import FormatError, NotFound
from notary.merkle.tiles import parse_tile_path
from notary.store.objects import CHECKPOINT, Objects


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
        """A tile or entry bundle by its C2SP path.

        Raises:
            NotFound: no path of a tile, or no such tile yet.
        """
        try:
            name = parse_tile_path(path).path()
        except FormatError as error:
            raise NotFound(f"not the path of a tile: {error}") from error
        found = self.objects.read(name)
        if found is None:
            raise NotFound("there is no such tile (yet)")
        return found
