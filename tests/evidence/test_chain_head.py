"""The head in the contract's storage: where it lies, and what is no proof of it."""

from dataclasses import replace

import pytest
import rlp
from trie.hexary import HexaryTrie

from notary.errors import ChainError
from notary.evidence.chain import decode_evidence, decode_header, encode_evidence
from notary.evidence.chain_head import StoredHead, head_slots, stored_head
from notary.evidence.keccak import keccak256
from tests.evidence import mini_chain

ROOT, KEY = keccak256(b"root"), b"\x51" * 20


def made(**more):
    stored = more.pop("stored", (7, ROOT, KEY, 3))
    return mini_chain.anchor(
        [mini_chain.event(7, ROOT)], number=200, time=1_700_001_200, stored=stored, **more
    )


def header_of(evidence):
    return decode_header(evidence.header, "ethereum")


def test_a_head_lies_where_solidity_puts_the_value_of_a_mapping_in_the_first_slot():
    first, second = head_slots(bytes(32))
    # keccak256 of 64 zero bytes: mapping(bytes32 => …) at slot 0, key 0.
    assert first.hex() == "ad3228b676f7d3cd4284a5443f17f1962b36e491b30a40b2405849e597ba5fb5"
    assert int.from_bytes(second, "big") == int.from_bytes(first, "big") + 1
    assert head_slots(b"\x01" * 32)[0] == keccak256(b"\x01" * 32 + bytes(32))


@pytest.mark.parametrize("size", [1, 7, 2**32, 2**64 - 1])
@pytest.mark.parametrize("turn", [0, 1, 2**32 - 1])
def test_key_size_and_turn_are_told_apart(size, turn):
    evidence = made(stored=(size, ROOT, KEY, turn))
    assert stored_head(evidence, header_of(evidence)) == StoredHead(size, ROOT, KEY)
    assert decode_evidence(encode_evidence(evidence)) == evidence


def test_a_log_of_which_nothing_is_stored_has_no_entries():
    evidence = made()
    trie = HexaryTrie({})
    trie[keccak256(b"another slot")] = rlp.encode(b"\x01")
    state = HexaryTrie({})
    state[keccak256(mini_chain.CONTRACT)] = rlp.encode([b"\x01", b"", trie.root_hash, mini_chain.CODE_HASH])
    raw = mini_chain.header(200, 1, state=state.root_hash)
    absent = tuple(rlp.encode(node) for node in trie.get_proof(keccak256(head_slots(mini_chain.LOG_ID)[0])))
    account = tuple(rlp.encode(node) for node in state.get_proof(keccak256(mini_chain.CONTRACT)))
    shown = replace(evidence, account_proof=account, head_slots=(absent, absent))
    assert stored_head(shown, decode_header(raw, "ethereum")) == StoredHead(0, bytes(32), bytes(20))


@pytest.mark.parametrize("slots", [None, (None, None), "first only", "second only"])
def test_what_was_not_captured_is_said(slots):
    evidence = made()
    first, second = evidence.head_slots
    slots = {"first only": (first, None), "second only": (None, second)}.get(slots, slots)
    with pytest.raises(ChainError, match="no storage proof of the head was captured"):
        stored_head(replace(evidence, head_slots=slots), header_of(evidence))
    with pytest.raises(ChainError, match="no account proof of 0x1111"):
        stored_head(replace(evidence, account_proof=None), header_of(evidence))


def test_a_malformed_account_or_value_is_refused():
    evidence = made()
    state = HexaryTrie({})
    state[keccak256(mini_chain.CONTRACT)] = rlp.encode([b"", b"", [b"root"], bytes(32)])
    raw = mini_chain.header(200, 1, state=state.root_hash)
    account = tuple(rlp.encode(node) for node in state.get_proof(keccak256(mini_chain.CONTRACT)))
    with pytest.raises(ChainError, match="the account of the contract is malformed"):
        stored_head(replace(evidence, account_proof=account), decode_header(raw, "ethereum"))
    padded = HexaryTrie({})
    for slot in head_slots(mini_chain.LOG_ID):
        padded[keccak256(slot)] = rlp.encode(b"\x00\x01" + bytes(30))
    state[keccak256(mini_chain.CONTRACT)] = rlp.encode([b"", b"", padded.root_hash, bytes(32)])
    raw = mini_chain.header(200, 1, state=state.root_hash)
    account = tuple(rlp.encode(node) for node in state.get_proof(keccak256(mini_chain.CONTRACT)))
    proofs = tuple(
        tuple(rlp.encode(node) for node in padded.get_proof(keccak256(slot)) if len(rlp.encode(node)) >= 32)
        for slot in head_slots(mini_chain.LOG_ID)
    )
    with pytest.raises(ChainError, match="not a whole number in its shortest form"):
        stored_head(
            replace(evidence, account_proof=account, head_slots=proofs), decode_header(raw, "ethereum")
        )


@pytest.mark.parametrize("at", [0, 1])
def test_a_proof_of_another_slot_or_state_does_not_hold(at):
    evidence, other = made(), made(stored=(8, keccak256(b"other"), KEY))
    foreign = tuple(other.head_slots[i] if i == at else evidence.head_slots[i] for i in (0, 1))
    with pytest.raises(ChainError, match="trie: a node is not the one that its parent names"):
        stored_head(replace(evidence, head_slots=foreign), header_of(evidence))
