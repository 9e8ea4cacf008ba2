"""Tiles: names, bytes and proofs, around the sizes where a tile becomes full."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.errors import FormatError
from notary.merkle.append import append_entries, append_tiles
from notary.merkle.hashing import EMPTY_ROOT
from notary.merkle.proof import consistency_path, inclusion_path
from notary.merkle.tile_nodes import node_from_rows, node_from_tiles, rows_of
from notary.merkle.tiles import (
    Bundle,
    Tile,
    decode_bundle,
    encode_bundle,
    entry_bundles,
    new_tiles,
    parse_tile_path,
    tiles_at,
)
from notary.merkle.tree import root_of

EDGES = [1, 2, 70, 255, 256, 257, 511, 512, 513, 65535, 65536, 65537, 65793]
LARGEST = max(EDGES)


@pytest.fixture(scope="session")
def stored(naive):
    """Tiles of a log of so many leaves, cut from the leaf hashes by the definition in the specification."""
    tree = naive(LARGEST)

    def read(tile):
        starts = range(tile.index * 256, tile.index * 256 + tile.width)
        return b"".join(tree.node(8 * tile.level, start) for start in starts)

    return cache(read)


NAMES = [
    (Tile(0, 0), "tile/0/000"),
    (Tile(0, 1234067), "tile/0/x001/x234/067"),
    (Tile(0, 1234067, 8), "tile/0/x001/x234/067.p/8"),
    (Tile(63, 999, 255), "tile/63/999.p/255"),
    (Tile(7, 1000, 1), "tile/7/x001/000.p/1"),
    (Tile(0, 2**55 - 1), "tile/0/x036/x028/x797/x018/x963/967"),
    (Bundle(0), "tile/entries/000"),
    (Bundle(1234067, 8), "tile/entries/x001/x234/067.p/8"),
]


@pytest.mark.parametrize(("name", "path"), NAMES, ids=[path for _, path in NAMES])
def test_name_is_written_and_read_as_specified(name, path):
    # x001/x234/067 is the example of tlog-tiles.
    assert name.path() == path
    assert parse_tile_path(path) == name


@given(
    st.one_of(
        st.builds(Tile, st.integers(0, 63), st.integers(0, 2**55 - 1), st.integers(1, 256)),
        st.builds(Bundle, st.integers(0, 2**55 - 1), st.integers(1, 256)),
    )
)
def test_every_name_can_be_read_back(name):
    assert parse_tile_path(name.path()) == name


def test_tile_of_level_0_knows_its_entries():
    assert Tile(0, 1234067, 8).entries_path() == "tile/entries/x001/x234/067.p/8"
    with pytest.raises(FormatError, match=r"^only a tile of level 0 has entries$"):
        Tile(1, 0).entries_path()


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000",
        "tile/0/001/067",
        "tile/0/x001/x067",
        "tile/0/X001/067",
        "tile/0/x01/067",
        "tile/-1/000",
        "tile/+1/000",
        "tile/100/000",
        "tile/data/000",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/-1",
        "tile/0/000.p/1000",
        "tile/0/000.p/1/2",
        "tile/0/000.P/1",
        "tile/0/000\n",
        " tile/0/000",
        "tile/0/٠٠٠",
        "tile/0/../000",
        "tile/0/" + "x000/" * 20 + "000",
        "tile/00/" + "x000/" * 10 + "000.p/1",  # 65 characters
    ],
)
def test_path_of_another_form_is_refused(path):
    with pytest.raises(FormatError, match=r"^this is not the path of a tile$"):
        parse_tile_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "tile/00/000",
        "tile/01/000",
        "tile/0/x000/001",
        "tile/0/x000/x001/067",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/entries/x000/001",
        "tile/entries/000.p/256",
        "tile/0/" + "x000/" * 10 + "000.p/1",  # 64 characters, the most that is looked at
    ],
)
def test_second_spelling_of_a_path_is_refused(path):
    with pytest.raises(
        FormatError, match=r"^the path of a tile has a shorter form, and only that is allowed$"
    ):
        parse_tile_path(path)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("tile/64/000", "^the level of a tile is between 0 and 63$"),
        ("tile/0/000.p/0", "^a tile or bundle holds between 1 and 256 hashes or entries$"),
        ("tile/0/000.p/257", "^a tile or bundle holds between 1 and 256 hashes or entries$"),
        ("tile/entries/000.p/0", "^a tile or bundle holds between 1 and 256 hashes or entries$"),
        ("tile/0/x036/x028/x797/x018/x963/968", r"^the index of a tile is between 0 and 2\^55 - 1$"),
        ("tile/entries/x036/x028/x797/x018/x963/968", r"^the index of a tile is between 0 and 2\^55 - 1$"),
    ],
)
def test_path_beyond_the_limits_is_refused(path, message):
    with pytest.raises(FormatError, match=message):
        parse_tile_path(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tile(-1, 0), "^the level of a tile is between 0 and 63$"),
        (lambda: Tile(64, 0), "^the level of a tile is between 0 and 63$"),
        (lambda: Tile(0, -1), r"^the index of a tile is between 0 and 2\^55 - 1$"),
        (lambda: Tile(0, 2**55), r"^the index of a tile is between 0 and 2\^55 - 1$"),
        (lambda: Tile(0, 0, 0), "^a tile or bundle holds between 1 and 256 hashes or entries$"),
        (lambda: Tile(0, 0, 257), "^a tile or bundle holds between 1 and 256 hashes or entries$"),
        (lambda: Bundle(-1), r"^the index of a tile is between 0 and 2\^55 - 1$"),
        (lambda: Bundle(0, 257), "^a tile or bundle holds between 1 and 256 hashes or entries$"),
    ],
)
def test_name_that_cannot_exist_is_refused(make, message):
    with pytest.raises(FormatError, match=message):
        make()


def test_tiles_of_the_specification_s_example():
    # tlog-tiles: a tree of 70,000 has 273 full tiles and one of 112; one full and one of 17; one of 1.
    full_0 = [Tile(0, index) for index in range(273)]
    assert new_tiles(0, 70_000) == [*full_0, Tile(0, 273, 112), Tile(1, 0), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert tiles_at(70_000) == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    # And one of 256 has a full tile and a partial one of width 1 above it.
    assert new_tiles(0, 256) == [Tile(0, 0), Tile(1, 0, 1)]
    assert tiles_at(256) == [Tile(1, 0, 1)]
    assert entry_bundles(0, 256) == [Bundle(0)]


def test_new_tiles_are_what_the_larger_log_has_and_the_smaller_has_not():
    for old in (0, *EDGES):
        for new in (size for size in EDGES if size >= old):
            assert set(new_tiles(old, new)) == set(new_tiles(0, new)) - set(new_tiles(0, old))
            assert set(entry_bundles(old, new)) == set(entry_bundles(0, new)) - set(entry_bundles(0, old))
            assert new_tiles(old, new) == sorted(new_tiles(old, new))


def test_log_that_does_not_grow_has_no_new_tiles():
    assert new_tiles(300, 300) == entry_bundles(300, 300) == []
    assert new_tiles(0, 0) == tiles_at(0) == []


@pytest.mark.parametrize("call", [new_tiles, entry_bundles])
@pytest.mark.parametrize(("old", "new"), [(1, 0), (-1, 5), (0, 2**63 + 1), (0, -1)])
def test_log_that_shrinks_or_outgrows_its_limit_is_refused(call, old, new):
    with pytest.raises(
        FormatError, match=r"^the sizes of a log are between 0 and 2\^63, and it never shrinks$"
    ):
        call(old, new)


@pytest.mark.parametrize("size", [-1, 2**63 + 1])
def test_log_of_impossible_size_is_refused(size, stored):
    with pytest.raises(FormatError, match=r"between 0 and 2\^63"):
        tiles_at(size)
    with pytest.raises(FormatError, match=r"between 0 and 2\^63"):
        node_from_tiles(stored, size)
    with pytest.raises(FormatError, match=r"between 0 and 2\^63"):
        append_tiles(size, [], stored)


@pytest.mark.parametrize("size", EDGES)
def test_proofs_from_tiles_equal_the_recursive_definition(naive, stored, size):
    tree = naive(LARGEST)
    asked = set()

    def read(tile):
        asked.add(tile)
        return stored(tile)

    node = node_from_tiles(read, size)
    places = {0, 1, 254, 255, 256, 257, 65279, 65280, 65535, 65536, size // 2, size - 2, size - 1}
    for place in sorted(places & set(range(size))):
        assert inclusion_path(place, size, node) == tree.path(place, 0, size)
        assert consistency_path(place + 1, size, node) == tree.proof(place + 1, 0, size)
    assert asked <= set(new_tiles(0, size))  # it reads only what a log of that size serves


def test_tile_is_read_once_for_one_path(stored):
    asked = []

    def read(tile):
        asked.append(tile)
        return stored(tile)

    inclusion_path(300, 65537, node_from_tiles(read, 65537))
    assert sorted(asked) == [Tile(0, 1), Tile(0, 256, 1), Tile(1, 0)]


@pytest.mark.parametrize(("level", "index"), [(0, 300), (8, 1), (2, 75), (64, 0), (-1, 0), (0, -1), (9, 0)])
def test_subtree_that_is_not_complete_has_no_hash(stored, level, index):
    with pytest.raises(FormatError, match=r"^a log of 300 leaves has no such complete subtree$"):
        node_from_tiles(stored, 300)(level, index)


def test_the_largest_log_has_its_root_among_its_complete_subtrees(naive):
    tree = naive(128)
    node = node_from_rows(lambda tile: rows_of(b"".join(tree.leaf_hashes[: tile.width])), 2**63)
    assert node(63, 0) == tree.root(0, 128)
    with pytest.raises(FormatError, match=f"^a log of {2**63} leaves has no such complete subtree$"):
        node(64, 0)


def test_the_empty_log_has_no_subtree(stored):
    with pytest.raises(FormatError, match=r"^a log of 0 leaves has no such complete subtree$"):
        node_from_tiles(stored, 0)(0, 0)


@pytest.mark.parametrize("width", [1, 2, 3, 255, 256])
def test_rows_of_a_tile_are_its_complete_subtrees_below_the_next_tile(naive, width):
    tree = naive(256)
    rows = rows_of(b"".join(tree.leaf_hashes[:width]))
    assert rows == tuple(
        b"".join(tree.node(level, index) for index in range(width >> level))
        for level in range(min(8, width.bit_length()))
    )


@pytest.mark.parametrize("cut", [slice(0, -1), slice(0, 0), slice(32, None)])
def test_tile_of_the_wrong_length_is_refused(stored, cut):
    with pytest.raises(FormatError, match=r"tile/0/001\.p/44 holds \d+ bytes, not 1408"):
        node_from_tiles(lambda tile: stored(tile)[cut], 300)(0, 299)
    with pytest.raises(FormatError, match=r"tile/0/001\.p/44 holds \d+ bytes, not 1408"):
        append_tiles(300, [EMPTY_ROOT], lambda tile: stored(tile)[cut])


def test_full_tile_in_place_of_a_partial_one_is_refused(stored):
    with pytest.raises(FormatError, match="holds 8192 bytes, not 1408"):
        node_from_tiles(lambda tile: stored(Tile(tile.level, tile.index)), 300)(0, 299)


@pytest.mark.parametrize("old", [0, *EDGES])
def test_appended_tiles_equal_the_definition(naive, stored, old):
    tree = naive(LARGEST)
    for new in (size for size in EDGES if size >= old):
        tiles, root = append_tiles(old, tree.leaf_hashes[old:new], stored)
        assert list(tiles) == new_tiles(old, new)
        assert all(data == stored(tile) for tile, data in tiles.items())
        assert root == tree.root(0, new)


@pytest.mark.parametrize("old", [0, *EDGES])
def test_appended_entries_are_those_of_their_leaf_hashes(naive, stored, old):
    for new in (size for size in EDGES if size >= old):
        entries = [b"leaf %d" % number for number in range(old, new)]
        assert append_entries(old, entries, stored) == append_tiles(
            old, naive(LARGEST).leaf_hashes[old:new], stored
        )


def test_append_reads_only_the_right_edge(naive, stored):
    asked = []

    def read(tile):
        asked.append(tile)
        return stored(tile)

    append_tiles(65793, naive(LARGEST).leaf_hashes[:10], read)
    assert asked == tiles_at(65793)


@given(st.lists(st.integers(0, 600), min_size=1, max_size=6))
def test_log_grown_in_batches_equals_one_made_at_once(naive, batches):
    leaf_hashes = naive(LARGEST).leaf_hashes
    held = {}
    size = 0
    for batch in batches:
        tiles, root = append_tiles(size, leaf_hashes[size : size + batch], held.__getitem__)
        assert not held.keys() & tiles.keys()  # what was published is never written again
        held |= tiles
        size += batch
        assert root == root_of(leaf_hashes[:size])
    at_once, _ = append_tiles(0, leaf_hashes[:size], held.__getitem__)
    assert at_once.items() <= held.items()


def test_nothing_appended_gives_the_root_as_it_is(naive, stored):
    assert append_tiles(0, [], stored) == ({}, EMPTY_ROOT)
    for size in EDGES:
        assert append_tiles(size, [], stored) == ({}, naive(LARGEST).root(0, size))


def test_damaged_edge_shows_in_the_root(naive, stored):
    def damaged(tile):
        data = stored(tile)
        return data[:-1] + bytes([data[-1] ^ 1])

    assert append_tiles(300, [], damaged)[1] != naive(LARGEST).root(0, 300)


@pytest.mark.parametrize(("old", "pairs"), [(300, 1), (0, 128)])
def test_leaf_hash_of_another_length_is_not_appended(stored, old, pairs):
    with pytest.raises(FormatError, match="every hash must be 32 bytes"):
        append_tiles(old, [bytes(31), bytes(33)] * pairs, stored)


@given(st.lists(st.binary(max_size=100), min_size=1, max_size=256))
def test_bundle_can_be_read_back(entries):
    assert decode_bundle(encode_bundle(entries), len(entries)) == entries


def test_bundle_is_lengths_and_entries():
    assert encode_bundle([b"ab", b"", b"c" * 258]) == b"\x00\x02ab\x00\x00\x01\x02" + b"c" * 258
    longest = bytes(65535)
    assert encode_bundle([longest]) == b"\xff\xff" + longest


def test_entry_that_is_too_long_is_refused():
    with pytest.raises(FormatError, match=r"^an entry of a bundle is at most 65535 bytes$"):
        encode_bundle([b"", bytes(65536)])


@pytest.mark.parametrize("count", [0, 257])
def test_bundle_of_no_entries_or_too_many_is_refused(count):
    with pytest.raises(FormatError, match=r"^a tile or bundle holds between 1 and 256 hashes or entries$"):
        encode_bundle([b""] * count)
    with pytest.raises(FormatError, match=r"^a tile or bundle holds between 1 and 256 hashes or entries$"):
        decode_bundle(bytes(2 * count), count)


@pytest.mark.parametrize("length", range(9))
def test_bundle_that_ends_early_is_refused(length):
    whole = encode_bundle([b"abc", b"de"])
    with pytest.raises(FormatError, match=f"^the bundle ends within entry {0 if length < 5 else 1} of 2$"):
        decode_bundle(whole[:length], 2)
    assert len(whole) == 9


def test_bundle_that_goes_on_is_refused():
    with pytest.raises(FormatError, match=r"^4 bytes follow the 1 entries of the bundle$"):
        decode_bundle(encode_bundle([b"abc", b"de"]), 1)
