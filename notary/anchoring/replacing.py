"""A transaction that stays unmined is made again, with the same nonce and call, for a higher fee.

Whichever of the two is mined, the nonce is used once: that makes it safe, and nothing else would.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from notary.anchoring.agreeing import nonce_of
from notary.anchoring.blocks import block_at
from notary.anchoring.fees import capped, fee_fields
from notary.anchoring.port import Attempt
from notary.anchoring.rpc import Node
from notary.anchoring.transaction import cost_of, fields_of, signed
from notary.signers import Signer

MAX_REPLACEMENTS = 8  # of one transaction: three times the fee it began with
_RAISED_PERCENT = 15  # nodes ask for 10 % on both fee fields
_FEES = ("maxPriorityFeePerGas", "maxFeePerGas", "gasPrice")


def replacement(
    node: Node,
    wallet: Signer,
    attempts: Sequence[Attempt],
    since: datetime,
    profile: str,
    afford: Callable[[int], None],
) -> Attempt | None:
    """What takes the place of the last attempt, which was made at `since`; `profile` is how headers are hashed.

    Returns:
        None where a chain takes no fees, after eight, while an earlier nonce is missing or ours is used, for another
        wallet's, and until a block was made after `since`: a chain that stands still takes no more for more.

    Raises:
        AnchorUnavailable: as `replaced`.
        AnchorRejected: the node is of another chain, or its answer is of another form.
    """
    lane, nonce = wallet.address, attempts[-1].nonce
    same = [each for each in attempts if (each.lane, each.nonce) == (lane, nonce)]
    if node.fees == "free" or not 0 < len(same) <= MAX_REPLACEMENTS:
        return None
    if nonce_of(node, lane) != nonce:
        return None
    if block_at(node, "latest", profile)[1].time <= since.timestamp():
        return None
    return replaced(node, wallet, attempts[-1], afford)


def replaced(node: Node, wallet: Signer, attempt: Attempt, afford: Callable[[int], None]) -> Attempt:
    """The same call and nonce, for 15 % more on each fee field, or for what the node asks now where that is more.

    Args:
        node: of the chain.
        wallet: whose nonce it is.
        attempt: the last one.
        afford: is told what the new one may take, in wei, before it is signed, and raises where that is too much.

    Raises:
        AnchorUnavailable: the node does not answer, or that is more than the cap for a unit of gas.
        AnchorRejected: its answer is no number.
    """
    fields, now = fields_of(attempt.raw) | {"chainId": node.chain_id}, fee_fields(node)
    for name in _FEES:
        if name in fields:
            old = fields[name]
            raised = max(-(-old * (100 + _RAISED_PERCENT) // 100), old + 1)  # of nothing, too
            fields[name] = capped(node, max(raised, now.get(name, 0)))
    afford(cost_of(fields))
    raw, ref = signed(fields, wallet)
    return Attempt(ref, raw, attempt.nonce, attempt.lane)
