"""Objects are made once and never change; one name is replaced whole."""

import errno
import os
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from notary.errors import Fatal, NotFound, ProofError, Unavailable
from notary.log.batch import build
from notary.merkle.hashing import EMPTY_ROOT, hash_leaf
from notary.merkle.proof import check_consistency, check_inclusion
from notary.merkle.tiles import Tile
from notary.merkle.tree import root_of
from notary.store.objects import Objects
from notary.store.tiles import Tiles


@pytest.fixture
def objects(tmp_path):
    return Objects(tmp_path / "log")


def test_an_object_is_read_as_it_was_made(objects):
    objects.create("tile/0/x001/000.p/7", b"hashes")
    objects.create("tile/0/x001/000.p/7", b"hashes")
    assert objects.read("tile/0/x001/000.p/7") == b"hashes"
    assert objects.read("tile/0/x001/000") is None
    assert objects.read("tile/0/x001/000.p") is None
    assert objects.read("tile/0/x001/000.p/7/8") is None
    assert list(objects.names("tile")) == ["tile/0/x001/000.p/7"]


def test_an_object_never_changes(objects):
    objects.create("tile/0/000", b"first")
    with pytest.raises(Fatal, match="tile/0/000 is there with other bytes"):
        objects.create("tile/0/000", b"second")
    assert objects.read("tile/0/000") == b"first"


def test_of_many_who_make_an_object_one_wins(objects):
    outcomes = []

    def make(data):
        try:
            objects.create("tile/0/000", data)
            outcomes.append(data)
        except Fatal:
            outcomes.append(None)

    threads = [threading.Thread(target=make, args=[b"%d" % n * 1000]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [data for data in outcomes if data]
    assert objects.read("tile/0/000") == winner
    assert [path.name for path in (objects.root / "tile/0").iterdir()] == ["000"]


def test_an_object_that_appears_while_it_is_made_is_compared(objects, monkeypatch):
    link = os.link

    def late(source, target):
        target.write_bytes(b"theirs")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(Fatal, match="with other bytes"):
        objects.create("tile/0/000", b"ours")
    assert [path.name for path in (objects.root / "tile/0").iterdir()] == ["000"]


def test_a_replaced_object_is_old_or_new(objects):
    objects.replace("checkpoint", b"old")
    objects.replace("checkpoint", b"new")
    assert objects.read("checkpoint") == b"new"
    objects.delete("checkpoint")
    objects.delete("checkpoint")
    assert objects.read("checkpoint") is None


@pytest.mark.parametrize(
    "name", ["", "../secret", "/etc/passwd", "tile/../../x", "Tile/0", "a//b", "a" * 201, ".new-1"]
)
def test_other_names_are_refused(objects, name):
    for use in (objects.read, objects.delete, lambda name: objects.create(name, b"")):
        with pytest.raises(NotFound, match="not the name of an object"):
            use(name)


@pytest.mark.parametrize(
    ("number", "error", "what"),
    [(errno.EIO, Fatal, "the disk failed"), (errno.ENOSPC, Unavailable, "cannot be read or written now")],
)
def test_a_sync_that_fails_is_never_taken_for_success(objects, monkeypatch, number, error, what):
    def fail(_descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    for write in (objects.create, objects.replace):
        with pytest.raises(error, match=what):
            write("tile/0/000", b"data")
    monkeypatch.undo()
    assert objects.read("tile/0/000") is None
    assert list((objects.root / "tile/0").iterdir()) == []


def test_file_and_folder_are_synced_before_an_object_counts(objects, monkeypatch):
    synced = []
    fsync = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda fd: (synced.append(str(Path(f"/proc/self/fd/{fd}").readlink())), fsync(fd))
    )
    objects.create("tile/0/000", b"data")
    assert ".new-" in synced[0]
    folders = {
        str(folder)
        for folder in (objects.root.parent, objects.root, objects.root / "tile", objects.root / "tile/0")
    }
    assert folders == set(synced[1:])


def log_of(objects, *sizes):
    entries, root, size = [], EMPTY_ROOT, 0
    for new in sizes:
        added = [n.to_bytes(32, "big") for n in range(size, new)]
        batch = build(objects, size, root, added)
        objects.create_all(batch.objects.items())
        entries, root, size = entries + added, batch.root, new
    return entries


def test_proofs_come_from_stored_tiles(objects):
    sizes = (1, 5, 255, 256, 257, 700, 70_000)
    entries = log_of(objects, *sizes)
    leaves = [hash_leaf(entry) for entry in entries]
    tiles = Tiles(objects)
    roots = {size: root_of(leaves[:size]) for size in sizes}
    for size in sizes:
        assert tiles.root(size) == roots[size]
        tiles.check_edge(size, roots[size])
        for index in {0, size // 2, size - 1}:
            check_inclusion(leaves[index], index, size, tiles.inclusion(index, size), roots[size])
    for old, new in pairwise(sizes):
        check_consistency(old, new, tiles.consistency(old, new), roots[old], roots[new])
    assert tiles.root(0) == EMPTY_ROOT


def test_proofs_of_other_sizes_are_refused(objects):
    log_of(objects, 5)
    with pytest.raises(ProofError, match="outside a tree of 5"):
        Tiles(objects).inclusion(5, 5)
    with pytest.raises(ProofError, match="from the empty tree"):
        Tiles(objects).consistency(0, 5)


def test_a_partial_tile_is_cut_from_the_full_one(objects):
    log_of(objects, 300)
    assert len(Tiles(objects).read(Tile(0, 0, 17))) == 17 * 32
    with pytest.raises(Fatal, match=r"tile/0/001.p/43 is missing or damaged"):
        Tiles(objects).read(Tile(0, 1, 43))


@pytest.mark.parametrize("name", ["tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2"])
def test_the_edge_is_checked_tile_by_tile(objects, name):
    log_of(objects, 700)
    tiles = Tiles(objects)
    root = tiles.root(700)
    tiles.check_edge(700, root)
    path = objects.root / name
    path.write_bytes(bytes(32) + path.read_bytes()[32:])
    if name == "tile/0/000":
        tiles.check_edge(700, root)  # not at the edge: that is for fsck
        path = objects.root / "tile/0/001"
        path.write_bytes(bytes(32) + path.read_bytes()[32:])
    with pytest.raises(Fatal, match=r"does not hash into the one above|do not have the root"):
        tiles.check_edge(700, root)
    path.unlink()
    with pytest.raises(Fatal, match="is missing or damaged"):
        tiles.check_edge(700, root)
