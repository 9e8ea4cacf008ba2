"""Final anchorings are looked at again: a block that is not the chain's any more is an incident.

The evidence stays as it is. What became of its block is kept beside it, and a head is anchored anew.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from notary.anchoring.quorum import Quorum
from notary.errors import AnchorRejected
from notary.evidence.chain import decode_evidence, decode_header
from notary.observe import INCIDENTS
from notary.store import anchorings
from notary.store.engine import Database
from notary.store.final_words import final_words
from notary.store.incidents import CONTRADICTED, add_incident

_log = structlog.get_logger()
_AT_ONCE = 4  # of the newest, whose blocks have those before them as ancestors; and of all in turn


@dataclass(frozen=True, slots=True)
class Review:
    """Looks again at what was final at one anchor."""

    database: Database
    anchor: str
    quorum: Quorum
    now: Callable[[], datetime]
    _walked: list[int] = field(
        default_factory=lambda: [0]
    )  # size up to which all were looked at in this round

    def step(self) -> None:
        """Compare blocks of final anchorings with what the endpoints hold to be final now: the newest, and some more.

        Where the chain was cut back further than it has grown again, nothing can be said of the newest: they leave
        their place to others meanwhile, and are found in their turn.

        Raises:
            AnchorUnavailable, OutOfTime: the only endpoint does not answer, or not in the time that a step may take;
                the next step goes on where this one ended.
            AnchorRejected: endpoints contradict each other, and too few say the same; the only one is of another
                chain. All are looked at before: a contradiction about one hides none about another.
        """
        with self.database.reading() as connection:
            newest = final_words(connection, self.anchor, most=_AT_ONCE)
            turn = final_words(connection, self.anchor, above=self._walked[0], most=_AT_ONCE)
        looked = {each.id for each in turn}
        others = [each for each in newest if each.id not in looked]
        problem: AnchorRejected | None = None
        # The turn before all but one of the newest: where endpoints are slow no time may be left for it, ever.
        for item in (*others[:1], *turn, *others[1:]):
            try:
                self._look(item)
            except AnchorRejected as error:
                problem = problem or error
            if item.id in looked:
                self._walked[0] = item.size
        if len(turn) < _AT_ONCE:
            self._walked[0] = 0
        if problem is not None:
            raise problem

    def _look(self, item: anchorings.Anchoring) -> None:
        if item.evidence is None:
            return
        evidence = decode_evidence(item.evidence)
        header = decode_header(evidence.header, evidence.profile)
        other = self.quorum.replacement_of(header)
        if other is not None:
            self._keep(item, f"block {header.number} was 0x{header.hash.hex()} and is 0x{other.hash.hex()}")

    def _keep(self, item: anchorings.Anchoring, detail: str) -> None:
        with self.database.writing() as connection:
            # Durable after the commit: that this evidence is contradicted. From here on no package holds it, and
            # the newest head is due again. A crash before it means that it is found at the next step.
            add_incident(connection, CONTRADICTED, item.anchor, str(item.id), detail, self.now())
        INCIDENTS.labels(item.anchor, CONTRADICTED).inc()
        _log.critical("a final anchor is contradicted", anchor=item.anchor, size=item.size, detail=detail)
