"""A transaction that stays unmined is made again, with the same nonce and call, for a higher fee.

Whichever of the two is mined, the nonce is used once: that makes it safe, and nothing else would.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import structlog

from notary.anchoring.agreeing import nonce_of
from notary.anchoring.blocks import block_at
from notary.anchoring.fees import base_fee, capped, fee_fields, price_of
from notary.anchoring.port import Attempt
from notary.anchoring.rpc import Node
from notary.anchoring.transaction import fields_of, signed
from notary.signers import Signer

_log = structlog.get_logger()
MAX_REPLACEMENTS = 8  # of what a block could take: three times the fee it began with
_RAISED_PERCENT = 15  # nodes ask for 10 % on both fee fields
_FEES = ("maxPriorityFeePerGas", "maxFeePerGas", "gasPrice")


def replacement(
    node: Node,
    wallet: Signer,
    attempts: Sequence[Attempt],
    since: datetime,
    profile: str,
    afford: Callable[[dict[str, Any], int], None],
    blocks: int = 1,
    nodes: Sequence[Node] = (),
) -> Attempt | None:
    """What takes the place of the last attempt, which was made at `since`; `profile` is how headers are hashed.

    `nodes` are all endpoints of the chain, as `fee_fields` has them.

    Returns:
        None where a chain takes no fees, after eight unless it asks for more than the last one offers, while an earlier
        nonce is missing or ours is used, for another wallet's, and until so many blocks were made after `since`: a
        chain that stands still takes no more for more.

    Raises:
        AnchorUnavailable: as `replaced`.
        AnchorRejected: the node is of another chain, or its answer is of another form.
    """
    lane, nonce = wallet.address, attempts[-1].nonce
    same = [each for each in attempts if (each.lane, each.nonce) == (lane, nonce)]
    if node.fees == "free" or not same:
        return None
    if nonce_of(node, lane) != nonce:
        return None
    block = block_at(node, "latest", profile)[1]
    if blocks > 1:
        block = block_at(node, hex(max(0, block.number - blocks + 1)), profile)[1]
    if block.time <= since.timestamp():
        return None
    if len(same) > MAX_REPLACEMENTS and not outbid(node, nodes, attempts[-1]):
        return None
    if len(same) == MAX_REPLACEMENTS:
        _log.warning("a transaction is made again for the eighth time", wallet=lane, nonce=nonce)
    return replaced(node, nodes, wallet, attempts[-1], afford)


def outbid(node: Node, nodes: Sequence[Node], attempt: Attempt) -> bool:
    """Whether a transaction that is made now would pay more in the next block than an attempt does.

    By the tip or the gas price as by the base fee: on many chains these alone say what a block takes. What is made then
    offers all that is asked, and for the base twice as much: so few follow one another.

    Raises:
        AnchorUnavailable: the node does not answer, or the chain asks for more than the cap.
        AnchorRejected: its answer is no number.
    """
    now = fee_fields(node, nodes, again=True)
    # Of a gas price it makes no difference. It falls by an eighth at most.
    base = 0 if node.fees == "legacy" else base_fee(node, nodes, again=True) * 7 // 8
    return price_of(now, base) > price_of(fields_of(attempt.raw), base)


def times_replaced(attempts: Sequence[Attempt]) -> int:
    """How often the last of these was made again."""
    place = (attempts[-1].lane, attempts[-1].nonce)
    return sum((each.lane, each.nonce) == place for each in attempts) - 1


def replaced(
    node: Node,
    nodes: Sequence[Node],
    wallet: Signer,
    attempt: Attempt,
    afford: Callable[[dict[str, Any], int], None],
) -> Attempt:
    """The same call and nonce, for 15 % more on each fee field, or for what is asked now where that is more.

    Args:
        node: of the chain.
        nodes: all of them, as `fee_fields` has them.
        wallet: whose nonce it is.
        attempt: the last one.
        afford: is told the fields of the new one, and about how many bytes it has, before it is signed, and raises
            where that costs too much.

    Raises:
        AnchorUnavailable: the node does not answer, or that is more than the cap for a unit of gas.
        AnchorRejected: its answer is no number.
    """
    fields = fields_of(attempt.raw) | {"chainId": node.chain_id}
    now = fee_fields(node, nodes, again=True)
    for name in _FEES:
        if name in fields:
            old = fields[name]
            raised = max(-(-old * (100 + _RAISED_PERCENT) // 100), old + 1)  # of nothing, too
            fields[name] = capped(node, max(raised, now.get(name, 0)))
    afford(fields, len(attempt.raw))
    raw, ref = signed(fields, wallet)
    return Attempt(ref, raw, attempt.nonce, attempt.lane)
