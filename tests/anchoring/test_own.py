"""A transaction is taken for ours by its own bytes: their hash, the wallet's signature, and what they do."""

import pytest

from notary.anchoring.contract import call_data
from notary.anchoring.own import own_transaction
from notary.anchoring.rpc import Node
from notary.anchoring.transaction import fields_of, signed
from notary.errors import AnchorRejected
from notary.evidence import rlp
from tests.anchoring.evm_steps import anchored
from tests.anchoring.local_chain import ANCHOR, HEAD_KEY, STRANGER, WALLET, head, root

CONTRACT, LOG_ID, CHAIN_ID = b"\x22" * 20, b"\x33" * 32, 31337


class Saying(Node):
    """A node that says this of every transaction."""

    def __init__(self, answer):
        super().__init__("http://127.0.0.1:9", CHAIN_ID)
        self.answer = answer

    def require_chain(self):
        pass

    def ask(self, method, *params):
        assert (method, len(params)) == ("eth_getTransactionByHash", 1)
        return self.answer


def call(size=7, new_root=None, log_id=LOG_ID, more=b""):
    made = new_root or root(7)
    signature = bytes(HEAD_KEY.unsafe_sign_hash(bytes(32)).signature)
    return call_data(ANCHOR, log_id, size, made, [bytes(32)], signature) + more


def transaction(kind="typed", wallet=WALLET, **changes):
    """The raw bytes, their hash, and what an honest node says of them."""
    fees = {"maxFeePerGas": 7, "maxPriorityFeePerGas": 2} if kind == "typed" else {"gasPrice": 7}
    fields = {"chainId": CHAIN_ID, "nonce": 5, "gas": 90_000, "to": CONTRACT, "value": 0, "data": call()}
    raw, ref = signed(fields | fees | changes, wallet)
    v, r, s = (int.from_bytes(each) for each in rlp.decode_list(raw[1:] if kind == "typed" else raw)[-3:])
    said = fields_of(raw)
    answer = {name: hex(value) for name, value in said.items() if isinstance(value, int)}
    answer |= {"to": f"0x{said['to'].hex()}", "input": f"0x{said['data'].hex()}"}
    answer |= {"type": "0x2" if kind == "typed" else "0x0", "v": hex(v), "r": hex(r), "s": hex(s)}
    return raw, ref, answer


def own(answer, ref):
    return own_transaction(Saying(answer), WALLET.address, CONTRACT, LOG_ID, head(7), ref)


@pytest.mark.parametrize("kind", ["typed", "legacy"])
def test_ours_is_made_into_its_bytes_again(kind):
    raw, ref, answer = transaction(kind)
    found = own(answer, ref)
    assert (found.raw, found.ref, found.nonce, found.lane) == (raw, ref, 5, WALLET.address)
    assert own(None, ref) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"wallet": STRANGER},
        {"to": b"\x23" * 20},
        {"value": 1},
        {"data": call(size=8)},
        {"data": call(new_root=root(8))},
        {"data": call(log_id=bytes(32))},
        {"data": call(more=bytes(32))},
        {"data": b""},
        {"kind": "legacy", "chainId": 1},
    ],
    ids=lambda changes: next(reversed(changes)) if isinstance(changes, dict) else None,
)
def test_what_the_wallet_did_not_do_for_this_head_is_not_ours(changes):
    _, ref, answer = transaction(**changes)
    assert own(answer, ref) is None


@pytest.mark.parametrize(
    "lie", [{"gas": "0x1"}, {"nonce": "0x6"}, {"type": "0x1"}, {"type": "0x3"}, {"to": None}, {"s": "0x1"}]
)
def test_what_a_node_says_beside_the_signed_bytes_is_not_believed(lie):
    _, ref, answer = transaction()
    assert own(answer | lie, ref) is None
    assert own(answer, bytes(32)) is None


def test_an_answer_of_another_form_is_an_error():
    _, ref, answer = transaction()
    with pytest.raises(AnchorRejected, match="not a number where it must be"):
        own({name: value for name, value in answer.items() if name != "r"}, ref)
    with pytest.raises(AnchorRejected, match="not an object where it must be"):
        own([], ref)


@pytest.mark.parametrize("fees", ["eip1559", "legacy"])
def test_a_real_node_has_what_was_sent(shared_chain, fees):
    anchor = shared_chain.anchor(shared_chain.open(f"{fees}.example/log"))
    anchor.node = Node(shared_chain.url, CHAIN_ID, fees=fees)
    made = anchored(anchor, 7)
    assert anchor.own(head(7), made.ref, WALLET.address) == made
    assert anchor.own(head(7), made.ref, STRANGER.address) is None
    assert anchor.own(head(8), made.ref, WALLET.address) is None
    assert anchor.own(head(7), bytes(32), WALLET.address) is None
