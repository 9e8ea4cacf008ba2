"""Checks on the chain anchor of a head: 6.1 to 6.7, and 7.1 and 7.2 on the not-before block."""

from dataclasses import dataclass
from datetime import UTC, datetime

from notary.errors import ChainError, FormatError
from notary.evidence.asked import WantedBlock, silent_about
from notary.evidence.chain import (
    ChainEvidence,
    ChainTrust,
    Header,
    NotBefore,
    check_binding,
    check_block,
    check_code,
    check_history,
    check_receipt,
    decode_evidence,
    decode_header,
    first_that_holds,
    headers_of,
)
from notary.evidence.chain_bft import SEALED
from notary.evidence.chain_head import stored_head
from notary.evidence.chain_seals import check_seals, validators_at
from notary.evidence.collect import Collector
from notary.evidence.head import Head
from notary.evidence.outcome import Bound, Claim
from notary.evidence.package import Package
from notary.evidence.statement import Block
from notary.evidence.trust import Trust


@dataclass(frozen=True, slots=True)
class _Anchor:
    """Evidence that names the trusted chain, its header, and where to report."""

    evidence: ChainEvidence
    header: Header
    chain: ChainTrust
    head: Head
    out: Collector

    @property
    def subject(self) -> str:
        return f"head {self.head.checkpoint.size}"


def check_anchor(
    out: Collector, package: Package, trust: Trust, not_before: Block | None, head: Head
) -> None:
    """Check the anchor of one head, where the package holds one."""
    folder = f"heads/{head.checkpoint.size}"
    data = package.files.get(f"{folder}/anchor.json")
    if data is None:
        return
    subject = f"head {head.checkpoint.size}"
    if not trust.chains:
        out.unchecked("6.1", Claim.NOT_COVERED, subject, "the trust file names no chain")
        return
    with out.check("6.1", Claim.RECOMPUTED, subject) as done:
        evidence = decode_evidence(data)
        chain = _trusted(evidence, trust)
        if chain is None:
            done.skip = f"the trust file names no chain {evidence.chain_id}"
            done.skip_claim = Claim.NOT_COVERED
            return
        check_binding(evidence, chain)
        if package.files.get(f"{folder}/header.rlp", evidence.header) != evidence.header:
            raise FormatError("header.rlp is not the header of anchor.json")
        anchor = _Anchor(evidence, decode_header(evidence.header, chain.profile), chain, head, out)
        done.detail = f"chain {chain.chain_id}, contract 0x{chain.contract.hex()}, log 0x{chain.log_id.hex()}"
    if not done.ok:
        return
    _want(anchor, anchor.header)
    named, event = _check_block(anchor), _check_event(anchor)
    code, slots = _check_code(anchor), _check_slots(anchor)
    sealed = _check_seals(anchor) if chain.profile in SEALED else None
    # A block that its validators sealed needs nobody to name it; whoever names one cannot mend bad seals.
    trusted = (named or sealed) and False not in (named, sealed)
    if trusted and event and code and slots:
        source = f"chain {chain.chain_id}"
        head.bounds.append(Bound("chain", source, source, _time(anchor.header.time), head.checkpoint.size))
    if not_before is not None:
        _check_not_before(anchor, not_before, anchored=bool(trusted))


def _trusted(evidence: ChainEvidence, trust: Trust) -> ChainTrust | None:
    """The chain of the trust file that is meant: its contract and log id too, since a log may move."""
    same = [chain for chain in trust.chains if chain.chain_id == evidence.chain_id]
    near = [chain for chain in same if chain.contract == evidence.contract]
    exact = [chain for chain in near if chain.log_id == evidence.log_id]
    return next(iter(exact or near or same), None)


def _want(anchor: _Anchor, header: Header) -> None:
    wanted = WantedBlock(anchor.chain.chain_id, header.number, header.hash, header.time)
    if wanted not in anchor.out.blocks:
        anchor.out.blocks.append(wanted)


def _check_block(anchor: _Anchor) -> bool | None:
    """None where nobody names a block of this number: neither the trust file nor whoever was asked."""
    header, out = anchor.header, anchor.out
    shown = f"block {header.number}, hash 0x{header.hash.hex()}, time {_time(header.time).isoformat()}"
    with out.check("6.2", Claim.ATTESTED, anchor.subject) as done:
        by = check_block(header, anchor.chain)
        done.detail = f"{shown}, by the word of {by}"
        if not by:
            silent = silent_about(header.number, anchor.chain.answers)
            done.skip = f"compare with a node that you trust: {shown}{silent}"
            return None
    return done.ok


def _check_event(anchor: _Anchor) -> bool:
    with anchor.out.check("6.3", Claim.RECOMPUTED, anchor.subject) as done:
        event = check_receipt(anchor.evidence, anchor.header)
        done.detail = (
            f"transaction {anchor.evidence.transaction_index} of block {anchor.header.number} succeeded"
        )
    if not done.ok:
        return False
    with anchor.out.check("6.4", Claim.RECOMPUTED, anchor.subject) as done:
        point = anchor.head.checkpoint
        if (event.new_size, event.new_root) != (point.size, point.root):
            raise ChainError(
                f"the event records size {event.new_size} root {event.new_root.hex()}, "
                f"the checkpoint is of size {point.size} root {point.root.hex()}"
            )
        done.detail = f"size {event.new_size}, after {event.old_size}"
    return done.ok


def _check_code(anchor: _Anchor) -> bool:
    with anchor.out.check("6.5", Claim.RECOMPUTED, anchor.subject) as done:
        if anchor.evidence.account_proof is None:
            done.skip = "no account proof of the contract was captured"
        else:
            check_code(anchor.evidence, anchor.header, anchor.chain.code_hash)
            done.detail = f"code hash 0x{anchor.chain.code_hash.hex()}"
    return done.ok and not done.skip


def _check_slots(anchor: _Anchor) -> bool:
    """False where the contract held something else, or may have had a head key that is not trusted.

    Where the trust file names no head keys, the event alone says the same without a proof.
    """
    e, point = anchor.evidence, anchor.head.checkpoint
    restricted = bool(anchor.chain.head_keys)
    if e.head_slots is None and not restricted:
        return True
    with anchor.out.check("6.6", Claim.RECOMPUTED, anchor.subject) as done:
        if None in (e.account_proof, *(e.head_slots or (None,))):
            # Else whoever has a key that is not trusted would leave the proof away that shows it.
            unknown = ": whether the head key was a trusted one is open" if restricted else ""
            done.skip = f"no storage proof of the head was captured{unknown}"
            return not restricted
        stored = stored_head(e, anchor.header)
        if anchor.chain.head_keys and stored.key not in anchor.chain.head_keys:
            raise ChainError(f"the head key of the log is 0x{stored.key.hex()}, which is not trusted")
        _check_head_key(anchor, stored.key)
        done.detail = f"size {stored.size}, head key 0x{stored.key.hex()}"
        if stored.size > point.size:
            done.skip = f"a later head, of size {stored.size}, was anchored in the same block"
        elif (stored.size, stored.root) != (point.size, point.root):
            raise ChainError(
                f"the contract holds size {stored.size} root {stored.root.hex()}, "
                f"the checkpoint is of size {point.size} root {point.root.hex()}"
            )
    return done.ok


def _check_head_key(anchor: _Anchor, key: bytes) -> None:
    """The block dates the head key: it needs no other bound, and none later counts."""
    at, size = _time(anchor.header.time), anchor.head.checkpoint.size
    for period in anchor.chain.head_periods:
        if period.address != key:
            continue
        name = f"head key 0x{key.hex()}"
        if period.since is not None and at < period.since:
            raise ChainError(f"the block is of {at}, before {name} began at {period.since}")
        if period.until is not None and at > period.until:
            raise ChainError(f"the block is of {at}, after {name} ended at {period.until}")
        if period.last_good_size is not None and size > period.last_good_size:
            raise ChainError(f"{name} is trusted up to size {period.last_good_size} only: it was compromised")


def _check_seals(anchor: _Anchor) -> bool | None:
    """None where the trust file names no validators of this block."""
    header, chain = anchor.header, anchor.chain
    with anchor.out.check("6.7", Claim.ATTESTED, anchor.subject) as done:
        validators = validators_at(header.number, chain.validators)
        if validators is None:
            done.skip = f"the trust file names no validators of block {header.number}"
            return None
        seals = check_seals(anchor.evidence.header, header, chain.profile, validators)
        done.detail = f"block {header.number}, sealed by {seals} of {len(validators.addresses)} validators"
    return done.ok


def _check_not_before(anchor: _Anchor, block: Block, *, anchored: bool) -> None:
    found: list[tuple[Header, NotBefore]] = []  # one hash may be that of several: it leaves seals out
    with anchor.out.check("7.1", Claim.RECOMPUTED, anchor.subject) as done:
        found = headers_of(anchor.evidence, block.hash)
        if not found:
            done.skip = "the package does not hold the header of the not-before block"
        elif (block.chain_id, block.number, block.time) != (
            anchor.chain.chain_id,
            found[0][0].number,
            found[0][0].time,
        ):
            raise ChainError("number, time or chain of the not-before block are not those of its header")
        done.detail = f"block {block.number} of chain {block.chain_id}"
    if not done.ok or not found:
        return
    earlier = found[0][0]
    if not _is_in_state(anchor, found):  # else the anchoring block names it, and one of the two is enough
        _want(anchor, earlier)
    with anchor.out.check("7.2", Claim.ATTESTED, anchor.subject) as done:
        done.detail = _why_of_the_chain(anchor, found, anchored=anchored)
        if not done.detail:
            shown = f"compare block {earlier.number}, hash 0x{earlier.hash.hex()}"
            done.skip = (
                f"neither this block nor one whose state names it is among the trusted blocks: {shown}"
                f"{silent_about(earlier.number, anchor.chain.answers)}"
            )
    if done.ok and not done.skip:
        name = f"chain {block.chain_id} block {block.number} 0x{block.hash.hex()}"
        anchor.head.made_after = (_time(block.time), name)


def _why_of_the_chain(anchor: _Anchor, found: list[tuple[Header, NotBefore]], *, anchored: bool) -> str:
    """By what the not-before block is one of the chain; empty where nothing can be tried."""
    earlier, chain = found[0][0], anchor.chain
    if by := check_block(earlier, chain):
        return f"it is block {earlier.number} by the word of {by}"
    if anchored and _is_in_state(anchor, found):
        check_history(anchor.evidence, anchor.header, earlier)
        return f"the state of block {anchor.header.number} names it (EIP-2935)"
    validators = validators_at(earlier.number, chain.validators)
    if validators is None or earlier.number == 0:  # nobody seals the first
        return ""
    seals = first_that_holds(
        found, lambda each: check_seals(each[1].header, each[0], chain.profile, validators)
    )
    return f"{seals} of {len(validators.addresses)} validators sealed it"


def _is_in_state(anchor: _Anchor, found: list[tuple[Header, NotBefore]]) -> bool:
    """Whether a proof was captured that the state of the anchoring block names this one (EIP-2935)."""
    return anchor.evidence.history_proof is not None and any(
        item.storage_proof is not None for _, item in found
    )


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
