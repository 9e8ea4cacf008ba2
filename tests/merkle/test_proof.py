"""Proofs: every small tree against the recursive definition, and nothing that was touched passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.errors import FormatError, ProofError
from notary.merkle.hashing import EMPTY_ROOT, hash_leaf, hash_leaves
from notary.merkle.proof import (
    all_inclusion_paths,
    check_consistency,
    check_inclusion,
    complete_subtrees,
    consistency_nodes,
    consistency_path,
    inclusion_nodes,
    inclusion_path,
    root_from_inclusion_proof,
)
from notary.merkle.tree import levels

# Leaf 5 of the eight-leaf tree shared by Certificate Transparency implementations, and that tree's growth
# from 6 to 8 leaves.
# Source: transparency-dev/merkle, testonly/constants.go (NodeHashes, RootHashes), commit 582a6ad.
LEAF, SIBLING, PAIR_3, LEFT_4, ROOT_8, PAIR_2, ROOT_6 = map(
    bytes.fromhex,
    (
        "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    ),
)
PATH = [SIBLING, PAIR_3, LEFT_4]
GROWTH = [PAIR_2, PAIR_3, LEFT_4]
SIZES = range(1, 66)


def test_published_path_leads_to_the_published_root():
    assert hash_leaf(bytes.fromhex("40414243")) == LEAF
    assert root_from_inclusion_proof(LEAF, 5, 8, PATH) == ROOT_8
    check_inclusion(LEAF, 5, 8, PATH, ROOT_8)


def test_published_trees_are_consistent():
    check_consistency(6, 8, GROWTH, ROOT_6, ROOT_8)


@pytest.mark.parametrize("size", SIZES)
def test_path_of_every_leaf_equals_the_recursive_definition(naive, size):
    tree = naive(65)
    paths = [tree.path(index, 0, size) for index in range(size)]
    assert [inclusion_path(index, size, tree.node) for index in range(size)] == paths
    assert [list(path) for path in all_inclusion_paths(tree.leaf_hashes[:size])] == paths
    for index, path in enumerate(paths):
        check_inclusion(tree.leaf_hashes[index], index, size, path, tree.root(0, size))


@pytest.mark.parametrize("size", [1023, 1024, 1025, 2047, 2049, 3001, 4096])
def test_paths_made_together_are_those_made_one_by_one(size):
    """They are made in blocks of 1,024 leaves; the last block may be of any size."""
    leaf_hashes = hash_leaves(index.to_bytes(4, "big") for index in range(size))
    rows = levels(leaf_hashes)
    paths = list(all_inclusion_paths(leaf_hashes))
    assert len(paths) == size
    for index, path in enumerate(paths):
        assert list(path) == inclusion_path(index, size, lambda level, place: rows[level][place])


def test_complete_subtrees_of_a_path_are_those_of_the_tree(naive):
    tree, seen = naive(65), set()
    for size in range(1, 66):
        for index in range(size):
            found = complete_subtrees(tree.leaf_hashes[index], index, size, tree.path(index, 0, size))
            assert found == {place: tree.node(*place) for place in found}
            assert all((at + 1 << level) <= size for level, at in found)
            # The leaf, its ancestors as far as they are complete, and as many siblings as lie to their left.
            level = next(k for k in range(64, -1, -1) if (index >> k) + 1 << k <= size)
            assert {(k, index >> k) for k in range(level + 1)} <= found.keys()
            seen |= found.keys()
    assert len(seen) == sum(65 >> level for level in range(7))


def test_a_path_that_is_none_has_no_subtrees():
    with pytest.raises(ProofError, match="wrong length"):
        complete_subtrees(bytes(32), 0, 2, [])


@pytest.mark.parametrize("new", SIZES)
def test_consistency_with_every_older_tree_equals_the_recursive_definition(naive, new):
    tree = naive(65)
    for old in range(1, new + 1):
        path = consistency_path(old, new, tree.node)
        assert path == tree.proof(old, 0, new)
        check_consistency(old, new, path, tree.root(0, old), tree.root(0, new))


@given(st.data())
def test_proofs_of_larger_trees_equal_the_recursive_definition(naive, data):
    tree = naive(5000)
    size = data.draw(st.integers(1, 5000))
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(index, size, tree.node)
    assert path == tree.path(index, 0, size)
    check_inclusion(tree.leaf_hashes[index], index, size, path, tree.root(0, size))
    old = index + 1
    growth = consistency_path(old, size, tree.node)
    assert growth == tree.proof(old, 0, size)
    check_consistency(old, size, growth, tree.root(0, old), tree.root(0, size))


@given(st.data())
def test_one_flipped_bit_anywhere_is_refused(naive, data):
    tree = naive(5000)
    size = data.draw(st.integers(1, 5000))
    index = data.draw(st.integers(0, size - 1))
    hashes = [tree.leaf_hashes[index], tree.root(0, size), *tree.path(index, 0, size)]
    leaf, root, *path = _with_a_bit_flipped(data, hashes)
    with pytest.raises(ProofError, match="leads to root"):
        check_inclusion(leaf, index, size, path, root)
    old = index + 1
    hashes = [tree.root(0, old), tree.root(0, size), *tree.proof(old, 0, size)]
    old_root, new_root, *path = _with_a_bit_flipped(data, hashes)
    with pytest.raises(ProofError, match="leads to root"):
        check_consistency(old, size, path, old_root, new_root)


def _with_a_bit_flipped(data, hashes):
    at = data.draw(st.integers(0, len(hashes) - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = int.from_bytes(hashes[at], "big") ^ 1 << bit
    return [*hashes[:at], flipped.to_bytes(32, "big"), *hashes[at + 1 :]]


def test_nodes_are_those_that_the_path_asks_for(naive):
    tree = naive(65)
    asked = []

    def node(level, index):
        asked.append((level, index))
        return tree.node(level, index)

    for size in SIZES:
        for index in range(size):
            inclusion_path(index, size, node)
            assert sorted(asked) == sorted(inclusion_nodes(index, size))
            asked.clear()
            consistency_path(index + 1, size, node)
            assert sorted(asked) == sorted(consistency_nodes(index + 1, size))
            asked.clear()


def test_ragged_edge_is_made_of_complete_subtrees():
    # Seven leaves: the sibling of the left four is leaves 4-5 and leaf 6.
    assert inclusion_nodes(0, 7) == [(0, 1), (1, 1), (1, 2), (0, 6)]
    assert inclusion_nodes(6, 7) == [(1, 2), (2, 0)]
    assert consistency_nodes(3, 7) == [(0, 2), (0, 3), (1, 0), (1, 2), (0, 6)]
    assert consistency_nodes(4, 7) == [(1, 2), (0, 6)]


def test_equal_trees_need_no_path(naive):
    assert consistency_path(7, 7, naive(65).node) == []
    check_consistency(7, 7, [], ROOT_8, ROOT_8)


def test_no_leaves_have_no_paths():
    assert list(all_inclusion_paths([])) == []


def test_mistake_names_both_roots():
    wrong = bytes(32)
    with pytest.raises(ProofError, match=f"^leaf 5 of 8: .*{ROOT_8.hex()}.*{wrong.hex()}$"):
        check_inclusion(LEAF, 5, 8, PATH, wrong)
    with pytest.raises(ProofError, match=f"^the older tree of 6 leaves: .*{ROOT_6.hex()}.*{wrong.hex()}$"):
        check_consistency(6, 8, GROWTH, wrong, ROOT_8)
    with pytest.raises(ProofError, match=f"^the newer tree of 8 leaves: .*{ROOT_8.hex()}.*{wrong.hex()}$"):
        check_consistency(6, 8, GROWTH, ROOT_6, wrong)
    with pytest.raises(ProofError, match=f"^two trees of 8 leaves: .*{ROOT_8.hex()}.*{wrong.hex()}$"):
        check_consistency(8, 8, [], ROOT_8, wrong)


@pytest.mark.parametrize("path", [[], PATH[1:], PATH[:-1], [*PATH, ROOT_8], [ROOT_8, *PATH]])
def test_inclusion_path_of_the_wrong_length_is_refused(path):
    with pytest.raises(ProofError, match=f"^a path of {len(path)} hashes is the wrong length, 3 are needed$"):
        root_from_inclusion_proof(LEAF, 5, 8, path)


@pytest.mark.parametrize("path", [[], GROWTH[1:], GROWTH[:-1], [*GROWTH, ROOT_8], [ROOT_6, *GROWTH]])
def test_consistency_path_of_the_wrong_length_is_refused(path):
    with pytest.raises(ProofError, match=f"^a path of {len(path)} hashes is the wrong length, 3 are needed$"):
        check_consistency(6, 8, path, ROOT_6, ROOT_8)


def test_root_of_a_complete_older_tree_is_not_sent():
    # NodeHashes[2][1] of the same source.
    right_4 = bytes.fromhex("6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4")
    check_consistency(4, 8, [right_4], LEFT_4, ROOT_8)
    with pytest.raises(ProofError, match=r"^a path of 2 hashes is the wrong length, 1 are needed$"):
        check_consistency(4, 8, [LEFT_4, right_4], LEFT_4, ROOT_8)


def test_path_between_equal_trees_is_refused():
    with pytest.raises(ProofError, match=r"^a path of 1 hashes is the wrong length, 0 are needed$"):
        check_consistency(8, 8, [ROOT_8], ROOT_8, ROOT_8)


def test_path_of_63_hashes_is_the_longest():
    path = [ROOT_8] * 63
    assert len(root_from_inclusion_proof(LEAF, 0, 2**63, path)) == 32
    with pytest.raises(ProofError, match=r"^a path of 64 hashes is longer than 63$"):
        root_from_inclusion_proof(LEAF, 0, 2**63, [*path, ROOT_8])
    with pytest.raises(ProofError, match=r"^a path of 64 hashes is longer than 63$"):
        check_consistency(3, 2**63, [*path, ROOT_8], ROOT_8, ROOT_8)


@pytest.mark.parametrize("short", [b"", bytes(31), bytes(33)])
def test_hash_of_another_length_is_refused(short):
    with pytest.raises(ProofError, match=r"^every hash must be 32 bytes$"):
        root_from_inclusion_proof(short, 5, 8, PATH)
    with pytest.raises(ProofError, match=r"^every hash must be 32 bytes$"):
        root_from_inclusion_proof(LEAF, 5, 8, [short, *PATH[1:]])
    with pytest.raises(ProofError, match=r"^every hash must be 32 bytes$"):
        check_inclusion(LEAF, 5, 8, PATH, short)
    with pytest.raises(ProofError, match=r"^every hash must be 32 bytes$"):
        check_consistency(6, 8, GROWTH, short, ROOT_8)
    with pytest.raises(ProofError, match=r"^every hash must be 32 bytes$"):
        check_consistency(6, 8, GROWTH, ROOT_6, short)
    with pytest.raises(ProofError, match=r"^every hash must be 32 bytes$"):
        check_consistency(6, 8, [*GROWTH[:-1], short], ROOT_6, ROOT_8)


def test_leaf_hash_of_another_length_has_no_path():
    with pytest.raises(FormatError, match=r"^every hash must be 32 bytes$"):
        all_inclusion_paths([bytes(31), bytes(33)])


def _unused(level, index):
    raise AssertionError((level, index))


INCLUSION = [
    lambda index, size: root_from_inclusion_proof(LEAF, index, size, PATH),
    lambda index, size: check_inclusion(LEAF, index, size, PATH, ROOT_8),
    lambda index, size: inclusion_path(index, size, _unused),
    inclusion_nodes,
]
CONSISTENCY = [
    lambda old, new: check_consistency(old, new, GROWTH, ROOT_6, ROOT_8),
    lambda old, new: consistency_path(old, new, _unused),
    consistency_nodes,
]


@pytest.mark.parametrize("call", INCLUSION)
def test_leaf_outside_the_tree_is_refused(call):
    with pytest.raises(ProofError, match=r"^the leaf is outside a tree of 8 leaves$"):
        call(8, 8)
    with pytest.raises(ProofError, match=r"^the leaf is outside a tree of 8 leaves$"):
        call(10**5000, 8)
    with pytest.raises(ProofError, match=r"^the index of a leaf is not negative$"):
        call(-1, 8)


@pytest.mark.parametrize("call", INCLUSION)
@pytest.mark.parametrize("size", [0, -1, 2**63 + 1, pytest.param(10**5000, id="huge")])
def test_tree_of_impossible_size_proves_no_inclusion(call, size):
    with pytest.raises(ProofError, match=r"^a tree that proves inclusion has 1 to 2\^63 leaves$"):
        call(0, size)


@pytest.mark.parametrize("call", CONSISTENCY)
@pytest.mark.parametrize("old", [9, -1, pytest.param(10**5000, id="huge")])
def test_older_tree_that_is_larger_is_refused(call, old):
    with pytest.raises(ProofError, match=r"^the older tree must have between 1 and 8 leaves$"):
        call(old, 8)


@pytest.mark.parametrize("call", CONSISTENCY)
@pytest.mark.parametrize("new", [-1, 2**63 + 1, pytest.param(10**5000, id="huge")])
def test_tree_of_impossible_size_proves_no_consistency(call, new):
    with pytest.raises(ProofError, match=r"^a tree has 0 to 2\^63 leaves$"):
        call(1, new)


@pytest.mark.parametrize("new", [0, 8])
def test_proof_from_the_empty_tree_is_refused(new):
    with pytest.raises(ProofError, match=r"^nothing is shown by a consistency proof from the empty tree$"):
        check_consistency(0, new, [], EMPTY_ROOT, EMPTY_ROOT)
    with pytest.raises(ProofError, match=r"^nothing is shown by a consistency proof from the empty tree$"):
        consistency_nodes(0, new)
    with pytest.raises(ProofError, match=r"^nothing is shown by a consistency proof from the empty tree$"):
        consistency_path(0, new, _unused)
