"""A true receipt of one head of ours is told for another: three walls, of which each holds alone.

One anchor sees both heads through, as in a worker: what it keeps in memory of the first must not speak for the second.
"""

from contextlib import contextmanager
from functools import partial

import pytest

from notary.anchoring.evm import EvmAnchor
from notary.anchoring.moves import require_anchors
from notary.anchoring.port import Head
from notary.errors import AnchorRejected
from notary.evidence.chain import check_receipt, decode_evidence, decode_header, encode_evidence
from tests.anchoring.lying_node import lying_node
from tests.anchoring.test_adopting import like
from tests.anchoring.test_lies import honest, lied_to
from tests.evidence import mini_chain
from tests.rig import ORIGIN


@pytest.fixture
def on_chain(chain):
    return chain.anchor(chain.open(ORIGIN))


def attempts_of(log, item):
    return log.advance(None)._sending.attempts(item)


def shown(item):
    """Size and transaction of stored evidence."""
    evidence = decode_evidence(item.evidence)
    event = check_receipt(evidence, decode_header(evidence.header, evidence.profile))
    return event.new_size, evidence.transaction


@contextmanager
def one_final_and_one_sent(chain, log, on_chain):
    """An anchor whose first endpoint may lie, with a head that is final by it and a later one that is sent.

    Gives the anchor, the two anchorings, and the lies, empty by now: by method, a result from the true one.
    """
    lies = {}

    def answer(method, true):
        return lies[method](true) if method in lies else true

    methods = ("eth_getTransactionReceipt", "eth_getLogs")
    with lying_node(chain.url, **{method: partial(answer, method) for method in methods}) as url:
        anchor = lied_to(chain, on_chain, url)
        advance = log.advance(anchor)
        log.close()
        for _ in range(4):
            advance.step()
            chain.mine(2)
        assert log.one("test").state == "final"
        log.close()
        log.wait()
        advance.step()
        old, new = log.all("test")
        chain.receipt(attempts_of(log, new)[0].ref)
        chain.mine(2)
        assert new.state == "sent"
        yield anchor, old, new, lies


def became_final(chain, log, on_chain, new):
    honest(chain, log, on_chain)
    assert shown(log.newest("test")) == (new.size, attempts_of(log, new)[0].ref)


def test_a_true_receipt_of_another_transaction_is_refused_by_its_hash(chain, log, on_chain):
    with one_final_and_one_sent(chain, log, on_chain) as (anchor, old, new, lies):
        other = chain.receipt(attempts_of(log, old)[0].ref)
        lies["eth_getTransactionReceipt"] = lambda _: other
        advance = log.advance(anchor)
        for _ in range(3):
            with pytest.raises(AnchorRejected, match="the node shows that of another transaction"):
                advance.step()
            assert log.newest("test").state == "sent"
            log.wait(31)
    became_final(chain, log, on_chain, new)


def test_what_was_captured_for_one_head_is_not_given_for_another(chain, log, on_chain):
    """The hash is the one asked for: the event of the later head is said to be in the first one's transaction."""
    with one_final_and_one_sent(chain, log, on_chain) as (anchor, old, new, lies):
        first, second = (attempts_of(log, item)[0].ref for item in (old, new))
        assert anchor.observe(log.head(old.size), attempts_of(log, old)).step == "final"  # and is kept
        lies["eth_getLogs"] = lambda logs: [each | {"transactionHash": f"0x{first.hex()}"} for each in logs]
        lies["eth_getTransactionReceipt"] = lambda r: (
            None if r and r["transactionHash"] == f"0x{second.hex()}" else r
        )
        wrong = f"the event is of size {old.size}, not of the head of size {new.size}"
        with pytest.raises(AnchorRejected, match=wrong):
            anchor.adopted(log.head(new.size))
        log.wait(31)
        with pytest.raises(AnchorRejected, match=wrong):
            log.advance(anchor).step()
        assert (log.newest("test").state, log.newest("test").evidence) == ("sent", None)
    became_final(chain, log, on_chain, new)


class Confused(EvmAnchor):
    """Gives what it saw of one head for every head."""

    def observe(self, head, attempts):
        return self.seen


def test_evidence_of_another_head_is_not_stored_whoever_gives_it(chain, log, on_chain):
    with one_final_and_one_sent(chain, log, on_chain) as (anchor, old, new, _):
        confused = like(Confused, anchor)
        confused.seen = anchor.observe(log.head(old.size), attempts_of(log, old))
        assert confused.seen.step == "final"
        wrong = f"is of a head of size {old.size}, and not of this one of size {new.size}"
        for _ in range(2):
            with pytest.raises(AnchorRejected, match=wrong):
                log.advance(confused).step()
            found = log.newest("test")
            assert (found.state, found.evidence) == ("sent", None)
            assert wrong in found.detail
    became_final(chain, log, on_chain, new)


ROOT = bytes(range(32))


def kept(size=7, root=ROOT):
    return encode_evidence(mini_chain.anchor([mini_chain.event(size, root)], number=9, time=1000))


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (kept(root=bytes(32)), "is of a head of size 7, and not of this one of size 7"),
        (kept(size=8), "is of a head of size 8, and not of this one of size 7"),
        (None, "the evidence that would be kept does not hold"),
        (b"{}", "the evidence that would be kept does not hold"),
    ],
)
def test_evidence_that_is_not_of_the_head_is_refused_before_it_is_kept(evidence, reason):
    head = Head(ORIGIN, 7, ROOT, b"")
    require_anchors("evm", kept(), head)
    require_anchors("rfc3161", evidence, head)  # who has no chain keeps other evidence
    with pytest.raises(AnchorRejected, match=reason):
        require_anchors("evm", evidence, head)
