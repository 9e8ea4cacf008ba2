"""What is durable and not at its name yet: between the swap of a close and its end, or after a crash there."""

from dataclasses import dataclass, field

from notary.errors import Fatal
from notary.log.staging import decode
from notary.store.objects import Objects


@dataclass(slots=True)
class Staged:
    """The staging objects of the newest checkpoint, read only where a tile is missing.

    Attributes:
        objects: of the log.
        names: of the staging objects, as the state of the log holds them.
    """

    objects: Objects
    names: str | None
    _found: dict[str, bytes] | None = field(default=None, repr=False)

    def holds(self, name: str, data: bytes) -> bool:
        """Whether a missing object is one that the next start, or the close under way, puts at its name."""
        if self._found is None:
            self._found = {}
            for staged in (self.names or "").split():
                self._found |= self._read(staged)
        # Where the close has ended meanwhile, it is at its name by now.
        return self._found.get(name) == data or self.objects.read(name) == data

    def over(self) -> bool:
        """Whether the close of the newest checkpoint has ended: it discards these after it has published."""
        try:
            return not any(self.objects.read(name) is not None for name in (self.names or "").split())
        except Fatal:  # it is there, and cannot be read
            return False

    def _read(self, name: str) -> dict[str, bytes]:
        bundle = self.objects.read(name)
        try:
            return {} if bundle is None else decode(bundle)
        except Fatal:  # then the tile is missing indeed
            return {}
