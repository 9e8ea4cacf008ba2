"""Objects in files: whole and durable before they have their names, whatever the disk does."""

import errno
import os
import shutil
import stat
from pathlib import Path

import pytest

from notary.errors import Fatal, Unavailable
from notary.store.files import LONG, THREADS, FileObjects


@pytest.fixture
def objects(tmp_path):
    return FileObjects(tmp_path / "log")


MANY = [(f"tile/0/{n:03}", b"%d" % n * 500) for n in range(3 * THREADS)]


def left(objects):
    """Everything in the folder of the tiles."""
    return sorted(path.name for path in (objects.root / "tile/0").iterdir())


def test_nothing_but_the_objects_is_left(objects):
    objects.create_all(MANY)
    objects.create_all(MANY)
    with pytest.raises(Fatal, match="with other bytes"):
        objects.create_all([(name, b"other") for name, _ in MANY])
    assert left(objects) == sorted(name.removeprefix("tile/0/") for name, _ in MANY)


def test_an_object_that_appears_while_it_is_made_is_compared(objects, monkeypatch):
    link = os.link

    def late(source, target):
        target.write_bytes(b"theirs")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(Fatal, match="with other bytes"):
        objects.create("tile/0/000", b"ours")
    assert left(objects) == ["000"]


def test_an_object_that_appears_and_is_gone_again_does_not_count_as_made(objects, monkeypatch):
    def refuse(_source, target):
        raise FileExistsError(errno.EEXIST, "File exists", str(target))

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(Unavailable, match="object tile/0/000 appeared while it was made, and is gone again"):
        objects.create("tile/0/000", b"ours")
    assert left(objects) == []


@pytest.mark.parametrize(
    ("number", "error", "what"),
    [(errno.EIO, Fatal, "the disk failed"), (errno.ENOSPC, Unavailable, "cannot be read or written now")],
)
def test_a_sync_that_fails_is_never_taken_for_success(objects, monkeypatch, number, error, what):
    def fail(_descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    for write in (
        lambda: objects.create("tile/0/000", b"data"),
        lambda: objects.replace("tile/0/000", b"data"),
        lambda: objects.create_all(MANY),
    ):
        with pytest.raises(error, match=what):
            write()
    monkeypatch.undo()
    assert objects.read("tile/0/000") is None
    assert left(objects) == []


@pytest.mark.parametrize("nth", [1, 5, len(MANY)])
def test_one_sync_of_many_that_fails_is_enough(objects, monkeypatch, nth):
    fsync, calls = os.fsync, iter(range(1, 1000))

    def fail_once(descriptor):
        if next(calls) == nth:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_once)
    with pytest.raises(Fatal, match="the disk failed"):
        objects.create_all(MANY)
    monkeypatch.undo()
    assert len(list(objects.names("tile"))) < len(MANY)
    assert not any(name.startswith(".new-") for name in left(objects))
    objects.create_all(MANY)
    assert {name: objects.read(name) for name, _ in MANY} == dict(MANY)


def traced(monkeypatch):
    """What happens to files, in its order: (what, path)."""
    events = []
    fsync, link = os.fsync, os.link

    def sync(descriptor):
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        size = os.fstat(descriptor).st_size
        fsync(descriptor)
        events.append(("sync", path, size))

    def linked(source, target):
        events.append(("link", str(source), str(target)))
        link(source, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "link", linked)
    return events


def check_durable(events, objects, made):
    """Every file was synced whole before it got its name; every folder after all the names in it."""
    for name, data in made:
        target = str(objects.root / name)
        ((at, source),) = [(n, e[1]) for n, e in enumerate(events) if e[0] == "link" and e[2] == target]
        assert ("sync", source, len(data)) in events[:at], f"{name} was visible before it was durable"
        above = objects.root.parent
        folders = [str(folder) for folder in Path(target).parents if folder.is_relative_to(above)]
        after = {path for what, path, _ in events[at:] if what == "sync"}
        assert set(folders) <= after, f"{name} may be without its name after a power cut"


def test_a_file_is_durable_before_its_name_and_its_name_before_the_return(objects, monkeypatch):
    events = traced(monkeypatch)
    objects.create_all(MANY)
    check_durable(events, objects, MANY)
    seen = list(events)
    for lost in ("sync", "folder"):
        careless = [e for e in seen if not (e[0] == "sync" and (".new-" in e[1]) == (lost == "sync"))]
        with pytest.raises(AssertionError, match=r"visible before|without its name"):
            check_durable(careless, objects, MANY)


@pytest.mark.parametrize("size", [10, LONG + 1])
def test_what_is_named_by_its_bytes_is_as_durable(objects, monkeypatch, size):
    events = traced(monkeypatch)
    data = bytes(size)
    name = objects.create_named("staging/1", data)
    check_durable(events, objects, [(name, data)])


def test_what_cannot_be_written_is_not_named_by_its_bytes(objects, monkeypatch):
    def fail(_descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(Fatal, match="the disk failed"):
        objects.create_named("staging/1", bytes(LONG + 1))
    assert list((objects.root / "staging/1").iterdir()) == []


def synced(events):
    return {path for what, path, _ in events if what == "sync"}


def test_folders_are_synced_although_they_were_there(objects, monkeypatch):
    """By each process once: the one that made them may have died before."""
    FileObjects(objects.root).create("tile/0/000", b"data")
    events = traced(monkeypatch)
    objects.create("tile/0/000", b"data")
    root = objects.root
    folders = {str(folder) for folder in (root.parent, root, root / "tile", root / "tile/0")}
    assert synced(events) == folders
    events.clear()
    objects.create("tile/0/000", b"data")  # whoever gave it its name may have died before, too
    assert synced(events) == {str(root / "tile/0")}


def test_a_folder_is_known_to_be_durable_once_the_one_above_is_synced(objects, monkeypatch):
    objects.create("tile/0/000", b"data")
    failing = os.fsync

    def fail_on_folders(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        failing(descriptor)

    monkeypatch.setattr(os, "fsync", fail_on_folders)
    with pytest.raises(Unavailable):
        objects.create("tile/1/000", b"data")
    monkeypatch.undo()
    events = traced(monkeypatch)
    objects.create("tile/1/000", b"data")
    assert synced(events) == {str(objects.root / "tile"), str(objects.root / "tile/1")}


def test_a_folder_that_somebody_removed_is_made_and_synced_again(objects, monkeypatch):
    objects.create("tile/0/000", b"data")
    shutil.rmtree(objects.root / "tile")
    events = traced(monkeypatch)
    objects.create("tile/0/000", b"data")
    root = objects.root
    assert {str(root), str(root / "tile"), str(root / "tile/0")} <= synced(events)


def test_no_more_folders_are_remembered_than_some(objects, monkeypatch):
    monkeypatch.setattr("notary.store.files.FOLDERS_KEPT", 10)
    for n in range(40):
        objects.create(f"tile/0/{n:03}.p/1", b"data")
    events = traced(monkeypatch)
    objects.create("tile/0/000.p/2", b"data")
    assert str(objects.root / "tile/0/000.p") in synced(events)
    assert str(objects.root / "tile/0") in synced(events)  # forgotten: synced again


def test_a_replacement_is_durable_before_it_is_visible(objects, monkeypatch):
    objects.replace("checkpoint", b"old")
    events = traced(monkeypatch)
    rename = Path.replace
    monkeypatch.setattr(
        Path, "replace", lambda self, to: (events.append(("name", str(self), str(to))), rename(self, to))
    )
    objects.replace("checkpoint", b"new!")
    (_, temporary, size), (_, renamed, target), *folders = events
    assert [what for what, *_ in events] == ["sync", "name", "sync"]
    assert (temporary, size, target) == (renamed, 4, str(objects.root / "checkpoint"))
    assert [folder for _, folder, _ in folders] == [str(objects.root)]


def test_no_reader_ever_sees_a_part(objects, monkeypatch):
    """A disk that takes a few bytes at a time, and a reader between any two of them."""
    seen = set()
    fsync = os.fsync

    def look(descriptor):
        seen.add(objects.read("tile/0/000"))
        fsync(descriptor)
        seen.add(objects.read("tile/0/000"))

    monkeypatch.setattr(os, "fsync", look)
    objects.create("tile/0/000", b"x" * 100_000)
    assert seen == {None, b"x" * 100_000}
