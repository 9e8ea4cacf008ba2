"""Tiles are kept within a bound, those above the leaves longest."""

import contextlib
import threading

import pytest

from notary.merkle.tile_nodes import rows_of
from notary.merkle.tiles import Tile
from notary.store.tile_cache import TileCache

ROWS = rows_of(bytes(8192))
WEIGHT = sum(map(len, ROWS)) + 600


def test_a_tile_that_was_put_is_held_and_another_is_not():
    cache = TileCache()
    cache.put(Tile(0, 1, 5), ROWS)
    assert cache.held(Tile(0, 1, 5)) is ROWS
    for other in (Tile(0, 1), Tile(0, 1, 4), Tile(1, 1, 5), Tile(0, 0, 5)):
        with pytest.raises(KeyError):
            cache.held(other)


def test_the_least_recently_used_goes_first():
    cache = TileCache(4 * WEIGHT)
    for index in range(4):
        cache.put(Tile(0, index), ROWS)
    cache.held(Tile(0, 0))
    cache.put(Tile(0, 4), ROWS)
    cache.held(Tile(0, 0))
    with pytest.raises(KeyError):
        cache.held(Tile(0, 1))


def test_tiles_above_the_leaves_stay_until_the_leaves_have_their_quarter_only():
    cache = TileCache(8 * WEIGHT)
    for index in range(6):
        cache.put(Tile(1, index), ROWS)
    for index in range(100):
        cache.put(Tile(0, index), ROWS)
    for index in range(6):
        cache.held(Tile(1, index))
    for index in range(6, 100):
        cache.put(Tile(1, index), ROWS)
    for index in (98, 99):
        cache.held(Tile(0, index))
    with pytest.raises(KeyError):
        cache.held(Tile(1, 6))


def test_never_more_is_held_than_the_limit_and_nothing_is_counted_twice():
    cache = TileCache(5 * WEIGHT)
    for index in range(50):
        cache.put(Tile(index % 3, index), ROWS)
        cache.put(Tile(index % 3, index), ROWS)
        assert cache.size == min(index + 1, 5) * WEIGHT
    cache.clear()
    assert cache.size == 0
    with pytest.raises(KeyError):
        cache.held(Tile(1, 49))


def test_a_limit_below_one_tile_keeps_none():
    cache = TileCache(WEIGHT - 1)
    cache.put(Tile(0, 0), ROWS)
    cache.put(Tile(1, 0), ROWS)
    assert cache.size == 0


def test_threads_share_it():
    cache = TileCache(20 * WEIGHT)
    failed = []

    def use(seed):
        try:
            for step in range(2000):
                tile = Tile(step % 2, (step * seed) % 40)
                cache.put(tile, ROWS)
                with contextlib.suppress(KeyError):  # another thread's tiles took its place
                    assert cache.held(tile) is ROWS
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            failed.append(error)

    threads = [threading.Thread(target=use, args=[seed]) for seed in (3, 7, 11, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert cache.size <= cache.limit
