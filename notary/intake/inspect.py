"""After the evidence is safe: what the signatures in a document say, as a statement of its own."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from notary.errors import NotaryError, RequestError
from notary.evidence.statement import Block
from notary.intake.accept import Intake
from notary.intake.group import Item
from notary.intake.inspection.report import TOOL, Inspected, empty
from notary.intake.prepare import build_record
from notary.intake.promises import conditions
from notary.store.engine import Connection
from notary.store.findings import add_findings, revisions_told
from notary.store.inspections import Inspection, end_inspection, give_back, spooled_names, take_inspection
from notary.store.records import NewRecord, Record, record_by_seq, upgrade_default_visibility

Inspector = Callable[[Path, str | None], Inspected]

PATIENCE = timedelta(minutes=5)  # longer than any inspection may take
# After each try that came to no end: a day and a half, in which a machine that was at fault is mended. A document that
# kills its inspectors does so seven times.
WAITS = (PATIENCE, PATIENCE, *(timedelta(hours=hours) for hours in (1, 4, 12, 24)), PATIENCE)
MAX_TRIES = len(WAITS)
_AT_ONCE = 2  # tries after which the next may follow at once, where the inspector lived to say so
# Reasons that speak of this machine and not of the document.
_OF_THE_MACHINE = frozenset({"no_sandbox", "not_started", "not_opened", "wall_time"})
_NOT_INSPECTED = "could_not_be_inspected"


@dataclass(slots=True)
class Turn:
    """Whose turn it was last: each organisation that has documents waiting gets one after the other."""

    tenant_id: int = 0


def inspect_next(intake: Intake, inspector: Inspector, turn: Turn | None = None) -> bool:
    """Inspect the longest waiting document of the next organisation, and log the report as a statement after it.

    May be run by several processes at once and again after a crash: a document gets one report.

    Args:
        intake: where records are made.
        inspector: gives a report (notary.intake.inspection.report) and, by its contract, never raises; a
            death of the process is survived, and after seven tries, further and further apart, the report says so.
        turn: of one caller, handed in again at each call; None begins anew.

    Returns:
        Whether there was one; call again until there is none.

    Raises:
        NotReady: the log is not open yet.
        Unavailable: the database does not answer, or the log is behind; the task stays.
    """
    now, published = intake.now(), intake.published()
    with intake.database.writing() as connection:
        task = take_inspection(
            connection, now, lambda tries: now + _wait(tries), 0 if turn is None else turn.tenant_id
        )
        if task is not None:
            # Or else nothing is taken: the report's receipt would be a risk.
            conditions(connection, intake.promises, now, published)
    # Durable: this try is counted. A crash from here to the next commit gives the task back after `PATIENCE`.
    if task is None:
        return False
    if turn is not None:
        turn.tenant_id = task.tenant_id
    report = _report(intake, inspector, task)
    if report is None:
        return True
    _log_report(intake, task, report)
    # Durable: the report, what was found beside it, and that the task is over. A crash here leaves a file that
    # `sweep` removes.
    intake.spool.discard(task.path)
    return True


def sweep(intake: Intake) -> int:
    """Delete spooled documents that no task names; returns how many."""

    def needed() -> set[str]:
        with intake.database.reading() as connection:
            return spooled_names(connection)

    return intake.spool.sweep(needed)


def _wait(tries: int) -> timedelta:
    return WAITS[min(tries, MAX_TRIES) - 1]


def _report(intake: Intake, inspector: Inspector, task: Inspection) -> Inspected | None:
    """The report; None if there is none yet and another try is due."""
    path = intake.spool.folder / task.path
    if task.tries > MAX_TRIES:
        return _none("too_many_tries")
    if not path.is_file():
        return _none("document_missing")
    try:
        found = inspector(path, task.media_type)
    except (NotaryError, OSError) as error:
        found, reason = _none("inspector_failed"), type(error).__name__
    else:
        reason = str(found.report.get("reason"))
        if reason not in _OF_THE_MACHINE:
            return found
    if task.tries >= MAX_TRIES:
        return found
    until = None if task.tries <= _AT_ONCE else intake.now() + _wait(task.tries)
    with intake.database.writing() as connection:
        give_back(connection, task.seq, reason, until)
    # Durable: when the next try is due. A crash before leaves it to the time that was set when the task was taken.
    return None


def _none(reason: str) -> Inspected:
    return Inspected(empty(_NOT_INSPECTED, reason, TOOL))


def _log_report(intake: Intake, task: Inspection, found: Inspected) -> None:
    report = found.report
    at = intake.conditions()
    with intake.database.reading() as connection:
        document = record_by_seq(connection, task.seq)
    # Signed by somebody: whoever presents the exact document may see its evidence, unless the submitter has
    # chosen otherwise.
    upgraded = bool(report.get("cms")) and not document.visibility_chosen
    visibility = "by-document" if upgraded else document.visibility

    build = partial(_build, intake, at.block, document, visibility)
    try:
        record = build(report)
    except RequestError:
        found = _none("report_unusable")
        report = found.report
        record = build(report)

    def end(connection: Connection) -> None:
        failed = report.get("outcome") == _NOT_INSPECTED
        reason = str(report.get("reason") or "")
        if not end_inspection(connection, task.seq, "failed" if failed else "done", reason):
            raise _DoneError  # another process was faster, and its report stands
        revisions = revisions_told(report, task.size)
        add_findings(connection, task.seq, revisions, found.validations)
        if upgraded:
            upgrade_default_visibility(connection, task.seq, visibility)

    with suppress(_DoneError):
        intake.commit(Item([record], block=at.block), at, end)


def _build(
    intake: Intake, block: Block | None, document: Record, visibility: str, report: dict[str, Any]
) -> NewRecord:
    return build_record(
        kind="inspection",
        body=None,
        fields={"inspection": report},
        previous=document,
        tenant_id=document.tenant_id,
        visibility=visibility,
        block=block,
        origin=intake.origin,
        now=intake.now(),
        random=intake.random,
    )


class _DoneError(Exception):
    """Rolls the transaction back."""
