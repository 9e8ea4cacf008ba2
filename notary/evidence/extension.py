"""Check 3.3: whether the heads of a package are of one log that was only appended to."""

from itertools import combinations, pairwise

from notary.errors import FormatError
from notary.evidence.collect import Collector
from notary.evidence.consistency import parse_consistency
from notary.evidence.head import Head
from notary.evidence.outcome import Claim
from notary.evidence.package import Package
from notary.merkle.hashing import hash_leaf
from notary.merkle.proof import check_consistency, complete_subtrees


def check_extension(out: Collector, package: Package, entry: bytes, heads: list[Head]) -> None:
    """Make check 3.3: the proofs in `consistency.json`, what the heads themselves show, and what nothing shows.

    `heads` are those that passed their own checks, in the order of their sizes.
    """
    linked = _check_file(out, package, heads)
    forked = _check_forks(out, entry, heads)
    for old, new in pairwise(head.checkpoint.size for head in heads):
        if linked is not None and (old, new) not in linked | forked:
            detail = f"no consistency proof shows that head {new} extends head {old}"
            out.unchecked("3.3", Claim.NOT_COVERED, f"heads {old} and {new}", detail)


def _check_file(out: Collector, package: Package, heads: list[Head]) -> set[tuple[int, int]] | None:
    """Check each proof between two heads; returns the pairs that are linked, None where one is not."""
    data = package.files.get("consistency.json")
    if data is None:
        return set()
    roots = {head.checkpoint.size: head.checkpoint.root for head in heads}
    with out.check("3.3", Claim.RECOMPUTED) as done:
        proofs = parse_consistency(data)
        for proof in proofs:
            if not {proof.old, proof.new} <= set(package.sizes()):
                raise FormatError(f"no checkpoint of size {proof.old} or {proof.new} is in the package")
            if not {proof.old, proof.new} <= set(roots):
                done.skip = f"the head {proof.old} or {proof.new} did not pass its own checks"
                continue
            check_consistency(proof.old, proof.new, list(proof.path), roots[proof.old], roots[proof.new])
        done.detail = ", ".join(f"{p.new} extends {p.old}" for p in proofs)
    return {(proof.old, proof.new) for proof in proofs} if done.ok else None


def _check_forks(out: Collector, entry: bytes, heads: list[Head]) -> set[tuple[int, int]]:
    """Compare the subtrees that two inclusion paths have in common: where they differ, the log has forked.

    Whoever leaves the consistency proof out hides no fork that shows here.
    """
    forked = set()
    known = {
        head.checkpoint.size: complete_subtrees(hash_leaf(entry), head.index, head.checkpoint.size, head.path)
        for head in heads
    }
    for (old, early), (new, late) in combinations(known.items(), 2):
        differ = [place for place in early.keys() & late.keys() if early[place] != late[place]]
        if differ:
            level, index = min(differ)
            first, last = index << level, (index + 1 << level) - 1
            where = f"entries {first} to {last}" if level else f"entry {first}"
            out.failed(
                "3.3",
                Claim.RECOMPUTED,
                f"heads {old} and {new}",
                f"the log has forked: it signed two trees that differ in {where}",
            )
            forked.add((old, new))
    return forked
