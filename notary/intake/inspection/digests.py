"""The digests that a report names, taken of the bytes themselves, outside of the sandbox.

A sandbox that was broken out of could else name any document as an earlier form of this one.
"""

import hashlib
from typing import Any, BinaryIO

from cryptography.hazmat.primitives import hashes

from notary.intake.inspection.report import Inspected

_CHUNK = 1 << 20


def fill(found: Inspected, stream: BinaryIO) -> None:
    """Take all digests that the report names: of prefixes in one pass over `stream` (seekable), of validation reports.

    A length beyond the end of the file is that of no prefix: its digests stay null.
    """
    report = found.report
    for number, signature in enumerate(report["signatures"]):
        text = found.validations.get(number)
        signature["validation_sha256"] = None if text is None else hashlib.sha256(text.encode()).hexdigest()
    targets: dict[int, list[dict[str, Any]]] = {}
    for row in report["prefixes"]:
        row |= {"sha256": None, "sm3": None}
        targets.setdefault(row["length"], []).append(row)
    for signature in report["signatures"]:
        signature["covers_sha256"] = None
        if signature["covers"] in ("whole_file", "revision"):
            targets.setdefault(sum(signature["byte_range"][2:4]), []).append(signature)
    sha256, sm3, done = hashlib.sha256(), hashes.Hash(hashes.SM3()), 0
    stream.seek(0)
    for length in sorted(targets):
        while done < length and (chunk := stream.read(min(length - done, _CHUNK))):
            sha256.update(chunk)
            sm3.update(chunk)
            done += len(chunk)
        if done < length:
            return
        for row in targets[length]:
            if "length" in row:
                row |= {"sha256": sha256.hexdigest(), "sm3": sm3.copy().finalize().hex()}
            else:
                row["covers_sha256"] = sha256.hexdigest()
