"""The state machine on a real chain, which reorders, loses blocks and is lied about."""

import time
from dataclasses import replace

import pytest

from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable
from notary.evidence.chain import decode_evidence, decode_header
from tests.anchoring.ledger import Crash, Fuse, mortal
from tests.anchoring.local_chain import WALLET
from tests.anchoring.lying_node import Lost, lying_node
from tests.rig import ORIGIN


@pytest.fixture
def on_chain(chain):
    return chain.anchor(chain.open(ORIGIN))


def receipt(chain, log):
    (attempt,) = log.attempts(log.newest("test"))
    return chain.receipt(bytes.fromhex(attempt.ref))


def anchored(chain, log, advance):
    """From due to final."""
    advance.step()
    receipt(chain, log)
    chain.mine(2)
    advance.step()
    assert log.newest("test").state == "final"


def test_on_a_chain_each_later_head_extends_the_one_before(chain, log, on_chain):
    advance = log.advance(on_chain)
    size = log.close(3)
    advance.step()
    assert log.states("test") == [(size, "sent")]
    receipt(chain, log)
    advance.step()
    assert log.states("test") == [(size, "mined")]
    chain.mine(2)
    advance.step()
    assert log.states("test") == [(size, "final")]
    for _ in range(2):
        later = log.close(5)
        log.wait()
        anchored(chain, log, advance)
    assert on_chain.on_chain_head() == (later, log.head(later).root)
    nonces = [log.attempts(item)[0].nonce for item in log.all("test")]
    assert nonces == [nonces[0], nonces[0] + 1, nonces[0] + 2]


def test_on_a_chain_a_reorg_brings_it_back_and_the_same_transaction_is_mined_again(chain, log, on_chain):
    advance = log.advance(on_chain)
    log.close()
    advance.step()
    ref = receipt(chain, log)["transactionHash"]
    advance.step()
    before = log.one("test")
    chain.node.ask("anvil_reorg", 1, [])
    advance.step()
    assert log.one("test").state == "sent"
    log.wait(31)
    advance.step()
    assert receipt(chain, log)["transactionHash"] == ref
    chain.mine(2)
    advance.step()
    after = log.one("test")
    assert (after.state, len(log.attempts(after))) == ("final", 1)
    headers = [decode_header(decode_evidence(item.evidence).header, "ethereum") for item in (before, after)]
    assert headers[0].hash != headers[1].hash


@pytest.mark.parametrize("point", range(1, 9))
def test_on_a_chain_a_crash_costs_no_nonce_and_sends_nothing_twice(chain, log, on_chain, point):
    first = on_chain.first_nonce()
    log.close()
    dying = log.advance(on_chain, mortal(log.rig.database, Fuse(point)))
    with pytest.raises(Crash):  # noqa: PT012 - in which of the steps depends on the point
        for _ in range(4):
            dying.step()
            chain.mine()
    advance = log.advance(on_chain)
    for _ in range(4):
        advance.step()
        if log.one("test").state == "sent":
            receipt(chain, log)
        chain.mine()
    assert log.one("test").state == "final"
    assert on_chain.first_nonce() == first + 1
    assert len(log.attempts(log.one("test"))) == 1


def test_on_a_chain_a_lost_answer_to_the_sending_is_looked_up(chain, log, on_chain):
    def lost(_):
        raise Lost

    log.close()
    with lying_node(chain.url, eth_sendRawTransaction=lost) as url:
        step = log.advance(replace(on_chain, node=Node(url, 31337))).step
        with pytest.raises(AnchorUnavailable, match="eth_sendRawTransaction: no answer"):
            step()
        assert log.one("test").state == "signed"
    receipt(chain, log)
    advance = log.advance(on_chain)
    advance.step()
    assert (log.one("test").state, log.one("test").detail) == ("sent", "the node had the transaction already")
    chain.mine(2)
    advance.step()
    assert log.one("test").state == "final"


def test_another_chain_behind_the_address_is_shown_in_every_state(chain, log, on_chain):
    wrong = log.advance(replace(on_chain, node=Node(chain.url, 1)))
    right = log.advance(on_chain)
    log.close()
    for state in ("due", "sent", "mined"):
        for _ in range(2):
            with pytest.raises(AnchorRejected, match="the node is of chain 31337, not 1"):
                wrong.step()
        found = log.one("test")
        assert (found.state, found.detail) == (state, "the node is of chain 31337, not 1")
        right.step()
        receipt(chain, log)
    chain.mine(2)
    right.step()
    assert log.one("test").state == "final"


def test_evidence_that_does_not_hold_is_never_stored_and_does_not_lose_the_anchoring(chain, log, on_chain):
    log.close()
    advance = log.advance(on_chain)
    advance.step()
    receipt(chain, log)
    with lying_node(chain.url, eth_getBlockReceipts=lambda shown: [*shown, *shown]) as url:
        lied_to = log.advance(replace(on_chain, node=Node(url, 31337)))
        for _ in range(2):
            with pytest.raises(AnchorRejected, match="do not have its receipts root"):
                lied_to.step()
            found = log.one("test")
            assert (found.state, found.evidence) == ("sent", None)
            assert "do not have its receipts root" in found.detail
    advance.step()
    assert log.one("test").state == "mined"


def test_on_a_chain_a_foreign_transaction_of_the_wallet_stops_the_lane(chain, log, on_chain):
    advance = log.advance(on_chain)
    log.close()
    anchored(chain, log, advance)
    before = on_chain.first_nonce()
    foreign(chain)
    while on_chain.first_nonce() == before:
        time.sleep(0.02)
    log.close()
    log.wait()
    with pytest.raises(AnchorRejected, match="somebody else uses its key"):
        advance.step()
    assert log.newest("test").state == "due"
    assert log.attempts(log.newest("test")) == []


def test_on_a_chain_a_nonce_that_was_taken_while_it_was_sent_is_said(chain, log, on_chain):
    advance = log.advance(on_chain)
    log.close()
    chain.node.ask("evm_setAutomine", False)
    advance.step()
    (attempt,) = log.attempts(log.one("test"))
    chain.node.ask("anvil_dropTransaction", f"0x{attempt.ref}")
    foreign(chain)
    chain.mine()
    advance.step()
    assert log.one("test").detail == "the nonce is used, and by none of our transactions that the node knows"
    log.wait(31)
    with pytest.raises(AnchorRejected, match=f"nonce {attempt.nonce} went to another transaction"):
        advance.step()
    assert (log.one("test").state, len(log.attempts(log.one("test")))) == ("sent", 1)


def test_on_a_chain_that_lost_blocks_the_stored_transactions_are_mined_again(chain, log, on_chain):
    advance = log.advance(on_chain)
    log.close()
    anchored(chain, log, advance)
    snapshot = chain.node.ask("evm_snapshot")
    for _ in range(2):
        log.close()
        log.wait()
        anchored(chain, log, advance)
    assert chain.node.ask("evm_revert", snapshot)
    size = log.close()
    log.wait()
    for _ in range(2):
        with pytest.raises(AnchorUnavailable, match="lost blocks"):
            advance.step()
        chain.mine()
        if on_chain.first_nonce() == log.attempts(log.all("test")[2])[0].nonce + 1:
            break
    anchored(chain, log, advance)
    assert on_chain.on_chain_head() == (size, log.head(size).root)
    assert {item.state for item in log.all("test")} == {"final"}


def foreign(chain):
    """A transaction of our wallet that we did not make; anvil holds the key of its first account."""
    chain.node.ask("eth_sendTransaction", {"from": WALLET.address, "to": WALLET.address, "value": "0x0"})
