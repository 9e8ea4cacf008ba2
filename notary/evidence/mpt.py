"""Proofs in the Merkle-Patricia trie of Ethereum (yellow paper, appendix D), for presence and for absence."""

from collections.abc import Sequence

from notary.errors import ChainError
from notary.evidence import rlp
from notary.evidence.keccak import keccak256

EMPTY_TRIE = keccak256(b"\x80")  # root of a trie that holds nothing
MAX_KEY = 32
_HASH = 32
_BRANCH, _SHORT_NODE = 17, 2
_NO_NODE = b""
MAX_VALUES = 256  # in one node: 18, and those in children of less than 32 bytes, of which real tries have few


def verify_proof(root: bytes, key: bytes, nodes: Sequence[bytes]) -> bytes | None:
    """Follow `key` from `root` through `nodes` and return the value there, or None where it proves absence.

    Args:
        root: 32 bytes, from a block header or an account.
        key: at most 32 bytes, as the trie has it: for accounts and storage already hashed.
        nodes: RLP of the nodes on the way, the root first; those shorter than 32 bytes stand inside the node
            above and are not listed.

    Raises:
        ChainError: a node is not the one its parent names, is missing, is left over, or is no trie node.
    """
    if len(root) != _HASH or len(key) > MAX_KEY:
        raise ChainError("trie: the root is not 32 bytes, or the key is longer than 32")
    if root == EMPTY_TRIE and not nodes:
        return None
    path = key.hex()
    waiting = list(reversed(nodes))
    node: rlp.Item = root
    while True:
        found = _load(node, waiting, is_root=node is root)
        if found == _NO_NODE:
            value = None
            break
        node, path, done = _step(found, path)
        if done:
            value = node if isinstance(node, bytes) and node else None
            break
    if waiting:
        raise ChainError(f"trie: {len(waiting)} nodes of the proof are not on the way to the key")
    return value


def _load(reference: rlp.Item, waiting: list[bytes], *, is_root: bool) -> rlp.Item:
    """The node that a reference stands for: nothing, a node inside its parent, or the next in the proof."""
    if isinstance(reference, list):
        if len(rlp.encode(reference)) >= _HASH:
            raise ChainError("trie: a node inside another is 32 bytes or longer")
        return reference
    if reference == _NO_NODE:
        return _NO_NODE
    if len(reference) != _HASH:
        raise ChainError("trie: a reference to a node is not 32 bytes")
    if not waiting:
        raise ChainError("trie: the proof ends before the key")
    raw = waiting.pop()
    if keccak256(raw) != reference:
        raise ChainError("trie: a node is not the one that its parent names")
    if len(raw) < _HASH and not is_root:
        raise ChainError("trie: a node shorter than 32 bytes does not stand inside its parent")
    return rlp.decode(raw, MAX_VALUES)


def _step(node: rlp.Item, path: str) -> tuple[rlp.Item, str, bool]:
    """Go down one node: (what is next, rest of the path, whether it is the value and no reference)."""
    if isinstance(node, list) and len(node) == _BRANCH:
        if not path:
            return _bytes(node[16]), "", True
        return node[int(path[0], 16)], path[1:], False
    if not isinstance(node, list) or len(node) != _SHORT_NODE:
        raise ChainError("trie: a node has neither 2 nor 17 items")
    part, is_leaf = _hex_prefix(_bytes(node[0]))
    if is_leaf:
        value = _bytes(node[1])
        if not value:
            raise ChainError("trie: a leaf has no value")
        return (value if part == path else _NO_NODE), "", True
    if not part or node[1] == _NO_NODE:
        raise ChainError("trie: an extension leads nowhere")
    if not path.startswith(part):
        return _NO_NODE, "", True
    return node[1], path[len(part) :], False


def _hex_prefix(data: bytes) -> tuple[str, bool]:
    """The nibbles of a compact path, and whether it ends in a leaf (yellow paper, appendix C)."""
    shown = data.hex()
    if not shown or shown[0] not in "0123" or (shown[0] in "02" and shown[1] != "0"):
        raise ChainError("trie: a path is not in hex-prefix form")
    return shown[1 if shown[0] in "13" else 2 :], shown[0] in "23"


def _bytes(item: rlp.Item) -> bytes:
    if isinstance(item, list):
        raise ChainError("trie: a list where bytes belong")
    return item
