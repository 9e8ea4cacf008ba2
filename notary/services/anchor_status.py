"""How each anchor does, for whoever runs the service: read from the database alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from notary.anchoring.backoff import Circuit, circuit
from notary.store import anchorings
from notary.store.anchorings import Anchoring
from notary.store.breakers import Breaker, breaker_of
from notary.store.engine import Database

_UNDER_WAY = ("due", "signed", "sent", "mined")


@dataclass(frozen=True, slots=True)
class Named:
    """An anchor of the settings; `organisation` is who runs it, or the chain that it leads to."""

    name: str
    kind: str
    organisation: str


@dataclass(frozen=True, slots=True)
class AnchorStatus:
    """What is known of one anchor.

    Attributes:
        circuit: whether it is asked; of all but time-stamping authorities always closed.
        failure: the last one, where nothing good came since.
        final: its newest final word.
        under_way: what it was asked for and has not said yet.
        rejected: its newest answers that were no use, each with the response as it came.
    """

    anchor: Named
    circuit: Circuit
    failure: Breaker | None
    final: Anchoring | None
    under_way: Anchoring | None
    rejected: tuple[Anchoring, ...]


def anchor_status(
    database: Database, anchors: Iterable[Named], now: datetime, most: int
) -> list[AnchorStatus]:
    """The status of each of `anchors`, with `most` of its rejected answers."""
    with database.reading() as connection:
        return [
            AnchorStatus(
                each,
                circuit(failure := breaker_of(connection, each.name), now),
                failure,
                anchorings.newest_anchoring(connection, each.name, ("final",)),
                anchorings.earliest_anchoring(connection, each.name, _UNDER_WAY),
                tuple(anchorings.newest_rejected(connection, each.name, most)),
            )
            for each in anchors
        ]
