"""Transactions that stay unmined, or could not be sent: made again for more, sent again as they are."""

import pytest

from notary.anchoring.port import Attempt
from notary.errors import AnchorUnavailable, LaneStopped
from notary.store.incidents import incidents
from tests.anchoring.ledger import GONE, WRONG, Ledger


def test_what_stays_unmined_is_made_again_for_more_and_any_of_them_counts(log, ledger, step):
    log.close()
    step()
    ledger.dear = True
    for waited in (47, 2):
        log.wait(waited)
        step()
    first, second = log.attempts(log.one())
    assert ledger.wire == [first.raw, first.raw, second.raw]  # sent again after 30 seconds, replaced after 48
    assert second.nonce == first.nonce
    log.wait(2)
    step()
    assert len(log.attempts(log.one())) == 2
    earlier = Attempt(bytes.fromhex(first.ref), first.raw, first.nonce, first.lane)
    ledger.pool[first.nonce] = (earlier, log.head(log.one().size))  # and that one is mined
    ledger.mine()
    step()
    ledger.finalize()
    step()
    assert log.one().state == "final"
    ledger.check()


def test_three_blocks_that_leave_it_out_are_enough_and_twelve_seconds_must_pass(log, ledger, step):
    log.close()
    step()
    ledger.dear, ledger.blocks = True, 2
    for waited, blocks, attempts in ((11, 3, 1), (1, 2, 1), (0, 3, 2), (11, 3, 2), (1, 2, 2), (0, 3, 3)):
        log.wait(waited)
        ledger.blocks = blocks
        step()
        assert len(log.attempts(log.one())) == attempts, (waited, blocks)


def test_after_three_times_forty_eight_seconds_must_pass_each_time(log, ledger, step):
    log.close()
    step()
    ledger.dear, ledger.blocks = True, 3
    for waited, attempts in ((12, 2), (12, 3), (12, 4), (12, 4), (35, 4), (1, 5), (47, 5), (1, 6)):
        log.wait(waited)
        step()
        assert len(log.attempts(log.one())) == attempts, (waited, attempts)


def test_what_was_not_sent_yet_or_lost_its_block_is_left_out_by_no_block_of_before(log, ledger, step):
    log.close()
    ledger.dear, ledger.blocks = True, 3
    ledger.errors["send"] = GONE
    with pytest.raises(AnchorUnavailable, match="does not answer"):
        step()
    log.wait(20)
    ledger.errors.clear()
    step()
    assert (log.one().state, len(log.attempts(log.one()))) == ("sent", 1)
    ledger.mine()
    step()
    ledger.reorg()
    step()
    log.wait(20)
    step()
    assert (log.one().state, len(log.attempts(log.one()))) == ("sent", 1)
    log.wait(28)  # 48 seconds after it lost its block
    step()
    assert len(log.attempts(log.one())) == 2


def test_a_wallet_that_was_taken_out_is_not_taken_over_before_forty_eight_seconds(log, ledger):
    log.close()
    log.advance(ledger).step()
    other = Ledger(log.rig.database, name="ledger", lane="0xother", salt=7)
    for waited, lanes in ((20, ["0xledger"]), (28, ["0xledger", "0xother"])):
        log.wait(waited)
        log.advance(other).step()
        assert [attempt.lane for attempt in log.attempts(log.one())] == lanes


def test_what_takes_no_more_for_more_is_sent_again_as_it_was(log, ledger, step):
    log.close()
    step()
    log.wait(49)
    step()
    assert [attempt.raw for attempt in log.attempts(log.one())] * 2 == ledger.wire


def test_a_replacement_that_was_stored_and_not_sent_is_sent_as_it_is(log, ledger, step):
    log.close()
    step()
    ledger.dear = True
    log.wait(49)
    ledger.errors["send"] = GONE
    with pytest.raises(AnchorUnavailable, match="does not answer"):
        step()
    _, second = log.attempts(log.one())
    assert second.raw not in ledger.wire
    del ledger.errors["send"]
    log.wait(31)
    step()
    assert ledger.wire[-1] == second.raw
    ledger.check()


def test_what_cannot_be_replaced_is_sent_again_as_it_is(log, ledger, step):
    log.close()
    step()
    why = "the chain asks for 9 wei for a unit of gas, more than max_fee_gwei allows (8)"
    ledger.errors["replacement"] = AnchorUnavailable(why)
    log.wait(49)
    step()
    assert ledger.wire == [log.attempts(log.one())[0].raw] * 2
    assert log.one().detail == why
    log.wait(5)
    step()
    assert (len(ledger.wire), log.one().detail) == (2, why)  # not sent again, and said all the same
    ledger.errors["replacement"] = WRONG  # an answer of another form
    log.wait(31)
    step()
    assert (len(ledger.wire), log.one().detail) == (3, str(WRONG))
    ledger.mine()
    step()
    assert log.one().state == "mined"


def test_what_could_not_be_sent_for_long_is_replaced_before_it_is(log, ledger, step):
    log.close()
    ledger.errors["send"] = GONE
    with pytest.raises(AnchorUnavailable, match="does not answer"):
        step()
    assert log.one().state == "signed"
    ledger.errors.clear()
    ledger.dear = True
    log.wait(49)
    step()
    first, second = log.attempts(log.one())
    assert ledger.wire == [second.raw]
    assert first.nonce == second.nonce
    ledger.check()


def test_of_replaced_transactions_that_the_chain_lost_the_last_is_sent_again(log, ledger, step):
    log.close()
    step()
    ledger.dear = True
    log.wait(49)
    step()
    ledger.mine()
    for _ in range(2):
        step()
        ledger.finalize()
    assert log.one().state == "final"
    _, second = log.attempts(log.one())
    ledger.dear = False
    ledger.reorg()
    log.close()
    log.wait()
    with pytest.raises(AnchorUnavailable, match="were sent again"):
        step()
    assert ledger.wire[-1] == second.raw
    assert len(ledger.wire) == 3


def accused(log):
    with log.rig.database.reading() as connection:
        return [incident.detail for incident in incidents(connection)]


def test_what_was_mined_while_a_later_one_was_made_counts_and_nobody_is_accused(log, ledger, step):
    log.close()
    step()
    ledger.dear = True
    log.wait(49)
    make = ledger.replacement

    def meanwhile(attempts, since, blocks):
        better = make(attempts, since, blocks)
        ledger.mine()
        return better

    ledger.replacement = meanwhile
    step()
    assert (log.one().state, len(log.attempts(log.one()))) == ("mined", 2)
    ledger.finalize()
    step()
    assert (log.one().state, accused(log)) == ("final", [])


def test_what_was_mined_after_its_answer_was_lost_is_found_though_a_later_one_is_stored(log, ledger, step):
    log.close()
    send = ledger.send

    def lost(head, attempt):
        send(head, attempt)
        raise GONE

    ledger.send = lost
    with pytest.raises(AnchorUnavailable, match="does not answer"):
        step()
    ledger.dear = True
    ledger.send = send
    ledger.errors["send"] = GONE
    log.wait(49)
    with pytest.raises(AnchorUnavailable, match="does not answer"):
        step()
    assert (log.one().state, len(log.attempts(log.one()))) == ("signed", 2)
    ledger.errors.clear()
    ledger.mine()
    ledger.finalize()
    log.wait(5)
    step()
    assert (log.one().state, accused(log)) == ("final", [])


def test_a_lost_transaction_of_which_an_earlier_one_is_mined_meanwhile_accuses_nobody(log, ledger, step):
    log.close()
    step()
    ledger.dear = True
    log.wait(49)
    step()
    ledger.mine()
    step()
    ledger.finalize()
    step()
    first, _ = log.attempts(log.one())
    size = log.one().size
    ledger.reorg()
    send = ledger.send

    def meanwhile(head, attempt, *others):
        earlier = Attempt(bytes.fromhex(first.ref), first.raw, first.nonce, first.lane)
        ledger.pool[first.nonce] = (earlier, log.head(size))
        ledger.mine()
        return send(head, attempt, *others)

    ledger.send = meanwhile
    log.close()
    log.wait()
    with pytest.raises(AnchorUnavailable, match="were sent again"):
        step()
    assert accused(log) == []
    ledger.send = send
    step()
    assert log.newest().state == "sent"


def test_what_was_made_by_a_clock_that_was_ahead_is_replaced_after_a_block_of_now(log, ledger, step):
    log.wait(86400)
    log.close()
    step()
    log.wait(-86400)
    asked = []
    ledger.replacement = lambda _attempts, since, blocks: asked.append((since, blocks))
    step()
    assert asked == [(log.rig.clock(), 1)]


def test_what_keeps_another_wallet_from_taking_over_keeps_nothing_stored_from_being_sent(log, ledger):
    reserve = Ledger(log.rig.database, lane="0xreserve")
    step = log.advance(ledger, reserves=[reserve]).step
    log.close()
    step()
    ledger.errors["replacement"] = LaneStopped("wallet 0xledger may spend 0 wei more today")
    for number, error in enumerate((GONE, WRONG), 2):
        reserve.errors["first_nonce"] = error
        log.wait(49)
        step()
        assert ledger.wire == [log.attempts(log.one())[0].raw] * number
        assert log.one().detail == "wallet 0xledger may spend 0 wei more today"
    ledger.mine()
    step()
    assert log.one().state == "mined"


def test_what_keeps_another_wallet_from_paying_for_one_that_was_taken_out_is_said(log, ledger):
    log.close()
    log.advance(ledger).step()
    other = Ledger(log.rig.database, name="ledger", lane="0xother", salt=7, first=0)
    other.errors["first_nonce"] = GONE
    other.send = ledger.send  # one chain
    log.wait(49)
    log.advance(other).step()
    assert ledger.wire == [log.attempts(log.one())[0].raw] * 2
    assert log.one().detail == str(GONE)
