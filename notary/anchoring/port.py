"""What every third party that attests a checkpoint looks like to the rest of the service."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Head:
    """The checkpoint to be attested."""

    origin: str
    size: int
    root: bytes  # 32 bytes
    note: bytes  # the signed note with only the log's own signature line: exactly the bytes a TSA stamps


@dataclass(frozen=True, slots=True)
class Attempt:
    """Everything that may go on the wire, stored before it does."""

    ref: bytes  # transaction hash, or SHA-256 of the request
    raw: bytes  # signed raw transaction, or the DER request
    nonce: int  # lane nonce, or the request's nonce


class Step(StrEnum):
    """How far an authority says an attempt has come."""

    SENT = "sent"
    MINED = "mined"
    FINAL = "final"
    DUE = "due"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Observation:
    """What an authority says of an attempt now."""

    step: Step
    evidence: bytes | None = None  # raw response, or chain evidence (canonical JSON)
    detail: str = ""  # one sentence, safe to show


class Anchor(Protocol):
    """Somebody we do not control who attests that a checkpoint existed.

    `sign` touches no network: what it returns is stored before `send` lets a byte of it out, so that a crash in
    between is repeated with the same bytes. `send` and `observe` raise AnchorUnavailable when there is no answer.
    """

    @property
    def name(self) -> str:
        """As in the trust file."""
        ...

    @property
    def kind(self) -> str:
        """Either "rfc3161" or "evm"."""
        ...

    def sign(self, head: Head, nonce: int, consistency: Sequence[bytes], old_size: int) -> Attempt:
        """Make the bytes to send; `consistency` leads from `old_size` to the head (RFC 9162 §2.1.4)."""
        ...

    def send(self, head: Head, attempt: Attempt) -> Observation:
        """Send the stored bytes. Sending them again is harmless."""
        ...

    def observe(self, head: Head, attempts: Sequence[Attempt]) -> Observation:
        """Ask what became of the attempts, oldest first."""
        ...
