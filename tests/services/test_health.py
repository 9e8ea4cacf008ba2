"""Whether steps keep up is read from the database alone."""

from datetime import timedelta

from notary.services.beating import Beating
from notary.services.health import Condition, Health
from notary.services.steps import Step
from notary.store.anchorings import create_anchoring, move
from notary.store.breakers import Breaker, forget_breaker, keep_breaker
from notary.store.heartbeats import heartbeats
from notary.store.incidents import CONTRADICTED, add_incident
from tests.rig import Rig


def test_what_waits_for_more_than_half_the_promise_is_late(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path)
    health = Health(sqlite, timedelta(seconds=60), rig.clock)
    assert health.look().late == ["log"]
    rig.open()
    assert health.look().late == []
    rig.submit(1)
    rig.clock.advance(30)
    assert health.look().late == []
    rig.clock.advance(1)
    assert health.look().late == ["close"]
    rig.sequencer().sequence()
    assert health.look().late == []


def test_a_contradicted_anchor_is_named_until_a_later_one_is_final(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    health = Health(sqlite, timedelta(seconds=60), rig.clock)

    def anchored():
        with sqlite.writing() as connection:
            item = create_anchoring(connection, "main", "evm", 1, rig.clock())
            move(connection, item.id, "due", "final", rig.clock())
        return item

    first = anchored()
    assert health.look().incidents == []
    with sqlite.writing() as connection:
        assert add_incident(
            connection, CONTRADICTED, "main", str(first.id), "block 7 is another", rig.clock()
        )
    assert health.look().incidents == ["main: block 7 is another"]
    anchored()
    assert health.look().incidents == []


def nothing():
    """What a step does here."""


STEPS = (
    Step("close", 1, nothing),
    Step("anchor tsa", 40, nothing),
    Step("fsck", 60, nothing, patience=86_400),
)


def beating(rig, database, clock, steps=STEPS, leading=lambda: True):
    return Beating(database, steps, leading, rig.clock, clock)


def test_a_step_that_is_silent_is_late_and_one_that_fails_is_named(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    health, elapsed = Health(sqlite, timedelta(seconds=600), rig.clock), [0.0]
    beat = beating(rig, sqlite, lambda: elapsed[0])

    def wait(seconds):
        rig.clock.advance(seconds)
        elapsed[0] += seconds

    assert health.look() == Condition([], [])  # before there was a worker
    for step in STEPS:
        beat(step, True)
    wait(60)
    assert health.look() == Condition([], [])
    wait(1)
    assert health.look() == Condition(["close"], [])
    beat(STEPS[0], True)
    assert health.look() == Condition([], [])
    wait(20)  # twice forty seconds and one
    assert health.look() == Condition(["anchor tsa"], [])
    beat(STEPS[1], False)
    beat(STEPS[0], True)
    assert health.look() == Condition([], ["anchor tsa"])
    beat(STEPS[1], True)
    assert health.look() == Condition([], [])


def test_what_a_clock_that_ran_ahead_noted_is_worth_nothing(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    health, elapsed = Health(sqlite, timedelta(seconds=600), rig.clock), [0.0]
    beat = beating(rig, sqlite, lambda: elapsed[0])
    rig.clock.advance(3600)
    for step in STEPS:
        beat(step, True)
    rig.clock.advance(-3600)
    assert health.look() == Condition(["anchor tsa", "close", "fsck"], [])
    elapsed[0] += 20
    beat(STEPS[0], True)
    beat(STEPS[1], False)
    assert health.look() == Condition(["fsck"], ["anchor tsa"])  # its success is of a time to come
    rig.clock.advance(-10)  # as a time server makes it
    assert health.look() == Condition(["fsck"], ["anchor tsa"])


def test_a_clock_before_the_newest_checkpoint_is_late(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    health = Health(sqlite, timedelta(seconds=600), rig.clock)
    rig.submit(1)
    rig.clock.advance(20)
    rig.sequencer().sequence()
    rig.clock.advance(-10)
    assert health.look() == Condition([], [])
    rig.clock.advance(-1)
    assert health.look() == Condition(["clock"], [])


def test_a_step_that_never_succeeded_fails(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    beating(rig, sqlite, lambda: 0.0)(STEPS[1], False)
    assert Health(sqlite, timedelta(seconds=60), rig.clock).look() == Condition([], ["anchor tsa"])


def test_a_step_that_hangs_the_first_time_is_late_and_fails_not_before(sqlite, tmp_path):
    rig, elapsed = Rig(sqlite, tmp_path).open(), [0.0]
    health = Health(sqlite, timedelta(seconds=600), rig.clock)
    beat = beating(rig, sqlite, lambda: elapsed[0])
    for seconds, late in ((0, []), (80, []), (1, ["anchor tsa"])):
        rig.clock.advance(seconds)
        elapsed[0] += seconds
        beat(STEPS[0], True)
        assert health.look() == Condition(late, [])
    beat(STEPS[1], False)
    assert health.look() == Condition([], ["anchor tsa"])
    another = beating(rig, sqlite, lambda: 0.0)  # what ran before is not expected anew
    rig.clock.advance(81)
    another(STEPS[0], True)
    assert health.look() == Condition(["anchor tsa"], [])


def test_runs_are_noted_now_and_then_and_changes_at_once(sqlite, tmp_path):
    rig, elapsed = Rig(sqlite, tmp_path).open(), [0.0]
    beat = beating(rig, sqlite, lambda: elapsed[0])

    def noted(seconds, succeeded):
        elapsed[0] += seconds
        rig.clock.advance(seconds)
        beat(STEPS[0], succeeded)
        with sqlite.reading() as connection:
            (found,) = (each for each in heartbeats(connection) if each.step == "close")
        return found.ran_at == rig.clock()

    assert noted(0, True)
    assert not noted(19, True)
    assert noted(1, True)
    assert noted(1, False)
    assert not noted(1, False)
    assert noted(1, True)


def test_only_who_leads_notes_and_drops_steps_that_there_are_no_more(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    gone = Step("anchor gone", 1, nothing)
    beating(rig, sqlite, lambda: 0.0, (gone,))(gone, True)
    leads = [False]
    beat = beating(rig, sqlite, lambda: 0.0, leading=lambda: leads[0])
    beat(STEPS[0], True)
    with sqlite.reading() as connection:
        assert [each.step for each in heartbeats(connection)] == ["anchor gone"]
    leads[0] = True
    beat(STEPS[0], True)
    with sqlite.reading() as connection:
        assert [each.step for each in heartbeats(connection)] == ["anchor tsa", "close", "fsck"]


def test_an_authority_that_is_left_alone_after_many_failures_is_named(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    health, now = Health(sqlite, timedelta(seconds=600), rig.clock), rig.clock()
    beat = beating(rig, sqlite, lambda: 0.0)
    for step in STEPS:
        beat(step, True)  # which it does for as long as it has nothing to do

    def failed(anchor, times):
        with sqlite.writing() as connection:
            keep_breaker(connection, Breaker(anchor, times, now, now + timedelta(minutes=1), "no answer"))

    failed("tsa", 4)
    assert health.look() == Condition([], [])
    failed("tsa", 5)
    assert health.look() == Condition([], ["anchor tsa"])
    failed("another", 5)  # that was taken out of the settings since
    assert health.look() == Condition([], ["anchor tsa"])
    with sqlite.writing() as connection:
        forget_breaker(connection, "tsa")
    assert health.look() == Condition([], [])
