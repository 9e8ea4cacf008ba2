"""Rows that several tests of the queries insert."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy import select

from notary.store import groups
from notary.store import records as store
from notary.store.records import NewRecord
from notary.store.tables import stamp

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def record(number, tenant=None, **changes):
    statement = b"statement %s" % number.encode()
    values = {
        "number": number,
        "tenant_id": tenant,
        "type": "document",
        "statement": statement,
        "entry": sha256(statement).digest(),
        "visibility": "by-code",
    }
    return NewRecord(**values | changes)


def insert(connection, *records, at=NOW):
    return store.insert_records(
        connection, groups.insert_group(connection, len(records), b"", at, None), records
    )


def verdicts(connection):
    """Of the stamps that are not believed, by the size of the head."""
    query = select(stamp.c.size, stamp.c.verdict).where(stamp.c.verdict != "")
    return dict(list(connection.execute(query)))
