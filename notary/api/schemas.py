"""What goes over the wire: pydantic models, strict, unknown fields refused."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1, max_length=300)]
Visibility = Literal["by-document", "by-code", "public", "private"]


class Wire(BaseModel):
    """Base of all models: frozen, strict, nothing extra."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SubmitRequest(Wire):
    """A submission. A document comes as digests, or as bytes in the `file` part of a multipart request."""

    kind: Literal["document", "event"] = Field("document", description="an event has no document")
    digests: dict[str, str] = Field(
        default_factory=dict,
        description="hexadecimal by algorithm; sha-256 is required unless the bytes are sent. "
        "Others are kept as claimed.",
    )
    size: int | None = Field(None, ge=1, le=2**50, description="bytes of the document, on your word")
    media_type: str | None = Field(None, max_length=127, description="such as application/pdf")
    visibility: Visibility | None = Field(
        None, description="who may look the record up; by-code unless the document is signed"
    )
    previous: str | None = Field(
        None, max_length=24, description="number of the record that this one follows"
    )
    matter: Text | None = Field(
        None, description="存证事务: your own reference of the matter; committed, not shown"
    )
    phase: Text | None = Field(
        None, description="such as identity-verified, will-confirmed, signed, sent; committed"
    )
    sequence: int | None = Field(None, ge=0, le=2**31, description="place in the matter; committed")
    actor: Text | None = Field(None, description="who acted; committed")
    holder: Text | None = Field(None, description="who holds the document; committed")
    source: Literal["client", "server"] | None = Field(
        None, description="where the event was seen; committed"
    )
    reference: Text | None = Field(None, description="your own reference of this record; committed")
    title: Text | None = Field(None, description="committed")
    metadata: dict[str, Any] | None = Field(
        None,
        description="any JSON object, up to 90 KiB and 10,000 values: keys of 1 to 64 characters in any script, no two "
        "alike; integers from -(2^53 - 1) to 2^53 - 1, no other numbers (send them as strings); at most 9 levels "
        "below it; committed",
    )


class LogHead(Wire):
    """The log at a size. Hashes and notes are base64."""

    size: int
    root: str
    checkpoint: str | None = Field(description="the signed checkpoint of this size, where there is one")


class LogInclusion(LogHead):
    """An entry is in the log (RFC 9162 §2.1.3)."""

    index: int
    leaf_hash: str
    path: list[str] = Field(max_length=63, description="sibling hashes, the leaf's own first")


class LogConsistency(Wire):
    """The older log begins the newer (RFC 9162 §2.1.4)."""

    old: LogHead
    new: LogHead
    path: list[str] = Field(max_length=63)


class Accepted(Wire):
    """The answer to a submission: everything in it is durable."""

    number: str = Field(description="record number, four groups of four")
    entry: str = Field(description="SHA-256 of the statement: the entry of the log")
    statement: str = Field(description="the canonical JSON; its bytes are UTF-8 of this string")
    receipt: str = Field(description="the signed receipt, a text file")
    lookup_code: str = Field(description="opens a by-code record to whoever has it")
    visibility: Visibility
    close_by: str = Field(description="the promise: in the log by then")


class AcceptedLine(Wire):
    """One record of a bulk request."""

    number: str = Field(description="record number, four groups of four")
    statement: str = Field(description="the canonical JSON; its SHA-256 is the entry of the log")
    index: int = Field(description="place in the group that was signed, and in the request, from 0")


class AcceptedBulk(Wire):
    """The answer to a bulk request: everything in it is durable."""

    group: int
    receipt: str = Field(description="the signed promise of the whole group")
    count: int
    close_by: str = Field(description="the promise: in the log by then")
    lines: list[AcceptedLine]
    tree: list[str] = Field(
        description="rows of the group's Merkle tree, base64 of hashes of 32 bytes, leaves first: the path of "
        "line i has from row k the hash (i >> k) ^ 1, where the row has one"
    )


class Attestation(Wire):
    """One anchoring of a head that covers the record."""

    anchor: str
    kind: Literal["rfc3161", "evm", "opentimestamps"]
    size: int
    state: Literal["due", "signed", "sent", "mined", "final", "rejected"]
    updated: str
    detail: str = Field("", description="what it waits for or ended with; empty for all but the submitter")


class RecordState(Wire):
    """Where a record stands, and what is still due."""

    number: str
    type: str
    entry: str
    received: str = Field(description="our clock; it proves nothing")
    visibility: Visibility
    digests: dict[str, str]
    index: int | None = Field(description="place in the log, once closed")
    closed: str | None = Field(description="time of the checkpoint that first covers it, by our clock")
    size: int | None = Field(description="size of that checkpoint")
    attestations: list[Attestation]
    inspection: Literal["none", "waiting", "done", "failed"]
    due: list[str] = Field(
        description="what is still to come: close, stamp, anchor, inspection; never what no anchor is configured for"
    )


class RecordPage(Wire):
    """One page of a list; `next` is the cursor of the next."""

    records: list[RecordState]
    next: str | None


class PublicRecord(Wire):
    """What a stranger who presents the digest is shown."""

    number: str
    entry: str
    statement: str
    received: str
    state: Literal["received", "closed", "stamped", "anchored", "final"]
    proof: str | None = Field(description="tlog-proof, once closed")


class EarlierRevision(Wire):
    """The record of a document whose first bytes have the digest: of what grew out of what was presented.

    `entry`, `statement`, `state` and `proof` are null where the earlier revision alone does not show them.
    """

    number: str
    entry: str | None
    statement: str | None
    received: str
    state: Literal["received", "closed", "stamped", "anchored", "final"] | None
    proof: str | None = Field(description="tlog-proof, once closed")
    revision: int = Field(
        description="which revision of the recorded document was presented, from 1, the oldest"
    )
    revisions: int = Field(description="how many the recorded document has")
    length: int = Field(description="bytes: `head -c LENGTH` of the recorded document has the digest")


class Lookup(Wire):
    """All records of a document digest that the asker may see, earliest first."""

    algorithm: str
    digest: str
    records: list[PublicRecord]
    earlier_revisions: list[EarlierRevision]


class Problem(Wire):
    """What every answer is that is not a success (RFC 9457), as application/problem+json."""

    type: str
    title: str
    status: int
    code: str = Field(description="stable; listed in docs/api.md")
    detail: str = Field(description="for people: what to do next")
