"""Build and check proofs that a leaf is in a tree, and that one tree is the beginning of another.

Proofs do not bind the size of the tree (RFC 9162 §2.1.3): whoever checks one takes sizes and roots from a
checkpoint whose signature was checked, and computes the leaf hash from the document.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from notary.errors import ProofError
from notary.merkle.hashing import HASH_SIZE, hash_node
from notary.merkle.tree import MAX_SIZE, levels, range_nodes

MAX_PATH = 63  # hashes in a proof, as in C2SP tlog-witness and tlog-proof
_BLOCK_HEIGHT = 10  # the paths of 1,024 leaves are made together

Coordinates = tuple[int, int]
Node = Callable[[int, int], bytes]


def root_from_inclusion_proof(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Compute the root that an inclusion path leads to (RFC 9162 §2.1.3.2).

    Args:
        leaf_hash: 32 bytes, from `hash_leaf`; the entry itself would be the wrong thing to pass.
        index: position of the leaf, counted from 0.
        size: leaves in the tree, 1 to 2^63, read from a checkpoint whose signature was checked.
        path: sibling hashes, 32 bytes each, the leaf's own sibling first; at most 63.

    Returns:
        32 bytes, for the caller to compare with the root in that checkpoint.

    Raises:
        ProofError: `index` is outside the tree, a hash is not 32 bytes, or `path` does not have the one
            length that this index and size allow.
    """
    _require_index(index, size)
    inner, length = _shape(index, size)
    _require_path(path, length)
    _require_hashes(leaf_hash, *path)
    node = leaf_hash
    for level, sibling in enumerate(path):
        # From `inner` up the path runs along the right edge, where every sibling is on the left.
        on_right = level >= inner or index >> level & 1
        # `hash_node` written out: its call would cost a third of a hash.
        node = sha256(b"\x01" + (sibling + node if on_right else node + sibling)).digest()
    return node


def check_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf at `index` of the tree (`size`, `root`) is `leaf_hash` (RFC 9162 §2.1.3.2).

    Arguments are those of `root_from_inclusion_proof`, and `root`: 32 bytes, from the same checkpoint as
    `size`.

    Raises:
        ProofError: as `root_from_inclusion_proof`, or the path leads to another root; both are named.
    """
    _require_hashes(root)
    found = root_from_inclusion_proof(leaf_hash, index, size, path)
    _require_same(f"leaf {index} of {size}", found, root)


def complete_subtrees(
    leaf_hash: bytes, index: int, size: int, path: Sequence[bytes]
) -> dict[Coordinates, bytes]:
    """Hashes of the complete subtrees (level, index) that a checked inclusion path states or leads through.

    Two trees of one log agree on each that both have, whatever their sizes. Arguments as `check_inclusion`.

    Raises:
        ProofError: as `root_from_inclusion_proof`.
    """
    root_from_inclusion_proof(leaf_hash, index, size, path)
    inner, _ = _shape(index, size)
    heights = (h for h in range(inner + (index >> inner).bit_length()) if h < inner or index >> h & 1)
    found, node = {(0, index): leaf_hash}, leaf_hash
    for height, group, sibling in zip(heights, _siblings(0, index, size), path, strict=True):
        if len(group) == 1:
            found[group[0]] = sibling
        node = hash_node(sibling, node) if index >> height & 1 else hash_node(node, sibling)
        above = index >> height + 1
        if above + 1 << height + 1 <= size:
            found[height + 1, above] = node
    return found


def check_consistency(
    old_size: int, new_size: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that the tree (`old_size`, `old_root`) is the beginning of (`new_size`, `new_root`).

    RFC 9162 §2.1.4.2. Equal sizes need an empty path and equal roots. A proof from the empty tree is refused:
    the RFC defines none, every tree extends it, and so it would show nothing.

    Args:
        old_size: leaves in the older tree, at least 1.
        new_size: leaves in the newer tree, `old_size` to 2^63.
        path: hashes of 32 bytes, at most 63, of exactly the number that the sizes allow.
        old_root: 32 bytes, from a checkpoint whose signature was checked, with `old_size`.
        new_root: 32 bytes, from a checkpoint whose signature was checked, with `new_size`.

    Raises:
        ProofError: sizes out of range, a path of the wrong length, a hash that is not 32 bytes, or a root
            that the path does not lead to; that root and the one found are named.
    """
    _require_sizes(old_size, new_size)
    _require_hashes(old_root, new_root, *path)
    if old_size == new_size:
        _require_path(path, 0)
        _require_same(f"two trees of {old_size} leaves", old_root, new_root)
        return
    level, index = _last_complete(old_size)
    inner, length = _shape(index, _nodes_at(level, new_size))
    if index == 0:  # the old tree is one complete subtree, so its root need not be sent
        seed, siblings = old_root, path
        _require_path(path, length)
    else:
        _require_path(path, length + 1)
        seed, *siblings = path
    old = new = seed
    for height, sibling in enumerate(siblings):
        if height >= inner or index >> height & 1:
            old = hash_node(sibling, old)
            new = hash_node(sibling, new)
        else:  # on the right: leaves that the old tree did not have yet
            new = hash_node(new, sibling)
    _require_same(f"the older tree of {old_size} leaves", old, old_root)
    _require_same(f"the newer tree of {new_size} leaves", new, new_root)


def inclusion_nodes(index: int, size: int) -> list[Coordinates]:
    """Return the complete subtrees (level, index) whose hashes `inclusion_path` asks for, in that order.

    Raises:
        ProofError: `index` is outside the tree, or the tree is larger than 2^63 leaves.
    """
    _require_index(index, size)
    return [node for group in _siblings(0, index, size) for node in group]


def inclusion_path(index: int, size: int, node: Node) -> list[bytes]:
    """Build the inclusion path of leaf `index` in the tree of the first `size` leaves (RFC 9162 §2.1.3.1).

    Args:
        index: position of the leaf, from 0.
        size: leaves in the tree, 1 to 2^63.
        node: gives the hash (32 bytes) of the complete subtree (level, index).

    Raises:
        ProofError: `index` is outside the tree, or the tree is larger than 2^63 leaves.
    """
    _require_index(index, size)
    return [_joined(group, node) for group in _siblings(0, index, size)]


def consistency_nodes(old_size: int, new_size: int) -> list[Coordinates]:
    """Return the complete subtrees (level, index) whose hashes `consistency_path` asks for, in that order.

    Raises:
        ProofError: the sizes are not 1 <= `old_size` <= `new_size` <= 2^63.
    """
    return [node for group in _consistency_groups(old_size, new_size) for node in group]


def consistency_path(old_size: int, new_size: int, node: Node) -> list[bytes]:
    """Build the proof that the first `old_size` leaves begin the first `new_size` (RFC 9162 §2.1.4.1).

    Args:
        old_size: leaves in the older tree, at least 1.
        new_size: leaves in the newer tree; equal sizes give an empty path.
        node: gives the hash (32 bytes) of the complete subtree (level, index).

    Raises:
        ProofError: the sizes are not 1 <= `old_size` <= `new_size` <= 2^63.
    """
    return [_joined(group, node) for group in _consistency_groups(old_size, new_size)]


def all_inclusion_paths(leaf_hashes: Sequence[bytes]) -> Iterator[tuple[bytes, ...]]:
    """Yield the inclusion path of every leaf in order, all from one pass down the tree.

    Raises:
        FormatError: a leaf hash is not 32 bytes.
    """
    return paths_down(levels(leaf_hashes))


def paths_down(rows: Sequence[Sequence[bytes]]) -> Iterator[tuple[bytes, ...]]:
    """Yield the inclusion path of every leaf of the tree whose `levels` are `rows`."""
    if not rows[0]:
        return
    height = min(_BLOCK_HEIGHT, len(rows) - 1)
    above: list[tuple[bytes, ...]] = [()]
    for row in reversed(rows[height:-1]):
        above = _paths_below(row, above)
    # The rest block by block: what lives briefly is not looked at by the garbage collector again and again, which
    # took a third of the time, and no more than the paths of a block are held together.
    for index, path in enumerate(above):
        paths = [path]
        for below in range(height - 1, -1, -1):
            first = index << height - below
            paths = _paths_below(rows[below][first : first + (1 << height - below)], paths)
        yield from paths


def _paths_below(row: Sequence[bytes], paths: list[tuple[bytes, ...]]) -> list[tuple[bytes, ...]]:
    """The path of each node of `row`, given the `paths` of the row above."""
    found: list[tuple[bytes, ...]] = []
    nodes, put = iter(row), found.append
    for left, right, path in zip(nodes, nodes, paths, strict=False):
        put((right,) + path)  # noqa: RUF005 - a sixth faster than (right, *path)
        put((left,) + path)  # noqa: RUF005 - as above
    if len(row) % 2:
        put(paths[-1])  # it has no sibling, so it stands where its parent would
    return found


def _siblings(level: int, index: int, size: int) -> Iterator[list[Coordinates]]:
    """For each step from the complete subtree (level, index) to the root: what makes up its sibling."""
    inner, _ = _shape(index, _nodes_at(level, size))
    for height in range(inner + (index >> inner).bit_length()):
        sibling = index >> height ^ 1
        if height == inner - 1:  # here the last leaf is in the sibling, which may thus be incomplete
            yield range_nodes(sibling << level + height, size)
        elif height < inner or index >> height & 1:
            yield [(level + height, sibling)]


def _consistency_groups(old_size: int, new_size: int) -> Iterator[list[Coordinates]]:
    _require_sizes(old_size, new_size)
    if old_size == new_size:
        return
    level, index = _last_complete(old_size)
    if index:
        yield [(level, index)]
    yield from _siblings(level, index, new_size)


def _joined(group: list[Coordinates], node: Node) -> bytes:
    """Hash complete subtrees, the largest first, into the one right edge that they make up."""
    *larger, smallest = group
    joined = node(*smallest)
    for coordinates in reversed(larger):
        joined = hash_node(node(*coordinates), joined)
    return joined


def _shape(index: int, size: int) -> tuple[int, int]:
    """Return the levels below which `index` and the last leaf part, and the length of the path."""
    inner = (index ^ (size - 1)).bit_length()
    return inner, inner + (index >> inner).bit_count()


def _last_complete(size: int) -> Coordinates:
    """Return the smallest complete subtree on the right edge: where a consistency proof begins."""
    level = (size & -size).bit_length() - 1
    return level, (size >> level) - 1


def _nodes_at(level: int, size: int) -> int:
    return (size - 1 >> level) + 1


def _require_index(index: int, size: int) -> None:
    # Not shown before they are known to be small: an integer of 5,000 digits cannot be printed.
    if not 0 < size <= MAX_SIZE:
        raise ProofError("a tree that proves inclusion has 1 to 2^63 leaves")
    if index < 0:
        raise ProofError("the index of a leaf is not negative")
    if index >= size:
        raise ProofError(f"the leaf is outside a tree of {size} leaves")


def _require_sizes(old_size: int, new_size: int) -> None:
    if not 0 <= new_size <= MAX_SIZE:
        raise ProofError("a tree has 0 to 2^63 leaves")
    if old_size == 0:
        raise ProofError("nothing is shown by a consistency proof from the empty tree")
    if not 0 < old_size <= new_size:
        raise ProofError(f"the older tree must have between 1 and {new_size} leaves")


def _require_path(path: Sequence[bytes], length: int) -> None:
    if len(path) > MAX_PATH:
        raise ProofError(f"a path of {len(path)} hashes is longer than {MAX_PATH}")
    if len(path) != length:
        raise ProofError(f"a path of {len(path)} hashes is the wrong length, {length} are needed")


def _require_hashes(*hashes: bytes) -> None:
    if set(map(len, hashes)) != {HASH_SIZE}:
        raise ProofError(f"every hash must be {HASH_SIZE} bytes")


def _require_same(what: str, found: bytes, expected: bytes) -> None:
    if found != expected:
        raise ProofError(f"{what}: the path leads to root {found.hex()}, the tree has {expected.hex()}")
