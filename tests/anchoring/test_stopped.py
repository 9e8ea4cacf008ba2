"""What is known of wallets that do not anchor is stored, and every process shows what is stored."""

import pytest

from notary.anchoring.sending import tell_stopped
from notary.errors import LaneStopped
from notary.observe import INCIDENTS, LANE_STOPPED
from notary.store import stopped
from notary.store.incidents import FOREIGN_NONCE, incidents
from tests.anchoring.ledger import Ledger, finished

EMPTY = LaneStopped("wallet holds 0 wei")


def shown(lane):
    return LANE_STOPPED.labels("ledger", lane)._value.get()


def stored(log):
    with log.rig.database.reading() as connection:
        return stopped.stopped_lanes(connection, "ledger")


@pytest.fixture
def first(log):
    LANE_STOPPED.clear()
    return Ledger(log.rig.database, lane="0xfirst")


@pytest.fixture
def second(log):
    return Ledger(log.rig.database, lane="0xsecond")


@pytest.fixture
def advance(log, first, second):
    return log.advance(first, reserves=[second])


def test_a_process_that_starts_shows_what_the_one_before_it_found(log, first, second, advance):
    first.errors["sign"] = second.errors["sign"] = EMPTY
    log.close()
    with pytest.raises(LaneStopped, match="holds 0 wei"):
        advance.step()
    assert stored(log) == {"0xfirst": "wallet holds 0 wei", "0xsecond": "wallet holds 0 wei"}
    LANE_STOPPED.clear()  # as in another process
    log.advance(first, reserves=[second]).show()
    assert (shown("0xfirst"), shown("0xsecond")) == (1, 1)


def test_a_process_that_led_before_shows_no_longer_what_is_over(log, first, advance):
    log.close()
    finished(first, advance.step)
    LANE_STOPPED.labels("ledger", "0xfirst").set(1)  # what it had found
    LANE_STOPPED.labels("ledger", "0xgone").set(1)  # of a wallet that was taken out of the settings
    LANE_STOPPED.labels("other", "0xfirst").set(1)
    advance.show()
    assert (shown("0xfirst"), shown("0xgone")) == (0, 0)
    assert LANE_STOPPED.labels("other", "0xfirst")._value.get() == 1


def test_a_reserve_that_is_not_asked_any_more_is_not_stopped_any_more(log, first, second, advance):
    first.errors["sign"] = second.errors["sign"] = EMPTY
    log.close()
    with pytest.raises(LaneStopped, match="holds 0 wei"):
        advance.step()
    assert (shown("0xfirst"), shown("0xsecond")) == (1, 1)
    log.wait(1)
    first.errors.clear()
    advance.step()  # for the same head: of the reserve it is still so
    assert (shown("0xfirst"), shown("0xsecond")) == (0, 1)
    first.mine()
    first.finalize()
    advance.step()
    log.wait()
    log.close()
    advance.step()
    assert (log.newest().state, shown("0xfirst"), shown("0xsecond"), stored(log)) == ("sent", 0, 0, {})


def test_a_wallet_that_is_passed_over_again_and_again_stays_stopped(log, first, second, advance):
    first.errors["sign"] = EMPTY
    for name in ("send", "observe", "attested_size"):  # one chain, which the first wallet's anchor looks at
        setattr(first, name, getattr(second, name))
    for _ in range(2):
        log.close()
        log.wait()
        finished(second, advance.step)
        assert (log.newest().state, shown("0xfirst"), shown("0xsecond")) == ("final", 1, 0)


def test_a_second_theft_from_the_same_wallet_is_an_incident_of_its_own(log):
    def count():
        return INCIDENTS.labels("ledger", FOREIGN_NONCE)._value.get()

    before = count()
    for nonce in (5, 5, 9):
        error = LaneStopped(f"nonce {nonce} went to another transaction", foreign=True, nonce=nonce)
        tell_stopped(log.rig.database, "ledger", "0xfirst", error, log.rig.clock())
    tell_stopped(log.rig.database, "ledger", "0xfirst", EMPTY, log.rig.clock())  # nobody's theft
    with log.rig.database.reading() as connection:
        assert [(each.subject, each.detail) for each in incidents(connection)] == [
            ("0xfirst 5", "nonce 5 went to another transaction"),
            ("0xfirst 9", "nonce 9 went to another transaction"),
        ]
    assert count() == before + 2


def test_a_wallet_whose_attempt_failed_in_its_block_is_not_stopped(log, first, second, advance):
    log.close()
    second.salt = 7  # other bytes
    advance.step()
    for failed in (True, False):
        error = LaneStopped("nonce 5 went to a transaction of ours, which failed", failed=failed)
        first.errors["send"] = error  # of every wallet's: one chain
        log.wait(31)
        with pytest.raises(LaneStopped, match="of ours, which failed"):
            advance.step()
        assert [each.lane for each in log.attempts(log.one())] == ["0xfirst", "0xsecond"]
        assert ("0xfirst" in stored(log), shown("0xfirst")) == (not failed, not failed)
