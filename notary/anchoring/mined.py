"""What is made of a transaction in a block: evidence, verified here, and whether its block is final."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from notary.anchoring.blocks import block_at, final_number
from notary.anchoring.capture import Captured, capture
from notary.anchoring.port import Head, Observation, Step
from notary.anchoring.quorum import Quorum
from notary.anchoring.rpc import Node, octets, quantity
from notary.errors import AnchorRejected, AnchorUnavailable
from notary.evidence.chain import encode_evidence
from notary.observe import ANCHOR_GAS


@dataclass(slots=True)
class Kept:
    """The last complete capture, and its transaction and block: a node forgets the state that proofs are made from.

    What was captured when mined is what is given when final.
    """

    key: tuple[bytes, bytes] | None = None
    captured: Captured | None = None


@dataclass(frozen=True, slots=True)
class Mined:
    """Looks at transactions of one log that were mined.

    Attributes:
        name: of the anchor.
        quorum: the endpoints, the first one asked for everything but what is final.
        contract: 20 bytes.
        log_id: 32 bytes.
        not_before: RLP of the headers of the blocks that statements under a head name.
        kept: what was captured last.
    """

    name: str
    quorum: Quorum
    contract: bytes
    log_id: bytes
    not_before: Callable[[Head], Sequence[bytes]]
    kept: Kept

    def look(self, head: Head, receipt: dict[str, Any]) -> Observation:
        """Capture the evidence of a receipt, as the node shows it, and ask whether its block is final.

        Returns:
            MINED or FINAL, with evidence.

        Raises:
            AnchorUnavailable: the node does not answer, or the chain moved meanwhile.
            AnchorRejected: its answers do not add up.
        """
        # Finality first: a block that is canonical after this was read, and not newer, is final.
        final = final_number(self._node, self.quorum.finality, self.quorum.profile)
        captured = self._captured(head, receipt)
        header = captured.header
        self._require_canonical(header.number, header.hash)
        detail = f"block {header.number}" + (f"; {captured.missing}" if captured.missing else "")
        step = Step.MINED
        if header.number <= final:
            agree = self.quorum.holding(header)
            detail += f"; final at {agree} of {len(self.quorum.nodes)} endpoints"
            step = Step.FINAL if agree >= self.quorum.needed else Step.MINED
        return Observation(step, encode_evidence(captured.evidence), detail)

    @property
    def _node(self) -> Node:
        return self.quorum.nodes[0]

    def _captured(self, head: Head, receipt: dict[str, Any]) -> Captured:
        key = (octets(receipt.get("transactionHash"), 32), octets(receipt.get("blockHash"), 32))
        if self.kept.key == key and self.kept.captured is not None:
            return self.kept.captured
        captured = self._capture(head, receipt)
        ANCHOR_GAS.labels(self.name).set(quantity(receipt.get("gasUsed")))
        self.kept.key, self.kept.captured = (None, None) if captured.missing else (key, captured)
        return captured

    def _capture(self, head: Head, receipt: dict[str, Any]) -> Captured:
        where = (self.contract, self.log_id)
        try:
            return capture(self._node, receipt, head, *where, self.not_before(head), self.quorum.profile)
        except AnchorRejected:
            # State is asked for by number: after a reorg it is that of another block, which is nobody's lie.
            self._require_canonical(
                quantity(receipt.get("blockNumber")), octets(receipt.get("blockHash"), 32)
            )
            raise

    def _require_canonical(self, number: int, block_hash: bytes) -> None:
        if block_at(self._node, hex(number), self.quorum.profile)[1].hash != block_hash:
            raise AnchorUnavailable(f"block {number} was replaced while it was looked at")
