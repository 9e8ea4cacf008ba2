"""Readers of single fields."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.errors import FormatError
from notary.evidence.canonical import MAX_INTEGER
from notary.evidence.fields import exact_keys, hexadecimal, moment, natural, show_moment, text, version


def test_exact_keys_gives_the_object_back():
    assert exact_keys({"a": 1, "b": 2}, ("b", "a"), "thing") == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": 1}, "thing: missing key 'b'"),
        ({"a": 1, "b": 2, "c": 3}, "thing: unknown key 'c'"),
        ([], "thing is not a JSON object"),
        (None, "thing is not a JSON object"),
    ],
)
def test_other_keys_are_refused(value, message):
    with pytest.raises(FormatError, match=message):
        exact_keys(value, ("a", "b"), "thing")


@pytest.mark.parametrize("value", [2, 0, True, "1", None, 1.5, [1]])
def test_a_version_is_a_number_and_the_known_one(value):
    version(1, 1, "thing")
    with pytest.raises(FormatError, match="thing: the version is not 1"):
        version(value, 1, "thing")


@pytest.mark.parametrize("value", [None, 5, "abcd", "ab\n", "AB", ""])
def test_text_matches_whole_and_is_bounded(value):
    assert text("abc", "thing", "[a-c]+", 3) == "abc"
    with pytest.raises(FormatError, match="thing is not of the form"):
        text(value, "thing", "[a-c]+", 3)


def test_text_has_255_characters_if_nothing_else_is_said():
    assert text("a" * 255, "thing", "a+") == "a" * 255
    with pytest.raises(FormatError, match=r"^thing is not of the form it must have$"):
        text("a" * 256, "thing", "a+")


def test_hexadecimal_may_be_longer_than_other_text():
    assert hexadecimal("ab" * 200, "thing", 200) == b"\xab" * 200


def test_natural_ends_where_every_json_reader_is_exact():
    assert natural(MAX_INTEGER, "thing") == MAX_INTEGER
    with pytest.raises(FormatError, match=f"^thing is not a whole number from 0 to {MAX_INTEGER}$"):
        natural(MAX_INTEGER + 1, "thing")


@pytest.mark.parametrize("value", ["0", "ab", "ABCD", "0xab", "abcde", "ab cd", "äbcd", 1, None])
def test_hexadecimal_is_lower_case_and_of_its_length(value):
    assert hexadecimal("abcd", "thing", 2) == b"\xab\xcd"
    with pytest.raises(FormatError, match="thing is not of the form"):
        hexadecimal(value, "thing", 2)


@pytest.mark.parametrize("value", [-1, 8, True, "1", None, 1.0])
def test_natural_is_a_whole_number_up_to_its_limit(value):
    assert (natural(0, "thing", 7), natural(7, "thing", 7)) == (0, 7)
    with pytest.raises(FormatError, match="thing is not a whole number from 0 to 7"):
        natural(value, "thing", 7)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_read_as_it_is_shown(value):
    shown = show_moment(value)
    assert len(shown) == 20
    assert moment(shown, "thing") == value.replace(microsecond=0)


def test_a_moment_is_shown_in_utc():
    east = timezone(timedelta(hours=8))
    assert show_moment(datetime(2026, 3, 1, 8, 0, 0, 999999, tzinfo=east)) == "2026-03-01T00:00:00Z"


@pytest.mark.parametrize(
    "value",
    [
        "2026-3-1T00:00:00Z", "2026-03-01 00:00:00Z", "2026-03-01T00:00:00", "2026-03-01T00:00:00+00:00",
        "2026-03-01T00:00:00.5Z", "2026-03-01T00:00:00z", "２０２６-03-01T00:00:00Z", 5, None,
    ],
)  # fmt: skip
def test_another_form_of_a_moment_is_refused(value):
    with pytest.raises(FormatError, match="thing is not of the form"):
        moment(value, "thing")


@pytest.mark.parametrize(
    "value", ["2026-02-29T00:00:00Z", "2026-03-01T24:00:00Z", "2016-12-31T23:59:60Z", "0000-01-01T00:00:00Z"]
)
def test_a_date_that_does_not_exist_is_refused(value):
    with pytest.raises(FormatError, match="not a date that exists"):
        moment(value, "thing")
