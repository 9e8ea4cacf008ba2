"""Heads and the contract: whether one extends the head on chain, and which transaction anchored one."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from notary.anchoring.blocks import block_at
from notary.anchoring.contract import read_head, read_keys
from notary.anchoring.fields import array, octets, records
from notary.anchoring.port import Head
from notary.anchoring.rpc import Node
from notary.errors import AnchorUnavailable, HeadRefused, NoAnswer, ProofError
from notary.evidence.chain import ANCHORED
from notary.evidence.keccak import keccak256
from notary.merkle.proof import check_consistency

_OPENED = keccak256(b"Opened(bytes32,address,address,string)")  # before it there are no events of a log
_SPAN, _LEAST_SPAN = 5000, 100  # blocks to a question
_QUESTIONS = 20  # of one search before others have their turn: a hundred thousand blocks
_SECONDS = 20.0  # of one search, too: the step that waits must not seem to stand still


def require_extension(
    node: Node,
    contract: bytes,
    log_id: bytes,
    head_key: str,
    head: Head,
    consistency: Sequence[bytes],
    old_size: int,
) -> None:
    """Assert that the contract would take this head: before the head key signs, since one bad anchor is for ever.

    Args:
        node: of the chain.
        contract: 20 bytes.
        log_id: 32 bytes.
        head_key: address that would sign.
        head: to be anchored.
        consistency: the proof from the head on chain to it; none for the first.
        old_size: where the proof starts.

    Raises:
        AnchorUnavailable: the node does not answer, or holds a head of another size than the proof starts at.
        HeadRefused: the head does not extend the one on chain, or the head key is not the log's.
        AnchorRejected: an answer is of another form.
    """
    size, root = read_head(node, contract, log_id)
    key = read_keys(node, contract, log_id).head
    if key != bytes.fromhex(head_key[2:]):
        raise HeadRefused(f"the log's head key is 0x{key.hex()}, ours is {head_key}")
    if size != old_size:
        # Another endpoint may have told where the proof starts: one of the two lags, or an anchor came between.
        raise AnchorUnavailable(f"the head on chain is of size {size}, the proof starts at {old_size}")
    if head.size <= size:
        raise HeadRefused(f"the head on chain is of size {size}, no smaller than {head.size}")
    if size == 0:
        if consistency:
            raise HeadRefused("the first anchor has nothing to be consistent with")
        return
    try:
        check_consistency(size, head.size, consistency, root, head.root)
    except ProofError as error:
        raise HeadRefused(f"the head does not extend the one on chain: {error}") from error


@dataclass(slots=True)
class Search:
    """How far back the events of a log were looked through for one head: a search goes on where it stopped.

    Attributes:
        wanted: the head that is looked for.
        above: the newest block that was not looked through; None before the first question.
        span: blocks to a question; fewer where a node does not answer for as many.
    """

    wanted: Head | None = None
    above: int | None = None
    span: int = _SPAN

    def end(self) -> None:
        """The next one begins anew, with as many blocks to a question: what a node refused once it may do later."""
        self.above, self.span = None, _SPAN


def transaction_of(
    node: Node,
    contract: bytes,
    log_id: bytes,
    head: Head,
    profile: str,
    first: int = 0,
    search: Search | None = None,
) -> bytes | None:
    """The hash of whichever transaction anchored exactly this head, the newest blocks first; None where none did.

    Args:
        node: of the chain.
        contract: 20 bytes.
        log_id: 32 bytes.
        head: that was anchored.
        profile: how headers are hashed.
        first: no earlier block can have it. Where the log was opened the search ends by itself.
        search: how far it got; is moved on.

    Raises:
        AnchorUnavailable: the node does not answer; or there is more to be looked through, and the next call goes on.
        AnchorRejected: its answer is of another form.
    """
    search = search or Search()
    newest = block_at(node, "latest", profile)[1].number
    if search.wanted != head or search.above is None:
        search.wanted, search.above = head, newest
    # A node that once named a block far above all others would else be searched for ever.
    search.above = min(search.above, newest)
    wanted = head.size.to_bytes(32) + head.root
    asked, end = 0, time.monotonic() + _SECONDS
    while search.above >= first:
        if asked == _QUESTIONS or (asked and time.monotonic() > end):
            raise AnchorUnavailable(
                f"who anchored the head of size {head.size} is looked for, down to block {search.above} by now"
            )
        asked += 1
        logs, lowest = _events(node, contract, log_id, max(first, search.above - search.span + 1), search)
        for log in logs:
            if _topic(log) == ANCHORED and octets(log.get("data"))[32:] == wanted:
                search.end()
                return octets(log.get("transactionHash"), 32)
        search.above = lowest - 1
        if any(_topic(log) == _OPENED for log in logs):
            break
    search.end()  # of a search that found nothing the next one begins anew
    return None


def _events(
    node: Node, contract: bytes, log_id: bytes, lowest: int, search: Search
) -> tuple[list[dict[str, Any]], int]:
    """The events of the log from a block to `search.above`, and from which one: some nodes answer for fewer blocks."""
    while True:
        query = {
            "address": f"0x{contract.hex()}",
            "topics": [[f"0x{ANCHORED.hex()}", f"0x{_OPENED.hex()}"], f"0x{log_id.hex()}"],
            "fromBlock": hex(lowest),
            "toBlock": hex(search.above or 0),
        }
        try:
            answer = node.try_ask("eth_getLogs", query)
        except AnchorUnavailable:
            search.span = max(search.span // 2, _LEAST_SPAN)  # in time it may answer for fewer
            raise
        if answer.error is None:
            return records(answer.result), lowest
        if search.span <= _LEAST_SPAN:
            raise NoAnswer(f"eth_getLogs: {answer.error}")
        search.span //= 2
        lowest = max(lowest, (search.above or 0) - search.span + 1)


def _topic(log: dict[str, Any]) -> bytes:
    topics = array(log.get("topics"))
    return octets(topics[0], 32) if topics else b""
