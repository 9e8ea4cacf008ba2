"""Proofs in the Merkle-Patricia trie, against published roots and another implementation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from notary.errors import ChainError
from notary.evidence import rlp
from notary.evidence.keccak import keccak256
from notary.evidence.mpt import EMPTY_TRIE, verify_proof

# ethereum/tests, TrieTests/trieanyorder.json, "dogs".
DOGS = {b"doe": b"reindeer", b"dog": b"puppy", b"dogglesworth": b"cat"}
DOGS_ROOT = bytes.fromhex("8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fea4cd6e7c3a1168d3")


def plain(node):
    return bytes(node) if isinstance(node, (bytes, bytearray)) else [plain(item) for item in node]


def grown(items):
    trie = HexaryTrie({})
    for key, value in items.items():
        trie[key] = value
    return trie


def proof_of(trie, key):
    encoded = [rlp.encode(plain(node)) for node in trie.get_proof(key)]
    return [node for at, node in enumerate(encoded) if at == 0 or len(node) >= 32]


def root_and(node):
    raw = rlp.encode(node)
    return keccak256(raw), [raw]


@pytest.mark.parametrize("key", DOGS)
def test_values_are_proven_under_the_published_root(key):
    assert verify_proof(DOGS_ROOT, key, proof_of(grown(DOGS), key)) == DOGS[key]


@pytest.mark.parametrize("key", [b"", b"do", b"dogg", b"dot", b"cat", b"dogglesworths"])
def test_absence_is_proven_under_the_published_root(key):
    assert verify_proof(DOGS_ROOT, key, proof_of(grown(DOGS), key)) is None


def test_an_empty_trie_holds_nothing():
    assert verify_proof(EMPTY_TRIE, b"dog", []) is None
    assert verify_proof(EMPTY_TRIE, b"dog", [b"\x80"]) is None


@given(
    st.dictionaries(st.binary(min_size=1, max_size=4), st.binary(min_size=1, max_size=60), max_size=40),
    st.binary(min_size=1, max_size=4),
)
def test_every_key_of_any_trie_is_proven_as_present_or_absent(items, stranger):
    trie = grown(items)
    for key in [*items, stranger]:
        assert verify_proof(trie.root_hash, key, proof_of(trie, key)) == items.get(key)


@given(
    st.dictionaries(st.binary(min_size=32, max_size=32), st.binary(min_size=1, max_size=60), min_size=2),
    st.data(),
)
def test_a_changed_proof_never_proves_anything_else(items, data):
    trie = grown(items)
    key = data.draw(st.sampled_from(sorted(items)))
    nodes = proof_of(trie, key)
    at = data.draw(st.integers(0, len(nodes) - 1))
    position = data.draw(st.integers(0, len(nodes[at]) - 1))
    flipped = bytearray(nodes[at])
    flipped[position] ^= 1 << data.draw(st.integers(0, 7))
    for changed in ([*nodes[:at], bytes(flipped), *nodes[at + 1 :]], nodes[:at], [*nodes, nodes[-1]]):
        with pytest.raises(ChainError, match="trie: "):
            verify_proof(trie.root_hash, key, changed)


BRANCH = [b""] * 17


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        ([b"\x20"], "neither 2 nor 17"),
        (b"dog", "neither 2 nor 17"),
        ([b"\x40\x12", b"v"], "hex-prefix"),
        ([b"\x21\x12"[:0], b"v"], "hex-prefix"),
        ([b"\x25\x12", b"v"], "hex-prefix"),
        ([b"\x05\x12", b"v"], "hex-prefix"),
        ([b"\x20\x12", b""], "leaf has no value"),
        ([b"\x20\x12", [b"v"]], "list where bytes belong"),
        ([[], b"v"], "list where bytes belong"),
        ([b"\x00", bytes(32)], "extension leads nowhere"),
        ([b"\x11", b""], "extension leads nowhere"),
        ([b"\x11", b"short"], "reference to a node is not 32 bytes"),
        ([b"\x11", [b"\x32", b"v" * 40]], "inside another is 32 bytes or longer"),
        ([*BRANCH[:1], [b"\x32", b"v" * 40], *BRANCH[2:]], "inside another is 32 bytes or longer"),
        ([*BRANCH[:1], [], *BRANCH[2:]], "neither 2 nor 17"),
        ([b"\x11", bytes(32)], "ends before the key"),
        ([b"\x00\x12", [*BRANCH[:16], [b"v"]]], "list where bytes belong"),
    ],
)
def test_what_is_no_trie_node_is_refused(node, reason):
    root, nodes = root_and(node)
    with pytest.raises(ChainError, match=reason):
        verify_proof(root, b"\x12", nodes)


def test_a_node_of_hundreds_of_values_is_refused_before_they_are_read():
    full = rlp.encode([[b""] * 254, b"\x01"])
    with pytest.raises(ChainError, match="more values than there can be"):
        verify_proof(keccak256(full), b"", [full])
    less = rlp.encode([[b""] * 253, b"\x01"])
    with pytest.raises(ChainError, match="a list where bytes belong"):
        verify_proof(keccak256(less), b"", [less])


def test_a_short_node_outside_its_parent_is_refused():
    leaf = rlp.encode([b"\x32", b"v"])
    root, nodes = root_and([b"\x11", keccak256(leaf)])
    with pytest.raises(ChainError, match="does not stand inside its parent"):
        verify_proof(root, b"\x12", [*nodes, leaf])


def test_another_node_than_the_parent_names_is_refused():
    with pytest.raises(ChainError, match="not the one that its parent names"):
        verify_proof(bytes(32), b"dog", proof_of(grown(DOGS), b"dog"))


def test_a_node_left_over_is_refused():
    with pytest.raises(ChainError, match="1 nodes of the proof are not on the way"):
        verify_proof(DOGS_ROOT, b"doe", [*proof_of(grown(DOGS), b"doe"), b"\x80"])
    with pytest.raises(ChainError, match="not the one that its parent names"):
        verify_proof(EMPTY_TRIE, b"doe", [b"\xc0"])


@pytest.mark.parametrize(("root", "key"), [(b"", b"dog"), (bytes(33), b"dog"), (DOGS_ROOT, bytes(33))])
def test_roots_and_keys_of_other_lengths_are_refused(root, key):
    with pytest.raises(ChainError, match="root is not 32 bytes, or the key"):
        verify_proof(root, key, [])
