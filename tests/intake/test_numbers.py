"""Record numbers by table: those of `make_number`, and in a group distinct and ascending."""

import os

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notary.errors import RequestError
from notary.evidence.number import LENGTH, make_number, parse_number, show_number
from notary.intake.numbers import MAX_COUNT, draw_numbers, number_of, shown, texts

times = st.integers(0, 2**44)


@settings(max_examples=200, deadline=None)
@given(times, st.binary(min_size=5, max_size=8))
@example(2**40 - 1, b"\xff" * 5)
@example(0, bytes(5))
def test_one_number_is_that_of_the_slow_way(time, random):
    assert number_of(time, random) == make_number(time, random)


@settings(max_examples=100, deadline=None)
@given(times, st.integers(1, 300), st.binary(min_size=5, max_size=5))
@example(1772364600000, 256, b"\xff" * 5)
@example(1772364600000, 257, b"\xff" * 5)
def test_the_numbers_of_a_group_are_random_bits_and_the_position(time, count, random):
    rows = draw_numbers(time, count, lambda size: random[:size])
    assert rows.shape == (count, LENGTH)
    first = int.from_bytes(random, "big") >> 5
    first -= first % 2 ** (count - 1).bit_length()
    assert texts(rows) == [make_number(time, (first + at << 5).to_bytes(5, "big")) for at in range(count)]


@pytest.mark.parametrize("count", [1, 2, 10_000, MAX_COUNT])
def test_the_numbers_of_a_group_are_distinct_ascend_and_can_be_typed(count):
    numbers = texts(draw_numbers(1772364600000, count, os.urandom))
    assert numbers == sorted(set(numbers))
    assert len(numbers) == count
    for number in numbers[:: max(1, count // 200)]:
        assert parse_number(number) == number


def test_two_groups_of_one_millisecond_differ():
    groups = [texts(draw_numbers(1772364600000, 64, os.urandom)) for _ in range(50)]
    assert len({number for group in groups for number in group}) == 50 * 64


@pytest.mark.parametrize("count", [0, -1, MAX_COUNT + 1])
def test_a_group_of_another_size_is_refused(count):
    with pytest.raises(RequestError, match="a group has 1 to 32768 numbers"):
        draw_numbers(0, count, os.urandom)


def test_numbers_are_shown_in_groups_of_four():
    rows = draw_numbers(1772364600000, 3, os.urandom)
    assert [row.tobytes().decode() for row in shown(rows)] == [show_number(n) for n in texts(rows)]
