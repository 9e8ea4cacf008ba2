"""Nonces that our own transactions took and the database does not know, as after it was restored from a backup."""

from collections.abc import Callable
from datetime import datetime

import structlog

from notary.anchoring.port import Anchor, Attempt, Head
from notary.evidence.chain import decode_evidence
from notary.observe import ANCHOR_MOVES
from notary.store import outbox
from notary.store.anchorings import Anchoring
from notary.store.engine import Database
from notary.store.final_words import final_words

_log = structlog.get_logger()
_MOST = 16  # final words that are looked at; of heads made after the backup the sequencer would not go on


def reclaim(
    database: Database,
    payer: Anchor,
    head_at: Callable[[int], Head],
    lane: int,
    expected: int,
    now: datetime,
) -> int:
    """Take back the nonces `lane`..`expected`-1 of a wallet, all of them or none.

    One is taken back where a transaction of this wallet with it anchored a head of this log, whose root the tiles have,
    and which is final: nobody but the wallet's key signs such bytes, and nobody but the head key such a head. Whatever
    else a nonce went to, a transfer or a transaction that failed, is not told from what a thief does.

    Returns:
        The next nonce of the wallet: `expected`, or `lane`.

    Raises:
        AnchorUnavailable: the authority does not answer.
        AnchorRejected: its answer is of another form.
        Fatal: another process uses the wallet's nonces, or the log does not prove its own head.
    """
    if expected - lane > _MOST:
        return lane
    with database.reading() as connection:
        words = final_words(connection, payer.name, most=_MOST)
        known = {each.ref for word in words for each in outbox.attempts_for(connection, word)}
    found: dict[int, tuple[Anchoring, Attempt]] = {}
    for word in words:
        ref = None if word.evidence is None else decode_evidence(word.evidence).transaction
        made = None if ref is None or ref.hex() in known else payer.own(head_at(word.size), ref, payer.lane)
        if made is not None:
            found[made.nonce] = (word, made)
    nonces = range(lane, expected)
    if not all(nonce in found for nonce in nonces):
        return lane
    with database.writing() as connection:
        # Durable after the commit: the bytes as they were signed and mined, and that their nonces are taken. A crash
        # before it means that they are found again at the next step.
        outbox.set_nonce(connection, payer.name, payer.lane, lane, expected)
        for word, made in map(found.__getitem__, nonces):
            outbox.add_attempt(connection, word.id, made.ref.hex(), made.raw, made.nonce, now, made.lane)
    _log.warning("nonces of ours were taken back", anchor=payer.name, wallet=payer.lane, nonces=list(nonces))
    ANCHOR_MOVES.labels(payer.name, "reclaimed").inc(len(nonces))
    return expected
