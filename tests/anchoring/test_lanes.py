"""Nonces: without a gap, one for one transaction, and only ours."""

import pytest

from notary.errors import AnchorRejected, AnchorUnavailable, Fatal
from notary.store import anchorings
from tests.anchoring.ledger import Ledger, finished


def test_the_first_nonce_is_the_chains_and_later_ones_are_ours(log, ledger, step):
    for number in range(3):
        log.close()
        log.wait()
        finished(ledger, step)
        assert log.attempts(log.newest())[0].nonce == 5 + number
    with log.rig.database.reading() as connection:
        assert anchorings.next_nonce(connection, "ledger", ledger.lane) == 8


def test_a_foreign_transaction_stops_the_lane_and_says_so(log, ledger, step):
    log.close()
    finished(ledger, step)
    ledger.foreign = 2
    log.close()
    log.wait()
    for _ in range(3):
        with pytest.raises(AnchorRejected, match="somebody else uses its key"):
            step()
        found = log.newest()
        assert (found.state, log.attempts(found)) == ("due", [])
        assert found.detail == (
            "the wallet's next nonce is 8 on chain and 6 here: somebody else uses its key"
        )
    assert len(ledger.wire) == 1


def test_a_nonce_that_went_to_another_transaction_stops_the_lane_too(log, ledger, step):
    log.close()
    step()
    ledger.pool.clear()
    ledger.errors["send"] = AnchorRejected("nonce 5 went to another transaction")
    log.wait(31)
    for _ in range(2):
        with pytest.raises(AnchorRejected, match="nonce 5 went to another"):
            step()
        assert (log.one().state, log.one().detail) == ("sent", "nonce 5 went to another transaction")
    # It was the node that lagged behind.
    ledger.errors.clear()
    step()
    ledger.mine()
    ledger.finalize()
    step()
    assert log.one().state == "final"


def test_transactions_that_the_chain_lost_are_sent_again_before_anything_is_signed(log, ledger, step):
    for _ in range(3):
        log.close()
        log.wait()
        finished(ledger, step)
    finals = log.all()
    ledger.reorg(2)  # what must never happen, and does on a local chain after a power cut
    log.close()
    log.wait()
    with pytest.raises(AnchorUnavailable, match=r"next nonce is 6 on chain and 8 here: .* were sent again"):
        step()
    found = log.newest()
    assert (found.state, found.detail[:38]) == ("due", "the wallet's next nonce is 6 on chain ")
    assert ledger.wire[3:] == ledger.wire[1:3]
    ledger.mine()
    finished(ledger, step)
    assert log.all()[:3] == finals
    assert log.newest().state == "final"
    assert [head.size for _, head, _ in ledger.mined] == [item.size for item in log.all()]


def test_transactions_that_the_chain_lost_do_not_hold_up_the_one_under_way(log, ledger, step):
    for _ in range(2):
        log.close()
        log.wait()
        finished(ledger, step)
    log.close()
    log.wait()
    step()
    ledger.reorg(2)
    ledger.pool.clear()
    log.wait(31)
    step()
    assert ledger.wire[3:] == ledger.wire[:3]
    ledger.mine()
    ledger.finalize()
    step()
    assert [item.state for item in log.all()] == ["final"] * 3


def test_another_process_on_the_same_lane_is_fatal_and_nothing_is_sent(log, ledger, step):
    log.close()
    finished(ledger, step)
    log.close()
    log.wait()

    def meanwhile(head, nonce, consistency, old_size):
        with log.rig.database.writing() as connection:
            anchorings.set_nonce(connection, "ledger", ledger.lane, 6, 7)
        return Ledger.sign(ledger, head, nonce, consistency, old_size)

    ledger.sign = meanwhile
    with pytest.raises(Fatal, match="the nonces of 'ledger' are not at 6: another process signs"):
        step()
    assert (log.newest().state, log.attempts(log.newest()), len(ledger.wire)) == ("due", [], 1)


def test_whoever_is_overtaken_between_signature_and_commit_sends_nothing(log, ledger, step):
    log.close()

    def slow(*given):
        del ledger.sign
        made = ledger.sign(*given)
        log.advance(ledger).step()
        return made

    ledger.sign = slow
    with pytest.raises(Fatal, match="the nonces of 'ledger' are not at None: another process signs"):
        step()
    assert (log.one().state, len(ledger.wire), len(log.attempts(log.one()))) == ("sent", 1, 1)
