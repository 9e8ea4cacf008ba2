"""What is submitted, and what is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from notary.evidence.commitments import Opening
from notary.store.records import NewRecord, Record

# What a submitter may commit to; `inspection` and `detail` are the service's own.
FIELDS = ("matter", "phase", "sequence", "actor", "holder", "source", "reference", "title", "metadata")
KINDS = ("document", "event")


@dataclass(frozen=True, slots=True)
class Submission:
    """One document or event of one tenant.

    Attributes:
        tenant_id: from the credential, never from the request.
        kind: `document` or `event`; an event has no digests, size or media type.
        seen: the service had the bytes and took `digests` itself.
        digests: lower-case hexadecimal; SHA-256, and SM3 where the bytes were seen.
        claimed: further digests on the submitter's word.
        size: bytes of the document; known where it was seen.
        media_type: of the document.
        fields: values to commit to, by names of `FIELDS`.
        visibility: one of `VISIBILITIES`; None takes the default.
        previous: number of the tenant's own record that this one follows.
        spooled: the document's bytes, for inspection; taken over by `accept`, which deletes them if they are
            not needed.
    """

    tenant_id: int
    kind: str
    seen: bool = False
    digests: Mapping[str, str] = field(default_factory=dict)
    claimed: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    media_type: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    visibility: str | None = None
    previous: str | None = None
    spooled: Path | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A record that is durable.

    Attributes:
        seq: its address in the database.
        number: its record number, 16 characters.
        entry: 32 bytes.
        statement: canonical JSON.
        receipt: the receipt file.
        openings: what opens its commitments, those that were not erased.
        close_by: the moment promised, as the receipt says it.
        visibility: what the submitter chose; None where the default was taken.
        replayed: it was made by an earlier request with the same claim.
    """

    seq: int
    number: str
    entry: bytes
    statement: bytes
    receipt: bytes
    openings: tuple[Opening, ...]
    close_by: str
    visibility: str | None = None
    replayed: bool = False


def accepted_of(
    seq: int,
    record: NewRecord | Record,
    receipt: bytes,
    openings: tuple[Opening, ...],
    close_by: str,
    *,
    replayed: bool,
) -> Accepted:
    """What is answered of a record."""
    chosen = record.visibility if record.visibility_chosen else None
    return Accepted(
        seq, record.number, record.entry, record.statement, receipt, openings, close_by, chosen, replayed
    )
