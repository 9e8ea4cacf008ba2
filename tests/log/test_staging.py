"""The staging object: read back as it was written, or not at all."""

import pytest
from sqlalchemy import text

from notary.errors import Fatal
from notary.log import staging
from notary.log.batch import build, last_entries
from notary.merkle.append import append_tiles
from notary.merkle.hashing import EMPTY_ROOT, hash_leaf
from notary.merkle.tiles import TILE_WIDTH, encode_bundle, entry_bundles, new_tiles
from notary.merkle.tree import root_of
from notary.store.files import FileObjects
from notary.store.objects import CHECKPOINT
from tests.rig import Rig

TILES = {"tile/0/000.p/1": b"a" * 32, "tile/entries/000.p/1": b"", "tile/1/x001/000": bytes(range(256))}


@pytest.fixture
def objects(tmp_path):
    return FileObjects(tmp_path / "log")


def test_what_is_staged_is_applied(objects):
    name = staging.stage(objects, TILES, 3)
    assert staging.apply(objects, name)
    assert staging.apply(objects, name)
    assert {path: objects.read(path) for path in TILES} == TILES
    staging.discard_all(objects, 3)
    assert not staging.apply(objects, name)


def test_who_slept_removes_nothing_that_a_successor_staged_since(objects):
    """The very same tiles, staged again under the next epoch."""
    old, new = staging.stage(objects, TILES, 3), staging.stage(objects, TILES, 4)
    assert old != new
    staging.discard_all(objects, 3)
    assert not staging.apply(objects, old)
    assert staging.apply(objects, new)
    assert not staging.apply(objects, staging.join([new, old]))
    staging.discard(objects, staging.join([new, old]))
    assert list(objects.names(staging.FOLDER)) == []


@pytest.mark.parametrize("length", range(1, 26))
def test_every_bundle_that_ends_early_is_refused_or_shorter(length):
    bundle = staging.encode({"a": b"1", "b": b"2"})
    first = len(staging.encode({"a": b"1"}))
    cut = bundle[:-length]
    if len(cut) in (first, len(staging.encode({}))):
        assert len(staging.decode(cut)) < 2
    else:
        with pytest.raises(Fatal, match=r"ends within an object|does not begin with its header"):
            staging.decode(cut)


def test_a_damaged_staging_object_is_refused(objects):
    name = staging.stage(objects, TILES, 3)
    path = objects.root / name
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(Fatal, match=r"staging object .* is damaged"):
        staging.apply(objects, name)
    with pytest.raises(Fatal, match="with other bytes"):
        staging.stage(objects, TILES, 3)


def test_a_batch_that_fits_is_one_part_wherever_it_begins(objects):
    row = [n.to_bytes(32, "big") for n in range(65_537 + 60_000)]
    size = 60_000
    before = close_all(objects, 0, EMPTY_ROOT, row[:size])
    (part,) = build(objects, size, before.root, row[size : size + 65_536])
    assert part.root == root_of([hash_leaf(entry) for entry in row[: part.size]])
    assert len(list(build(objects, size, before.root, row[size : size + 65_537]))) > 1


def entries(count):
    return [bytes([n % 256, n // 256]) * 16 for n in range(count)]


def close(objects, size, root, added):
    (part,) = build(objects, size, root, added)
    objects.create_all(part.objects.items())
    return part


def test_tiles_of_another_root_are_not_built_upon(objects):
    close(objects, 0, EMPTY_ROOT, entries(3))
    with pytest.raises(Fatal, match="the tiles at size 3 do not have the root"):
        list(build(objects, 3, bytes(32), entries(1)))


def test_a_bundle_that_is_missing_damaged_or_anothers_is_not_built_upon(objects):
    batch = close(objects, 0, EMPTY_ROOT, entries(3))
    bundle = objects.root / "tile/entries/000.p/3"
    good = bundle.read_bytes()
    assert last_entries(objects, 3) == entries(3)
    for data, what in ((good[:-1], "is damaged: "), (good[:-1] + b"x", "are not those of its tile")):
        bundle.write_bytes(data)
        with pytest.raises(Fatal, match=what):
            list(build(objects, 3, batch.root, entries(1)))
    bundle.unlink()
    with pytest.raises(Fatal, match=r"000.p/3 is missing"):
        list(build(objects, 3, batch.root, entries(1)))


@pytest.mark.parametrize(
    ("old", "new"), [(0, 65_537), (3, 131_072), (65_530, 131_079), (65_536, 65_536 * 2 + 1)]
)
def test_a_large_batch_in_parts_has_the_objects_of_one_piece(objects, old, new):
    """And no others: a partial tile of a size between would belong to no checkpoint."""
    row = [n.to_bytes(32, "big") for n in range(new)]
    before = close_all(objects, 0, EMPTY_ROOT, row[:old]) if old else None
    made, parts = {}, list(build(objects, old, before.root if before else EMPTY_ROOT, row[old:]))
    assert len(parts) > 1
    for part in parts:
        assert not made.keys() & part.objects.keys()
        made |= part.objects
    leaves = [hash_leaf(entry) for entry in row]
    whole, root = append_tiles(0, leaves, {}.__getitem__)
    wanted = {tile.path(): data for tile, data in whole.items() if tile in set(new_tiles(old, new))}
    for bundle in entry_bundles(old, new):
        start = bundle.index * TILE_WIDTH
        wanted[bundle.path()] = encode_bundle(row[start : start + bundle.width])
    assert made == wanted
    assert (parts[-1].size, parts[-1].root) == (new, root)
    assert root == root_of(leaves)


def close_all(objects, size, root, added):
    for part in build(objects, size, root, added):
        objects.create_all(part.objects.items())
    return part


def test_a_newest_checkpoint_beside_another_size_stops_recovery(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    rig.submit(1)
    rig.sequencer().sequence()
    with sqlite.writing() as connection:
        connection.execute(text("UPDATE log_state SET root = zeroblob(32)"))
    rig.objects.delete(CHECKPOINT)  # which would tell first
    with pytest.raises(Fatal, match="not about the size and root beside it"):
        rig.sequencer().acquire()
