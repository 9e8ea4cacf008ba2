"""What is made of a transaction in a block: evidence, verified here, and whether its block is final."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from notary.anchoring.blocks import block_at, final_number
from notary.anchoring.capture import Captured, capture
from notary.anchoring.fields import octets, quantity
from notary.anchoring.port import Head, Observation, Step
from notary.anchoring.quorum import Quorum
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable
from notary.evidence.chain import encode_evidence
from notary.observe import ANCHOR_GAS, ANCHOR_GAS_PER_RECORD


@dataclass(slots=True)
class Kept:
    """The last complete capture: a node forgets the state that proofs are made from.

    What was captured when mined is what is given when final. The key is size and root of the head that it was verified
    against, transaction and block: for any other head it is verified anew, whatever transaction a node tells of.
    """

    key: tuple[int, bytes, bytes, bytes] | None = None
    captured: Captured | None = None


@dataclass(frozen=True, slots=True)
class Mined:
    """Looks at transactions of one log that were mined.

    Attributes:
        name: of the anchor.
        node: one of the endpoints, asked for everything but whether as many as must agree hold it to be final.
        quorum: all of them.
        contract: 20 bytes.
        log_id: 32 bytes.
        not_before: RLP of the headers of the blocks that statements under a head name.
        kept: what was captured last.
    """

    name: str
    node: Node
    quorum: Quorum
    contract: bytes
    log_id: bytes
    not_before: Callable[[Head], Sequence[bytes]]
    kept: Kept

    def look(self, head: Head, receipt: dict[str, Any]) -> Observation:
        """Capture the evidence of a receipt, as `receipt_of` gives it, and ask whether its block is final.

        Returns:
            MINED or FINAL, with evidence.

        Raises:
            AnchorUnavailable: the node does not answer, or the chain moved meanwhile.
            AnchorRejected: its answers do not add up.
        """
        # Finality first: a block that is canonical after this was read, and not newer, is final.
        final = final_number(self.node, self.quorum.finality, self.quorum.profile)
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

    def _captured(self, head: Head, receipt: dict[str, Any]) -> Captured:
        place = (octets(receipt.get("transactionHash"), 32), octets(receipt.get("blockHash"), 32))
        key = (head.size, head.root, *place)
        if self.kept.key == key and self.kept.captured is not None:
            return self.kept.captured
        captured = self._capture(head, receipt)
        gas = quantity(receipt.get("gasUsed"))
        ANCHOR_GAS.labels(self.name).set(gas)
        ANCHOR_GAS_PER_RECORD.labels(self.name).set(gas / captured.records)
        self.kept.key, self.kept.captured = (None, None) if captured.missing else (key, captured)
        return captured

    def _capture(self, head: Head, receipt: dict[str, Any]) -> Captured:
        where = (self.contract, self.log_id)
        try:
            return capture(self.node, receipt, head, *where, self.not_before(head), self.quorum.profile)
        except AnchorRejected:
            # State is asked for by number: after a reorg it is that of another block, which is nobody's lie.
            self._require_canonical(
                quantity(receipt.get("blockNumber")), octets(receipt.get("blockHash"), 32)
            )
            raise

    def _require_canonical(self, number: int, block_hash: bytes) -> None:
        if block_at(self.node, hex(number), self.quorum.profile)[1].hash != block_hash:
            raise AnchorUnavailable(f"block {number} was replaced while it was looked at")
