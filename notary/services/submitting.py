"""From a wire request to an accepted record, and the answer to it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from notary.errors import EmptyDocument, FormatError, NotaryError, RequestError
from notary.evidence import canonical
from notary.evidence.digests import parse_digest
from notary.evidence.fields import show_moment
from notary.evidence.note import parse_note
from notary.evidence.number import lookup_code, parse_number, show_number
from notary.evidence.proof_file import RECEIPT, parse_proof_file
from notary.evidence.receipt import parse_promise
from notary.evidence.statement import parse_statement
from notary.intake.accept import Intake
from notary.intake.spool import Spooled
from notary.intake.submission import Accepted, Idempotency, Submission
from notary.observe import SUBMISSIONS
from notary.services.records import Records
from notary.services.types import Principal, Viewer

_CHUNK = 1 << 20
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
class Submitting:
    """Takes submissions in, durably, and answers them."""

    intake: Intake
    records: Records
    max_document_bytes: int

    @property
    def temp_dir(self) -> Path:
        """Where bytes may lie that were not accepted yet: on the disk of the spool, not in memory."""
        return self.intake.spool.folder

    def digests(self, who: Principal, wanted: Wanted, key: str | None) -> dict[str, str]:
        """Accept digests or an event.

        Raises:
            RequestError: a document without SHA-256, or an event that nobody could see; and as
                `Intake.accept`.
            EmptyDocument: the digest of no bytes.
        """
        found = {name: parse_digest(name, text).hex() for name, text in wanted.digests.items()}
        if wanted.kind == "document" and "sha-256" not in found:
            raise RequestError(
                "send the sha-256 of the document, or the document itself as multipart/form-data"
            )
        if found.get("sha-256") == _EMPTY:
            raise EmptyDocument("this is the SHA-256 of no bytes; the document was not read")
        if wanted.kind == "event" and wanted.visibility == "by-document":
            raise RequestError("an event has no document to present; choose another visibility")
        main = {name: found.pop(name) for name in ("sha-256",) if name in found}
        submission = Submission(
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
        return self._accept(who, submission, key, _fingerprint(wanted))

    def file(
        self, who: Principal, wanted: Wanted, stream: BinaryIO, media_type: str | None, key: str | None
    ) -> dict[str, str]:
        """Accept a document: its bytes are on disk and their digests taken before anything else.

        Raises:
            RequestError: the request does not fit the bytes; and as `Spool.receive`, `Intake.accept`.
        """
        if wanted.kind != "document":
            raise RequestError("an event has no document; send it as JSON")
        spooled = self.intake.spool.receive(
            _chunks(stream),
            self.max_document_bytes,
            claimed=wanted.digests,
            media_type=wanted.media_type or media_type,
        )
        try:
            if wanted.size not in (None, spooled.size):
                raise RequestError(
                    f"the document has {spooled.size} bytes, not the {wanted.size} that were named"
                )
            submission = _seen(who, wanted, spooled)
            request = _fingerprint(wanted, submission)
        except NotaryError:
            self.intake.spool.discard(spooled.path.name)
            raise
        return self._accept(who, submission, key, request)

    def _accept(
        self, who: Principal, submission: Submission, key: str | None, request: bytes
    ) -> dict[str, str]:
        done = self.intake.accept(submission, Idempotency(key, request) if key is not None else None)
        SUBMISSIONS.labels(submission.kind).inc()
        return self._answer(who, done)

    def _answer(self, who: Principal, done: Accepted) -> dict[str, str]:
        # A default visibility may have changed since: a repeated request is answered with what holds now.
        view = self.records.view(done.number, Viewer(who.tenant_id))
        promise = parse_promise(parse_note(parse_proof_file(done.receipt, RECEIPT).note).text)
        return {
            "number": show_number(done.number),
            "entry": done.entry.hex(),
            "statement": done.statement.decode(),
            "receipt": done.receipt.decode(),
            "lookup_code": show_number(lookup_code(parse_statement(done.statement).salt)),
            "visibility": view.visibility,
            "close_by": show_moment(promise.close_by),
        }


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
        fields = {name: canonical.dumps(value).hex() for name, value in values.pop("fields").items()}
        document = None if seen is None else [seen.digests["sha-256"], seen.media_type]
        whole = canonical.dumps({"request": values, "fields": fields, "document": document})
    except FormatError as error:
        raise RequestError(str(error)) from error
    return sha256(whole).digest()


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk
