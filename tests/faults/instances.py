"""Instances of one log on one database: each that ends as it may is started again, as a process manager does."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from notary.errors import Overtaken
from notary.store.connecting import open_database
from notary.store.engine import Database
from notary.store.logstate import read_state
from tests.faults.counts import count
from tests.faults.crowd import Judge, Process

_WHAT = "three instances"
_SECONDS = 60  # for a process to start, to take over, to find that it was overtaken: much on a busy machine


@dataclass(slots=True)
class Counts:
    """What a run of several instances came to.

    Attributes:
        kills: processes that were killed.
        sleeps: leaders that stood still until another had taken over.
        overtaken: processes that ended since another had taken over, and were replaced; with those that slept.
        leaders: how often another process than before was seen to lead.
    """

    kills: int = 0
    sleeps: int = 0
    overtaken: int = 0
    leaders: int = 0


@dataclass
class Instances:
    """Those that run now, by name; `everyone` has also those that ended."""

    url: str
    folder: Path
    names: str
    pause: float
    counts: Counts = field(default_factory=Counts)
    everyone: list[Process] = field(default_factory=list)
    running: dict[str, Process] = field(default_factory=dict)
    judge: Judge = field(init=False)
    _database: Database = field(init=False)
    _epoch: int = -1
    _leader: Process | None = None

    def __post_init__(self) -> None:
        self.judge = Judge(_WHAT, self.url, self.folder)
        self._database = open_database(self.url)

    def start(self, name: str) -> None:
        """Start one, in the place of one that has ended."""
        process = Process(self.url, self.folder, f"{name}-{len(self.everyone)}", self.pause)
        self.running[name] = process
        self.everyone.append(process)

    def start_all(self) -> None:
        """The first alone until it acknowledges, which makes the log; then the others."""
        for name in self.names:
            self.start(name)
            if len(self.running) == 1:
                assert self.running[name].wait_for(1), self.running[name].told()
        self.until(
            lambda: all(process.acknowledged() for process in self.running.values()), "all acknowledge"
        )

    def look(self) -> None:
        """Look at what is published and who leads, and replace who was overtaken.

        Raises:
            AssertionError: one has ended for another reason.
        """
        self.judge.look()
        with self._database.reading() as connection:
            state = read_state(connection)
        assert state is not None
        if state.epoch != self._epoch and state.holder in self.running:
            self._epoch = state.epoch
            process = self.running[state.holder]
            self.counts.leaders += self._leader not in (None, process)
            self._leader = process
        for name, process in self.running.items():
            if process.ended():
                assert process.reason().startswith(f"{Overtaken.code}: "), f"{process.mark}: {process.told()}"
                self.counts.overtaken += 1
                self.start(name)

    def until(self, true, what: str) -> None:
        """Look until something is true."""
        end = time.monotonic() + _SECONDS
        while not true():
            assert time.monotonic() < end, f"not within {_SECONDS} seconds: {what}"
            self.look()
            time.sleep(0.02)

    def leader(self) -> str:
        """The name of the one that leads, if it is still there."""
        self.until(lambda: self._leader in self.running.values(), "somebody leads")
        return next(name for name, process in self.running.items() if process is self._leader)

    def kill(self, name: str) -> None:
        """Kill one, and start it again."""
        self.running[name].kill()
        self.counts.kills += 1
        self.start(name)

    def put_to_sleep(self, name: str) -> None:
        """The leader stands still until another has taken over; then it goes on, and must find that out and end."""
        process, epoch = self.running[name], self._epoch
        with process.standing_still():
            # Where it was stopped with the row locked, nobody can take over before the server ends its transaction.
            self.until(lambda: self._epoch > epoch and self._leader is not process, "another takes over")
        self.until(lambda: self.running[name] is not process, f"{process.mark} finds that it was overtaken")
        self.counts.sleeps += 1

    def disturb(self, number: int, random: Random) -> None:
        """By turns: the leader sleeps, the leader is killed, anybody is killed."""
        if number % 3 == 0:
            self.put_to_sleep(self.leader())
        else:
            self.kill(self.leader() if number % 3 == 1 else random.choice(self.names))

    def stop(self) -> None:
        """Kill all that run."""
        for process in self.running.values():
            process.kill()
        self._database.dispose()

    def finish(self, seconds: float) -> None:
        """Judge all that was acknowledged and shown, and whether that is enough to say anything.

        Raises:
            AssertionError: something is lost, twice or forked, or too little was done.
        """
        for process in self.everyone:
            self.judge.heard(process)
        counts = self.counts
        count(
            _WHAT, seconds=int(seconds), processes=len(self.everyone), kills=counts.kills, sleeps=counts.sleeps,
            overtaken=counts.overtaken, leaders=counts.leaders,
        )  # fmt: skip
        self.judge.finish()
        acknowledged = dict.fromkeys(self.names, 0)
        for process in self.everyone:
            acknowledged[process.mark.partition("-")[0]] += len(process.acknowledged())
        lacking = too_little(seconds, counts, acknowledged)
        assert lacking == [], lacking


def too_little(seconds: float, counts: Counts, acknowledged: dict[str, int]) -> list[str]:
    """What a run lacks to say anything: it did nothing, one instance did nothing, or one led all the time.

    Args:
        seconds: how long it took.
        counts: of the whole run.
        acknowledged: requests by the name of an instance.
    """
    least = int(seconds)
    found = []
    if sum(acknowledged.values()) < least:
        found.append(f"{sum(acknowledged.values())} requests were acknowledged, of at least {least}")
    found += [
        f"{name} acknowledged {own} requests, of at least {least // 10}"
        for name, own in acknowledged.items()
        if own < max(1, least // 10)
    ]
    # Whoever sleeps is overtaken by another; of those that are killed, one under its name may be back first.
    if counts.leaders < max(1, counts.sleeps):
        found.append(f"{counts.leaders} times another led, for {counts.sleeps} leaders that slept")
    if counts.overtaken < max(1, counts.sleeps):
        found.append(f"{counts.overtaken} were overtaken, for {counts.sleeps} leaders that slept")
    return found
