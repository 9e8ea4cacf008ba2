"""The endpoint that is asked for everything lies, one lie a time: nothing becomes final by it, and somebody is told.

A second endpoint is a process of its own and tells the truth, and both must agree. Of each lie it is shown that the
same anchoring becomes final once the first endpoint tells the truth.
"""

from dataclasses import replace

import pytest

from notary.anchoring.behind import Behind
from notary.anchoring.blocks import block_at
from notary.anchoring.poll import newest_finalized
from notary.anchoring.quorum import Quorum
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable, LaneStopped
from notary.evidence import rlp
from notary.evidence.keccak import keccak256
from notary.observe import LANE_STOPPED, RPC_BEHIND, RPC_CONTRADICTIONS
from notary.store.incidents import incidents
from tests.anchoring.local_chain import WALLET, running
from tests.anchoring.lying_node import Error, answering, lying_node
from tests.rig import ORIGIN


@pytest.fixture
def on_chain(chain):
    return chain.anchor(chain.open(ORIGIN))


def lied_to(chain, anchor, url):
    """Two endpoints that must agree: the first at `url`, the second an honest one."""
    return replace(anchor, node=Node(url, 31337), others=(Node(chain.url, 31337),), needed=2)


def honest(chain, log, anchor):
    """With the truth from both it goes on to its end, once."""
    advance = log.advance(lied_to(chain, anchor, chain.url))
    for _ in range(4):
        log.wait(31)
        advance.step()
        chain.mine(2)
    assert log.newest("test").state == "final"
    assert anchor.on_chain_head()[0] == log.newest("test").size


def mined(chain, log, anchor):
    """A transaction that the honest endpoint has mined; its receipt."""
    log.close()
    log.advance(anchor).step()
    return chain.receipt(bytes.fromhex(log.attempts(log.one("test"))[0].ref))


def never_final(log, step, error, reason, times=3):
    for _ in range(times):
        with pytest.raises(error, match=reason):
            step()
        assert log.one("test").state != "final"
        log.wait(5)


def test_a_fake_receipt(chain, log, on_chain):
    receipt = mined(chain, log, on_chain)
    chain.node.ask("anvil_reorg", 1, [])  # it is in no block any more
    with lying_node(chain.url, eth_getTransactionReceipt=lambda _: receipt) as url:
        never_final(
            log, log.advance(lied_to(chain, on_chain, url)).step, AnchorUnavailable, "has no longer block"
        )
    honest(chain, log, on_chain)


def test_a_fake_receipt_in_a_true_block(chain, log, on_chain):
    receipt = mined(chain, log, on_chain)
    chain.node.ask("anvil_reorg", 1, [])
    chain.mine(3)
    other = chain.node.ask("eth_getBlockByNumber", hex(chain.newest() - 2), False)
    forged = receipt | {"blockHash": other["hash"], "blockNumber": other["number"]}
    lies = {"eth_getTransactionReceipt": lambda _: forged, "eth_getBlockReceipts": lambda _: [forged]}
    with lying_node(chain.url, **lies) as url:
        step = log.advance(lied_to(chain, on_chain, url)).step
        never_final(log, step, AnchorRejected, "do not have its receipts root")
    honest(chain, log, on_chain)


def test_a_fake_header(chain, log, on_chain):
    mined(chain, log, on_chain)
    chain.mine(3)
    with lying_node(chain.url, eth_getBlockByHash=lambda b: b and b | {"stateRoot": b["parentHash"]}) as url:
        step = log.advance(lied_to(chain, on_chain, url)).step
        never_final(log, step, AnchorRejected, "does not have the hash the node gives")
    honest(chain, log, on_chain)


def test_a_back_dated_time(chain, log, on_chain):
    mined(chain, log, on_chain)
    chain.mine(3)
    with lying_node(chain.url, eth_getBlockByHash=lambda b: b and b | {"timestamp": "0x5f5e0ff"}) as url:
        step = log.advance(lied_to(chain, on_chain, url)).step
        never_final(log, step, AnchorRejected, "does not have the hash the node gives")
    honest(chain, log, on_chain)


def test_a_history_of_its_own_with_a_back_dated_time(chain, log, on_chain):
    """All of it holds together: the same contract, log and transaction in blocks of years ago, in another process."""
    mined(chain, log, on_chain)
    chain.mine(3)
    told = RPC_CONTRADICTIONS.labels("31337")._value.get()
    with running(31337, "--timestamp", 1_500_000_000) as forked:
        forged = forked.anchor(forked.open(ORIGIN))
        assert (forged.contract, forged.log_id) == (on_chain.contract, on_chain.log_id)
        raw = log.attempts(log.one("test"))[0].raw
        ref = forked.node.ask("eth_sendRawTransaction", f"0x{raw.hex()}")
        forked.receipt(bytes.fromhex(ref[2:]))
        forked.mine(10)
        chain.mine(10)
        step = log.advance(lied_to(chain, on_chain, forked.url)).step
        never_final(log, step, AnchorRejected, "the endpoints contradict each other at final block")
        alone = log.advance(replace(on_chain, node=forked.node)).anchor
        assert (
            alone.observe(log.head(log.one("test").size), attempts(log)).step == "final"
        )  # what one could do
    assert RPC_CONTRADICTIONS.labels("31337")._value.get() > told
    honest(chain, log, on_chain)


def test_a_missing_transaction(chain, log, on_chain):
    mined(chain, log, on_chain)
    none = {"eth_getTransactionReceipt": lambda _: None, "eth_getTransactionByHash": lambda _: None}
    with lying_node(chain.url, **none) as url:
        step = log.advance(lied_to(chain, on_chain, url)).step
        step()
        assert "by none of our transactions that the node knows" in log.one("test").detail
        told = RPC_CONTRADICTIONS.labels("31337")._value.get()
        for _ in range(3):
            log.wait(31)
            step()  # the second endpoint has it: nobody is accused by the first one's word
            assert log.one("test").state == "sent"
        assert RPC_CONTRADICTIONS.labels("31337")._value.get() == told + 3
        log.wait(31)
        alone = log.advance(replace(on_chain, node=Node(url, 31337))).step
        never_final(log, alone, LaneStopped, r"nonce \d+ went to another transaction")
        assert LANE_STOPPED.labels("test", WALLET.address)._value.get() == 1
    assert len(log.attempts(log.one("test"))) == 1
    honest(chain, log, on_chain)


def told_of_a_false_finalized(chain, log, on_chain, newest):
    """The worker asks all endpoints for the newest final block, again and again: after five minutes it is told."""

    def early(method, params):
        return newest if params[:1] == ["finalized"] else chain.node.ask(method, *params)

    behind = Behind(31337, log.rig.clock)
    with answering(early) as url:
        nodes = (Node(url, 31337), Node(chain.url, 31337))
        rule = Quorum(nodes, 2, profile=on_chain.profile, hear=behind.hear)
        for waited in (0, 180, 120):
            log.wait(waited)
            newest_finalized(rule)
            behind.require_agreement()
        log.wait(1)
        newest_finalized(rule)
    with pytest.raises(AnchorRejected, match=r"final, endpoint 2 none after \d+: one of them lags or lies"):
        behind.require_agreement()
    assert RPC_BEHIND.labels("31337", "2")._value.get() == 301


def test_a_false_finalized(chain, log, on_chain):
    mined(chain, log, on_chain)
    newest = chain.node.ask("eth_getBlockByNumber", "latest", False)
    with lying_node(
        chain.url, eth_getBlockByNumber=lambda b: newest if b["number"] != newest["number"] else b
    ) as url:
        advance = log.advance(lied_to(chain, on_chain, url))
        for _ in range(3):
            advance.step()
            found = log.one("test")
            assert (found.state, found.detail[-25:]) == ("mined", "final at 1 of 2 endpoints")
    told_of_a_false_finalized(chain, log, on_chain, newest)
    honest(chain, log, on_chain)


@pytest.mark.parametrize(
    ("shift", "error", "reason"),
    [
        (
            -1,
            AnchorUnavailable,
            r"next nonce is \d+ on chain and \d+ here: the node lags behind or lost blocks",
        ),
        (3, AnchorUnavailable, r"the endpoints say that wallet \w+ has \d+, \d+ transactions: none is made"),
    ],
)
def test_a_stale_or_invented_nonce(chain, log, on_chain, shift, error, reason):
    mined(chain, log, on_chain)
    honest(chain, log, on_chain)
    log.close()
    log.wait()
    with lying_node(chain.url, eth_getTransactionCount=lambda n: hex(int(n, 16) + shift)) as url:
        step = log.advance(lied_to(chain, on_chain, url)).step
        for _ in range(3):
            with pytest.raises(error, match=reason):
                step()
            assert (log.newest("test").state, log.attempts(log.newest("test"))) == ("due", [])
    with log.rig.database.reading() as connection:
        assert incidents(connection) == []  # one endpoint alone accuses nobody
    honest(chain, log, on_chain)


def test_a_wrong_chain_id(chain, log, on_chain):
    mined(chain, log, on_chain)
    chain.mine(3)
    with lying_node(chain.url, eth_chainId=lambda _: "0x1") as url:
        step = log.advance(lied_to(chain, on_chain, url)).step
        never_final(log, step, AnchorRejected, "the node is of chain 1, not 31337")
    honest(chain, log, on_chain)


def test_words_of_refusal_for_what_it_took(chain, log, on_chain):
    def refused(_):
        raise Error("transaction underpriced")

    log.close()
    with lying_node(chain.url, eth_sendRawTransaction=refused) as url:
        log.advance(lied_to(chain, on_chain, url)).step()
    assert (log.one("test").state, len(log.attempts(log.one("test")))) == ("sent", 1)
    honest(chain, log, on_chain)


def attempts(log):
    return log.advance(None)._sending.attempts(log.one("test"))


def test_a_block_that_is_made_up_and_hashed_rightly_is_the_first_ones_word_alone(chain, log, on_chain):
    """A header whose time is changed and whose hash is right: nothing in it is wrong but that no chain has it."""
    mined(chain, log, on_chain)
    chain.mine(3)
    receipt = chain.receipt(bytes.fromhex(log.attempts(log.one("test"))[0].ref))
    raw, _ = block_at(chain.node, receipt["blockNumber"], "ethereum")
    fields = rlp.decode_list(raw)
    fields[11] = rlp.encode_int(1_500_000_000)
    forged = "0x" + keccak256(rlp.encode(fields)).hex()
    true = receipt["blockHash"]

    def renamed(block):
        return block | {"hash": forged, "timestamp": hex(1_500_000_000)} if block["hash"] == true else block

    lies = {
        "eth_getTransactionReceipt": lambda r: r and r | {"blockHash": forged},
        "eth_getBlockByHash": lambda _: renamed(chain.node.ask("eth_getBlockByHash", true, False)),
        "eth_getBlockByNumber": renamed,
        "eth_getBlockReceipts": lambda _: chain.node.ask("eth_getBlockReceipts", true),
    }
    with lying_node(chain.url, **lies) as url:
        step = log.advance(lied_to(chain, on_chain, url)).step
        never_final(log, step, AnchorRejected, "the endpoints contradict each other at final block")
    honest(chain, log, on_chain)
