"""What an inspection report says of a document's signatures and revisions, as values (docs/inspection.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from notary.errors import FormatError

_VERSIONS = (1, 2)


@dataclass(frozen=True, slots=True)
class Particulars:
    """What version 2 says of a signature beyond version 1."""

    revision: int | None
    chain: tuple[str, ...]  # subjects, the signer's first
    doc_mdp: int | None
    field_mdp: tuple[str, tuple[str, ...]] | None  # action, names of fields
    level: str | None
    ades_indication: str | None
    ades_sub_indication: str | None


@dataclass(frozen=True, slots=True)
class SignatureFact:
    """One signature of the document, in the words of the inspection report."""

    field: str
    kind: str
    signer: str | None
    issuer: str | None
    serial: str | None
    claimed_time: str | None
    stamped_time: str | None
    stamp: str | None
    covers: str
    changes_after: str
    integrity: str
    trust: str
    validity: str
    particulars: Particulars | None = None  # None in version 1


@dataclass(frozen=True, slots=True)
class RevisionFact:
    """The document as it once was: its first bytes."""

    number: int  # from 1, the oldest
    length: int  # bytes
    sha256: str | None  # hex


@dataclass(frozen=True, slots=True)
class InspectionFact:
    """What the operator found when it read the document's signatures."""

    outcome: str
    reason: str | None
    tool: str
    truncated: bool
    logged: bool  # check 9.1 passed: an entry of the log, after this document
    signatures: tuple[SignatureFact, ...]
    revisions: tuple[RevisionFact, ...] = ()  # none in version 1
    removed_fields: tuple[str, ...] = ()


def inspection_of(report: Mapping[str, Any], *, logged: bool) -> InspectionFact:
    """What is printed of an inspection report.

    Raises:
        FormatError: it is not a report of version 1 or 2.
    """
    try:
        version = report["version"]
        if version not in _VERSIONS:
            raise FormatError(f"inspection report version {version} is neither 1 nor 2")
        names = [field.name for field in fields(SignatureFact) if field.name != "particulars"]
        signatures = tuple(
            SignatureFact(
                **{key: item[key] for key in names},
                particulars=_particulars(item, report["certificates"]) if version != 1 else None,
            )
            for item in report["signatures"]
        )
        base = (report["outcome"], report["reason"], report["tool"], report["truncated"], logged, signatures)
        if version == 1:
            return InspectionFact(*base)
        revisions = tuple(
            RevisionFact(row["revision"], row["length"], row["sha256"]) for row in report["prefixes"]
        )
        return InspectionFact(*base, revisions, tuple(report["removed_fields"]))
    except (KeyError, TypeError, IndexError) as error:
        raise FormatError(f"not an inspection report: {error}") from error


def _particulars(item: Mapping[str, Any], certificates: list[Mapping[str, Any]]) -> Particulars:
    locked = item["field_mdp"]
    return Particulars(
        revision=item["revision"],
        chain=tuple(certificates[place]["subject"] for place in item["chain"]),
        doc_mdp=item["doc_mdp"],
        field_mdp=None if locked is None else (locked["action"], tuple(locked["fields"])),
        level=item["level"],
        ades_indication=item["ades_indication"],
        ades_sub_indication=item["ades_sub_indication"],
    )
