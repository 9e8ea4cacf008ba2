"""What several endpoints of one chain agree on. One alone may lag behind, be cut off, or lie."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from notary.anchoring.blocks import FINALIZED, block_at, final_number
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable
from notary.evidence.chain import Header
from notary.observe import RPC_CONTRADICTIONS

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Quorum:
    """The endpoints of a chain, and how many of them must agree.

    Attributes:
        nodes: at least one; the first is the one that is asked for everything else.
        needed: 1 to as many as there are.
        finality: "finalized" or "depth:N".
        profile: how headers are hashed.
    """

    nodes: tuple[Node, ...]
    needed: int = 1
    finality: str = FINALIZED
    profile: str = "ethereum"

    def newest(self) -> tuple[Node, bytes, Header]:
        """The newest block that enough endpoints hold to be final: one of them, its header as RLP, and parsed.

        Raises:
            AnchorUnavailable: too few answer, or no block is final yet at enough of them.
            AnchorRejected: they contradict each other, or are of another chain.
        """
        finals = sorted(self._finals().values(), reverse=True)
        if len(finals) < self.needed:
            raise AnchorUnavailable(self._too_few(len(finals)))
        number = finals[self.needed - 1]
        if number < 0:
            raise AnchorUnavailable("no block is final yet")
        held = self._at(number)
        for node, raw, header in held:
            if self._holding(held, header.hash) >= self.needed:
                return node, raw, header
        raise AnchorRejected(self._contradiction(number))

    def holding(self, header: Header) -> int:
        """How many endpoints hold this very block to be final, by their own word.

        Raises:
            AnchorRejected: fewer than needed, and one holds another block to be final in its place.
        """
        held = self._at(header.number)
        found = self._holding(held, header.hash)
        if found < self.needed and found < len(held):
            raise AnchorRejected(self._contradiction(header.number))
        return found

    def _holding(self, held: Sequence[tuple[Node, bytes, Header]], block_hash: bytes) -> int:
        found = sum(header.hash == block_hash for _, _, header in held)
        if found < len(held):
            # Also where enough agree: somebody should look at the one that does not.
            RPC_CONTRADICTIONS.labels(str(self.nodes[0].chain_id)).inc()
            _log.error(
                "endpoints contradict each other", chain=self.nodes[0].chain_id, agree=found, of=len(held)
            )
        return found

    def _at(self, number: int) -> list[tuple[Node, bytes, Header]]:
        """What each endpoint shows at a number that it holds to be final; those that do not answer are left out."""
        found = []
        for node, final in self._finals().items():
            if final >= number:
                try:
                    found.append((node, *block_at(node, hex(number), self.profile)))
                except AnchorUnavailable:
                    continue
        return found

    def _finals(self) -> dict[Node, int]:
        """The newest final number of each endpoint that answers; those of another chain are refused.

        Raises:
            AnchorRejected: one is of another chain, or shows a header that has another hash.
        """
        found = {}
        for node in self.nodes:
            try:
                node.require_chain()
                found[node] = final_number(node, self.finality, self.profile)
            except AnchorUnavailable:
                if len(self.nodes) == 1:
                    raise  # its own reason says more than that it is missing
        return found

    def _too_few(self, found: int) -> str:
        return f"{found} of {len(self.nodes)} endpoints answer, and {self.needed} must agree"

    def _contradiction(self, number: int) -> str:
        return f"the endpoints contradict each other at final block {number}: one of them forked or lies"
