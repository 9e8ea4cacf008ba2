"""Accept: from a submission to a durable record and a signed receipt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from notary.errors import Conflict, Fatal, NotaryError, NotFound, NotReady, NumberTaken, RequestError
from notary.intake.group import ClaimTaken, Item, commit
from notary.intake.prepare import prepare
from notary.intake.promises import Conditions, Promises, conditions
from notary.intake.replays import answer_again, replay
from notary.intake.spool import Spool
from notary.intake.submission import Accepted, Submission
from notary.store.claims import Claim
from notary.store.engine import Connection, Database
from notary.store.inspections import Task
from notary.store.places import MAX_GROUP
from notary.store.published import nothing
from notary.store.records import Record, record_by_number

_TRIES = 5  # at drawing numbers that are free, and at claims that others make
INSPECTED = "application/pdf"  # the media type of documents whose signatures are looked at


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes submissions in, each caller in a transaction of its own; `notary.intake.writer` joins them.

    Attributes:
        database: where records become durable.
        spool: where documents wait for inspection.
        promises: what receipts say, and who signs them.
        now: the time, aware.
        random: gives that many random bytes.
        published: size of the published checkpoint, as far as it is known.
    """

    database: Database
    spool: Spool
    promises: Promises
    now: Callable[[], datetime]
    random: Callable[[int], bytes]
    published: Callable[[], int] = nothing

    @property
    def origin(self) -> str:
        """The name of the log."""
        return self.promises.origin

    def accept(self, submission: Submission, claim: Claim | None = None) -> Accepted:
        """Make one record. When this returns, statement and receipt are durable.

        Raises:
            RequestError: something in the submission cannot stand in a statement.
            NotFound: `previous` is no record of this tenant.
            Conflict: the claim was made by another request.
            NotReady: the log is not open yet.
            Unavailable: too much waits, or the database does not answer; in the second case the record may
                have been made, and the same request with the same claim finds it.
        """
        return self.accept_all([submission], claim)[0]

    def accept_all(self, submissions: Sequence[Submission], claim: Claim | None = None) -> list[Accepted]:
        """Make up to 10,000 records of one tenant, all or none, under one signature.

        Raises:
            As `accept`.
        """
        if not 0 < len(submissions) <= MAX_GROUP or len({s.tenant_id for s in submissions}) != 1:
            raise RequestError(f"a group has 1 to {MAX_GROUP} submissions, all of one organisation")
        try:
            done = self.replayed(claim) or self._accept(submissions, claim)
        except (RequestError, NotFound, Conflict, NotReady):
            self.discard(submissions)  # nothing was stored; after any other error that is not certain
            raise
        self.settle(submissions, done)
        return done

    def prepare(self, submissions: Sequence[Submission], at: Conditions, claim: Claim | None) -> Item:
        """The statements of submissions of one tenant, ready for a group.

        Raises:
            RequestError, NotFound, Unavailable: as `accept`; nothing was stored.
        """
        now = self.now()
        followed = self._followed(submissions)
        records = [
            prepare(submission, previous, at.block, self.origin, now, self.random)
            for submission, previous in zip(submissions, followed, strict=True)
        ]
        return Item(records, claim, at.block, _task(submissions[0]))

    def conditions(self) -> Conditions:
        """What a submission of now rests on.

        Raises:
            NotReady, Unavailable: as `accept`.
        """
        published = self.published()
        with self.database.reading() as connection:
            return conditions(connection, self.promises, self.now(), published)

    def commit(self, item: Item, at: Conditions, extra: Callable[[Connection], None] | None = None) -> None:
        """Make one item durable by itself, with `extra` in the same transaction; sets its outcome as `group.commit`.

        Raises:
            As `notary.intake.group.commit`.
        """
        commit(self.database, [item], self.promises, at.state, self.now, extra)

    def replayed(self, claim: Claim | None) -> list[Accepted]:
        """What a request with this claim was answered with; nothing if it is new.

        Raises:
            Conflict: the claim was made by another request.
            Unavailable: the database does not answer.
        """
        if claim is None:
            return []
        with self.database.reading() as connection:
            return replay(connection, claim)

    def settle(self, submissions: Sequence[Submission], done: Sequence[Accepted]) -> None:
        """Delete what was spooled and is not needed: what waits for inspection is named by a durable task."""
        replayed = done[0].replayed
        self.discard(submissions if replayed else [s for s in submissions if not inspected(s)])

    def discard(self, submissions: Sequence[Submission]) -> None:
        """Delete the spooled documents of submissions."""
        for submission in submissions:
            if submission.spooled is not None:
                self.spool.discard(submission.spooled.name)

    def _accept(self, submissions: Sequence[Submission], claim: Claim | None) -> list[Accepted]:
        for _ in range(_TRIES):
            try:
                at = self.conditions()
                item = self.prepare(submissions, at, claim)
            except NotaryError:
                self.discard(submissions)  # nothing was stored yet
                raise
            try:
                self.commit(item, at)
            except (NumberTaken, ClaimTaken):
                continue  # nothing was stored; the next try finds the claim, or draws other numbers
            if item.claimed is not None:
                answer_again(self.database, [item])
            if isinstance(item.outcome, Exception):
                raise item.outcome
            if item.outcome is not None:
                return item.outcome
        raise Fatal(f"{_TRIES} times in a row a record number was taken: the random source is broken")

    def _followed(self, submissions: Sequence[Submission]) -> list[Record | None]:
        if all(submission.previous is None for submission in submissions):
            return [None] * len(submissions)
        with self.database.reading() as connection:
            return [self._previous(connection, submission) for submission in submissions]

    def _previous(self, connection: Connection, submission: Submission) -> Record | None:
        if submission.previous is None:
            return None
        return record_by_number(connection, submission.previous, submission.tenant_id)


def inspected(submission: Submission) -> bool:
    """Whether the signatures in a document will be looked at."""
    return submission.spooled is not None and submission.media_type == INSPECTED


def _task(submission: Submission) -> Task | None:
    if submission.spooled is None or not inspected(submission):
        return None
    return Task(submission.spooled.name, submission.size or 0, INSPECTED)
