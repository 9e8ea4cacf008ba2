"""Checks on the attested heads of a package: 3 and, on tokens, 5.1 and 5.2; others in `ots` and `anchored`."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from notary.errors import FormatError, ProofError, SignatureError
from notary.evidence.anchored import check_anchor
from notary.evidence.checkpoint import open_checkpoint
from notary.evidence.collect import Collector
from notary.evidence.cose import open_receipt, parse_receipt
from notary.evidence.head import Head
from notary.evidence.note import Verifier, open_note, parse_note
from notary.evidence.ots import check_ots
from notary.evidence.outcome import Bound, Claim, by_source
from notary.evidence.package import Package
from notary.evidence.proof_file import TLOG_PROOF, parse_proof_file
from notary.evidence.statement import Statement
from notary.evidence.timestamp import check_token
from notary.evidence.timestamp_issuing import Tries
from notary.evidence.timestamp_revocation import Standing, check_revocation
from notary.evidence.timestamp_serial import Serials
from notary.evidence.trust import MAX_ACCURACY_MS, Trust, TrustedKey
from notary.merkle.hashing import hash_leaf
from notary.merkle.proof import check_inclusion, root_from_inclusion_proof

COSE = "inclusion.cose"  # in the place of inclusion.tlog-proof; no ZIP may hold it


def check_heads(
    out: Collector, package: Package, trust: Trust, statement: Statement, entry: bytes
) -> list[Head]:
    """Make checks 3.1, 3.2, 5, 6 and 7 for each head; only heads that pass all of 3.1 and 3.2 are returned."""
    heads: list[Head] = []
    serials, tries = Serials(), {authority.name: Tries() for authority in trust.authorities}
    for size in package.sizes():
        head = _check_head(out, package, trust, entry, size)
        if head is None:
            continue
        if heads and heads[0].index != head.index:
            out.failed(
                "3.2", Claim.RECOMPUTED, f"head {size}", "the heads name different indexes for the entry"
            )
            continue
        _check_tokens(out, package, trust, head, serials, tries)
        check_ots(out, package.ots(size), trust, head)
        check_anchor(out, package, trust, statement.not_before, head)
        if _check_period(out, head, trust.k):
            heads.append(head)
    if not package.sizes():
        for id_ in ("3.1", "3.2"):
            out.unchecked(id_, Claim.NOT_COVERED, detail="the package holds no head of the log")
    return heads


def check_inclusion_file(data: bytes, entry: bytes, heads: list[Head], keys: Sequence[Verifier]) -> bool:
    """Check a proof of another entry under one of the heads; False when its checkpoint is none of theirs.

    Raises:
        FormatError: not a proof.
        SignatureError: its checkpoint is that of a head, but none of `keys`, the log's, signed it; or one of them did
            not make the signature that bears its name.
        ProofError: the path does not lead to the root, or the checkpoint is another tree of a head's size.
    """
    file = parse_proof_file(data, TLOG_PROOF)
    text = parse_note(file.note).text
    for head in heads:
        point = head.checkpoint
        if text == point.text():
            open_note(file.note, keys)  # others may have signed it too
            check_inclusion(hash_leaf(entry), file.index, point.size, file.path, point.root)
            return True
        if text.startswith(f"{point.origin}\n{point.size}\n"):
            open_note(file.note, keys)
            raise ProofError(f"the log has forked: it signed another tree of {point.size} entries")
    return False


def _check_head(out: Collector, package: Package, trust: Trust, entry: bytes, size: int) -> Head | None:
    subject = f"head {size}"
    data = package.files.get(f"heads/{size}/{COSE}")
    if data is not None:
        return _check_cose(out, data, trust, entry, size)
    data = package.files.get(f"heads/{size}/inclusion.tlog-proof")
    if data is None:
        out.failed("3.2", Claim.RECOMPUTED, subject, "the head has no inclusion.tlog-proof")
        return None
    with out.check("3.1", Claim.RECOMPUTED, subject) as done:
        file = parse_proof_file(data, TLOG_PROOF)
        signed = open_checkpoint(file.note, trust.origin, [key.verifier for key in trust.log_keys])
        point = signed.checkpoint
        if package.files.get(f"heads/{size}/checkpoint", signed.note) != signed.note:
            raise FormatError(
                "the file checkpoint is not the checkpoint of the proof under the log's signature alone"
            )
        if size != point.size:
            raise FormatError(f"the checkpoint is of size {point.size}, but stands under {size}")
        key = _trusted(trust, signed.verifier, point.size)
        done.detail = f"size {point.size}, root {point.root.hex()}, key {signed.verifier.vkey}"
    if not done.ok:
        return None
    with out.check("3.2", Claim.RECOMPUTED, subject) as done:
        check_inclusion(hash_leaf(entry), file.index, point.size, file.path, point.root)
        done.detail = f"entry {file.index} of {point.size}, a path of {len(file.path)} hashes"
    return Head(point, signed.note, key, file.index, file.path) if done.ok else None


def _check_cose(out: Collector, data: bytes, trust: Trust, entry: bytes, size: int) -> Head | None:
    """3.2 before 3.1: the root is in no file, and the signature is over the one that the path leads to."""
    subject = f"head {size}"
    with out.check("3.2", Claim.RECOMPUTED, subject) as done:
        receipt = parse_receipt(data)
        root_from_inclusion_proof(hash_leaf(entry), receipt.index, receipt.size, receipt.path)
        done.detail = f"entry {receipt.index} of {size}, a path of {len(receipt.path)} hashes"
    if not done.ok:
        return None
    with out.check("3.1", Claim.RECOMPUTED, subject) as done:
        if receipt.origin != trust.origin:
            raise SignatureError(f"the receipt is of log {receipt.origin!r}, not of {trust.origin!r}")
        point, verifier = open_receipt(receipt, entry, [key.verifier for key in trust.log_keys])
        key = _trusted(trust, verifier, size)
        done.detail = f"size {size}, root {point.root.hex()}, key {verifier.vkey}"
    return Head(point, b"", key, receipt.index, receipt.path) if done.ok else None


def _trusted(trust: Trust, verifier: Verifier, size: int) -> TrustedKey:
    key = next(key for key in trust.log_keys if key.verifier == verifier)
    if key.last_good_size is not None and size > key.last_good_size:
        raise SignatureError(f"this key is trusted up to size {key.last_good_size} only: it was compromised")
    return key


def _check_tokens(
    out: Collector,
    package: Package,
    trust: Trust,
    head: Head,
    serials: Serials,
    tries: Mapping[str, Tries],
) -> None:
    known = {authority.name: authority for authority in trust.authorities}
    size = head.checkpoint.size
    for name, response in package.tokens(size).items():
        subject = f"{name}@{size}"
        authority = known.get(name)
        if authority is None:
            out.unchecked("5.1", Claim.NOT_COVERED, subject, "the trust file knows no authority of this name")
            continue
        with out.check("5.1", Claim.ATTESTED, subject) as done:
            stamp = check_token(response, head.note, authority, tries=tries[name])
            serials.add(stamp, authority.organisation, subject)
            detail = f"genTime {stamp.gen_time.isoformat()}, serial {stamp.serial}, by {stamp.signer}"
            done.detail = "; ".join([detail, *stamp.warnings])
        if not done.ok:
            continue
        with out.check("5.2", Claim.ATTESTED, subject) as done:
            data = package.revocation(size, name)
            found = check_revocation(stamp.path, stamp.gen_time, data, strict=authority.strict)
            done.detail = found.detail
            if found.standing is Standing.NOT_CAPTURED:
                done.skip = found.detail
        if done.ok and stamp.not_after is None:
            head.undated.append((name, stamp.gen_time + timedelta(milliseconds=MAX_ACCURACY_MS)))
        elif done.ok and stamp.not_after is not None:
            by = authority.organisation
            head.bounds.append(Bound("rfc3161", name, by, stamp.not_after, size, stamp.keys))


def _check_period(out: Collector, head: Head, k: int) -> bool:
    """A key that has stopped signing is good for heads that third parties attest before it stopped.

    Other heads of its are good for nothing: whoever has the key now, a thief perhaps, may have made them. Where others
    are known to have had it, as many sources as T needs must say so: one of them may be in league with the thief.
    """
    key, subject = head.key, f"head {head.checkpoint.size} key period"
    moments = by_source(head.bounds)
    if not moments:
        # Nobody whom the verifier knows dates this head, so a key that has ended may still have been good.
        if key.until is not None:
            detail = f"nothing dates this head, and its key ended at {key.until}"
            out.unchecked("3.1", Claim.NOT_COVERED, subject, detail)
        return key.until is None
    if key.until is not None and moments[0] > key.until:
        detail = f"nothing attests this head before its key ended at {key.until}"
    elif key.since is not None and moments[0] < key.since:
        detail = f"attested before its key began at {key.since}"
    elif key.until is not None and key.last_good_size is not None:
        dated = sum(moment <= key.until for moment in moments)
        detail = f"its key was compromised, and {dated} of {k} sources date this head before it ended at {key.until}"
        if dated < k:
            out.unchecked("3.1", Claim.NOT_COVERED, subject, detail)
        return dated >= k
    else:
        return True
    out.failed("3.1", Claim.RECOMPUTED, subject, detail)
    return False
