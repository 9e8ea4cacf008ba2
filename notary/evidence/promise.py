"""Checks on the receipt of a package: 4.1 to 4.3."""

from notary.errors import ProofError
from notary.evidence.collect import Collector
from notary.evidence.head import Head
from notary.evidence.outcome import Claim
from notary.evidence.package import Package
from notary.evidence.receipt import check_receipt, open_receipt
from notary.evidence.trust import Trust


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
        promise, file = open_receipt(data, trust.origin, [key.verifier for key in trust.receipt_keys])
        done.detail = f"a receipt for {promise.count} entries, to be closed by {promise.close_by.isoformat()}"
    if not done.ok:
        return
    with out.check("4.2", Claim.RECOMPUTED) as done:
        check_receipt(promise, file, entry)
        done.detail = f"entry {file.index} of the {promise.count} in the receipt"
    if not heads:
        return
    in_time = any(bound.not_after <= promise.close_by for head in heads for bound in head.bounds)
    with out.check("4.3", Claim.ATTESTED) as done:
        if heads[0].index < promise.size:
            raise ProofError(
                f"entry {heads[0].index} lies before size {promise.size}, which the receipt names"
            )
        done.detail = "a head with this entry is attested before the promised time"
        if not in_time:
            done.skip = "no head with this entry is attested before the promised time; a later one is"
