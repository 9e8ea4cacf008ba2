"""The newest checkpoint and who may make the next: the one row on which everything turns."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select, update

from notary.errors import Overtaken
from notary.store.checkpoints import insert_checkpoint
from notary.store.sql import insert_new
from notary.store.tables import log_state

SMALL_STEP = timedelta(seconds=10)  # of the clock backwards, as a time server makes; well within any promise
_ROW = 1


@dataclass(frozen=True, slots=True)
class LogState:
    """The log as of its newest checkpoint.

    Attributes:
        size: entries.
        root: 32 bytes.
        note: the signed checkpoint.
        staging: object that holds the tiles of this checkpoint until they are at their names.
        epoch: counts the holders of the lease; a write under an older one touches nothing.
        holder: who makes checkpoints, until `lease_until`.
        lease_until: when another may take over.
    """

    size: int
    root: bytes
    note: bytes
    staging: str | None
    epoch: int
    holder: str | None
    lease_until: datetime | None


def read_state(connection: Connection) -> LogState | None:
    """The state, or None before entry 0."""
    query = select(*(log_state.c[name] for name in LogState.__slots__)).where(log_state.c.id == _ROW)
    row = connection.execute(query).one_or_none()
    return None if row is None else LogState(*row)


def create_state(
    connection: Connection,
    size: int,
    root: bytes,
    note: bytes,
    staging: str,
    now: datetime,
    cose: bytes | None = None,
) -> bool:
    """Open the log; says whether it was not open, as by another process at the same time."""
    values = {"id": _ROW, "size": size, "root": root, "note": note, "staging": staging, "epoch": 0}
    if not insert_new(connection, log_state, values):
        return False
    insert_checkpoint(connection, size, root, note, now, cose)
    return True


def swap_state(
    connection: Connection,
    old: LogState,
    size: int,
    root: bytes,
    note: bytes,
    staging: str,
    now: datetime,
    cose: bytes | None = None,
) -> None:
    """Put the next checkpoint in the place of `old`, if nothing has changed since, and keep it for ever.

    Raises:
        Overtaken: somebody else has moved the log on, or has taken the lease.
    """
    statement = (
        update(log_state)
        .where(
            log_state.c.id == _ROW,
            log_state.c.size == old.size,
            log_state.c.root == old.root,
            log_state.c.epoch == old.epoch,
        )
        .values(size=size, root=root, note=note, staging=staging)
    )
    if connection.execute(statement).rowcount != 1:
        raise Overtaken(
            f"the log is no longer at size {old.size} under epoch {old.epoch}: another has moved it"
        )
    insert_checkpoint(connection, size, root, note, now, cose)


def take_lease(connection: Connection, holder: str, now: datetime, until: datetime) -> int | None:
    """Become the one who makes checkpoints: the epoch goes up, so a holder before us can write no more.

    A lease that ends later than anybody could take one now is of a clock that ran ahead, and binds nobody: else nothing
    would be closed for as long as the clock was wrong. Two that go by clocks so far apart are kept apart by the epoch.

    Returns:
        The new epoch; None while another holds the lease, or before entry 0.
    """
    free = or_(
        log_state.c.holder.is_(None),
        log_state.c.holder == holder,
        log_state.c.lease_until < now,
        log_state.c.lease_until > until + (until - now),
    )
    statement = (
        update(log_state)
        .where(log_state.c.id == _ROW, free)
        .values(epoch=log_state.c.epoch + 1, holder=holder, lease_until=until)
        .returning(log_state.c.epoch)
    )
    epoch: int | None = connection.execute(statement).scalar()
    return epoch


def renew_lease(connection: Connection, epoch: int, until: datetime) -> None:
    """Stay the holder.

    Raises:
        Overtaken: another has taken over.
    """
    statement = update(log_state).where(log_state.c.id == _ROW, log_state.c.epoch == epoch)
    if connection.execute(statement.values(lease_until=until)).rowcount != 1:
        raise Overtaken(f"epoch {epoch} is over: another process makes the checkpoints now")


def release_lease(connection: Connection, epoch: int) -> None:
    """Let another take over at once; nothing happens if one already has."""
    statement = update(log_state).where(log_state.c.id == _ROW, log_state.c.epoch == epoch)
    connection.execute(statement.values(holder=None, lease_until=None))
