"""The entries of a batch, read while those before them are hashed."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from notary.store.engine import Database
from notary.store.groups import waiting_entries

READ_AT_ONCE = 30_000  # entries at least, but for the last; three times as many are in memory


def waiting_ahead(database: Database, groups: Sequence[tuple[int, int]]) -> Iterator[bytes]:
    """The entries of groups (id, count) that follow each other among those that wait, in their order.

    A thread asks the database for the next while the ones before are used.

    Raises:
        Fatal, Unavailable: as `waiting_entries`, from the iteration.
    """

    def read(part: Sequence[tuple[int, int]]) -> list[bytes]:
        with database.reading() as connection:
            return waiting_entries(connection, part)

    with ThreadPoolExecutor(1, thread_name_prefix="entries") as pool:
        ahead = deque[Future[list[bytes]]]()
        for part in parts(groups):
            ahead.append(pool.submit(read, part))
            if len(ahead) > 1:
                yield from ahead.popleft().result()
        if ahead:
            yield from ahead.popleft().result()


def parts(groups: Sequence[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Groups (id, count) in their order, as few together as have `READ_AT_ONCE` entries; the last have fewer."""
    part, total = list[tuple[int, int]](), 0
    for group in groups:
        part.append(group)
        total += group[1]
        if total >= READ_AT_ONCE:
            yield part
            part, total = [], 0
    if part:
        yield part
