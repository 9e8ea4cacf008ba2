"""What most endpoints of one chain say where gas, or the word on a head, would else hang on one of them."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from notary.anchoring.agreeing import in_turn, tell_contradiction
from notary.anchoring.capture import receipt_of
from notary.anchoring.contract import read_head
from notary.anchoring.fields import quantity
from notary.anchoring.port import Attempt, Observation, Step
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable, HeadRefused, NoAnswer
from notary.observe import RPC_PASSED_OVER

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class AgreedHead:
    """The newest head that the contract holds, size 0 where there is none, and the endpoints that say so."""

    size: int
    root: bytes
    nodes: tuple[Node, ...]


def agreed_head(
    nodes: Sequence[Node], needed: int, contract: bytes, log_id: bytes, final: int = 0
) -> AgreedHead:
    """The newest head, as all endpoints tell it that answer; or as most of them do, and so many as must agree.

    By an earlier head of ours, which one that lags or lies tells, a transaction would be made that fails and is paid
    for, at each interval anew.

    Args:
        nodes: of the chain, in the order of the settings. One that is away is not waited for where enough answer.
        needed: so many must say the same where not all do.
        contract: 20 bytes.
        log_id: 32 bytes.
        final: size of the newest head that is known to be final: who tells of a smaller one has no vote beside others.

    Raises:
        AnchorUnavailable: none answers; or they do not agree, which is told.
        AnchorRejected: of those that answer, none is of this chain and has the contract.
    """
    said = _heads(nodes, needed, contract, log_id)
    votes = {node: head for node, head in said.items() if head[0] >= final} or said
    head, most = Counter(votes.values()).most_common(1)[0]
    if len(set(said.values())) > 1:
        shown = ", ".join(f"{size} (root {root.hex()[:8]})" for size, root in sorted(set(said.values())))
        what = f"the endpoints say that the contract's head is of size {shown}"
        tell_contradiction(nodes[0].chain_id, what)
        if most < len(votes) and (most < needed or 2 * most <= len(votes)):
            raise AnchorUnavailable(f"{what}: nothing is signed until they agree")
    return AgreedHead(*head, tuple(node for node, each in votes.items() if each == head))


def by_most(
    nodes: Sequence[Node], needed: int, among: Collection[Node], question: Callable[[Node], _T]
) -> _T:
    """As `agreeing.of_first` by the endpoints `among` them; and where one refuses the head, the others are asked, too.

    Those that are slow as well, but for one that hung: there is no way back, and one word alone is nobody's.

    Raises:
        HeadRefused: more refuse it than would take it, and as many as must agree.
        AnchorUnavailable: as many would take it, which is told; or fewer refuse it than must agree; or none answers.
        AnchorUnavailable, AnchorRejected: as the question does, by the first that answers.
    """
    refused: list[HeadRefused] = []
    taken: list[_T] = []
    silent: NoAnswer | None = None
    for place, node in in_turn(nodes):
        if node not in among or (node.hung and refused):
            continue
        try:
            node.require_chain()
            taken.append(question(node))
        except HeadRefused as error:
            refused.append(error)
        except NoAnswer as error:
            silent = silent or error
            RPC_PASSED_OVER.labels(str(node.chain_id), str(place)).inc()
        except (AnchorUnavailable, AnchorRejected):
            if not refused:  # who neither takes nor refuses the head has no vote on it
                raise
        if taken and not refused:
            return taken[0]
    if not refused:
        assert silent is not None  # noqa: S101 - one of them at least was asked
        raise silent
    return _weighed(nodes, needed, refused, taken)


def _weighed(nodes: Sequence[Node], needed: int, refused: Sequence[HeadRefused], taken: Sequence[_T]) -> _T:
    what = f"{len(refused)} of {len(refused) + len(taken)} endpoints refuse the head ({refused[0]})"
    if taken:
        tell_contradiction(nodes[0].chain_id, what)
        if len(taken) == len(refused):
            raise AnchorUnavailable(f"{what}: nothing is signed until most agree")
    if len(refused) > len(taken):
        if len(refused) < needed:
            raise AnchorUnavailable(f"{what}: {needed} must agree")
        raise refused[0]
    return taken[0]


def failed(nodes: Sequence[Node], needed: int, attempts: Sequence[Attempt]) -> Observation:
    """What is seen where one endpoint shows that an attempt with the newest nonce is in a block, and failed.

    It is believed by the receipts that as many endpoints show as must agree, and more than show none, or one of another
    outcome. All are asked, also those that hung: it is seldom, and there is no way back.

    Returns:
        REJECTED; or SENT, which is told, where too few say so.
    """
    place = (attempts[-1].lane, attempts[-1].nonce)
    same = [each for each in attempts if (each.lane, each.nonce) == place]
    said = []
    for node in nodes:
        with suppress(AnchorUnavailable, AnchorRejected):
            node.require_chain()
            said.append(_failed(node, same))
    yes = sum(said)
    if yes < len(said):
        what = f"the transaction reverted, say {yes} of {len(said)} endpoints"
        tell_contradiction(nodes[0].chain_id, what)
    if yes >= needed and 2 * yes > len(said):
        return Observation(Step.REJECTED, detail="the transaction reverted")
    what = f"the transaction reverted, say {yes} of {len(nodes)} endpoints: {needed} must agree, and most of them"
    return Observation(Step.SENT, detail=what)


def _heads(
    nodes: Sequence[Node], needed: int, contract: bytes, log_id: bytes
) -> dict[Node, tuple[int, bytes]]:
    """What each endpoint tells, in the order to ask them. Raises as `agreed_head` where none does."""
    said: dict[Node, tuple[int, bytes]] = {}
    failed: list[AnchorUnavailable | AnchorRejected] = []
    for place, node in in_turn(nodes):
        if node.away and len(said) >= needed:
            continue
        try:
            node.require_chain()
            said[node] = read_head(node, contract, log_id)
        except (AnchorUnavailable, AnchorRejected) as error:
            failed.append(error)
            if isinstance(error, NoAnswer):
                RPC_PASSED_OVER.labels(str(node.chain_id), str(place)).inc()
    if not said:
        # Silence is no reason where another one has given one.
        raise next((error for error in failed if not isinstance(error, NoAnswer)), failed[0])
    return said


def _failed(node: Node, attempts: Sequence[Attempt]) -> bool:
    receipts = [receipt_of(node, attempt.ref) for attempt in attempts]
    return any(receipt is not None and quantity(receipt.get("status")) != 1 for receipt in receipts)
