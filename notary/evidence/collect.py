"""Collects checks: an error of ours inside a check becomes its failure."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from notary.errors import EvidenceError, TimestampError, TrustError
from notary.evidence.asked import WantedBlock
from notary.evidence.outcome import Check, Claim, Outcome


@dataclass(slots=True)
class Doing:
    """A check under way; set `detail` to say what was found, or `skip` to say why it cannot be made.

    `skip_claim` is the class of a check that cannot be made, where it is another than the check's own.
    """

    detail: str = ""
    skip: str = ""
    skip_claim: Claim | None = None
    ok: bool = True


@dataclass(slots=True)
class Collector:
    """The checks made so far, in order, and the blocks on which they rest."""

    checks: list[Check] = field(default_factory=list)
    blocks: list[WantedBlock] = field(default_factory=list)

    @contextmanager
    def check(self, id_: str, claim: Claim, subject: str = "") -> Iterator[Doing]:
        """Run the body as check `id_`: passed unless it raises.

        Raises:
            TrustError, MemoryError: the trust file or the machine is at fault, not the evidence.
        """
        doing = Doing()
        try:
            yield doing
        except TimestampError as error:
            doing.ok = False
            self.failed(id_, claim, subject, f"timestamp check {error.check}: {error}")
        except EvidenceError as error:
            doing.ok = False
            self.failed(id_, claim, subject, f"{error.code}: {error}")
        except (TrustError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - nothing that evidence can hold may stop its verification
            doing.ok = False
            self.failed(id_, claim, subject, f"cannot be read ({type(error).__name__})")
        else:
            if doing.skip:
                self.unchecked(id_, doing.skip_claim or claim, subject, doing.skip)
            else:
                self.passed(id_, claim, subject, doing.detail)

    def passed(self, id_: str, claim: Claim, subject: str = "", detail: str = "") -> None:
        """Record that a check passed."""
        self.checks.append(Check(id_, Outcome.PASSED, claim, subject, detail))

    def failed(self, id_: str, claim: Claim, subject: str = "", detail: str = "") -> None:
        """Record that a check failed."""
        self.checks.append(Check(id_, Outcome.FAILED, claim, subject, detail))

    def unchecked(self, id_: str, claim: Claim, subject: str = "", detail: str = "") -> None:
        """Record that a check could not be made."""
        self.checks.append(Check(id_, Outcome.UNCHECKED, claim, subject, detail))
