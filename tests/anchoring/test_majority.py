"""What is signed, and what is given up, hangs on no single endpoint where several are named."""

from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from notary.anchoring.majority import agreed_head
from notary.anchoring.port import Step
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable, HeadRefused, LaneStopped, NoAnswer
from notary.observe import RPC_CONTRADICTIONS
from tests.anchoring.evm_steps import anchored, signed
from tests.anchoring.local_chain import STRANGER, head, root
from tests.anchoring.lying_node import answering, lying_node
from tests.anchoring.test_failing_over import GONE, by, passed_over, to_final
from tests.anchoring.test_lies import honest
from tests.rig import ORIGIN

CONTRACT, LOG_ID = bytes(20), bytes(32)
_HEAD, _KEYS = 2 + 2 * 64, 2 + 2 * 96  # characters of what the contract answers


@pytest.fixture
def on_chain(chain):
    return chain.anchor(chain.open(ORIGIN))


def contradictions():
    return RPC_CONTRADICTIONS.labels("31337")._value.get()


def words(size, found):
    return f"0x{size.to_bytes(32).hex()}{found.hex()}"


def head_of(size, found):
    """A lie: the contract holds this head."""
    return {"eth_call": lambda said: words(size, found) if len(said) == _HEAD else said}


OTHER_KEY = {"eth_call": lambda said: f"0x{'00' * 12}{'11' * 20}{'00' * 64}" if len(said) == _KEYS else said}


@contextmanager
def endpoints(*heads):
    """One endpoint for each size of a head that it tells of, with another root if negative; None: it is away."""
    with ExitStack() as stack:
        urls = [
            GONE
            if size is None
            else stack.enter_context(answering(lambda method, _, size=size: said(method, size)))
            for size in heads
        ]
        yield [Node(url, 31337) for url in urls]


def said(method, size):
    return hex(31337) if method == "eth_chainId" else words(abs(size), root(abs(size) + (size < 0)))


@pytest.mark.parametrize(
    ("heads", "needed", "final", "agreed", "told"),
    [
        ((7,), 1, 0, 7, False),
        ((7, 7), 1, 0, 7, False),
        ((7, 7), 2, 0, 7, False),
        ((7, None), 2, 0, 7, False),  # nobody contradicts
        ((None, 7), 1, 0, 7, False),
        ((5, 7), 1, 0, None, True),
        ((7, 5), 1, 0, None, True),
        ((7, -7), 1, 0, None, True),
        ((5, 7, 7), 1, 0, 7, True),
        ((5, 7, 7), 2, 0, 7, True),
        ((7, 5, 7), 3, 0, None, True),
        ((5, 7, 7, 5), 2, 0, None, True),
        ((5, 7), 1, 7, 7, True),  # the smaller one was passed long ago
        ((7, 5), 2, 6, 7, True),
        ((5, 5), 1, 7, 5, False),  # a chain that lost blocks
        ((5, 8, 7), 1, 7, None, True),
    ],
)
def test_the_head_that_counts_is_that_of_all_or_of_most_and_as_many_as_must_agree(
    heads, needed, final, agreed, told
):
    before = contradictions()
    with endpoints(*heads) as nodes:
        if agreed is None:
            with pytest.raises(
                AnchorUnavailable, match=r"head is of size \d \(root .*nothing is signed until"
            ):
                agreed_head(nodes, needed, CONTRACT, LOG_ID, final)
        else:
            found = agreed_head(nodes, needed, CONTRACT, LOG_ID, final)
            assert (found.size, found.root) == (agreed, root(agreed))
            assert found.nodes == tuple(n for n, size in zip(nodes, heads, strict=True) if size == agreed)
    assert contradictions() - before == told


def test_where_none_tells_of_a_head_the_reason_is_of_one_that_answers():
    with answering(lambda *_: "0x1") as other:
        nodes = [Node(url, 31337) for url in (GONE, other)]
        with pytest.raises(AnchorRejected, match="the node is of chain 1, not 31337"):
            agreed_head(nodes, 1, CONTRACT, LOG_ID)
        with pytest.raises(NoAnswer, match="eth_chainId: no answer from the node"):
            agreed_head(nodes[:1], 1, CONTRACT, LOG_ID)


# Signing


@pytest.fixture
def two_final(chain, log, on_chain):
    """A log with two final heads, and a third to anchor."""
    for _ in range(2):
        log.close()
        log.wait()
        assert to_final(chain, log, on_chain).state == "final"
    log.close()
    log.wait()
    return [item.size for item in log.all("test")]


@pytest.mark.parametrize("which", ["an earlier one of ours", "ours already"])
def test_a_lie_about_the_head_signs_nothing_and_rejects_nothing(chain, log, on_chain, two_final, which):
    size = two_final[0] if which == "an earlier one of ours" else log.newest_size()
    nonce, before = on_chain.first_nonce(), contradictions()
    with lying_node(chain.url, **head_of(size, log.head(size).root)) as liar:
        for urls, needed in (((liar, chain.url), 1), ((chain.url, liar), 2)):
            with pytest.raises(
                AnchorUnavailable, match="the endpoints say that the contract's head is of size"
            ):
                log.advance(by(on_chain, *urls, needed=needed)).step()
            found = log.newest("test")
            assert (found.state, log.attempts(found), on_chain.first_nonce()) == ("due", [], nonce)
        assert contradictions() == before + 2
        # Two that tell the truth outvote one.
        asked = by(on_chain, liar, chain.url, chain.url, needed=2)
        found = to_final(chain, log, asked)
        assert (found.size, len(log.attempts(found)), on_chain.first_nonce()) == (
            log.newest_size(),
            1,
            nonce + 1,
        )
    honest(chain, log, on_chain)


def test_an_endpoint_that_lags_behind_what_is_final_has_no_vote(chain, log, on_chain, two_final):
    first, last = two_final
    with lying_node(chain.url, **head_of(first, log.head(first).root)) as behind:
        knowing = replace(by(on_chain, behind, chain.url), final=lambda: last)
        found = to_final(chain, log, knowing)
        assert (found.state, found.size) == ("final", log.newest_size())


def test_a_refusal_of_one_endpoint_is_asked_of_the_others(chain, on_chain):
    asked, before, gone = [], contradictions(), passed_over()
    with lying_node(chain.url, **OTHER_KEY) as liar, lying_node(chain.url, asked=asked) as third:
        refused = r"1 of 2 endpoints refuse the head \(the log's head key is 0x1111"
        with pytest.raises(AnchorUnavailable, match=refused):
            signed(by(on_chain, liar, chain.url), 7)
        assert contradictions() == before + 1
        assert signed(by(on_chain, liar, chain.url, chain.url), 7) == signed(on_chain, 7)
        assert contradictions() == before + 2
        for urls in ((liar,), (liar, liar, chain.url), (liar, GONE)):
            with pytest.raises(HeadRefused, match="the log's head key is 0x1111"):
                signed(by(on_chain, *urls), 7)
        told = contradictions()
        # One that takes it is asked alone.
        assert signed(by(on_chain, GONE, chain.url, third), 7)
        assert "eth_estimateGas" not in asked
        assert (contradictions(), passed_over() > gone) == (told, True)


def test_one_that_refuses_alone_where_others_are_slow_or_must_agree_rejects_nothing(chain, on_chain):
    with lying_node(chain.url, **OTHER_KEY) as liar:
        asked = by(on_chain, liar, chain.url, chain.url)
        for node in asked.others:
            node._away_until = 10**12
        assert [node.away for node in asked.others] == [True, True]
        asked = replace(asked, needed=3)  # so that all are asked what the contract holds
        assert signed(asked, 7) == signed(on_chain, 7)
        with pytest.raises(AnchorUnavailable, match=r"1 of 1 endpoints refuse the head .*: 2 must agree$"):
            signed(by(on_chain, liar, GONE, needed=2), 7)
        with pytest.raises(HeadRefused, match="the log's head key is 0x1111"):
            signed(by(on_chain, liar, liar, GONE, needed=2), 7)


def test_what_one_endpoint_alone_says_that_a_wallet_holds_stops_it_only_where_no_more_deny_it(
    chain, on_chain
):
    with lying_node(chain.url, eth_getBalance=lambda _: "0x0") as liar:
        before = contradictions()
        assert signed(by(on_chain, chain.url, liar), 7) == signed(on_chain, 7)
        assert contradictions() == before
        assert signed(by(on_chain, liar, chain.url, chain.url), 7) == signed(on_chain, 7)
        assert contradictions() == before + 1
        doubted = r"holds 0 wei, .* or an endpoint lies: 1 of 2 endpoints say that wallet \S+ can pay"
        with pytest.raises(LaneStopped, match=doubted):
            signed(by(on_chain, liar, chain.url), 7)
        assert contradictions() == before + 2
        for urls in ((liar,), (liar, GONE), (liar, liar)):
            with pytest.raises(LaneStopped, match=r"holds 0 wei, and the transaction may take \d+$"):
                signed(by(on_chain, *urls), 7)
        assert contradictions() == before + 2


def test_who_neither_takes_nor_refuses_a_head_has_no_vote_on_it(chain, on_chain):
    odd = {"eth_estimateGas": lambda _: "0x5208"}
    with lying_node(chain.url, **OTHER_KEY) as liar, lying_node(chain.url, **odd) as other:
        with pytest.raises(HeadRefused, match="the log's head key is 0x1111"):
            signed(by(on_chain, liar, other), 7)
        with pytest.raises(AnchorUnavailable, match="the node takes a head that nobody signed"):
            signed(by(on_chain, other, liar), 7)


# Giving up


REVERTED = {
    "eth_getTransactionReceipt": lambda r: r and r | {"status": "0x0"},
    "eth_getLogs": lambda _: [],
}


def test_that_a_transaction_reverted_is_believed_of_as_many_as_must_agree_and_of_most(chain, on_chain):
    attempt = anchored(on_chain, 7)
    with lying_node(chain.url, **REVERTED) as liar, lying_node(chain.url, **REVERTED) as second:
        for urls, needed in (((liar,), 1), ((liar, GONE), 1), ((liar, second, chain.url), 2)):
            seen = by(on_chain, *urls, needed=needed).observe(head(7), [attempt])
            assert (seen.step, seen.detail) == (Step.REJECTED, "the transaction reverted")
        for urls, needed in (
            ((liar, chain.url), 1),
            ((liar, chain.url), 2),
            ((liar, GONE), 2),
            ((liar, second, chain.url), 3),
            ((liar, chain.url, chain.url), 1),
        ):
            before = contradictions()
            seen = by(on_chain, *urls, needed=needed).observe(head(7), [attempt])
            assert (seen.step, seen.evidence) == (Step.SENT, None)
            assert "the transaction reverted, say" in seen.detail
            assert f"of {len(urls)} endpoints: {needed} must agree, and most of them" in seen.detail
            assert contradictions() - before == (chain.url in urls)


def test_a_lie_that_it_reverted_rejects_nothing(chain, log, on_chain):
    log.close()
    log.advance(on_chain).step()
    chain.receipt(bytes.fromhex(log.attempts(log.one("test"))[0].ref))
    with lying_node(chain.url, **REVERTED) as liar:
        advance = log.advance(by(on_chain, liar, chain.url, needed=2))
        for _ in range(3):
            advance.step()
            found = log.one("test")
            assert (found.state, found.detail[:42]) == ("sent", "the transaction reverted, say 1 of 2 endpo")
            log.wait(5)
    honest(chain, log, on_chain)


def test_what_reverted_in_truth_is_rejected_by_all(chain, on_chain):
    attempt = signed(on_chain, 7)
    chain.send(chain.data(on_chain.log_id, 9, root(9), []), STRANGER)
    chain.node.ask("eth_sendRawTransaction", f"0x{attempt.raw.hex()}")
    assert chain.receipt(attempt.ref)["status"] == "0x0"
    before = contradictions()
    for urls, needed in (((chain.url,), 1), ((chain.url, chain.url), 2), ((GONE, chain.url), 1)):
        assert by(on_chain, *urls, needed=needed).observe(head(7), [attempt]).step is Step.REJECTED
    seen = by(on_chain, chain.url, GONE, needed=2).observe(head(7), [attempt])
    assert (seen.step, contradictions()) == (Step.SENT, before)
