"""Reorganisations of every depth before finality: the same bytes are mined again, and one anchor is left."""

import pytest

from notary.anchoring.fields import quantity
from notary.evidence.chain import ANCHORED, decode_evidence, decode_header
from tests.anchoring.local_chain import running
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
