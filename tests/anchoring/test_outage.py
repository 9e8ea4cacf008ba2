"""Two hours without the chain, or without finality: records are taken in all the while, and one anchor covers them."""

import pytest

from notary.errors import AnchorUnavailable
from tests.anchoring.ledger import GONE

MINUTE = 60
METHODS = ("attested_size", "first_nonce", "sign", "send", "observe", "replacement")


# A checkpoint and a step so often; each minute only in `make test-anchoring`.
OFTEN = pytest.mark.parametrize("minutes", [15, pytest.param(1, marks=pytest.mark.anchoring)])


def two_hours(log, each_time, minutes):
    """A checkpoint and a step after so many minutes each; the size of the last."""
    size = 0
    for _ in range(120 // minutes):
        size = log.close()
        each_time()
        log.wait(minutes * MINUTE)
    return size


@OFTEN
@pytest.mark.parametrize("under_way", [False, True])
def test_two_hours_of_silence_are_covered_by_one_anchor(log, ledger, step, under_way, minutes):
    if under_way:
        first = log.close()
        step()
        log.wait()
    ledger.errors.update(dict.fromkeys(METHODS, GONE))

    def fails():
        with pytest.raises(AnchorUnavailable, match="does not answer"):
            step()
        assert "does not answer" in log.newest().detail

    newest = two_hours(log, fails, minutes)
    assert (len(log.all()), len(ledger.wire)) == (1, int(under_way))
    ledger.errors.clear()
    for _ in range(12):
        step()
        ledger.mine()
        ledger.finalize()
        log.wait()
    assert {item.state for item in log.all()} == {"final"}
    # What was due or under way when it fell silent, and then the newest head, which covers all the others.
    assert [head.size for _, head, _ in ledger.mined] == [first if under_way else 2, newest]
    assert {log.attempts(item)[-1].nonce for item in log.all()} == {5, 6}


@OFTEN
def test_two_hours_without_finality_are_covered_by_one_anchor(log, ledger, step, minutes):
    def mines():
        step()
        ledger.mine()

    first = log.close()
    newest = two_hours(log, mines, minutes)
    assert log.states() == [(first + 1, "mined")]
    ledger.finalize()
    for _ in range(4):
        step()
        ledger.mine()
        ledger.finalize()
        log.wait()
    assert log.states() == [(first + 1, "final"), (newest, "final")]
