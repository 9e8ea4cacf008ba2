"""Heads that a verifier does not believe any more, because others had the log key, go into no package or proof."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from notary.errors import NotFound, NotReady
from notary.evidence.checkpoint import open_checkpoint
from notary.evidence.key_history import ADDED, LOG, KeyHistory, KeyPeriod
from notary.store.anchorings import Anchoring, anchor_names, next_pending
from notary.store.checkpoints import StoredCheckpoint, checkpoint_at, checkpoint_covering
from notary.store.engine import Connection, Database
from notary.store.final_words import final_words
from notary.store.key_changes import known_history

_AT_ONCE = 16  # final words of an anchor
_KNOWN_SECONDS = 1.0  # what was read of the keys may be this old, where each request would read it again


@dataclass(frozen=True, slots=True)
class Faith:
    """What the log says of stolen log keys. `stolen` are their periods, by vkey."""

    history: KeyHistory
    stolen: dict[str, KeyPeriod]

    @classmethod
    def read(cls, connection: Connection) -> "Faith":
        """As it stands now."""
        history = known_history(connection)
        periods = history.periods(LOG)
        return cls(history, {period.key: period for period in periods if period.compromised})

    def thief(self, note: bytes, size: int) -> KeyPeriod | None:
        """The period of the key that signed this checkpoint, if it was stolen and is not trusted up to this size."""
        period = self.signer(note)
        return period if period is not None and size > (period.last_good_size or 0) else None

    def signer(self, note: bytes) -> KeyPeriod | None:
        """The period of the key that signed this checkpoint, if it was stolen at any time."""
        if not self.stolen:
            return None
        signed = open_checkpoint(note, self.history.origin, self.history.verifiers(LOG))
        return self.stolen.get(signed.verifier.vkey)

    def last_signed(self, connection: Connection, period: KeyPeriod) -> int:
        """The size of the last checkpoint that the log made with a key that has a successor."""
        keys = self.history.keys(LOG)
        following = keys[keys.index(period.key) + 1]
        places = (
            event.index
            for event in self.history.events
            if (event.change.action, event.change.key) == (ADDED, following)
        )
        return checkpoint_covering(connection, next(places) or 0).size


@dataclass(frozen=True, slots=True)
class Believing:
    """The same for what answers too often to read the keys each time."""

    database: Database
    clock: Callable[[], float]
    _known: list[tuple[Faith, float]] = field(default_factory=list, repr=False)

    def lately(self) -> Faith:
        """As it stood a second ago or less."""
        now = self.clock()
        if not self._known or not 0 <= now - self._known[0][1] <= _KNOWN_SECONDS:
            with self.database.reading() as connection:
                self._known[:] = [(Faith.read(connection), now)]
        return self._known[0][0]


def believed(connection: Connection, words: Sequence[Anchoring]) -> list[Anchoring]:
    """The same words, and in the place of each that is not believed the same anchor's next one that is."""
    faith = Faith.read(connection)
    if not faith.stolen:
        return list(words)
    found = (_next(connection, word, faith) for word in words)
    return sorted({word.id: word for word in found if word is not None}.values(), key=_place)


def believed_pending(
    connection: Connection, index: int, without: Collection[str], attested: Collection[int]
) -> list[Anchoring]:
    """What calendars have taken in of a checkpoint with entry `index` that is believed when its block is there.

    A block comes after the key was stolen, so of a stolen key's checkpoints only those that have an earlier word in
    the package, `attested`, may have a later one beside it.
    """
    faith = Faith.read(connection)
    names = [name for name in anchor_names(connection) if name not in without]
    found = (_next_pending(connection, name, index, faith, attested) for name in names)
    return sorted((item for item in found if item is not None), key=_place)


def first_believed(
    connection: Connection,
    index: int,
    find: Callable[[Connection, int], StoredCheckpoint] = checkpoint_covering,
) -> StoredCheckpoint:
    """The smallest checkpoint with entry `index` that a verifier believes, of those that `find` finds.

    Raises:
        NotFound: as `find`.
        NotReady: those that there are were signed by a key that others had.
    """
    faith = Faith.read(connection)
    stored = find(connection, index)
    while (period := faith.thief(stored.note, stored.size)) is not None:
        passed = max(stored.size, faith.last_signed(connection, period))
        try:
            stored = find(connection, passed)
        except NotFound as error:
            raise NotReady(
                "the checkpoints with this record were signed by a key that others had; ask again in a few seconds"
            ) from error
    return stored


def _next(connection: Connection, word: Anchoring, faith: Faith) -> Anchoring | None:
    following = [word]
    while following:
        passed = following[-1].size
        for each in following:
            period = faith.signer(checkpoint_at(connection, each.size).note)
            if period is None or _good(each, period):
                return each
            if each.size > (period.last_good_size or 0):  # and so is whatever else this key signed
                passed = max(each.size, faith.last_signed(connection, period))
                break
        following = final_words(connection, word.anchor, above=passed, most=_AT_ONCE)
    return None


def _next_pending(
    connection: Connection, anchor: str, index: int, faith: Faith, attested: Collection[int]
) -> Anchoring | None:
    while (item := next_pending(connection, anchor, index)) is not None:
        period = faith.signer(checkpoint_at(connection, item.size).note)
        if period is None:
            return item
        if item.size in attested and item.size <= (period.last_good_size or 0):
            return item
        index = max(item.size, faith.last_signed(connection, period))
    return None


def _good(word: Anchoring, period: KeyPeriod) -> bool:
    late = word.not_after is not None and period.until is not None and word.not_after > period.until
    return not late and word.size <= (period.last_good_size or 0)


def _place(word: Anchoring) -> tuple[int, int]:
    return word.size, word.id
