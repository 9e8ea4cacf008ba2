"""What was final and is not the chain's any more: kept, told, anchored again, never overwritten."""

from itertools import pairwise

import pytest

from notary.anchoring.quorum import Quorum
from notary.anchoring.review import Review
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable, OutOfTime
from notary.evidence.chain import decode_evidence, decode_header, encode_evidence
from notary.observe import INCIDENTS
from notary.store import anchorings
from notary.store.final_words import earliest_final, final_words
from notary.store.incidents import CONTRADICTED, contradicted, incidents, open_contradictions
from tests.anchoring.local_chain import running
from tests.anchoring.lying_node import lying_node
from tests.anchoring.test_caps import to_final
from tests.evidence import mini_chain
from tests.rig import ORIGIN

GONE = "http://127.0.0.1:9"


@pytest.fixture
def on_chain(chain):
    return chain.anchor(chain.open(ORIGIN))


def review(log, *nodes, needed=1):
    return Review(log.rig.database, "test", Quorum(nodes, needed), log.rig.clock)


def kept(log):
    with log.rig.database.reading() as connection:
        return incidents(connection), open_contradictions(connection)


def header(item):
    return decode_header(decode_evidence(item.evidence).header, "ethereum")


def test_what_stands_is_no_incident(chain, log, on_chain):
    log.close()
    review(log, chain.node).step()  # with nothing to look at
    to_final(chain, log, on_chain)
    chain.mine(5)
    before = log.all("test")
    review(log, chain.node).step()
    assert (kept(log), log.all("test")) == (([], []), before)


def test_a_chain_that_dropped_a_final_block_is_an_incident_and_the_head_is_anchored_again(
    chain, log, on_chain
):
    snapshot = chain.node.ask("evm_snapshot")
    size = log.close()
    to_final(chain, log, on_chain)
    first, told = log.one("test"), INCIDENTS.labels("test", CONTRADICTED)._value.get()
    assert chain.node.ask("evm_revert", snapshot)
    look = review(log, chain.node)
    look.step()
    assert kept(log) == ([], [])  # the chain is shorter than it was: nothing is in the block's place yet
    chain.mine(8)
    for _ in range(2):
        look.step()
    (incident,), unmended = kept(log)
    assert (incident.kind, incident.anchor, incident.subject) == (CONTRADICTED, "test", str(first.id))
    assert incident.detail.startswith(
        f"block {header(first).number} was 0x{header(first).hash.hex()} and is 0x"
    )
    assert unmended == [incident]
    assert INCIDENTS.labels("test", CONTRADICTED)._value.get() == told + 1
    with log.rig.database.reading() as connection:
        assert contradicted(connection, first.id)
        assert earliest_final(connection, 0) == []
        assert final_words(connection, "test", most=9) == []
        assert anchorings.anchorings_of_sizes(connection, [size], "evm", "final") == []
    advance = log.advance(on_chain)
    with pytest.raises(AnchorUnavailable, match="were sent again"):
        advance.step()
    chain.receipt(bytes.fromhex(log.attempts(first)[0].ref))
    advance.step()  # the same transaction, in another block: a new anchoring has it
    assert log.newest("test").state == "mined"
    chain.mine(2)
    advance.step()
    kept_as_it_was, again = log.all("test")
    assert kept_as_it_was == first
    assert (again.size, again.state, log.attempts(again)) == (size, "final", [])
    assert header(again).hash != header(first).hash
    assert kept(log) == ([incident], [])
    with log.rig.database.reading() as connection:
        assert earliest_final(connection, 0) == [again]
    look.step()
    assert len(kept(log)[0]) == 1
    log.wait(1000)
    advance.step()
    assert len(log.all("test")) == 2


def test_a_newer_head_takes_the_place_of_the_contradicted_one(chain, log, on_chain):
    snapshot = chain.node.ask("evm_snapshot")
    log.close()
    to_final(chain, log, on_chain)
    assert chain.node.ask("evm_revert", snapshot)
    chain.mine(8)
    review(log, chain.node).step()
    newer = log.close()
    with pytest.raises(AnchorUnavailable, match="were sent again"):
        log.advance(on_chain).step()  # at once, without waiting for the interval
    chain.receipt(bytes.fromhex(log.attempts(log.all("test")[0])[0].ref))
    to_final(chain, log, on_chain)
    assert log.states("test") == [(newer - 1, "final"), (newer, "final")]
    assert kept(log)[1] == []


def test_one_of_two_that_are_needed_cannot_contradict_alone_and_is_told(chain, log, on_chain):
    log.close()
    to_final(chain, log, on_chain)
    chain.mine(3)
    with running(31337) as other:
        other.open("another.example/log")
        other.mine(20)
        with pytest.raises(AnchorRejected, match="contradict each other at final block"):
            review(log, chain.node, other.node, needed=2).step()
        review(log, chain.node, other.node).step()  # the first one's word is enough, and it stands by it
        assert kept(log) == ([], [])
        review(log, other.node, Node(other.url, 31337), chain.node, needed=2).step()
        assert len(kept(log)[0]) == 1


def test_one_that_lags_or_is_gone_contradicts_nothing(chain, log, on_chain):
    log.close()
    to_final(chain, log, on_chain)
    early = chain.node.ask("eth_getBlockByNumber", "0x1", False)
    with lying_node(chain.url, eth_getBlockByNumber=lambda _: early) as url:
        review(log, Node(url, 31337)).step()
    with pytest.raises(AnchorUnavailable, match="no answer from the node"):
        review(log, Node(GONE, 31337)).step()
    review(log, Node(GONE, 31337), chain.node).step()
    assert kept(log) == ([], [])


def finals(log):
    """Eleven final anchors in the blocks from 101 on."""
    for number in range(101, 112):
        size = log.close()
        raw = encode_evidence(
            mini_chain.anchor([mini_chain.event(size, bytes(32))], number=number, time=number)
        )
        with log.rig.database.writing() as connection:
            item = anchorings.create_anchoring(connection, "test", "evm", size, log.rig.clock())
            for before, after in pairwise(("due", "signed", "sent", "mined", "final")):
                anchorings.move(connection, item.id, before, after, log.rig.clock(), evidence=raw)


def test_an_old_final_block_is_looked_at_in_its_turn_when_newer_ones_stand(log):
    """As after a chain was cut back and has grown again since, with new anchors on it."""

    asked = []

    class Rule:
        def replacement_of(self, found):
            asked.append(found.number)
            return decode_header(mini_chain.header(101, 9), "ethereum") if found.number == 101 else None

    finals(log)
    look = Review(log.rig.database, "test", Rule(), log.rig.clock)
    for _ in range(3):
        look.step()
    ((incident,), _) = kept(log)
    assert incident.detail.startswith("block 101 was 0x")
    assert set(asked) == set(range(101, 112))
    asked.clear()
    for _ in range(3):  # and again from the first
        look.step()
    assert set(asked) == set(range(102, 112))


class Slow:
    """Endpoints that answer so many questions in the time of a step, and contradict each other at a block."""

    def __init__(self, contradicted):
        self.contradicted, self.asked, self.left = contradicted, [], 0

    def replacement_of(self, found):
        if not self.left:
            raise OutOfTime("the endpoints take too long")
        self.left -= 1
        self.asked.append(found.number)
        if found.number == self.contradicted:
            raise AnchorRejected(f"the endpoints contradict each other at final block {found.number}")


def test_slow_endpoints_and_a_contradiction_keep_no_final_block_from_its_turn(log):
    finals(log)
    rule = Slow(contradicted=111)
    look = Review(log.rig.database, "test", rule, log.rig.clock)
    for _ in range(6):
        rule.left = 3
        with pytest.raises(OutOfTime):
            look.step()
    assert set(rule.asked) == set(range(101, 112))
    rule.asked.clear()
    for _ in range(3):
        rule.left = 100
        with pytest.raises(AnchorRejected, match="contradict each other at final block 111"):
            look.step()
    assert set(rule.asked) == set(range(101, 112))
