"""A log and its anchorings."""

from dataclasses import dataclass
from datetime import timedelta

from notary.anchoring.advance import Advance
from notary.anchoring.port import Anchor, Head
from notary.store import anchorings, checkpoints, outbox
from notary.store.anchorings import Anchoring
from notary.store.engine import Database
from tests.rig import Rig

INTERVAL = 60


@dataclass
class Anchored:
    """A log, and the anchorings of one anchor."""

    rig: Rig
    documents: int = 0

    def close(self, documents=1) -> int:
        """A new checkpoint; its size."""
        self.rig.submit(documents, first=self.documents)
        self.documents += documents
        return self.rig.sequencer().sequence().size

    def newest_size(self) -> int:
        with self.rig.database.reading() as connection:
            return checkpoints.newest_checkpoint(connection).size

    def head(self, size: int) -> Head:
        signed = self.rig.prover().checkpoint(size)
        point = signed.checkpoint
        return Head(point.origin, point.size, point.root, signed.note)

    def advance(self, anchor: Anchor, database: Database | None = None, reserves=()) -> Advance:
        prover = self.rig.prover()
        interval = timedelta(seconds=INTERVAL)
        return Advance(
            database or self.rig.database,
            anchor,
            interval,
            self.head,
            prover.consistency,
            self.rig.clock,
            tuple(reserves),
        )

    def all(self, anchor: str = "ledger") -> list[Anchoring]:
        with self.rig.database.reading() as connection:
            return anchorings.anchorings(connection, anchor=anchor)

    def one(self, anchor: str = "ledger") -> Anchoring:
        (found,) = self.all(anchor)
        return found

    def newest(self, anchor: str = "ledger") -> Anchoring:
        return self.all(anchor)[-1]

    def states(self, anchor: str = "ledger") -> list[tuple[int, str]]:
        return [(item.size, item.state) for item in self.all(anchor)]

    def attempts(self, item: Anchoring) -> list[outbox.Attempt]:
        with self.rig.database.reading() as connection:
            return outbox.attempts_of(connection, item.id)

    def wait(self, seconds: float = INTERVAL) -> None:
        self.rig.clock.advance(seconds)
