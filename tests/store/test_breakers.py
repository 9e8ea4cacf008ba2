"""Failures of an anchor are kept as they were noted, on both databases."""

from datetime import UTC, datetime, timedelta

from notary.store.breakers import Breaker, breaker_of, breakers, forget_breaker, keep_breaker

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def failed(anchor, times, seconds):
    at = NOW + timedelta(seconds=seconds)
    return Breaker(anchor, times, at, at + timedelta(minutes=1), f"reason {times}")


def test_the_last_failure_takes_the_place_of_the_one_before(database):
    with database.writing() as connection:
        assert breaker_of(connection, "a") is None
        for each in (failed("b", 1, 0), failed("a", 1, 1), failed("a", 2, 2)):
            keep_breaker(connection, each)
    with database.reading() as connection:
        assert breaker_of(connection, "a") == failed("a", 2, 2)
        assert breakers(connection) == [failed("a", 2, 2), failed("b", 1, 0)]
    with database.writing() as connection:
        forget_breaker(connection, "a")
        forget_breaker(connection, "a")
    with database.reading() as connection:
        assert breakers(connection) == [failed("b", 1, 0)]
