"""Versions of the trust statement, as they were signed and logged."""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from notary.errors import NotFound
from notary.store.groups import group_by_id
from notary.store.places import group_of
from notary.store.sql import insert_new
from notary.store.tables import trust_statement


def add_trust_statement(connection: Connection, version: int, note: bytes, seq: int) -> bool:
    """Keep a version; False if there is another one of this number."""
    return insert_new(connection, trust_statement, {"version": version, "note": note, "seq": seq})


def read_trust_statement(connection: Connection, version: int | None = None) -> bytes:
    """One version, or the newest.

    Raises:
        NotFound: there is none.
    """
    query = select(trust_statement.c.note)
    if version is None:
        query = query.order_by(trust_statement.c.version.desc()).limit(1)
    else:
        query = query.where(trust_statement.c.version == version)
    note: bytes | None = connection.execute(query).scalar()
    if note is None:
        raise NotFound(
            "no trust statement was published yet" if version is None else f"there is no version {version}"
        )
    return note


def all_trust_statements(connection: Connection) -> Iterator[tuple[int, bytes, int]]:
    """Version, file and `seq` of the record of each, the first version first."""
    columns = (trust_statement.c.version, trust_statement.c.note, trust_statement.c.seq)
    for row in connection.execute(select(*columns).order_by(trust_statement.c.version)):
        yield row.version, row.note, row.seq


def trust_statement_waits(connection: Connection) -> bool:
    """Whether the digest of a version has no place in the log yet."""
    groups = (group_of(seq) for _, _, seq in all_trust_statements(connection))
    return any(group_by_id(connection, group).first_index is None for group in groups)
