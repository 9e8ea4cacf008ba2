"""From a submission to the statement that will be logged."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from notary.errors import FormatError, RequestError
from notary.evidence.bodies import Body, Document
from notary.evidence.commitments import SALT_SIZE, Commitments, Opening, commit
from notary.evidence.fields import hexadecimal
from notary.evidence.number import make_number
from notary.evidence.statement import Block, Statement, entry_of, parse_statement
from notary.intake.numbers import number_of
from notary.intake.submission import FIELDS, KINDS, Submission
from notary.intake.template import template_at
from notary.merkle.hashing import EMPTY_ROOT
from notary.store.records import VISIBILITIES, NewRecord, Record

DEFAULT_VISIBILITY = "by-code"
_NONE = Commitments(0, EMPTY_ROOT)


def prepare(
    submission: Submission,
    previous: Record | None,
    block: Block | None,
    origin: str,
    now: datetime,
    random: Callable[[int], bytes],
    number: str | None = None,
) -> NewRecord:
    """Build the statement of a submission, under a `number` that was drawn or under one of its own.

    Raises:
        RequestError: something in the submission cannot stand in a statement.
    """
    if submission.kind not in KINDS:
        raise RequestError(f"a submission is one of {', '.join(KINDS)}, not {submission.kind[:40]!r}")
    unknown = sorted(set(submission.fields) - set(FIELDS))
    if unknown:
        raise RequestError(f"{unknown[0][:40]!r} cannot be committed to: use {', '.join(FIELDS)}")
    if submission.visibility not in (None, *VISIBILITIES):
        raise RequestError(f"a visibility is one of {', '.join(VISIBILITIES)}")
    plain = submission.kind == "document" and not (submission.seen or submission.claimed)
    return (_build_plain if plain else build_record)(
        submission.kind,
        _body(submission),
        submission.fields,
        previous,
        submission.tenant_id,
        submission.visibility,
        block,
        origin,
        now,
        random,
        number,
    )


def plain_record(
    tenant_id: int,
    digest: bytes,
    size: int | None,
    block: Block | None,
    origin: str,
    now: datetime,
    random: Callable[[int], bytes],
) -> NewRecord:
    """As `prepare`, for a document of which nothing but its SHA-256 (32 bytes) and perhaps its size is said."""
    chance = random(37)
    number = number_of(int(now.timestamp() * 1000), chance[:5])
    statement = template_at(origin, now, block).document(digest, number, chance[5:], size)
    return NewRecord(
        number, tenant_id, "document", statement, entry_of(statement), DEFAULT_VISIBILITY, False, digest
    )


def _build_plain(
    kind: str,
    body: Document | None,
    fields: Mapping[str, Any],
    previous: Record | None,
    tenant_id: int | None,
    visibility: str | None,
    block: Block | None,
    origin: str,
    now: datetime,
    random: Callable[[int], bytes],
    number: str | None = None,
) -> NewRecord:
    """As `build_record`, for a document known by its SHA-256 alone: by template, a tenth of the time."""
    assert body is not None  # noqa: S101 - the caller looked
    try:
        if list(body.digests) != ["sha-256"]:
            raise FormatError("digests are SHA-256, and SM3 where the bytes were seen, and no others")
        hexadecimal(body.digests["sha-256"], "sha-256 digest", 32)
        commitments, openings = commit(fields, lambda: random(SALT_SIZE)) if fields else (_NONE, ())
        digest = bytes.fromhex(body.digests["sha-256"])
        number = number or number_of(int(now.timestamp() * 1000), random(5))
        statement = template_at(origin, now, block).document(
            digest,
            number,
            random(32),
            body.size,
            body.media_type,
            commitments,
            None if previous is None else previous.entry,
        )
    except FormatError as error:
        raise RequestError(str(error)) from error
    known = {"sha-256": digest}
    return _record(kind, number, statement, known, openings, previous, tenant_id, visibility)


def build_record(
    kind: str,
    body: Body | None,
    fields: Mapping[str, Any],
    previous: Record | None,
    tenant_id: int | None,
    visibility: str | None,
    block: Block | None,
    origin: str,
    now: datetime,
    random: Callable[[int], bytes],
    number: str | None = None,
) -> NewRecord:
    """Draw number and salt, commit to `fields`, build the statement, and parse it as a verifier will.

    Raises:
        RequestError: a value cannot stand in a statement.
    """
    try:
        commitments, openings = commit(fields, lambda: random(SALT_SIZE))
        statement = Statement(
            type=kind,
            log=origin,
            number=number or make_number(int(now.timestamp() * 1000), random(5)),
            time=now,
            salt=random(32),
            not_before=block,
            previous=None if previous is None else previous.entry,
            commitments=commitments,
            body=body,
        )
        data = statement.encode()
        parse_statement(data)  # what a verifier would refuse is never logged
    except FormatError as error:
        raise RequestError(str(error)) from error
    named = body.digests if isinstance(body, Document) else {}
    digests = {name: bytes.fromhex(text) for name, text in named.items()}
    return _record(kind, statement.number, data, digests, openings, previous, tenant_id, visibility)


def _record(
    kind: str,
    number: str,
    statement: bytes,
    digests: Mapping[str, bytes],
    openings: tuple[Opening, ...],
    previous: Record | None,
    tenant_id: int | None,
    visibility: str | None,
) -> NewRecord:
    return NewRecord(
        number=number,
        tenant_id=tenant_id,
        type=kind,
        statement=statement,
        entry=entry_of(statement),
        visibility=visibility or DEFAULT_VISIBILITY,
        visibility_chosen=visibility is not None,
        sha256=digests.get("sha-256"),
        sm3=digests.get("sm3"),
        follows_seq=None if previous is None else previous.seq,
        openings=openings,
    )


def _body(submission: Submission) -> Document | None:
    document = Document(
        submission.seen,
        dict(submission.digests),
        dict(submission.claimed),
        submission.size,
        submission.media_type,
    )
    if submission.kind == "document":
        return document
    if document != Document(False, {}, {}, None, None):
        raise RequestError("an event has no document: no digests, no size, no media type")
    return None
