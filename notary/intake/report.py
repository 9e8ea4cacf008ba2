"""A sealed report becomes a statement of its own, which follows the record that it is about."""

from notary.errors import Unavailable
from notary.evidence.bodies import Document
from notary.intake.accept import Intake
from notary.intake.prepare import build_record
from notary.store.blocks import newest_block
from notary.store.records import Record, insert_records


def log_report(intake: Intake, about: Record, digests: dict[str, str], size: int) -> str:
    """Log the digests of a report that is stored already, and return its record number.

    Raises:
        NotReady: the log is not open yet.
        Unavailable: the log is behind, or the database does not answer; then the report may have been logged.
    """
    now = intake.now()
    with intake.database.reading() as connection:
        state = intake.ready(connection, now)
        block = newest_block(connection)
    body = Document(True, digests, {}, size, "application/pdf")
    # Whoever holds the report may check it; it says nothing that its holder does not read in it.
    record = build_record(
        "report", body, {}, about, about.tenant_id, "by-document", block, intake.origin, now, intake.random
    )
    (record,) = intake.sign([record], state, now)
    with intake.database.writing() as connection:
        intake.require_in_time(now)
        if insert_records(connection, [record], now) is None:
            raise Unavailable("the record number of a report was taken; ask for the report again")
    # Durable: the statement. A crash before it leaves a stored report that the next request logs.
    return record.number
