"""The Merkle tree of RFC 9162 §2.1.1: its root, its rows, and its right edge as a compact range.

A complete subtree is named (level, index): it covers the leaves [index·2^level, (index+1)·2^level).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from notary.errors import FormatError
from notary.merkle.hashing import EMPTY_ROOT, hash_node, hash_pairs, require_hashes

MAX_SIZE = 2**63  # leaves; a path is then at most 63 hashes long


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the root (32 bytes) over `leaf_hashes` (RFC 9162 §2.1.1); none at all give `EMPTY_ROOT`.

    Raises:
        FormatError: a leaf hash is not 32 bytes.
    """
    require_hashes(leaf_hashes)
    if not leaf_hashes:
        return EMPTY_ROOT
    row = leaf_hashes
    while len(row) > 1:
        row = _row_above(row)
    return row[0]


def levels(leaf_hashes: Sequence[bytes]) -> list[list[bytes]]:
    """Return every row of the tree, the leaf hashes first and [root] last; no leaves give [[]].

    Row k has ceil(n / 2^k) nodes. Only its last may be an incomplete subtree, and one that has no sibling
    stands unchanged in the row above as well.

    Raises:
        FormatError: a leaf hash is not 32 bytes.
    """
    require_hashes(leaf_hashes)
    rows = [list(leaf_hashes)]
    while len(rows[-1]) > 1:
        rows.append(_row_above(rows[-1]))
    return rows


def _row_above(row: Sequence[bytes]) -> list[bytes]:
    above = hash_pairs(row)
    if len(row) % 2:
        above.append(row[-1])  # moved up, never paired with itself (CVE-2012-2459)
    return above


def range_nodes(begin: int, end: int) -> list[tuple[int, int]]:
    """Return the fewest complete subtrees (level, index) that cover the leaves [begin, end), in order.

    `begin` is a multiple of a power of two that is at least `end - begin`, or 0: the shape of a right edge.
    """
    nodes = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        nodes.append((level, begin >> level))
        begin += 1 << level
    return nodes


@dataclass(frozen=True, slots=True)
class CompactRange:
    """The roots of the complete subtrees that make up a tree: all that is needed to append to it.

    Attributes:
        size: leaves in the tree, 0 to 2^63.
        nodes: one hash of 32 bytes for each bit set in `size`, the largest subtree first.

    Raises:
        FormatError: `size` is out of range, or the nodes are not as many as it demands, or not hashes.
    """

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE:
            raise FormatError("the size of a compact range is between 0 and 2^63")
        if len(self.nodes) != self.size.bit_count():
            raise FormatError(f"a compact range of {self.size} leaves cannot have {len(self.nodes)} nodes")
        require_hashes(self.nodes)

    def root(self) -> bytes:
        """Return the root of the tree, 32 bytes."""
        if not self.nodes:
            return EMPTY_ROOT
        *larger, root = self.nodes
        for node in reversed(larger):
            root = hash_node(node, root)
        return root

    def extended(self, leaf_hashes: Sequence[bytes]) -> "CompactRange":
        """Return the range with `leaf_hashes` (32 bytes each) appended.

        Raises:
            FormatError: a leaf hash is not 32 bytes, or the tree would outgrow 2^63 leaves.
        """
        require_hashes(leaf_hashes)
        size = self.size + len(leaf_hashes)
        waiting = list(self.nodes)  # the smallest subtree last, and used first
        edge: list[bytes] = []
        row = list(leaf_hashes)
        for level in range(size.bit_length()):
            if self.size >> level & 1:
                row.insert(0, waiting.pop())
            if size >> level & 1:
                edge.append(row[-1])
            row = hash_pairs(row)
        return CompactRange(size, tuple(reversed(edge)))
