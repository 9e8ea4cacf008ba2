"""Receipts whose promise was broken: found once their entries are in the log, and said in the log itself."""

from contextlib import suppress

from notary.evidence.bodies import Incident
from notary.evidence.fields import show_moment
from notary.evidence.incident import KIND
from notary.evidence.statement import Block
from notary.intake.accept import Intake
from notary.intake.group import Item
from notary.intake.prepare import build_record
from notary.store.engine import Connection
from notary.store.places import seq_of
from notary.store.promises import (
    INCIDENT,
    Closed,
    add_broken,
    broken_among,
    closed_after,
    looked_at,
    move_on,
)
from notary.store.records import NewRecord, Record, record_by_number, record_by_seq

GROUPS = 500  # looked at in one transaction, at most
_TURNS = 20


def log_broken(intake: Intake, turns: int = _TURNS) -> int:
    """Log an incident for each commit group that was closed later than its receipts promise, once each.

    What still waits is in no checkpoint, and a statement on it would wait behind it: it is told when the log closes
    again. May be run by several processes at once and again after a crash.

    Args:
        intake: where records are made.
        turns: up to 500 commit groups are looked at in each; call it again for more.

    Returns:
        How many incidents were logged.

    Raises:
        NotReady: the log is not open yet.
        Unavailable: the log is behind with closing, or the database does not answer.
    """
    logged = 0
    for _ in range(turns):
        with intake.database.reading() as connection:
            start = looked_at(connection)
            end, closed = closed_after(connection, start, GROUPS)
            late = _to_be_told(connection, closed)
        if end == start:
            break
        with suppress(_DoneError):
            _log(intake, start, end, late) if late else _pass(intake, start, end)
            logged += len(late)
    return logged


def _to_be_told(connection: Connection, closed: list[Closed]) -> list[tuple[Closed, Record]]:
    """Those that were late, each with its first record."""
    late = [item for item in closed if item.late]
    told = broken_among(connection, [item.group.id for item in late])
    found = [
        (item, record_by_seq(connection, seq_of(item.group.id, 0)))
        for item in late
        if item.group.id not in told
    ]
    # An incident is promised to nobody: one on another would have no end while closing is slow.
    return [(item, first) for item, first in found if first.type != INCIDENT]


def _pass(intake: Intake, start: int, end: int) -> None:
    with intake.database.writing() as connection:
        if not move_on(connection, start, end):
            raise _DoneError


def _log(intake: Intake, start: int, end: int, late: list[tuple[Closed, Record]]) -> None:
    at = intake.conditions()
    records = [_incident(intake, item, first, at.block) for item, first in late]

    def extra(connection: Connection) -> None:
        made = record_by_number(
            connection, records[0].number
        ).seq  # the others follow, in a group of their own
        noted = [add_broken(connection, item.group.id, made + at) for at, (item, _) in enumerate(late)]
        if not all(noted) or not move_on(connection, start, end):
            raise _DoneError  # another process was faster, and its incidents stand

    intake.commit(Item(records, block=at.block), at, extra)
    # Durable: the incidents, which groups they are about, and how far was looked; all of it, or after a crash before
    # the commit nothing, and the same groups are looked at again.


def _incident(intake: Intake, item: Closed, first: Record, block: Block | None) -> NewRecord:
    promise = item.promise
    detail = {
        "close_by": show_moment(promise.close_by),
        "closed": show_moment(item.closing.time),
        "size": item.closing.size,
        "count": promise.count,
        "root": promise.root.hex(),
    }
    # In the open: it says nothing of whoever submitted, and the operator has nothing to hide here.
    return build_record(
        INCIDENT,
        Incident(KIND, first.entry),
        {"detail": detail},
        first,
        None,
        "public",
        block,
        intake.origin,
        intake.now(),
        intake.random,
    )


class _DoneError(Exception):
    """Rolls the transaction back."""
