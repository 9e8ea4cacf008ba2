"""The adapter for Ethereum-compatible chains: transactions to the contract, and evidence of what was mined."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from notary.anchoring.blocks import FINALIZED, block_at, final_number
from notary.anchoring.capture import Captured, capture
from notary.anchoring.contract import ANCHOR, call_data, head_digest, read_head, signed_transaction
from notary.anchoring.funds import require_funds
from notary.anchoring.heads import require_extension, transaction_of
from notary.anchoring.port import Attempt, Head, Observation, Step, newest_of_lanes
from notary.anchoring.quorum import Quorum
from notary.anchoring.replacing import MAX_REPLACEMENTS, replaced
from notary.anchoring.rpc import Node, octets, quantity, record
from notary.anchoring.submitting import stopping, submit
from notary.anchoring.transaction import signature_of
from notary.errors import AnchorRejected, AnchorUnavailable, LaneStopped
from notary.evidence.chain import encode_evidence
from notary.evidence.chain_header import PROFILES
from notary.observe import ANCHOR_GAS
from notary.signers import Signer

_T = TypeVar("_T")


@dataclass(slots=True)
class EvmAnchor:
    """One log on one contract of one chain.

    Attributes:
        contract: 20 bytes.
        log_id: 32 bytes.
        head_key: authority over the log's head; it signs heads and never pays.
        wallet: pays for transactions and has no authority.
        not_before: RLP of the headers of the blocks that statements under a head name.
        finality: "finalized" or "depth:N".
        profile: how headers are hashed.
        others: further endpoints of the chain, which must agree on what is final.
        needed: how many endpoints must, the first one counted.
        allowance: wei that a transaction with a nonce may take within the wallet's share of the day; None: any.
    """

    name: str
    node: Node
    contract: bytes
    log_id: bytes
    head_key: Signer
    wallet: Signer
    not_before: Callable[[Head], Sequence[bytes]]
    finality: str = FINALIZED
    profile: str = PROFILES[0]
    kind: str = "evm"
    others: tuple[Node, ...] = ()
    needed: int = 1
    allowance: Callable[[int], int | None] = lambda _nonce: None
    # The last complete capture, by transaction and block: a node forgets the state that proofs are made from,
    # so what was captured when mined is what is given when final.
    _kept: tuple[tuple[bytes, bytes], Captured] | None = field(default=None, init=False, repr=False)

    @property
    def lane(self) -> str:
        """Address of the wallet."""
        return self.wallet.address

    def attested_size(self) -> int:
        """Size of the newest head on chain. Raises as `on_chain_head`."""
        return self.on_chain_head()[0]

    def held_root(self, size: int) -> bytes | None:
        """Root of the head of this size that enough endpoints say the contract holds; None where they do not."""
        said = self._said(lambda node: read_head(node, self.contract, self.log_id))
        return next(
            (root for found, root in said if found == size and said.count((found, root)) >= self.needed), None
        )

    def first_nonce(self) -> int:
        """How many transactions the wallet has on chain. Raises as `chain_nonce`."""
        return self.chain_nonce(self.wallet.address)

    def on_chain_head(self) -> tuple[int, bytes]:
        """Size and root of the newest head that the contract holds; size 0 where there is none.

        Raises:
            AnchorUnavailable: the node does not answer.
            AnchorRejected: it is of another chain, or there is no such contract.
        """
        self.node.require_chain()
        return read_head(self.node, self.contract, self.log_id)

    def chain_nonce(self, address: str) -> int:
        """How many transactions of `address` are mined.

        Raises:
            AnchorUnavailable: the node does not answer.
            AnchorRejected: it is of another chain.
        """
        self.node.require_chain()
        return quantity(self.node.ask("eth_getTransactionCount", address, "latest"))

    def sign(self, head: Head, nonce: int, consistency: Sequence[bytes], old_size: int) -> Attempt:
        """Make a transaction that anchors `head`; nothing is sent.

        The consistency proof is checked here against the head on chain before the head key signs, and the whole
        transaction is tried on the node before the wallet signs.

        Raises:
            AnchorUnavailable: the node does not answer, or its fees are out of bounds.
            LaneStopped: the wallet holds too little, or has spent its day's share.
            AnchorRejected: the head does not extend the one on chain, the head key is not the log's, or the
                contract would refuse.
        """
        self.node.require_chain()
        require_extension(
            self.node, self.contract, self.log_id, self.head_key.address, head, consistency, old_size
        )
        digest = head_digest(self.node.chain_id, self.contract, self.log_id, head.size, head.root)
        signature = signature_of(self.head_key, digest)
        data = call_data(ANCHOR, self.log_id, head.size, head.root, list(consistency), signature)
        afford = partial(self._afford, nonce)
        with stopping():
            raw, ref = signed_transaction(self.node, self.wallet, nonce, self.contract, data, afford)
        return Attempt(ref, raw, nonce, self.lane)

    def send(self, head: Head, attempt: Attempt) -> Observation:  # noqa: ARG002 - the port's form
        """Send the stored bytes. Whatever the node objects, the hash is looked up before it is believed.

        Returns:
            SENT: the node has the transaction.

        Raises:
            AnchorUnavailable: the node does not answer, or does not take it (fee too low).
            LaneStopped: the wallet holds too little; or the node knows nothing of the transaction and says that
                its nonce went to another: it lags behind, or somebody else uses the wallet's key.
            AnchorRejected: the node is of another chain.
        """
        self.node.require_chain()
        return submit(self.node, self.name, attempt, attempt.lane or self.lane)

    def replacement(self, attempts: Sequence[Attempt], since: datetime) -> Attempt | None:
        """The last attempt for a higher fee.

        Returns:
            None where a chain takes no fees, after eight, while an earlier nonce is missing or ours is used, for
            another wallet's, and until a block was made after `since`: a chain that
            stands still takes no more for more.

        Raises:
            AnchorUnavailable: the node does not answer, or asks for more than the cap for a unit of gas.
            LaneStopped: the wallet holds too little, or has spent its day's share.
            AnchorRejected: it is of another chain.
        """
        same = [each for each in attempts if (each.lane, each.nonce) == (self.lane, attempts[-1].nonce)]
        if self.node.fees == "free" or not 0 < len(same) <= MAX_REPLACEMENTS:
            return None
        if self.chain_nonce(self.wallet.address) != attempts[-1].nonce:
            return None
        if block_at(self.node, "latest", self.profile)[1].time <= since.timestamp():
            return None
        with stopping():
            return replaced(self.node, self.wallet, attempts[-1], partial(self._afford, attempts[-1].nonce))

    def observe(self, head: Head, attempts: Sequence[Attempt]) -> Observation:
        """Look at all attempts.

        Returns:
            MINED or FINAL with evidence, captured and verified here; SENT while no attempt is in a block, also
            after a reorg; REJECTED where that with the newest nonce reverted and nobody else anchored the head; DUE
            without attempts.

        Raises:
            AnchorUnavailable: the node does not answer, or the chain moved meanwhile.
            AnchorRejected: the node is of another chain, or its answers do not add up.
        """
        self.node.require_chain()
        if not attempts:
            return Observation(Step.DUE)
        receipts = [self._receipt(attempt.ref) for attempt in attempts]
        mined = [receipt for receipt in receipts if receipt is not None]
        good = next((r for r in mined if quantity(r.get("status")) == 1), None)
        if good is None and mined:
            # A head key's signature is public once it is sent, and anyone may have been faster with it.
            good = self._sent_by_another(head)
            # What reverted for an earlier anchoring of this head says nothing of the one under way.
            ours = {(a.lane, a.nonce) for a, receipt in zip(attempts, receipts, strict=True) if receipt}
            if good is None and (attempts[-1].lane, attempts[-1].nonce) in ours:
                return Observation(Step.REJECTED, detail="the transaction reverted")
        if good is None:
            return self._waiting(attempts)
        return self._mined(head, good)

    def _mined(self, head: Head, receipt: dict[str, Any]) -> Observation:
        # Finality first: a block that is canonical after this was read, and not newer, is final.
        final = final_number(self.node, self.finality, self.profile)
        key = (octets(receipt.get("transactionHash"), 32), octets(receipt.get("blockHash"), 32))
        if self._kept is not None and self._kept[0] == key:
            captured = self._kept[1]
        else:
            captured = self._capture(head, receipt)
            ANCHOR_GAS.labels(self.name).set(quantity(receipt.get("gasUsed")))
            self._kept = None if captured.missing else (key, captured)
        header = captured.header
        self._require_canonical(header.number, header.hash)
        detail = f"block {header.number}" + (f"; {captured.missing}" if captured.missing else "")
        step = Step.MINED
        if header.number <= final:
            quorum = Quorum((self.node, *self.others), self.needed, self.finality, self.profile)
            agree = quorum.holding(header)
            detail += f"; final at {agree} of {len(quorum.nodes)} endpoints"
            step = Step.FINAL if agree >= self.needed else Step.MINED
        return Observation(step, encode_evidence(captured.evidence), detail)

    def _capture(self, head: Head, receipt: dict[str, Any]) -> Captured:
        try:
            return capture(
                self.node, receipt, head, self.contract, self.log_id, self.not_before(head), self.profile
            )
        except AnchorRejected:
            # State is asked for by number: after a reorg it is that of another block, which is nobody's lie.
            self._require_canonical(
                quantity(receipt.get("blockNumber")), octets(receipt.get("blockHash"), 32)
            )
            raise

    def _require_canonical(self, number: int, block_hash: bytes) -> None:
        if block_at(self.node, hex(number), self.profile)[1].hash != block_hash:
            raise AnchorUnavailable(f"block {number} was replaced while it was looked at")

    def _waiting(self, attempts: Sequence[Attempt]) -> Observation:
        used = any(self.chain_nonce(a.lane or self.lane) > a.nonce for a in newest_of_lanes(attempts))
        detail = "the nonce is used, and by none of our transactions that the node knows" if used else ""
        return Observation(Step.SENT, detail=detail)

    def _afford(self, nonce: int, cost: int) -> None:
        require_funds(self.node, self.name, self.lane, cost)
        allowed = self.allowance(nonce)
        if allowed is not None and cost > allowed:
            raise LaneStopped(
                f"wallet {self.lane} may spend {allowed} wei more today, and the transaction may take {cost}"
            )

    def _said(self, question: Callable[[Node], _T]) -> list[_T]:
        """What each endpoint of this chain answers; those that give no answer that can be used are left out."""
        found = []
        for node in (self.node, *self.others):
            with suppress(AnchorUnavailable, AnchorRejected):
                node.require_chain()
                found.append(question(node))
        return found

    def _receipt(self, ref: bytes) -> dict[str, Any] | None:
        receipt = self.node.ask("eth_getTransactionReceipt", f"0x{ref.hex()}")
        return None if receipt is None else record(receipt)

    def _sent_by_another(self, head: Head) -> dict[str, Any] | None:
        """The receipt of whichever recent transaction anchored exactly this head."""
        ref = transaction_of(self.node, self.contract, self.log_id, head, self.profile)
        return None if ref is None else self._receipt(ref)
