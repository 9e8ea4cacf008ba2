"""Record numbers: typed from paper, and every slip of one character or one exchange is seen."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notary.errors import BadNumber
from notary.evidence.number import ALPHABET, LENGTH, lookup_code, make_number, parse_number, show_number

SLIP = "^the check character does not fit: the record number was mistyped$"
OTHER = f"^a record number has 16 characters of {ALPHABET}; compare it with the paper$"
numbers = st.builds(make_number, st.integers(0, 2**44), st.binary(min_size=5, max_size=8))


# Computed from docs/formats.md §14 alone, with tables of logarithms for the field, on 2026-11-26.
@pytest.mark.parametrize(
    ("unix_ms", "random", "number"),
    [
        (0, bytes(5), "2222222222222222"),
        (2**40 + 1, bytes(5), "222222232222222F"),
        (1_764_000_000_000, bytes(range(255, 249, -1)), "MCVBHU22ZZZHVZ9B"),
        (2**40 - 1, b"\xff" * 5, "ZZZZZZZZZZZZZZZP"),
    ],
)
def test_a_number_is_40_bits_of_time_35_random_ones_and_the_check_character(unix_ms, random, number):
    assert make_number(unix_ms, random) == number


@pytest.mark.parametrize(("salt", "code"), [(0, "WGQD6TBF9XFNAHDH"), (1, "YDE9BWJSY6TGEGES")])
def test_a_lookup_code_is_the_first_75_bits_of_a_hash(salt, code):
    assert lookup_code(bytes(at * salt for at in range(32))) == code


def test_of_what_is_typed_64_characters_are_looked_at():
    assert parse_number("2222222222222222" + " " * 48) == "2222222222222222"
    with pytest.raises(BadNumber, match=OTHER):
        parse_number("2222222222222222" + " " * 49)


@given(numbers)
def test_a_number_is_read_as_it_is_shown(number):
    shown = show_number(number)
    assert len(shown) == 19
    assert parse_number(number) == parse_number(shown) == parse_number(f" {shown.lower()} ") == number
    assert set(number) <= set(ALPHABET)


@settings(max_examples=20)
@given(numbers)
def test_every_change_of_one_character_is_refused(number):
    for at in range(LENGTH):
        for other in set(ALPHABET) - {number[at]}:
            with pytest.raises(BadNumber, match=SLIP):
                parse_number(number[:at] + other + number[at + 1 :])


@settings(max_examples=50)
@given(numbers)
def test_every_exchange_of_two_characters_is_refused(number):
    for i in range(LENGTH):
        for j in range(i):
            if number[i] != number[j]:
                typed = list(number)
                typed[i], typed[j] = typed[j], typed[i]
                with pytest.raises(BadNumber, match=SLIP):
                    parse_number("".join(typed))


@pytest.mark.parametrize(
    "text",
    [
        "", "2" * 15, "2" * 17, "MLNLM6Q22222222O", "MLNLM6Q222222220", "MLNL_M6Q2_2222_2229", "ＭLNLM6Q222222229",
        "MLNLM6Q222222229" + " " * 60 + "XXXX", "MLNLM6Q22222222\n9",
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused(text):
    with pytest.raises(BadNumber, match=OTHER):
        parse_number(text)


def test_a_letter_that_grows_in_upper_case_is_not_two_letters():
    number = next(n for n in (make_number(t, bytes(5)) for t in range(10**6)) if "SS" in n)
    for other in ("ß", "ſS"):
        with pytest.raises(BadNumber, match=OTHER):
            parse_number(number.replace("SS", other))


def test_numbers_sort_by_age():
    made = [make_number(time, bytes([255 - at] * 5)) for at, time in enumerate(range(10**12, 10**12 + 200))]
    assert made == sorted(made)


def test_the_alphabet_has_nothing_to_confuse():
    assert len(set(ALPHABET)) == len(ALPHABET) == 32
    assert not set("0O1I") & set(ALPHABET)
    assert list(ALPHABET) == sorted(ALPHABET)  # so that text sorts as the numbers do


def test_a_lookup_code_is_a_number_of_the_salt():
    codes = {lookup_code(bytes([at] * 32)) for at in range(100)}
    assert len(codes) == 100
    assert {parse_number(code) for code in codes} == codes
