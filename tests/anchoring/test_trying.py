"""An anchor is tried before the head key signs: nobody sees a signature that is not stored, nor chooses our gas."""

from dataclasses import replace

import pytest

from notary.anchoring import trying
from notary.anchoring.contract import signed_transaction
from notary.anchoring.rpc import Answer, Node
from notary.anchoring.transaction import fields_of
from notary.errors import AnchorRejected, AnchorUnavailable
from notary.evidence.keccak import keccak256
from notary.log.transactions import head_signer, read_anchor_call
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


@pytest.mark.parametrize("data", [None, "0x"])
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
