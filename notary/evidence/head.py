"""An attested head while it is being checked."""

from dataclasses import dataclass, field
from datetime import datetime

from notary.evidence.checkpoint import Checkpoint
from notary.evidence.outcome import Bound
from notary.evidence.trust import TrustedKey


@dataclass(slots=True)
class Head:
    """A head whose checkpoint is signed and includes the entry; bounds are those of its good attestations.

    `undated`: of each good token that bounds nothing, for want of an accuracy, its name and the moment that it would
    bound with the largest accuracy that a trust file may state.
    """

    checkpoint: Checkpoint
    note: bytes  # the checkpoint with the log's own signature line alone
    key: TrustedKey
    index: int  # of the entry
    path: tuple[bytes, ...]  # from it to the root
    bounds: list[Bound] = field(default_factory=list)
    undated: list[tuple[str, datetime]] = field(default_factory=list)
    made_after: tuple[datetime, str] | None = None  # time and name of the not-before block, once proved
