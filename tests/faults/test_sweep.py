"""A fault at any write of opening, submitting and closing loses nothing, forks nothing, and is recovered from.

After each one a fresh process starts, is asked for every submission again, closes what waits, and runs fsck.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from notary.errors import Fatal
from tests.faults.counts import count
from tests.faults.inject import Fault, How, run
from tests.faults.powercut import record
from tests.faults.scenario import check_readable
from tests.faults.submissions import RECORDS
from tests.faults.watch import Tracee
from tests.faults.world import checkpoint, published, tree

pytestmark = pytest.mark.crash

FULL = (pytest.mark.faults, pytest.mark.timeout(3600))
# What is swept: a step, and the numbers of closed and of waiting entries before it (none: there is no log yet).
SWEEPS = {
    "create": ("create", ()),
    "submit": ("submit", (5, 2)),
    "write": ("write", (5, 2)),
    "close": ("close", (5, 2)),
    "close over the edge of a tile": ("close", (254, 4)),
}
# SQLite syncs the folder of a new write-ahead log, and does not look at the result. By then `notary.store.connecting`
# has synced it, by `fsync(.)`, and looked.
UNHEARD = "fdatasync(.)"


@dataclass
class Sweep:
    """A step and a folder as it is before it.

    Attributes:
        guard: of the negative controls, which guard is missing.
    """

    log: Tracee
    step: str
    start: Path
    records: int
    guard: tuple[str, ...] = ()

    def command(self, folder: Path) -> list[str]:
        return [*self.guard, self.step, str(folder)]

    def calls(self, folder: Path) -> list[str]:
        shutil.copytree(self.start, folder)
        outcome = run(self.log, self.command(folder), folder)
        assert outcome.ended.status == 0, outcome.ended.stderr
        assert len(outcome.calls) > 20
        return outcome.calls


@pytest.fixture
def sweep(request, log, tmp_path) -> Sweep:
    """The sweep that the parameter names."""
    step, numbers = SWEEPS[request.param]
    start = tmp_path / "start"
    start.mkdir()
    if numbers:
        ended = log.run(["setup", str(start), *map(str, numbers)])
        assert ended.status == 0, ended.stderr
    return Sweep(log, step, start, sum(numbers or [1]))


def sweeps(*names, marks=()):
    return pytest.mark.parametrize(
        "sweep", [pytest.param(name, marks=marks) for name in names], indirect=True
    )


def check(sweep, folder, lines, before, at_fault):
    """The whole oracle: `before` and `at_fault` are the files that the world could read, then and then."""
    assert published(before).items() <= published(at_fault).items()
    ended = sweep.log.run(["recover", str(folder), *lines])
    assert ended.status == 0, ended.stderr
    found = json.loads(ended.lines[-1])
    acknowledged = [line.split(" ")[3:] for line in lines if line.startswith("acknowledged")]
    seen = [shown for shown in map(checkpoint, (before, at_fault)) if shown is not None]
    count(
        "sweeps",
        faults=1,
        acknowledged_requests=len(acknowledged),
        acknowledged_records=sum(map(len, acknowledged)),
        lost=sum("is lost" in problem for problem in found["problems"]),
        forks=sum(found["roots"].get(str(size)) != root for size, root in seen),
    )
    assert found["problems"] == []
    assert found["records"] == sweep.records + RECORDS
    after = tree(folder)
    assert published(at_fault).items() <= published(after).items()
    for shown in map(checkpoint, (before, at_fault, after)):
        assert shown is None or found["roots"][str(shown[0])] == shown[1]
    check_readable(folder)


def faulted(sweep, folder, fault) -> str | None:
    """One run with a fault, and all that must be true after it; returns the call that was met."""
    shutil.copytree(sweep.start, folder)
    outcome = run(sweep.log, sweep.command(folder), folder, fault)
    if outcome.hit is not None:
        try:
            assert (outcome.ended.status == -9) == ("killed" in fault.how)
            if fault.how in (How.EIO, How.EIO_AFTER) and "sync(" in outcome.hit and outcome.hit != UNHEARD:
                # What a failed sync left nobody knows: the process must not go on.
                assert outcome.ended.status == 1
                assert "end" not in outcome.ended.lines
            check_readable(folder)
            check(sweep, folder, outcome.ended.lines, tree(sweep.start), tree(folder))
        except (AssertionError, Fatal) as error:
            error.add_note(f"{sweep.step}, {fault.how} at call {fault.at}, {outcome.hit}")
            raise
    shutil.rmtree(folder)
    return outcome.hit


def everywhere(sweep, folder, how, *, lasting=False):
    calls = sweep.calls(folder / "whole")
    for at in range(1, len(calls) + 1):
        assert faulted(sweep, folder / str(at), Fault(at, how, lasting))


def cut_off(sweep, folder, torn, every):
    """A power cut after every so many events, and after each line of the program."""
    shutil.copytree(sweep.start, folder / "data")
    recording = record(sweep.log, sweep.command(folder / "data"), folder / "data")
    assert recording.ended.status == 0, recording.ended.stderr
    for number, cut in enumerate(recording.cuts()):
        if number % every == 0 or cut.after.kind == "mark":
            left = folder / str(number)
            cut.leave(left, torn=None if torn is None else torn * 10_000 + number)
            try:
                check(sweep, left, cut.marks, tree(sweep.start), cut.disk.seen())
            except (AssertionError, Fatal) as error:
                error.add_note(f"{sweep.step}, power cut {number}, after {cut.after}"[:300])
                raise
            shutil.rmtree(left)


@sweeps("submit")
def test_what_was_acknowledged_and_is_not_there_is_found(sweep, tmp_path):
    made = shutil.copytree(sweep.start, tmp_path / "made")
    lines = run(sweep.log, sweep.command(made), made).ended.lines
    (single,) = (line for line in lines if line.startswith("acknowledged single"))
    _, _, bodies, number = single.split(" ")
    for folder, line, what in (
        (sweep.start, single, "single was acknowledged and is lost"),
        (made, single.replace(bodies, "0" * 64), "single was acknowledged with other bytes"),
        (made, single.replace(number, f"{number} {number}"), "single was made a second time"),
    ):
        copy = shutil.copytree(folder, tmp_path / what)
        found = json.loads(sweep.log.run(["recover", str(copy), line]).lines[-1])
        assert what in " ".join(found["problems"])


@sweeps("submit", "write", "close", marks=FULL)
@pytest.mark.parametrize("how", How)
def test_a_fault_at_any_call(sweep, tmp_path, how):
    everywhere(sweep, tmp_path, how)


@sweeps("submit", "write", "close", marks=FULL)
@pytest.mark.parametrize("how", [How.EIO, How.ENOSPC])
def test_a_disk_that_fails_for_good_at_any_call(sweep, tmp_path, how):
    everywhere(sweep, tmp_path, how, lasting=True)


@sweeps("create", "close over the edge of a tile", marks=FULL)
def test_a_kill_at_any_call(sweep, tmp_path):
    everywhere(sweep, tmp_path, How.KILL_BEFORE)


@sweeps("submit", "write", "close")
def test_a_fault_at_some_calls(sweep, tmp_path):
    # Each kind of call once, each kind of fault in turn.
    kinds = {call.split("(")[0]: at for at, call in enumerate(sweep.calls(tmp_path / "whole"), start=1)}
    for turn, at in enumerate(sorted(kinds.values())):
        assert faulted(sweep, tmp_path / str(at), Fault(at, list(How)[turn % len(How)]))


@sweeps("create")
def test_a_folder_of_the_database_that_cannot_be_synced_is_the_end(sweep, tmp_path):
    calls = sweep.calls(tmp_path / "whole")
    first = calls.index("fsync(.)")
    assert first < calls.index("fdatasync(notary.db-wal)")  # before anything is committed
    assert faulted(sweep, tmp_path / "failed", Fault(first + 1, How.EIO)) == "fsync(.)"


@sweeps("close")
def test_a_close_that_publishes_before_its_tiles_are_there_is_found(sweep, tmp_path):
    sweep.guard = ("hasty",)
    calls = sweep.calls(tmp_path / "whole")
    with pytest.raises((AssertionError, Fatal)) as caught:
        faulted(sweep, tmp_path / "killed", Fault(len(calls), How.KILL_BEFORE))
    assert "close, killed before at call" in caught.value.__notes__[0]


@sweeps("submit", "write")
def test_a_process_that_goes_on_after_a_sync_that_failed_is_found(sweep, tmp_path):
    at = sweep.calls(tmp_path / "calls").index("fdatasync(notary.db-wal)") + 1
    assert faulted(sweep, tmp_path / "sound", Fault(at, How.EIO))
    sweep.guard = ("deaf",)
    with pytest.raises(AssertionError) as caught:
        faulted(sweep, tmp_path / "deaf", Fault(at, How.EIO))
    assert f"{sweep.step}, EIO at call {at}, fdatasync(notary.db-wal)" in caught.value.__notes__[0]


@sweeps(*SWEEPS, marks=FULL)
@pytest.mark.parametrize("torn", [None, 1, 2])
def test_a_power_cut_at_any_moment(sweep, tmp_path, torn):
    cut_off(sweep, tmp_path, torn, 1)


@sweeps("submit", "write", "close")
def test_a_power_cut_at_some_moments(sweep, tmp_path):
    cut_off(sweep, tmp_path, None, 50)


@sweeps("submit")
def test_a_power_cut_loses_acknowledged_records_of_a_database_that_syncs_less(sweep, tmp_path):
    sweep.guard = ("careless",)
    with pytest.raises(AssertionError, match="was acknowledged and is lost"):
        cut_off(sweep, tmp_path, None, 1000)
