"""The anchors of a chain, as the settings name them: one for each wallet that pays."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog

from notary import keys
from notary.anchoring.budget import Budget
from notary.anchoring.evm import EvmAnchor
from notary.anchoring.port import Head
from notary.anchoring.rpc import Node
from notary.errors import SettingsError
from notary.evidence.bodies import Genesis
from notary.evidence.chain import decode_evidence, decode_header
from notary.evidence.chain_file import MAX_NOT_BEFORE
from notary.settings import Settings
from notary.settings.anchors import Chain
from notary.signers import Signer
from notary.store import blocks
from notary.store.engine import Database
from notary.store.final_words import final_words
from notary.wiring.key_files import HeadKey
from notary.wiring.trusting import chain_trust

_log = structlog.get_logger()
_ETHER = 10**18  # wei
_LOOK_BACK = 16  # final anchors that are looked through for one with all its proofs


def evm_anchors(
    chain: Chain,
    nodes: tuple[Node, ...],
    settings: Settings,
    database: Database,
    genesis: Genesis,
    now: Callable[[], datetime],
) -> tuple[EvmAnchor, ...]:
    """The anchor by each of its wallets, in the order of the settings. Nothing is asked or sent yet.

    Raises:
        SettingsError: the head key in force or a wallet's key is not at hand, or two wallets have one key.
    """
    trust = chain_trust(chain, genesis)
    head_key = HeadKey(database, settings.head_key, chain.head_keys)
    # Now, and not with the first head: else anchors would fail by the service's own trust file.
    head_key.require()
    wallets = _wallets(chain, settings)
    anchor = EvmAnchor(
        name=chain.name,
        node=nodes[0],
        others=nodes[1:],
        needed=chain.quorum,
        contract=trust.contract,
        log_id=trust.log_id,
        head_key=head_key,
        wallet=wallets[0],
        not_before=partial(_not_before, database, chain),
        earliest=partial(_earliest, database, chain),
        final=partial(_final, database, chain),
        finality=chain.finality,
        profile=chain.profile,
    )
    return tuple(
        replace(anchor, wallet=wallet, allowance=_allowance(database, chain, wallet.address, now))
        for wallet in wallets
    )


def warn_of_no_cap(chain: Chain) -> None:
    """Say that nothing bounds what a wallet spends in a day, where gas costs anything."""
    if chain.max_ether_per_day is None and chain.fees != "free" and chain.profile != "anvil":
        _log.warning("nothing bounds what a wallet spends in a day: set max_ether_per_day", chain=chain.name)


def _wallets(chain: Chain, settings: Settings) -> list[Signer]:
    wallets = [keys.load_secp256k1(path) for path in (settings.wallet_key, *chain.wallets)]
    if len({wallet.address for wallet in wallets}) < len(wallets):
        raise SettingsError(f"two wallets of chain {chain.name} have one key, and would fight over nonces")
    return wallets


def _not_before(database: Database, chain: Chain, head: Head) -> list[bytes]:
    """Headers of the blocks that a head's statements name and that no smaller head's final anchor has proven."""
    with database.reading() as connection:
        words = final_words(connection, chain.name, most=_LOOK_BACK)
        # Of one that lacks the proofs of state a later one takes the place, and needs its blocks, too.
        whole = (w for w in words if w.evidence and decode_evidence(w.evidence).account_proof is not None)
        last = next(whole, None)
        first = 0 if last is None else last.size
        return blocks.not_before_headers(connection, chain.chain_id, first, head.size, MAX_NOT_BEFORE)


def _earliest(database: Database, chain: Chain, head: Head) -> int:
    """The block of the newest final anchor of a smaller head, before which nobody can have anchored this one; or 0."""
    with database.reading() as connection:
        words = final_words(connection, chain.name, most=_LOOK_BACK)
    smaller = (decode_evidence(w.evidence) for w in words if w.size < head.size and w.evidence)
    return next((decode_header(e.header, e.profile).number for e in smaller), 0)


def _final(database: Database, chain: Chain) -> int:
    """Size of the newest head whose anchor is final, and not contradicted; 0 where there is none."""
    with database.reading() as connection:
        words = final_words(connection, chain.name, most=1)
    return words[0].size if words else 0


def _allowance(
    database: Database, chain: Chain, wallet: str, now: Callable[[], datetime]
) -> Callable[[int, int], int | None]:
    if chain.max_ether_per_day is None:
        return lambda _nonce, _data: None
    return Budget(database, chain.name, wallet, int(chain.max_ether_per_day * _ETHER), now).left
