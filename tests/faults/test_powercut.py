"""The model of a disk loses what it may lose, keeps what it must keep, and knows all that a program does."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.disk import Disk, File, Folder, Resize, Write
from tests.faults.powercut import UnknownEffectError, record

pytestmark = pytest.mark.crash


def stored_rows(folder: Path) -> set[int]:
    with closing(sqlite3.connect(folder / "rows.db")) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {number for (number,) in connection.execute("SELECT number FROM row")}


def cuts_with_losses(tracee, tmp_path, synchronous, torn) -> tuple[int, int]:
    """How many cuts were made, and after how many an acknowledged row was gone."""
    (tmp_path / "data").mkdir()
    run = record(tracee, ["rows", str(tmp_path / "data"), synchronous, "40", "2"], tmp_path / "data")
    assert run.ended.lines[-1] == "end", run.ended.stderr
    made = lost = 0
    for made, cut in enumerate(run.cuts_at_marks(), start=1):
        cut.leave(tmp_path / str(made), torn=made if torn else None)
        acknowledged = {int(mark) for mark in cut.marks if mark.isdigit()}
        try:
            lost += not acknowledged <= stored_rows(tmp_path / str(made))
        except sqlite3.OperationalError:  # even the table is gone
            lost += 1
    return made, lost


@pytest.mark.parametrize("torn", [False, True])
def test_sqlite_keeps_what_it_acknowledged_when_it_syncs_each_commit(tracee, tmp_path, torn):
    assert cuts_with_losses(tracee, tmp_path, "FULL", torn) == (42, 0)


@pytest.mark.parametrize("torn", [False, True])
def test_sqlite_loses_what_it_acknowledged_when_it_does_not(tracee, tmp_path, torn):
    made, lost = cuts_with_losses(tracee, tmp_path, "NORMAL", torn)
    assert made == 42
    assert lost > 20


def left(tracee, tmp_path, *without, torn=None):
    (tmp_path / "data").mkdir()
    run = record(tracee, ["file", str(tmp_path / "data"), *without], tmp_path / "data")
    assert run.ended.status == 0, run.ended.stderr
    for cut in run.cuts_at_marks():
        yield len(cut.marks) - 1, cut.disk.lost() if torn is None else cut.disk.torn(torn)


WHOLE = b"first" * 2000 + b"second"


def test_a_file_that_is_synced_with_its_folder_is_there(tracee, tmp_path):
    for torn in (None, 1, 2):
        where = tmp_path / str(torn)
        where.mkdir()
        for count, found in left(tracee, where, torn=torn):
            assert all(found[f"folder{number}/name"] == WHOLE for number in range(min(count, 3)))


def test_a_file_that_is_not_synced_is_empty_after_a_cut(tracee, tmp_path):
    *_, (count, found) = left(tracee, tmp_path, "fsync")
    assert count == 4
    assert found == {
        f"folder{n}" + end: content for n in range(3) for end, content in (("", None), ("/name", b""))
    }


def test_a_file_whose_folder_is_not_synced_has_no_name_after_a_cut(tracee, tmp_path):
    *_, (_, found) = left(tracee, tmp_path, "folder")
    assert found == {}


def test_the_model_sees_what_the_processes_see(tracee, tmp_path):
    (tmp_path / "old").write_bytes(b"old content" * 5)
    (tmp_path / "appended").write_bytes(b"0123")
    run = record(tracee, ["changes", str(tmp_path)], tmp_path)
    assert (run.ended.status, run.ended.lines) == (0, ["begin", "refused", "end"]), run.ended.stderr
    kinds = Counter(event.kind for event in run.events)
    assert kinds["rename"] == 2
    *_, last = run.cuts()
    real = {
        path.relative_to(tmp_path).as_posix(): None if path.is_dir() else path.read_bytes()
        for path in tmp_path.rglob("*")
    }
    assert last.disk.seen() == real


@pytest.mark.parametrize("what", ["symlink", "mapped", "splice"])
def test_what_the_model_cannot_follow_is_refused(tracee, tmp_path, what):
    with pytest.raises((UnknownEffectError, NotImplementedError), match=what):
        record(tracee, ["refused", str(tmp_path), what], tmp_path)


# --- the model alone


@pytest.fixture
def disk():
    """One file of two sectors, certain."""
    made = Disk()
    made.name(("file", File(b"a" * 1024)))
    made.sync(made.root)
    return made


def test_the_start_is_certain(disk):
    assert disk.lost() == disk.torn(1) == disk.seen() == {"file": b"a" * 1024}


def test_a_torn_file_may_have_a_later_write_without_an_earlier_one(disk):
    disk.find("file").changes += [Write(0, b"b" * 512), Write(512, b"c" * 512)]
    found = {disk.torn(seed)["file"][::512] for seed in range(50)}
    assert found == {b"aa", b"ba", b"ac", b"bc"}
    assert disk.lost() == {"file": b"a" * 1024}
    disk.sync(disk.find("file"))
    assert disk.lost() == disk.torn(1) == {"file": b"b" * 512 + b"c" * 512}


def test_a_sector_is_whole_and_may_have_any_of_its_states(disk):
    disk.find("file").changes += [Write(10, b"b" * 20), Write(20, b"c" * 20)]
    found = {disk.torn(seed, sector=4096)["file"][:50].strip(b"a") for seed in range(50)}
    assert found == {b"", b"b" * 20, b"b" * 10 + b"c" * 20}


def test_a_size_may_come_without_its_bytes(disk):
    disk.find("file").changes += [Write(1024, b"b" * 512)]
    found = {disk.torn(seed)["file"][1024:] for seed in range(50)}
    assert found == {b"", b"b" * 512, bytes(512)}


def test_a_file_that_was_cut_off_may_have_its_end_again(disk):
    disk.find("file").changes += [Resize(100)]
    assert disk.seen() == {"file": b"a" * 100}
    assert {len(disk.torn(seed)["file"]) for seed in range(50)} == {100, 1024}
    disk.sync(disk.find("file"))
    assert disk.lost() == {"file": b"a" * 100}


def test_names_come_back_in_the_order_in_which_they_were_given(disk):
    node = disk.find("file")
    disk.name(("file", None), ("new name", node))
    disk.name(("folder", Folder()))
    disk.name(("folder/link", node))
    found = {tuple(disk.torn(seed)) for seed in range(50)}
    assert found == {("file",), ("new name",), ("folder", "new name"), ("folder", "folder/link", "new name")}
    assert set(disk.lost()) == {"file"}
    disk.sync(disk.find("folder"))  # which says nothing about its own name
    assert set(disk.lost()) == {"file"}
    disk.sync(disk.root)
    assert set(disk.lost()) == set(disk.torn(0)) == {"new name", "folder", "folder/link"}


def test_a_file_with_two_names_has_one_content(disk):
    disk.name(("other", disk.find("file")))
    disk.sync(disk.root)
    disk.find("file").changes += [Write(0, b"b" * 1024)]
    assert all(found["file"] == found["other"] for found in map(disk.torn, range(20)))
