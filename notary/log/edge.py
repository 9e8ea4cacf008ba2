"""What a close reads of the log: its right edge, kept by the process that made it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from notary.merkle.tiles import TILE_WIDTH, Bundle, tiles_at
from notary.store.objects import Objects


@dataclass(slots=True)
class Edge:
    """Objects, of which those at the right edge of the log are read once.

    A name at the edge tells the size, and its bytes never change: so what was read, or made, is what stands there.
    Whoever appends computes the old root from them all the same, and compares; nothing else holds a close to what
    memory says. That the disk still has them is looked at by the next start, and by fsck.

    Attributes:
        objects: of the log.
    """

    objects: Objects
    _kept: dict[str, bytes] = field(default_factory=dict, init=False, repr=False)

    def read(self, name: str) -> bytes | None:
        """As `Objects.read`."""
        data = self._kept.get(name)
        if data is None:
            data = self.objects.read(name)
            if data is not None:
                self._kept[name] = data
        return data

    def move(self, size: int, made: Mapping[str, bytes]) -> None:
        """The log is of `size` now, with `made`, of which all at its edge that is new: keep that, and no more."""
        at_edge = [tile.path() for tile in tiles_at(size)]
        if size % TILE_WIDTH:
            at_edge.append(Bundle(*divmod(size, TILE_WIDTH)).path())
        found = ((name, made.get(name) or self._kept.get(name)) for name in at_edge)
        self._kept = {name: data for name, data in found if data is not None}

    def forget(self) -> None:
        """Read all of it again."""
        self._kept = {}
