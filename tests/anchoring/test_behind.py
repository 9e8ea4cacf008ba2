"""An endpoint that calls final what the others do not, for long, is told."""

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from notary.anchoring.behind import Behind
from notary.anchoring.poll import newest_finalized
from notary.anchoring.quorum import Quorum
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected
from notary.observe import RPC_BEHIND

MINUTE = timedelta(minutes=1)


class Clock:
    def __init__(self):
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def behind(clock):
    return Behind(7, clock)


def waited(place, chain_id=7):
    return RPC_BEHIND.labels(str(chain_id), str(place))._value.get()


def over(clock, behind, minutes, finals):
    for _ in range(minutes):
        behind.hear(finals)
        clock.time += MINUTE
    behind.hear(finals)


def test_one_that_is_behind_for_longer_than_five_minutes_is_told_once(clock, behind):
    with capture_logs() as told:
        over(clock, behind, 5, {1: 100, 2: 90})
        behind.require_agreement()
        assert (told, waited(1), waited(2)) == ([], 0, 300)
        over(clock, behind, 3, {1: 100, 2: 90})
    said = "one endpoint calls block 100 final, endpoint 2 none after 90: one of them lags or lies"
    with pytest.raises(AnchorRejected, match=f"^{said}$"):
        behind.require_agreement()
    assert [(each["log_level"], each["detail"]) for each in told] == [("error", said)]
    behind.hear({1: 100, 2: 100})
    behind.require_agreement()
    assert waited(2) == 0


def test_honest_endpoints_that_hear_of_each_block_a_little_later_are_never_told(clock, behind):
    for number in range(60):
        over(clock, behind, 1, {1: number + 2, 2: number, 3: number + 1})
        behind.require_agreement()
        assert waited(2) <= 180


def test_one_that_stays_a_fixed_way_ahead_is_told(clock, behind):
    # Its word is the newest block, and the truth follows thirteen minutes later.
    for number in range(20):
        behind.hear({1: 1000 + 5 * number, 2: 1000 + 5 * number - 64, 3: 1000 + 5 * number - 64})
        clock.time += MINUTE
    with pytest.raises(
        AnchorRejected, match=r"endpoint 2 none after \d+, endpoint 3 none after \d+: one of them"
    ):
        behind.require_agreement()


def test_a_number_that_is_taken_back_is_nothing_to_be_behind_of(clock, behind):
    over(clock, behind, 9, {1: 2**60, 2: 50})
    with pytest.raises(AnchorRejected, match="one endpoint calls block"):
        behind.require_agreement()
    behind.hear({1: 50, 2: 50})
    behind.require_agreement()
    assert waited(2) == 0


def test_one_that_does_not_answer_is_not_waited_for_and_alone_nobody_is_behind(clock, behind):
    over(clock, behind, 9, {1: 100})
    behind.hear({})
    behind.hear({1: 101, 2: 100})
    behind.require_agreement()


def test_one_that_answers_but_now_and_then_gets_no_new_patience_and_the_alarm_stays(clock, behind):
    with capture_logs() as told:
        for minute in range(12):
            behind.hear({1: 100, 2: 90} if minute % 3 == 0 else {1: 100})
            clock.time += MINUTE
            assert bool(behind._late) == (minute >= 6)
    assert len(told) == 1
    with pytest.raises(AnchorRejected, match="endpoint 2 none after 90"):
        behind.require_agreement()
    over(clock, behind, 6, {1: 100})  # it is gone, which is told elsewhere
    behind.require_agreement()


def test_one_that_is_silent_for_long_shows_no_figure_of_long_ago(clock):
    behind = Behind(70, clock)

    def shown():
        (metric,) = RPC_BEHIND.collect()
        return {
            each.labels["endpoint"]: each.value for each in metric.samples if each.labels["chain_id"] == "70"
        }

    over(clock, behind, 4, {1: 100, 2: 90})
    assert shown() == {"1": 0, "2": 240}
    over(clock, behind, 5, {1: 100})
    assert shown() == {"1": 0, "2": 240}
    over(clock, behind, 1, {1: 100})
    assert shown() == {"1": 0}
    behind.hear({1: 100, 2: 90})
    assert set(shown()) == {"1", "2"}


def test_one_that_claims_too_much_but_now_and_then_is_told(clock, behind):
    for minute in range(9):
        behind.hear({1: 100, 2: 90} if minute % 2 == 0 else {2: 90})
        clock.time += MINUTE
    with pytest.raises(AnchorRejected, match="block 100 final, endpoint 2 none after 90"):
        behind.require_agreement()


def test_silence_alone_makes_nobody_late(clock, behind):
    behind.hear({1: 100, 2: 99})
    for minute in range(9):
        clock.time += MINUTE
        behind.hear({1: 101 + minute})
        behind.require_agreement()
    behind.hear({1: 110, 2: 100})
    behind.require_agreement()


def test_one_that_was_behind_for_a_while_and_fell_silent_is_not_late(clock, behind):
    over(clock, behind, 3, {1: 100, 2: 99})
    for _ in range(9):
        clock.time += MINUTE
        behind.hear({1: 100})
        behind.require_agreement()


def test_where_all_fell_silent_nobody_is_late(clock, behind):
    over(clock, behind, 6, {1: 100, 2: 90})
    assert behind._late == {2: 90}
    over(clock, behind, 6, {})
    behind.require_agreement()


def test_what_is_remembered_is_bounded_and_the_earliest_stays(clock, behind):
    for number in range(3000):
        behind.hear({1: number, 2: 0})
        clock.time += timedelta(seconds=1)
    assert len(behind._claims) == 1000
    assert waited(2) == 2998


class Eager(Node):
    """What is newest is final by its word."""

    def try_ask(self, method, *params):
        return super().try_ask(method, *("latest" if each == "finalized" else each for each in params))


def test_a_false_finalized_of_one_endpoint_is_told(chain, clock):
    chain.mine(9)
    newest, behind = chain.newest(), Behind(31337, clock)
    rule = Quorum((Eager(chain.url, 31337), Node(chain.url, 31337)), 2, hear=behind.hear)
    assert newest_finalized(rule).number == newest - 2  # what both hold
    behind.require_agreement()
    clock.time += 6 * MINUTE
    newest_finalized(rule)
    with pytest.raises(AnchorRejected, match=f"block {newest} final, endpoint 2 none after {newest - 2}: "):
        behind.require_agreement()
    assert waited(2, 31337) == 360
