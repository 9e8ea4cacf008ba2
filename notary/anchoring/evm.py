"""The adapter for Ethereum-compatible chains: transactions to the contract, and evidence of what was mined."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from notary.anchoring.agreeing import (
    agreed_nonce,
    held_root,
    lost_nonce,
    nonce_of,
    of_first,
    require_held,
    shown,
    to_accuse,
)
from notary.anchoring.blocks import FINALIZED
from notary.anchoring.capture import receipt_of
from notary.anchoring.contract import ANCHOR, call_data, head_digest, read_head
from notary.anchoring.data_fee import data_fee
from notary.anchoring.fees import fee_fields
from notary.anchoring.fields import quantity
from notary.anchoring.funds import require_share
from notary.anchoring.heads import Search, require_extension, transaction_of
from notary.anchoring.majority import AgreedHead, agreed_head, by_most, failed
from notary.anchoring.mined import Kept, Mined
from notary.anchoring.own import own_transaction
from notary.anchoring.port import Attempt, Head, Observation, Step, newest_of_lanes
from notary.anchoring.quorum import Quorum
from notary.anchoring.replacing import MAX_REPLACEMENTS, replacement, times_replaced
from notary.anchoring.rpc import Node
from notary.anchoring.submitting import stopping, submit_to_all
from notary.anchoring.transaction import cost_of, signature_of, signed
from notary.anchoring.trying import gas_of, require_taken
from notary.evidence.chain_header import PROFILES
from notary.signers import Signer

_SIGNATURE = 65  # bytes of the head key's
_ENVELOPE = 128  # bytes of a transaction beside its input, at most
_TIMES = 2  # what data cost now, by the time that they are paid for


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
        node: the endpoint that is asked first.
        others: those that are asked where it gives no answer, one after another; all must agree on what is final.
        needed: how many endpoints must, the first one counted.
        earliest: no block before this one can hold the event of a head; what is known of smaller heads tells.
        final: size of the newest head that is known to be final: an endpoint that tells of a smaller one lags or lies.
        allowance: wei that a transaction with a nonce may take within the wallet's share of the day, where each other
            one is counted with so much beside its gas; None: any.
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
    allowance: Callable[[int, int], int | None] = lambda _nonce, _data: None
    earliest: Callable[[Head], int] = lambda _head: 0
    final: Callable[[], int] = lambda: 0
    _kept: Kept = field(default_factory=Kept, init=False, repr=False)
    _search: Search = field(default_factory=Search, init=False, repr=False)

    @property
    def _nodes(self) -> tuple[Node, ...]:
        return (self.node, *self.others)

    @property
    def lane(self) -> str:
        """Address of the wallet."""
        return self.wallet.address

    def attested_size(self) -> int:
        """Size of the newest head on chain. Raises as `on_chain_head`."""
        return self._agreed().size

    def held_root(self, size: int) -> bytes | None:
        """Root of the head of this size that enough endpoints say the contract holds; None where they do not."""
        return held_root(self._nodes, self.needed, self.contract, self.log_id, size)

    def first_nonce(self) -> int:
        """How many transactions the wallet has on chain. Raises as `chain_nonce`."""
        return of_first(self._nodes, lambda node: nonce_of(node, self.wallet.address))

    def agreed_nonce(self, *, accusing: bool = False) -> int:
        """The same, as all endpoints say that answer. Raises as `agreeing.agreed_nonce`."""
        needed = to_accuse(self._nodes, self.needed) if accusing else self.needed
        return agreed_nonce(self._nodes, needed, self.wallet.address)

    def lost_nonce(self, lane: int) -> int | None:
        """The first of the wallet's nonces below `lane` that the chain lost. As `agreeing.lost_nonce`."""
        return lost_nonce(self._nodes, self.needed, self.wallet.address, lane)

    def shown(self, attempts: Sequence[Attempt]) -> bool:
        """Whether an endpoint shows the receipt of one of these, by its own word; it is told. As `agreeing.shown`."""
        return shown(self._nodes, [attempt.ref for attempt in attempts])

    def on_chain_head(self) -> tuple[int, bytes]:
        """Size and root of the newest head that the contract holds, as the endpoints agree; size 0 where there is none.

        Raises:
            AnchorUnavailable: no endpoint answers, or they do not agree.
            AnchorRejected: of those that answer, none is of this chain and has the contract.
        """
        agreed = self._agreed()
        return agreed.size, agreed.root

    def sign(self, head: Head, nonce: int, consistency: Sequence[bytes], old_size: int) -> Attempt:
        """Make a transaction that anchors `head`; nothing is sent.

        The consistency proof is checked here against the head on chain, as the endpoints agree on it, and the call is
        tried on one of them, before the head key signs. Its signature is in the transaction and nowhere else: whoever
        stores that before it is sent shows nobody what is not stored.

        Raises:
            AnchorUnavailable: no endpoint answers, they do not agree, or fees are out of bounds.
            LaneStopped: the wallet holds too little, or has spent its day's share.
            HeadRefused: the head does not extend the one on chain, the head key is not the log's, or the contract
                would refuse, by the word of most.
            AnchorRejected: an answer is of another form, which says nothing of the head.
        """
        among = self._agreed().nodes
        fields = by_most(
            self._nodes,
            self.needed,
            among,
            lambda node: self._tried(node, head, nonce, consistency, old_size),
        )
        digest = head_digest(self.node.chain_id, self.contract, self.log_id, head.size, head.root)
        fields["data"] = self._call(head, consistency, signature_of(self.head_key, digest))
        with stopping():
            raw, ref = signed(fields, self.wallet)
        return Attempt(ref, raw, nonce, self.lane)

    def send(self, head: Head, attempt: Attempt, *earlier: Attempt) -> Observation:  # noqa: ARG002 - the port's form
        """Send the stored bytes by every endpoint. Whatever one objects, the hash is looked up before it is believed.

        Returns:
            SENT: one of them has the transaction.

        Raises:
            AnchorUnavailable, LaneStopped, AnchorRejected: as `submitting.submit_to_all`.
        """
        sender = attempt.lane or self.lane
        return submit_to_all(self._nodes, self.needed, self.name, attempt, sender, self.profile, earlier)

    def replacement(self, attempts: Sequence[Attempt], since: datetime, blocks: int = 1) -> Attempt | None:
        """The last attempt for a higher fee. As `replacing.replacement`; LaneStopped also where it costs too much."""

        def made(node: Node) -> Attempt | None:
            afford = partial(self._afford, node, attempts[-1].nonce)
            return replacement(node, self.wallet, attempts, since, self.profile, afford, blocks, self._nodes)

        with stopping():
            return of_first(self._nodes, made)

    def observe(self, head: Head, attempts: Sequence[Attempt]) -> Observation:
        """Look at all attempts.

        Returns:
            MINED or FINAL with evidence, captured and verified here; SENT while no attempt is in a block, also
            after a reorg; REJECTED where that with the newest nonce reverted, as the endpoints agree, and nobody else
            anchored the head; DUE without attempts.

        Raises:
            AnchorUnavailable: the node does not answer, or the chain moved meanwhile.
            AnchorRejected: the node is of another chain, or its answers do not add up.
        """
        return of_first(self._nodes, lambda node: self._observed(node, head, attempts))

    def _observed(self, node: Node, head: Head, attempts: Sequence[Attempt]) -> Observation:
        if not attempts:
            return Observation(Step.DUE)
        receipts = [receipt_of(node, attempt.ref) for attempt in attempts]
        mined = [receipt for receipt in receipts if receipt is not None]
        good = next((r for r in mined if quantity(r.get("status")) == 1), None)
        if good is None and mined:
            # A head key's signature is public once it is sent, and anyone may have been faster with it.
            good = self._event_of(node, head)
            # What reverted for an earlier anchoring of this head says nothing of the one under way.
            ours = {(a.lane, a.nonce) for a, receipt in zip(attempts, receipts, strict=True) if receipt}
            if good is None and (attempts[-1].lane, attempts[-1].nonce) in ours:
                return failed(self._nodes, self.needed, attempts)
        if good is None:
            return self._waiting(node, attempts)
        return self._mined(node, head, good)

    def adopted(self, head: Head) -> Observation | None:
        """What another transaction than ours did for a head: whoever has the head key's signature may send it.

        Returns:
            MINED or FINAL, as `observe`; None where no transaction anchored exactly this head.

        Raises:
            AnchorUnavailable: as `observe`; or there are more blocks to be looked through, and the next call goes on.
            AnchorRejected: as `observe`.
        """
        return of_first(self._nodes, lambda node: self._adopted(node, head))

    def _adopted(self, node: Node, head: Head) -> Observation | None:
        if self._head(node)[0] < head.size:
            return None
        receipt = self._event_of(node, head)
        return None if receipt is None else self._mined(node, head, receipt)

    def own(self, head: Head, ref: bytes, lane: str) -> Attempt | None:
        """The transaction with this hash, where this wallet anchored the head by it. As `own.own_transaction`."""
        where = (self.contract, self.log_id)
        return of_first(self._nodes, lambda node: own_transaction(node, lane, *where, head, ref))

    def _head(self, node: Node) -> tuple[int, bytes]:
        return read_head(node, self.contract, self.log_id)

    def _agreed(self) -> AgreedHead:
        return agreed_head(self._nodes, self.needed, self.contract, self.log_id, self.final())

    def _tried(
        self, node: Node, head: Head, nonce: int, consistency: Sequence[bytes], old_size: int
    ) -> dict[str, Any]:
        """The fields of a transaction that the contract would take and the wallet can pay, all but its input."""
        where = (self.contract, self.log_id)
        require_extension(node, *where, self.head_key.address, head, consistency, old_size)
        require_taken(node, self.lane, *where, head, consistency)
        fields = {"chainId": node.chain_id, "nonce": nonce, "to": self.contract, "value": 0}
        fields |= {"gas": gas_of(len(consistency))} | fee_fields(node, self._nodes)
        size = _ENVELOPE + len(self._call(head, consistency, bytes(_SIGNATURE)))
        self._afford(node, nonce, fields, size)
        return fields

    def _call(self, head: Head, consistency: Sequence[bytes], signature: bytes) -> bytes:
        return call_data(ANCHOR, self.log_id, head.size, head.root, list(consistency), signature)

    def _mined(self, node: Node, head: Head, receipt: dict[str, Any]) -> Observation:
        quorum = Quorum(self._nodes, self.needed, self.finality, self.profile)
        mined = Mined(self.name, node, quorum, self.contract, self.log_id, self.not_before, self._kept)
        return mined.look(head, receipt)

    def _waiting(self, node: Node, attempts: Sequence[Attempt]) -> Observation:
        used = any(nonce_of(node, a.lane or self.lane) > a.nonce for a in newest_of_lanes(attempts))
        detail = "the nonce is used, and by none of our transactions that the node knows" if used else ""
        times = times_replaced(attempts)
        if not used and times >= MAX_REPLACEMENTS:
            detail = (
                f"made again {times} times, each time for more, and in no block: it is made again once the chain asks "
                "for more than it offers, up to max_fee_gwei"
            )
        return Observation(Step.SENT, detail=detail)

    def _afford(self, node: Node, nonce: int, fields: dict[str, Any], size: int) -> None:
        data = _TIMES * data_fee(node, self.profile, size, fields["gas"], self._nodes)
        cost = cost_of(fields) + data
        require_held(self._nodes, node, self.name, self.lane, cost)
        require_share(self.lane, cost, self.allowance(nonce, data))

    def _event_of(self, node: Node, head: Head) -> dict[str, Any] | None:
        """The receipt of whichever transaction anchored exactly this head."""
        where = (self.contract, self.log_id)
        ref = transaction_of(node, *where, head, self.profile, self.earliest(head), self._search)
        return None if ref is None else receipt_of(node, ref)
