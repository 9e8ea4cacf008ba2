"""Forgeries that other Merkle libraries accept, refused here; each with a control that accepts it.

The control is the algorithm of several anchoring services: SHA-256 without prefixes, an odd node moved up as
it is, a proof that is a list of sides and siblings and names neither index nor size.
"""

from hashlib import sha256

import pytest

from notary.errors import ProofError
from notary.merkle.hashing import hash_leaf
from notary.merkle.proof import check_consistency, check_inclusion

DOCUMENTS = [b"contract %d" % i for i in range(8)]


def plain_rows(documents):
    rows = [[sha256(document).digest() for document in documents]]
    while len(rows[-1]) > 1:
        row = rows[-1]
        above = [sha256(row[i] + row[i + 1]).digest() for i in range(0, len(row) - 1, 2)]
        rows.append(above + row[len(above) * 2 :])
    return rows


def plain_accepts(target, path, root):
    for side, sibling in path:
        target = sha256(sibling + target if side == "left" else target + sibling).digest()
    return target == root


def plain_path(rows, level, index):
    path = []
    for row in rows[level:-1]:
        if index ^ 1 < len(row):
            path.append(("left" if index & 1 else "right", row[index ^ 1]))
        index >>= 1
    return path


@pytest.fixture(scope="module")
def ours(naive):
    tree = naive(1)
    return type(tree)(hash_leaf(document) for document in DOCUMENTS)


def test_control_accepts_an_honest_proof():
    rows = plain_rows(DOCUMENTS)
    assert plain_accepts(sha256(DOCUMENTS[5]).digest(), plain_path(rows, 0, 5), rows[-1][0])
    assert not plain_accepts(sha256(b"other").digest(), plain_path(rows, 0, 5), rows[-1][0])


def test_document_made_of_two_hashes_is_refused(ours):
    rows = plain_rows(DOCUMENTS)
    forged = rows[0][0] + rows[0][1]
    assert len(forged) == 64
    assert plain_accepts(sha256(forged).digest(), plain_path(rows, 1, 0), rows[-1][0])

    forged = ours.leaf_hashes[0] + ours.leaf_hashes[1]
    root = ours.root(0, 8)
    with pytest.raises(ProofError, match="2 hashes is the wrong length, 3 are needed"):
        check_inclusion(hash_leaf(forged), 0, 8, ours.path(0, 0, 8)[1:], root)
    # Not even a forger who chose the size would get anywhere: a leaf is never hashed like a node.
    with pytest.raises(ProofError, match="leads to root"):
        check_inclusion(hash_leaf(forged), 0, 4, ours.path(0, 0, 8)[1:], root)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_interior_node_as_a_leaf_is_refused(ours, level):
    rows = plain_rows(DOCUMENTS)
    assert plain_accepts(rows[level][0], plain_path(rows, level, 0), rows[-1][0])

    node, path, root = ours.node(level, 0), ours.path(0, 0, 8)[level:], ours.root(0, 8)
    # This is why the size comes from the signed checkpoint: with the size free, the node is a leaf of a
    # smaller tree with the same root.
    check_inclusion(node, 0, 8 >> level, path, root)
    for index in range(8):
        with pytest.raises(ProofError, match="wrong length"):
            check_inclusion(node, index, 8, path, root)


def test_proof_relabelled_to_another_size_is_refused(ours):
    # Free to name its size, the path of leaf 0 among 7 passes as one of 5, 6 or 8.
    path = ours.path(0, 0, 7)
    for size in (5, 6, 7, 8):
        check_inclusion(ours.leaf_hashes[0], 0, size, path, ours.root(0, 7))
    # With size and root from one signed checkpoint, no path made for another size does, for any leaf.
    for made in range(1, 9):
        for pinned in set(range(1, 9)) - {made}:
            for index in range(min(made, pinned)):
                with pytest.raises(ProofError, match=r"wrong length|leads to root"):
                    check_inclusion(
                        ours.leaf_hashes[index],
                        index,
                        pinned,
                        ours.path(index, 0, made),
                        ours.root(0, pinned),
                    )


def test_paths_alone_do_not_bind_the_size(naive):
    # The measure of it, and so of what hangs on taking the size from a signed checkpoint.
    tree = naive(65)
    leaves = [(index, size) for size in range(1, 64) for index in range(size)]
    pairs = [(old, new) for new in range(1, 65) for old in range(1, new)]
    assert len(leaves) == len(pairs) == 2016
    assert sum(_leaf_has_a_second_size(tree, *leaf) for leaf in leaves) == 1922
    assert sum(_growth_has_a_second_size(tree, *pair) for pair in pairs) == 1984


def _leaf_has_a_second_size(tree, index, size):
    leaf_hash, path, root = tree.leaf_hashes[index], tree.path(index, 0, size), tree.root(0, size)
    others = set(range(1, 65)) - {size}
    return any(_passes(check_inclusion, leaf_hash, index, other, path, root) for other in others)


def _growth_has_a_second_size(tree, old, new):
    path, roots = tree.proof(old, 0, new), (tree.root(0, old), tree.root(0, new))
    others = set(range(1, 65)) - {new}
    return any(_passes(check_consistency, old, other, path, *roots) for other in others)


def _passes(check, *arguments):
    try:
        check(*arguments)
    except ProofError:
        return False
    return True


def test_proof_for_another_place_is_refused(ours):
    # The control knows no place: one proof shows "some leaf", whichever it is said to be.
    path, root = ours.path(5, 0, 8), ours.root(0, 8)
    for index in set(range(8)) - {5}:
        with pytest.raises(ProofError, match="leads to root"):
            check_inclusion(ours.leaf_hashes[5], index, 8, path, root)


def test_trees_of_different_size_do_not_share_a_root(ours):
    rows = plain_rows(DOCUMENTS[:4])
    pairs = [DOCUMENTS[0], DOCUMENTS[1]], [DOCUMENTS[2], DOCUMENTS[3]]
    forged = [sha256(a).digest() + sha256(b).digest() for a, b in pairs]
    assert plain_rows(forged)[-1] == rows[-1]
    two = type(ours)(hash_leaf(ours.leaf_hashes[i] + ours.leaf_hashes[i + 1]) for i in (0, 2))
    assert two.root(0, 2) != ours.root(0, 4)
