"""What is known of one signature while it is judged, and the verdict that all of it bears."""

import time
from dataclasses import dataclass, field
from typing import Any

from pyhanko.pdf_utils.reader import PdfFileReader

from notary.intake.inspection import material
from notary.intake.inspection.report import TOTAL_FAILED, printable
from notary.intake.inspection.trust import Trust

# Seconds of processor time, of the limit of 15, after which no further signature is validated by EN 319 102-1: the
# rest of the report is worth more.
VALIDATING_SECONDS = 8.0

# With one of these beside it, a signature is not called passed.
_BLOCKING = frozenset(
    {
        "read_leniently",
        "bytes_after_cms",
        "signature_not_readable",
        "signature_not_checkable",
        "stamp_broken",
        "seed_values_not_met",
        "store_not_readable",
        "revoked",
    }
)


@dataclass(slots=True)
class File:
    """The opened file, what its certificates are measured by, and what all its signatures say together."""

    reader: PdfFileReader
    trust: Trust
    lenient: bool
    prefixes: list[dict[str, Any]]
    certificates: material.Certificates = field(default_factory=material.Certificates)
    validations: dict[int, str] = field(default_factory=dict)
    until: float = field(default_factory=lambda: time.process_time() + VALIDATING_SECONDS)


@dataclass(slots=True)
class Finding:
    """A report of one signature in the making; it starts with nothing known."""

    values: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    @property
    def blocked(self) -> bool:
        """Whether something was noted that keeps it from passing."""
        return bool(_BLOCKING.intersection(self.notes))

    def done(self) -> dict[str, Any]:
        """The row, with the verdict that follows from all that is known so far."""
        self.values["validity"] = _validity(self.values, blocked=self.blocked)
        self.values["note"] = " ".join(dict.fromkeys(self.notes)) or None
        return self.values


def _validity(values: dict[str, Any], *, blocked: bool) -> str:
    if values["integrity"] == "broken" or values["changes_after"] == "forbidden":
        return "failed"
    sound = values["integrity"] == "intact" and values["trust"] == "trusted" and not blocked
    sound = sound and values["ades_indication"] not in (None, TOTAL_FAILED)
    return "passed" if sound and unchanged(values) else "could_not_be_checked"


def unchanged(values: dict[str, Any]) -> bool:
    """Whether all that is shown is what was signed, or was changed as the signer allowed."""
    return values["covers"] == "whole_file" or (
        values["covers"] == "revision" and values["changes_after"] in ("none", "allowed")
    )


def nothing_known(name: str) -> dict[str, Any]:
    """The row of a signature of which nothing is established, with each cautious first value."""
    return {
        "field": printable(name),
        "kind": "signature",
        "filter": None,
        "subfilter": None,
        "signer": None,
        "certificate_sha256": None,
        "issuer": None,
        "serial": None,
        "chain": [],
        "claimed_time": None,
        "stamped_time": None,
        "stamp": None,
        "byte_range": [],
        "covers": "unclear",
        "covers_sha256": None,
        "revision": None,
        "changes_after": "unclear",
        "doc_mdp": None,
        "field_mdp": None,
        "level": None,
        "revocation": None,
        "integrity": "could_not_be_checked",
        "trust": "unrecognised",
        "validity": "could_not_be_checked",
        "ades_indication": None,
        "ades_sub_indication": None,
        "validation_sha256": None,
        "note": None,
    }
