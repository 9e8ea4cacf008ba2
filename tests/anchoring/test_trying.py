"""An anchor is tried before the head key signs: nobody sees a signature that is not stored, nor chooses our gas."""

import random
from dataclasses import replace

import pytest

from notary.anchoring import trying
from notary.anchoring.contract import signed_transaction
from notary.anchoring.port import Head
from notary.anchoring.reading import head_signer, read_anchor_call
from notary.anchoring.rpc import Answer, Node
from notary.anchoring.transaction import fields_of
from notary.errors import AnchorRejected, AnchorUnavailable
from notary.evidence.chain_head import head_slots
from notary.evidence.keccak import keccak256
from notary.merkle.hashing import hash_node
from tests.anchoring.local_chain import HEAD_KEY, WALLET, head, path
from tests.anchoring.lying_node import lying_node


class Recorded(Node):
    """Keeps every question; `tried` is its answer to a trial where it is given."""

    def __init__(self, url, tried=None):
        super().__init__(url, 31337)
        self.asked, self.tried = [], tried

    def try_ask(self, method, *params):
        self.asked.append((method, params))
        if method == "eth_estimateGas" and self.tried is not None:
            return self.tried
        return super().try_ask(method, *params)


@pytest.fixture
def anchor(shared_chain, request):
    return shared_chain.anchor(shared_chain.open(request.node.name))


@pytest.fixture
def by(shared_chain, anchor):
    """The same anchor by a node that keeps what it is asked."""
    return lambda tried=None: replace(anchor, node=Recorded(shared_chain.url, tried))


def signed(anchor, size=7, old=0):
    return anchor.sign(head(size), anchor.first_nonce(), path(old, size), old)


def test_no_question_before_the_transaction_is_stored_shows_what_the_head_key_signed(by):
    anchor = by()
    call = read_anchor_call(fields_of(signed(anchor).raw)["data"])
    asked = str(anchor.node.asked)
    assert head(7).root.hex() in asked  # it was tried
    assert call.signature[:32].hex() not in asked


def test_what_is_tried_bears_a_signature_of_another_key(by):
    anchor = by()
    signed(anchor)
    (params,) = [params for method, params in anchor.node.asked if method == "eth_estimateGas"]
    call = read_anchor_call(bytes.fromhex(params[0]["data"][2:]))
    assert (call.size, call.root) == (7, head(7).root)
    assert f"0x{head_signer(keccak256(b'any digest'), call.signature).hex()}" != HEAD_KEY.address.lower()


@pytest.mark.parametrize("asked_for", ["0x1c9c380", "0x5208"])
def test_a_node_does_not_choose_the_gas_limit(shared_chain, anchor, asked_for):
    with lying_node(shared_chain.url, eth_estimateGas=lambda _: asked_for) as url:
        lied_to = replace(anchor, node=Node(url, 31337))
        with pytest.raises(AnchorUnavailable, match="the node takes a head that nobody signed"):
            signed(lied_to)
    assert fields_of(signed(anchor).raw)["gas"] == trying.gas_of(0)


def test_the_gas_limit_is_enough_and_no_more_than_half_as_much_again(shared_chain, anchor):
    old = 0
    for size in (7, 63, 127, 130):
        attempt = signed(anchor, size, old)
        anchor.send(head(size), attempt)
        used = int(shared_chain.receipt(attempt.ref)["gasUsed"], 16)
        assert used < fields_of(attempt.raw)["gas"] < 2 * used
        old = size
    assert anchor.attested_size() == 130


def proven(old, new):
    """Roots of two trees far too large to be made, and the proof that one begins with the other (RFC 9162 2.1.4.2)."""
    index, last, path = old - 1, new - 1, []
    while index & 1:
        index, last = index >> 1, last >> 1
    before = after = random.randbytes(32)
    if index:
        path.append(before)
    while last:
        if index & 1 or index < last:
            path.append(random.randbytes(32))
        if index & 1:
            before, after = hash_node(path[-1], before), hash_node(path[-1], after)
        elif index < last:
            after = hash_node(after, path[-1])
        index, last = index >> 1, last >> 1
    return before, after, path


@pytest.mark.parametrize(
    ("old", "hashes"), [(2**61 - 1, 63), (2**40 - 1, 42), (2**33, 1), (2**33 - 2**20, 14)]
)
def test_the_gas_limit_is_enough_for_the_longest_proofs(shared_chain, anchor, old, hashes):
    new = old + (2**32 if old > 2**60 else 2**20)
    before, after, proof = proven(old, new)
    assert len(proof) == hashes
    put(shared_chain, anchor, old, before)
    made = Head("test.example/log", new, after, b"")
    attempt = anchor.sign(made, anchor.first_nonce(), proof, old)
    anchor.send(made, attempt)
    receipt = shared_chain.receipt(attempt.ref)
    limit = fields_of(attempt.raw)["gas"]
    assert (receipt["status"], limit) == ("0x1", trying.gas_of(hashes))
    assert int(receipt["gasUsed"], 16) * 5 // 4 <= limit < int(receipt["gasUsed"], 16) * 2.2
    assert anchor.on_chain_head() == (new, after)


def put(chain, anchor, size, made):
    """Have the contract hold a head that it never took."""
    state = (size << 160 | int(HEAD_KEY.address, 16)).to_bytes(32), made
    for slot, value in zip(head_slots(anchor.log_id), state, strict=True):
        where = f"0x{anchor.contract.hex()}", f"0x{slot.hex()}"
        chain.node.ask("anvil_setStorageAt", *where, f"0x{value.hex()}")


def test_what_the_contract_itself_refuses_before_it_looks_at_the_signature_is_seen(shared_chain, anchor):
    old = 2**33
    new = old + 2**32 + 1
    before, after, proof = proven(old, new)
    put(shared_chain, anchor, old, before)
    anchor.head_key = type("NoSignature", (), {"address": HEAD_KEY.address})()
    with pytest.raises(AnchorRejected, match="tried before signing: the contract refuses: TooFar"):
        anchor.sign(Head("test.example/log", new, after, b""), anchor.first_nonce(), proof, old)


def test_what_it_looks_at_after_the_signature_is_computed_here(shared_chain, anchor):
    old, new = 2**33 + 5, 2**33 + 9
    before, after, proof = proven(old, new)
    put(shared_chain, anchor, old, before)
    anchor.head_key = type("NoSignature", (), {"address": HEAD_KEY.address})()
    made = Head("test.example/log", new, after, b"")
    for wrong in (proof[:-1], [*proof, proof[0]], [bytes(32), *proof[1:]], [*proof[:-1], bytes(32)]):
        with pytest.raises(AnchorRejected, match="the head does not extend the one on chain"):
            anchor.sign(made, anchor.first_nonce(), wrong, old)


@pytest.mark.parametrize("data", [None, "", "0x"])
def test_a_node_that_does_not_say_why_a_call_fails_holds_nothing_up(by, data):
    assert signed(by(Answer(None, "execution reverted", data, reverted=True)))


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        (Answer(None, "header not found"), AnchorUnavailable, "eth_estimateGas: header not found"),
        (
            Answer(None, "execution reverted", "0x" + keccak256(b"TooFar()")[:4].hex(), reverted=True),
            AnchorRejected,
            "tried before signing: the contract refuses: TooFar",
        ),
        (
            Answer(None, "execution reverted: no", "0x08c379a0", reverted=True),
            AnchorRejected,
            "tried before signing: execution reverted: no",
        ),
    ],
)
def test_what_the_trial_says_otherwise_is_told_and_the_head_key_does_not_sign(by, answer, error, reason):
    anchor = by(answer)
    anchor.head_key = type("NoSignature", (), {"address": HEAD_KEY.address})()
    with pytest.raises(error, match=reason):
        signed(anchor)


def test_a_transaction_that_sets_up_is_not_signed_for_more_gas_than_any_needs(shared_chain):
    with (
        lying_node(shared_chain.url, eth_estimateGas=lambda _: hex(800_001)) as url,
        pytest.raises(
            AnchorUnavailable, match="asks for 1000001 gas, and nothing of ours needs more than 1000000"
        ),
    ):
        signed_transaction(Node(url, 31337), WALLET, 0, None, b"")
