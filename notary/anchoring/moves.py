"""Which moves follow from what is seen of an anchoring, and which evidence stays."""

from notary.anchoring.port import Step
from notary.evidence.chain import decode_evidence

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
