"""A clock that is wrong dates no checkpoint: one of tomorrow would hold up the log until then."""

from datetime import UTC, datetime, timedelta

import pytest

from notary.errors import Fatal, Unavailable
from notary.intake.broken import log_broken
from notary.log import clock
from notary.log.clock import Pace, elapsed, nobodys
from notary.store.sql import server_time
from tests.databases import with_tables
from tests.log.test_sequence import published, state_of
from tests.rig import Rig

DAY = 86_400


@pytest.fixture
def rig(sqlite, tmp_path):
    return Rig(sqlite, tmp_path).open()


class Steps:
    """Seconds that pass, while the clock of the rig goes wherever a test sets it."""

    def __init__(self, rig):
        self.rig, self.seconds = rig, 1000.0

    def __call__(self):
        return self.seconds

    def advance(self, seconds, step=0.0):
        """So much time passes, and the clock is set by so much more."""
        self.seconds += seconds
        self.rig.clock.advance(seconds + step)


def closing(rig, kind=Steps):
    passed = kind(rig)
    sequencer = rig.sequencer(passed=passed)
    rig.submit(2)
    assert sequencer.sequence().size == 3
    return sequencer, passed


def test_a_clock_that_jumps_ahead_dates_nothing_until_it_is_right_again(rig):
    sequencer, passed = closing(rig)
    rig.submit(1, first=2)
    passed.advance(1, step=DAY)
    for _ in range(3):
        before = state_of(rig)
        with pytest.raises(Unavailable, match="the clock went ahead by 86400 seconds more than have passed"):
            sequencer.sequence()
        assert (state_of(rig), published(rig).size) == (before, 3)
        assert not sequencer.leading
        passed.advance(1)
    passed.advance(1, step=-DAY)
    assert sequencer.sequence().size == 4
    assert log_broken(rig.intake) == 0  # every promise was kept, and nothing says otherwise
    assert rig.fsck().problems == []


def test_without_that_one_second_of_it_holds_up_the_log_for_a_day_and_accuses_the_operator(rig, monkeypatch):
    monkeypatch.setattr(Pace, "require", lambda *_: None)
    sequencer, passed = closing(rig)
    rig.submit(1, first=2)
    passed.advance(1, step=DAY)
    assert sequencer.sequence().size == 4
    passed.advance(1, step=-DAY)
    with pytest.raises(Fatal, match="before the newest checkpoint"):
        sequencer.sequence()
    passed.advance(DAY)
    rig.sequencer().sequence()
    assert log_broken(rig.intake) == 1


def test_a_clock_that_keeps_its_new_time_was_set_right(rig):
    sequencer, passed = closing(rig)
    rig.submit(1, first=2)
    passed.advance(1, step=3600)
    for _ in range(clock.SETTLED.seconds // 60):
        with pytest.raises(Unavailable, match="the clock went ahead by 3600 seconds"):
            sequencer.sequence()
        passed.advance(60)
    assert sequencer.sequence().size == 4


def test_a_clock_that_steps_again_is_waited_for_anew(rig):
    sequencer, passed = closing(rig)
    rig.submit(1, first=2)
    passed.advance(1, step=3600)
    for _ in range(2 * clock.SETTLED.seconds // 60):
        with pytest.raises(Unavailable, match="the clock went ahead by"):
            sequencer.sequence()
        passed.advance(60, step=60)
    assert state_of(rig).size == 3


@pytest.mark.parametrize("step", [10, -10])
def test_the_small_steps_of_a_time_server_are_none(rig, step):
    sequencer, passed = closing(rig)
    rig.submit(1, first=2)
    passed.advance(15, step=step)
    assert sequencer.sequence().size == 4


def test_who_waits_with_a_clock_that_jumped_does_not_take_over(rig):
    sequencer, passed = closing(rig)
    standby = rig.sequencer("standby", passed=passed)
    assert not standby.acquire()
    before = state_of(rig)
    passed.advance(1, step=DAY)
    with pytest.raises(Unavailable, match="the clock went ahead by"):
        standby.sequence()
    assert state_of(rig) == before
    passed.advance(1, step=-DAY)
    assert sequencer.sequence() is None


@pytest.mark.parametrize("differs", [-11, 11])
def test_a_clock_that_is_not_that_of_the_database_dates_nothing(rig, differs):
    apart = [0]
    sequencer = rig.sequencer(theirs=lambda _connection: rig.clock() + timedelta(seconds=apart[0]))
    rig.submit(2)
    assert sequencer.sequence().size == 3
    rig.submit(1, first=2)
    apart[0] = differs
    before = state_of(rig)
    for each in (sequencer, rig.sequencer("one", theirs=sequencer.theirs)):
        with pytest.raises(Unavailable, match=r"the clock of this host says .*, and that of the database "):
            each.sequence()
        assert (state_of(rig), published(rig).size) == (before, 3)
    apart[0] = differs - differs // 11
    assert sequencer.sequence().size == 4


def test_the_time_of_a_server_is_asked_and_that_of_sqlite_is_ours(sqlite, postgres_url):
    with sqlite.reading() as connection:
        assert server_time(connection) is None
        assert nobodys(connection) is None
    database = with_tables(postgres_url)
    with database.reading() as connection:
        assert abs(server_time(connection) - datetime.now(UTC)) < timedelta(seconds=5)
    with database.writing() as connection:  # as of now, and not of the beginning of a transaction that waited
        first = server_time(connection)
        assert server_time(connection) > first
    database.dispose()


def test_seconds_pass():
    first = elapsed()
    assert 0 <= elapsed() - first < 60
