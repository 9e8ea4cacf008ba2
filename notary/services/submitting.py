"""From a wire request to an accepted record, and the answer to it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from os import SEEK_END
from typing import Any, BinaryIO

from anyio import to_thread

from notary.errors import (
    Busy,
    Conflict,
    EmptyDocument,
    FormatError,
    NotaryError,
    NumberTaken,
    RequestError,
    TooManyRequests,
)
from notary.evidence import canonical
from notary.evidence.digests import parse_digest
from notary.evidence.number import parse_number, show_number
from notary.intake.accept import INSPECTED, Intake
from notary.intake.group import Item
from notary.intake.numbers import lookup_code_of
from notary.intake.prepare import DEFAULT_VISIBILITY, plain_record
from notary.intake.room import Room
from notary.intake.spool import PDF, Spooled, media_type_of
from notary.intake.submission import Accepted, Submission
from notary.intake.writer import Writer
from notary.observe import SUBMISSIONS
from notary.services.types import Principal
from notary.store.claims import Claim

_CHUNK = 1 << 20
_DOCUMENTS = SUBMISSIONS.labels("document")
_EMPTY = sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for, once its form was checked."""

    kind: str = "document"
    digests: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    media_type: str | None = None
    visibility: str | None = None
    previous: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Repeat:
    """How a request wants to be told from its repetition: by its own key, or by being equal."""

    key: str | None = None
    return_equal: bool = False  # `on_duplicate=return`

    def claim(self, who: Principal, fingerprint: Callable[[], bytes]) -> Claim | None:
        """The claim of a request, where it makes one.

        Raises:
            RequestError: both ways are asked for, and might name two different records.
        """
        if self.key is not None and self.return_equal:
            raise RequestError(
                "on_duplicate=return and an Idempotency-Key exclude each other; send one of them"
            )
        if self.key is None and not self.return_equal:
            return None
        request = fingerprint()
        return Claim(who.tenant_id, f"d{request.hex()}" if self.key is None else f"k{self.key}", request)


@dataclass(frozen=True, slots=True)
class Submitting:
    """Takes submissions in, durably, and answers them."""

    intake: Intake
    writer: Writer
    max_document_bytes: int
    room: Room

    async def digests(self, who: Principal, wanted: Wanted, repeat: Repeat) -> bytes:
        """Accept digests or an event.

        Raises:
            RequestError: a document without SHA-256, or an event that nobody could see; and as
                `Intake.accept`.
            EmptyDocument: the digest of no bytes.
            Busy, TooManyRequests: too much is being submitted.
        """
        submission = _of_digests(who, wanted)
        claim = repeat.claim(who, lambda: _fingerprint(wanted))
        if submission.previous is None and self.writer.known:
            item = self.intake.prepare([submission], self.writer.conditions(), claim)  # no input or output
        else:
            item = await to_thread.run_sync(self._prepare, submission, claim)
        (done,) = await self.writer.add(item)
        SUBMISSIONS.labels(submission.kind).inc()
        return answer(done)

    async def digest(self, who: Principal, digest: str, size: int | None) -> bytes:
        """As `digests`, for a document of which nothing but its SHA-256 and perhaps its size is said.

        Args:
            who: whose it is.
            digest: 64 lower-case hexadecimal digits.
            size: bytes, below 10^15.

        Raises:
            Busy, TooManyRequests: too much is being submitted.
            NotReady, Unavailable: as `Intake.accept`.
        """
        intake, at = self.writer.intake, self.writer.conditions()
        record = plain_record(
            who.tenant_id, bytes.fromhex(digest), size, at.block, intake.origin, intake.now(), intake.random
        )
        (done,) = await self.writer.add(Item([record], block=at.block))
        _DOCUMENTS.inc()
        return answer(done)

    def file(
        self, who: Principal, wanted: Wanted, stream: BinaryIO, media_type: str | None, repeat: Repeat
    ) -> bytes:
        """Accept a document: its bytes are on disk and their digests taken before anything else.

        Raises:
            RequestError: the request does not fit the bytes; and as `Spool.receive`, `Intake.accept`.
            Busy, TooManyRequests: too much is being submitted, or waits for inspection.
        """
        if wanted.kind != "document":
            raise RequestError("an event has no document; send it as JSON")
        said = wanted.media_type or media_type
        start, size = stream.read(len(PDF)), stream.seek(0, SEEK_END)
        stream.seek(0)
        if _media_type(media_type_of(start, said)) != INSPECTED:
            return self._file(who, wanted, stream, said, repeat)
        with self.room.inspected(who.tenant_id, size):
            return self._file(who, wanted, stream, said, repeat)

    def _file(
        self, who: Principal, wanted: Wanted, stream: BinaryIO, said: str | None, repeat: Repeat
    ) -> bytes:
        spooled = self.intake.spool.receive(
            _chunks(stream), self.max_document_bytes, claimed=wanted.digests, media_type=said
        )
        try:
            if wanted.size not in (None, spooled.size):
                raise RequestError(
                    f"the document has {spooled.size} bytes, not the {wanted.size} that were named"
                )
            submission = _seen(who, wanted, spooled)
            item = self._prepare(submission, repeat.claim(who, lambda: _fingerprint(wanted, submission)))
        except NotaryError:
            self.intake.spool.discard(spooled.path.name)
            raise
        try:
            done = self.writer.add_and_wait(item)
        except (Conflict, Busy, NumberTaken, TooManyRequests):
            self.intake.spool.discard(spooled.path.name)  # nothing was stored; else that is not certain
            raise
        self.intake.settle([submission], done)
        SUBMISSIONS.labels(submission.kind).inc()
        return answer(done[0])

    def _prepare(self, submission: Submission, claim: Claim | None) -> Item:
        return self.intake.prepare([submission], self.writer.conditions(), claim)


def answer(done: Accepted) -> bytes:
    """The answer to a submission: a function of what is durable, so a repetition gets the same bytes.

    JSON by hand: in a statement and a receipt nothing needs an escape but quotes and newlines.
    """
    statement = done.statement.decode().replace('"', '\\"')
    receipt = done.receipt.decode().replace("\n", "\\n")
    code = show_number(lookup_code_of(_salt(done.statement)))
    return (
        f'{{"number":"{show_number(done.number)}","entry":"{done.entry.hex()}","statement":"{statement}",'
        f'"receipt":"{receipt}","lookup_code":"{code}","visibility":"{done.visibility or DEFAULT_VISIBILITY}",'
        f'"close_by":"{done.close_by}"}}'
    ).encode()


def _salt(statement: bytes) -> bytes:
    # Ours, and no text in it can hold a quote: the last key of this name is the statement's own.
    at = statement.rindex(b'"salt":"') + 8
    return bytes.fromhex(statement[at : at + 64].decode())


def _of_digests(who: Principal, wanted: Wanted) -> Submission:
    found = {name: parse_digest(name, text).hex() for name, text in wanted.digests.items()}
    if wanted.kind == "document" and "sha-256" not in found:
        raise RequestError("send the sha-256 of the document, or the document itself as multipart/form-data")
    if found.get("sha-256") == _EMPTY:
        raise EmptyDocument("this is the SHA-256 of no bytes; the document was not read")
    if wanted.kind == "event" and wanted.visibility == "by-document":
        raise RequestError("an event has no document to present; choose another visibility")
    main = {name: found.pop(name) for name in ("sha-256",) if name in found}
    return Submission(
        tenant_id=who.tenant_id,
        kind=wanted.kind,
        seen=False,
        digests=main,
        claimed=found,
        size=wanted.size,
        media_type=_media_type(wanted.media_type),
        fields=wanted.fields,
        visibility=wanted.visibility,
        previous=_number(wanted.previous),
    )


def _seen(who: Principal, wanted: Wanted, spooled: Spooled) -> Submission:
    taken = {name: spooled.digests[name] for name in ("sha-256", "sm3")}
    return Submission(
        tenant_id=who.tenant_id,
        kind="document",
        seen=True,
        digests=taken,
        claimed={n: d for n, d in spooled.digests.items() if n not in taken},
        size=spooled.size,
        media_type=_media_type(spooled.media_type),
        fields=wanted.fields,
        visibility=wanted.visibility,
        previous=_number(wanted.previous),
        spooled=spooled.path,
    )


def _number(text: str | None) -> str | None:
    return None if text is None else parse_number(text)


def _media_type(text: str | None) -> str | None:
    # Parameters such as a charset have no place in a statement.
    return text.partition(";")[0].strip().lower() or None if text else None


def _fingerprint(wanted: Wanted, seen: Submission | None = None) -> bytes:
    """SHA-256 of the whole request in canonical form, for `Idempotency-Key`."""
    values = asdict(wanted)
    try:
        # Each by itself: together they would be nested deeper than what may be committed to.
        fields = {name: canonical.dumps_free(value).hex() for name, value in values.pop("fields").items()}
        document = None if seen is None else [seen.digests["sha-256"], seen.media_type]
        whole = canonical.dumps({"request": values, "fields": fields, "document": document})
    except FormatError as error:
        raise RequestError(str(error)) from error
    return sha256(whole).digest()


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk
