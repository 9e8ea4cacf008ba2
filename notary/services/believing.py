"""Heads that a verifier does not believe any more, because others had the log key, go into no package."""

from collections.abc import Sequence

from notary.evidence.checkpoint import open_checkpoint
from notary.evidence.key_history import LOG, KeyHistory, KeyPeriod
from notary.store.anchorings import Anchoring, final_words
from notary.store.checkpoints import checkpoint_at
from notary.store.engine import Connection
from notary.store.key_changes import known_history

_AT_ONCE = 16  # final words of an anchor


def believed(connection: Connection, words: Sequence[Anchoring]) -> list[Anchoring]:
    """The same words, and in the place of each that is not believed the same anchor's next one that is."""
    history = known_history(connection)
    stolen = {period.key: period for period in history.periods(LOG) if period.compromised}
    if not stolen:
        return list(words)
    found = (_next(connection, word, history, stolen) for word in words)
    return sorted((word for word in found if word is not None), key=lambda word: (word.size, word.id))


def _next(
    connection: Connection, word: Anchoring, history: KeyHistory, stolen: dict[str, KeyPeriod]
) -> Anchoring | None:
    following = [word]
    while following:
        for each in following:
            note = checkpoint_at(connection, each.size).note
            signer = open_checkpoint(note, history.origin, history.verifiers(LOG)).verifier
            if _good(each, stolen.get(signer.vkey)):
                return each
        following = final_words(connection, word.anchor, above=following[-1].size, most=_AT_ONCE)
    return None


def _good(word: Anchoring, period: KeyPeriod | None) -> bool:
    if period is None:
        return True
    late = word.not_after is not None and period.until is not None and word.not_after > period.until
    return not late and word.size <= (period.last_good_size or 0)
