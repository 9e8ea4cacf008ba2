"""The result of a verification: numbered checks with three outcomes, and the times that follow."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from notary.evidence.asked import WantedBlock
from notary.evidence.catalogue import CHECKS
from notary.evidence.fields import show_moment


class Outcome(StrEnum):
    """What a check found. Nothing that is missing or out of reach is ever shown as passed or as failed."""

    PASSED = "passed"
    FAILED = "failed"
    UNCHECKED = "could_not_be_checked"


class Claim(StrEnum):
    """On whose word a statement rests (docs/glossary.md)."""

    RECOMPUTED = "recomputed"  # 密码学核验一致
    ATTESTED = "attested"  # 第三方证明
    STATED = "stated"  # 运营方陈述
    NOT_COVERED = "not_covered"  # 未覆盖


@dataclass(frozen=True, slots=True)
class Check:
    """One numbered check; `id` is stable for ever and listed in docs/formats.md §12."""

    id: str
    outcome: Outcome
    claim: Claim
    subject: str = ""  # which head, token or chain, for example "tsa-name@1024"
    detail: str = ""  # one English sentence: what was compared, or why it failed


@dataclass(frozen=True, slots=True)
class Bound:
    """A moment by which the document existed, on one third party's word."""

    kind: str  # "rfc3161", "chain" or "bitcoin"
    source: str  # name of the authority in the trust file, "chain <id>" or "bitcoin"
    organisation: str  # sources of one organisation count once
    not_after: datetime  # UTC; genTime + accuracy, or the time of the block
    size: int  # size of the attested head
    keys: frozenset[bytes] = frozenset()  # public keys behind it: sources that share one count once


@dataclass(frozen=True, slots=True)
class Interval:
    """Two statements that are never mixed: when the record was made, and by when the document existed."""

    made_after: datetime | None  # time of the not-before block, where it could be proved
    made_after_block: str  # "chain <id> block <number> <hash>", or ""
    existed_by: datetime | None  # T: the k-th earliest bound of independent organisations
    sources_needed: int  # k, from the trust file
    bounds: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The answer of `notary.evidence.verify`."""

    checks: tuple[Check, ...]
    interval: Interval | None = None
    statement: dict[str, Any] | None = None  # decoded, where check 2.1 passed
    entry: str = ""  # hex
    index: int | None = None
    openings: dict[str, Any] = field(default_factory=dict)  # commitments opened and checked, by name
    withheld: int | None = None  # commitments of the statement that are not opened; None without a statement
    required: frozenset[str] = frozenset()  # ids that must have passed
    test_only: bool = False  # the trust file says that its anchors prove nothing
    blocks: tuple[WantedBlock, ...] = ()  # to be compared with the real chain; no part of the JSON

    @property
    def outcome(self) -> Outcome:
        """Failed when any check failed; passed when every required check passed; else not checked."""
        if any(check.outcome is Outcome.FAILED for check in self.checks):
            return Outcome.FAILED
        passed = {check.id for check in self.checks if check.outcome is Outcome.PASSED}
        return Outcome.PASSED if self.required and self.required <= passed else Outcome.UNCHECKED

    def failures(self) -> list[Check]:
        """The checks that failed, in the order in which they were made."""
        return [check for check in self.checks if check.outcome is Outcome.FAILED]

    def to_json(self) -> dict[str, Any]:
        """The machine-readable form, `--json` (docs/formats.md §13)."""
        return {
            "version": 1,
            "outcome": self.outcome.value,
            "test_only": self.test_only,
            "checks": [
                {
                    "id": check.id,
                    "outcome": check.outcome.value,
                    "claim": check.claim.value,
                    "subject": check.subject,
                    "sentence": {
                        language: CHECKS[check.id].sentence(check.outcome, language)
                        for language in ("zh", "en")
                    },
                    "detail": check.detail,
                    "required": check.id in self.required,
                }
                for check in self.checks
            ],
            "statement": self.statement,
            "entry": self.entry,
            "index": self.index,
            "openings": self.openings,
            "withheld": self.withheld,
            "time": None if self.interval is None else _interval_json(self.interval),
        }


def _interval_json(interval: Interval) -> dict[str, Any]:
    return {
        "made_after": rfc3339(interval.made_after),
        "made_after_block": interval.made_after_block,
        "existed_by": rfc3339(interval.existed_by),
        "sources_needed": interval.sources_needed,
        "bounds": [
            {
                "kind": bound.kind,
                "source": bound.source,
                "organisation": bound.organisation,
                "not_after": rfc3339(bound.not_after),
                "size": bound.size,
            }
            for bound in interval.bounds
        ],
    }


def rfc3339(moment: datetime | None) -> str | None:
    """UTC, in whole seconds rounded up: an upper bound may only grow."""
    if moment is None:
        return None
    up = moment.astimezone(UTC).replace(microsecond=0)
    if up < moment:
        up += timedelta(seconds=1)
    return show_moment(up)


def place_of(bound: Bound) -> tuple[str | None, str, int, str]:
    """Where a bound stands among others (docs/formats.md §13): by what is written of it, alike for all.

    Parts of a second, which one verifier may keep more of than another, make no difference.
    """
    return rfc3339(bound.not_after), bound.source, bound.size, bound.kind


def source_of(organisation: str) -> str:
    """The name under which an organisation is counted: two spellings of one name are one source."""
    folded = unicodedata.normalize("NFKC", organisation).casefold()
    plain = unicodedata.normalize("NFKC", folded)  # folding takes letters with marks apart
    return "".join(each for each in plain if unicodedata.category(each)[0] in "LN") or plain


def kth_bound(bounds: Iterable[Bound], k: int) -> datetime | None:
    """The k-th earliest bound, each independent source counted once by its earliest; None when there are fewer."""
    earliest = by_source(bounds)
    return earliest[k - 1] if 1 <= k <= len(earliest) else None


def by_source(bounds: Iterable[Bound]) -> list[datetime]:
    """The moment of the earliest bound of each independent source, in order."""
    return [bound.not_after for bound in earliest_of_sources(bounds)]


def earliest_of_sources(bounds: Iterable[Bound]) -> list[Bound]:
    """The earliest bound of each independent source, in order; of equal ones that which is given first.

    Bounds are of one source where they are of one organisation, or where they rest on one public key: authorities
    certify each other, and a token that two organisations vouch for is the word of one.
    """
    sources: list[tuple[frozenset[object], Bound]] = []
    for bound in sorted(bounds, key=_moment):
        marks, earliest = frozenset[object]({source_of(bound.organisation)}) | bound.keys, bound
        others = []
        for known, first in sources:
            if known & marks:
                marks, earliest = marks | known, min(first, earliest, key=_moment)
            else:
                others.append((known, first))
        sources = [*others, (marks, earliest)]
    return sorted((first for _, first in sources), key=_moment)


def _moment(bound: Bound) -> datetime:
    return bound.not_after
