"""Endpoints that answer, and take long: each is asked last for a while, and a step ends before it is called late."""

import threading
from contextlib import suppress
from dataclasses import replace

import pytest

from notary.anchoring.agreeing import agreed_nonce, held_root, in_turn, of_first
from notary.anchoring.blocks import block_at
from notary.anchoring.poll import newest_finalized
from notary.anchoring.port import Step as Seen
from notary.anchoring.quorum import Quorum
from notary.anchoring.rpc import AWAY_SECONDS, Node, within
from notary.errors import AnchorRejected, NoAnswer, OutOfTime
from notary.outbound import TOTAL_SECONDS
from notary.services.steps import Step
from notary.settings.anchors import Chain
from notary.wiring.nodes import chain_patience, ending_in_time
from tests.anchoring.evm_steps import anchored, signed
from tests.anchoring.local_chain import WALLET, head, running
from tests.anchoring.lying_node import lying_node
from tests.anchoring.test_failing_over import GONE, to_final
from tests.anchoring.test_hanging import Clock
from tests.rig import ORIGIN

PERIOD = 5.0


class Late:
    """Answers are as true as ever, and come so many seconds later by the fake clock."""

    def __init__(self, node, clock, seconds):
        self.inner, self.clock, self.seconds, self.answers = node._outbound, clock, seconds, 0

    def post(self, *question):
        body = self.inner.post(*question)
        self.clock.now += self.seconds
        self.answers += 1
        return body


def late_node(url, clock, seconds=5.0):
    node = Node(url, 31337, clock=clock)
    node._outbound = Late(node, clock, seconds)
    return node


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def on_chain(chain):
    return chain.anchor(chain.open(ORIGIN))


@pytest.fixture
def begun(chain, log, on_chain):
    """A log whose lane has begun, and that has something to anchor."""
    log.close()
    assert to_final(chain, log, on_chain).state == "final"
    log.close()
    log.wait()
    return on_chain


def by(anchor, *nodes, needed=1):
    return replace(anchor, node=nodes[0], others=nodes[1:], needed=needed)


@pytest.mark.parametrize(("seconds", "away"), [(2.9, False), (3.0, True)])
def test_whoever_takes_three_seconds_to_answer_is_asked_last_for_ninety(chain, clock, seconds, away):
    slow, other = late_node(chain.url, clock, seconds), Node(chain.url, 31337, clock=clock)
    slow.require_chain()
    assert (slow.away, slow.hung) == (away, False)
    assert in_turn((slow, other))[0] == ((2, other) if away else (1, slow))
    clock.now += AWAY_SECONDS
    assert in_turn((slow, other))[0] == (1, slow)


def test_a_refusal_that_comes_late_is_slow_too(chain, clock):
    slow = late_node(chain.url, clock)
    assert slow.try_ask("eth_unknown").error
    assert slow.away


def test_from_due_to_final_a_slow_endpoint_is_waited_for_at_one_question(chain, log, begun, clock):
    slow = late_node(chain.url, clock)
    found = to_final(chain, log, by(begun, slow, Node(chain.url, 31337, clock=clock)))
    assert found.state == "final"
    # The one that was under way, after the chain's id; and the bytes go to others first.
    assert slow._outbound.answers == 2


def test_slow_endpoints_that_are_needed_have_their_word_on_what_is_final(chain, on_chain, clock):
    attempt = anchored(on_chain, 7)
    chain.mine(4)
    both = by(on_chain, late_node(chain.url, clock), late_node(chain.url, clock), needed=2)
    for _ in range(2):
        assert both.observe(head(7), [attempt]).detail.endswith("final at 2 of 2 endpoints")
        assert newest_finalized(Quorum((both.node, *both.others), 2)).number > 0
        assert both.node.away


def test_one_that_is_away_is_asked_where_others_fail_at_once(chain, clock):
    chain.mine(4)
    slow = late_node(chain.url, clock)
    slow.require_chain()
    rule = Quorum((slow, Node(GONE, 31337, clock=clock), Node(chain.url, 31337, clock=clock)), 2)
    assert newest_finalized(rule).number > 0
    before = slow._outbound.answers
    assert newest_finalized(replace(rule, needed=1)).number > 0
    assert slow._outbound.answers == before


def test_one_that_contradicts_holds_nothing_up_while_another_is_slow(chain, clock):
    chain.mine(6)
    _, header = block_at(chain.node, "0x2", "ethereum")
    with running(31337) as other:
        other.open("another.example/log")
        other.mine(6)
        slow = late_node(chain.url, clock)
        slow.require_chain()
        assert slow.away
        rule = Quorum((Node(chain.url, 31337, clock=clock), Node(other.url, 31337, clock=clock), slow), 2)
        assert rule.holding(header) == 2
        with pytest.raises(AnchorRejected, match="contradict each other at final block 2"):
            replace(rule, needed=3).holding(header)


def test_slow_endpoints_keep_their_word_where_they_contradict_each_other_at_a_later_block(chain, clock):
    chain.mine(6)
    early = chain.node.ask("eth_getBlockByNumber", "0x2", False)
    lagging = {"eth_getBlockByNumber": lambda block: early if int(block["number"], 16) > 2 else block}
    with running(31337) as other, lying_node(chain.url, **lagging) as url:
        other.open("another.example/log")
        other.mine(6)
        slow = (late_node(other.url, clock), late_node(chain.url, clock))
        rule = Quorum((*slow, Node(url, 31337, clock=clock)), 2)
        assert newest_finalized(rule).hash == block_at(chain.node, "0x2", "ethereum")[1].hash
        assert all(node.away for node in slow)


# The time of a step


def run(step, clock):
    """As a worker does; how long it took, and whether its time was over."""
    began, over = clock.now, False
    try:
        step.run()
    except OutOfTime:
        over = True
    assert clock.now - began + PERIOD < step.patience
    return over


def chain_step(chain, run, clock):
    made = Chain(name="test", rpc_urls=(chain.url,), chain_id=31337)
    return ending_in_time(Step("anchor test", PERIOD, run, patience=chain_patience(made, PERIOD)), clock)


def test_with_an_only_endpoint_that_takes_five_seconds_an_anchor_becomes_final_and_no_step_is_late(
    chain, log, begun, clock
):
    advance = log.advance(by(begun, late_node(chain.url, clock)))
    step = chain_step(chain, advance.step, clock)
    states = []
    for _ in range(8):
        run(step, clock)
        states.append(log.newest("test").state)
        for attempt in log.attempts(log.newest("test")):
            with suppress(NoAnswer):
                chain.node.ask("eth_getTransactionReceipt", f"0x{attempt.ref}")
        chain.mine(2)
        if states[-1] == "final":
            break
    assert states[-1] == "final", states
    assert len(log.attempts(log.newest("test"))) == 1


def test_with_one_that_takes_longer_each_step_ends_in_time_and_says_so(chain, log, begun, clock):
    anchor = by(begun, late_node(chain.url, clock, 9.9))
    step = chain_step(chain, log.advance(anchor).step, clock)
    assert run(step, clock)
    item = log.newest("test")
    assert item.state in {"due", "signed"}
    assert "is left to the next turn: the endpoints of the chain take too long to answer" in item.detail
    for _ in range(3):
        run(step, clock)


def test_what_time_is_left_is_nobodys_silence(chain, on_chain, clock):
    attempt = signed(on_chain, 7)
    late = late_node(chain.url, clock, TOTAL_SECONDS)
    nodes = (late, Node(chain.url, 31337, clock=clock))
    anchor = by(on_chain, *nodes)
    for question in (
        lambda: held_root(nodes, 1, on_chain.contract, on_chain.log_id, 7),
        lambda: agreed_nonce(nodes, 1, WALLET.address),
        lambda: of_first(nodes, lambda node: node),
        lambda: anchor.send(head(7), attempt),
        lambda: newest_finalized(Quorum(nodes)),
        lambda: anchor.observe(head(7), [attempt]),
    ):
        clock.now += AWAY_SECONDS
        with within(TOTAL_SECONDS / 2, clock):
            late.ask("eth_blockNumber")
            with pytest.raises(OutOfTime, match="is left to the next turn"):
                question()
    assert anchor.send(head(7), attempt).step is Seen.SENT


def test_the_time_of_a_step_is_that_of_its_thread_and_ends_with_it(chain, clock):
    node = Node(chain.url, 31337, clock=clock)
    told = []
    with within(1, clock):
        node.require_chain()
        clock.now += 1
        with pytest.raises(OutOfTime, match="eth_chainId is left to the next turn"):
            node.require_chain()
        other = threading.Thread(target=lambda: told.append(node.ask("eth_chainId")))
        other.start()
        other.join()
    assert told == [hex(31337)]
    node.require_chain()
