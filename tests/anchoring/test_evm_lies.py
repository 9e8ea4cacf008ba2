"""The adapter and a node that does not tell the truth, or none."""

import socket
from dataclasses import replace

import pytest

from notary.anchoring import blocks, capture
from notary.anchoring.blocks import receipt_proof, receipts_of
from notary.anchoring.evm import EvmAnchor
from notary.anchoring.heads import transaction_of
from notary.anchoring.poll import newest_finalized
from notary.anchoring.port import Attempt, Head, Step
from notary.anchoring.quorum import Quorum
from notary.anchoring.rpc import Answer, Node
from notary.errors import AnchorRejected, AnchorUnavailable, NoAnswer
from notary.evidence.chain import (
    decode_evidence,
    decode_header,
)
from notary.observe import RPC_CONTRADICTIONS
from tests.anchoring.evm_steps import anchored, signed, through
from tests.anchoring.local_chain import HEAD_KEY, STRANGER, WALLET, head, root
from tests.anchoring.lying_node import Error, lying_node, raw_answer
from tests.evidence import mini_chain

OTHER = f"0x{'11' * 32}"


def changed(**fields):
    return lambda block: block and block | fields


@pytest.mark.parametrize(
    ("lies", "reason"),
    [
        ({"eth_getBlockByHash": changed(timestamp="0x1")}, "does not have the hash the node gives"),
        ({"eth_getBlockByHash": changed(number="0xfffffffffffffffff")}, "header cannot be used"),
        ({"eth_getBlockByHash": changed(stateRoot="0x12")}, "header cannot be used"),
        ({"eth_getBlockByHash": changed(stateRoot=None)}, "not hexadecimal where it must be"),
        ({"eth_getBlockByHash": changed(gasUsed="21000")}, "not a number where it must be"),
        ({"eth_getBlockByHash": changed(hash="0x12")}, "has 1 bytes where 32 must be"),
        ({"eth_getBlockByHash": lambda _: "block"}, "not an object where it must be"),
        ({"eth_getBlockReceipts": lambda _: []}, "has no transaction 0"),
        ({"eth_getBlockReceipts": lambda r: [*r, *r]}, "do not have its receipts root"),
        ({"eth_getBlockReceipts": lambda r: [r[0] | {"status": "0x0"}]}, "do not have its receipts root"),
        ({"eth_getBlockReceipts": lambda r: [r[0] | {"type": "0x80"}]}, "a transaction of type 128"),
        ({"eth_getTransactionReceipt": changed(transactionHash=OTHER)}, "shows that of another transaction"),
        (
            {
                "eth_getTransactionReceipt": changed(transactionHash=OTHER),
                "eth_getBlockReceipts": lambda r: [r[0] | {"transactionHash": OTHER}],
            },
            "shows that of another transaction",
        ),
        (
            {"eth_getBlockReceipts": lambda r: [r[0] | {"transactionHash": OTHER}]},
            r"transaction 0 of block \d+ is another one, by its hash",
        ),
        ({"eth_getProof": changed(accountProof=["0x80"])}, "evidence does not hold: trie: "),
        ({"eth_getProof": changed(accountProof=None)}, "the node's answer has no accountProof"),
        ({"eth_chainId": lambda _: "0x1"}, "the node is of chain 1, not 31337"),
    ],
)
def test_a_lie_is_found_out_and_never_mined(chain, anchor, lies, reason):
    attempt = anchored(anchor, 7)
    with lying_node(chain.url, **lies) as url, pytest.raises(AnchorRejected, match=reason):
        through(anchor, url).observe(head(7), [attempt])


def test_a_block_of_too_many_receipts_is_refused():
    with pytest.raises(AnchorRejected, match="a block of 100001 receipts"):
        receipt_proof([{}] * 100_001, 0, bytes(32))


def test_a_receipt_of_another_head_is_not_evidence_of_this(chain, anchor):
    attempt = anchored(anchor, 7)
    with pytest.raises(AnchorRejected, match="the event is of size 7, not of the head of size 9"):
        anchor.observe(head(9), [attempt])
    forged = Head("test.example/log", 7, root(8), b"")
    with pytest.raises(AnchorRejected, match="not of the head of size 7"):
        anchor.observe(forged, [attempt])


@pytest.mark.parametrize("old", [7, 8])
def test_an_event_of_a_made_up_block_that_goes_to_no_larger_size_is_refused(old):
    made = mini_chain.anchor([mini_chain.event(7, root(7), old_size=old)], number=9, time=1000)
    made = replace(made, account_proof=None, head_slots=(None, None))
    with pytest.raises(AnchorRejected, match=f"the event goes from size {old} to 7"):
        capture._verify(made, decode_header(made.header, made.profile), head(7))


@pytest.mark.parametrize(
    ("lies", "reason"),
    [
        ({"eth_getBlockByHash": lambda _: None}, "the node has no longer block"),
        ({"eth_getBlockByNumber": lambda _: None}, "the node has no block finalized"),
    ],
)
def test_what_a_node_does_not_have_may_come_later(chain, anchor, lies, reason):
    attempt = anchored(anchor, 7)
    with lying_node(chain.url, **lies) as url, pytest.raises(AnchorUnavailable, match=reason):
        through(anchor, url).observe(head(7), [attempt])


def test_a_node_that_gives_receipts_one_by_one_is_asked_for_each(chain, anchor):
    chain.node.ask("evm_setAutomine", False)
    attempt = anchored(anchor, 7)
    more = {"from": STRANGER.address, "to": STRANGER.address, "value": "0x1"}
    chain.node.ask("eth_sendTransaction", more)
    chain.mine()

    def unknown(_):
        raise Error("the method eth_getBlockReceipts does not exist/is not available")

    asked = []
    with lying_node(chain.url, asked=asked, eth_getBlockReceipts=unknown) as url:
        seen = through(anchor, url).observe(head(7), [attempt])
    assert seen == anchor.observe(head(7), [attempt])
    assert asked.count("eth_getTransactionReceipt") == 3  # the attempt's own, then each of the block
    with (
        lying_node(chain.url, eth_getBlockReceipts=lambda _: None) as url,
        pytest.raises(AnchorUnavailable, match="the node has not the receipts of block 0x"),
    ):
        through(anchor, url).observe(head(7), [attempt])


def test_receipts_are_not_asked_for_one_by_one_without_end():
    class Endless:
        def try_ask(self, method, *_):
            return Answer(None, "method not found")

        def ask(self, *_):
            pytest.fail("asked for one of them")

    block = {"hash": "0x12", "transactions": ["0x34"] * 2001}
    with pytest.raises(AnchorUnavailable, match="the node has not the receipts of block 0x12"):
        receipts_of(Endless(), block)


class OneByOne:
    """Knows receipts, and gives one at a time; some of them only later."""

    def __init__(self, *known):
        self.known, self.asked, self.receipts = known, [], ("", ())

    def try_ask(self, method, *_):
        return Answer(None, "method not found")

    def ask(self, _method, ref):
        self.asked.append(ref)
        if ref == "0xbad":
            raise NoAnswer("busy")
        return {"of": ref} if ref in self.known else None


def test_receipts_that_come_one_by_one_are_asked_for_in_turns(monkeypatch):
    monkeypatch.setattr(blocks, "_SINGLE_SECONDS", -1.0)  # each turn is over after one of them
    node = OneByOne("0x1", "0x2", "0x3")
    block = {"hash": "0x12", "transactions": ["0x1", "0x2", "0x3"]}
    for by_now in (1, 2):
        reason = f"the receipts of block 0x12 are asked for one by one: {by_now} of 3 by now"
        with pytest.raises(AnchorUnavailable, match=reason):
            receipts_of(node, block)
    found = [{"of": "0x1"}, {"of": "0x2"}, {"of": "0x3"}]
    assert receipts_of(node, block) == found
    assert node.asked == ["0x1", "0x2", "0x3"]
    # Of a block that is asked for again, and of another one, it begins anew.
    monkeypatch.setattr(blocks, "_SINGLE_SECONDS", 60.0)
    assert receipts_of(node, block) == found
    with pytest.raises(AnchorUnavailable, match="the node has not the receipts of block 0x12"):
        receipts_of(node, block | {"transactions": ["0x1", "0x4", "0x3"]})
    assert node.asked[6:] == ["0x1", "0x4"]
    with pytest.raises(NoAnswer, match="busy"):
        receipts_of(node, block | {"transactions": ["0x1", "0xbad"]})
    other = {"hash": "0x13", "transactions": ["0x2"]}
    assert receipts_of(node, other) == [{"of": "0x2"}]


def test_a_node_that_stops_naming_block_hashes_costs_only_them(chain, anchor):
    chain.mine(3)
    raw = newest_finalized(Quorum((chain.node,))).raw
    anchor.not_before = lambda _head: [raw]
    attempt = anchored(anchor, 7)
    answers = []

    def second_fails(result):
        answers.append(result)
        if len(answers) == 2:
            raise Error("pruned")
        return result

    with lying_node(chain.url, eth_getProof=second_fails) as url:
        seen = through(anchor, url).observe(head(7), [attempt])
    assert "no block hashes in the state" in seen.detail
    assert decode_evidence(seen.evidence).account_proof is not None


def test_another_chain_behind_the_same_address_is_refused_everywhere(chain, anchor):
    attempt = signed(anchor, 7)
    wrong = EvmAnchor(
        "test", Node(chain.url, 1), chain.contract, anchor.log_id, HEAD_KEY, WALLET, lambda _head: []
    )
    for ask in (
        lambda: wrong.sign(head(7), 0, [], 0),
        lambda: wrong.send(head(7), attempt),
        lambda: wrong.observe(head(7), [attempt]),
        wrong.attested_size,
        wrong.first_nonce,
        lambda: newest_finalized(Quorum((wrong.node,))),
    ):
        with pytest.raises(AnchorRejected, match="the node is of chain 31337, not 1"):
            ask()
    assert anchor.on_chain_head() == (0, bytes(32))


def test_a_node_that_is_not_there_is_unavailable(anchor):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        gone = through(anchor, f"http://127.0.0.1:{probe.getsockname()[1]}/secret-key")
        with pytest.raises(AnchorUnavailable, match=r"^eth_chainId: no answer from the node \(\w+\)$"):
            gone.observe(head(7), [])


def test_an_error_for_an_answer_is_unavailable_and_an_answer_of_another_form_too(chain):
    with pytest.raises(AnchorUnavailable, match="eth_nonsense: "):
        chain.node.ask("eth_nonsense")
    with (
        lying_node(chain.url, eth_chainId=lambda _: None) as url,
        pytest.raises(AnchorRejected, match="not a number where it must be"),
    ):
        Node(url, 31337).require_chain()


@pytest.mark.parametrize("body", [b"[]", b'{"id": 1}', b'{"error": "no"}', b"<html>", b""])
def test_an_answer_that_is_not_json_rpc_is_unavailable(body):
    with (
        raw_answer(body) as url,
        pytest.raises(AnchorUnavailable, match=r"not JSON-RPC|no answer from the node"),
    ):
        Node(url, 31337).require_chain()


def test_logs_and_topics_of_null_are_refused(chain, anchor):
    refused = pytest.raises(AnchorRejected, match="not an array where it must be")
    with lying_node(chain.url, eth_getLogs=lambda _: None) as url, refused:
        transaction_of(Node(url, 31337), chain.contract, anchor.log_id, head(7), "ethereum")
    anchored(anchor, 7)
    block = chain.node.ask("eth_getBlockByNumber", "latest", False)
    (receipt,) = receipts_of(chain.node, block)
    receipt["logs"][0]["topics"] = None
    with pytest.raises(AnchorRejected, match="not an array where it must be"):
        receipt_proof([receipt], 0, bytes(32))


def test_the_root_that_the_contract_holds_is_what_enough_endpoints_say(chain, anchor):
    anchored(anchor, 7)
    assert anchor.held_root(7) == root(7)
    assert anchor.held_root(6) is None
    with lying_node(chain.url, eth_call=lambda said: said[:-2] + "00") as url:
        alone = through(anchor, url)
        assert alone.held_root(7) == root(7)[:-1] + b"\0"
        told = contradictions()
        for more in ((chain.node,), (chain.node, chain.node)):
            for needed in (1, 2):
                assert replace(alone, others=more, needed=needed).held_root(7) is None
        assert contradictions() == told + 4
        # Of several no single one says so, though no other answers.
        with raw_answer(b"{}") as silent:
            assert replace(alone, others=through(anchor, silent)._nodes).held_root(7) is None
            both = replace(alone, others=(Node(url, 31337), *through(anchor, silent)._nodes))
            assert both.held_root(7) == root(7)[:-1] + b"\0"
            assert replace(both, needed=3).held_root(7) is None
    assert contradictions() == told + 4


def test_who_holds_a_smaller_head_than_the_one_that_is_told_denies_it(chain, anchor):
    anchored(anchor, 7)
    with lying_node(chain.url, eth_call=lambda said: f"0x{9:064x}{said[66:]}") as one:
        liars = tuple(Node(f"{one}/{at}", 31337) for at in range(2))
        both = replace(anchor, node=liars[0], others=liars[1:])
        assert both.held_root(9) == root(7)
        told = contradictions()
        assert replace(both, others=(*liars[1:], chain.node)).held_root(9) is None
        assert contradictions() == told + 1
        assert (
            replace(both, others=(*liars[1:], chain.node)).held_root(7) is None
        )  # too few, and one is beyond
        assert contradictions() == told + 1


def contradictions():
    return RPC_CONTRADICTIONS.labels("31337")._value.get()


def test_a_node_that_does_not_try_a_transaction_says_nothing_of_the_head(chain, anchor):
    def busy(_):
        raise Error("header not found")

    with (
        lying_node(chain.url, eth_estimateGas=busy) as url,
        pytest.raises(AnchorUnavailable, match="eth_estimateGas: header not found"),
    ):
        signed(through(anchor, url), 7)


def test_what_reverted_for_an_earlier_anchoring_does_not_reject_the_one_under_way(chain, anchor):
    earlier = anchored(anchor, 7)
    waiting = Attempt(b"\x01" * 32, earlier.raw, earlier.nonce + 1, earlier.lane)

    def reverted(receipt):
        return receipt and receipt | {"status": "0x0"}

    with lying_node(chain.url, eth_getTransactionReceipt=reverted, eth_getLogs=lambda _: []) as url:
        told = through(anchor, url)
        assert told.observe(head(7), [earlier]).step is Step.REJECTED
        assert told.observe(head(7), [earlier, waiting]).step is Step.SENT
