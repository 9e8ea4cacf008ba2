"""The tool that kills and fails system calls strikes where it says, before or after, and nowhere else."""

from pathlib import Path

import pytest

from tests.faults.inject import Fault, How, run

pytestmark = pytest.mark.crash


def tree(folder: Path):
    return {
        str(path.relative_to(folder)): path.is_dir() or (path.stat().st_mode, path.read_bytes())
        for path in folder.rglob("*")
    }


def changed(tracee, folder: Path, fault: Fault | None = None):
    """Run the program that makes one of each kind of change, in a new folder."""
    folder.mkdir()
    (folder / "old").write_bytes(b"old content" * 5)
    (folder / "appended").write_bytes(b"0123")
    outcome = run(tracee, ["changes", str(folder)], folder, fault)
    return outcome, tree(folder)


def test_it_counts_the_calls_of_a_known_program(tracee, tmp_path):
    outcome = run(tracee, ["file", str(tmp_path)], tmp_path)
    assert (outcome.ended.status, outcome.ended.stderr, outcome.hit) == (0, "", None)
    assert outcome.ended.lines == ["begin", "0", "1", "2", "end"]
    assert len(outcome.calls) == 27
    assert outcome.calls[9:18] == [
        "mkdir(folder1)", "openat(folder1/.new)", "write(folder1/.new)", "write(folder1/.new)",
        "fsync(folder1/.new)", "link(folder1/.new, folder1/name)", "unlink(folder1/.new)", "fsync(folder1)",
        "fsync(.)",
    ]  # fmt: skip


def test_watching_changes_nothing(tracee, tmp_path):
    outcome, watched = changed(tracee, tmp_path / "watched")
    assert (outcome.ended.status, outcome.ended.stderr) == (0, "")
    folder = tmp_path / "alone"
    folder.mkdir()
    (folder / "old").write_bytes(b"old content" * 5)
    (folder / "appended").write_bytes(b"0123")
    assert tracee.run(["changes", str(folder)]).status == 0
    assert tree(folder) == watched


def test_killed_after_a_call_is_killed_before_the_next(tracee, tmp_path):
    complete, _ = changed(tracee, tmp_path / "complete")
    unseen = {"openat(appended)", "openat(new)", "write(unnamed)"}
    after = None
    for at, call in enumerate(complete.calls, start=1):
        killed, before = changed(tracee, tmp_path / f"before-{at}", Fault(at, How.KILL_BEFORE))
        assert (killed.ended.status, killed.hit) == (-9, call)
        assert after in (None, before), f"before call {at}, {call}"
        killed, after = changed(tracee, tmp_path / f"after-{at}", Fault(at, How.KILL_AFTER))
        assert (killed.ended.status, killed.hit) == (-9, call)
        # The two kinds differ, except at calls that change nothing with a name.
        assert (before == after) == ("sync" in call or call in unseen), call


@pytest.mark.parametrize(
    ("how", "lines", "made"),
    [
        (How.KILL_BEFORE, [], {"0"}),
        (How.KILL_AFTER, [], {"0", "1"}),
        (How.EIO, ["1 Input/output error", "end"], {"0", "2", "3"}),
        (How.ENOSPC, ["1 No space left on device", "end"], {"0", "2", "3"}),
        (How.EIO_AFTER, ["1 Input/output error", "end"], {"0", "1", "2", "3"}),
    ],
)
def test_each_fault_does_what_it_says(tracee, tmp_path, how, lines, made):
    outcome = run(tracee, ["caught", str(tmp_path)], tmp_path, Fault(2, how))
    assert outcome.hit == "openat(1)"
    assert outcome.ended.status == (-9 if "killed" in how else 0)
    assert outcome.ended.lines == ["begin", *lines]
    assert {path.name for path in tmp_path.iterdir()} == made


def test_a_lasting_fault_meets_every_later_call(tracee, tmp_path):
    outcome = run(tracee, ["caught", str(tmp_path)], tmp_path, Fault(3, How.ENOSPC, lasting=True))
    full = "No space left on device"
    assert outcome.ended.lines == ["begin", f"2 {full}", f"3 {full}", "end"]


def test_a_fault_beyond_the_last_call_meets_none(tracee, tmp_path):
    outcome = run(tracee, ["caught", str(tmp_path)], tmp_path, Fault(5, How.KILL_BEFORE))
    assert (outcome.ended.status, outcome.hit, len(outcome.calls)) == (0, None, 4)


def test_a_call_on_another_folder_does_not_count(tracee, tmp_path):
    (tmp_path / "watched").mkdir()
    (tmp_path / "watched too").mkdir()
    outcome = run(tracee, ["caught", str(tmp_path / "watched too")], tmp_path / "watched")
    assert (outcome.ended.status, outcome.calls) == (0, [])


def test_all_threads_are_watched(tracee, tmp_path):
    one = run(tracee, ["rows", str(tmp_path), "FULL", "6", "1"], tmp_path)
    (tmp_path / "three").mkdir()
    three = run(tracee, ["rows", str(tmp_path / "three"), "FULL", "6", "3"], tmp_path / "three")
    assert sorted(three.ended.lines) == sorted(one.ended.lines)
    assert sorted(three.calls) == sorted(one.calls)
    assert one.calls.count("fdatasync(rows.db-wal)") == 6


def test_a_child_of_the_process_is_watched(tracee, tmp_path):
    outcome = run(tracee, ["child", str(tmp_path)], tmp_path, Fault(2, How.ENOSPC))
    assert outcome.hit == "write(of the child)"
    assert (tmp_path / "of the child").read_bytes() == b""


def test_a_failed_sync_reaches_sqlite(tracee, tmp_path):
    outcome = run(tracee, ["rows", str(tmp_path), "FULL", "6"], tmp_path, Fault(6, How.EIO))
    assert outcome.hit == "fdatasync(rows.db-wal)"
    assert "disk I/O error" in outcome.ended.stderr
    assert outcome.ended.lines == ["begin", "0", "end"]


def test_what_does_not_end_is_killed_and_the_next_run_is_a_fresh_one(tracee, tmp_path):
    class Failing:
        def mark(self, line):
            raise ValueError(f"a defect of the watcher, met at {line}")

    with pytest.raises(ValueError, match="met at begin"):
        tracee.run(["caught", str(tmp_path)], Failing())
    with pytest.raises(TimeoutError, match=r"did not end in 0\.3 seconds"):
        tracee.run(["stuck"], Failing(), seconds=0.3)
    assert not any(tmp_path.iterdir())
    assert run(tracee, ["caught", str(tmp_path)], tmp_path).ended.status == 0
