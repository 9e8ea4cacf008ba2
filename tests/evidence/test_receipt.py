"""Receipts: one signature for a group of any size, and nothing of the group to be seen but its root."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notary.errors import FormatError, ProofError, SignatureError
from notary.evidence.note import Verifier, sign_note
from notary.evidence.proof_file import RECEIPT, ProofFile
from notary.evidence.receipt import (
    Promise,
    check_receipt,
    group_root,
    open_receipt,
    parse_promise,
    receipt_at,
    receipt_key_name,
    receipts_of,
    sign_promise,
    sign_receipts,
)
from tests.evidence.build import ed25519, moment

ORIGIN, KEY = "log.example.org", ed25519("receipt")
NAME = receipt_key_name(ORIGIN)
KEYS = [Verifier(NAME, KEY.public_key().public_bytes_raw())]


def entries_of(count):
    return [sha256(b"%d" % at).digest() for at in range(count)]


def promise_for(entries, **changes):
    promise = Promise(
        ORIGIN, len(entries), group_root(entries), 5, bytes(range(32)), moment(12), moment(13), moment(14)
    )
    return replace(promise, **changes)


ONE = entries_of(1)
PROMISE = promise_for(ONE)
(SINGLE,) = sign_receipts(PROMISE, ONE, KEY)


def test_a_single_receipt_covers_its_entry():
    promise, file = open_receipt(SINGLE, ORIGIN, KEYS)
    assert promise == PROMISE
    check_receipt(promise, file, ONE[0])
    with pytest.raises(ProofError, match="the path leads to root"):
        check_receipt(promise, file, bytes(32))


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 70))
def test_each_receipt_of_a_group_covers_its_own_entry_alone(count):
    entries = entries_of(count)
    receipts = sign_receipts(promise_for(entries), entries, KEY)
    for at, (entry, data) in enumerate(zip(entries, receipts, strict=True)):
        promise, file = open_receipt(data, ORIGIN, KEYS)
        assert file.index == at
        check_receipt(promise, file, entry)
        with pytest.raises(ProofError, match="the path leads to root"):
            check_receipt(promise, file, entries[at - 1])


@pytest.mark.parametrize("count", [*range(1, 10), 31, 32, 33])
def test_one_receipt_alone_is_the_same_as_among_all(count):
    entries = entries_of(count)
    note = sign_promise(promise_for(entries), KEY)
    receipts = receipts_of(note, entries)
    assert receipts == sign_receipts(promise_for(entries), entries, KEY)
    assert [receipt_at(note, entries, at) for at in range(count)] == receipts
    assert len(set(receipts)) == count
    with pytest.raises(ProofError, match=f"outside a tree of {count}"):
        receipt_at(note, entries, count)
    with pytest.raises(ProofError, match="the index of a leaf is not negative"):
        receipt_at(note, entries, -1)


def test_ten_thousand_entries_share_one_signature():
    entries = entries_of(10_000)
    receipts = sign_receipts(promise_for(entries), entries, KEY)
    notes = {data.partition(b"\n\n")[2] for data in receipts}
    assert (len(receipts), len(notes)) == (10_000, 1)
    assert max(map(len, receipts)) < 1500
    for at in (0, 1, 4095, 4096, 8191, 8192, 9999):
        promise, file = open_receipt(receipts[at], ORIGIN, KEYS)
        check_receipt(promise, file, entries[at])
        assert file.index == at
        with pytest.raises(ProofError, match=r"wrong length|the path leads to root"):
            check_receipt(promise, replace(file, index=(at + 1) % 10_000), entries[at])


def test_a_promise_about_other_entries_is_not_signed():
    for promise in (replace(PROMISE, count=2), replace(PROMISE, root=bytes(32))):
        with pytest.raises(FormatError, match="not about these entries"):
            sign_receipts(promise, ONE, KEY)


def test_an_empty_group_covers_nothing():
    assert sign_receipts(promise_for([]), [], KEY) == []
    note = sign_note(promise_for([]).text(), NAME, KEY).encode()
    promise, file = open_receipt(ProofFile(0, (), note).encode(RECEIPT), ORIGIN, KEYS)
    with pytest.raises(ProofError, match="1 to 2"):
        check_receipt(promise, file, ONE[0])


def test_a_promise_that_was_changed_does_not_fit_its_signature():
    for line in PROMISE.text().splitlines():
        changed = line.replace("v1", "v2") if line.startswith("notary") else line[:-1] + "A"
        with pytest.raises(SignatureError, match="does not fit"):
            open_receipt(SINGLE.replace(line.encode(), changed.encode(), 1), ORIGIN, KEYS)


def test_the_receipt_of_another_log_is_refused():
    (data,) = sign_receipts(promise_for(ONE, origin="other.example"), ONE, KEY)
    with pytest.raises(SignatureError, match="no key that is trusted"):
        open_receipt(data, ORIGIN, KEYS)
    note = sign_note(replace(PROMISE, origin="other.example").text(), NAME, KEY).encode()
    with pytest.raises(SignatureError, match=r"of log 'other\.example', not of 'log\.example\.org'"):
        open_receipt(ProofFile(0, (), note).encode(RECEIPT), ORIGIN, KEYS)


def test_a_receipt_signed_with_another_key_is_refused():
    (data,) = sign_receipts(PROMISE, ONE, ed25519("log key"))
    with pytest.raises(SignatureError, match="no key that is trusted"):
        open_receipt(data, ORIGIN, KEYS)


times = st.datetimes(timezones=st.just(UTC)).map(lambda time: time.replace(microsecond=0))


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32), times)
def test_a_promise_is_read_as_it_is_written(count, size, root, time):
    promise = Promise(ORIGIN, count, root, size, root, time, time, time)
    assert parse_promise(promise.text()) == promise


TEXT = PROMISE.text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "eight lines"),
        (TEXT + "more\n", "eight lines"),
        (TEXT + "\n", "eight lines"),
        (TEXT[:-1], "eight lines"),
        (TEXT.replace("v1", "v2"), "eight lines"),
        (f"notary receipt v1\n\n{TEXT.split(chr(10), 2)[2]}", "eight lines"),
        (TEXT.replace("count", "Count"), "no line 'count'"),
        (TEXT.replace("count 1", "count"), "no line 'count'"),
        (TEXT.replace("count 1", "count 01"), "not a decimal number"),
        (TEXT.replace("root ", "root  "), "not base64"),
        (TEXT.replace("checkpoint 5 ", "checkpoint 5"), "not a decimal number"),
        (TEXT.replace("checkpoint 5 ", "checkpoint -5 "), "not a decimal number"),
        (TEXT.replace("close_by 2026-03", "close_by 2026-3"), "close_by is not of the form"),
        (TEXT.replace("stamp_target 2026-03-01", "stamp_target 2026-02-29"), "stamp_target is not a date"),
        (TEXT.replace("final_target", "final"), "no line 'final_target'"),
    ],
)
def test_another_form_of_a_promise_is_refused(text, message):
    with pytest.raises(FormatError, match=message):
        parse_promise(text)


def test_what_is_no_receipt_is_refused():
    with pytest.raises(FormatError, match="does not begin with 'notary-receipt@v1'"):
        open_receipt(SINGLE.replace(b"notary-receipt@v1", b"notary-receipt@v2"), ORIGIN, KEYS)


def test_parts_of_a_second_make_a_promise_earlier_never_later():
    time = datetime(2026, 3, 1, 12, 0, 0, 999_999, tzinfo=UTC)
    assert replace(PROMISE, close_by=time).text() == TEXT
