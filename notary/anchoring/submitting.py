"""Stored bytes are given to every endpoint, and what one objects is looked into before it is believed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from notary.anchoring.agreeing import in_turn, tell_contradiction
from notary.anchoring.data_fee import data_fee
from notary.anchoring.funds import require_funds
from notary.anchoring.port import Attempt, Observation, Step
from notary.anchoring.rpc import Node, quantity
from notary.anchoring.transaction import cost_of, fields_of
from notary.errors import AnchorRejected, AnchorUnavailable, LaneStopped, NoAnswer, SignerUnavailable


def submit_to_all(
    nodes: Sequence[Node], needed: int, anchor: str, attempt: Attempt, sender: str, profile: str
) -> Observation:
    """Send an attempt of `sender`, an address, by every endpoint: one that takes it is enough.

    One that hung a moment ago is asked last, and not at all where another took it and none objects.

    Args:
        nodes: of the chain, in the order of the settings.
        needed: so many must say that its nonce went to another before anybody is accused.
        anchor: its name, for the metrics.
        attempt: stored before.
        sender: address of the wallet.
        profile: what kind of chain it is.

    Raises:
        AnchorUnavailable: none answers or takes it (fee too low); or fewer than needed say that its nonce went to
            another.
        LaneStopped: the wallet holds too little; or so many as are needed know nothing of the transaction and say that
            its nonce went to another.
        AnchorRejected: none takes it, and the first that answers is of another chain.
    """
    taken: list[Observation] = []
    refused: list[AnchorUnavailable | AnchorRejected] = []
    for _, node in in_turn(nodes):
        if node.away and taken and all(isinstance(error, NoAnswer) for error in refused):
            continue
        try:
            node.require_chain()
            taken.append(submit(node, anchor, attempt, sender, profile))
        except (AnchorUnavailable, AnchorRejected) as error:
            refused.append(error)
    foreign = [error for error in refused if isinstance(error, LaneStopped) and error.foreign]
    if taken:
        for accusation in foreign:
            tell_contradiction(nodes[0].chain_id, f"{accusation}, says an endpoint, and another one has it")
        return taken[0]
    if 0 < len(foreign) < needed:
        raise AnchorUnavailable(
            f"{foreign[0]}, say {len(foreign)} of {len(nodes)} endpoints: {needed} must agree"
        )
    # Silence is no reason where another one has given one.
    spoken = (error for error in refused if not isinstance(error, NoAnswer))
    raise foreign[0] if foreign else next(spoken, refused[0])


def submit(node: Node, anchor: str, attempt: Attempt, sender: str, profile: str) -> Observation:
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
    fields = fields_of(attempt.raw)
    data = data_fee(node, profile, len(attempt.raw), fields["gas"])
    require_funds(node, anchor, sender, cost_of(fields) + data)
    raise AnchorUnavailable(f"the node does not take the transaction: {answer.error}")


@contextmanager
def stopping() -> Iterator[None]:
    """A wallet whose signer does not sign cannot pay: another may."""
    try:
        yield
    except SignerUnavailable as error:
        raise LaneStopped(str(error)) from error
