"""A chain that refuses a head, or holds one that is not ours: neither is ever in order."""

from collections.abc import Callable
from datetime import datetime

import structlog

from notary.anchoring.port import Anchor, Head
from notary.errors import AnchorRejected, NotFound
from notary.observe import INCIDENTS
from notary.store import anchorings
from notary.store.engine import Database
from notary.store.incidents import FOREIGN_HEAD, add_incident

_log = structlog.get_logger()
_CHAIN = "evm"


def look_for_fork(
    database: Database, anchor: Anchor, head_at: Callable[[int], Head], size: int, now: datetime
) -> None:
    """Keep an incident where the head of this size that the authority holds, as enough say, is not one of this log."""
    root = anchor.held_root(size)
    if root is None:
        return
    try:
        # What no database can number is no checkpoint's size.
        if size <= anchorings.MAX_SIZE and root == head_at(size).root:
            return
    except NotFound:
        pass  # we never made a checkpoint of this size
    detail = f"it holds size {size} root {root.hex()}, which is no checkpoint of this log"
    with database.writing() as connection:
        # Durable after the commit: that somebody has the head key, or the log forked. A crash before it: the
        # next head finds the same.
        new = add_incident(connection, FOREIGN_HEAD, anchor.name, f"{size} {root.hex()}", detail, now)
    if new:
        INCIDENTS.labels(anchor.name, FOREIGN_HEAD).inc()
    _log.critical("an anchor holds a head that is not ours", anchor=anchor.name, detail=detail)


def tell_refused(anchor: Anchor, detail: str) -> None:
    """A chain takes what extends its head. Nothing is told of others: what they refuse, they may take a minute later.

    Raises:
        AnchorRejected: it is a chain.
    """
    if anchor.kind == _CHAIN:
        _log.error("an anchor refuses a head", anchor=anchor.name, detail=detail)
        raise AnchorRejected(detail)


def require_not_refused(database: Database, anchor: str) -> None:
    """Assert that a chain did not refuse the last head: each step says so until another is due.

    Raises:
        AnchorRejected: it did; says why.
    """
    with database.reading() as connection:
        last = anchorings.newest_anchoring(connection, anchor)
    if last is not None and last.kind == _CHAIN and last.state == "rejected":
        raise AnchorRejected(last.detail)
