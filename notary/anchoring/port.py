"""The port between the log and whoever attests to its heads.

Three implementations: `rfc3161` (one answer, final at once), `evm` (mined, then final, or undone by a reorg) and
`opentimestamps` (a promise at once, final hours later).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Head:
    """The checkpoint to be attested.

    Attributes:
        origin: of the log.
        size: entries.
        root: 32 bytes.
        note: the signed note with the log's own signature line alone: exactly the bytes that a TSA stamps.
    """

    origin: str
    size: int
    root: bytes
    note: bytes


@dataclass(frozen=True, slots=True)
class Attempt:
    """Everything that may go on the wire, stored before it does.

    Attributes:
        ref: transaction hash, or SHA-256 of the request; 32 bytes.
        raw: signed raw transaction, or the DER request.
        nonce: of the lane, or of the request.
        lane: whose nonce it is: the address of a wallet; "" where nonces are random.
    """

    ref: bytes
    raw: bytes
    nonce: int
    lane: str = ""


def newest_of_lanes(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Of each lane its newest attempt, the newest of all first."""
    found: dict[str, Attempt] = {}
    for attempt in reversed(attempts):
        found.setdefault(attempt.lane, attempt)
    return list(found.values())


class Step(StrEnum):
    """Where an attempt stands, by the authority's word as we have verified it."""

    DUE = "due"  # to be asked for again
    SENT = "sent"
    MINED = "mined"
    FINAL = "final"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Observation:
    """What an authority says of an attempt now.

    Attributes:
        step: as above.
        evidence: raw response, chain evidence in canonical JSON, or an .ots file, which may grow while it is `sent`;
            verified before it is given here.
        detail: one sentence, safe to show.
    """

    step: Step
    evidence: bytes | None = None
    detail: str = ""


class KeepsNoHeads:
    """What an anchor says that stamps whatever it is given and remembers none of it: part of `Anchor`."""

    __slots__ = ()

    def attested_size(self) -> int:
        """Nothing: it takes any head."""
        return 0

    def held_root(self, size: int) -> bytes | None:  # noqa: ARG002 - the port's form
        """None: it keeps no heads."""
        return None

    def first_nonce(self) -> int | None:
        """None: each attempt takes a random one."""
        return None

    def agreed_nonce(self, *, accusing: bool = False) -> int | None:  # noqa: ARG002 - the port's form
        """None, as above."""
        return None

    def lost_nonce(self, lane: int) -> int | None:  # noqa: ARG002 - the port's form
        """None, as above."""
        return None

    def shown(self, attempts: Sequence[Attempt]) -> bool:  # noqa: ARG002 - the port's form
        """False: nothing is asked of it again by a nonce."""
        return False

    def own(self, head: Head, ref: bytes, lane: str) -> Attempt | None:  # noqa: ARG002 - the port's form
        """None: its nonces are random, and none is missing."""
        return None

    def adopted(self, head: Head) -> Observation | None:  # noqa: ARG002 - the port's form
        """None: nobody else has our answers."""
        return None

    def replacement(self, attempts: Sequence[Attempt], since: datetime, blocks: int = 1) -> Attempt | None:  # noqa: ARG002 - the port's form
        """None: it answers, or is asked again."""
        return None


class Anchor(Protocol):
    """Somebody we do not control who attests to heads."""

    @property
    def name(self) -> str:
        """Name in the settings and in packages; never reused."""
        ...

    @property
    def kind(self) -> str:
        """`rfc3161`, `evm` or `opentimestamps`."""
        ...

    @property
    def lane(self) -> str:
        """Whose nonces its attempts take, one after another: a wallet's address; "" where they are random."""
        ...

    def attested_size(self) -> int:
        """Size of the head that the authority itself holds for this log; 0 where it holds none.

        Raises:
            AnchorUnavailable: it does not answer.
            AnchorRejected: it is not the authority that it should be.
        """
        ...

    def held_root(self, size: int) -> bytes | None:
        """Root (32 bytes) of the head of this size that the authority holds, by the word of as many as must agree.

        Returns:
            None where it holds none of this size now, keeps no heads, or too few say the same.
        """
        ...

    def first_nonce(self) -> int | None:
        """The nonce that the authority expects next; None where each attempt takes a random one.

        Raises:
            AnchorUnavailable: the authority does not answer.
            AnchorRejected: it is not the authority that it should be.
        """
        ...

    def agreed_nonce(self, *, accusing: bool = False) -> int | None:
        """As `first_nonce`, by the word of all who can be asked: a lane begins with it.

        `accusing`: and by that of as many as it takes to accuse somebody, where it is higher than ours.

        Raises:
            AnchorUnavailable: they do not say the same, or too few answer.
        """
        ...

    def lost_nonce(self, lane: int) -> int | None:
        """The first nonce below `lane` that the authority takes to be free, by the word of as many as must agree.

        Returns:
            None where too few say so, one who answers says otherwise, or nonces are random.
        """
        ...

    def shown(self, attempts: Sequence[Attempt]) -> bool:
        """Whether anybody who can be asked says that one of these was carried out, be it true or not."""
        ...

    def sign(self, head: Head, nonce: int, consistency: Sequence[bytes], old_size: int) -> Attempt:
        """Make the bytes to be sent; nothing leaves the process but questions.

        Raises:
            AnchorUnavailable: the authority does not answer.
            LaneStopped: the wallet cannot pay.
            HeadRefused: it would refuse this head.
            AnchorRejected: its answer says nothing of the head.
        """
        ...

    def send(self, head: Head, attempt: Attempt, *earlier: Attempt) -> Observation:
        """Send stored bytes. Harmless when done twice. `earlier` are our other attempts with the same nonce.

        Raises:
            AnchorUnavailable: the authority does not answer; whether it got them is open.
            LaneStopped: it will not take them from this lane.
            AnchorRejected: its answer says nothing of the head, and somebody must look at it.
        """
        ...

    def replacement(self, attempts: Sequence[Attempt], since: datetime, blocks: int = 1) -> Attempt | None:
        """Make what may take the place of the last attempt, which was made at `since` and came to nothing yet.

        Args:
            attempts: for one head, the oldest first.
            since: UTC.
            blocks: so many must have left it out.

        Returns:
            None where nothing would be gained: the authority did nothing since, or not so much, or will take no more.

        Raises:
            AnchorUnavailable: the authority does not answer, or asks for too much.
            LaneStopped: the wallet cannot pay for more.
            AnchorRejected: it is not the authority that it should be.
        """
        ...

    def observe(self, head: Head, attempts: Sequence[Attempt]) -> Observation:
        """Look at all attempts for a head.

        Raises:
            AnchorUnavailable: the authority does not answer.
            AnchorRejected: its answers do not add up.
        """
        ...

    def adopted(self, head: Head) -> Observation | None:
        """Look for what somebody else did for a head with our signature of it: MINED or FINAL, as `observe` has it.

        Returns:
            None where the authority keeps no heads, or nobody did anything for this one.

        Raises:
            AnchorUnavailable: the authority does not answer; or there is more to be looked through, and the next call
                goes on.
            AnchorRejected: its answers do not add up.
        """
        ...

    def own(self, head: Head, ref: bytes, lane: str) -> Attempt | None:
        """Look for what a lane of ours did for a head, by its name (32 bytes), where nothing is stored of it.

        Returns:
            The very bytes; None where they are another's, or do anything else than anchor exactly this head.

        Raises:
            AnchorUnavailable: the authority does not answer.
            AnchorRejected: it is not the authority that it should be, or its answer is of another form.
        """
        ...
