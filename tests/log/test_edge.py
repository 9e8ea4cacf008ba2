"""What a close reads of the log, once."""

import shutil
from dataclasses import dataclass, field

import pytest

from notary.errors import Fatal
from notary.log.batch import build
from notary.log.edge import Edge
from notary.merkle.hashing import EMPTY_ROOT
from notary.merkle.tiles import TILE_WIDTH, Bundle, tiles_at
from notary.store.files import FileObjects
from notary.store.logstate import read_state
from notary.store.objects import CHECKPOINT
from tests.rig import Rig


@dataclass(frozen=True, slots=True)
class Counted(FileObjects):
    asked: list[str] = field(default_factory=list)

    def read(self, name):
        self.asked.append(name)
        return FileObjects.read(self, name)


@pytest.fixture
def objects(tmp_path):
    return Counted(tmp_path / "log")


def row(start, end):
    return [n.to_bytes(32, "big") for n in range(start, end)]


def edge_names(size):
    names = {tile.path() for tile in tiles_at(size)}
    return names | ({Bundle(*divmod(size, TILE_WIDTH)).path()} if size % TILE_WIDTH else set())


def grow(edge, objects, size, root, end):
    *_, part = build(edge, size, root, row(size, end))
    objects.create_all(part.objects.items())
    edge.move(part.size, part.objects)
    return part


# A width that ends within a tile, at one's end, beyond one of level 1; an upper partial tile that stays as it is.
SIZES = (3, 7, 256, 300, 512, 513, 700, 65_536, 65_540, 65_541, 65_800, 200_000)


def test_a_process_that_goes_on_reads_nothing_and_makes_what_another_would(objects):
    edge, root, size = Edge(objects), EMPTY_ROOT, 0
    for end in SIZES:
        *_, other = build(FileObjects(objects.root), size, root, row(size, end))
        objects.asked.clear()
        part = grow(edge, objects, size, root, end)
        assert objects.asked == [] or size == 0
        assert (part.root, part.objects) == (other.root, other.objects)
        assert edge._kept.keys() == edge_names(end)  # and no more: memory does not grow with the log
        size, root = end, part.root


def test_what_is_forgotten_is_read_again(objects):
    edge = Edge(objects)
    part = grow(edge, objects, 0, EMPTY_ROOT, 300)
    edge.forget()
    objects.asked.clear()
    grow(edge, objects, 300, part.root, 301)
    assert set(objects.asked) == edge_names(300)


def test_what_is_not_there_is_asked_for_each_time(objects):
    edge = Edge(objects)
    assert edge.read("tile/0/000.p/3") is None
    objects.create("tile/0/000.p/3", bytes(96))
    assert edge.read("tile/0/000.p/3") == bytes(96)


def test_memory_that_changed_is_not_built_upon(objects):
    edge = Edge(objects)
    part = grow(edge, objects, 0, EMPTY_ROOT, 300)
    for name in edge_names(300):
        good = edge._kept[name]
        edge._kept[name] = good[:-1] + bytes([good[-1] ^ 1])
        with pytest.raises(Fatal, match=r"do not have the root|are not those of its tile"):
            list(build(edge, 300, part.root, row(300, 301)))
        edge._kept[name] = good


def test_one_close_after_another_reads_only_what_is_published(database, tmp_path):
    rig = Rig(database, tmp_path, objects=Counted(tmp_path / "log")).open()
    sequencer = rig.sequencer()
    rig.submit(2)
    sequencer.sequence()
    rig.objects.asked.clear()
    rig.submit(2)
    assert sequencer.sequence().size == 5
    before = [name for name in rig.objects.asked if not name.startswith("staging/")]
    assert set(before) - set(edge_names(5)) == {CHECKPOINT}
    assert rig.fsck().problems == []


@pytest.mark.parametrize("idle", [False, True], ids=["records wait", "nothing waited for a while"])
def test_an_older_copy_of_all_objects_under_a_leader_is_not_built_upon(database, tmp_path, idle):
    """From memory alone it would: with a hole in the tiles, of which nobody speaks before fsck does."""
    rig = Rig(database, tmp_path).open()
    leader = rig.sequencer()
    rig.submit(2)
    leader.sequence()
    shutil.copytree(rig.folder / "log", tmp_path / "older")
    rig.submit(2)
    assert leader.sequence().size == 5
    shutil.rmtree(rig.folder / "log")
    (tmp_path / "older").rename(rig.folder / "log")
    if not idle:
        rig.submit(2)
    for _ in range(2):  # nor by the same process in another turn
        with pytest.raises(Fatal, match="is missing"):
            leader.sequence()
    with database.reading() as connection:
        assert read_state(connection).size == 5


def test_an_older_checkpoint_alone_is_replaced(database, tmp_path):
    """As a holder may leave it who slept through the end of its lease."""
    rig = Rig(database, tmp_path).open()
    leader = rig.sequencer()
    rig.submit(2)
    leader.sequence()
    older = rig.objects.read(CHECKPOINT)
    rig.submit(2)
    leader.sequence()
    newer = rig.objects.read(CHECKPOINT)
    for waits in (False, True):
        rig.objects.replace(CHECKPOINT, older)
        if waits:
            rig.submit(1)
        assert (leader.sequence() is not None) == waits
        assert waits or rig.objects.read(CHECKPOINT) == newer
    assert rig.fsck().problems == []


def test_whoever_starts_reads_the_edge_that_is_stored(database, tmp_path):
    """Also the same process, after a failure: what it remembers may be of a close that came to nothing."""
    rig = Rig(database, tmp_path).open()
    sequencer = rig.sequencer()
    rig.submit(2)
    sequencer.sequence()
    sequencer._edge._kept["tile/0/000.p/3"] = bytes(96)
    sequencer._epoch = None
    rig.submit(2)
    assert sequencer.sequence().size == 5
    assert rig.fsck().problems == []
