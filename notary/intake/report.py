"""A sealed report becomes a statement of its own, which follows the record that it is about."""

from notary.evidence.bodies import Document
from notary.intake.accept import Intake
from notary.intake.group import Item
from notary.intake.prepare import build_record
from notary.store.records import Record


def log_report(intake: Intake, about: Record, digests: dict[str, str], size: int) -> str:
    """Log the digests of a report that is stored already, and return its record number.

    Raises:
        NotReady: the log is not open yet.
        Unavailable: the log is behind, or the database does not answer; then the report may have been logged.
        NumberTaken: nothing was logged; ask again.
    """
    at = intake.conditions()
    body = Document(True, digests, {}, size, "application/pdf")
    # Whoever holds the report may check it; it says nothing that its holder does not read in it.
    record = build_record(
        "report",
        body,
        {},
        about,
        about.tenant_id,
        "by-document",
        at.block,
        intake.origin,
        intake.now(),
        intake.random,
    )
    intake.commit(Item([record], block=at.block), at)
    # Durable: the statement. A crash before it leaves a stored report that the next request logs.
    return record.number
