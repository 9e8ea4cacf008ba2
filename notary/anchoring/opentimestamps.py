"""OpenTimestamps calendars: they take a digest in at once and lead to a Bitcoin block hours later.

Of a head, SHA-256(SHA-256(note) ‖ 16 random bytes) is posted, so that a calendar learns nothing of the log. What it
answers is kept as an `.ots` file while the anchoring is `sent`, and is asked for more by what stands in it. Every
answer is read by the strict reader of `notary.evidence` first; the library only joins what that has passed.

`final` is a file that leads to the Merkle root of a block with six confirmations, by a header from the operator's own
source. A calendar's bare word for a block is never stored: a false one would spoil good evidence for ever.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from opentimestamps.core.timestamp import Timestamp

from notary.anchoring.bitcoin import Headers
from notary.anchoring.ots_tree import blinded, closed, joined, opened, promises
from notary.anchoring.port import Attempt, Head, KeepsNoHeads, Observation, Step
from notary.errors import AnchorRejected, AnchorUnavailable, FormatError, Unavailable
from notary.evidence.bitcoin import BlockHeader, shown
from notary.evidence.ots_file import MAX_ANSWER, Attestation, InBlock, Pending, parse_answer
from notary.outbound import Outbound, check_url

_NONCE = 16  # bytes, as the reference client takes them
_RETRY = timedelta(minutes=1)  # a calendar that did not answer, or answered what it may not
_PATIENCE = timedelta(days=3)  # then a newer head, which covers this one, has better prospects


@dataclass(frozen=True, slots=True)
class Kept:
    """What is stored of one head: its file, once a calendar has taken it in, and since when it is under way."""

    file: bytes | None
    since: datetime


@dataclass(slots=True)  # not frozen, since the port has plain attributes
class OtsAnchor(KeepsNoHeads):
    """Calendars that are asked together; one file holds what all of them say.

    Attributes:
        calendars: their addresses, as they stand in files; without a slash at the end.
        kept: what is stored of the head of a size.
        keep: makes the header of a block at a height durable; the same one again changes nothing.
        wait: how long a calendar that has no block yet is left alone.
        random: gives so many random bytes.
    """

    name: str
    calendars: tuple[str, ...]
    headers: Headers
    outbound: Outbound
    kept: Callable[[int], Kept]
    keep: Callable[[int, BlockHeader], None]
    now: Callable[[], datetime]
    wait: timedelta
    random: Callable[[int], bytes] = secrets.token_bytes
    kind: str = "opentimestamps"
    lane: str = ""  # it has no nonces
    _rest: dict[str, tuple[datetime, timedelta]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Refuse a URL that could never be used, when the service starts.

        Raises:
            SettingsError: from `check_url`.
        """
        for url in (*self.calendars, self.headers.url):
            check_url(url)

    def sign(self, head: Head, nonce: int, consistency: Sequence[bytes], old_size: int) -> Attempt:  # noqa: ARG002 - the port's form
        """Blind the digest of the note; a calendar has no use for a consistency proof."""
        blind = self.random(_NONCE)
        posted = sha256(sha256(head.note).digest() + blind).digest()
        return Attempt(posted, blind + posted, nonce)

    def send(self, head: Head, attempt: Attempt, *earlier: Attempt) -> Observation:  # noqa: ARG002 - the port's form
        """Post to every calendar whose answer is not kept yet; one that answers is enough.

        Returns:
            SENT, with the file where something was added to it.

        Raises:
            AnchorUnavailable: no calendar has taken it in.
            AnchorRejected: the same, and one answered what it may not; or the stored bytes are not of this head.
        """
        digest = sha256(head.note).digest()
        stamp = opened(digest, self.kept(head.size).file)
        blind, posted = attempt.raw[:_NONCE], attempt.raw[_NONCE:]
        place = blinded(stamp, blind)
        if place.msg != posted:
            raise AnchorRejected(f"{self.name}: the stored attempt is not of this head")
        before = taken = {calendar for _, calendar in self._promised(place)}
        problems: list[Exception] = []
        for calendar in self.calendars:
            if calendar in taken or not self._free(f"{calendar}/digest"):
                continue
            try:
                self._submit(calendar, place)
                taken = taken | {calendar}
            except (Unavailable, AnchorRejected) as error:
                self._leave(f"{calendar}/digest", _RETRY)
                problems.append(error)
        if not taken:
            raise self._failed(problems or [AnchorUnavailable("no calendar is asked again this minute")])
        detail = f"{self.name}: taken in by {len(taken)} of {len(self.calendars)} calendars"
        file = closed(digest, stamp) if taken != before else None
        return Observation(Step.SENT, file, "; ".join([detail, *map(str, problems)]))

    def observe(self, head: Head, attempts: Sequence[Attempt]) -> Observation:  # noqa: ARG002 - all are in the file
        """Ask the calendars that are in the kept file.

        Returns:
            FINAL with the file that leads to a settled block; SENT while there is none; REJECTED when three days
            have passed without one.

        Raises:
            AnchorUnavailable: no calendar that was asked answers, or no source of headers.
            AnchorRejected: one answers what it may not, or of a block that is another, or was another before.
        """
        kept = self.kept(head.size)
        if kept.file is None:
            return Observation(Step.SENT, None, f"{self.name}: no file is kept, it will be sent again")
        digest = sha256(head.note).digest()
        stamp = opened(digest, kept.file)
        problems: list[Exception] = []
        blocks: list[tuple[int, BlockHeader]] = []
        asked = [each for each in self._promised(stamp) if self._free(f"{each[1]}/timestamp")]
        for place, calendar in asked:
            try:
                blocks += self._upgrade(calendar, place)
                self._leave(f"{calendar}/timestamp", self.wait)
            except (Unavailable, AnchorRejected) as error:
                self._leave(f"{calendar}/timestamp", _RETRY)
                problems.append(error)
        if blocks:
            height, header = min(blocks, key=lambda block: block[1].time)
            detail = f"{self.name}: in Bitcoin block {height} of {header.time.isoformat()}"
            return Observation(Step.FINAL, closed(digest, stamp), detail)
        if self.now() - kept.since > _PATIENCE:
            told = "; ".join(["no settled Bitcoin block in three days", *map(str, problems)])
            return Observation(Step.REJECTED, None, f"{self.name}: {told}")
        if problems and (len(problems) == len(asked) or _lies(problems)):
            raise self._failed(problems)
        return Observation(Step.SENT, None, f"{self.name}: no settled Bitcoin block yet")

    def _submit(self, calendar: str, place: Timestamp) -> None:
        answer = self.outbound.post(f"{calendar}/digest", place.msg, "application/octet-stream", MAX_ANSWER)
        found = _read(calendar, answer, place.msg)
        promises = [item for item in found if isinstance(item, Pending)]
        if [item.uri.rstrip("/") for item in promises] != [calendar]:
            raise AnchorRejected(f"{calendar} does not answer with one promise of its own")
        if any(isinstance(item, InBlock) for item in found):
            raise AnchorRejected(f"{calendar} names a block at once")
        joined(calendar, answer, place)

    def _upgrade(self, calendar: str, place: Timestamp) -> list[tuple[int, BlockHeader]]:
        """The settled blocks that a calendar leads to from `place`; joined to it only where all of them hold."""
        answer = self.outbound.get(f"{calendar}/timestamp/{place.msg.hex()}", MAX_ANSWER)
        if answer is None:  # not yet, or lost: it says so in words that bind nobody
            return []
        blocks = []
        for item in _read(calendar, answer, place.msg):
            if not isinstance(item, InBlock):
                continue
            header = self.headers.settled(item.height)
            if header is None:
                return []
            if header.merkle_root != item.merkle_root:
                raise AnchorRejected(
                    f"{calendar} names block {item.height}, whose Merkle root is {shown(header.merkle_root)} and not "
                    f"{shown(item.merkle_root)}"
                )
            blocks.append((item.height, header))
        for height, header in blocks:
            # Durable here: the header that the service's own verifier will compare with. A crash after it leaves a
            # header that nothing rests on yet.
            self.keep(height, header)
        if blocks:
            joined(calendar, answer, place)
        return blocks

    def _promised(self, stamp: Timestamp) -> list[tuple[Timestamp, str]]:
        """Places in a tree with the promise of a calendar of ours: nobody else is ever asked."""
        return [(place, calendar) for place, calendar in promises(stamp) if calendar in self.calendars]

    def _free(self, question: str) -> bool:
        since, period = self._rest.get(question, (self.now(), timedelta(0)))
        return not timedelta(0) <= self.now() - since < period  # a clock that was ahead holds nothing up

    def _leave(self, question: str, period: timedelta) -> None:
        self._rest[question] = (self.now(), period)

    def _failed(self, problems: list[Exception]) -> AnchorRejected | AnchorUnavailable:
        kind = AnchorRejected if _lies(problems) else AnchorUnavailable
        return kind(f"{self.name}: {'; '.join(map(str, problems))}")


def _read(calendar: str, answer: bytes, message: bytes) -> tuple[Attestation, ...]:
    try:
        return parse_answer(answer, message)
    except FormatError as error:
        raise AnchorRejected(f"{calendar}: {error}") from error


def _lies(problems: list[Exception]) -> bool:
    return any(isinstance(problem, AnchorRejected) for problem in problems)
