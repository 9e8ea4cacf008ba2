"""Stored bytes are given to a node, and what it objects is looked into before it is believed."""

from collections.abc import Iterator
from contextlib import contextmanager

from notary.anchoring.funds import require_funds
from notary.anchoring.port import Attempt, Observation, Step
from notary.anchoring.rpc import Node, quantity
from notary.anchoring.transaction import cost_of, fields_of
from notary.errors import AnchorUnavailable, LaneStopped, SignerUnavailable


def submit(node: Node, anchor: str, attempt: Attempt, sender: str) -> Observation:
    """Send an attempt of `sender`, an address, and say that the node has it.

    Raises:
        AnchorUnavailable: the node does not answer, or does not take it (fee too low).
        LaneStopped: the wallet holds too little; or the node knows nothing of the transaction and says that its
            nonce went to another.
    """
    answer = node.try_ask("eth_sendRawTransaction", f"0x{attempt.raw.hex()}")
    if answer.error is None:
        return Observation(Step.SENT)
    if node.ask("eth_getTransactionByHash", f"0x{attempt.ref.hex()}") is not None:
        return Observation(Step.SENT, detail="the node had the transaction already")
    if quantity(node.ask("eth_getTransactionCount", sender, "latest")) > attempt.nonce:
        raise LaneStopped(f"nonce {attempt.nonce} went to another transaction", foreign=True)
    require_funds(node, anchor, sender, cost_of(fields_of(attempt.raw)))
    raise AnchorUnavailable(f"the node does not take the transaction: {answer.error}")


@contextmanager
def stopping() -> Iterator[None]:
    """A wallet whose signer does not sign cannot pay: another may."""
    try:
        yield
    except SignerUnavailable as error:
        raise LaneStopped(str(error)) from error
