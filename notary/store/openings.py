"""Openings of commitments, kept apart from the statements so that they can be erased."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, delete, func, select

from notary.evidence.commitments import Opening, name_of_made
from notary.store.sql import in_parts
from notary.store.tables import opening

_HASH = 32


def insert_openings(connection: Connection, openings: Mapping[int, tuple[Opening, ...]]) -> None:
    """Store the openings of records, by their `seq`."""
    rows = [
        {
            "seq": seq,
            "position": item.index,
            "name": name_of_made(item),
            "disclosure": item.disclosure,
            "path": b"".join(item.path),
        }
        for seq, items in openings.items()
        for item in items
    ]
    if rows:
        connection.execute(opening.insert(), rows)


def openings_of(connection: Connection, seq: int) -> tuple[Opening, ...]:
    """The openings of a record that were not erased, in the order of the commitments."""
    return tuple(item for _, item in filed_openings(connection, seq))


def openings_by_seq(connection: Connection, seqs: Collection[int]) -> dict[int, tuple[Opening, ...]]:
    """As `openings_of`, of many records; those that have none are left out."""
    query = select(opening.c.seq, opening.c.disclosure, opening.c.position, opening.c.path)
    found: dict[int, tuple[Opening, ...]] = {}
    for some in in_parts(seqs):
        asked = query.where(opening.c.seq.in_(some)).order_by(opening.c.seq, opening.c.position)
        for row in connection.execute(asked):
            one = Opening(row.disclosure, row.position, _hashes(row.path))
            found[row.seq] = (*found.get(row.seq, ()), one)
    return found


def filed_openings(connection: Connection, seq: int) -> list[tuple[str, Opening]]:
    """The openings of a record as `openings_of`, each with the name under which it can be erased."""
    query = select(opening.c.name, opening.c.disclosure, opening.c.position, opening.c.path)
    return [
        (row.name, Opening(row.disclosure, row.position, _hashes(row.path)))
        for row in connection.execute(query.where(opening.c.seq == seq).order_by(opening.c.position))
    ]


def count_openings(connection: Connection) -> int:
    """How many openings there are, of any record or of none."""
    return connection.execute(select(func.count()).select_from(opening)).scalar_one()


def erase_openings(connection: Connection, seq: int, names: Sequence[str] | None = None) -> list[str]:
    """Destroy openings of a record, those of `names` or all; every proof stays valid.

    The claims of the record are to be deleted with them (`notary.services.erasing`): their digests are of the values,
    and without a salt.

    Returns:
        The names of those that were destroyed.
    """
    statement = delete(opening).where(opening.c.seq == seq)
    if names is not None:
        statement = statement.where(opening.c.name.in_(names))
    return sorted(connection.execute(statement.returning(opening.c.name)).scalars())


def _hashes(path: bytes) -> tuple[bytes, ...]:
    return tuple(path[at : at + _HASH] for at in range(0, len(path), _HASH))
