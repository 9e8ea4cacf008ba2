"""What every receipt promises, and whether the log is in a state to keep it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.errors import NotReady, Unavailable
from notary.evidence.fields import show_moment
from notary.evidence.note import parse_note
from notary.evidence.receipt import Promise, parse_promise, sign_promise
from notary.evidence.statement import Block
from notary.intake.receipt_keys import ReceiptKeys
from notary.store.blocks import newest_block
from notary.store.checkpoints import newest_time
from notary.store.engine import Connection
from notary.store.groups import waiting
from notary.store.logstate import SMALL_STEP, LogState, read_state


@dataclass(frozen=True, slots=True)
class Promises:
    """What every receipt promises, and the key that signs it.

    Attributes:
        origin: name of the log.
        key: the receipt key, where there is no other.
        close: a receipt promises a checkpoint within this.
        stamp_target: objective for the first time stamp.
        final_target: objective for the first final anchor.
        max_pending: entries that may wait before new ones are refused.
        margin: statements name no block that is younger than this by our clock.
        keys: all receipt keys, of which the log says which one is in force; none: `key` alone.
    """

    origin: str
    key: Ed25519PrivateKey
    close: timedelta
    stamp_target: timedelta
    final_target: timedelta
    max_pending: int
    margin: timedelta
    keys: ReceiptKeys | None = None

    def sign(self, count: int, root: bytes, state: LogState, now: datetime) -> bytes:
        """The signed promise of a group of `count` entries whose tree has this root."""
        promise = Promise(
            origin=self.origin,
            count=count,
            root=root,
            size=state.size,
            size_root=state.root,
            close_by=now + self.close,
            stamp_target=now + self.stamp_target,
            final_target=now + self.final_target,
        )
        return sign_promise(promise, self.key if self.keys is None else self.keys.at(state.size))

    def require_open(self, given: datetime, now: datetime) -> None:
        """Look, before it is spoken, whether a promise that was given can still be kept: storing it may take long.

        Raises:
            Unavailable: its moment has passed. It is stored, and so are its records.
        """
        if now >= given + self.close:
            raise Unavailable(
                f"storing this took until {show_moment(now)}, longer than its receipt promises for all of closing, "
                f"{show_moment(given + self.close)}; it is stored: the same request with the same Idempotency-Key is "
                "answered with it"
            )


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a submission rests on: the log as it is now, and the block that its statement names, if there is one."""

    state: LogState
    block: Block | None


def conditions(connection: Connection, promises: Promises, now: datetime, published: int = 0) -> Conditions:
    """The conditions of a log that will keep a promise given now.

    Args:
        connection: to the database.
        promises: what will be promised.
        now: the time, aware.
        published: size of the published checkpoint, read before.

    Raises:
        NotReady: the log is not open yet.
        Unavailable: too much waits, closing is behind or must be, the database ends before what is published, or the
            receipt key in force is not at hand.
    """
    state = read_state(connection)
    if state is None:
        raise NotReady("the log is not open yet")
    if state.size < published:
        raise Unavailable(
            f"the database ends at size {state.size}, and size {published} is published: an older copy was restored, "
            "and nothing is accepted on it"
        )
    last = newest_time(connection)
    if last is not None and now < last - SMALL_STEP:
        raise Unavailable(
            f"the clock says {show_moment(now)}, and the newest checkpoint is of {show_moment(last)}: "
            "nothing is closed before"
        )
    if promises.keys is not None:
        promises.keys.look(connection, state.size)
    queue = waiting(connection)
    if queue is not None and queue.count >= promises.max_pending:
        raise Unavailable(f"{queue.count} entries wait for a checkpoint; try again in a minute")
    if queue is not None and now - queue.oldest > promises.close / 2:
        # Closing is behind, and a promise given now might be broken.
        raise Unavailable("the log is behind with closing; try again in a minute")
    return Conditions(state, newest_block(connection, now - promises.margin))


def promised(note: bytes) -> str:
    """The moment by which a signed promise says that its entries are in the log."""
    return show_moment(parse_promise(parse_note(note).text).close_by)
