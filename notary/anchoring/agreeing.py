"""What several endpoints of one chain say where one is not to be believed: the contract's head, a wallet's nonce."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import structlog

from notary.anchoring.contract import read_head
from notary.anchoring.fields import quantity
from notary.anchoring.funds import held_by, require_funds
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable, LaneStopped, NoAnswer
from notary.observe import RPC_CONTRADICTIONS, RPC_PASSED_OVER

_log = structlog.get_logger()
_T = TypeVar("_T")
# Nonces end soon after (EIP-2681), and what no database can number is nobody's next one.
_MOST_NONCES = 2**63 - 2
LAGS_SECONDS = 180  # fifteen blocks of Ethereum; honest endpoints differ by seconds


def to_accuse(nodes: Sequence[Node], needed: int) -> int:
    """How many endpoints must say so before somebody is accused: `needed`, and never one alone where there are more."""
    return max(needed, min(2, len(nodes)))


def held_root(nodes: Sequence[Node], needed: int, contract: bytes, log_id: bytes, size: int) -> bytes | None:
    """Root of the head of this size that the contract holds, as `to_accuse` endpoints say and no other denies; or None.

    One denies it that holds another root for this size, or a smaller head: it lags, or the others lie. That is told.
    """
    said = _said(nodes, lambda node: read_head(node, contract, log_id))
    roots = [root for found, root in said if found == size]
    if roots and (len(set(roots)) > 1 or any(found < size for found, _ in said)):
        tell_contradiction(nodes[0].chain_id, f"endpoints hold other heads than one of size {size}")
        return None
    return roots[0] if len(roots) >= to_accuse(nodes, needed) else None


def in_turn(nodes: Sequence[Node]) -> list[tuple[int, Node]]:
    """Endpoints with their places in the settings, from 1 on, in the order to ask them.

    Those that hung come last, before them those that lag, and before them those that were slow: who is late delays a
    step, and by one that stands still a lane would stand, too. One lags whose newest block is three minutes older than
    the newest that the others show. Of three or more none is believed alone that it is so new, since the first one is
    asked for everything: who invents a block must not come first by it.
    """
    shown = sorted(node.newest for node in nodes if node.newest is not None)
    newest = shown[-2 if len(shown) > 2 else -1] if shown else 0  # noqa: PLR2004 - as above

    def rank(found: tuple[int, Node]) -> tuple[bool, bool, bool]:
        _, node = found
        return node.hung, node.newest is not None and newest - node.newest >= LAGS_SECONDS, node.away

    return sorted(enumerate(nodes, 1), key=rank)


def of_first(nodes: Sequence[Node], question: Callable[[Node], _T]) -> _T:
    """What the first endpoint says that can be asked, in the order of `in_turn`.

    Another one is asked where one gives no answer, and only there: an answer that does not please is not asked for
    again elsewhere. So whoever answers can do what the first one can, and no more.

    Raises:
        NoAnswer: none answers; what the first that was asked did.
        AnchorUnavailable, AnchorRejected: as the question does, by the word of one that answers.
    """
    failed: NoAnswer | None = None
    for place, node in in_turn(nodes):
        try:
            node.require_chain()
            return question(node)
        except NoAnswer as error:
            failed = failed or error
            RPC_PASSED_OVER.labels(str(node.chain_id), str(place)).inc()
    assert failed is not None  # noqa: S101 - there is at least one endpoint
    raise failed


def witnessed_head(
    nodes: Sequence[Node], needed: int, contract: bytes, log_id: bytes, ours: Callable[[int, bytes], bool]
) -> tuple[int, bytes]:
    """Size and root of the newest head that the contract holds, for who compares his log with it before he goes on.

    All are asked, also those that hung: one that lags or lies hides a head that another one tells. And none alone
    tells of a head that is not ours where there are several: that is the end of a process, and an accusation.

    Args:
        nodes: of the chain, in the order of the settings.
        needed: so many must answer; and so many, two at least of several, must tell of heads that are not ours.
        contract: 20 bytes.
        log_id: 32 bytes.
        ours: whether a head of this size and root is one of our log.

    Returns:
        The largest of all heads that were told, each of them ours; or the largest of those that are not.

    Raises:
        AnchorUnavailable: fewer than needed answer; or tell of a head that is not ours, which is told.
        AnchorUnavailable, AnchorRejected: none gives an answer that can be used; what the first that was asked did.
    """
    said: dict[int, tuple[int, bytes]] = {}
    failed: AnchorUnavailable | AnchorRejected | None = None
    for place, node in in_turn(nodes):
        try:
            node.require_chain()
            said[place] = read_head(node, contract, log_id)
        except (AnchorUnavailable, AnchorRejected) as error:
            failed = failed or error
    if failed is not None and not said:
        raise failed
    foreign = {place: head for place, head in said.items() if not ours(*head)}
    if len(foreign) >= to_accuse(nodes, needed):
        return max(foreign.values())
    if foreign:
        who = ", ".join(f"endpoint {place} of size {size}" for place, (size, _) in sorted(foreign.items()))
        what = f"heads that are not of this log are anchored, say too few of {len(nodes)} endpoints: {who}"
        tell_contradiction(nodes[0].chain_id, what)
        raise AnchorUnavailable(f"{what}. Find out who is right; one that lies is taken out of rpc_urls")
    if len(said) < needed:
        raise AnchorUnavailable(
            f"{len(said)} of {len(nodes)} endpoints tell what is anchored, and {needed} must"
        )
    return max(said.values())


def nonce_of(node: Node, address: str) -> int:
    """How many transactions of `address` are mined.

    Raises:
        AnchorUnavailable: the node does not answer.
        AnchorRejected: it is of another chain, or tells of more than anybody can make.
    """
    node.require_chain()
    count = quantity(node.ask("eth_getTransactionCount", address, "latest"))
    if count > _MOST_NONCES:
        raise AnchorRejected(f"the node says that wallet {address} has {count} transactions")
    return count


def agreed_nonce(nodes: Sequence[Node], needed: int, address: str) -> int:
    """How many transactions of `address` are mined, as every endpoint says that answers, and `needed` of them do.

    A lane begins with it, and by a higher number than ours somebody is accused. By that of one endpoint that lags
    behind or lies, what is signed first would be a nonce that was used, or one with a gap before it.

    Raises:
        AnchorUnavailable: they do not say the same, which is told; or too few answer.
    """
    said = _said(nodes, lambda node: nonce_of(node, address))
    if len(set(said)) > 1:
        what = f"the endpoints say that wallet {address} has {', '.join(map(str, sorted(set(said))))} transactions"
        tell_contradiction(nodes[0].chain_id, what)
        raise AnchorUnavailable(f"{what}: none is made until they agree")
    if len(said) < needed:
        raise AnchorUnavailable(
            f"{len(said)} of {len(nodes)} endpoints tell the nonce of wallet {address}, and {needed} must agree"
        )
    return said[0]


def lost_nonce(nodes: Sequence[Node], needed: int, address: str, lane: int) -> int | None:
    """The first nonce of `address` below `lane` that is free on the chain: its blocks lost what was sent with it.

    Returns:
        None where fewer than `needed` endpoints say so, or one of those that answer says that all are used: it is told
        then, since one of them lags behind or lies. Of several numbers the largest: what some of them lost.
    """
    said = _said(nodes, lambda node: nonce_of(node, address))
    lost = [count for count in said if count < lane]
    if lost and len(lost) < len(said):
        what = (
            f"{len(lost)} of {len(said)} endpoints say that nonces of wallet {address} below {lane} are free"
        )
        tell_contradiction(nodes[0].chain_id, what)
        return None
    return max(lost) if lost and len(lost) >= needed else None


def shown(nodes: Sequence[Node], refs: Sequence[bytes]) -> bool:
    """Whether an endpoint shows a receipt of one of these transactions, though their nonce is said to be free: told."""

    def shows(node: Node) -> bool:
        return any(node.ask("eth_getTransactionReceipt", f"0x{ref.hex()}") is not None for ref in refs)

    found = any(_said(nodes, shows))
    if found:
        what = "an endpoint shows the receipt of a transaction of ours whose nonce is said to be free"
        tell_contradiction(nodes[0].chain_id, what)
    return found


def require_held(nodes: Sequence[Node], node: Node, anchor: str, wallet: str, cost: int) -> None:
    """Assert that a wallet holds what a transaction may take, in wei, as `node` says, or most that answer.

    One that says too little would else have each wallet passed over, and end anchoring alone. One that says too much
    gains nothing by it: what is sent no other node takes, and that is told.

    Raises:
        LaneStopped: it does not.
        AnchorUnavailable: the node does not answer.
    """
    try:
        require_funds(node, anchor, wallet, cost)
    except LaneStopped as error:
        said = [held >= cost for held in _said(nodes, lambda other: held_by(other, wallet))]
        if not any(said):
            raise
        what = (
            f"{sum(said)} of {len(said)} endpoints say that wallet {wallet} can pay, and one that it cannot"
        )
        tell_contradiction(node.chain_id, what)
        if 2 * sum(said) <= len(said):
            raise LaneStopped(f"{error}; or an endpoint lies: {what}") from error


def tell_contradiction(chain_id: int, what: str) -> None:
    """The alarm: somebody should look at an endpoint that says what others do not."""
    RPC_CONTRADICTIONS.labels(str(chain_id)).inc()
    _log.error("an endpoint contradicts the others", chain=chain_id, detail=what)


def _said(nodes: Sequence[Node], question: Callable[[Node], _T]) -> list[_T]:
    """What each endpoint answers; those that give no answer that can be used are left out.

    All are asked, also those that hung: it is seldom, and nobody's silence of a minute ago shall decide who is accused.
    """
    found = []
    for node in nodes:
        with suppress(AnchorUnavailable, AnchorRejected):
            node.require_chain()
            found.append(question(node))
    return found
