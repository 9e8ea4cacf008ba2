"""Everything that a report prints, as values: `facts_of` gathers, and nothing later adds to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from notary.errors import FormatError
from notary.evidence.checkpoint import parse_checkpoint
from notary.evidence.note import parse_note
from notary.evidence.number import parse_number
from notary.evidence.outcome import Bound, Check, Outcome, Report
from notary.evidence.package import Package
from notary.report.found import InspectionFact, inspection_of


@dataclass(frozen=True, slots=True)
class DocumentFact:
    """The document as the statement names it; `name` is the caller's word and in no digest."""

    name: str | None
    seen: bool
    size: int | None  # bytes
    media_type: str | None
    digests: tuple[tuple[str, str], ...]  # algorithm, hex
    claimed: tuple[tuple[str, str], ...]  # on the submitter's word


@dataclass(frozen=True, slots=True)
class HeadFact:
    """A head of the log that includes the entry."""

    size: int
    root: str  # hex


@dataclass(frozen=True, slots=True)
class AnchorFact:
    """Where on a chain a head is recorded; hashes and addresses with 0x."""

    size: int
    chain_id: int
    contract: str
    log_id: str
    block_number: int
    block_hash: str
    block_time: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What one report says."""

    number: str  # 16 characters
    operator: str
    generated: datetime  # UTC, whole seconds
    verify_url: str  # "" for none
    proves_nothing: bool
    result: Report
    kind: str  # type of the statement, "" where there is none
    log: str
    claimed_time: str
    document: DocumentFact | None
    computed: tuple[tuple[str, str], ...]  # digests of the document that was checked
    evidence: tuple[tuple[str, str], ...]  # name and SHA-256 of the files checked
    heads: tuple[HeadFact, ...]
    anchors: tuple[AnchorFact, ...]
    openings: tuple[tuple[str, Any], ...]
    inspection: InspectionFact | None
    trust: tuple[int, str] | None = None  # version and SHA-256 of the trust statement of then

    @property
    def missing(self) -> tuple[str, ...]:
        """Ids of the required checks that have not passed, in order."""
        passed = {check.id for check in self.result.checks if check.outcome is Outcome.PASSED}
        return tuple(sorted(self.result.required - passed, key=by_number))

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """Bounds in time, earliest first."""
        found = () if self.result.interval is None else self.result.interval.bounds
        return tuple(sorted(found, key=lambda bound: (bound.not_after, bound.source)))

    @property
    def attested(self) -> tuple[Bound, ...]:
        """The bounds that are shown: none of evidence that failed."""
        return () if self.result.outcome is Outcome.FAILED else self.bounds

    @property
    def existed_by(self) -> datetime | None:
        """T, where the outcome is passed: of other evidence it bounds nothing, or nothing yet."""
        interval = self.result.interval
        return interval.existed_by if interval and self.result.outcome is Outcome.PASSED else None

    @property
    def made_after(self) -> datetime | None:
        """The time of the not-before block, where the outcome is passed."""
        interval = self.result.interval
        return interval.made_after if interval and self.result.outcome is Outcome.PASSED else None

    def outcome_of(self, id_: str) -> Outcome | None:
        """The outcome of all checks with this id together; None when it was not made."""
        found = {check.outcome for check in self.result.checks if check.id == id_}
        for outcome in (Outcome.FAILED, Outcome.PASSED):
            if outcome in found:
                return outcome
        return Outcome.UNCHECKED if found else None


def facts_of(
    result: Report,
    *,
    number: str,
    operator: str,
    generated: datetime,
    document_name: str | None = None,
    computed: Mapping[str, str] | None = None,
    evidence_digests: Mapping[str, str] | None = None,
    heads: Sequence[HeadFact] = (),
    anchors: Sequence[AnchorFact] = (),
    inspection: Mapping[str, Any] | None = None,
    verify_url: str = "",
    trust: tuple[int, str] | None = None,
    proves_nothing: bool,
) -> Facts:
    """Gather what the report of one verification prints.

    Args:
        result: of `notary.evidence.verify`.
        number: the record number, as typed or canonical.
        operator: name of the organisation that runs the service.
        generated: when the report is made; aware.
        document_name: file name as the submitter gave it.
        computed: digests in hex by algorithm, taken now from the document that was checked.
        evidence_digests: SHA-256 in hex by file name, of the package or proof that was checked.
        heads: from `heads_of`.
        anchors: where the heads stand on a chain.
        inspection: the inspection report, version 1 or 2; by default the one opened in `result`.
        verify_url: address of the record's page, printed and in the QR code.
        trust: version and SHA-256 (hex) of the newest trust statement, where one was published.
        proves_nothing: the anchors are those of the embedded profile.

    Raises:
        BadNumber: `number` is not a record number.
        FormatError: the statement has another number, or the inspection is not a report of version 1 or 2.
    """
    statement = result.statement or {}
    return Facts(
        number=_number(number, statement),
        operator=operator,
        generated=generated.astimezone(UTC).replace(microsecond=0),
        verify_url=verify_url,
        proves_nothing=proves_nothing,
        result=result,
        kind=statement.get("type", ""),
        log=statement.get("log", ""),
        claimed_time=statement.get("time", ""),
        document=_document(statement.get("document"), document_name),
        computed=tuple(sorted((computed or {}).items())),
        evidence=tuple(sorted((evidence_digests or {}).items())),
        heads=tuple(heads),
        anchors=tuple(anchors),
        openings=tuple(
            (name, value) for name, value in sorted(result.openings.items()) if name != "inspection"
        ),
        inspection=_inspection(result, inspection),
        trust=trust,
    )


def _number(said: str, statement: Mapping[str, Any]) -> str:
    canonical = parse_number(said)
    if statement and statement["number"] != canonical:
        raise FormatError(f"the statement has record number {statement['number']}, not {canonical}")
    return canonical


def _inspection(result: Report, given: Mapping[str, Any] | None) -> InspectionFact | None:
    found = given if given is not None else result.openings.get("inspection")
    logged = any(check.id == "9.1" and check.outcome is Outcome.PASSED for check in result.checks)
    return None if found is None else inspection_of(found, logged=logged)


def heads_of(package: Package, result: Report) -> tuple[HeadFact, ...]:
    """The heads of a package, as its checkpoints say; () unless all of them passed checks 3.1 and 3.2."""
    checks: list[Check] = [check for check in result.checks if check.id in ("3.1", "3.2")]
    if not checks or any(check.outcome is not Outcome.PASSED for check in checks):
        return ()
    notes = (package.files.get(f"heads/{size}/checkpoint") for size in package.sizes())
    points = [parse_checkpoint(parse_note(note).text) for note in notes if note is not None]
    return tuple(HeadFact(point.size, point.root.hex()) for point in points)


def _document(body: Mapping[str, Any] | None, name: str | None) -> DocumentFact | None:
    if body is None:
        return None
    return DocumentFact(
        name=name,
        seen=body["seen"],
        size=body["size"],
        media_type=body["media_type"],
        digests=tuple(body["digests"].items()),
        claimed=tuple(body["claimed"].items()),
    )


def by_number(id_: str) -> tuple[int, ...]:
    """Order of check ids: 3.10 comes after 3.9."""
    return tuple(int(part) for part in id_.split("."))
