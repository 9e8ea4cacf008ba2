"""Every checkpoint that was ever signed and swapped in: one for a size, for ever."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from notary.errors import NotFound
from notary.store.tables import checkpoint


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint: `note` is what was signed, `time` when the service says that it was.

    `cose` is the log key's signature over the same for COSE receipts, 64 bytes; None of checkpoints that were made
    before there were any.
    """

    size: int
    root: bytes
    note: bytes
    time: datetime
    cose: bytes | None = None


def insert_checkpoint(
    connection: Connection, size: int, root: bytes, note: bytes, now: datetime, cose: bytes | None = None
) -> None:
    """Keep a checkpoint; a second one of the same size is refused by the table."""
    row = {"size": size, "root": root, "note": note, "time": now, "cose": cose}
    connection.execute(checkpoint.insert(), row)


def newest_checkpoint(connection: Connection) -> StoredCheckpoint:
    """The newest checkpoint.

    Raises:
        NotFound: the log is not open yet.
    """
    return _one(connection, _CHECKPOINT.order_by(checkpoint.c.size.desc()).limit(1), "checkpoint yet")


def newest_time(connection: Connection) -> datetime | None:
    """When the newest checkpoint was signed, as the service says; None before the first."""
    query = select(checkpoint.c.time).order_by(checkpoint.c.size.desc()).limit(1)
    found: datetime | None = connection.execute(query).scalar()
    return found


def checkpoint_at(connection: Connection, size: int) -> StoredCheckpoint:
    """The checkpoint of exactly this size.

    Raises:
        NotFound: there was none.
    """
    return _one(connection, _CHECKPOINT.where(checkpoint.c.size == size), f"checkpoint of size {size}")


def checkpoint_covering(connection: Connection, index: int) -> StoredCheckpoint:
    """The earliest checkpoint with entry `index`: the one that closed its batch.

    Raises:
        NotFound: there is none yet.
    """
    query = _CHECKPOINT.where(checkpoint.c.size > index).order_by(checkpoint.c.size).limit(1)
    return _one(connection, query, f"checkpoint with entry {index}")


def receipted_checkpoint(connection: Connection, index: int) -> StoredCheckpoint:
    """The earliest checkpoint with entry `index` and a signature for COSE receipts, of more than one entry.

    Raises:
        NotFound: there is none yet.
    """
    covers = checkpoint.c.size > max(index, 1), checkpoint.c.cose.is_not(None)
    query = _CHECKPOINT.where(*covers).order_by(checkpoint.c.size).limit(1)
    return _one(connection, query, f"checkpoint with entry {index} that COSE receipts can be of")


def checkpoints_after(connection: Connection, size: int, limit: int) -> list[StoredCheckpoint]:
    """Checkpoints larger than `size`, in order."""
    query = _CHECKPOINT.where(checkpoint.c.size > size).order_by(checkpoint.c.size).limit(limit)
    return [StoredCheckpoint(*row) for row in connection.execute(query)]


_CHECKPOINT: Select[Any] = select(*(checkpoint.c[name] for name in StoredCheckpoint.__slots__))


def _one(connection: Connection, query: Select[Any], what: str) -> StoredCheckpoint:
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"there is no {what}")
    return StoredCheckpoint(*row)
