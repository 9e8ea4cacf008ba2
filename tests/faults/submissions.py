"""Submissions by a key of their own: made, made again, and rebuilt from what is stored."""

import asyncio
import io
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256

from notary.evidence.number import parse_number
from notary.intake.replays import accepted_before
from notary.intake.submission import Accepted
from notary.intake.writer import Writer
from notary.services.bulk import ARRAY, BulkSubmitting
from notary.services.submitting import Submitting, answer
from notary.services.types import Principal
from notary.services.wanted import Repeat, Wanted
from notary.store.claims import Claim, Claimed
from notary.store.engine import Connection
from notary.store.groups import group_by_id
from notary.store.places import group_of, seq_of
from notary.store.records import record_by_number
from tests.rig import Rig, room_of

# By step: what is made in transactions of their own, and what goes through the writer.
KEYS = {"submit": ("single", "group", "document"), "write": ("joined", "written", "seen", "bulk")}
RECORDS = 16  # of all keys together
_PDF = b"%PDF-1.7\nnot much of one\n"
_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered: record numbers, and the SHA-256 of all of its bytes."""

    numbers: list[str]
    digest: str


@dataclass(frozen=True, slots=True)
class Answers:
    """Submits what belongs to a key; a second time, the first answer comes."""

    rig: Rig
    writer: Writer

    def __call__(self, key: str) -> Answered:
        return getattr(self, key)()

    def single(self) -> Answered:
        document = self.rig.document(b"single", fields={"title": "Lease"})
        return answered([answer(self.rig.intake.accept(document, self._claim("single")))])

    def group(self) -> Answered:
        documents = [self.rig.document(b"group %d" % n) for n in range(5)]
        return answered(map(answer, self.rig.intake.accept_all(documents, self._claim("group"))))

    def document(self) -> Answered:
        spooled = self.rig.intake.spool.receive([_PDF], _LIMIT)
        document = self.rig.document(
            _PDF, seen=True, digests=spooled.digests, size=spooled.size, media_type=spooled.media_type,
            spooled=spooled.path,
        )  # fmt: skip
        return answered([answer(self.rig.intake.accept(document, self._claim("document")))])

    def joined(self) -> Answered:
        """Three requests of which the writer makes one group, whatever the moment at which its thread wakes."""
        writer, futures = self.writer, []
        at = writer.conditions()
        first = writer._thread is None
        if first:
            writer._thread = threading.Thread(target=writer._run, name="writer", daemon=True)
        for number in range(3):
            document = self.rig.document(b"joined %d" % number)
            item = self.rig.intake.prepare([document], at, self._claim(f"joined {number}"))
            futures.append(Future())
            writer.put(item, futures[-1])
        if first:
            writer._thread.start()
        return answered(answer(future.result()[0]) for future in futures)

    def written(self) -> Answered:
        wanted = Wanted(digests={"sha-256": sha256(b"written").hexdigest()}, fields={"matter": "7"})
        return answered([asyncio.run(self._submitting.digests(self._who, wanted, Repeat("written")))])

    def seen(self) -> Answered:
        wanted, stream = Wanted(), io.BytesIO(_PDF + b"of another")
        return answered([self._submitting.file(self._who, wanted, stream, None, Repeat("seen"))])

    def bulk(self) -> Answered:
        body = json.dumps([sha256(b"bulk %d" % n).hexdigest() for n in range(4)]).encode()
        return answered_bulk(asyncio.run(self._bulk.submit(self._who, ARRAY, lambda: body, "bulk")))

    def _claim(self, key: str) -> Claim:
        return Claim(self.rig.tenant, f"k{key}", sha256(key.encode()).digest())

    @property
    def _who(self) -> Principal:
        return Principal(self.rig.tenant, frozenset({"submit"}))

    @property
    def _submitting(self) -> Submitting:
        return Submitting(self.rig.intake, self.writer, _LIMIT, room_of(self.rig.intake))

    @property
    def _bulk(self) -> BulkSubmitting:
        return BulkSubmitting((self.writer,), _LIMIT)


@contextmanager
def submitting(rig: Rig) -> Iterator[Callable[[str], Answered]]:
    """Whoever submits to this log, with a writer that looks at the database each time."""
    writer = Writer(rig.intake, clock=itertools.count().__next__)
    try:
        yield Answers(rig, writer)
    finally:
        if writer._thread is not None and writer._thread.is_alive():
            writer.close()


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored, as it was answered; groups are read once."""

    rig: Rig
    groups: dict[int, dict[str, Accepted]] = field(default_factory=dict)

    def digest(self, connection: Connection, key: str, numbers: list[str]) -> str:
        """The SHA-256 of the answer of a key, from what is stored under these numbers.

        Raises:
            NotFound: one of the records is not there.
        """
        seqs = {number: record_by_number(connection, number, self.rig.tenant).seq for number in numbers}
        if key.startswith("bulk"):
            bulk = BulkSubmitting((Writer(self.rig.intake),), _LIMIT)
            return answered_bulk(bulk._again(Claimed(b"", seqs[numbers[0]], len(seqs)))).digest
        return answered(answer(self._accepted(connection, *one)) for one in seqs.items()).digest

    def _accepted(self, connection: Connection, number: str, seq: int) -> Accepted:
        group = group_of(seq)
        if group not in self.groups:
            whole = Claimed(b"", seq_of(group, 0), group_by_id(connection, group).count)
            self.groups[group] = {one.number: one for one in accepted_before(connection, [whole])[0]}
        return self.groups[group][number]


def answered(answers) -> Answered:
    answers = list(answers)
    numbers = [parse_number(json.loads(one)["number"]) for one in answers]
    return Answered(numbers, sha256(b"\n".join(answers)).hexdigest())


def answered_bulk(body: bytes | memoryview) -> Answered:
    numbers = [parse_number(line["number"]) for line in json.loads(bytes(body))["lines"]]
    return Answered(numbers, sha256(body).hexdigest())
