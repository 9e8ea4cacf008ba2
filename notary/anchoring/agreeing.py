"""What several endpoints of one chain say where one is not to be believed: the contract's head, a wallet's nonce."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import structlog

from notary.anchoring.contract import read_head
from notary.anchoring.rpc import Node, quantity
from notary.errors import AnchorRejected, AnchorUnavailable, NoAnswer
from notary.observe import RPC_CONTRADICTIONS, RPC_PASSED_OVER

_log = structlog.get_logger()
_T = TypeVar("_T")
LAGS_SECONDS = 180  # fifteen blocks of Ethereum; honest endpoints differ by seconds


def held_root(nodes: Sequence[Node], needed: int, contract: bytes, log_id: bytes, size: int) -> bytes | None:
    """Root of the head of this size that `needed` endpoints say the contract holds; None where they do not."""
    said = _said(nodes, lambda node: read_head(node, contract, log_id))
    return next((root for found, root in said if found == size and said.count((found, root)) >= needed), None)


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
    if len(foreign) >= max(needed, min(2, len(nodes))):
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
        AnchorRejected: it is of another chain.
    """
    node.require_chain()
    return quantity(node.ask("eth_getTransactionCount", address, "latest"))


def agreed_nonce(nodes: Sequence[Node], needed: int, address: str) -> int:
    """How many transactions of `address` are mined, as every endpoint says that answers, and `needed` of them do.

    A lane begins with it. By the number of one endpoint that lags behind or lies, what is signed first would be a nonce
    that was used, or one with a gap before it.

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
