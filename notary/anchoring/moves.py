"""Which moves follow from what is seen of an anchoring, and which evidence stays, and may stay."""

from notary.anchoring.port import Head, Step
from notary.errors import AnchorRejected, EvidenceError
from notary.evidence.chain import check_receipt, decode_evidence, decode_header

_CHAIN = "evm"

# Which states to pass through, in one transaction, when an anchoring in a state is seen at a step. What is not
# here changes nothing; and there is no way out of `final`.
WAY: dict[tuple[str, Step], tuple[str, ...]] = {
    ("due", Step.MINED): ("sent", "mined"),
    ("due", Step.FINAL): ("sent", "mined", "final"),
    ("signed", Step.SENT): ("sent",),
    ("signed", Step.MINED): ("sent", "mined"),
    ("signed", Step.FINAL): ("sent", "mined", "final"),
    ("signed", Step.REJECTED): ("rejected",),
    ("sent", Step.MINED): ("mined",),
    ("sent", Step.FINAL): ("mined", "final"),
    ("sent", Step.REJECTED): ("rejected",),
    ("mined", Step.SENT): ("sent",),
    ("mined", Step.DUE): ("due",),
    ("mined", Step.MINED): ("mined",),
    ("mined", Step.FINAL): ("final",),
    ("mined", Step.REJECTED): ("rejected",),
}


def reorged(state: str, stored: bytes | None, step: Step, seen: bytes | None) -> bool:
    """Whether what was mined is in its block no more: in none, or in another one."""
    if state != "mined":
        return False
    if step in (Step.SENT, Step.DUE):
        return True
    return (
        bool(stored and seen) and decode_evidence(stored or b"").header != decode_evidence(seen or b"").header
    )


def keeps(stored: bytes | None, seen: bytes) -> bool:
    """Whether stored evidence is of the same block and has all that is seen now.

    Proofs of state are captured when mined, and may not be had any more when final; or only then, from a node
    that had not got them before.
    """
    if stored is None:
        return False
    old, new = decode_evidence(stored), decode_evidence(seen)
    had, has = (
        (
            e.account_proof is not None,
            None not in (e.head_slots or (None,)),
            sum(item.storage_proof is not None for item in e.not_before),
        )
        for e in (old, new)
    )
    return old.header == new.header and had >= has


def require_anchors(kind: str, evidence: bytes | None, head: Head) -> None:
    """Assert that what a chain shows is the anchor of exactly this head, before it is stored as its word.

    Whoever captured it looked at that. It is looked at once more, by the very bytes that are kept and nobody's memory
    of what they were captured for: there is no way out of `final`, and a package with another head's evidence fails.

    Raises:
        AnchorRejected: there is none, it does not hold, or it is of another head.
    """
    if kind != _CHAIN:
        return
    try:
        shown = decode_evidence(evidence or b"")
        event = check_receipt(shown, decode_header(shown.header, shown.profile))
    except EvidenceError as error:
        raise AnchorRejected(f"the evidence that would be kept does not hold: {error}") from error
    if (event.new_size, event.new_root) != (head.size, head.root):
        of = f"of a head of size {event.new_size}, and not of this one of size {head.size}"
        raise AnchorRejected(f"the evidence that would be kept is {of}")
