"""What must be true of broken promises: each is told by an incident, and no other is."""

from collections.abc import Callable, Iterator

from notary.errors import EvidenceError, NotFound
from notary.evidence.bodies import Incident
from notary.evidence.statement import parse_statement
from notary.store.engine import Connection
from notary.store.places import seq_of
from notary.store.promises import INCIDENT, broken_after, closed_after, looked_at
from notary.store.records import record_by_seq

_GROUPS = 500  # in memory at a time


def promise_problems(connection: Connection, size: int, count: Callable[[str, int], None]) -> Iterator[str]:
    """One sentence for each thing wrong with the broken promises of a log of `size` entries."""
    end = looked_at(connection)
    if end > size:
        yield f"promises were looked at up to {end}, the log goes to {size}"
    told = dict(_rows(connection))
    try:
        late = set(_late(connection, end))
    except (EvidenceError, NotFound):
        return  # which is told of the group or of the checkpoint
    yield from (
        f"commit group {group} was closed too late, and no incident says so"
        for group in sorted(late - told.keys())
    )
    for group, seq in told.items():
        if group not in late:
            yield f"broken promise of commit group {group}: it was kept, as far as was looked"
        for problem in _incident(connection, group, seq):
            yield f"broken promise of commit group {group}: {problem}"
    count("incidents", len(told))


def _rows(connection: Connection) -> Iterator[tuple[int, int]]:
    last = -1
    while page := broken_after(connection, last, _GROUPS):
        yield from page
        last = page[-1][0]


def _late(connection: Connection, end: int) -> Iterator[int]:
    """The groups below `end` that were closed later than was promised to somebody."""
    start = 0
    while start < end:
        following, closed = closed_after(connection, start, _GROUPS)
        if following == start:
            return
        for item in closed:
            assert item.group.first_index is not None  # noqa: S101 - it was found by that
            late = item.late and item.group.first_index < end
            if late and record_by_seq(connection, seq_of(item.group.id, 0)).type != INCIDENT:
                yield item.group.id
        start = following


def _incident(connection: Connection, group: int, seq: int) -> Iterator[str]:
    try:
        record = record_by_seq(connection, seq)
        first = record_by_seq(connection, seq_of(group, 0))
        body = parse_statement(record.statement).body
    except NotFound as error:
        yield str(error)
        return
    except EvidenceError:
        return  # which is told of the record
    if not isinstance(body, Incident) or body.subject != first.entry or record.follows_seq != first.seq:
        yield f"record {record.number} does not say so"
