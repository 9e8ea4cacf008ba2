"""What the steps say to the API and the command line: frozen values, no rows."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Principal:
    """Who holds the API key that was sent."""

    tenant_id: int
    tenant: str
    scopes: frozenset[str]  # submit, read, report


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks to see a record: an organisation, or a stranger who presents a digest or a code."""

    tenant_id: int | None = None
    digest: tuple[str, bytes] | None = None  # algorithm and value
    code: str | None = None


@dataclass(frozen=True, slots=True)
class AnchoringState:
    """One anchoring of a head that covers a record."""

    anchor: str
    kind: str  # rfc3161 or evm
    size: int
    state: str
    updated: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class RecordView:
    """Where a record stands."""

    number: str
    type: str
    entry: bytes
    statement: bytes
    received: datetime
    visibility: str
    digests: dict[str, str]
    index: int | None
    closed: datetime | None
    size: int | None  # of the first checkpoint that covers it
    attestations: tuple[AnchoringState, ...]
    inspection: str  # none, waiting, done, failed

    def due(self) -> list[str]:
        """What is still to come, in order."""
        kinds = {a.kind for a in self.attestations if a.state == "final"}
        return [
            step
            for step, missing in (
                ("close", self.index is None),
                ("stamp", "rfc3161" not in kinds),
                ("anchor", "evm" not in kinds),
                ("inspection", self.inspection == "waiting"),
            )
            if missing
        ]

    def stage(self) -> str:
        """One word for people: received, closed, stamped, anchored, final."""
        if self.index is None:
            return "received"
        states = {(a.kind, a.state) for a in self.attestations}
        if ("evm", "final") in states:
            return "final"
        if ("evm", "mined") in states:
            return "anchored"
        return "stamped" if ("rfc3161", "final") in states else "closed"
