"""A sealed report becomes a statement of its own, once, which follows the record that it is about."""

from notary.errors import NumberTaken
from notary.evidence.bodies import Document
from notary.evidence.statement import Block
from notary.intake.accept import Intake
from notary.intake.group import ClaimTaken, Item
from notary.intake.prepare import build_record
from notary.store.claims import Claim, stored_claims
from notary.store.records import NewRecord, Record

_TRIES = 5  # at numbers that are free, and at claims that others make


def log_report(intake: Intake, about: Record, digests: dict[str, str], size: int) -> None:
    """Log the digests of a report that is stored already; a report that is logged stays logged once.

    Args:
        intake: where records are made.
        about: the record, of an organisation.
        digests: SHA-256 and SM3 of the report, in hexadecimal.
        size: its bytes.

    Raises:
        NotReady: the log is not open yet.
        Unavailable: the log is behind, or the database does not answer; then the report may have been logged.
        NumberTaken, ClaimTaken: nothing was logged; ask again.
    """
    assert about.tenant_id is not None  # noqa: S101 - a report is made for the organisation that submitted
    digest = digests["sha-256"]
    claim = Claim(about.tenant_id, f"r{digest}", bytes.fromhex(digest))
    with intake.database.reading() as connection:
        if stored_claims(connection, [claim]):
            return
    for left in reversed(range(_TRIES)):
        at = intake.conditions()
        item = Item([_statement(intake, about, digests, size, at.block)], claim, at.block)
        try:
            intake.commit(item, at)
            # Durable: the statement and its claim. A crash before it leaves a stored report that the next request
            # logs. Of several requests at once the claim lets one through; the others find it made.
        except (NumberTaken, ClaimTaken):  # nothing was stored
            if not left:
                raise
        else:
            return


def _statement(
    intake: Intake, about: Record, digests: dict[str, str], size: int, block: Block | None
) -> NewRecord:
    body = Document(True, digests, {}, size, "application/pdf")
    # Whoever holds the report may check it; it says nothing that its holder does not read in it.
    return build_record(
        "report",
        body,
        {},
        about,
        about.tenant_id,
        "by-document",
        block,
        intake.origin,
        intake.now(),
        intake.random,
    )
