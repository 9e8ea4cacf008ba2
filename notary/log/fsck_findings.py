"""What must be true of earlier revisions and validation reports: they are those that the inspection report tells of."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from notary.errors import EvidenceError
from notary.evidence.commitments import check_openings
from notary.evidence.statement import parse_statement
from notary.store.engine import Connection
from notary.store.findings import earlier_revisions, found_in, revisions_told, validation_reports
from notary.store.inspections import inspection_state
from notary.store.openings import openings_of
from notary.store.records import record_by_seq

_AT_ONCE = 5000


def finding_problems(connection: Connection, seq: int, size: int, reports: list[int]) -> Iterator[str]:
    """One sentence for each thing wrong with what was found in the document `seq` of `size` bytes.

    Args:
        connection: to the database.
        seq: the document's.
        size: in bytes, as its statement says.
        reports: `seq` of the inspection statements that follow it.
    """
    told = _told(connection, reports)
    revisions, stored = earlier_revisions(connection, seq), validation_reports(connection, seq)
    if told is None:
        if revisions or stored:
            yield "nothing opens its report, and what was found is still there"
        return
    if set(revisions) != set(revisions_told(told, size)):
        yield "its earlier revisions are not those of the report"
    digests = {position: hashlib.sha256(data).hexdigest() for position, data in stored.items()}
    signatures = enumerate(told.get("signatures", ()))
    wanted = {place: row.get("validation_sha256") for place, row in signatures}
    if digests != {place: digest for place, digest in wanted.items() if digest is not None}:
        yield "its validation reports are not those of the report"


def stray_problems(connection: Connection) -> Iterator[str]:
    """One sentence for each document that something was found in and that was not inspected."""
    last = -1
    while page := found_in(connection, last, _AT_ONCE):
        for seq in page:
            if inspection_state(connection, seq) not in ("done", "failed"):
                yield f"inspection of document {seq}: it was not made, and something was found"
        last = page[-1]


def _told(connection: Connection, reports: list[int]) -> Mapping[str, Any] | None:
    for seq in reports:
        try:
            commitments = parse_statement(record_by_seq(connection, seq).statement).commitments
            opened = check_openings(openings_of(connection, seq), commitments)
        except EvidenceError:
            continue  # which is told of the record
        if isinstance(told := opened.get("inspection"), dict):
            return told
    return None
