"""The keys of a log as entry 0 and its `key` statements tell them (docs/formats.md §2.5): which one signs what."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from notary.errors import FormatError
from notary.evidence.bodies import Genesis, KeyChange
from notary.evidence.note import Verifier
from notary.evidence.receipt import receipt_key_name

LOG, RECEIPT, HEAD = ROLES = ("log", "receipt", "head")
ADDED, RETIRED, COMPROMISED = "added", "retired", "compromised"


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """A `key` statement. `index` is its place in the log, None while it waits for one.

    `until` is the moment from which on a compromised key was in wrong hands, where its statement opens to one;
    `signature` (64 bytes) that of the log key in force (`notary.evidence.key_signature`), None where there is none.
    """

    change: KeyChange
    index: int | None
    time: datetime
    until: datetime | None = None
    signature: bytes | None = None


@dataclass(frozen=True, slots=True)
class KeyPeriod:
    """One key of one role, in its written form (vkey or address)."""

    key: str
    since: datetime | None = None  # of the statement that added it; None for a key of entry 0
    until: datetime | None = None  # of the statement that retired it, or from when on others had it
    compromised: bool = False
    stolen: datetime | None = (
        None  # from when on others had a compromised key, whether it had ended before or not
    )
    size: int | None = None  # the last tree size that it signed, or signed in good faith

    @property
    def ended(self) -> bool:
        """Whether it was retired or compromised."""
        return self.until is not None

    @property
    def last_good_size(self) -> int | None:
        """Above this size a compromised key is not believed; None where it is not compromised."""
        return self.size if self.compromised else None


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """Entry 0 and every `key` statement, in the order of the log; those that wait stand last."""

    genesis: Genesis
    events: tuple[KeyEvent, ...] = ()

    @property
    def origin(self) -> str:
        """The name of the log."""
        return Verifier.from_vkey(self.genesis.log_key).name

    def first(self, role: str) -> str:
        """The key of entry 0."""
        return str(getattr(self.genesis, f"{role}_key"))

    def periods(self, role: str, size: int | None = None) -> tuple[KeyPeriod, ...]:
        """The keys of a role, oldest first, by the statements with a place: below `size`, or all of them."""
        closed = (event for event in self.events if event.index is not None)
        return self._periods(role, (e for e in closed if size is None or (e.index or 0) < size))

    def keys(self, role: str) -> tuple[str, ...]:
        """Every key that ever had the role, oldest first."""
        return tuple(period.key for period in self.periods(role))

    def verifiers(self, role: str) -> tuple[Verifier, ...]:
        """The same of log or receipt, as keys of notes; the newest first, since it is asked for most."""
        return tuple(Verifier.from_vkey(key) for key in reversed(self.keys(role)))

    def in_force(self, role: str, size: int | None = None) -> str:
        """The key that signs while the newest checkpoint has `size` entries; None: all there are.

        Of log and receipt it is the newest. Of the head it is the oldest that has not ended: the contract decides
        which one it takes, and the old one's end is said in the log after the contract has taken the new one.
        """
        left = [period.key for period in self.periods(role, size) if not period.ended]
        return left[0] if role == HEAD else left[-1]

    def newest_log_key(self) -> str:
        """The newest log key by all statements, waiting ones included."""
        return self._periods(LOG, self.events)[-1].key

    def unfinished(self, role: str) -> str | None:
        """The key that has a successor in the log and has not ended yet; None where no rotation is under way."""
        left = [period.key for period in self.periods(role) if not period.ended]
        return left[0] if len(left) > 1 else None

    def check(self, change: KeyChange, until: datetime | None = None) -> None:
        """Whether a statement may follow those that there are, waiting ones included.

        Args:
            change: what is said.
            until: from when on others had a compromised key, where that is said.

        Raises:
            FormatError: it may not; says why.
        """
        periods = self._periods(change.role, self.events)
        known = {period.key: period for period in periods}
        if change.action == ADDED:
            self._check_added(change, periods)
            return
        period = known.get(change.key)
        if period is None:
            raise FormatError(f"{change.key} is no {change.role} key of this log")
        if change.key == periods[-1].key:
            raise FormatError(f"{change.key} is the newest {change.role} key: add another one first")
        if change.action == RETIRED and period.ended:
            raise FormatError(f"{change.key} has ended already")
        if change.action == COMPROMISED and change.size is None:
            raise FormatError("a compromised key needs the last tree size that it signed in good faith")
        if until is not None and period.since is not None and until < period.since:
            raise FormatError(f"{change.key} came into force after others are said to have had it")
        if period.size is not None and change.size is not None and change.size > period.size:
            raise FormatError(f"{change.key} is good up to size {period.size}, and not up to {change.size}")

    def _check_added(self, change: KeyChange, periods: tuple[KeyPeriod, ...]) -> None:
        if change.size is not None:
            raise FormatError("a key that is added has signed nothing yet: it has no size")
        if sum(not period.ended for period in periods) > 1:
            raise FormatError(f"the {change.role} key before the newest one has not ended yet")
        if change.role != HEAD:
            name = self.origin if change.role == LOG else receipt_key_name(self.origin)
            if Verifier.from_vkey(change.key).name != name:
                raise FormatError(f"a {change.role} key of this log has the name {name!r}")
        every = {_bare(p.key) for role in ROLES for p in self._periods(role, self.events)}
        if _bare(change.key) in every:
            raise FormatError("this key was or is a key of this log already")

    def _periods(self, role: str, events: Iterable[KeyEvent]) -> tuple[KeyPeriod, ...]:
        found = {self.first(role): KeyPeriod(self.first(role))}
        for event in events:
            change = event.change
            if change.role != role:
                continue
            if change.action == ADDED:
                found[change.key] = KeyPeriod(change.key, since=event.time)
            elif change.key in found:
                found[change.key] = _ended(found[change.key], event)
        return tuple(found.values())


def problems(history: KeyHistory) -> Iterator[str]:
    """One sentence for each statement that may not follow those before it."""
    for at, event in enumerate(history.events):
        try:
            replace(history, events=history.events[:at]).check(event.change, event.until)
        except FormatError as error:
            yield f"key statement {at + 1}: {error}"


def _ended(period: KeyPeriod, event: KeyEvent) -> KeyPeriod:
    """The earliest end and the smallest size that were said of it count."""
    change = event.change
    ends = [end for end in (period.until, event.until or event.time) if end is not None]
    stolen = [] if change.action != COMPROMISED else [event.until or event.time]
    stolen += [] if period.stolen is None else [period.stolen]
    sizes = [size for size in (period.size, change.size) if size is not None]
    return replace(
        period,
        until=min(ends),
        compromised=period.compromised or change.action == COMPROMISED,
        stolen=min(stolen, default=None),
        size=min(sizes, default=None),
    )


def _bare(key: str) -> str:
    """Without its name: one key must not have two roles."""
    return key.rpartition("+")[2]
