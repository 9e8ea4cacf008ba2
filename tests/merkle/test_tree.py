"""Hashes and trees, against values that other implementations publish and the recursive definition."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.errors import FormatError
from notary.merkle.hashing import EMPTY_ROOT, HASH_SIZE, hash_leaf, hash_leaves, hash_node
from notary.merkle.tree import CompactRange, levels, range_nodes, root_of

# The tree shared by Certificate Transparency implementations: eight entries, and the root at each size.
# Source: transparency-dev/merkle, testonly/constants.go (LeafInputs, NodeHashes, RootHashes), commit 582a6ad.
ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    bytes.fromhex(root)
    for root in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
# NodeHashes: the leaves 2, 4 and 6, the pair 4-5 and the four 0-3 of the same tree.
LEAF_2 = bytes.fromhex("0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7")
LEAF_6 = bytes.fromhex("b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f")
PAIR_2 = bytes.fromhex("0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a")


@pytest.mark.parametrize("size", range(9))
def test_root_at_each_size_is_the_published_one(size):
    leaf_hashes = [hash_leaf(entry) for entry in ENTRIES[:size]]
    assert root_of(leaf_hashes) == ROOTS[size]
    assert CompactRange().extended(leaf_hashes).root() == ROOTS[size]


def test_nodes_are_the_published_ones():
    assert hash_leaf(ENTRIES[2]) == LEAF_2
    assert hash_node(hash_leaf(ENTRIES[4]), hash_leaf(ENTRIES[5])) == PAIR_2
    compact = CompactRange().extended(hash_leaves(ENTRIES[:7]))
    assert compact.nodes == (ROOTS[4], PAIR_2, LEAF_6)
    assert ROOTS[0] == EMPTY_ROOT
    assert len(EMPTY_ROOT) == HASH_SIZE


def test_leaf_and_node_of_the_same_bytes_differ():
    assert hash_leaf(ROOTS[1] + ROOTS[2]) != hash_node(ROOTS[1], ROOTS[2])


def test_many_leaf_hashes_equal_one_at_a_time():
    assert hash_leaves(iter(ENTRIES)) == [hash_leaf(entry) for entry in ENTRIES]


@pytest.mark.parametrize("size", range(66))
def test_root_equals_the_recursive_definition(naive, size):
    tree = naive(65)
    assert root_of(tree.leaf_hashes[:size]) == tree.root(0, size)


@pytest.mark.parametrize("size", [1, 2, 7, 8, 13, 64, 65])
def test_levels_are_all_rows_with_an_odd_node_moved_up(naive, size):
    tree = naive(65)
    rows = levels(tree.leaf_hashes[:size])
    for level, row in enumerate(rows):
        starts = range(0, size, 1 << level)
        assert row == [tree.root(start, min(size, start + (1 << level))) for start in starts]
    assert len(rows[-1]) == 1


def test_levels_of_no_leaves_are_one_empty_row():
    assert levels([]) == [[]]


def test_compact_range_grows_from_every_size_to_every_size(naive):
    tree = naive(65)
    ranges = [CompactRange().extended(tree.leaf_hashes[:size]) for size in range(66)]
    for size, compact in enumerate(ranges):
        assert compact.size == size
        assert compact.root() == tree.root(0, size)
        assert list(compact.nodes) == [tree.node(*node) for node in range_nodes(0, size)]
    for old in range(66):
        for new in range(old, 66):
            assert ranges[old].extended(tree.leaf_hashes[old:new]) == ranges[new]


@given(st.lists(st.integers(0, 700), max_size=6))
def test_compact_range_is_the_same_however_the_leaves_arrive(naive, batches):
    tree = naive(5000)
    compact = CompactRange()
    for batch in batches:
        compact = compact.extended(tree.leaf_hashes[compact.size : compact.size + batch])
    assert compact.root() == tree.root(0, sum(batches)) == root_of(tree.leaf_hashes[: sum(batches)])


def test_duplicating_the_odd_node_changes_the_root(naive):
    # CVE-2012-2459. The control is the algorithm that has the flaw: there both lists share a root.
    leaf_hashes = naive(3).leaf_hashes
    longer = [*leaf_hashes, leaf_hashes[-1]]
    assert _root_with_odd_node_duplicated(leaf_hashes) == _root_with_odd_node_duplicated(longer)
    assert root_of(leaf_hashes) != root_of(longer)
    assert CompactRange().extended(leaf_hashes).root() != CompactRange().extended(longer).root()


def _root_with_odd_node_duplicated(row):
    while len(row) > 1:
        row = [*row, row[-1]] if len(row) % 2 else row
        row = [sha256(a + b).digest() for a, b in zip(row[::2], row[1::2], strict=True)]
    return row[0]


@pytest.mark.parametrize("make", [root_of, levels, CompactRange().extended])
@pytest.mark.parametrize("lengths", [(31,), (32, 33), (31, 33), (0,)])
def test_leaf_hash_of_another_length_is_refused(make, lengths):
    # 31 and 33 bytes make the same node as the 32 and 32 with the border moved.
    with pytest.raises(FormatError, match=r"^every hash must be 32 bytes$"):
        make([bytes(length) for length in lengths])


@pytest.mark.parametrize("size", [-1, 2**63 + 1, pytest.param(10**5000, id="huge")])
def test_compact_range_of_impossible_size_is_refused(size):
    with pytest.raises(FormatError, match=r"^the size of a compact range is between 0 and 2\^63$"):
        CompactRange(size, ())


@pytest.mark.parametrize(("size", "count"), [(0, 1), (1, 0), (3, 1), (4, 3)])
def test_compact_range_with_the_wrong_number_of_nodes_is_refused(size, count):
    with pytest.raises(FormatError, match=f"^a compact range of {size} leaves cannot have {count} nodes$"):
        CompactRange(size, (EMPTY_ROOT,) * count)


def test_compact_range_with_a_short_node_is_refused():
    with pytest.raises(FormatError, match=r"^every hash must be 32 bytes$"):
        CompactRange(1, (b"short",))


def test_compact_range_does_not_outgrow_its_limit():
    full = CompactRange(2**63, (EMPTY_ROOT,))
    with pytest.raises(FormatError, match=r"^the size of a compact range is between 0 and 2\^63$"):
        full.extended([EMPTY_ROOT])
