"""Endpoints that take a question and never answer: each is waited for once, and then asked last for a while."""

import socket
from contextlib import contextmanager
from dataclasses import replace

import pytest

from notary import outbound
from notary.anchoring import rpc
from notary.anchoring.agreeing import agreed_nonce, of_first, witnessed_head
from notary.anchoring.blocks import block_at
from notary.anchoring.poll import newest_finalized
from notary.anchoring.port import Step
from notary.anchoring.quorum import Quorum
from notary.anchoring.rpc import AWAY_SECONDS, Node
from notary.errors import AnchorRejected, AnchorUnavailable, LaneStopped, NoAnswer
from tests.anchoring.evm_steps import anchored, signed
from tests.anchoring.local_chain import WALLET, head, running
from tests.anchoring.lying_node import Error, Lost, lying_node
from tests.anchoring.test_failing_over import GONE, passed_over, to_final
from tests.rig import ORIGIN

WAIT = 10.0  # seconds by the fake clock that a question takes which nobody answers


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Hanging:
    """An endpoint that hangs at some methods while `hangs` is set; counts what it was asked, and what it hung at."""

    def __init__(self, clock):
        self.clock, self.hangs, self.asked, self.waited, self.wire = clock, True, [], 0, []

    def lie(self, result):
        if not self.hangs:
            return result
        self.waited += 1
        self.clock.now += WAIT
        raise Lost


@contextmanager
def hanging(url, clock, *methods):
    """Serve one that hangs at these methods; by default at that which each question begins with."""
    found = Hanging(clock)
    lies = dict.fromkeys(methods or ("eth_chainId",), found.lie)
    with lying_node(url, asked=found.asked, wire=found.wire, **lies) as found.url:
        yield found


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def on_chain(chain):
    return chain.anchor(chain.open(ORIGIN))


def nodes_of(clock, *urls):
    return tuple(Node(url, 31337, clock=clock) for url in urls)


def by(anchor, clock, *urls, needed=1):
    first, *others = nodes_of(clock, *urls)
    return replace(anchor, node=first, others=tuple(others), needed=needed)


def witnessed(on_chain, nodes):
    return witnessed_head(nodes, 1, on_chain.contract, on_chain.log_id, lambda *_: True)


def chain_id(node):
    return node.ask("eth_chainId")


@pytest.fixture
def begun(chain, log, on_chain):
    """A log whose lane has begun, and that has something to anchor."""
    log.close()
    assert to_final(chain, log, on_chain).state == "final"
    log.close()
    log.wait()
    return on_chain


@pytest.mark.parametrize("method", ["eth_chainId", "eth_call", "eth_estimateGas", "eth_sendRawTransaction"])
def test_from_due_to_final_an_endpoint_that_hangs_is_waited_for_once(chain, log, begun, clock, method):
    began, before = clock.now, passed_over()
    with hanging(chain.url, clock, method) as first:
        found = to_final(chain, log, by(begun, clock, first.url, chain.url))
    assert (found.state, first.waited, clock.now - began) == ("final", 1, WAIT)
    # Who does not take what every endpoint gets is not passed over.
    assert passed_over() - before == (method != "eth_sendRawTransaction")


def test_two_of_three_that_hang_are_waited_for_once_each(chain, log, begun, clock):
    with hanging(chain.url, clock) as one, hanging(chain.url, clock) as two:
        found = to_final(chain, log, by(begun, clock, one.url, two.url, chain.url))
        assert found.state == "final"
        assert (one.asked, two.asked) == (["eth_chainId"], ["eth_chainId"])


def test_where_a_lane_begins_all_are_waited_for_once_more(chain, log, on_chain, clock):
    log.close()
    with hanging(chain.url, clock) as first:
        assert to_final(chain, log, by(on_chain, clock, first.url, chain.url)).state == "final"
    assert first.waited == 2


def test_one_that_hung_is_asked_again_a_while_later_and_is_the_first_again_once_it_answers(chain, clock):
    with hanging(chain.url, clock) as first:
        nodes = nodes_of(clock, first.url, chain.url)
        for waited, asked in ((0, 1), (AWAY_SECONDS - 0.1, 1), (0.1, 2), (1, 2)):
            clock.now += waited
            assert of_first(nodes, lambda node: node) is nodes[1]
            assert len(first.asked) == asked
        first.hangs = False
        assert of_first(nodes, lambda node: node) is nodes[1]
        clock.now += AWAY_SECONDS
        assert of_first(nodes, lambda node: node) is nodes[0]


def test_where_all_hang_each_question_is_put_to_all_of_them_as_ever(chain, on_chain, clock):
    with hanging(chain.url, clock) as one, hanging(chain.url, clock) as two:
        nodes = nodes_of(clock, one.url, two.url)
        for times in (1, 2):
            began = clock.now
            with pytest.raises(NoAnswer, match="eth_chainId: no answer from the node"):
                of_first(nodes, chain_id)
            assert (one.waited, two.waited, clock.now - began) == (times, times, 2 * WAIT)
        one.hangs = two.hangs = False
        assert of_first(nodes, lambda node: node) is nodes[0]
        assert witnessed(on_chain, nodes)[0] == 0


def test_before_a_log_goes_on_one_that_hung_is_asked_each_time_what_is_anchored(chain, on_chain, clock):
    with hanging(chain.url, clock) as first:
        nodes = nodes_of(clock, first.url, chain.url)
        for _ in range(3):
            assert witnessed(on_chain, nodes)[0] == 0
        assert first.waited == 3


def test_one_that_fails_at_once_is_asked_first_again(chain, clock):
    def fails(_):
        clock.now += 0.9
        raise Lost

    asked = []
    with lying_node(chain.url, asked=asked, eth_chainId=fails) as url:
        nodes = nodes_of(clock, url, chain.url)
        for _ in range(3):
            of_first(nodes, chain_id)
    assert len(asked) == 3


def test_a_socket_that_takes_connections_and_says_nothing_hangs_and_a_closed_one_does_not(chain, monkeypatch):
    monkeypatch.setattr(outbound, "TOTAL_SECONDS", 0.2)
    monkeypatch.setattr(rpc, "HANGS_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(5)
        node = Node(f"http://127.0.0.1:{silent.getsockname()[1]}", 31337)
        nodes = (node, chain.node)
        for _ in range(3):
            assert of_first(nodes, lambda found: found) is chain.node
        assert node.away
        silent.accept()[0].close()
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):  # it was asked once
            silent.accept()
    assert not chain.node.away


# Sending


def test_stored_bytes_go_to_one_that_hung_only_where_no_other_takes_them(chain, on_chain, clock):
    attempt = signed(on_chain, 7)
    with hanging(chain.url, clock) as first, lying_node(chain.url, eth_chainId=lambda _: "0x1") as other:
        anchor = by(on_chain, clock, first.url, chain.url)
        for _ in range(3):
            assert anchor.send(head(7), attempt).step is Step.SENT
        assert (first.waited, first.wire) == (1, [])
        first.hangs = False
        # One that is of another chain takes nothing: the one that hung is asked, and has it.
        assert anchor.node.away
        assert replace(anchor, others=nodes_of(clock, other)).send(head(7), attempt).step is Step.SENT
        assert first.wire == [attempt.raw]
        assert replace(anchor, others=nodes_of(clock, GONE)).send(head(7), attempt).step is Step.SENT
        assert replace(anchor, others=()).send(head(7), attempt).step is Step.SENT
        assert first.wire == [attempt.raw] * 3


def test_one_that_hung_gets_the_bytes_where_the_only_other_takes_whatever_it_is_given(chain, on_chain, clock):
    attempt = signed(on_chain, 7)
    nothing = {
        "eth_sendRawTransaction": lambda _: f"0x{attempt.ref.hex()}",
        "eth_getTransactionCount": no_answer,
    }
    with hanging(chain.url, clock) as first, lying_node(chain.url, **nothing) as relay:
        anchor = by(on_chain, clock, first.url, relay)
        assert anchor.send(head(7), attempt).step is Step.SENT
        assert (anchor.node.away, first.wire) == (True, [])
        first.hangs = False
        assert anchor.send(head(7), attempt).step is Step.SENT
        assert first.wire == [attempt.raw]


def no_answer(_):
    raise Lost


def test_before_anybody_is_accused_one_that_hung_is_heard(chain, on_chain, clock):
    chain.node.ask("evm_setAutomine", False)
    attempt = signed(on_chain, 7)

    def refused(_):
        raise Error("nonce too low")

    lies = {
        "eth_sendRawTransaction": refused,
        "eth_getTransactionByHash": lambda _: None,
        "eth_getTransactionCount": lambda n: hex(int(n, 16) + 1),
    }
    with hanging(chain.url, clock) as first, lying_node(chain.url, **lies) as liar:
        anchor = by(on_chain, clock, first.url, liar)
        with pytest.raises(LaneStopped, match="went to another transaction"):
            anchor.send(head(7), attempt)
        first.hangs = False
        assert anchor.node.away
        assert anchor.send(head(7), attempt).step is Step.SENT
        with pytest.raises(AnchorUnavailable, match=r"the endpoints say that wallet \w+ has \d+, \d+ trans"):
            agreed_nonce((anchor.node, *anchor.others), 1, WALLET.address)
        three = replace(anchor, others=(*anchor.others, *nodes_of(clock, chain.url)))
        first.wire.clear()
        assert three.send(head(7), attempt).step is Step.SENT
        assert first.wire == [attempt.raw]  # somebody objects: all are heard


# Final


def test_one_that_hung_is_asked_what_is_final_only_where_too_few_answer_without_it(chain, on_chain, clock):
    attempt = anchored(on_chain, 7)
    chain.mine(4)
    with hanging(chain.url, clock) as second:
        both = by(on_chain, clock, chain.url, second.url, needed=2)
        for times in (1, 2, 3):
            seen = both.observe(head(7), [attempt])
            assert (seen.step, seen.detail[-25:]) == (Step.MINED, "final at 1 of 2 endpoints")
            assert second.waited == times
        with pytest.raises(AnchorUnavailable, match="1 of 2 endpoints answer, and 2 must agree"):
            newest_finalized(Quorum((both.node, *both.others), 2))
        assert second.waited == 4
        enough = replace(both, others=(*both.others, *nodes_of(clock, chain.url)))
        for asked in (enough, replace(both, needed=1)):
            assert asked.observe(head(7), [attempt]).step is Step.FINAL
        assert second.waited == 4
        second.hangs = False
        assert both.others[0].away
        seen = both.observe(head(7), [attempt])
        assert (seen.step, seen.detail[-25:]) == (Step.FINAL, "final at 2 of 2 endpoints")


def test_an_only_endpoint_that_hung_is_asked_and_is_the_reason(chain, clock):
    chain.mine(4)
    with hanging(chain.url, clock) as only:
        rule = Quorum(nodes_of(clock, only.url))
        for times in (1, 2):
            with pytest.raises(NoAnswer, match="eth_chainId: no answer from the node"):
                newest_finalized(rule)
            assert only.waited == times
        only.hangs = False
        assert newest_finalized(rule).number > 0


def test_one_that_hangs_at_a_block_is_waited_for_once_whatever_numbers_others_invent(chain, clock):
    chain.mine(6)
    final = newest_finalized(Quorum((chain.node,))).number
    calls = []

    def at_the_third(block):
        calls.append(block)
        return block if len(calls) <= 2 else slow.lie(block)

    slow = Hanging(clock)
    with lying_node(chain.url, eth_getBlockByNumber=at_the_third) as url, running(31337) as other:
        other.open("another.example/log")
        other.mine(2)
        nodes = nodes_of(clock, chain.url, url, other.url, GONE)
        with pytest.raises(AnchorRejected, match="the endpoints contradict each other at final block"):
            Quorum(nodes, 2).newest()
        assert (slow.waited, final > newest_finalized(Quorum((other.node,))).number) == (1, True)


def test_before_a_final_block_is_called_dropped_one_that_hung_is_heard(chain, clock):
    chain.mine(6)
    with running(31337) as forked, hanging(chain.url, clock) as honest:
        forked.open("another.example/log")
        forked.mine(20)
        number = newest_finalized(Quorum((chain.node,))).number
        header = block_at(chain.node, hex(number), "ethereum")[1]
        rule = Quorum(nodes_of(clock, forked.url, honest.url))
        assert rule.replacement_of(header) is not None  # by the only one that answers, as ever
        honest.hangs = False
        assert rule.nodes[1].away
        assert rule.replacement_of(header) is None
