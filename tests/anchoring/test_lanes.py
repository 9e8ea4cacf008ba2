"""Nonces: without a gap, one for one transaction, and only ours."""

import pytest

from notary.errors import AnchorRejected, AnchorUnavailable, Fatal, LaneStopped, NotReady
from notary.store import anchorings, outbox
from notary.store.incidents import CONTRADICTED, add_incident, incidents
from tests.anchoring.ledger import GONE, Ledger, finished


def test_the_first_nonce_is_the_chains_and_later_ones_are_ours(log, ledger, step):
    for number in range(3):
        log.close()
        log.wait()
        finished(ledger, step)
        assert log.attempts(log.newest())[0].nonce == 5 + number
    with log.rig.database.reading() as connection:
        assert outbox.next_nonce(connection, "ledger", ledger.lane) == 8


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
            outbox.set_nonce(connection, "ledger", ledger.lane, 6, 7)
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
    with pytest.raises(NotReady, match="is sent, not due: another process moved it"):
        step()
    assert (log.one().state, len(ledger.wire), len(log.attempts(log.one()))) == ("sent", 1, 1)


@pytest.fixture
def lost(log, ledger, step):
    """The first of two wallets has lost a transaction of an anchoring that is final, and has a new head to anchor."""
    log.close()
    finished(ledger, step)
    ledger.reorg()
    ledger.pool.clear()
    log.close()
    log.wait()


def test_where_a_lost_transaction_is_not_taken_again_the_next_wallet_pays(log, ledger, lost):
    reserve = Ledger(log.rig.database, lane="0xreserve")
    ledger.errors["send"] = GONE  # as where its fee is too low by now
    with pytest.raises(AnchorUnavailable, match="does not answer"):  # of the sending by the first one's node
        log.advance(ledger, reserves=[reserve]).step()
    assert log.newest().state == "signed"
    assert [attempt.lane for attempt in log.attempts(log.newest())] == ["0xreserve"]


def test_the_only_wallet_says_what_became_of_a_lost_transaction(log, ledger, step, lost):
    ledger.errors["send"] = GONE
    with pytest.raises(
        AnchorUnavailable,
        match=r"5 on chain and 6 here: .*; the transactions between: the node does not answer",
    ):
        step()
    assert log.newest().state == "due"


def test_a_lost_transaction_that_waits_too_long_is_made_again_for_more(log, ledger, step, lost):
    final = log.all()[0]
    ledger.dear = True
    with pytest.raises(AnchorUnavailable, match="were sent again"):
        step()
    first, second = log.attempts(final)
    assert (first.nonce, second.nonce) == (5, 5)
    assert ledger.wire == [first.raw, second.raw]
    ledger.mine()
    step()
    assert (log.newest().state, log.attempts(log.newest())[0].nonce) == ("sent", 6)


def test_a_lost_transaction_that_may_not_be_paid_more_for_is_sent_as_it_was(log, ledger, step, lost):
    ledger.errors["replacement"] = LaneStopped("wallet 0xledger may spend 0 wei more today")
    with pytest.raises(AnchorUnavailable, match="were sent again"):
        step()
    assert ledger.wire == [log.attempts(log.all()[0])[0].raw] * 2


def test_a_lost_transaction_that_cannot_be_made_again_is_sent_as_it_was(log, ledger, step, lost):
    ledger.errors["replacement"] = AnchorUnavailable("the chain asks for more than max_fee_gwei allows")
    with pytest.raises(AnchorUnavailable, match="were sent again"):
        step()
    assert ledger.wire == [log.attempts(log.all()[0])[0].raw] * 2


def reserve_pays(log, ledger):
    """A transaction of the second wallet is under way after two anchors of it, as the first one's is stopped."""
    reserve = Ledger(log.rig.database, first=0, lane="0xreserve")
    ledger.errors["sign"] = LaneStopped("wallet 0xledger holds 0 wei")
    own = {name: getattr(reserve, name) for name in ("send", "observe", "attested_size")}
    for name, method in own.items():
        setattr(ledger, name, method)  # one chain, which the first wallet's anchor looks at
    return reserve, log.advance(ledger, reserves=[reserve]).step


def test_what_the_chain_lost_of_a_second_wallet_is_sent_again_too(log, ledger):
    reserve, step = reserve_pays(log, ledger)
    for _ in range(2):
        log.close()
        log.wait()
        finished(reserve, step)
    log.close()
    log.wait()
    step()
    assert [attempt.lane for attempt in log.attempts(log.newest())] == ["0xreserve"]
    reserve.reorg(2)
    reserve.pool.clear()
    log.wait(31)
    step()
    assert reserve.wire[3:] == reserve.wire[:3]
    reserve.mine()
    reserve.finalize()
    step()
    assert [item.state for item in log.all()] == ["final"] * 3


def test_a_lost_transaction_whose_nonce_went_to_somebody_else_lets_the_next_wallet_pay(log, ledger, step):
    log.close()
    finished(ledger, step)
    log.close()
    log.wait()
    step()
    ledger.reorg()
    ledger.pool.clear()
    sent = len(ledger.wire)

    def refuse(head, attempt):
        ledger.wire.append(attempt.raw)
        raise LaneStopped(f"nonce {attempt.nonce} went to another transaction", foreign=True)

    ledger.send = refuse
    log.wait(31)
    with pytest.raises(LaneStopped, match="nonce 5 went to another"):
        step()
    assert len(ledger.wire) == sent + 1
    with log.rig.database.reading() as connection:
        assert [incident.detail for incident in incidents(connection)] == [
            "nonce 5 went to another transaction"
        ]


def test_an_attempt_for_what_another_process_gave_up_is_not_stored(log, ledger, step):
    log.close()

    def slow(*given):
        made = Ledger.sign(ledger, *given)
        with log.rig.database.writing() as connection:
            anchorings.move(connection, log.one().id, "due", "rejected", log.rig.clock())
        return made

    ledger.sign = slow
    with pytest.raises(NotReady, match="is rejected, not due: another process moved it"):
        step()
    assert (log.attempts(log.one()), ledger.wire) == ([], [])


def test_an_attempt_of_another_wallet_for_what_is_over_is_not_stored(log, ledger, step):
    log.close()
    step()
    item = log.one()
    reserve = Ledger(log.rig.database, lane="0xreserve")
    with log.rig.database.writing() as connection:
        anchorings.move(connection, item.id, "sent", "rejected", log.rig.clock())
    paying = log.advance(ledger, reserves=[reserve])._paying
    with pytest.raises(NotReady, match="is rejected, not sent: another process moved it"):
        paying.take_over(item, log.head(item.size))
    assert [attempt.lane for attempt in log.attempts(item)] == [ledger.lane]


def test_what_is_signed_between_the_two_counts_accuses_nobody(log, ledger, step):
    log.close()
    finished(ledger, step)
    log.close()
    log.wait()
    count = ledger.first_nonce

    def meanwhile():
        del ledger.first_nonce
        found = count()
        finished(ledger, log.advance(ledger).step)  # another process, until it is mined
        return found

    ledger.first_nonce = meanwhile
    with pytest.raises(AnchorUnavailable, match="6 on chain and 7 here"):
        step()
    with log.rig.database.reading() as connection:
        assert incidents(connection) == []


def test_who_paid_for_an_earlier_anchoring_of_the_head_takes_over_as_anybody(log, ledger, step):
    log.close()
    reserve, reserved = reserve_pays(log, ledger)
    reserved()
    reserve.mine()
    reserve.finalize()
    reserved()
    final = log.one()
    assert final.state == "final"
    with log.rig.database.writing() as connection:
        add_incident(connection, CONTRADICTED, "ledger", str(final.id), "replaced", log.rig.clock())
    reserve.reorg()
    ledger.errors.clear()
    del ledger.send, ledger.observe, ledger.attested_size
    step()
    item = log.newest()
    assert [attempt.lane for attempt in log.attempts(item)] == [ledger.lane]
    reserve.pool.clear()
    with log.rig.database.reading() as connection:
        old = outbox.next_nonce(connection, "ledger", reserve.lane)
    assert old == 1
    reserve.first = 1
    assert log.advance(ledger, reserves=[reserve])._paying.take_over(item, log.head(item.size))
    assert [attempt.lane for attempt in log.attempts(item)] == [ledger.lane, reserve.lane]
    ledger.errors.clear()


def test_what_is_mined_is_not_made_again_for_a_node_that_counts_wrong(log, ledger, step):
    log.close()
    finished(ledger, step)
    log.close()
    log.wait()
    ledger.dear = True
    ledger.first_nonce = lambda: 5
    with pytest.raises(AnchorUnavailable, match="5 on chain and 6 here"):
        step()
    assert len(log.attempts(log.all()[0])) == 1
