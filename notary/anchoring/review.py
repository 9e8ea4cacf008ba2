"""Final anchorings are looked at again: a block that is not the chain's any more is an incident.

The evidence stays as it is. What became of its block is kept beside it, and a head is anchored anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from notary.anchoring.quorum import Quorum
from notary.evidence.chain import decode_evidence, decode_header
from notary.observe import INCIDENTS
from notary.store import anchorings
from notary.store.engine import Database
from notary.store.incidents import CONTRADICTED, add_incident

_log = structlog.get_logger()
_NEWEST = 4  # those before them have the same fate: their blocks are ancestors of these


@dataclass(frozen=True, slots=True)
class Review:
    """Looks again at what was final at one anchor."""

    database: Database
    anchor: str
    quorum: Quorum
    now: Callable[[], datetime]

    def step(self) -> None:
        """Compare the blocks of the newest final anchorings with what the endpoints hold to be final now.

        Where the chain was cut back, the earlier ones are looked at in the following steps.

        Raises:
            AnchorUnavailable: the only endpoint does not answer.
            AnchorRejected: endpoints contradict each other, and too few say the same; the only one is of another
                chain.
        """
        with self.database.reading() as connection:
            newest = anchorings.final_words(connection, self.anchor, most=_NEWEST)
        for item in newest:
            if item.evidence is None:
                continue
            evidence = decode_evidence(item.evidence)
            header = decode_header(evidence.header, evidence.profile)
            other = self.quorum.replacement_of(header)
            if other is not None:
                self._keep(
                    item, f"block {header.number} was 0x{header.hash.hex()} and is 0x{other.hash.hex()}"
                )

    def _keep(self, item: anchorings.Anchoring, detail: str) -> None:
        with self.database.writing() as connection:
            # Durable after the commit: that this evidence is contradicted. From here on no package holds it, and
            # the newest head is due again. A crash before it means that it is found at the next step.
            add_incident(connection, CONTRADICTED, item.anchor, str(item.id), detail, self.now())
        INCIDENTS.labels(item.anchor, CONTRADICTED).inc()
        _log.critical("a final anchor is contradicted", anchor=item.anchor, size=item.size, detail=detail)
