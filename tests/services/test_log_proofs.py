"""Proofs at any published size, from tiles alone, and none from damaged ones."""

import pytest

from notary.errors import Fatal, NotReady, RequestError
from notary.evidence.checkpoint import open_checkpoint
from notary.merkle.hashing import hash_leaf
from notary.merkle.proof import check_consistency, check_inclusion
from notary.merkle.tiles import Tile
from notary.merkle.tree import root_of
from notary.services.log_proofs import LogProofs
from notary.store.records import record_at
from tests.databases import with_tables
from tests.rig import LOG_VERIFIER, ORIGIN, Rig

SIZES = (3, 250, 259, 300)  # of the checkpoints; the last but one has no full tile of its own any more


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    database = with_tables(f"sqlite:///{folder / 'notary.db'}")
    rig = Rig(database, folder).open()
    sequencer = rig.sequencer()
    for old, new in zip((1, *SIZES[:-1]), SIZES, strict=True):
        rig.submit(new - old, first=old)
        sequencer.sequence()
    with database.reading() as connection:
        rig.leaves = [hash_leaf(record_at(connection, index).entry) for index in range(SIZES[-1])]
    yield rig
    database.dispose()


@pytest.fixture
def proofs(grown):
    return LogProofs(grown.prover())


def test_any_entry_is_proved_at_any_size(grown, proofs):
    for size in (1, 2, 3, 4, 249, 250, 255, 256, 257, 258, 259, 260, 290, 299, 300):
        root = root_of(grown.leaves[:size])
        for index in {0, size // 2, size - 1}:
            found = proofs.inclusion(index, size)
            assert (found.index, found.head.size, found.head.root) == (index, size, root)
            assert found.leaf_hash == grown.leaves[index]
            check_inclusion(grown.leaves[index], index, size, found.path, root)
            assert proofs.inclusion_held(index, size) == found
        note = proofs.inclusion(0, size).head.note
        if size in (1, *SIZES):
            checkpoint = open_checkpoint(note, ORIGIN, [LOG_VERIFIER]).checkpoint
            assert (checkpoint.size, checkpoint.root) == (size, root)
        else:
            assert note is None


def test_any_two_sizes_are_connected(grown, proofs):
    sizes = (1, 2, 3, 128, 250, 256, 257, 260, 299, 300)
    for new in sizes:
        for old in (size for size in sizes if size <= new):
            found = proofs.consistency(old, new)
            assert (found.old.size, found.new.size) == (old, new)
            roots = [root_of(grown.leaves[:size]) for size in (old, new)]
            check_consistency(old, new, found.path, *roots)
            assert proofs.consistency_held(old, new) == found


def test_the_newest_checkpoint_is_meant_where_no_size_is_named(proofs):
    assert proofs.inclusion(299, None).head.size == 300
    assert proofs.consistency(7, None).new.size == 300


def test_what_is_no_proof_is_a_wrong_request(proofs):
    proofs.inclusion(0, 4)
    proofs.consistency(4, 300)
    for ask in (proofs.inclusion, proofs.inclusion_held):
        with pytest.raises(RequestError, match="index must be below size, which is 4"):
            ask(4, 4)
    with pytest.raises(RequestError, match="index must be below size, which is 0"):
        proofs.inclusion(0, 0)
    for ask in (proofs.consistency, proofs.consistency_held):
        with pytest.raises(RequestError, match="old must be between 1 and new, which is 4"):
            ask(300, 4)
    with pytest.raises(RequestError, match="old must be between 1 and new, which is 300"):
        proofs.consistency(0, None)


def test_a_size_that_is_not_published_is_not_ready(proofs):
    for ask in (lambda: proofs.inclusion(0, 301), lambda: proofs.consistency(1, 10**18 - 1)):
        with pytest.raises(NotReady, match="published at size 300, not at"):
            ask()


def test_a_log_that_is_not_open_proves_nothing(proofs, monkeypatch):
    monkeypatch.setattr("notary.store.files.FileObjects.read", lambda *_: None)
    with pytest.raises(NotReady, match="the log is not open yet"):
        proofs.inclusion(0, None)


def test_nothing_is_said_from_memory_that_was_not_read_before(proofs):
    for ask in (
        lambda: proofs.inclusion_held(0, 300),
        lambda: proofs.inclusion_held(0, None),
        lambda: proofs.consistency_held(1, 300),
        lambda: proofs.consistency_held(1, None),
    ):
        with pytest.raises(KeyError):
            ask()
    proofs.inclusion(299, 300)
    proofs.inclusion_held(299, 300)
    with pytest.raises(KeyError):  # of another tile
        proofs.inclusion_held(0, 300)


def test_few_files_are_read_for_one_proof_and_none_for_the_next(proofs, monkeypatch):
    asked = []
    read = type(proofs.prover.tiles).read
    monkeypatch.setattr(
        "notary.store.tiles.Tiles.read", lambda tiles, tile: asked.append(tile) or read(tiles, tile)
    )
    proofs.inclusion(5, 300)
    assert sorted(asked) == [Tile(0, 0), Tile(0, 1, 44)]
    proofs.inclusion(200, 290)  # a size without a checkpoint, so its root is computed as well
    assert asked[2:] == [Tile(1, 0, 1)]
    proofs.inclusion(299, 300)
    proofs.consistency(290, 300)
    assert len(asked) == 3


@pytest.mark.parametrize("size", [300, 290])
def test_damaged_tiles_prove_nothing_and_mended_ones_do(grown, proofs, size):
    path = grown.objects.root / "tile/0/001.p/44"
    good = path.read_bytes()
    path.write_bytes(bytes(32) + good[32:])
    try:
        with pytest.raises(Fatal, match="the stored tiles do not prove what was signed"):
            proofs.inclusion(257, size)
        with pytest.raises(Fatal, match="the stored tiles do not prove what was signed"):
            proofs.consistency(258, size)
    finally:
        path.write_bytes(good)
    proofs.inclusion(257, size)
    proofs.consistency(258, size)


def test_only_so_many_heads_are_kept(proofs, monkeypatch):
    monkeypatch.setattr("notary.services.log_proofs._HEADS_KEPT", 4)
    for size in range(1, 20):
        proofs.inclusion(0, size)
        assert len(proofs.heads) <= 4


def test_a_note_is_verified_once(grown, monkeypatch):
    seen = []

    def look(data, origin, keys):
        if keys:  # the first look is what has them read
            seen.append(data)
        return open_checkpoint(data, origin, keys)

    monkeypatch.setattr("notary.proving.open_checkpoint", look)
    prover = grown.prover()
    for _ in range(3):
        prover.checkpoint(250)
        prover.checkpoint()
    assert len(seen) == 2
    monkeypatch.setattr("notary.proving._NOTES_KEPT", 1)
    prover.checkpoint(259)
    assert len(prover.known.notes) == 1
