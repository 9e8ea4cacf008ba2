"""What several endpoints of one chain agree on. One alone may lag behind, be cut off, or lie."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from notary.anchoring.agreeing import in_turn
from notary.anchoring.blocks import FINALIZED, LATEST, block_at, final_number
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable
from notary.evidence.chain import Header
from notary.observe import RPC_CONTRADICTIONS

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Quorum:
    """The endpoints of a chain, and how many of them must agree.

    Attributes:
        nodes: at least one, in the order of the settings.
        needed: 1 to as many as there are.
        finality: "finalized" or "depth:N".
        profile: how headers are hashed.
        hear: is told which number each endpoint calls final, by its place from 1 on, whenever all are asked.
    """

    nodes: tuple[Node, ...]
    needed: int = 1
    finality: str = FINALIZED
    profile: str = "ethereum"
    hear: Callable[[Mapping[int, int]], None] = lambda _finals: None

    def newest(self) -> tuple[Node, bytes, Header]:
        """The newest block that enough endpoints hold to be final: one of them, its header as RLP, and parsed.

        Where one is enough, it is the first that answers, in the order of `agreeing.in_turn`, and no other.

        Raises:
            AnchorUnavailable: too few answer, or no block is final yet at enough of them.
            AnchorRejected: they contradict each other; a single one is of another chain.
        """
        finals = self._finals(newest=True)
        if len(finals) < self.needed:
            raise AnchorUnavailable(self._too_few(len(finals)))
        if self.needed == 1:
            finals = dict([next(iter(finals.items()))])
        contradicted = None
        # Of numbers that one endpoint invents, high above all others, the next lower one is tried.
        for number in sorted(set(finals.values()), reverse=True):
            if number < 0 or sum(final >= number for final in finals.values()) < self.needed:
                continue
            held = self._at(number, finals)
            if len(self.nodes) > 1:
                held_by = {node for node, _, _ in held}
                # Whoever hung at this block is not waited for at the next one.
                finals = {n: f for n, f in finals.items() if f < number or n in held_by or not n.hung}
            for node, raw, header in held:
                if self._agree(held, header.hash) >= self.needed:
                    return node, raw, header
            contradicted = number if len(held) >= self.needed else contradicted
        if contradicted is not None:
            raise AnchorRejected(self._contradiction(contradicted))
        raise AnchorUnavailable("no block is final yet at enough endpoints")

    def holding(self, header: Header) -> int:
        """How many endpoints hold this very block to be final, by their own word.

        Raises:
            AnchorUnavailable: the only endpoint does not answer.
            AnchorRejected: fewer than needed, and one holds another block to be final in its place; the only
                endpoint is of another chain.
        """
        held = self._at(header.number, self._finals())
        found = self._agree(held, header.hash)
        if found < self.needed and found < len(held) and any(node.away for node in self.nodes):
            # One that contradicts must not hold everything up by it while another one is slow.
            held = self._at(header.number, self._finals(everyone=True))
            found = self._agree(held, header.hash)
        if found < self.needed and found < len(held):
            raise AnchorRejected(self._contradiction(header.number))
        return found

    def replacement_of(self, header: Header) -> Header | None:
        """What enough endpoints hold to be final in the place of a block that once was; None while that stands.

        Where too few can tell, as while a chain that was cut back grows again, it stands.

        Raises:
            AnchorUnavailable: the only endpoint does not answer.
            AnchorRejected: one holds another block to be final there, and too few say the same; the only endpoint
                is of another chain.
        """
        held = self._at(header.number, self._finals())
        if any(node.away for node in self.nodes) and any(other.hash != header.hash for _, _, other in held):
            # Before anything is called dropped, those are heard that were left alone.
            held = self._at(header.number, self._finals(everyone=True))
        if self._agree(held, header.hash) >= self.needed:
            return None
        for _, _, other in held:
            if other.hash != header.hash:
                if self._agree(held, other.hash) >= self.needed:
                    return other
                raise AnchorRejected(self._contradiction(header.number))
        return None

    def _agree(self, held: Sequence[tuple[Node, bytes, Header]], block_hash: bytes) -> int:
        found = sum(header.hash == block_hash for _, _, header in held)
        if found < len(held):
            # Also where enough agree: somebody should look at the one that does not.
            self._tell(f"{found} of {len(held)} endpoints agree on a final block")
        return found

    def _at(self, number: int, finals: Mapping[Node, int]) -> list[tuple[Node, bytes, Header]]:
        """What each endpoint shows at a number that it holds to be final; those that do not answer are left out."""
        found = []
        for node in (node for node, final in finals.items() if final >= number):
            with self._left_out():
                found.append((node, *block_at(node, hex(number), self.profile)))
        return found

    def _finals(self, *, everyone: bool = False, newest: bool = False) -> dict[Node, int]:
        """The newest final number of each endpoint that can be used, in the order of `agreeing.in_turn`.

        One that hung a moment ago, or was slow, is left alone, unless everyone is to be asked or without it too few
        answer: it has no vote, as without an answer. Each of several shows its `newest` block too, where that is asked
        for: who lags is told by it, sooner than by what is final.

        Raises:
            AnchorUnavailable: the only one does not answer.
            AnchorRejected: the only one is of another chain, or shows a header that has another hash.
        """
        found: dict[Node, int] = {}
        for node in sorted(self.nodes, key=lambda each: each.away):
            if node.away and len(found) >= self.needed and not everyone:
                continue
            with self._left_out():
                node.require_chain()
                if newest and len(self.nodes) > 1 and self.finality == FINALIZED:
                    block_at(node, LATEST, self.profile)  # which other rules ask for anyway
                found[node] = final_number(node, self.finality, self.profile)
        self.hear({place: found[node] for place, node in enumerate(self.nodes, 1) if node in found})
        return {node: found[node] for _, node in in_turn(self.nodes) if node in found}

    @contextmanager
    def _left_out(self) -> Iterator[None]:
        """One of several that fails has no vote, and no veto either; what the only one says is the reason."""
        try:
            yield
        except AnchorUnavailable:
            if len(self.nodes) == 1:
                raise
        except AnchorRejected as error:
            if len(self.nodes) == 1:
                raise
            self._tell(str(error))

    def _tell(self, what: str) -> None:
        RPC_CONTRADICTIONS.labels(str(self.nodes[0].chain_id)).inc()
        _log.error("an endpoint contradicts the others", chain=self.nodes[0].chain_id, detail=what)

    def _too_few(self, found: int) -> str:
        return f"{found} of {len(self.nodes)} endpoints answer, and {self.needed} must agree"

    def _contradiction(self, number: int) -> str:
        return f"the endpoints contradict each other at final block {number}: one of them forked or lies"
