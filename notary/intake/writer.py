"""The one writer of a process: what requests bring at the same time becomes durable in one transaction.

One thread takes whatever has come since the last commit, at most 10,000 records, and makes it one commit
group: one transaction, one flush of the disk, one signature. The more come, the larger the groups, so the
price of a flush is shared by more; nobody is kept waiting for others to come.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import structlog

from notary.errors import Busy, NotaryError, NumberTaken, TooManyRequests, Unavailable, WriterEnded
from notary.intake.accept import Intake
from notary.intake.bulk import BulkItem, Made, commit_bulk
from notary.intake.group import ClaimTaken, Item, commit
from notary.intake.promises import Conditions
from notary.intake.replays import Replays, begun
from notary.intake.submission import Accepted
from notary.intake.told import Told, Waiting, deliver
from notary.store.claims import Claimed
from notary.store.places import MAX_GROUP, group_of

MAX_QUEUED = 8 * MAX_GROUP  # records that wait for the writer
SHARE = MAX_QUEUED // 2  # of them, the most of one organisation: four bulk requests at a time
_TRIES = 5  # at claims that other processes make
FRESH_SECONDS = 0.2  # after this the writer looks at the log again: its size, what waits, the newest block
STALE_SECONDS = 2.0  # what is older is rested on by nobody

_log = structlog.get_logger()


@dataclass(slots=True)
class Writer:
    """Commits items in groups.

    Attributes:
        intake: how records are made.
        clock: seconds, monotonic.
    """

    intake: Intake
    clock: Callable[[], float] = time.monotonic
    _queue: "SimpleQueue[Waiting | None]" = field(default_factory=SimpleQueue, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _reading: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _queued: Counter[int | None] = field(default_factory=Counter, repr=False)
    _total: int = 0
    _thread: threading.Thread | None = field(default=None, repr=False)
    _closed: bool = False
    _ended: WriterEnded | None = None  # once seen, it stays
    _group: list[Waiting] = field(default_factory=list, repr=False)  # that is stored at this moment
    _following: Waiting | None = field(default=None, repr=False)  # taken, and did not fit into it
    _at: Conditions | NotaryError | None = field(default=None, repr=False)
    _read_at: float = 0.0
    _replays: Replays = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Have somebody beside it who answers what was answered before."""
        self._replays = Replays(self.intake.database, self._end)

    def conditions(self) -> Conditions:
        """What a submission of now rests on; read from the database if that was long ago.

        Raises:
            NotReady: the log is not open yet.
            Unavailable: too much waits for a checkpoint, or the database does not answer.
        """
        if not self.known:
            with self._reading:
                if not self.known:  # whoever waited for another who read need not read again
                    self._refresh()
        if isinstance(self._at, NotaryError):
            raise self._at
        assert self._at is not None  # noqa: S101 - `_refresh` sets it
        return self._at

    @property
    def known(self) -> bool:
        """Whether `conditions` answers at once, without the database."""
        age = STALE_SECONDS if isinstance(self._at, Conditions) else FRESH_SECONDS
        return self._at is not None and self.clock() - self._read_at <= age

    @property
    def waiting(self) -> int:
        """How many records it stores at this moment, or was given to store next."""
        return self._total

    async def add(self, item: Item) -> list[Accepted]:
        """Have an item committed, from a coroutine: returns when it is durable.

        Raises:
            Conflict: its claim was made by another request.
            Busy, TooManyRequests: it was not queued; to be sent again in a second.
            NumberTaken: a number that was drawn for it is another record's; nothing was stored.
            Unavailable: the database does not answer; the records may have been made.
        """
        accepted: list[Accepted] = await self._add(item)
        return accepted

    async def add_bulk(self, item: BulkItem) -> Made | Claimed:
        """As `add`, for a bulk request, which is a group of its own; or what its claim was answered with before."""
        made: Made | Claimed = await self._add(item)
        return made

    async def _add(self, item: Item | BulkItem) -> Any:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self.put(item, future, loop)
        return await future

    def add_and_wait(self, item: Item) -> list[Accepted]:
        """As `add`, from a thread."""
        future: Future[list[Accepted]] = Future()
        self.put(item, future)
        return future.result()

    def close(self) -> None:
        """Commit what is queued, and end the thread; what comes later is refused."""
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
            self._queue.put(None)
        if thread is not None:
            thread.join()
            self._replays.close()

    def put(
        self,
        item: Item | BulkItem,
        future: "Future[Any] | asyncio.Future[Any] | Told",
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Have an item committed. Its outcome goes to `future`, in `loop` if there is one, else in the writer's thread.

        Raises:
            Busy, TooManyRequests, Unavailable: it was not queued; nothing was stored.
            WriterEnded: likewise, and nothing will be by this process.
        """
        count, tenant = item.count, item.tenant_id
        with self._lock:
            if self._ended is not None:
                raise self._ended
            if self._closed:
                raise Unavailable("the service is stopping; send it again in a moment")
            if self._total + count > MAX_QUEUED:
                raise Busy("too much is being submitted at this moment; send it again in a second")
            if self._queued[tenant] + count > SHARE:
                raise TooManyRequests(
                    f"more than {SHARE} records of your organisation wait to be stored; send fewer at a time"
                )
            if self._thread is None:
                self._thread = begun(threading.Thread(target=self._run, name="writer", daemon=True))
            self._queued[tenant] += count
            self._total += count
            self._queue.put(Waiting(item, count, tenant, future, loop))  # never behind what ends the thread

    def _run(self) -> None:
        try:
            self._store()
        except BaseException as error:  # noqa: BLE001 - whatever it was, nobody stores now, and all would wait for ever
            self._end(error)
            self._refuse_all()

    def _store(self) -> None:
        while True:
            first = self._following or self._queue.get()
            if first is None:
                return
            self._group, self._following = [first], None
            end = self._take(first)
            self._commit([waiting.item for waiting in self._group])
            self._answer(self._group)
            self._group = []  # it may have megabytes
            if end:
                return

    def _take(self, first: Waiting) -> bool:
        """Take into the group what has come meanwhile and fits, and what comes next and does not; whether it ends."""
        total = first.records
        while True:
            try:
                waiting = self._queue.get_nowait()
            except Empty:
                return False
            if waiting is None:
                return True
            total += waiting.records
            bulk = isinstance(first.item, BulkItem) or isinstance(waiting.item, BulkItem)
            if bulk or total > MAX_GROUP or waiting.item.block != first.item.block:
                self._following = waiting
                return False
            self._group.append(waiting)

    def _end(self, error: BaseException) -> None:
        """A thread has ended that submissions go through: nothing is queued from here on."""
        self._ended = WriterEnded(
            "a thread that submissions go through has ended; see the log, and start the process again"
        )
        with suppress(BaseException):  # memory may be short
            _log.critical("a thread that stores has ended", kind=type(error).__name__, exc_info=error)

    def _refuse_all(self) -> None:
        """Tell those who wait; of what was under way all may have been stored, or nothing."""
        with self._lock:  # who comes later is refused
            assert self._ended is not None  # noqa: S101 - `_end` set it
        left = [*self._group, *filter(None, [self._following])]
        with suppress(Empty):
            while True:
                left += filter(None, [self._queue.get_nowait()])
        _fail([waiting.item for waiting in left], self._ended)
        self._done(left)

    def _commit(self, items: Sequence[Item | BulkItem], tries: int = _TRIES) -> None:
        """Commit a group and set the outcome of each item, whatever happens."""
        intake = self.intake
        try:
            if self.clock() - self._read_at > FRESH_SECONDS:
                self._refresh()
            state = self.conditions().state
            if isinstance(items[0], BulkItem):
                commit_bulk(intake.database, items[0], intake.promises, state, intake.now)
            else:
                singles = [item for item in items if isinstance(item, Item)]
                commit(intake.database, singles, intake.promises, state, intake.now)
        except (NumberTaken, ClaimTaken) as error:
            # Nothing was stored. A claim was made for good meanwhile: the next try finds it.
            if isinstance(error, ClaimTaken) and tries > 1:
                self._commit(items, tries - 1)
                return
            # Only one of them is in conflict: by themselves the others are not.
            for item in items:
                if len(items) > 1:
                    self._commit([item])
                else:
                    item.outcome = error
        except NotaryError as error:
            _fail(items, error)
        except BaseException as error:  # noqa: BLE001 - this thread must not end while others wait for it
            _log.error("a commit group failed", kind=type(error).__name__, exc_info=error)
            _fail(items, Unavailable("the service could not store this; send it again"))

    def _answer(self, group: list[Waiting]) -> None:
        """Answer what is new at once; what is not, this thread does not wait for."""
        new: list[Waiting] = []
        again: dict[int, list[tuple[Waiting, Item]]] = {}
        for waiting in group:
            item = waiting.item
            if isinstance(item, Item) and item.outcome is None and item.claimed is not None:
                again.setdefault(group_of(item.claimed.first_seq), []).append((waiting, item))
            else:
                new.append(waiting)
        self._done(new)
        for part in again.values():
            self._replays.put([item for _, item in part], partial(self._done, [who for who, _ in part]))

    def _done(self, group: list[Waiting]) -> None:
        with self._lock:
            for waiting in group:
                self._queued[waiting.tenant_id] -= waiting.records
                self._total -= waiting.records
        for loop in {waiting.loop for waiting in group}:
            there = [waiting for waiting in group if waiting.loop is loop]
            if loop is None:
                deliver(there)
                continue
            with suppress(RuntimeError):  # it was closed: nobody there waits any more
                # One call for all: waking it costs more than the rest.
                loop.call_soon_threadsafe(deliver, there)

    def _refresh(self) -> None:
        read_at = self.clock()
        try:
            self._at = self.intake.conditions()
        except NotaryError as error:
            self._at = error
        self._read_at = read_at


def _fail(items: Sequence[Item | BulkItem], error: NotaryError) -> None:
    for item in items:
        if item.outcome is None:  # what is durable was answered already
            item.outcome = error
