"""A head of ours that somebody else anchored counts, by the same rules, and is looked for as far back as it may be."""

from contextlib import suppress
from dataclasses import fields, replace

import pytest

from notary.anchoring import heads
from notary.anchoring.evm import EvmAnchor
from notary.anchoring.heads import Search, transaction_of
from notary.anchoring.port import Observation, Step
from notary.anchoring.rpc import Answer, Node
from notary.errors import AnchorRejected, AnchorUnavailable, LaneStopped
from notary.evidence.chain import decode_evidence, decode_header
from notary.observe import ANCHOR_MOVES
from notary.store.incidents import incidents
from tests.anchoring.local_chain import STRANGER, WALLET, head, root
from tests.rig import ORIGIN

GONE = "http://127.0.0.1:9"


@pytest.fixture
def on_chain(chain):
    return chain.anchor(chain.open(ORIGIN))


def by_a_stranger(chain, log, on_chain, size):
    """Somebody who has the head key's signature sends it; the block that it is in."""
    made = log.head(size)
    data = chain.data(on_chain.log_id, made.size, made.root, [])
    return int(chain.send(data, STRANGER)["blockNumber"], 16)


def block_of(item):
    return decode_header(decode_evidence(item.evidence).header, "ethereum").number


def test_a_head_that_a_stranger_anchored_becomes_mined_and_final_without_an_attempt_of_ours(
    chain, log, on_chain
):
    size = log.close()
    block = by_a_stranger(chain, log, on_chain, size)
    advance = log.advance(on_chain)
    nonce = on_chain.first_nonce()
    advance.step()
    item = log.one("test")
    assert (item.state, log.attempts(item), block_of(item)) == ("mined", [], block)
    advance.step()
    assert log.one("test").state == "mined"
    chain.mine(2)
    advance.step()
    assert (log.one("test").state, log.attempts(item), on_chain.first_nonce()) == ("final", [], nonce)
    with log.rig.database.reading() as connection:
        assert incidents(connection) == []
    # What follows extends it.
    later = log.close()
    log.wait()
    advance.step()
    assert (log.newest("test").state, len(log.attempts(log.newest("test")))) == ("sent", 1)
    chain.receipt(bytes.fromhex(log.attempts(log.newest("test"))[0].ref))
    assert on_chain.attested_size() == later


def test_it_is_final_by_the_word_of_as_many_as_must_agree_and_no_fewer(chain, log, on_chain):
    by_a_stranger(chain, log, on_chain, log.close())
    chain.mine(3)
    alone = log.advance(replace(on_chain, others=(Node(GONE, 31337),), needed=2))
    for _ in range(2):
        alone.step()
        assert log.one("test").state == "mined"
    log.advance(replace(on_chain, others=(Node(chain.url, 31337),), needed=2)).step()
    assert log.one("test").state == "final"


def test_one_whose_block_is_reorganised_away_is_due_again_and_ours_is_sent(chain, log, on_chain):
    by_a_stranger(chain, log, on_chain, log.close())
    advance = log.advance(on_chain)
    advance.step()
    chain.node.ask("anvil_reorg", 1, [])
    advance.step()
    item = log.one("test")
    assert (item.state, log.attempts(item)) == ("due", [])
    advance.step()
    (attempt,) = log.attempts(item)
    assert (log.one("test").state, attempt.lane) == ("sent", WALLET.address)
    chain.receipt(bytes.fromhex(attempt.ref))
    chain.mine(2)
    advance.step()
    assert log.one("test").state == "final"
    assert decode_evidence(log.one("test").evidence).transaction.hex() == attempt.ref


def test_where_no_wallet_can_pay_any_more_a_strangers_transaction_counts(chain, log, on_chain):
    chain.node.ask("evm_setAutomine", False)
    log.close()
    advance = log.advance(on_chain)
    advance.step()
    item = log.one("test")
    (attempt,) = log.attempts(item)
    chain.node.ask("anvil_dropTransaction", f"0x{attempt.ref}")
    chain.node.ask("anvil_setBalance", WALLET.address, "0x0")
    log.wait(31)
    with pytest.raises(LaneStopped, match="holds 0 wei"):
        advance.step()
    chain.node.ask("evm_setAutomine", True)
    block = by_a_stranger(chain, log, on_chain, item.size)
    log.wait(31)
    advance.step()
    assert (log.one("test").state, block_of(log.one("test"))) == ("mined", block)
    chain.mine(2)
    advance.step()
    assert log.one("test").state == "final"


class Mute(EvmAnchor):
    """Its transactions are not sent."""

    def send(self, head, attempt):
        raise AnchorUnavailable("eth_sendRawTransaction: no answer from the node")


def like(kind, anchor):
    return kind(**{each.name: getattr(anchor, each.name) for each in fields(anchor) if each.init})


def test_what_was_signed_and_cannot_be_sent_any_more_needs_not_be(chain, log, on_chain):
    log.close()
    with pytest.raises(AnchorUnavailable, match="no answer"):
        log.advance(like(Mute, on_chain)).step()
    item = log.one("test")
    assert (item.state, len(log.attempts(item))) == ("signed", 1)
    chain.node.ask("anvil_setBalance", WALLET.address, "0x0")
    with pytest.raises(LaneStopped, match="holds 0 wei"):
        log.advance(on_chain).step()
    block = by_a_stranger(chain, log, on_chain, item.size)
    log.advance(on_chain).step()
    assert (log.one("test").state, block_of(log.one("test"))) == ("mined", block)


def adopted():
    return ANCHOR_MOVES.labels("test", "adopted")._value.get()


def test_where_ours_waits_a_strangers_transaction_counts_and_no_more_is_paid(chain, log, on_chain):
    chain.node.ask("evm_setAutomine", False)
    log.close()
    advance, before = log.advance(on_chain), adopted()
    advance.step()
    item = log.one("test")
    (attempt,) = log.attempts(item)
    chain.node.ask("anvil_dropTransaction", f"0x{attempt.ref}")  # no pool keeps it: it pays too little
    chain.node.ask("evm_setAutomine", True)
    block = by_a_stranger(chain, log, on_chain, item.size)
    advance.step()
    assert log.one("test").state == "sent"  # it may still be ours that comes
    log.wait(60)
    advance.step()
    found = log.one("test")
    assert (found.state, block_of(found), log.attempts(item), adopted()) == (
        "mined",
        block,
        [attempt],
        before + 1,
    )
    chain.mine(2)
    advance.step()
    assert log.one("test").state == "final"
    # The nonce that is missing is made good for what follows.
    later = log.close()
    log.wait()
    for _ in range(4):
        with suppress(AnchorUnavailable):
            advance.step()
        log.wait(31)
    assert (on_chain.attested_size(), adopted()) == (later, before + 1)


class TooEarly(EvmAnchor):
    """Asked for its transactions before any is mined."""

    def observe(self, head, attempts):
        return Observation(Step.SENT)


def test_ours_that_is_mined_at_this_moment_is_not_called_somebody_elses(chain, log, on_chain):
    log.close()
    advance, before = log.advance(on_chain), adopted()
    advance.step()
    (attempt,) = log.attempts(log.one("test"))
    chain.receipt(bytes.fromhex(attempt.ref))
    log.wait(60)
    log.advance(like(TooEarly, on_chain)).step()
    assert (log.one("test").state, adopted()) == ("mined", before)


def test_a_head_that_is_not_ours_is_not_adopted(chain, log, on_chain):
    size = log.close()
    chain.send(chain.data(on_chain.log_id, size, root(8), []), STRANGER)
    with pytest.raises(AnchorRejected, match=f"already holds a head of size {size}"):
        log.advance(on_chain).step()
    assert log.one("test").state == "rejected"


def test_nothing_is_adopted_of_a_head_that_the_chain_does_not_hold(chain, on_chain):
    asked = Counting(chain.url)
    assert replace(on_chain, node=asked).adopted(head(7)) is None
    assert asked.questions == []


# How far back


class Counting(Node):
    """Keeps the ranges that events were asked for; answers for no more than `most` blocks at once."""

    def __init__(self, url, most=10**9):
        super().__init__(url, 31337)
        self.questions, self.most = [], most

    def try_ask(self, method, *params):
        if method == "eth_getLogs":
            first, last = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
            self.questions.append((first, last))
            if last - first >= self.most:
                return Answer(None, "query exceeds max block range")
        return super().try_ask(method, *params)


@pytest.fixture(scope="module")
def old(shared_chain):
    """A log of which a head was anchored, and the number of its block; there are 150 since."""
    shared_chain.mine(90)
    anchor = shared_chain.anchor(shared_chain.open("old.example/log"))
    shared_chain.send(shared_chain.data(anchor.log_id, 7, root(7), []), STRANGER)
    made = shared_chain.newest()
    for _ in range(3):
        shared_chain.mine(50)
    return anchor, made


def ask(node, on_chain, **more):
    return transaction_of(node, on_chain.contract, on_chain.log_id, head(7), "ethereum", **more)


def test_an_event_of_long_ago_is_found(shared_chain, old):
    on_chain, made = old
    assert ask(shared_chain.node, on_chain, search=Search(span=40)) is not None
    on_chain._search.span = 40
    seen = on_chain.adopted(head(7))
    assert (seen.step, decode_header(decode_evidence(seen.evidence).header, "ethereum").number) == (
        Step.FINAL,
        made,
    )


def test_a_search_ends_for_now_and_goes_on_where_it_stopped(shared_chain, old, monkeypatch):
    on_chain, _ = old
    monkeypatch.setattr(heads, "_QUESTIONS", 2)
    node, search = Counting(shared_chain.url), Search(span=20)
    newest = shared_chain.newest()
    for part in range(3):
        with pytest.raises(
            AnchorUnavailable, match="who anchored the head of size 7 is looked for, down to block"
        ):
            ask(node, on_chain, search=search)
        assert search.above == newest - 40 * (part + 1)
    assert ask(node, on_chain, search=search) is not None
    firsts = [first for first, _ in node.questions]
    assert (len(firsts), firsts[0], firsts[1]) == (8, newest - 19, newest - 39)
    # The next one begins anew, and so does that for another head.
    assert (search.above, search.wanted, search.span) == (None, head(7), heads._SPAN)


def test_a_search_by_a_slow_node_ends_for_now_after_a_while_and_gets_on(shared_chain, old, monkeypatch):
    on_chain, _ = old
    monkeypatch.setattr(heads, "_SECONDS", 0.0)
    node, search = Counting(shared_chain.url), Search(span=40)
    newest = shared_chain.newest()
    for part in range(3):
        with pytest.raises(AnchorUnavailable, match=f"down to block {newest - 40 * (part + 1)} by now"):
            ask(node, on_chain, search=search)
        assert len(node.questions) == part + 1
    assert ask(node, on_chain, search=search) is not None


class Slow(Counting):
    """Gives no answer in time where it is asked for many blocks."""

    def try_ask(self, method, *params):
        answer = super().try_ask(method, *params)
        if answer.error is not None:
            raise AnchorUnavailable("eth_getLogs: no answer from the node")
        return answer


def test_a_node_that_gives_no_answer_in_time_is_asked_for_fewer_the_next_time(shared_chain, old):
    on_chain, _ = old
    node, search = Slow(shared_chain.url, most=120), Search(span=400)
    for span in (200, 100):
        with pytest.raises(AnchorUnavailable, match="no answer"):
            ask(node, on_chain, search=search)
        assert search.span == span
    assert ask(node, on_chain, search=search) is not None


def test_a_block_that_a_node_invented_far_above_is_not_searched_down_from(shared_chain, old):
    on_chain, _ = old
    node, search = Counting(shared_chain.url), Search(head(7), above=2**60)
    assert ask(node, on_chain, search=search) is not None
    assert node.questions[0][1] == shared_chain.newest()


def test_nothing_is_looked_through_before_the_last_head_or_the_opening_of_the_log(shared_chain, old):
    on_chain, made = old
    node = Counting(shared_chain.url)
    assert ask(node, on_chain, first=made + 1) is None
    assert node.questions[-1][0] == made + 1
    node.questions.clear()
    assert ask(node, on_chain, first=made) is not None
    other, search = Counting(shared_chain.url), Search(head(9), above=made + 50, span=20)
    where = (on_chain.contract, on_chain.log_id)
    assert transaction_of(other, *where, head(9), "ethereum", search=search) is None
    assert other.questions[-1][0] <= made - 1 <= other.questions[-1][1]  # it ends where the log was opened
    assert other.questions[-1][0] > 20
    assert ask(node, on_chain, first=shared_chain.newest() + 1) is None


def test_a_node_that_answers_for_fewer_blocks_is_asked_for_fewer(shared_chain, old):
    on_chain, _ = old
    node = Counting(shared_chain.url, most=120)
    assert ask(node, on_chain) is not None
    assert max(last - first for first, last in node.questions if last - first < 120) >= 60
    with pytest.raises(AnchorUnavailable, match="eth_getLogs: query exceeds max block range"):
        ask(Counting(shared_chain.url, most=1), on_chain)


def test_blocks_known_of_smaller_heads_bound_the_search(shared_chain, old):
    on_chain, made = old
    node = Counting(shared_chain.url)
    bounded = replace(on_chain, node=node, earliest=lambda _head: made)
    assert bounded.adopted(head(7)).step is Step.FINAL
    assert min(first for first, _ in node.questions) == made
