"""Megabytes are used again, and never while somebody still refers to them."""

import gc
import os

import numpy as np
import pytest

from notary.intake import space
from notary.intake.bulk import prepare_bulk
from notary.intake.bulkparse import parse_array
from notary.intake.space import BLOCK, KEPT, SMALL, Space, room
from tests.intake.samples import NOW, ORIGIN, digests_of


@pytest.fixture(autouse=True)
def none_kept(monkeypatch):
    """No block is left from other tests."""
    free = []
    monkeypatch.setattr(space, "_free", free)
    return free


def address(array):
    return array.__array_interface__["data"][0]


def test_what_nobody_refers_to_is_used_again(none_kept):
    first = room(SMALL + 1)
    at = address(first)
    first[:] = 7
    assert (len(first), none_kept) == (SMALL + 1, [])
    del first
    assert len(none_kept) == 1
    second = room(BLOCK)
    assert (address(second), len(second), int(second[SMALL])) == (at, BLOCK, 7)


@pytest.mark.parametrize(
    "part",
    [
        lambda whole: whole[5:9],
        lambda whole: whole[:200_000].reshape(-1, 100)[7:, 3:5],
        lambda whole: whole.data[3:],
        lambda whole: whole[:200_000].reshape(-1, 100)[:, :8].view("V8")[:, 0],
        lambda whole: np.lib.stride_tricks.sliding_window_view(whole, 100)[9:],
        lambda whole: whole[:200_000].reshape(-1).data,
    ],
)
def test_the_smallest_part_keeps_the_whole(none_kept, part):
    whole = room(200_000)
    whole[:] = 7
    at, kept = address(whole), part(whole)
    before = bytes(kept)
    del whole
    gc.collect()
    others = [room(200_000) for _ in range(3)]
    for other in others:
        other[:] = 9
    assert (none_kept, at in map(address, others)) == ([], False)
    assert bytes(kept) == before
    del kept
    assert len(none_kept) == 1  # the control: it was that part that kept it


def test_few_are_kept(none_kept):
    several = [room(BLOCK) for _ in range(KEPT + 2)]
    assert len({address(one) for one in several}) == KEPT + 2
    del several
    assert len(none_kept) == KEPT


@pytest.mark.parametrize("size", [0, 1, SMALL, BLOCK + 1])
def test_what_is_small_or_larger_than_a_block_is_taken_for_itself(none_kept, size):
    one = room(size)
    assert len(one) == size
    del one
    assert none_kept == []


def test_a_request_cuts_what_it_needs_from_one_block(none_kept):
    whole = Space(BLOCK)
    first, second, over, last = (whole.cut(size) for size in (1000, BLOCK - 1010, 11, 10))
    assert address(second) == address(first) + 1000
    assert address(last) == address(second) + len(second)
    assert [len(one) for one in (first, second, over, last)] == [1000, BLOCK - 1010, 11, 10]
    for number, one in enumerate((first, second, over, last)):
        one[:] = number
    assert [set(one.tolist()) for one in (first[:50], second[-50:], over, last)] == [{0}, {1}, {2}, {3}]
    del whole, first, second, over, one
    assert none_kept == []
    del last
    assert len(none_kept) == 1


def rows(item):
    return b"".join(bytes(part) for part in item.copied(1 << 14))


def test_a_request_that_waits_keeps_its_rows_while_others_are_prepared(none_kept):
    body = b'["' + b'","'.join(digest.hex().encode() for digest in digests_of(1000)) + b'"]'

    def prepared():
        return prepare_bulk(parse_array(body), 5, None, None, ORIGIN, NOW, os.urandom, lambda _: None)

    first = prepared()
    before = rows(first)
    assert len(rows(prepared())) == len(before)
    second = prepared()
    assert (rows(first) == before, rows(second) != before, none_kept) == (True, True, [])
    at = address(first.parts[0].matrix)
    first.parts = ()
    assert address(prepared().parts[0].matrix) == at
