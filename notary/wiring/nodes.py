"""The endpoints of a chain, as the settings name them."""

from notary.anchoring.behind import Behind
from notary.anchoring.quorum import Quorum
from notary.anchoring.rpc import Node
from notary.settings import Chain, Settings
from notary.wiring.trusting import validators_of

_GWEI = 10**9


def nodes_of(chain: Chain, settings: Settings) -> tuple[Node, ...]:
    """All endpoints of a chain, in the order in which they are asked.

    Raises:
        SettingsError: a URL could never be used.
    """
    most = chain.max_fee_gwei * _GWEI
    validators = validators_of(chain)
    private = settings.allow_private_addresses
    return tuple(
        Node(url, chain.chain_id, fees=chain.fees, max_fee=most, validators=validators, allow_private=private)
        for url in chain.rpc_urls
    )


def quorum_of(chain: Chain, nodes: tuple[Node, ...], behind: Behind) -> Quorum:
    """The rule by which they agree; `behind` hears what each of them calls final."""
    return Quorum(nodes, chain.quorum, chain.finality, chain.profile, behind.hear)
