"""An endpoint that answers and stands still, or lags: the others are asked before it, until it has caught up."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from notary.anchoring.agreeing import LAGS_SECONDS, in_turn
from notary.anchoring.poll import newest_finalized
from notary.anchoring.quorum import Quorum
from notary.anchoring.rpc import Node
from tests.anchoring.local_chain import WALLET
from tests.anchoring.lying_node import lying_node
from tests.anchoring.test_failing_over import to_final
from tests.rig import ORIGIN

GONE = "http://127.0.0.1:9"
BLOCKS, SECONDS = 40, 12  # that it stands behind, and from one to the next


@pytest.fixture
def begun(chain, log):
    """A log whose lane has begun, and that has something to anchor."""
    anchor = chain.anchor(chain.open(ORIGIN))
    log.close()
    assert to_final(chain, log, anchor).state == "final"
    log.close()
    log.wait()
    return anchor


@contextmanager
def stuck_node(chain):
    """An endpoint that takes in no block after the newest of now, while `stuck`; its address, and that switch."""
    stuck = [True]
    newest = chain.node.ask("eth_getBlockByNumber", "latest", False)
    nonce = chain.node.ask("eth_getTransactionCount", WALLET.address, "latest")
    later = {
        "eth_getBlockByNumber": lambda b: (
            newest if b and int(b["number"], 16) > int(newest["number"], 16) else b
        ),
        "eth_getTransactionReceipt": lambda _: None,
        "eth_getTransactionCount": lambda _: nonce,
    }
    lies = {method: lambda true, lie=lie: lie(true) if stuck else true for method, lie in later.items()}
    with lying_node(chain.url, **lies) as url:
        yield url, stuck


def mine(chain, blocks=BLOCKS, seconds=SECONDS):
    chain.node.ask("anvil_mine", hex(blocks), hex(seconds))


def test_by_a_first_endpoint_that_stands_still_no_lane_stands(chain, log, begun):
    with stuck_node(chain) as (url, stuck):
        anchor = replace(begun, node=Node(url, 31337), others=(Node(chain.url, 31337),))
        nodes = (anchor.node, *anchor.others)
        advance = log.advance(anchor)
        advance.step()
        chain.receipt(bytes.fromhex(log.attempts(log.newest("test"))[-1].ref))
        mine(chain)
        advance.step()
        assert log.newest("test").state == "sent"  # nobody has seen yet how it stands
        newest_finalized(Quorum(nodes))
        assert in_turn(nodes) == [(2, nodes[1]), (1, nodes[0])]
        advance.step()
        assert log.newest("test").state == "final"
        # The next head, too, and what statements name is of the one that does not lag.
        log.close()
        log.wait()
        assert to_final(chain, log, anchor).state == "final"
        assert newest_finalized(Quorum(nodes)).number == newest_finalized(Quorum(nodes[1:])).number
        stuck.clear()
        newest_finalized(Quorum(nodes))
        assert in_turn(nodes) == [(1, nodes[0]), (2, nodes[1])]


def test_one_that_lags_by_less_than_three_minutes_keeps_its_place(chain, begun):
    with stuck_node(chain) as (url, _):
        nodes = (Node(url, 31337), Node(chain.url, 31337))
        mine(chain, 1, LAGS_SECONDS - 60)  # anvil adds the seconds that passed
        lagging = newest_finalized(Quorum(nodes)).number
        assert in_turn(nodes) == [(1, nodes[0]), (2, nodes[1])]
        mine(chain, 3, 30)
        assert newest_finalized(Quorum(nodes)).number > lagging
        assert in_turn(nodes) == [(2, nodes[1]), (1, nodes[0])]


@pytest.mark.parametrize("finality", ["depth:2", "finalized"])
def test_each_rule_of_finality_sees_who_lags(chain, begun, finality):
    with stuck_node(chain) as (url, _):
        nodes = (Node(url, 31337), Node(chain.url, 31337))
        mine(chain)
        newest_finalized(Quorum(nodes, finality=finality))
        assert nodes[1].newest - nodes[0].newest >= BLOCKS * SECONDS
        assert in_turn(nodes)[0] == (2, nodes[1])


@pytest.mark.parametrize(
    ("newest", "places"),
    [
        ([1000, 1179], [1, 2]),
        ([1000, 1180], [2, 1]),
        ([None, 9999], [1, 2]),
        ([1000, None], [1, 2]),
        ([1000, 1000, 10**9], [1, 2, 3]),  # one alone may invent it
        ([1000, 1500, 10**9], [2, 3, 1]),
        ([1000, 1500, 1400, 1000], [2, 3, 1, 4]),
    ],
)
def test_of_three_none_is_believed_alone_that_it_is_ahead(newest, places):
    nodes = [Node(GONE, 1) for _ in newest]
    for node, time in zip(nodes, newest, strict=True):
        node.newest = time
    assert [place for place, _ in in_turn(nodes)] == places


def test_who_is_slow_is_asked_before_who_lags_and_that_before_who_hangs():
    nodes = hung, lagging, slow, good = [Node(GONE, 1, clock=lambda: 0.0) for _ in range(4)]
    for node in nodes:
        node.newest = 10_000
    lagging.newest = 1
    hung._away_until = hung._hung_until = slow._away_until = 1.0
    assert [node for _, node in in_turn(nodes)] == [good, slow, lagging, hung]
