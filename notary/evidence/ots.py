"""Checks 5.3 and 5.4: OpenTimestamps files over the checkpoint of a head, and the Bitcoin blocks that they lead to."""

from hashlib import sha256

from notary.errors import ChainError
from notary.evidence.bitcoin import BlockHeader, shown
from notary.evidence.collect import Collector
from notary.evidence.head import Head
from notary.evidence.ots_file import Attestation, InBlock, Pending, Unknown, parse_ots
from notary.evidence.outcome import Bound, Claim
from notary.evidence.trust import Trust


def check_ots(out: Collector, files: dict[str, bytes], trust: Trust, head: Head) -> None:
    """Check each file, by its name in the package, over the stamped bytes of a head."""
    for name, data in files.items():
        subject = f"{name}@{head.checkpoint.size}"
        attestations: tuple[Attestation, ...] = ()
        with out.check("5.3", Claim.RECOMPUTED, subject) as done:
            attestations = parse_ots(data, sha256(head.note).digest())
            blocks = [item for item in attestations if isinstance(item, InBlock)]
            done.detail = "; ".join([f"leads to Bitcoin block {_heights(blocks)}", *_others(attestations)])
            if not blocks:
                done.skip = "; ".join(
                    ["pending: no Bitcoin block is in the file yet", *_others(attestations)]
                )
        if done.ok and not done.skip:
            _check_blocks(out, blocks, trust, head, subject)


def _check_blocks(out: Collector, blocks: list[InBlock], trust: Trust, head: Head, subject: str) -> None:
    """One block that is proved is enough, whatever else the file says; none of the rest bounds anything."""
    known = dict(trust.bitcoin_blocks)
    proved = [known[at.height] for at in blocks if _is_root(known.get(at.height), at)]
    with out.check("5.4", Claim.ATTESTED, subject) as done:
        wrong = [at for at in blocks if at.height in known]
        if proved:
            header = min(proved, key=lambda each: each.time)
            done.detail = f"block {header.hash.hex()} of {header.time.isoformat()}, as the trust file has it"
            size = head.checkpoint.size
            head.bounds.append(Bound("bitcoin", "bitcoin", "Bitcoin", header.not_after, size))
        elif wrong:
            raise ChainError(
                f"the Merkle root of block {wrong[0].height} in the trust file is "
                f"{shown(known[wrong[0].height].merkle_root)}, the file leads to {shown(wrong[0].merkle_root)}"
            )
        else:
            roots = ", ".join(f"block {at.height} with Merkle root {shown(at.merkle_root)}" for at in blocks)
            done.skip = (
                f"attested in Bitcoin {roots}; header not given: compare it with an explorer that you trust"
            )


def _is_root(header: BlockHeader | None, at: InBlock) -> bool:
    return header is not None and header.merkle_root == at.merkle_root


def _heights(blocks: list[InBlock]) -> str:
    return ", ".join(str(height) for height in sorted({at.height for at in blocks}))


def _others(attestations: tuple[Attestation, ...]) -> list[str]:
    """What the file holds besides blocks, for people: calendars to ask, and kinds that nobody here can check."""
    calendars = sorted({item.uri for item in attestations if isinstance(item, Pending)})
    tags = sorted({item.tag for item in attestations if isinstance(item, Unknown)})
    waiting = [f"calendars that may know more: {', '.join(calendars)}"] if calendars else []
    return waiting + ([f"attestations of unknown kinds: {', '.join(tags)}"] if tags else [])
