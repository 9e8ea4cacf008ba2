"""Checks on the receipt of a package: 4.1 to 4.3."""

from notary.errors import ProofError
from notary.evidence.collect import Collector
from notary.evidence.head import Head
from notary.evidence.note import open_note
from notary.evidence.outcome import Claim
from notary.evidence.package import Package
from notary.evidence.receipt import Promise, check_receipt, open_receipt
from notary.evidence.trust import Trust, TrustedKey


def check_receipt_file(
    out: Collector, package: Package, trust: Trust, entry: bytes, heads: list[Head]
) -> None:
    """Check the receipt, where the package holds one."""
    data = package.files.get("receipt.txt")
    if data is None:
        return
    if not trust.receipt_keys:
        out.unchecked("4.1", Claim.NOT_COVERED, detail="the trust file names no receipt key")
        return
    with out.check("4.1", Claim.STATED) as done:
        keys = [key.verifier for key in trust.receipt_keys]
        promise, file = open_receipt(data, trust.origin, keys)
        _, verifier = open_note(file.note, keys)
        key = next(key for key in trust.receipt_keys if key.verifier == verifier)
        done.detail = f"a receipt for {promise.count} entries, to be closed by {promise.close_by.isoformat()}"
        done.skip = _why_open(promise, key)
    if not done.ok or done.skip:
        return
    with out.check("4.2", Claim.RECOMPUTED) as done:
        check_receipt(promise, file, entry)
        done.detail = f"entry {file.index} of the {promise.count} in the receipt"
    if not done.ok or not heads:
        return  # of a promise about other entries nothing follows for this one, and nobody broke it
    bounds = [bound.not_after for head in heads for bound in head.bounds]
    in_time = any(bound <= promise.close_by for bound in bounds)
    with out.check("4.3", Claim.ATTESTED) as done:
        if heads[0].index < promise.size:
            raise ProofError(
                f"entry {heads[0].index} lies before size {promise.size}, which the receipt names"
            )
        done.detail = "a head with this entry is attested before the promised time"
        if not in_time:
            done.skip = "no head with this entry is attested before the promised time"
            done.skip += "; a later one is" if bounds else ""


def _why_open(promise: Promise, key: TrustedKey) -> str:
    """Why nobody can tell whether the receipt is of its key's good time; empty where there is no doubt.

    A receipt is dated by itself alone, by a clock that proves nothing: it is never held against the evidence.
    """
    if key.last_good_size is not None and promise.size > key.last_good_size:
        return f"its key was compromised: it is trusted up to size {key.last_good_size} only"
    if key.since is not None and promise.close_by < key.since:
        return f"nothing but itself dates a receipt, and it promises for before its key began at {key.since}"
    return "" if key.until is None else f"nothing dates a receipt, and its key ended at {key.until}"
