"""What a log says of its keys: which one signs at which size, and what may be said after what."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from notary.errors import FormatError
from notary.evidence.bodies import KeyChange
from notary.evidence.key_history import HEAD, LOG, RECEIPT, KeyEvent, KeyHistory, problems
from notary.evidence.note import Verifier
from notary.evidence.receipt import receipt_key_name
from tests.rig import GENESIS, LOG_VERIFIER, ORIGIN, RECEIPT_VERIFIER

EMPTY = KeyHistory(GENESIS)
ONE, TWO, THREE = (Verifier(ORIGIN, bytes([n]) * 32).vkey for n in (1, 2, 3))
ADDRESS = "0x" + "33" * 20


def day(number):
    return datetime(2026, 3, number, tzinfo=UTC)


def said(*events):
    """(action, key, size, index, role, until) of each; the time is the day of its number."""
    found = []
    for at, (action, key, size, index, *more) in enumerate(events, 1):
        role, until = (*more, None, None)[:2]
        found.append(KeyEvent(KeyChange(role or LOG, action, key, size), index, day(at), until))
    return KeyHistory(GENESIS, tuple(found))


def test_a_log_that_says_nothing_has_the_keys_of_entry_0():
    assert EMPTY.in_force(LOG) == LOG_VERIFIER.vkey == EMPTY.in_force(LOG, 0)
    assert (EMPTY.verifiers(LOG), EMPTY.verifiers(RECEIPT)) == ((LOG_VERIFIER,), (RECEIPT_VERIFIER,))
    assert EMPTY.keys(HEAD) == (GENESIS.head_key,)
    assert EMPTY.unfinished(LOG) is None


def test_the_newest_key_of_the_log_signs_behind_the_checkpoint_with_its_statement():
    history = said(("added", ONE, None, 5), ("retired", LOG_VERIFIER.vkey, 7, 9))
    assert [history.in_force(LOG, size) for size in (5, 6, 9, 10)] == [LOG_VERIFIER.vkey, ONE, ONE, ONE]
    first, second = history.periods(LOG)
    assert (first.since, first.until, first.size, first.last_good_size) == (None, day(2), 7, None)
    assert (second.since, second.until) == (day(1), None)
    assert said(("added", ONE, None, 5)).unfinished(LOG) == LOG_VERIFIER.vkey


def test_the_old_head_key_signs_until_its_end_is_said():
    history = said(("added", ADDRESS, None, 5, HEAD), ("retired", GENESIS.head_key, None, 9, HEAD))
    assert [history.in_force(HEAD, size) for size in (6, 9, 10)] == [
        GENESIS.head_key,
        GENESIS.head_key,
        ADDRESS,
    ]


def test_what_waits_for_its_place_is_in_force_nowhere_and_may_not_be_said_twice():
    history = said(("added", ONE, None, None))
    assert history.keys(LOG) == (LOG_VERIFIER.vkey,)
    with pytest.raises(FormatError, match="the log key before the newest one has not ended yet"):
        history.check(KeyChange(LOG, "added", TWO, None))


def test_the_end_of_a_key_that_the_log_never_had_ends_none():
    for action in ("retired", "compromised"):
        history = said((action, TWO, 3, 1), ("added", ONE, None, 2))
        assert [(period.key, period.ended) for period in history.periods(LOG)] == [
            (LOG_VERIFIER.vkey, False),
            (ONE, False),
        ]
        assert list(problems(history)) == [f"key statement 1: {TWO} is no log key of this log"]


def test_of_several_ends_the_earliest_and_the_smallest_counts():
    history = said(
        ("added", ONE, None, 1),
        ("retired", LOG_VERIFIER.vkey, 9, 2),
        ("compromised", LOG_VERIFIER.vkey, 5, 3, LOG, datetime(2026, 2, 1, tzinfo=UTC)),
        ("compromised", LOG_VERIFIER.vkey, 4, 4),
    )
    period = history.periods(LOG)[0]
    assert (period.until, period.last_good_size) == (datetime(2026, 2, 1, tzinfo=UTC), 4)
    assert list(problems(history)) == []


ROTATED = (("added", ONE, None, 1), ("retired", LOG_VERIFIER.vkey, 9, 2))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (KeyChange(LOG, "retired", TWO, None), "is no log key of this log"),
        (KeyChange(LOG, "retired", ONE, None), "is the newest log key: add another one first"),
        (KeyChange(LOG, "compromised", ONE, 3), "is the newest log key: add another one first"),
        (KeyChange(LOG, "retired", LOG_VERIFIER.vkey, 9), "has ended already"),
        (KeyChange(LOG, "compromised", LOG_VERIFIER.vkey, None), "needs the last tree size"),
        (KeyChange(LOG, "compromised", LOG_VERIFIER.vkey, 10), "is good up to size 9, and not up to 10"),
        (KeyChange(LOG, "added", TWO, 3), "has signed nothing yet"),
        (KeyChange(LOG, "added", RECEIPT_VERIFIER.vkey, None), f"has the name '{ORIGIN}'"),
        (KeyChange(RECEIPT, "added", TWO, None), f"has the name '{receipt_key_name(ORIGIN)}'"),
        (KeyChange(LOG, "added", ONE, None), "was or is a key of this log already"),
        (KeyChange(LOG, "added", Verifier(ORIGIN, RECEIPT_VERIFIER.public).vkey, None), "was or is a key"),
        (KeyChange(HEAD, "added", GENESIS.head_key, None), "was or is a key"),
    ],
)
def test_what_may_not_be_said(change, reason):
    history = said(*ROTATED)
    with pytest.raises(FormatError, match=reason):
        history.check(change)
    told = replace(history, events=(*history.events, KeyEvent(change, 3, day(3))))
    assert [reason in problem for problem in problems(told)] == [True]
    history.check(KeyChange(LOG, "added", TWO, None))  # control


def test_nobody_had_a_key_before_it_came_into_force():
    history = said(*ROTATED, ("added", TWO, None, 3))
    theft = KeyChange(LOG, "compromised", ONE, 3)
    with pytest.raises(FormatError, match="came into force after others are said to have had it"):
        history.check(theft, day(1) - timedelta(seconds=1))
    history.check(theft, day(1))  # control
