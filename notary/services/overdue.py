"""What has been under way at an anchor for too long: an authority may be silent for ever, and no step fails by it.

Told from the database, so that any process can; a worker measures it in a step of its own, which no anchor holds up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from notary.observe import ANCHOR_ATTEMPTS, ANCHOR_FINAL_AGE, ANCHOR_PENDING, STAMPED_AGE
from notary.store.engine import Connection, Database
from notary.store.heartbeats import Heartbeat
from notary.store.owed import Owed, final_size, head_time, owed

_log = structlog.get_logger()
ANCHOR = "anchor "  # before the name of an anchor: its step
_DAY = timedelta(days=1)
_MINUTE, _HOUR = 60, 3600
_UNMINED = (
    "its transaction is in no block: see whether the chain makes blocks, raise chains.max_fee_gwei where it asks for "
    "more, and compare the wallet's nonce by another endpoint"
)
_ADVICE = {
    ("evm", "signed"): _UNMINED,
    ("evm", "sent"): _UNMINED,
    (
        "evm",
        "mined",
    ): "its block is not final: see whether the chain finalizes, and whether as many endpoints as "
    "chains.quorum says answer and agree",
    ("evm", "due"): "nothing could be signed for it: see why in the log of the worker",
    ("evm", "rejected"): "it was refused: see `notary anchor incidents`, and whose head the contract holds",
}
_OTHERS = {
    "rfc3161": "no token came that passes: see `notary anchor status`, and name another authority if it stays so",
    "opentimestamps": "no settled Bitcoin block holds it: see `notary anchor status`, and name further calendars",
}


@dataclass(frozen=True, slots=True)
class Targets:
    """What receipts name as objectives: until the first time stamp, and until the first final anchor."""

    stamp: timedelta = _DAY
    final: timedelta = _DAY

    def bound(self, kind: str, patience: float) -> timedelta:
        """For how long an anchor of this kind may owe its word, where its step may be silent for `patience` seconds.

        Half of the objective: what waits for more misses it unless somebody looks, and has as long again for that.
        Calendars have none, and take hours: theirs is a day.
        """
        half = {"rfc3161": self.stamp / 2, "evm": self.final / 2}.get(kind, _DAY)
        return max(half, timedelta(seconds=patience))


def told(found: Owed, waited: timedelta) -> str:
    """What is wrong at an anchor, and what to do."""
    seconds = int(waited.total_seconds())
    long = f"{seconds // _HOUR} h" if seconds >= 2 * _HOUR else f"{seconds // _MINUTE} min"
    tried = f" after {found.attempts} attempts" if found.attempts > 1 else ""
    advice = _ADVICE.get((found.kind, found.state)) or _OTHERS.get(found.kind, "see `notary anchor status`")
    last = f" (last: {found.detail})" if found.detail else ""
    return (
        f"{ANCHOR}{found.anchor}: nothing has become final for {long}; the head of size {found.size} is "
        f"{found.state}{tried}: {advice}{last}"
    )


def overdue(
    connection: Connection, beats: list[Heartbeat], targets: Targets, now: datetime
) -> dict[str, str]:
    """By the name of its step, what is to be told of each anchor that has owed its word for too long."""
    found = {}
    for beat in beats:
        if beat.step.startswith(ANCHOR):
            item = owed(connection, beat.step.removeprefix(ANCHOR))
            # Of one that a clock which was ahead dated in the future nothing is known.
            if item is not None and now - item.since > targets.bound(item.kind, beat.patience):
                found[beat.step] = told(item, now - item.since)
    return found


@dataclass(slots=True)
class Watch:
    """Measures what anchors owe, and logs once what has been under way for too long.

    Attributes:
        patience: by the name of each anchor, how long its step may be silent, in seconds.
        sources: by the name of each time-stamping authority that is trusted, its organisation.
        needed: how many organisations must have stamped a head before it is called stamped.
        leading: whether this process anchors; others measure, and do not tell.
    """

    database: Database
    patience: Mapping[str, float]
    sources: Mapping[str, str]
    needed: int
    targets: Targets
    now: Callable[[], datetime]
    leading: Callable[[], bool]
    _told: set[tuple[str, datetime]] = field(default_factory=set, init=False)

    def step(self) -> None:
        """Set the metrics, and tell.

        Raises:
            NotFound: the log is not open.
            Unavailable: the database does not answer.
        """
        with self.database.reading() as connection:
            items = {name: owed(connection, name) for name in self.patience}
            sizes = {name: final_size(connection, name) for name in {*self.patience, *self.sources}}
            stamped = self._stamped(sizes)
            times = {size: head_time(connection, size) for size in {*sizes.values(), stamped}}
        now = self.now()
        for name, item in items.items():
            waited = timedelta(0) if item is None else now - item.since
            ANCHOR_PENDING.labels(name).set(max(0.0, waited.total_seconds()))
            ANCHOR_ATTEMPTS.labels(name).set(0 if item is None else item.attempts)
            ANCHOR_FINAL_AGE.labels(name).set((now - times[sizes[name]]).total_seconds())
            if item is not None and waited > self.targets.bound(item.kind, self.patience[name]):
                self._tell(item, waited)
        if self.sources:
            STAMPED_AGE.set((now - times[stamped]).total_seconds())

    def _stamped(self, sizes: Mapping[str, int]) -> int:
        """The largest head that enough organisations have stamped, it or a later one."""
        by_source: dict[str, int] = {}
        for name, source in self.sources.items():
            by_source[source] = max(by_source.get(source, 0), sizes.get(name, 0))
        reached = sorted(by_source.values(), reverse=True)
        return reached[self.needed - 1] if len(reached) >= self.needed else 0

    def _tell(self, item: Owed, waited: timedelta) -> None:
        key = item.anchor, item.since
        if key in self._told or not self.leading():
            return
        self._told.add(key)
        _log.error("an anchor owes its word for too long", anchor=item.anchor, detail=told(item, waited))
