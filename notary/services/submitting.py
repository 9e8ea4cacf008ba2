"""From a wire request to an accepted record, and the answer to it."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from os import SEEK_END
from typing import BinaryIO

from anyio import to_thread

from notary.errors import Busy, Conflict, NotaryError, NumberTaken, RequestError, TooManyRequests
from notary.evidence.number import show_number
from notary.intake.accept import INSPECTED, Intake
from notary.intake.group import Item
from notary.intake.numbers import lookup_code_of
from notary.intake.prepare import DEFAULT_VISIBILITY, plain_record
from notary.intake.room import Room
from notary.intake.spool import PDF, media_type_of
from notary.intake.submission import Accepted, Submission
from notary.intake.told import Told
from notary.intake.writer import Writer
from notary.observe import SUBMISSIONS
from notary.services.flying import Flying
from notary.services.lanes import Lanes
from notary.services.types import Principal
from notary.services.wanted import Repeat, Wanted, fingerprint, of_digests, of_document, plain_media_type
from notary.store.claims import Claim

IN_FLIGHT = 1024  # documents that are taken in, mostly on the disk (notary.api.bodies)
OF_ONE = 64  # of them, of one organisation
MAX_BYTES = (
    32 << 20
)  # of requests without a document that are under way and not light: as sent, and what is made of it
BYTES_OF_ONE = MAX_BYTES // 4
BODY_SECONDS = 60.0  # for a request without a document to arrive
_AT_WORK = (
    1  # of requests that are not light: two at once would only take turns, and keep all others waiting longer
)
# Of documents that are large, or come with such a request; these wait for the disk, too.
_DOCUMENTS_AT_WORK, _DOCUMENTS_OF_ONE = 4, 2
_SMALL_DOCUMENT = 1 << 20  # bytes: digested and synced in a moment
_BYTES_A_SECOND = 50_000  # at which a document comes at least, on the whole
_CHUNK = 1 << 20
_DOCUMENTS = SUBMISSIONS.labels("document")


@dataclass(frozen=True, slots=True)
class Submitting:
    """Takes submissions in, durably, and answers them."""

    intake: Intake
    writer: Writer
    max_document_bytes: int
    room: Room
    _flying: Flying = field(default_factory=lambda: Flying("documents", IN_FLIGHT, OF_ONE), repr=False)
    _bytes: Flying = field(
        default_factory=lambda: Flying("bytes of large requests", MAX_BYTES, BYTES_OF_ONE), repr=False
    )
    _lanes: Lanes = field(default_factory=lambda: Lanes(_AT_WORK), repr=False)
    _documents: Lanes = field(
        default_factory=lambda: Lanes(_DOCUMENTS_AT_WORK, _DOCUMENTS_OF_ONE), repr=False
    )

    def place(self, who: Principal) -> AbstractContextManager[None]:
        """A place for one document, to be taken before its body is read. Raises as `Flying.place`."""
        return self._flying.place(who.tenant_id)

    def place_of(self, who: Principal, size: int) -> AbstractContextManager[None]:
        """A place for a request of `size` bytes without a document, until it is answered. Raises as `Flying.place`."""
        return self._bytes.place(who.tenant_id, size)

    @property
    def body_seconds(self) -> float:
        """Within which the body with a document must have come: it takes up room of others."""
        return 120 + self.max_document_bytes / _BYTES_A_SECOND

    async def digests(self, who: Principal, wanted: Wanted, repeat: Repeat) -> bytes:
        """Accept digests or an event; the request is light (`notary.intake.values`).

        Raises:
            RequestError: a document without SHA-256, or an event that nobody could see; and as
                `Intake.accept`.
            EmptyDocument: the digest of no bytes.
            Busy, TooManyRequests: too much is being submitted.
        """
        submission = of_digests(who, wanted)
        claim = repeat.claim(who, lambda: fingerprint(wanted))
        if submission.previous is None and self.writer.known:
            item = self.intake.prepare([submission], self.writer.conditions(), claim)  # no input or output
        else:
            item = await to_thread.run_sync(self._prepare, submission, claim)
        return await self._add(item)

    async def heavy_digests(self, who: Principal, read: Callable[[], Wanted], repeat: Repeat) -> bytes:
        """As `digests`, for a request that is not light: read and judged in a thread, the organisations in turn.

        Raises:
            As `digests`, and what `read` raises.
        """
        return await self._add(await self._lanes.run(who.tenant_id, self._read, who, read, repeat))

    def _read(self, who: Principal, read: Callable[[], Wanted], repeat: Repeat) -> Item:
        wanted = read()
        submission = of_digests(who, wanted)
        return self._prepare(submission, repeat.claim(who, lambda: fingerprint(wanted)))

    async def _add(self, item: Item) -> bytes:
        (done,) = await self.writer.add(item)
        SUBMISSIONS.labels(item.records[0].type).inc()
        return answer(done)

    def begin(
        self, who: Principal, digest: bytes, size: int | None, told: Told, loop: asyncio.AbstractEventLoop
    ) -> None:
        """As `digests`, for a document of which nothing but its SHA-256 and perhaps its size is said; returns at once.

        Args:
            who: whose it is.
            digest: 32 bytes.
            size: bytes, below 10^15.
            told: is given what was accepted, a list of one, or an error as of `digests`; `said` makes the answer of it.
            loop: where it is.

        Raises:
            Busy, TooManyRequests: too much is being submitted.
            NotReady, Unavailable: as `Intake.accept`.
        """
        intake, at = self.writer.intake, self.writer.conditions()
        record = plain_record(
            who.tenant_id, digest, size, at.block, intake.origin, intake.now(), intake.random
        )
        self.writer.put(Item([record], block=at.block), told, loop)

    def said(self, accepted: Sequence[Accepted]) -> bytes:
        """The answer to what was begun, which is counted."""
        (done,) = accepted
        _DOCUMENTS.inc()
        return answer(done)

    async def document(
        self,
        who: Principal,
        read: Callable[[], Wanted],
        stream: BinaryIO,
        media_type: str | None,
        repeat: Repeat,
        *,
        light: bool,
    ) -> bytes:
        """As `file`, in a thread, which also reads what is asked for; what is large or not light waits for its turn.

        Else the documents of one organisation would take all of the threads in which others read.

        Raises:
            As `file`, and what `read` raises.
        """

        def work() -> bytes:
            return self.file(who, read(), stream, media_type, repeat)

        size = stream.seek(0, SEEK_END)
        stream.seek(0)
        if light and size <= _SMALL_DOCUMENT:
            return await to_thread.run_sync(work)
        return await self._documents.run(who.tenant_id, work)

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
        if plain_media_type(media_type_of(start, said)) != INSPECTED:
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
            submission = of_document(who, wanted, spooled)
            item = self._prepare(submission, repeat.claim(who, lambda: fingerprint(wanted, submission)))
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


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk
