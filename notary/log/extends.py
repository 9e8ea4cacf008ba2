"""What a database must begin with before anything is signed from it: what the world, and this process, have seen."""

from collections.abc import Sequence

from notary.errors import Fatal, NotFound
from notary.evidence.checkpoint import Checkpoint
from notary.evidence.key_history import LOG
from notary.log.publish import opened, require_behind
from notary.store.checkpoints import checkpoint_at
from notary.store.engine import Connection
from notary.store.key_changes import known_history
from notary.store.logstate import LogState


def root_at(connection: Connection, size: int) -> bytes | None:
    """The root of our checkpoint of exactly this size; None where there is none."""
    try:
        return checkpoint_at(connection, size).root
    except NotFound:
        return None


def require_witnessed(connection: Connection, state: LogState, heads: Sequence[tuple[int, bytes]]) -> None:
    """Refuse to go on from a database that is older than what a third party holds, or another.

    Raises:
        Fatal: it is.
    """
    for size, root in heads:
        if size == 0:
            continue
        if size > state.size:
            raise Fatal(
                f"a head of size {size} is anchored, but the database ends at {state.size}: it is older than what "
                "was published"
            )
        known = root_at(connection, size)
        if known is None:
            raise Fatal(f"a head of size {size} is anchored that this log never had")
        if known != root:
            raise Fatal(f"two roots for size {size}: {root.hex()} is anchored")


def require_published(connection: Connection, state: LogState, note: bytes | None, origin: str) -> None:
    """The same of what the world can read, which was read before the database: it was stored before it was shown.

    Raises:
        Fatal: it is older or another, or `note` is not of this log.
    """
    if note is not None:
        current = opened(note, known_history(connection).verifiers(LOG))
        ours = Checkpoint(origin, state.size, state.root)
        require_behind(current, ours, lambda size: root_at(connection, size))


def require_seen(connection: Connection, state: LogState, seen: LogState | None) -> None:
    """The same of what this process has read or written itself.

    Raises:
        Fatal: it is older, or another.
    """
    if seen is None:
        return
    if (root_at(connection, seen.size), state.size >= seen.size) != (seen.root, True):
        raise Fatal(
            f"this process has seen a checkpoint of size {seen.size}, and the database is at size {state.size} "
            "without it: an older copy was put in its place, or a standby that lacked it"
        )


def require_left(state: LogState, left: LogState | None) -> None:
    """Under one epoch nobody writes but its holder: what it left is what it finds.

    Raises:
        Fatal: it finds anything else.
    """
    if left is not None and (state.size, state.root, state.note) != (left.size, left.root, left.note):
        raise Fatal(
            f"this process left the database at size {left.size}, and finds it at {state.size} under the same epoch "
            f"{state.epoch}: an older copy was put in its place, or a standby that lacked its last writes"
        )
