"""Roots and proofs from stored tiles; what is damaged at the edge is found."""

from itertools import pairwise

import pytest

from notary.errors import Fatal, ProofError
from notary.log.batch import build
from notary.merkle.hashing import EMPTY_ROOT, hash_leaf
from notary.merkle.proof import check_consistency, check_inclusion
from notary.merkle.tiles import Tile
from notary.merkle.tree import root_of
from notary.store.files import FileObjects
from notary.store.tiles import Tiles


@pytest.fixture
def objects(tmp_path):
    return FileObjects(tmp_path / "log")


def log_of(objects, *sizes):
    entries, root, size = [], EMPTY_ROOT, 0
    for new in sizes:
        added = [n.to_bytes(32, "big") for n in range(size, new)]
        for batch in build(objects, size, root, added):
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
