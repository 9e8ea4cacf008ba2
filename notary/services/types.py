"""What the steps say to the API and the command line: frozen values, no rows."""

from dataclasses import dataclass
from datetime import datetime

from notary.store.lookups import Earlier, Found
from notary.store.views import Anchors, RecordView


@dataclass(frozen=True, slots=True)
class Principal:
    """Who holds the API key that was sent."""

    tenant_id: int
    scopes: frozenset[str]  # submit, read, report


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks to see a record: an organisation, or a stranger who presents a digest or a code."""

    tenant_id: int | None = None
    digest: tuple[str, bytes] | None = None  # algorithm and value
    code: str | None = None
    reports: bool = False  # an organisation's key that may have its reports


@dataclass(frozen=True, slots=True)
class Grown:
    """All that others are told of a document by an earlier revision of it, unless its submitter chose to show it.

    Attributes:
        number, received: of its record.
        earlier: what was presented.
    """

    number: str
    received: datetime
    earlier: Earlier


@dataclass(frozen=True, slots=True)
class AttestedHead:
    """A head, and a third party's word on it."""

    anchor: str
    kind: str
    size: int
    state: str
    note: bytes  # the checkpoint under the log's signature alone
    evidence: bytes  # raw time-stamp response, or chain evidence


__all__ = [
    "Anchors",
    "AttestedHead",
    "Found",
    "Grown",
    "Principal",
    "RecordView",
    "Viewer",
]
