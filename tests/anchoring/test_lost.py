"""A smaller count of a wallet's transactions: sent again is what the chain lost, and nothing for one's word."""

from dataclasses import replace

import pytest

from notary.anchoring.again import MOST_AT_ONCE
from notary.anchoring.rpc import Node
from notary.errors import AnchorUnavailable
from notary.observe import RPC_CONTRADICTIONS
from notary.store import outbox
from tests.anchoring.ledger import GONE, WRONG, finished
from tests.anchoring.lying_node import lying_node
from tests.anchoring.test_wallets import to_final
from tests.rig import ORIGIN

NOTHING = "none is sent again: the endpoints do not agree that one of ours is lost"


@pytest.fixture
def on_chain(chain):
    return chain.anchor(chain.open(ORIGIN))


@pytest.fixture
def due(chain, log, on_chain):
    """Three anchors are final, and another head is due."""
    for _ in range(3):
        log.close()
        log.wait()
        to_final(chain, log, log.advance(on_chain))
    log.close()
    log.wait()


def by(anchor, *urls, needed=1):
    first, *others = (Node(url, 31337) for url in urls)
    return replace(anchor, node=first, others=tuple(others), needed=needed)


def contradictions():
    return RPC_CONTRADICTIONS.labels("31337")._value.get()


def stored(log):
    return [len(log.attempts(item)) for item in log.all("test")]


@pytest.mark.parametrize("needed", [1, 2])
@pytest.mark.parametrize("more", [1, 2])
@pytest.mark.parametrize("shows", [True, False], ids=["with receipts", "without"])
def test_one_endpoint_that_lags_or_lies_has_nothing_sent_again(
    chain, log, on_chain, due, needed, more, shows
):
    before, wire = contradictions(), []
    old = {} if shows else {"eth_getTransactionReceipt": lambda _: None}  # as nodes keep them for a year
    log.wait(60)  # long enough for what was lost to be made again
    with (
        lying_node(chain.url, wire=wire, eth_getTransactionCount=lambda _: "0x0") as liar,
        lying_node(chain.url, wire=wire, **old) as honest,
    ):
        others = [f"{honest}/{number}" for number in range(more)]
        with pytest.raises(AnchorUnavailable, match=rf"is 0 on chain and \d+ here: .*: {NOTHING}"):
            log.advance(by(on_chain, liar, *others, needed=needed)).step()
    assert (wire, stored(log)) == ([], [1, 1, 1, 0])
    assert contradictions() == before + 1
    to_final(chain, log, log.advance(on_chain))


def test_the_only_endpoint_is_not_believed_where_it_shows_what_should_be_lost(chain, log, on_chain, due):
    before, wire = contradictions(), []
    log.wait(60)
    with (
        lying_node(chain.url, wire=wire, eth_getTransactionCount=lambda _: "0x0") as liar,
        pytest.raises(AnchorUnavailable, match=NOTHING),
    ):
        log.advance(by(on_chain, liar)).step()
    assert (wire, stored(log)) == ([], [1, 1, 1, 0])
    assert contradictions() == before + 1


def test_fewer_than_must_agree_have_nothing_sent_again(chain, log, on_chain, due):
    lies = {"eth_getTransactionCount": lambda _: "0x0", "eth_getTransactionReceipt": lambda _: None}
    wire = []
    with (
        lying_node(chain.url, wire=wire, **lies) as liar,
        pytest.raises(AnchorUnavailable, match=NOTHING),
    ):
        log.advance(by(on_chain, liar, "http://127.0.0.1:9", needed=2)).step()
    assert wire == []
    nonces = [log.attempts(item)[0].nonce for item in log.all("test")[:3]]
    with lying_node(chain.url, wire=wire, **lies) as one, lying_node(chain.url, **lies) as two:
        asked = by(on_chain, one, two, needed=2)
        assert asked.lost_nonce(nonces[-1] + 1) == 0
        assert asked.lost_nonce(0) is None
        with pytest.raises(AnchorUnavailable, match="the transactions between"):
            log.advance(asked).step()
    raws = [log.attempts(item)[0].raw for item in log.all("test")[:3]]
    assert [raw for raw in wire if raw in raws]


def test_of_several_numbers_of_what_is_lost_the_largest_counts(chain, on_chain):
    counts = [lying_node(chain.url, eth_getTransactionCount=lambda _, n=n: hex(n)) for n in (3, 5, 4)]
    with counts[0] as one, counts[1] as two, counts[2] as three:
        asked = by(on_chain, one, two, three, needed=3)
        assert [asked.lost_nonce(lane) for lane in (6, 5, 3)] == [5, None, None]
        assert replace(asked, needed=1).lost_nonce(6) == 5


def test_what_is_under_way_is_sent_again_whatever_one_endpoint_says_of_earlier_ones(
    chain, log, on_chain, due
):
    chain.node.ask("evm_setAutomine", False)
    log.advance(on_chain).step()
    (ours,) = log.attempts(log.newest("test"))
    chain.node.ask("anvil_dropTransaction", f"0x{ours.ref}")
    wire = []
    log.wait(31)
    with lying_node(chain.url, wire=wire, eth_getTransactionCount=lambda _: "0x0") as liar:
        log.advance(by(on_chain, liar, chain.url)).step()
    assert set(wire) == {ours.raw}
    assert log.newest("test").state == "sent"


def test_no_word_on_a_nonce_has_more_than_sixteen_read_and_sent(log, ledger, step, monkeypatch):
    count = MOST_AT_ONCE + 4
    for _ in range(count):
        log.close()
        log.wait()
        finished(ledger, step)
    read, between = [], outbox.attempts_between

    def counted(*given):
        found = between(*given)
        read.append(len(found))
        return found

    monkeypatch.setattr(outbox, "attempts_between", counted)
    ledger.reorg(count)
    ledger.pool.clear()
    log.close()
    log.wait()
    with pytest.raises(AnchorUnavailable, match="were sent again"):
        step()
    assert ledger.wire[count:] == ledger.wire[:MOST_AT_ONCE]
    assert max(read) == MOST_AT_ONCE
    ledger.mine()
    with pytest.raises(AnchorUnavailable, match="were sent again"):
        step()
    assert ledger.wire[count + MOST_AT_ONCE :] == ledger.wire[MOST_AT_ONCE:count]
    ledger.mine()
    finished(ledger, step)
    assert log.newest().state == "final"


def test_where_none_of_what_is_said_to_be_lost_is_ours_nothing_is_sent(log, ledger, step):
    """As by a chain that began again, for a wallet that was used for long before it anchored."""
    ledger.first = 50
    log.close()
    finished(ledger, step)
    log.close()
    log.wait()
    ledger.first_nonce, wire = lambda: 0, list(ledger.wire)
    with pytest.raises(AnchorUnavailable, match=f"0 on chain and 51 here: .*: {NOTHING}"):
        step()
    assert ledger.wire == wire
    del ledger.first_nonce
    finished(ledger, step)
    assert log.newest().state == "final"


@pytest.mark.parametrize("answer", [GONE, WRONG])
def test_what_is_lost_is_sent_again_also_where_the_fee_of_its_first_cannot_be_asked(
    log, ledger, step, answer
):
    for _ in range(2):
        log.close()
        log.wait()
        finished(ledger, step)
    ledger.reorg(2)
    ledger.errors["replacement"] = answer
    log.close()
    log.wait()
    with pytest.raises(AnchorUnavailable, match="were sent again"):
        step()
    assert ledger.wire[2:] == ledger.wire[:2]
    ledger.mine()
    del ledger.errors["replacement"]
    finished(ledger, step)
    assert log.newest().state == "final"
