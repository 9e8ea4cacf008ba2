"""Stored bytes are given to every endpoint, and what one objects is looked into before it is believed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from notary.anchoring.agreeing import in_turn, nonce_of, tell_contradiction
from notary.anchoring.capture import receipt_of
from notary.anchoring.data_fee import data_fee
from notary.anchoring.fields import quantity, record
from notary.anchoring.funds import require_funds
from notary.anchoring.port import Attempt, Observation, Step
from notary.anchoring.rpc import Node
from notary.anchoring.transaction import cost_of, fields_of
from notary.errors import AnchorRejected, AnchorUnavailable, LaneStopped, NoAnswer, SignerUnavailable

_HAD = "the node had the transaction already"


def submit_to_all(
    nodes: Sequence[Node],
    needed: int,
    anchor: str,
    attempt: Attempt,
    sender: str,
    profile: str,
    earlier: Sequence[Attempt] = (),
) -> Observation:
    """Send an attempt of `sender`, an address, by every endpoint: one that takes it is enough.

    One that hung a moment ago is asked last, and not at all where another took it and none objects.

    Args:
        nodes: of the chain, in the order of the settings.
        needed: so many must say that its nonce went to another before anybody is accused, and none that it is free.
        anchor: its name, for the metrics.
        attempt: stored before.
        sender: address of the wallet.
        profile: what kind of chain it is.
        earlier: our other attempts with this nonce: an endpoint where one of them is in a block contradicts nobody.

    Raises:
        AnchorUnavailable: none answers or takes it (fee too low); or fewer than needed say that its nonce went to
            another, or to it, which failed; or another one says that it did not.
        LaneStopped: the wallet holds too little, as most say; or so many as are needed know nothing of the transaction
            and say that its nonce went to another, or show it in a block, where it failed; and none that the nonce is
            free.
        AnchorRejected: none takes it, and the first that answers is of another chain.
    """
    taken: list[Taken] = []
    refused: list[tuple[Node, AnchorUnavailable | AnchorRejected]] = []
    for _, node in in_turn(nodes):
        known = any(each.shown for each in taken)
        if node.away and known and all(isinstance(error, NoAnswer) for _, error in refused):
            continue
        try:
            node.require_chain()
            taken.append(submit(node, anchor, attempt, sender, profile))
        except (AnchorUnavailable, AnchorRejected) as error:
            refused.append((node, error))
    stopped = [(node, error) for node, error in refused if isinstance(error, LaneStopped)]
    accusers = [node for node, error in stopped if error.foreign]
    failed = [error for _, error in stopped if error.failed]
    told = failed or [error for _, error in stopped if error.foreign]
    if told:
        free = any(count <= attempt.nonce for count in _counts(nodes, sender))
        shown = next((each.seen for each in taken if each.shown), None)
        if shown or free or failed:
            _tell(accusers, attempt, earlier)
        return _contested(told, len(nodes), needed, shown, free=free)
    if taken:
        return taken[0].seen
    raise _refusal(nodes[0].chain_id, [error for _, error in refused])


def _refusal(
    chain_id: int, errors: Sequence[AnchorUnavailable | AnchorRejected]
) -> AnchorUnavailable | AnchorRejected:
    """Why none takes a transaction: silence is no reason where another one has given one.

    Who gives another reason has looked at the wallet, too: one word alone is no reason for another to pay.
    """
    spoken = [error for error in errors if not isinstance(error, NoAnswer)]
    poor = [error for error in spoken if isinstance(error, LaneStopped)]
    others = [error for error in spoken if isinstance(error, AnchorUnavailable)]
    if poor and len(others) >= len(poor):
        what = f"{poor[0]}, say {len(poor)} of {len(spoken)} endpoints, and as many that it can pay"
        tell_contradiction(chain_id, what)
        return others[0]
    return (spoken or errors)[0]


@dataclass(frozen=True, slots=True)
class Taken:
    """That an endpoint takes an attempt.

    Attributes:
        seen: what is said of it.
        shown: the endpoint knows the transaction, or says that its nonce is free; else it only said that it takes it,
            and some say so of anything.
    """

    seen: Observation
    shown: bool


def submit(node: Node, anchor: str, attempt: Attempt, sender: str, profile: str) -> Taken:
    """Send an attempt of `sender`, an address, and say that the node has it.

    A relay or a gateway may take what can never be mined: it is believed that the nonce is free there, not its hash.

    Raises:
        AnchorUnavailable: the node does not answer, or does not take it (fee too low).
        LaneStopped: the wallet holds too little; or the node knows nothing of the transaction and says that its
            nonce went to another; or shows it in a block, where it failed.
    """
    answer = node.try_ask("eth_sendRawTransaction", f"0x{attempt.raw.hex()}")
    if answer.error is None:
        try:
            if nonce_of(node, sender) <= attempt.nonce:
                return Taken(Observation(Step.SENT), shown=True)
        except (NoAnswer, AnchorRejected):
            return Taken(Observation(Step.SENT), shown=False)
    known = node.ask("eth_getTransactionByHash", f"0x{attempt.ref.hex()}")
    if known is not None:
        _require_not_failed(node, attempt, record(known))
        return Taken(Observation(Step.SENT, detail=_HAD if answer.error else ""), shown=True)
    if nonce_of(node, sender) > attempt.nonce:
        raise LaneStopped(_went(attempt.nonce), foreign=True, nonce=attempt.nonce)
    fields = fields_of(attempt.raw)
    data = data_fee(node, profile, len(attempt.raw), fields["gas"])
    require_funds(node, anchor, sender, cost_of(fields) + data)
    raise AnchorUnavailable(f"the node does not take the transaction: {answer.error}")


def _require_not_failed(node: Node, attempt: Attempt, known: dict[str, Any]) -> None:
    """Assert of a transaction that the node knows, as it shows it, that it may still anchor its head, or did.

    One that failed long ago is known as well, and whoever took it for sent would wait for it, and ask nobody to pay.

    Raises:
        LaneStopped: it is in a block, and failed.
        AnchorUnavailable: the node does not answer.
        AnchorRejected: its answer is of another form.
    """
    if known.get("blockHash") is None:
        return
    receipt = receipt_of(node, attempt.ref)
    if receipt is not None and quantity(receipt.get("status")) != 1:
        raise LaneStopped(f"nonce {attempt.nonce} went to a transaction of ours, which failed", failed=True)


def _contested(
    told: Sequence[LaneStopped], asked: int, needed: int, shown: Observation | None, *, free: bool
) -> Observation:
    """What stands where some of the endpoints asked say what stops a wallet: that a nonce is used.

    `shown` is what one says that has the transaction, and not as failed; `free`: one says that the nonce is.
    """
    if shown is not None:
        return shown
    what = f"{told[0]}, say {len(told)} of {asked} endpoints"
    if free:
        raise AnchorUnavailable(f"{what}, and another one that it is free: all must agree")
    if len(told) < needed:
        raise AnchorUnavailable(f"{what}: {needed} must agree")
    if told[0].foreign:  # one of several stops it, and accuses nobody
        raise LaneStopped(str(told[0]), foreign=len(told) >= min(2, asked), nonce=told[0].nonce)
    raise told[0]


def _went(nonce: int) -> str:
    return f"nonce {nonce} went to another transaction"


def _counts(nodes: Sequence[Node], sender: str) -> list[int]:
    """How many transactions of `sender` are mined, as each endpoint says that answers."""
    found = []
    for node in nodes:
        with suppress(AnchorUnavailable, AnchorRejected):
            found.append(nonce_of(node, sender))
    return found


def _tell(accusers: Sequence[Node], attempt: Attempt, earlier: Sequence[Attempt]) -> None:
    """The alarm for each endpoint that accuses, and not as one does that is a block ahead: by another of ours."""
    for node in accusers:
        if not any(_mined(node, each) for each in earlier):
            what = f"{_went(attempt.nonce)}, says an endpoint, and another one has it or says that the nonce is free"
            tell_contradiction(node.chain_id, what)


def _mined(node: Node, attempt: Attempt) -> bool:
    with suppress(AnchorUnavailable):
        return node.ask("eth_getTransactionReceipt", f"0x{attempt.ref.hex()}") is not None
    return False


@contextmanager
def stopping() -> Iterator[None]:
    """A wallet whose signer does not sign cannot pay: another may."""
    try:
        yield
    except SignerUnavailable as error:
        raise LaneStopped(str(error)) from error
