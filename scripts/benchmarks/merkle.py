"""The tree: building, proving, verifying, against bare hashing and against other packages."""

from collections import deque
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from random import Random

from benchmarks.harness import Context, Row, bare_hashing, beside, by_ratio, by_value, paired
from notary.merkle.hashing import hash_leaf, hash_leaves
from notary.merkle.proof import all_inclusion_paths, check_inclusion, inclusion_path, paths_down
from notary.merkle.tree import levels, root_of

LEAVES = 100_000
BUILD_RATIO = 1.15
PROOF_US = 0.6  # a leaf
_PEER_LEAVES = 10_000  # pymerkle and opentimestamps take minutes for more
_VERIFICATIONS = 2_000


def entries(count: int) -> list[bytes]:
    """As many entries of 32 bytes, the same each time."""
    data = Random(count).randbytes(32 * count)
    return [data[at : at + 32] for at in range(0, len(data), 32)]


def building(context: Context) -> Iterator[Row]:
    """Entries to root."""
    for count in (LEAVES, 10 * LEAVES):
        leaves = entries(count)
        pair = paired(partial(_root, leaves), partial(bare_hashing, count), context.runs)
        reference = f"bare hashing {pair.reference * 1e3:.1f} ms"
        yield by_ratio(f"tree build, {count:,}", pair.subject * 1e3, "ms", pair, reference, BUILD_RATIO)


def _root(leaves: list[bytes]) -> bytes:
    return root_of(hash_leaves(leaves))


def proving(context: Context) -> Iterator[Row]:
    """The paths of all leaves, from the rows of a tree that is built, and with its building."""
    leaf_hashes = hash_leaves(entries(LEAVES))
    rows = levels(leaf_hashes)
    pair = paired(lambda: deque(paths_down(rows), maxlen=0), lambda: bare_hashing(LEAVES), context.runs)
    reference = f"bare hashing {pair.reference / LEAVES * 1e6:.2f} us/leaf"
    value = pair.subject / LEAVES * 1e6
    yield by_value(f"all proofs, {LEAVES:,}", value, "us/leaf", pair.ratio, reference, PROOF_US)
    pair = paired(
        lambda: deque(all_inclusion_paths(leaf_hashes), maxlen=0), lambda: bare_hashing(LEAVES), context.runs
    )
    value = pair.subject / LEAVES * 1e6
    yield beside(f"tree and all proofs, {LEAVES:,}", value, "us/leaf", pair.ratio, reference)


def verifying(context: Context) -> Iterator[Row]:
    """One inclusion proof checked, against merkletools' way: hexadecimal, a dict for each sibling."""
    leaves, index = entries(LEAVES), LEAVES // 3
    rows = levels(hash_leaves(leaves))
    path = inclusion_path(index, LEAVES, lambda level, place: rows[level][place])
    leaf_hash, root = hash_leaf(leaves[index]), rows[-1][0]
    siblings = [{"left" if index >> level & 1 else "right": node.hex()} for level, node in enumerate(path)]
    claimed = merkletools_root(siblings, leaf_hash.hex()).hex()

    def verify() -> None:
        for _ in range(_VERIFICATIONS):
            check_inclusion(leaf_hash, index, LEAVES, path, root)

    def merkletools() -> None:
        for _ in range(_VERIFICATIONS):
            if bytearray.fromhex(claimed) != merkletools_root(siblings, leaf_hash.hex()):
                raise AssertionError

    pair = paired(verify, merkletools, context.runs)
    reference = f"merkletools' algorithm {pair.reference / _VERIFICATIONS * 1e6:.1f} us"
    value = pair.subject / _VERIFICATIONS * 1e6
    yield by_ratio(f"one verification of {LEAVES:,}", value, "us", pair, reference, 0.99)


def merkletools_root(siblings: list[dict[str, str]], target: str) -> bytes:
    """What `validate_proof` of merkletools 1.0.3 computes before it compares."""
    node = bytes(bytearray.fromhex(target))
    for sibling in siblings:
        try:
            node = sha256(bytearray.fromhex(sibling["left"]) + node).digest()
        except KeyError:
            node = sha256(node + bytearray.fromhex(sibling["right"])).digest()
    return node


def peers(context: Context) -> Iterator[Row]:
    """The same tree by other packages."""
    from opentimestamps.core.timestamp import Timestamp, make_merkle_tree  # noqa: PLC0415 - others run without them
    from pymerkle import InmemoryTree  # noqa: PLC0415 - as above

    leaves = entries(_PEER_LEAVES)

    def pymerkle() -> object:
        tree = InmemoryTree(algorithm="sha256")
        for entry in leaves:
            tree.append_entry(entry)
        return tree.get_state()

    def opentimestamps() -> object:
        return make_merkle_tree([Timestamp(entry) for entry in leaves])

    for name, build in (("pymerkle", pymerkle), ("opentimestamps", opentimestamps)):
        pair = paired(build, partial(_root, leaves), context.runs)
        reference = f"ours {pair.reference * 1e3:.1f} ms"
        yield beside(
            f"tree build by {name}, {_PEER_LEAVES:,}", pair.subject * 1e3, "ms", pair.ratio, reference
        )
