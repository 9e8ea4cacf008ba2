"""What the operator says in the log of its own broken promises: for everybody."""

import json
from dataclasses import dataclass
from typing import Any

from notary.evidence.bodies import Incident
from notary.evidence.commitments import check_openings, encode_openings
from notary.evidence.statement import parse_statement
from notary.store.engine import Database
from notary.store.openings import openings_of
from notary.store.promises import incidents_after
from notary.store.sound import require_own_entry
from notary.store.views import RecordView

MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident as it stands in the log.

    Attributes:
        record: statement and place.
        kind: a word for what went wrong.
        subject: the entry it is about, 32 bytes.
        openings: what opens its commitments, as in a package.
        detail: what they open; empty where it was erased.
    """

    record: RecordView
    kind: str
    subject: bytes | None
    openings: Any
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Incidents:
    """Reads incidents. A record that they are about is told by its entry alone, which says nothing to a stranger."""

    database: Database

    def page(self, after: str = "", limit: int = MAX_PAGE) -> list[IncidentView]:
        """Incidents by their numbers, which is by their age, from the one after `after`; at most 100."""
        with self.database.reading() as connection:
            found = incidents_after(connection, after, min(limit, MAX_PAGE))
            opened = [openings_of(connection, record.seq) for record in found]
        views = []
        for record, openings in zip(found, opened, strict=True):
            require_own_entry(record.number, record.statement, record.entry)
            statement = parse_statement(record.statement)
            assert isinstance(statement.body, Incident)  # noqa: S101 - what fsck watches
            values = check_openings(openings, statement.commitments)
            shown = json.loads(encode_openings(openings)) if openings else {}
            detail = values.get("detail", {})
            views.append(IncidentView(record, statement.body.kind, statement.body.subject, shown, detail))
        return views
