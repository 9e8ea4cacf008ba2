"""The endpoints of a chain, as the settings name them."""

import time
from collections.abc import Callable
from dataclasses import replace

from notary.anchoring.agreeing import witnessed_head
from notary.anchoring.behind import Behind
from notary.anchoring.quorum import Quorum
from notary.anchoring.rpc import Node, within
from notary.errors import NotFound
from notary.evidence.bodies import Genesis
from notary.outbound import TOTAL_SECONDS
from notary.services.steps import Step, patience_of
from notary.settings import Settings
from notary.settings.anchors import Chain
from notary.store.checkpoints import checkpoint_at, newest_checkpoint
from notary.store.engine import Database
from notary.wiring.trusting import chain_trust, validators_of

_GWEI = 10**9
# So often a step waits for one endpoint at most: at a question, where a lane begins or a head is foreign, if all hang.
_HANGS = 3
# More of it: for some twenty questions to one endpoint that takes five seconds for each.
_SLOWLY_SECONDS = 60.0
# Of a step's patience, for the question that is under way at the end of its time, and for all that is no question.
_REST_SECONDS = TOTAL_SECONDS + 10


def nodes_of(chain: Chain, settings: Settings) -> tuple[Node, ...]:
    """All endpoints of a chain, in the order in which they are asked.

    Raises:
        SettingsError: a URL could never be used.
    """
    return tuple(
        Node(
            url,
            chain.chain_id,
            fees=chain.fees,
            max_fee=chain.max_fee_gwei * _GWEI,
            max_tip=chain.max_tip_gwei * _GWEI,
            validators=validators_of(chain),
            allow_private=settings.allow_private_addresses,
        )
        for url in chain.rpc_urls
    )


def chain_patience(chain: Chain, period: float) -> float:
    """For how long a step of this chain may be silent, in seconds: its endpoints are slow, or hang, for each wallet.

    An endpoint that hung is asked last for a while, so that a step waits for it a few times, however much it asks.
    """
    waits = _HANGS + len(chain.wallets)
    return patience_of(period) + _SLOWLY_SECONDS + waits * TOTAL_SECONDS * len(chain.rpc_urls)


def ending_in_time(step: Step, clock: Callable[[], float] = time.monotonic) -> Step:
    """The same step of a chain, ended before it is called late, however slowly endpoints answer.

    A late step keeps submissions from being taken; one that fails is only told of. What it did so far is stored.
    """
    run, seconds = step.run, step.patience - step.period - _REST_SECONDS

    def bounded() -> None:
        with within(seconds, clock):
            run()

    return replace(step, run=bounded)


def quorum_of(chain: Chain, nodes: tuple[Node, ...], behind: Behind) -> Quorum:
    """The rule by which they agree; `behind` hears what each of them calls final."""
    return Quorum(nodes, chain.quorum, chain.finality, chain.profile, behind.hear)


def witness_of(
    chain: Chain, settings: Settings, genesis: Genesis, database: Database
) -> Callable[[], tuple[int, bytes]]:
    """What the chain holds of this log, for the sequencer to compare; raises as `agreeing.witnessed_head`.

    Raises:
        SettingsError: the settings name another chain or contract than the log does.
    """
    trust, nodes = chain_trust(chain, genesis), nodes_of(chain, settings)

    def ours(size: int, root: bytes) -> bool:
        if size == 0:  # none is anchored yet
            return True
        with database.reading() as connection:
            if size > newest_checkpoint(connection).size:
                return False
            try:
                return checkpoint_at(connection, size).root == root
            except NotFound:
                return False

    return lambda: witnessed_head(nodes, chain.quorum, trust.contract, trust.log_id, ours)
