"""Processes of `tests.log.submitter`, what they acknowledged, and whether all of it is there."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from notary.errors import NotFound
from notary.store.checkpoints import checkpoints_after
from notary.store.claims import claims_after
from notary.store.connecting import open_database
from notary.store.tenants import tenants
from tests.faults.counts import count
from tests.faults.submissions import Stored
from tests.faults.world import checkpoint
from tests.log.submitter import FATAL
from tests.rig import Rig
from tests.warm import WarmProcess

_START_SECONDS = 60


@dataclass
class Process:
    """One submitter; its lines are in a file, so that it never waits for who reads them."""

    url: str
    folder: Path
    mark: str
    pause: float = 0
    without: tuple[str, ...] = ()  # guards, in negative controls
    lines: Path = field(init=False)
    child: WarmProcess = field(init=False)

    def __post_init__(self) -> None:
        self.lines = self.folder / "lines" / self.mark
        self.lines.parent.mkdir(exist_ok=True)
        self.child = WarmProcess(
            [self.url, self.folder, self.mark, self.pause, *self.without],
            self.lines,
            self.lines.with_suffix(".err"),
            dict(os.environ),
            "tests.log.submitter",
        )

    def acknowledged(self) -> dict[str, list[str]]:
        """By key: digest of the answer, record numbers. Of a line that was cut off nobody has read the end."""
        whole = self.lines.read_text().split("\n")[:-1]
        return {key: rest for key, *rest in (line.split(" ") for line in whole)}

    def wait_for(self, count: int) -> bool:
        """Until it has acknowledged so many; False where it has ended by itself instead."""
        end = time.monotonic() + _START_SECONDS
        while len(self.acknowledged()) < count:
            if self.ended():
                return False
            assert time.monotonic() < end, f"nothing is acknowledged: {self.told()}"
            time.sleep(0.02)
        return True

    def told(self) -> str:
        """What it wrote to its error output."""
        return self.lines.with_suffix(".err").read_text()

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """It does nothing meanwhile."""
        self.child.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.child.send_signal(signal.SIGCONT)

    def reason(self) -> str:
        """The last line that it said before it ended by itself: code and message of an error."""
        return self.told().strip().rpartition("\n")[2]

    def kill(self) -> None:
        self.child.kill()
        self.child.wait(60)

    def ended(self) -> bool:
        """Whether it has ended by itself, which only the sequencer may make it do."""
        status = self.child.poll()
        assert status in (None, FATAL), f"{self.mark} ended with status {status}: {self.told()}"
        return status is not None


@dataclass
class Judge:
    """Knows what was acknowledged and what the world has seen, and compares both with what is stored.

    Attributes:
        acknowledged: by key, digest of the answer and record numbers.
        shown: root by size, of each checkpoint that was published at some moment.
        forks: sizes for which a second root was seen, or another than ours.
        lost: keys whose answer is not there, byte for byte.
    """

    what: str
    url: str
    folder: Path
    acknowledged: dict[str, list[str]] = field(default_factory=dict)
    shown: dict[int, str] = field(default_factory=dict)
    forks: set[int] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)
    checked: set[str] = field(default_factory=set)
    _size: int = 0

    def look(self) -> None:
        """Look at what is published."""
        path = self.folder / "log" / "checkpoint"
        seen = checkpoint({"log/checkpoint": path.read_bytes()} if path.exists() else {})
        if seen is not None:
            size, root = seen
            assert size >= self._size, f"a checkpoint of size {size} was published after one of {self._size}"
            self._size = size
            if self.shown.setdefault(size, root) != root:
                self.forks.add(size)

    def heard(self, process: Process) -> None:
        """Remember what a process has acknowledged."""
        found = process.acknowledged()
        both = found.keys() & self.acknowledged.keys()
        other = {
            key: (self.acknowledged[key], found[key]) for key in both if found[key] != self.acknowledged[key]
        }
        assert not other, f"{process.mark}: acknowledged twice, and not alike: {other}"
        self.acknowledged |= found

    def judge(self, *, everything: bool = False) -> list[str]:
        """Look for what was acknowledged since the last time, or for all of it, and run fsck; what is wrong."""
        with self._rig() as rig:
            stored, wanted = Stored(rig), self.acknowledged.keys() - (set() if everything else self.checked)
            with rig.database.reading() as connection:
                for key in wanted:
                    digest, *numbers = self.acknowledged[key]
                    try:
                        found = stored.digest(connection, key, numbers)
                    except NotFound:
                        found = None
                    if found != digest:
                        self.lost.append(key)
            self.checked = set(self.acknowledged)
            problems = rig.fsck().problems
            with rig.database.reading() as connection:
                roots = {stored.size: stored.root.hex() for stored in checkpoints_after(connection, 0, 2**31)}
            self.forks |= {size for size, root in self.shown.items() if roots.get(size) != root}
        return (
            problems
            + [f"{key} was acknowledged and is lost" for key in self.lost[:10]]
            + [f"two roots for size {size}" for size in sorted(self.forks)]
        )

    def finish(self) -> None:
        """Close what waits, and judge all of it: nothing lost, nothing twice, one root for each size."""
        with self._rig() as rig:
            sequencer = rig.sequencer("finish")
            end = time.monotonic() + 30
            while not sequencer.acquire():
                assert time.monotonic() < end
                time.sleep(0.2)
            while sequencer.sequence():
                pass
            sequencer.release()
        self.look()
        problems = self.judge(everything=True)
        with self._rig() as rig, rig.database.reading() as connection:
            size = max(stored.size for stored in checkpoints_after(connection, 0, 2**31))
            claimed, after = 0, None
            while page := claims_after(connection, after, 5000):
                claimed += sum(claimed_one.count for _, claimed_one in page)
                after = (page[-1][0].tenant_id, page[-1][0].key)
        numbers = [number for _, *found in self.acknowledged.values() for number in found]
        count(
            self.what, acknowledged_requests=len(self.acknowledged), acknowledged_records=len(numbers),
            lost=len(self.lost), forks=len(self.forks), checkpoints_seen=len(self.shown), entries=size,
        )  # fmt: skip
        # Each record belongs to one request, and each request, however often it was sent, has its records once.
        if len(set(numbers)) != len(numbers):
            problems.append("a record was acknowledged for two requests")
        if size != 1 + claimed or claimed < len(numbers):
            problems.append(f"{size} entries, {claimed} records of requests, {len(numbers)} acknowledged")
        assert problems == [], problems

    @contextmanager
    def _rig(self) -> Iterator[Rig]:
        database = open_database(self.url)
        try:
            rig = Rig(database, self.folder, clock=lambda: datetime.now(UTC))
            with database.reading() as connection:
                rig.tenant = next(iter(tenants(connection))).id
            yield rig
        finally:
            database.dispose()
