"""Answers that the state machine cannot use: nothing is lost, and somebody is told."""

from dataclasses import replace

import pytest
import structlog

from notary.anchoring.forks import look_for_fork
from notary.anchoring.port import Attempt, Head, KeepsNoHeads
from notary.errors import AnchorRejected, AnchorUnavailable, HeadRefused
from notary.store.incidents import MOST_ACCUSATIONS, incidents
from tests.anchoring.ledger import GONE, WRONG, Ledger, finished
from tests.rig import ORIGIN


@pytest.mark.parametrize("method", ["attested_size", "first_nonce", "sign", "send"])
def test_an_authority_that_does_not_answer_leaves_it_where_it_is(log, ledger, step, method):
    size = log.close()
    ledger.errors[method] = GONE
    for _ in range(3):
        with pytest.raises(AnchorUnavailable, match="the node does not answer"):
            step()
        found = log.one()
        assert (found.size, found.detail) == (size, "the node does not answer")
        assert found.state == ("signed" if method == "send" else "due")
        assert ledger.wire == []
    del ledger.errors[method]
    step()
    assert (log.one().state, log.one().detail) == ("sent", "")
    assert len(log.attempts(log.one())) == 1


@pytest.mark.parametrize("method", ["attested_size", "first_nonce", "sign", "send"])
def test_an_answer_that_says_nothing_of_the_head_is_shown_and_asked_for_again(log, ledger, step, method):
    log.close()
    ledger.errors[method] = WRONG
    for _ in range(3):
        with pytest.raises(AnchorRejected, match="the node is of chain 1"):
            step()
        assert log.one().detail == "the node is of chain 1, not 31337"
        assert log.one().state == ("signed" if method == "send" else "due")
    del ledger.errors[method]
    finished(ledger, step)
    assert (log.one().state, len(log.all())) == ("final", 1)


@pytest.mark.parametrize("state", ["sent", "mined"])
@pytest.mark.parametrize("error", [GONE, WRONG])
def test_looking_in_vain_changes_nothing_but_what_is_said(log, ledger, step, state, error):
    log.close()
    step()
    if state == "mined":
        ledger.mine()
        step()
    before = log.one()
    assert before.state == state
    ledger.errors["observe"] = error
    log.wait(5)
    for _ in range(2):
        with pytest.raises(type(error), match="the node"):
            step()
        assert log.one() == replace(before, detail=str(error))
    ledger.errors.clear()
    step()
    assert log.one() == before
    ledger.mine()
    ledger.finalize()
    step()
    assert log.one().state == "final"


def test_a_long_reason_is_cut(log, ledger, step):
    log.close()
    ledger.errors["attested_size"] = AnchorRejected("x" * 1000)
    with pytest.raises(AnchorRejected, match="xxx"):
        step()
    assert log.one().detail == "x" * 300


def test_a_head_that_would_be_refused_is_rejected_and_tried_again_after_the_interval(log, ledger, step):
    size = log.close()
    ledger.errors["sign"] = HeadRefused("tried before signing: insufficient funds")
    for _ in range(3):  # once is not enough: the step must be seen to fail until there is another word
        with pytest.raises(AnchorRejected, match="insufficient funds"):
            step()
    (found,) = log.all()
    assert (found.state, found.detail) == ("rejected", "tried before signing: insufficient funds")
    assert told(log) == []
    ledger.errors.clear()
    log.wait()
    finished(ledger, step)
    assert log.states() == [(size, "rejected"), (size, "final")]
    assert [head.size for _, head, _ in ledger.mined] == [size]


def test_a_transaction_that_reverted_is_rejected_and_its_nonce_is_not_used_again(log, ledger, step):
    log.close()
    step()
    ledger.reverts = True
    for _ in range(3):
        with pytest.raises(AnchorRejected, match="the transaction reverted"):
            step()
    assert (log.one().state, log.one().detail) == ("rejected", "the transaction reverted")
    ledger.reverts = False
    ledger.pool.clear()
    ledger.mined, ledger.first = [], ledger.first + 1  # it counts all the same
    later = log.close()
    log.wait()
    step()
    assert [item.state for item in log.all()] == ["rejected", "sent"]
    assert log.attempts(log.newest())[0].nonce == 6
    ledger.mine()
    ledger.finalize()
    step()
    assert log.states()[-1] == (later, "final")
    ledger.first = 5  # for the check at the end


def test_an_authority_that_is_ahead_rejects_with_a_reason_and_the_next_newer_head_is_anchored(
    log, ledger, step
):
    old = log.close()
    log.advance(ledger)._plan()
    newer = log.close()
    other = Ledger(log.rig.database, name="other")
    log.advance(other).step()
    other.mine()
    ledger.mined, ledger.first = list(other.mined), 4  # somebody else had our newer head anchored
    with pytest.raises(AnchorRejected, match=f"already holds a head of size {newer}"):
        step()
    assert told(log) == []
    assert (log.one().size, log.one().state) == (old, "rejected")
    assert log.one().detail == f"the authority already holds a head of size {newer}"
    assert (ledger.wire, log.attempts(log.one())) == ([], [])
    newest = log.close()
    with pytest.raises(AnchorRejected, match="already holds"):
        step()
    assert len(log.all()) == 1
    log.wait()
    step()
    assert log.states() == [(old, "rejected"), (newest, "sent")]
    assert log.attempts(log.newest())[0].nonce == 5
    ledger.first = 5  # for the check at the end


def told(log):
    with log.rig.database.reading() as connection:
        return [(incident.kind, incident.subject) for incident in incidents(connection)]


def test_a_head_of_a_size_of_ours_with_another_root_is_an_incident(log, ledger, step):
    size = log.close()
    log.close()
    fork = Head(ORIGIN, size, b"\x07" * 32, b"")
    ledger.mined, ledger.first = [(Attempt(bytes(32), b"stolen", 4, "0xthief"), fork, 1)], 4
    ledger.errors["sign"] = HeadRefused("the head does not extend the one on chain")
    with pytest.raises(AnchorRejected, match="does not extend"):
        step()
    assert told(log) == [("foreign_head", f"{size} {'07' * 32}")]
    ledger.mined, ledger.first = [], 5  # for the check at the end


@pytest.mark.parametrize("ahead", [-1, 0, 1])
def test_a_head_at_the_authority_that_is_not_ours_is_an_incident(log, ledger, step, ahead):
    size = log.close(3)
    fork = Head(ORIGIN, size + ahead, b"\x07" * 32, b"")
    ledger.mined, ledger.first = [(Attempt(bytes(32), b"stolen", 4, "0xthief"), fork, 1)], 4
    for _ in range(2):
        with pytest.raises(AnchorRejected, match=r"already holds|no checkpoint"):
            step()
        log.wait()
    assert told(log) == [("foreign_head", f"{size + ahead} {'07' * 32}")]
    ledger.mined, ledger.first = [], 5  # for the check at the end


def test_of_foreign_heads_without_end_the_first_are_kept_and_each_is_told(log):
    size = log.close()
    with structlog.testing.capture_logs() as logs:
        for ahead in range(MOST_ACCUSATIONS + 4):
            fork = Head(ORIGIN, size + 2 + ahead, b"\x07" * 32, b"")
            look_for_fork(log.rig.database, Holding(fork), log.head, fork.size, log.rig.clock())
            look_for_fork(log.rig.database, Holding(fork), log.head, fork.size, log.rig.clock())
    assert [kind for kind, _ in told(log)] == ["foreign_head"] * MOST_ACCUSATIONS
    said = [line["detail"] for line in logs if line["log_level"] == "critical"]
    assert len(set(said)) == MOST_ACCUSATIONS + 4


def test_a_foreign_head_of_a_size_that_no_database_can_number_is_kept_too(log):
    log.close()
    for size in (2**63, 2**64 - 1):
        fork = Head(ORIGIN, size, b"\x07" * 32, b"")
        look_for_fork(log.rig.database, Holding(fork), log.head, size, log.rig.clock())
    assert told(log) == [("foreign_head", f"{size} {'07' * 32}") for size in (2**63, 2**64 - 1)]


class Holding(KeepsNoHeads):
    """An authority that holds this head."""

    name = "ledger"

    def __init__(self, head):
        self.head = head

    def held_root(self, size):
        return self.head.root if size == self.head.size else None


def test_what_was_mined_though_it_was_said_to_have_reverted_is_found(log, ledger, step):
    size = log.close()
    step()
    ledger.reverts = True  # the first node lies
    with pytest.raises(AnchorRejected, match="reverted"):
        step()
    ledger.reverts = False
    ledger.mine()
    ledger.finalize()
    log.wait()
    step()
    assert log.states() == [(size, "rejected"), (size, "final")]
    assert log.attempts(log.newest()) == []
