"""What no endpoint is believed alone: the number that a lane begins with, and that a log is not the one anchored."""

from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from notary.anchoring.agreeing import witnessed_head
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable
from notary.observe import RPC_CONTRADICTIONS
from notary.store import outbox
from tests.anchoring.evm_steps import anchored
from tests.anchoring.local_chain import WALLET, root
from tests.anchoring.lying_node import lying_node
from tests.rig import ORIGIN

GONE = "http://127.0.0.1:9"


@pytest.fixture
def on_chain(chain):
    return chain.anchor(chain.open(ORIGIN))


def next_nonce(log):
    with log.rig.database.reading() as connection:
        return outbox.next_nonce(connection, "test", WALLET.address)


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


# The head that a log is compared with before it goes on

TRUE = (7, root(7))
TELLS = {"old": (0, bytes(32)), "foreign": (9, bytes(32)), "fork": (7, bytes(32))}


def witnessed(on_chain, urls, needed, ours=(TRUE,)):
    nodes = [Node(url, 31337) for url in urls]
    where = (on_chain.contract, on_chain.log_id)
    return witnessed_head(nodes, needed, *where, lambda *head: head[0] == 0 or head in ours)


@contextmanager
def telling(chain, who):
    """An endpoint for each of these words: the truth, no answer, or another head."""
    with ExitStack() as stack:
        yield [
            {"true": chain.url, "gone": GONE}.get(word)
            or stack.enter_context(lying_node(chain.url, eth_call=lying(word)))
            for word in who.split()
        ]


def lying(word):
    size, root = TELLS[word]
    return lambda _: f"0x{size:064x}{root.hex()}"


@pytest.fixture(scope="module")
def anchored_head(shared_chain):
    on_chain = shared_chain.anchor(shared_chain.open("witnessed.example/log"))
    anchored(on_chain, 7)
    assert on_chain.on_chain_head() == TRUE
    return on_chain


@pytest.mark.parametrize(
    ("who", "needed", "found"),
    [
        ("true", 1, TRUE),
        ("old", 1, TELLS["old"]),  # what one endpoint can do
        ("old true", 1, TRUE),
        ("true old old", 2, TRUE),
        ("gone true", 1, TRUE),
        ("gone old true", 2, TRUE),
        ("foreign", 1, TELLS["foreign"]),
        ("fork", 1, TELLS["fork"]),
        ("foreign foreign", 1, TELLS["foreign"]),
        ("fork foreign", 2, TELLS["foreign"]),
        ("true foreign foreign", 2, TELLS["foreign"]),
        ("foreign old gone fork", 2, TELLS["foreign"]),
    ],
)
def test_a_log_is_compared_with_the_largest_head_or_with_one_that_enough_say_is_not_its_own(
    shared_chain, anchored_head, who, needed, found
):
    before = told()
    with telling(shared_chain, who) as urls:
        assert witnessed(anchored_head, urls, needed) == found
    assert told() == before


@pytest.mark.parametrize(
    ("who", "needed", "what"),
    [
        ("foreign true", 1, "of 2 endpoints: endpoint 1 of size 9"),
        ("true foreign", 1, "of 2 endpoints: endpoint 2 of size 9"),
        ("old fork", 1, "of 2 endpoints: endpoint 2 of size 7"),
        ("foreign gone", 1, "of 2 endpoints: endpoint 1 of size 9"),
        ("true foreign", 2, "of 2 endpoints: endpoint 2 of size 9"),
        ("foreign true fork", 3, "of 3 endpoints: endpoint 1 of size 9, endpoint 3 of size 7"),
    ],
)
def test_a_head_that_too_few_tell_ends_nothing_and_is_told_and_nothing_goes_on(
    shared_chain, anchored_head, who, needed, what
):
    before = told()
    with telling(shared_chain, who) as urls:
        reason = f"heads that are not of this log are anchored, say too few {what}. Find out who is right"
        with pytest.raises(AnchorUnavailable, match=reason):
            witnessed(anchored_head, urls, needed)
    assert told() == before + 1


def test_a_log_waits_for_as_many_as_must_agree(shared_chain, anchored_head):
    with telling(shared_chain, "gone true") as urls:
        with pytest.raises(AnchorUnavailable, match="1 of 2 endpoints tell what is anchored, and 2 must"):
            witnessed(anchored_head, urls, 2)
        assert witnessed(anchored_head, urls, 1) == TRUE


def test_where_none_tells_what_is_anchored_the_first_ones_failure_is_told(shared_chain, anchored_head):
    away, other = Node(GONE, 31337), Node(shared_chain.url, 5)
    where = (anchored_head.contract, anchored_head.log_id)
    for nodes, error, what in (
        ((away, other), AnchorUnavailable, "no answer from the node"),
        ((other, away), AnchorRejected, "the node is of chain 31337, not 5"),
    ):
        with pytest.raises(error, match=what):
            witnessed_head(nodes, 1, *where, lambda *_: pytest.fail("nothing was told"))
