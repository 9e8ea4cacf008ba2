"""The endpoints of a chain, as the settings name them."""

from notary.anchoring.behind import Behind
from notary.anchoring.quorum import Quorum
from notary.anchoring.rpc import Node
from notary.outbound import TOTAL_SECONDS
from notary.services.steps import patience_of
from notary.settings import Chain, Settings
from notary.wiring.trusting import validators_of

_GWEI = 10**9
# So often a step waits for one endpoint at most: at a question, where a lane begins or a head is foreign, if all hang.
_HANGS = 3


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
    """For how long a step of this chain may be silent, in seconds: all of its endpoints may hang, for each wallet.

    An endpoint that hung is asked last for a while, so that a step waits for it a few times, however much it asks.
    """
    waits = _HANGS + len(chain.wallets)
    return patience_of(period) + waits * TOTAL_SECONDS * len(chain.rpc_urls)


def quorum_of(chain: Chain, nodes: tuple[Node, ...], behind: Behind) -> Quorum:
    """The rule by which they agree; `behind` hears what each of them calls final."""
    return Quorum(nodes, chain.quorum, chain.finality, chain.profile, behind.hear)
