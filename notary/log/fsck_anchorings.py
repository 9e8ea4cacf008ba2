"""What must be true of every anchoring: its checkpoint, its state, what was sent for it, and what came back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from notary.anchoring.port import Head
from notary.errors import EvidenceError, NotFound
from notary.evidence.checkpoint import open_checkpoint
from notary.evidence.note import Verifier
from notary.store.anchorings import STATES, Anchoring
from notary.store.checkpoints import checkpoint_at
from notary.store.engine import Connection
from notary.store.outbox import Attempt, attempts_for
from notary.store.walks import anchorings_after, attempts_of_all, stray_attempts

_ANCHORINGS = 500  # in memory at a time
_UNSENT = ("due",)
_SENT = ("signed", "sent", "mined", "final")
_SEEN = ("mined", "final")  # with evidence
_CHAIN = "evm"


class KindChecks(Protocol):
    """What must be true of the anchorings of one kind."""

    def problems(self, item: Anchoring, head: Head, attempts: Sequence[Attempt]) -> Iterator[str]:
        """One sentence for each thing wrong with an anchoring of this head."""
        ...

    def left_over(self, connection: Connection) -> Iterator[str]:
        """What is wrong with what belongs to no single one of them; call it after all anchorings."""
        ...


@dataclass(slots=True)
class AnchoringChecks:
    """Checks of anchorings against the log's keys and checkpoints, each with those of its kind."""

    origin: str
    log_keys: Sequence[Verifier]
    kinds: Mapping[str, KindChecks]
    _heads: dict[int, Head | None] = field(default_factory=dict)

    def problems(self, connection: Connection, count: Callable[[str, int], None]) -> Iterator[str]:
        """One sentence for each thing wrong with an anchoring, an attempt or a lane."""
        last = 0
        while page := anchorings_after(connection, last, _ANCHORINGS):
            attempts = attempts_of_all(connection, page[0].id, page[-1].id)
            for item in page:
                own = attempts.get(item.id, [])
                for problem in self._one(connection, item, own):
                    yield f"anchoring {item.id} at {item.anchor}: {problem}"
                count("anchorings", 1)
                count("attempts", len(own))
            last = page[-1].id
            self._heads.clear()
        yield from (f"attempt {ref} is of no anchoring" for ref in stray_attempts(connection))
        for kind in self.kinds.values():
            yield from kind.left_over(connection)

    def _one(self, connection: Connection, item: Anchoring, attempts: Sequence[Attempt]) -> Iterator[str]:
        if item.state not in STATES:
            yield f"there is no state {item.state!r}"
        # Evidence of somebody else's transaction, whose block was reorganised away, stays until there is other.
        if item.state in _UNSENT and (attempts or (item.evidence is not None and item.kind != _CHAIN)):
            yield f"it is {item.state}, and something was sent for it"
        # A transaction of an earlier anchoring of this head counts for it, too.
        adopted = item.kind == _CHAIN and item.state in _SEEN  # by evidence that somebody else anchored it
        if item.state in _SENT and not adopted and not attempts and not attempts_for(connection, item):
            yield f"it is {item.state}, and nothing that was sent for it is kept"
        if item.state in _SEEN and item.evidence is None:
            yield f"it is {item.state} without evidence"
        kind = self.kinds.get(item.kind)
        if kind is None:
            yield f"there is no kind {item.kind!r}"
        try:
            head = self._head(connection, item.size)
        except NotFound as error:
            yield str(error)
            return
        if kind is not None and head is not None:
            yield from kind.problems(item, head, attempts)

    def _head(self, connection: Connection, size: int) -> Head | None:
        """The head of a size; None where its checkpoint is damaged, which is told of the checkpoint."""
        if size not in self._heads:
            note = checkpoint_at(connection, size).note
            try:
                signed = open_checkpoint(note, self.origin, self.log_keys)
            except EvidenceError:
                self._heads[size] = None
            else:
                point = signed.checkpoint
                self._heads[size] = Head(point.origin, point.size, point.root, signed.note)
        return self._heads[size]
