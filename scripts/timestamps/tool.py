"""What a verifier of time stamps is asked, and what may come of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Refused(Exception):
    """What a tool says by other means than an exception."""


class Outcome(Enum):
    """What came of a question."""

    ACCEPTS = "accepts"
    REFUSES = "refuses"
    BREAKS = "breaks"  # ended in an error that is none of its answers; its caller has no good token either


@dataclass(frozen=True, slots=True)
class Question:
    """One response, and all that its caller knows; certificates are DER."""

    response: bytes
    data: bytes
    digest: str  # asked for, as hashlib names it
    root: bytes
    signer: bytes  # of the authority that is trusted
    supplied: tuple[bytes, ...]  # the signer's and above, for a token that holds none
    policy: str  # asked for, and the only one allowed
    nonce: int | None
    sent: datetime | None
    received: datetime | None
    lists: tuple[bytes, ...] = ()  # revocation lists beside the token, DER
    answers: tuple[bytes, ...] = ()  # OCSP responses beside it, DER
    strict: bool = False  # whether a token is to be refused whose certificates' standing is open
    others: tuple[bytes, ...] = ()  # responses over the same data that the caller has already

    @property
    def about_revocation(self) -> bool:
        """Whether the question is one of revocation at all."""
        return bool(self.strict or self.lists or self.answers)


@dataclass(frozen=True, slots=True)
class Tool:
    """A verifier; what it does not take is its caller's job."""

    name: str
    version: Callable[[], str]
    takes: frozenset[str]  # of status, policy, nonce, time, roots, crl, ocsp, serial
    ask: Callable[[Question], object]
    refusals: tuple[type[Exception], ...]

    def outcome(self, question: Question) -> Outcome:
        """Ask."""
        try:
            self.ask(question)
        except self.refusals:
            return Outcome.REFUSES
        except Exception:  # noqa: BLE001 - whatever it is, that is what is looked for
            return Outcome.BREAKS
        return Outcome.ACCEPTS
