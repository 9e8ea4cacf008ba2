"""Endpoints that lag, are gone, fork or lie: nothing becomes final on the word of fewer than were asked for."""

from dataclasses import replace

import pytest

from notary.anchoring.blocks import block_at
from notary.anchoring.poll import newest_finalized
from notary.anchoring.port import Step
from notary.anchoring.quorum import Quorum
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable
from notary.observe import RPC_CONTRADICTIONS
from tests.anchoring.local_chain import head, running
from tests.anchoring.lying_node import Lost, lying_node
from tests.anchoring.test_evm import anchored

GONE = "http://127.0.0.1:9"


@pytest.fixture
def anchor(chain):
    return chain.anchor(chain.open())


def another(chain):
    """The same chain by an endpoint of its own."""
    return Node(chain.url, 31337)


def contradictions():
    return RPC_CONTRADICTIONS.labels("31337")._value.get()


def mined_and_final(chain, anchor):
    attempt = anchored(anchor, 7)
    chain.mine(4)
    return attempt


def test_endpoints_that_agree_make_it_final_and_are_counted(chain, anchor):
    attempt = mined_and_final(chain, anchor)
    seen = replace(anchor, others=(another(chain),), needed=2).observe(head(7), [attempt])
    assert seen.step is Step.FINAL
    assert seen.detail.endswith("final at 2 of 2 endpoints")
    assert anchor.observe(head(7), [attempt]).detail.endswith("final at 1 of 1 endpoints")


def test_one_that_lags_holds_it_back(chain, anchor):
    attempt = mined_and_final(chain, anchor)
    first = chain.node.ask("eth_getBlockByNumber", "0x1", False)

    def lagging(block):
        return first if int(block["number"], 16) > 1 else block

    with lying_node(chain.url, eth_getBlockByNumber=lagging) as url:
        both = replace(anchor, others=(Node(url, 31337),), needed=2)
        seen = both.observe(head(7), [attempt])
        assert (seen.step, seen.detail[-25:]) == (Step.MINED, "final at 1 of 2 endpoints")
        assert replace(both, needed=1).observe(head(7), [attempt]).step is Step.FINAL


def test_one_that_is_gone_holds_it_back_where_it_is_needed(chain, anchor):
    attempt = mined_and_final(chain, anchor)
    both = replace(anchor, others=(Node(GONE, 31337),), needed=2)
    assert both.observe(head(7), [attempt]).step is Step.MINED
    assert replace(both, needed=1).observe(head(7), [attempt]).step is Step.FINAL


def test_one_that_goes_between_two_questions_does_not_count(chain, anchor):
    attempt = mined_and_final(chain, anchor)
    asked = []

    def once(block):
        asked.append(block)
        return block if len(asked) == 1 else Lost

    with lying_node(chain.url, eth_getBlockByNumber=once) as url:
        both = replace(anchor, others=(Node(url, 31337),), needed=2)
        assert both.observe(head(7), [attempt]).detail.endswith("final at 1 of 2 endpoints")


def test_another_history_is_told_and_nothing_is_final(chain, anchor):
    attempt = mined_and_final(chain, anchor)
    before = contradictions()
    with running(31337) as other:
        other.open("another.example/log")
        other.mine(20)
        both = replace(anchor, others=(other.node,), needed=2)
        with pytest.raises(AnchorRejected, match="contradict each other at final block"):
            both.observe(head(7), [attempt])
        assert contradictions() == before + 1
        # Where enough agree without it, it is final, and somebody is told all the same.
        three = replace(both, others=(other.node, another(chain)))
        seen = three.observe(head(7), [attempt])
        assert (seen.step, seen.detail[-25:]) == (Step.FINAL, "final at 2 of 3 endpoints")
        assert contradictions() == before + 2


def test_one_of_another_chain_has_no_vote_and_no_veto(chain, anchor):
    attempt, before = mined_and_final(chain, anchor), contradictions()
    with running(31338) as other:
        both = replace(anchor, others=(Node(other.url, 31337),))
        assert both.observe(head(7), [attempt]).detail.endswith("final at 1 of 2 endpoints")
        assert contradictions() > before
        assert replace(both, needed=2).observe(head(7), [attempt]).step is Step.MINED
        two = replace(both, others=(*both.others, another(chain)), needed=2)
        assert two.observe(head(7), [attempt]).detail.endswith("final at 2 of 3 endpoints")
        with pytest.raises(AnchorRejected, match="the node is of chain 31338, not 31337"):
            newest_finalized(Quorum((Node(other.url, 31337),)))


def test_the_first_ones_false_word_that_it_is_final_is_not_enough(chain, anchor):
    attempt = anchored(anchor, 7)
    newest = chain.node.ask("eth_getBlockByNumber", "latest", False)
    with lying_node(chain.url, eth_getBlockByNumber=lambda _: newest) as url:
        alone = replace(anchor, node=Node(url, 31337))
        assert alone.observe(head(7), [attempt]).step is Step.FINAL  # what one endpoint can do
        both = replace(alone, others=(another(chain),), needed=2)
        assert both.observe(head(7), [attempt]).step is Step.MINED


# The newest final block


def test_the_newest_block_is_one_that_enough_hold(chain):
    chain.mine(6)
    early = chain.node.ask("eth_getBlockByNumber", "0x2", False)

    def lagging(block):
        return early if int(block["number"], 16) > 2 else block

    with lying_node(chain.url, eth_getBlockByNumber=lagging) as url:
        nodes = (another(chain), Node(url, 31337))
        assert newest_finalized(Quorum(nodes, 2)).number == 2
        alone = newest_finalized(Quorum(nodes, 1))
        assert alone.number > 2
        assert newest_finalized(Quorum(nodes[::-1], 1)).number == 2  # the first one's word, not the highest
        assert alone.hash == block_at(chain.node, hex(alone.number), "ethereum")[1].hash


def test_without_enough_endpoints_there_is_no_newest_block(chain):
    chain.mine(6)
    with pytest.raises(AnchorUnavailable, match="1 of 2 endpoints answer, and 2 must agree"):
        newest_finalized(Quorum((chain.node, Node(GONE, 31337)), 2))
    assert newest_finalized(Quorum((Node(GONE, 31337), chain.node), 1)).number > 0


def test_a_number_that_one_invents_does_not_hide_what_the_others_agree_on(chain):
    chain.mine(6)
    with running(31337) as other:
        other.open("another.example/log")
        other.mine(40)
        found = newest_finalized(Quorum((chain.node, another(chain), other.node), 2))
        assert found.hash == block_at(chain.node, hex(found.number), "ethereum")[1].hash


def test_before_enough_have_a_final_block_there_is_none():
    with running(31337) as young:
        rule = Quorum((young.node, another(young)), 2, finality="depth:1000")
        with pytest.raises(AnchorUnavailable, match="no block is final yet at enough endpoints"):
            newest_finalized(rule)


def test_two_histories_have_no_newest_block(chain):
    chain.mine(6)
    with running(31337) as other:
        other.open("another.example/log")
        other.mine(20)
        with pytest.raises(AnchorRejected, match="contradict each other at final block"):
            newest_finalized(Quorum((chain.node, other.node), 2))
