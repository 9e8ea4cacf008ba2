"""Bulk: from the body of a request to its answer, and the same answer again to its repetition."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass, field
from operator import attrgetter

from anyio import fail_after, to_thread

from notary.errors import Busy, NotFound, RequestError
from notary.evidence import canonical
from notary.intake.accept import Intake
from notary.intake.answers import bulk_answer, document_lines, line
from notary.intake.bulk import BulkItem, Made, fingerprint, prepare_bulk
from notary.intake.bulkparse import MAX_ARRAY, Bulk, parse_array, parse_lines
from notary.intake.promises import promised
from notary.intake.submission import Submission
from notary.intake.template import template_at
from notary.intake.writer import Writer
from notary.merkle.hashing import hash_leaves
from notary.merkle.tree import levels
from notary.observe import SUBMISSIONS
from notary.services.flying import Flying
from notary.services.lanes import Lanes
from notary.services.types import Principal
from notary.store.claims import Claim, Claimed
from notary.store.groups import group_by_id
from notary.store.places import group_of, position_of
from notary.store.records import Record, records_by_number, records_from
from notary.store.sound import require_own_entry, require_own_promise

ARRAY = "application/json"
LINES = "application/x-ndjson"
IN_FLIGHT = 256  # requests that come in or wait, mostly on the disk (notary.api.bodies), or are at work
OF_ONE = 8  # of them, of one organisation: so slow ones of many keep none of the others out
BODY_SECONDS = 120.0  # for a body to arrive
TURN_SECONDS = 30.0  # for a whole one to wait: where the database is away, each before it waited for that
# With some 12 MiB each: two are stored, of which one may wait for the disk, while another is prepared or answered.
_AT_WORK = 3


@dataclass(frozen=True, slots=True)
class BulkSubmitting:
    """Takes bulk requests in, durably, and answers them.

    Attributes:
        writers: each stores one request at a time; one for all, or more where the database writes several at a time.
        max_bulk_bytes: of a body of lines.
    """

    writers: tuple[Writer, ...]
    max_bulk_bytes: int
    _flying: Flying = field(default_factory=lambda: Flying("bulk requests", IN_FLIGHT, OF_ONE), repr=False)
    _turns: Lanes = field(default_factory=lambda: Lanes(_AT_WORK, _AT_WORK), repr=False)
    # Two that compute at once would only take turns.
    _computing: Lanes = field(default_factory=lambda: Lanes(1), repr=False)

    def limit(self, media_type: str) -> int:
        """The most bytes of a body of this type.

        Raises:
            RequestError: no bulk request is of this type.
        """
        if media_type == ARRAY:
            return MAX_ARRAY
        if media_type == LINES:
            return self.max_bulk_bytes
        raise RequestError(f"the Content-Type of a bulk request is {ARRAY} or {LINES}")

    def place(self, who: Principal) -> AbstractContextManager[None]:
        """A place for one request, to be taken before its body is read. Raises as `Flying.place`."""
        return self._flying.place(who.tenant_id)

    async def submit(
        self, who: Principal, media_type: str, body: Callable[[], bytes], key: str | None
    ) -> memoryview:
        """Accept all of a request that has a place, and answer it.

        Args:
            who: whose it is.
            media_type: of the body.
            body: gives it, once, when its turn has come; called in a thread, since it may come from the disk.
            key: the client's Idempotency-Key.

        Raises:
            RequestError: a line is wrong; it is named, and nothing is stored.
            NotFound: the `previous` of a line is no record of this organisation.
            Conflict: the key was used for another request.
            NotReady: the log is not open yet.
            Busy, TooManyRequests: too much is being submitted.
            Unavailable: the database does not answer; all may have been stored, or nothing.
        """
        async with AsyncExitStack() as turn:
            try:
                with fail_after(TURN_SECONDS):
                    await turn.enter_async_context(self._turns.turn(who.tenant_id))
            except TimeoutError:
                raise Busy("too many bulk requests wait for their turn; send it again in a second") from None
            return await self._work(who, media_type, body, key)

    async def _work(
        self, who: Principal, media_type: str, body: Callable[[], bytes], key: str | None
    ) -> memoryview:
        tenant, computing = who.tenant_id, self._computing
        item = await computing.run(tenant, self._prepare, tenant, media_type, body, key)
        made = await min(self.writers, key=attrgetter("waiting")).add_bulk(item)
        if isinstance(made, Claimed):
            assert item.claim is not None  # noqa: S101 - it was found by that
            made.check(item.claim)
            return await to_thread.run_sync(self._again, made)
        item.parts = ()  # megabytes that were stored, and that the answer does not need
        events = sum(new.type == "event" for new in item.others.values())
        SUBMISSIONS.labels("document").inc(item.count - events)
        SUBMISSIONS.labels("event").inc(events)
        return await computing.run(tenant, self._answer, item, made)

    def _prepare(self, tenant: int, media_type: str, body: Callable[[], bytes], key: str | None) -> BulkItem:
        intake, data = self._intake, body()
        bulk = parse_array(data) if media_type == ARRAY else parse_lines(data, tenant, self.max_bulk_bytes)
        at = self.writers[0].conditions()
        claim = None if key is None else Claim(tenant, f"k{key}", fingerprint(bulk, _canonical))
        return prepare_bulk(
            bulk,
            tenant,
            claim,
            at.block,
            intake.origin,
            intake.now(),
            intake.random,
            self._previous(bulk, tenant),
        )

    @property
    def _intake(self) -> Intake:
        return self.writers[0].intake

    def _previous(self, bulk: Bulk, tenant: int) -> Callable[[Submission], Record | None]:
        wanted = {at: one.previous for at, one in bulk.others.items() if one.previous is not None}
        found: dict[str, Record] = {}
        if wanted:
            with self._intake.database.reading() as connection:
                found = records_by_number(connection, set(wanted.values()), tenant)
        for at, number in wanted.items():
            if number not in found:
                raise NotFound(f"line {at + 1}: there is no record {number}")
        return lambda submission: None if submission.previous is None else found[submission.previous]

    def _answer(self, item: BulkItem, made: Made) -> memoryview:
        template = template_at(self._intake.origin, item.now, item.block)
        plain = [document_lines(template, each, item.numbers, item.salts, 0) for each in item.plain]
        others = {at: line(new.number, new.statement, at) for at, new in item.others.items()}
        return bulk_answer(made.group, made.note, made.close_by, plain, others, item.rows)

    def _again(self, claimed: Claimed) -> memoryview:
        with self._intake.database.reading() as connection:
            group = group_by_id(connection, group_of(claimed.first_seq))
            records = records_from(connection, claimed.first_seq, claimed.count)
        for each in records:
            require_own_entry(each.number, each.statement, each.entry)
        note = group.note or b""
        lines = {
            at: line(record.number, record.statement, position_of(record.seq))
            for at, record in enumerate(records)
        }
        entries = [record.entry for record in records]
        require_own_promise(group.id, note, entries)  # a bulk request has a group of its own
        rows = levels(hash_leaves(entries))
        return bulk_answer(group.id, note, promised(note), [], lines, rows)


def _canonical(submission: Submission) -> Iterator[bytes]:
    """The parts of one line, for the fingerprint; a size is spelt as in a line that has nothing else."""
    size = "" if submission.size is None else str(submission.size)
    digest = submission.digests.get("sha-256", "")
    rest = {
        "kind": submission.kind,
        "claimed": dict(submission.claimed),
        "media_type": submission.media_type,
        "visibility": submission.visibility,
        "previous": submission.previous,
    }
    yield b"%b %b" % (bytes.fromhex(digest), size.encode())
    if (
        any(rest[name] for name in rest if name != "kind")
        or submission.kind != "document"
        or submission.fields
    ):
        yield b" " + canonical.dumps(rest)
        # Each by itself: together they would be nested deeper than what may be committed to.
        yield json.dumps([[n, canonical.dumps_free(v).hex()] for n, v in submission.fields.items()]).encode()
    yield b"\n"
