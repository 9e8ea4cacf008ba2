"""Commit groups: what becomes durable together, waits for a batch together, and gets its places together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    bindparam,
    func,
    select,
    text,
    update,
)

from notary.errors import Fatal, NotFound
from notary.store.places import MAX_GROUP, POSITION_BITS, in_group
from notary.store.tables import commit_group, record


@dataclass(frozen=True, slots=True)
class Group:
    """A commit group; `first_index` is the place of its first record, None until its batch is closed.

    `note` is the signed promise of its receipts; the group of entry 0 alone has none.
    """

    id: int
    count: int
    note: bytes | None
    created_at: datetime
    not_before_number: int | None
    first_index: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits for a batch, and since when."""

    count: int
    oldest: datetime


def insert_group(
    connection: Connection,
    count: int,
    note: bytes | None,
    now: datetime,
    not_before_number: int | None,
    first_index: int | None = None,
) -> int:
    """Make a group; its records must follow in the same transaction. Returns its id."""
    values = {
        "count": count,
        "note": note,
        "created_at": now,
        "not_before_number": not_before_number,
        "first_idx": first_index,
    }
    made: int = connection.execute(commit_group.insert().returning(commit_group.c.id), values).scalar_one()
    return made


def group_by_id(connection: Connection, group: int) -> Group:
    """One group.

    Raises:
        NotFound: there is none.
    """
    row = connection.execute(_GROUP.where(commit_group.c.id == group)).one_or_none()
    if row is None:
        raise NotFound(f"there is no commit group {group}")
    return Group(*row)


def groups_after(connection: Connection, group: int, limit: int) -> list[Group]:
    """Groups in the order of their ids, from the one after `group`: for going through all."""
    query = _GROUP.where(commit_group.c.id > group).order_by(commit_group.c.id).limit(limit)
    return [Group(*row) for row in connection.execute(query)]


def closed_groups(connection: Connection, index: int, limit: int) -> list[Group]:
    """Groups whose places are at `index` or after it, in the order of the log."""
    query = _GROUP.where(commit_group.c.first_idx >= index).order_by(commit_group.c.first_idx).limit(limit)
    return [Group(*row) for row in connection.execute(query)]


def group_at(connection: Connection, index: int) -> Group:
    """The group that has the place `index` of the log.

    Raises:
        NotFound: the log has no such place yet.
    """
    query = _GROUP.where(commit_group.c.first_idx <= index).order_by(commit_group.c.first_idx.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    found = None if row is None else Group(*row)
    if found is None or found.first_index is None or index >= found.first_index + found.count:
        raise NotFound(f"there is no entry {index}")
    return found


def entries_of(connection: Connection, group: int) -> list[bytes]:
    """The entries of a group (32 bytes each), in their order."""
    query = select(record.c.entry).where(*in_group(group))
    return list(connection.execute(query.order_by(record.c.seq)).scalars())


def waiting(connection: Connection) -> Waiting | None:
    """How much waits and since when; None if nothing does."""
    query = select(func.sum(commit_group.c.count), func.min(commit_group.c.created_at))
    count, oldest = connection.execute(query.where(commit_group.c.first_idx.is_(None))).one()
    return None if count is None else Waiting(int(count), oldest)


def waiting_groups(connection: Connection, limit: int) -> list[tuple[int, int]]:
    """(id, count) of the oldest groups in no batch yet, as many as have `limit` records together."""
    query = (
        select(commit_group.c.id, commit_group.c.count)
        .where(commit_group.c.first_idx.is_(None))
        .order_by(commit_group.c.id)
        .limit(limit)  # each has one record at least
    )
    found: list[tuple[int, int]] = []
    total = 0
    for group, count in connection.execute(query):
        total += count
        if total > limit and found:
            break
        found.append((group, count))
    return found


def groups_waiting(connection: Connection, limit: int) -> list[Group]:
    """The oldest groups in no batch yet."""
    query = _GROUP.where(commit_group.c.first_idx.is_(None)).order_by(commit_group.c.id).limit(limit)
    return [Group(*row) for row in connection.execute(query)]


def waiting_entries(connection: Connection, groups: Sequence[tuple[int, int]]) -> list[bytes]:
    """The entries of these groups (id, count), which follow each other among those that wait.

    Raises:
        Fatal: a group does not have as many records as it says.
    """
    if not groups:
        return []
    found = _entries(connection, [group for group, _ in groups])
    entries: list[bytes] = []
    for group, count in groups:
        own = found.get(group, [])
        if len(own) != count:
            raise Fatal(f"commit group {group} has {len(own)} records and says {count}")
        entries += own
    return entries


def closed_entries(connection: Connection, groups: Sequence[Group]) -> dict[int, list[bytes]]:
    """The entries of these groups, by their ids."""
    return _entries(connection, [group.id for group in groups])


def _entries(connection: Connection, groups: Sequence[int]) -> dict[int, list[bytes]]:
    # An entry of another length is as none: then the group has fewer than it says.
    if connection.dialect.name == "postgresql":
        # A row for each group: rows are what takes the time, here and on the way.
        return {
            group: [data[at : at + _ENTRY] for at in range(0, len(data), _ENTRY)]
            for group, data in connection.execute(_JOINED_ENTRIES, {"groups": list(groups)})
            if data is not None
        }
    found: dict[int, list[bytes]] = {}
    for group in groups:
        query = select(record.c.entry).where(*in_group(group), func.length(record.c.entry) == _ENTRY)
        if entries := list(connection.execute(query.order_by(record.c.seq)).scalars()):
            found[group] = entries
    return found


def assign_places(connection: Connection, first: int, groups: Sequence[tuple[int, int]]) -> None:
    """Give the places from `first` on to these groups (id, count), in this order, and end their waiting.

    Raises:
        Fatal: one of them has its places already.
    """
    places = []
    for group, count in groups:
        places.append({"group": group, "place": first})
        first += count
    for at in range(0, len(places), _PLACED_AT_ONCE):
        part = places[at : at + _PLACED_AT_ONCE]
        if connection.dialect.name == "postgresql":
            # One statement: after many in a pipeline PostgreSQL forgets that the transaction may be idle too long.
            arrays = {"groups": [one["group"] for one in part], "places": [one["place"] for one in part]}
            placed = connection.execute(_PLACE_ALL, arrays).rowcount
        else:
            placed = connection.execute(_PLACE, part).rowcount
        if placed != len(part):
            raise Fatal("a commit group was given its places twice")


_ENTRY = 32  # bytes
_PLACED_AT_ONCE = 1000
# A subquery for each group walks the primary key. Of a join by a range PostgreSQL makes, where groups are few and
# records many, a scan of the whole table: it has no idea how few records a range has.
_JOINED_ENTRIES = text(
    "SELECT given.id, (SELECT string_agg(entry, ''::bytea ORDER BY seq) FROM record"  # noqa: S608 - our own numbers
    f" WHERE seq >= given.id << {POSITION_BITS} AND seq < (given.id << {POSITION_BITS}) + {MAX_GROUP}"
    f" AND length(entry) = {_ENTRY}) FROM unnest(:groups) AS given (id)"
).bindparams(bindparam("groups", type_=ARRAY(BigInteger)))
_PLACE = (
    update(commit_group)
    .where(commit_group.c.id == bindparam("group"), commit_group.c.first_idx.is_(None))
    .values(first_idx=bindparam("place"))
)
_PLACE_ALL = text(
    "UPDATE commit_group SET first_idx = given.place FROM unnest(:groups, :places) AS given (id, place)"
    " WHERE commit_group.id = given.id AND first_idx IS NULL"
).bindparams(bindparam("groups", type_=ARRAY(BigInteger)), bindparam("places", type_=ARRAY(BigInteger)))
_GROUP = select(
    commit_group.c.id,
    commit_group.c.count,
    commit_group.c.note,
    commit_group.c.created_at,
    commit_group.c.not_before_number,
    commit_group.c.first_idx,
)
