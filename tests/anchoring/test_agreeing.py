"""A lane begins with a number that all endpoints agree on."""

from dataclasses import replace

import pytest

from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable
from notary.observe import RPC_CONTRADICTIONS
from notary.store import anchorings
from tests.anchoring.local_chain import WALLET
from tests.anchoring.lying_node import lying_node
from tests.rig import ORIGIN

GONE = "http://127.0.0.1:9"


@pytest.fixture
def on_chain(chain):
    return chain.anchor(chain.open(ORIGIN))


def next_nonce(log):
    with log.rig.database.reading() as connection:
        return anchorings.next_nonce(connection, "test", WALLET.address)


def told():
    return RPC_CONTRADICTIONS.labels("31337")._value.get()


@pytest.mark.parametrize("lie", ["0x0", "0x63"])
@pytest.mark.parametrize("first", [True, False])
def test_a_lane_does_not_begin_while_endpoints_disagree_on_its_nonce(chain, log, on_chain, lie, first):
    log.close()
    before, nonce = told(), on_chain.first_nonce()
    with lying_node(chain.url, eth_getTransactionCount=lambda _: lie) as url:
        liar, honest = Node(url, 31337), Node(chain.url, 31337)
        nodes = (liar, honest) if first else (honest, liar)
        both = replace(on_chain, node=nodes[0], others=nodes[1:])
        with pytest.raises(
            AnchorUnavailable,
            match=rf"the endpoints say that wallet {WALLET.address} has \d+, \d+ transactions",
        ):
            log.advance(both).step()
    assert (log.one("test").state, log.attempts(log.one("test")), next_nonce(log)) == ("due", [], None)
    assert told() == before + 1
    # They agree again.
    log.advance(replace(on_chain, others=(Node(chain.url, 31337),), needed=2)).step()
    assert [each.nonce for each in log.attempts(log.one("test"))] == [nonce]


def test_a_lane_that_has_begun_goes_by_its_own_number(chain, log, on_chain):
    log.close()
    log.advance(on_chain).step()
    chain.receipt(bytes.fromhex(log.attempts(log.one("test"))[0].ref))
    chain.mine(2)
    log.advance(on_chain).step()
    log.close()
    log.wait()
    with lying_node(chain.url, eth_getTransactionCount=lambda _: "0x0") as url:
        log.advance(replace(on_chain, others=(Node(url, 31337),))).step()
    assert log.newest("test").state == "sent"


def test_without_enough_endpoints_a_lane_does_not_begin(chain, log, on_chain):
    log.close()
    two = replace(on_chain, others=(Node(GONE, 31337),), needed=2)
    with pytest.raises(
        AnchorUnavailable, match=rf"1 of 2 endpoints tell the nonce of wallet {WALLET.address}, and 2"
    ):
        log.advance(two).step()
    assert next_nonce(log) is None
    log.advance(replace(two, needed=1)).step()
    assert log.one("test").state == "sent"


def test_the_head_that_a_log_is_compared_with_is_that_of_the_first_endpoint_that_answers(
    chain, log, on_chain
):
    log.close()
    log.advance(on_chain).step()
    chain.mine()
    held = on_chain.on_chain_head()
    assert held[0] == 2
    away, other, here = Node(GONE, 31337), Node(chain.url, 5), Node(chain.url, 31337)
    for first in (away, other):
        alone = replace(on_chain, node=first, others=())
        with pytest.raises((AnchorUnavailable, AnchorRejected)) as said:
            alone.witnessed_head()
        assert replace(on_chain, node=first, others=(here,)).witnessed_head() == held
        # Where none answers, what the first one said is the reason.
        with pytest.raises(
            type(said.value),
            match="no answer from the node" if first is away else "the node is of chain 31337, not 5",
        ):
            replace(on_chain, node=first, others=(away, other)).witnessed_head()
