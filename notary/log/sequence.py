"""One close after another, each from the groups that wait to the checkpoint that everybody can read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.errors import Fatal, NotaryError, Unavailable
from notary.evidence.checkpoint import Checkpoint, sign_checkpoint
from notary.evidence.cose import sign_root
from notary.evidence.key_history import LOG, KeyHistory
from notary.evidence.note import Verifier
from notary.log import staging
from notary.log.batch import build, last_entries
from notary.log.edge import Edge
from notary.log.entries import waiting_ahead
from notary.log.lead import Leader
from notary.log.publish import check_published, opened, publish
from notary.store.checkpoints import StoredCheckpoint
from notary.store.groups import assign_places, waiting_groups
from notary.store.key_changes import known_history, refuse_unnoted
from notary.store.logstate import LogState, swap_state
from notary.store.sql import server_start
from notary.store.tiles import Tiles

MAX_BATCH = 1_000_000


def _no_other(verifier: Verifier) -> Ed25519PrivateKey:
    raise Fatal(f"{verifier.vkey} is in force, and the log key here is not of this log and key")


@dataclass(slots=True, kw_only=True)
class Sequencer(Leader):
    """Closes batches, while this process holds the lease.

    Attributes:
        key: a log key; the one in force is taken in its place when the log names another.
        max_batch: entries in one close; the rest waits for the next.
        find_key: gives the private key of a log key, or raises SettingsError where it is not at hand.
    """

    key: Ed25519PrivateKey
    max_batch: int = MAX_BATCH
    find_key: Callable[[Verifier], Ed25519PrivateKey] = _no_other
    _edge: Edge = field(init=False)

    def __post_init__(self) -> None:
        """Nothing of the log is known yet."""
        self._edge = Edge(self.objects)

    def sequence(self) -> StoredCheckpoint | None:
        """Close a batch: everything that waits, up to `max_batch`.

        Returns:
            The new checkpoint, published; None if nothing waits, or another process has the lease.

        Raises:
            NotReady: the log is not open yet.
            Fatal: the swap failed or may have failed, or stored state contradicts itself, what is published, or what
                this process left. The process must stop; a new one recovers.
            Overtaken: another process has taken over. The process must stop; a new one waits for its turn.
            Unavailable: database or disk do not answer, or the clock is not right; harmless to call again.
        """
        if self._epoch is None and not self.acquire():
            return None
        epoch, self._epoch = self._epoch, None
        try:
            closed = self._close(epoch)
        except BaseException:
            self._led = False
            raise
        self._epoch = epoch  # only now: after any exception the next call recovers first
        self._led = True
        return closed

    def _close(self, epoch: int | None) -> StoredCheckpoint | None:
        now = self._time()
        with self.database.reading() as connection:
            state = self._state(connection, epoch, now)
            groups = waiting_groups(connection, self.max_batch)
            keys = known_history(connection)
            if groups:
                refuse_unnoted(connection, groups)
            server = server_start(connection)
        ours = keys.verifiers(LOG)
        state = self._renew(state)
        # What the world can read must lead to this database before anything is signed: it may be another server's.
        if self._compare(state, ours):
            # This process has published a newer one. A holder before us that slept through its end may have put its
            # older checkpoint there; or somebody an older copy of all objects, which lacks the tiles.
            self._look_at_edge(state)
            self._publish(state, state.note, ours)
        if not groups:
            return None

        checkpoint, names = self._stage(state, groups)
        # The note is signed before the swap and shown to nobody until after it.
        # One key signs: the newest that the log named before this batch. So the one that names it is the old one's.
        key = self._key(keys, state.size)
        note, cose = sign_checkpoint(checkpoint, key).encode(), sign_root(checkpoint, key)
        # As everybody else will: one of another name would end the log once it is swapped in.
        opened(note, ours)
        # Dated when it is made: by the time at which this close began, a promise that a slow disk breaks would be kept.
        made = StoredCheckpoint(checkpoint.size, checkpoint.root, note, max(now, self._time()), cose)
        self._swap(state, groups, made, names, server)
        # Durable: this is the checkpoint of this size, for ever. A crash from here on leaves tiles to be put
        # at their names, or a checkpoint to be published; recovery does both from the staging objects.
        if not staging.apply(self.objects, names):
            raise self._ended(state, "a staging object is gone")
        self._publish(state, note, ours)
        # Everything is at its name. A crash here leaves staging objects, which the next holder removes.
        staging.discard(self.objects, names)
        return made

    def _stage(self, state: LogState, groups: Sequence[tuple[int, int]]) -> tuple[Checkpoint, str]:
        """What the log is with these groups, its tiles and bundles staged: the checkpoint, and the staging objects."""
        staged = []
        for part in build(self._edge, state.size, state.root, waiting_ahead(self.database, groups)):
            # Durable: an object that nobody reads. A crash here leaves it, and the next holder removes it.
            staged.append(staging.stage(self.objects, part.objects, state.epoch))
            state = self._renew(state)  # a million entries take as long as half a lease
        self._edge.move(
            part.size, part.objects
        )  # before the swap: whatever hinders it, the next close recovers first
        return Checkpoint(self.origin, part.size, part.root), staging.join(staged)

    def _swap(
        self,
        state: LogState,
        groups: Sequence[tuple[int, int]],
        made: StoredCheckpoint,
        names: str,
        server: datetime | None,
    ) -> None:
        try:
            with self.database.writing() as connection:
                # A standby that lacked a group may have given its number to another, and the tiles are of the first.
                if server_start(connection) != server:
                    raise Unavailable(
                        "the database was started again within this close, or is another server"
                    )
                swap_state(connection, state, made.size, made.root, made.note, names, made.time, made.cose)
                assign_places(connection, state.size, groups)
        except NotaryError as error:
            # Nothing in memory can tell which of two checkpoints of one size is ours: whoever starts next
            # reads it from the database.
            what = f"the swap to size {made.size} failed or is unclear: {error}"
            raise self._ended(state, what) from error
        self._left = replace(state, size=made.size, root=made.root, note=made.note, staging=names)

    def _recover(self, epoch: int) -> None:
        with self.database.reading() as connection:
            state = self._state(connection, epoch, self.now())
            keys = known_history(connection)
        ours = keys.verifiers(LOG)
        self._key(keys, state.size)  # else nothing can be closed
        checkpoint = opened(state.note, ours)
        if (checkpoint.size, checkpoint.root) != (state.size, state.root):
            raise Fatal("the newest checkpoint is not about the size and root beside it")
        self._compare(state, ours)
        if state.staging is not None:
            staging.apply(self.objects, state.staging)
        self._look_at_edge(state)
        self._publish(state, state.note, ours)
        # Everything is at its name. Staging objects of closes that came to nothing go too.
        staging.discard_all(self.objects, epoch)

    def _look_at_edge(self, state: LogState) -> None:
        """What the next close builds on, as it is stored."""
        self._edge.forget()
        Tiles(self.objects).check_edge(state.size, state.root)
        last_entries(self.objects, state.size)

    def _compare(self, state: LogState, ours: Sequence[Verifier]) -> bool:
        checkpoint = Checkpoint(self.origin, state.size, state.root)
        return check_published(self.objects, checkpoint, ours, self._root_at, partial(self._ended, state))

    def _publish(self, state: LogState, note: bytes, ours: Sequence[Verifier]) -> None:
        publish(self.objects, note, ours, self._root_at, partial(self._ended, state))

    def _key(self, keys: KeyHistory, size: int) -> Ed25519PrivateKey:
        """The log key that signs what follows a checkpoint of `size`.

        Raises:
            SettingsError, Fatal: it is not here.
        """
        wanted = Verifier.from_vkey(keys.in_force(LOG, size))
        if wanted != Verifier(self.origin, self.key.public_key().public_bytes_raw()):
            self.key = self.find_key(wanted)
        return self.key
