"""The head key hands over to the next one, and to nobody else."""

import pytest
from eth_account import Account

from notary.anchoring.contract import call_data, read_head, read_keys
from notary.anchoring.fields import octets
from notary.anchoring.succession import accept_digest, hand_over, offer_digest
from notary.errors import AnchorRejected
from notary.evidence.keccak import keccak256
from tests.anchoring.local_chain import HEAD_KEY, STRANGER, accepted, path, refused, root

NEXT = Account.from_key("0x" + "18" * 32)


def address(key):
    return bytes.fromhex(key.address[2:])


def offer(chain, log_id, turn, next_key, by, *, of=None):
    digest = offer_digest(31337, chain.contract, of or log_id, turn, next_key.address)
    signature = bytes(by.unsafe_sign_hash(digest).signature)
    return call_data("handOver(bytes32,address,bytes)", log_id, next_key.address, signature)


def acceptance(chain, log_id, turn, next_key, by=None, digest=accept_digest):
    signed = digest(31337, chain.contract, log_id, turn, next_key.address)
    signature = bytes((by or next_key).unsafe_sign_hash(signed).signature)
    return call_data("accept(bytes32,bytes)", log_id, signature)


def test_after_both_steps_the_next_key_signs_heads_and_the_former_does_not(shared_chain, log_id):
    shared_chain.send(shared_chain.data(log_id, 5, root(5), []))
    keys = hand_over(shared_chain.node, STRANGER, shared_chain.contract, log_id, HEAD_KEY, NEXT, timeout=10)
    assert (keys.head, keys.offered, keys.turn) == (address(NEXT), bytes(20), 1)
    assert read_head(shared_chain.node, shared_chain.contract, log_id) == (5, root(5))
    refused(shared_chain, shared_chain.data(log_id, 9, root(9), path(5, 9)), "NotSignedByHeadKey")
    shared_chain.send(shared_chain.data(log_id, 9, root(9), path(5, 9), key=NEXT))
    assert read_head(shared_chain.node, shared_chain.contract, log_id) == (9, root(9))
    assert read_keys(shared_chain.node, shared_chain.contract, log_id) == keys


def test_each_step_says_what_it_did(shared_chain, log_id):
    (event,) = shared_chain.send(offer(shared_chain, log_id, 0, NEXT, HEAD_KEY))["logs"]
    assert [octets(topic) for topic in event["topics"]] == [
        keccak256(b"Offered(bytes32,address,address)"), log_id,
    ]  # fmt: skip
    assert octets(event["data"]) == bytes(12) + address(HEAD_KEY) + bytes(12) + address(NEXT)
    (event,) = shared_chain.send(acceptance(shared_chain, log_id, 1, NEXT))["logs"]
    assert octets(event["topics"][0]) == keccak256(b"HandedOver(bytes32,address,address)")
    assert octets(event["data"]) == bytes(12) + address(HEAD_KEY) + bytes(12) + address(NEXT)


def test_until_it_accepts_the_next_key_has_no_say(shared_chain, log_id):
    shared_chain.send(offer(shared_chain, log_id, 0, NEXT, HEAD_KEY))
    refused(shared_chain, shared_chain.data(log_id, 3, root(3), [], key=NEXT), "NotSignedByHeadKey")
    refused(shared_chain, offer(shared_chain, log_id, 0, STRANGER, NEXT), "NotSignedByHeadKey")
    accepted(shared_chain, shared_chain.data(log_id, 3, root(3), []))
    # The last offer counts: a slip is put right by another.
    shared_chain.send(offer(shared_chain, log_id, 1, STRANGER, HEAD_KEY))
    refused(shared_chain, acceptance(shared_chain, log_id, 1, NEXT), "NotOffered")
    refused(shared_chain, acceptance(shared_chain, log_id, 2, NEXT), "NotOffered")
    # And the first one, which everybody has seen, cannot be sent again.
    refused(shared_chain, offer(shared_chain, log_id, 0, NEXT, HEAD_KEY), "NotSignedByHeadKey")
    accepted(shared_chain, acceptance(shared_chain, log_id, 2, STRANGER))


def test_nobody_else_hands_over_and_nobody_else_accepts(shared_chain, log_id):
    other = shared_chain.open("other.example/log")
    refused(shared_chain, offer(shared_chain, log_id, 0, NEXT, STRANGER), "NotSignedByHeadKey")
    refused(shared_chain, offer(shared_chain, log_id, 0, NEXT, HEAD_KEY, of=other), "NotSignedByHeadKey")
    refused(shared_chain, offer(shared_chain, log_id, 1, NEXT, HEAD_KEY), "NotSignedByHeadKey")
    refused(shared_chain, acceptance(shared_chain, log_id, 1, NEXT), "NotOffered")
    refused(shared_chain, offer(shared_chain, bytes(32), 0, NEXT, HEAD_KEY), "NotOpen")
    nobody = call_data("handOver(bytes32,address,bytes)", log_id, "0x" + "00" * 20, bytes(65))
    refused(shared_chain, nobody, "NoHeadKey")
    shared_chain.send(offer(shared_chain, log_id, 0, NEXT, HEAD_KEY))
    refused(shared_chain, acceptance(shared_chain, log_id, 1, NEXT, by=STRANGER), "NotOffered")
    refused(shared_chain, acceptance(shared_chain, log_id, 1, NEXT, digest=offer_digest), "NotOffered")
    refused(shared_chain, call_data("accept(bytes32,bytes)", log_id, bytes(65)), "MalformedSignature")
    accepted(shared_chain, acceptance(shared_chain, log_id, 1, NEXT))


def test_a_hand_over_cannot_be_repeated_when_the_key_comes_back(shared_chain, log_id):
    first, second = offer(shared_chain, log_id, 0, NEXT, HEAD_KEY), acceptance(shared_chain, log_id, 1, NEXT)
    node, contract = shared_chain.node, shared_chain.contract
    hand_over(node, STRANGER, contract, log_id, HEAD_KEY, NEXT, timeout=10)
    keys = hand_over(node, STRANGER, contract, log_id, NEXT, HEAD_KEY, timeout=10)
    assert (keys.head, keys.turn) == (address(HEAD_KEY), 2)
    refused(shared_chain, first, "NotSignedByHeadKey")
    refused(shared_chain, second, "NotOffered")


def test_what_was_done_is_not_done_again(shared_chain, log_id):
    node, contract = shared_chain.node, shared_chain.contract
    shared_chain.send(offer(shared_chain, log_id, 0, NEXT, HEAD_KEY))  # as if it had been stopped here
    before = node.ask("eth_getTransactionCount", STRANGER.address, "latest")
    keys = hand_over(node, STRANGER, contract, log_id, HEAD_KEY, NEXT, timeout=10)
    between = node.ask("eth_getTransactionCount", STRANGER.address, "latest")
    assert int(between, 16) == int(before, 16) + 1
    assert hand_over(node, STRANGER, contract, log_id, HEAD_KEY, NEXT, timeout=10) == keys
    assert node.ask("eth_getTransactionCount", STRANGER.address, "latest") == between


def test_a_key_that_is_not_the_head_key_hands_nothing_over(shared_chain, log_id):
    with pytest.raises(AnchorRejected, match=r"the log's head key is 0x[0-9a-f]{40}, neither of the two"):
        hand_over(shared_chain.node, STRANGER, shared_chain.contract, log_id, STRANGER, NEXT, timeout=10)
