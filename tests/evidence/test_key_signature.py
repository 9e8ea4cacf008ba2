"""The log key's signature of `key` statements: over the lines of docs/formats.md §2.5, by the key in force before."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from notary.evidence.bodies import KeyChange
from notary.evidence.key_history import HEAD, LOG, RECEIPT, KeyEvent, KeyHistory
from notary.evidence.key_signature import sign_key_change, signature_problems, signer_of
from notary.evidence.note import Verifier
from tests.evidence.build import ed25519
from tests.rig import GENESIS, LOG_KEY, LOG_VERIFIER, ORIGIN

EMPTY = KeyHistory(GENESIS)
NEW_KEY = ed25519("new log key")
NEW = Verifier(ORIGIN, NEW_KEY.public_key().public_bytes_raw())
ADDRESS = "0x" + "33" * 20


def day(number):
    return datetime(2026, 3, number, tzinfo=UTC)


def after(history, change, key, *, index=None, until=None):
    """The history with one more statement, signed by this key on the day of its number."""
    time = day(len(history.events) + 1)
    signature = sign_key_change(history, change, time, until, key)
    return replace(history, events=(*history.events, KeyEvent(change, index, time, until, signature)))


ADDED = after(EMPTY, KeyChange(LOG, "added", NEW.vkey, None), LOG_KEY)
RETIRED = KeyChange(LOG, "retired", LOG_VERIFIER.vkey, 7)
COMPROMISED = KeyChange(LOG, "compromised", LOG_VERIFIER.vkey, 5)
WHOLE = after(after(ADDED, RETIRED, NEW_KEY), COMPROMISED, NEW_KEY, until=day(1))


def test_what_is_signed_are_the_nine_lines_of_the_format():
    first, second, third = WHOLE.events
    head = f"notary key statement\n{ORIGIN}\n"
    for public, event, lines in (
        (LOG_KEY, first, f"1\n2026-03-01T00:00:00Z\nlog\nadded\n{NEW.vkey}\n-\n-\n"),
        (NEW_KEY, second, f"2\n2026-03-02T00:00:00Z\nlog\nretired\n{LOG_VERIFIER.vkey}\n7\n-\n"),
        (
            NEW_KEY,
            third,
            f"3\n2026-03-03T00:00:00Z\nlog\ncompromised\n{LOG_VERIFIER.vkey}\n5\n2026-03-01T00:00:00Z\n",
        ),
    ):
        assert event.signature == public.sign((head + lines).encode())


def test_each_statement_is_signed_by_the_newest_key_before_it_waiting_or_not():
    assert (signer_of(EMPTY), signer_of(ADDED), signer_of(WHOLE)) == (LOG_VERIFIER, NEW, NEW)
    assert ADDED.keys(LOG) == (LOG_VERIFIER.vkey,)  # the statement on the new key has no place in the log yet
    assert list(signature_problems(WHOLE)) == []
    closed = replace(
        WHOLE, events=tuple(replace(event, index=3 + at) for at, event in enumerate(WHOLE.events))
    )
    assert list(signature_problems(closed)) == []  # its place is not signed: it is the log's to give


@pytest.mark.parametrize(
    "changes",
    [
        {"change": replace(COMPROMISED, role=RECEIPT)},
        {"change": replace(COMPROMISED, action="retired")},
        {"change": replace(COMPROMISED, key=NEW.vkey)},
        {"change": replace(COMPROMISED, size=6)},
        {"change": replace(COMPROMISED, size=None)},
        {"time": day(4)},
        {"until": day(2)},
        {"until": None},
        {"signature": None},
        {"signature": b""},
        {"signature": bytes(64)},
        {"signature": WHOLE.events[1].signature},
    ],
)
def test_a_statement_that_was_changed_is_named(changes):
    event = replace(WHOLE.events[2], **changes)
    told = replace(WHOLE, events=(*WHOLE.events[:2], event))
    said = f"key statement 3, {event.change.action} {event.change.key}, is not signed by {NEW.vkey}"
    assert list(signature_problems(told)) == [said]


def test_a_statement_counts_in_its_own_log_and_at_its_own_number_only():
    key = KeyChange(HEAD, "added", ADDRESS, None)
    twice = after(after(EMPTY, key, LOG_KEY), key, LOG_KEY)
    first, second = twice.events
    for events in ((second, first), (first, first)):
        told = list(signature_problems(replace(twice, events=events)))
        assert [problem.partition(",")[0] for problem in told][-1:] == ["key statement 2"]
    assert list(signature_problems(twice)) == []
    other = Verifier("log.example.org/2027", LOG_VERIFIER.public)
    moved = replace(twice, genesis=replace(GENESIS, log_key=other.vkey))
    assert len(list(signature_problems(moved))) == 2


def test_neither_the_key_that_ended_nor_the_one_that_is_added_signs():
    by_old = after(ADDED, RETIRED, LOG_KEY)
    assert list(signature_problems(by_old)) == [
        f"key statement 2, retired {LOG_VERIFIER.vkey}, is not signed by {NEW.vkey}"
    ]
    by_itself = after(EMPTY, KeyChange(LOG, "added", NEW.vkey, None), NEW_KEY)
    assert list(signature_problems(by_itself)) == [
        f"key statement 1, added {NEW.vkey}, is not signed by {LOG_VERIFIER.vkey}"
    ]
