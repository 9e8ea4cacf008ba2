"""Reorganisations of every depth before finality: the same bytes are mined again, and one anchor is left."""

from dataclasses import replace

import pytest

from notary.anchoring.fields import quantity
from notary.anchoring.rpc import Node
from notary.evidence.chain import ANCHORED, decode_evidence, decode_header
from tests.anchoring.local_chain import running
from tests.anchoring.lying_node import lying_node
from tests.faults.counts import count
from tests.rig import ORIGIN

DEEPEST = 64


@pytest.fixture
def chain():
    with running(31337, kept=4 * DEEPEST) as started:
        yield started


def reorganised(chain, log, anchor, depth):
    """One anchoring whose block and all after it, `depth` together, are taken away; its two blocks."""
    advance = log.advance(anchor)
    log.close()
    log.wait()
    advance.step()
    (attempt,) = log.attempts(log.newest("test"))
    ref = bytes.fromhex(attempt.ref)
    chain.receipt(ref)
    chain.mine(depth - 1)
    advance.step()
    before = log.newest("test")
    assert before.state == "mined"
    chain.node.ask("anvil_reorg", depth, [])
    assert chain.node.ask("eth_getTransactionReceipt", f"0x{attempt.ref}") is None
    advance.step()
    assert log.newest("test").state == "sent"
    log.wait(31)
    advance.step()
    chain.receipt(ref)
    chain.mine(DEEPEST)
    advance.step()
    after = log.newest("test")
    assert (after.state, log.attempts(after)) == ("final", [attempt])
    blocks = [
        decode_header(decode_evidence(item.evidence).header, "ethereum").hash for item in (before, after)
    ]
    assert blocks[0] != blocks[1]
    assert decode_evidence(after.evidence).transaction == ref


def test_what_was_in_a_block_for_long_is_sent_again_as_it_was(chain, log):
    """And not made again for more by the first look: in a minute Ethereum makes five blocks, which held it."""
    anchor = chain.anchor(chain.open(ORIGIN), finality=f"depth:{DEEPEST + 1}")
    advance, wire = log.advance(anchor), []
    log.close()
    advance.step()
    (attempt,) = log.attempts(log.one("test"))
    chain.receipt(bytes.fromhex(attempt.ref))
    chain.mine(5)
    log.wait(300)
    advance.step()
    assert log.one("test").state == "mined"
    chain.node.ask("evm_setAutomine", False)
    chain.node.ask("anvil_reorg", 6, [])
    chain.node.ask("evm_setNextBlockTimestamp", int(log.rig.clock().timestamp()) + 10**9)
    chain.mine()  # by a clock that is ahead, so that it left out whatever waits
    with lying_node(chain.url, wire=wire) as url:
        advance = log.advance(replace(anchor, node=Node(url, 31337)))
        for waited, attempts in ((5, 1), (5, 1), (40, 1), (5, 2)):
            log.wait(waited)
            advance.step()
            assert len(log.attempts(log.one("test"))) == attempts
    assert wire[0] == attempt.raw
    assert len(wire) == 2


def every(chain, log, depths):
    anchor = chain.anchor(chain.open(ORIGIN), finality=f"depth:{DEEPEST + 1}")
    for depth in depths:
        reorganised(chain, log, anchor, depth)
    query = {"address": f"0x{chain.contract.hex()}", "topics": [f"0x{ANCHORED.hex()}"], "fromBlock": "0x0"}
    events = chain.node.ask("eth_getLogs", query)
    assert len(events) == len({event["transactionHash"] for event in events}) == len(depths)
    assert [quantity("0x" + event["data"][2:][64:128]) for event in events] == [
        s for s, _ in log.states("test")
    ]
    count("reorganisations", depths=len(depths), anchors=len(events))


def test_a_reorganisation_of_some_depths(chain, log):
    every(chain, log, [1, 2, 3, 7, 33, DEEPEST])


@pytest.mark.anchoring
@pytest.mark.timeout(3600)
def test_a_reorganisation_of_any_depth(chain, log):
    every(chain, log, range(1, DEEPEST + 1))
