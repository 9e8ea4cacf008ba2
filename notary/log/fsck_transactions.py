"""What must be true of anchorings on a chain: every transaction that was made, and the chain's word on them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from notary.anchoring.compiled import CODE_HASH
from notary.anchoring.contract import head_digest
from notary.anchoring.port import Head
from notary.anchoring.reading import Transaction, head_signer, read_anchor_call, read_transaction
from notary.errors import ChainError, EvidenceError
from notary.evidence.bodies import Genesis
from notary.evidence.chain import (
    ChainEvidence,
    ChainTrust,
    check_binding,
    check_code,
    check_history,
    check_receipt,
    decode_evidence,
    decode_header,
)
from notary.evidence.chain_head import stored_head
from notary.evidence.chain_header import PROFILES, Header
from notary.evidence.chain_seals import check_seals, validators_at
from notary.evidence.keccak import keccak256
from notary.evidence.statement import Block
from notary.log.fsck_lanes import Lanes
from notary.store.anchorings import Anchoring
from notary.store.engine import Connection
from notary.store.outbox import Attempt


@dataclass(slots=True)
class TransactionChecks:
    """Checks of anchorings of the kind `evm`.

    Attributes:
        genesis: what entry 0 says of chain, contract and head key; None where it says nothing that can be read.
        chains: by the name of the anchor, those that the settings name.
        roots: of every checkpoint, by its size.
        head_keys: addresses (20 bytes) of keys that may sign heads, beside the one of entry 0.
        kept: the finalized block of a chain id and number, where it was kept.
        contradicted: whether the block of the anchoring with this id is known not to be the chain's any more.
    """

    genesis: Genesis | None
    chains: Mapping[str, ChainTrust]
    roots: Mapping[int, bytes]
    head_keys: set[bytes]
    kept: Callable[[int, int], Block | None]
    contradicted: Callable[[int], bool]
    lanes: Lanes = field(default_factory=Lanes)

    def __post_init__(self) -> None:
        """The key of entry 0 signs until another one is known."""
        if self.genesis is not None:
            self.head_keys = self.head_keys | {bytes.fromhex(self.genesis.head_key[2:])}

    def problems(self, item: Anchoring, head: Head, attempts: Sequence[Attempt]) -> Iterator[str]:
        """As `KindChecks.problems`."""
        trust = self.chains.get(item.anchor) or self._of_genesis()
        if trust is None:
            return  # entry 0 cannot be read, which is told of it
        proved: ChainEvidence | None = None
        if item.evidence is not None:
            try:
                proved = self._evidence(item, item.evidence, head, trust)
            except EvidenceError as error:
                yield f"its evidence: {error}"
        for attempt in attempts:
            for problem in self._attempt(item, head, attempt, trust, proved):
                yield f"attempt {attempt.ref}: {problem}"

    def left_over(self, connection: Connection) -> Iterator[str]:
        """As `KindChecks.left_over`."""
        return self.lanes.left_over(connection)

    def _of_genesis(self) -> ChainTrust | None:
        if self.genesis is None:
            return None
        contract = bytes.fromhex(self.genesis.contract[2:])
        return ChainTrust(
            self.genesis.chain_id, contract, self.genesis.log_id, CODE_HASH, PROFILES[0], blocks=()
        )

    def _evidence(self, item: Anchoring, data: bytes, head: Head, trust: ChainTrust) -> ChainEvidence:
        evidence = decode_evidence(data)
        check_binding(evidence, trust)
        header = decode_header(evidence.header, trust.profile)
        known = self.kept(evidence.chain_id, header.number)
        if known is not None and known.hash != header.hash and not self.contradicted(item.id):
            raise ChainError(f"block {header.number} is another one than was seen final")
        event = check_receipt(evidence, header)
        if (event.new_size, event.new_root) != (head.size, head.root):
            raise ChainError(f"the event is of size {event.new_size} root {event.new_root.hex()}")
        if event.old_size and event.old_size not in self.roots:
            raise ChainError(f"the event extends a head of size {event.old_size} that is not ours")
        if evidence.account_proof is not None:
            check_code(evidence, header, trust.code_hash)
            _check_head(evidence, header, head)
        validators = validators_at(header.number, trust.validators)
        if validators is not None:
            check_seals(evidence.header, header, trust.profile, validators)
        for earlier in evidence.not_before:
            found = decode_header(earlier.header, trust.profile)
            if earlier.storage_proof is not None:
                check_history(evidence, header, found)
        return evidence

    def _attempt(
        self,
        item: Anchoring,
        head: Head,
        attempt: Attempt,
        trust: ChainTrust,
        proved: ChainEvidence | None,
    ) -> Iterator[str]:
        if keccak256(attempt.raw).hex() != attempt.ref:
            yield "its bytes are those of another transaction"
        try:
            sent = read_transaction(attempt.raw)
            yield from _fields(sent, attempt, trust)
            yield from self.lanes.problems(item, attempt.lane, sent.sender, sent.nonce)
            signer = _signer(sent, head, trust)
        except ChainError as error:
            yield str(error)
            return
        # The contract takes a head from the head key alone: whoever signed what the chain took, had handed over to him.
        if proved is not None and proved.transaction == keccak256(attempt.raw):
            self.head_keys.add(signer)
        if signer not in self.head_keys:
            yield f"its head is signed by 0x{signer.hex()}, which is no head key that is known"


def _fields(sent: Transaction, attempt: Attempt, trust: ChainTrust) -> Iterator[str]:
    if sent.chain_id != trust.chain_id:
        yield f"it is for chain {sent.chain_id}, not for {trust.chain_id}"
    if sent.to != trust.contract:
        yield f"it is for 0x{sent.to.hex()}, not for the contract"
    if sent.value:
        yield f"it pays {sent.value} wei"
    if sent.nonce != attempt.nonce:
        yield f"its nonce is {sent.nonce}, not {attempt.nonce}"


def _signer(sent: Transaction, head: Head, trust: ChainTrust) -> bytes:
    """Who signed the head that a transaction anchors."""
    call = read_anchor_call(sent.data)
    if (call.log_id, call.size, call.root) != (trust.log_id, head.size, head.root):
        raise ChainError(f"it anchors size {call.size} root {call.root.hex()} of log 0x{call.log_id.hex()}")
    digest = head_digest(trust.chain_id, trust.contract, trust.log_id, head.size, head.root)
    return head_signer(digest, call.signature)


def _check_head(evidence: ChainEvidence, header: Header, head: Head) -> None:
    """The contract's own storage, where its proof was captured, holds this head or a later one of the same block."""
    if evidence.head_slots is None or None in evidence.head_slots:
        return
    stored = stored_head(evidence, header)
    if stored.size < head.size or (stored.size == head.size and stored.root != head.root):
        raise ChainError(f"the contract holds size {stored.size} root {stored.root.hex()}")
