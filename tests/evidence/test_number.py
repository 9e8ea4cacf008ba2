"""Record numbers: typed from paper, and every slip of one character or one exchange is seen."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notary.errors import BadNumber
from notary.evidence.number import ALPHABET, LENGTH, lookup_code, make_number, parse_number, show_number

numbers = st.builds(make_number, st.integers(0, 2**44), st.binary(min_size=5, max_size=8))


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
            with pytest.raises(BadNumber, match="check character does not fit"):
                parse_number(number[:at] + other + number[at + 1 :])


@settings(max_examples=50)
@given(numbers)
def test_every_exchange_of_two_characters_is_refused(number):
    for i in range(LENGTH):
        for j in range(i):
            if number[i] != number[j]:
                typed = list(number)
                typed[i], typed[j] = typed[j], typed[i]
                with pytest.raises(BadNumber, match="check character does not fit"):
                    parse_number("".join(typed))


@pytest.mark.parametrize(
    "text",
    [
        "", "2" * 15, "2" * 17, "MLNLM6Q22222222O", "MLNLM6Q222222220", "MLNL_M6Q2_2222_2229", "ＭLNLM6Q222222229",
        "MLNLM6Q222222229" + " " * 60 + "XXXX", "MLNLM6Q22222222\n9",
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused(text):
    with pytest.raises(BadNumber, match="16 characters of 23456789ABCDEFGHJKLMNPQRSTUVWXYZ"):
        parse_number(text)


def test_a_letter_that_grows_in_upper_case_is_not_two_letters():
    number = next(n for n in (make_number(t, bytes(5)) for t in range(10**6)) if "SS" in n)
    for other in ("ß", "ſS"):
        with pytest.raises(BadNumber, match="16 characters"):
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
