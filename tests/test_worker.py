"""The worker: steps are poked, tried again, watched, and stopped."""

import threading
import time

import pytest
import structlog

from notary.errors import AnchorUnavailable, Fatal, NotReady, Overtaken
from notary.observe import STEP_FAILURES, STEP_SECONDS
from notary.services.steps import Step
from notary.worker import Worker

PATIENCE = 20


class Running:
    """A worker in a thread of its own."""

    def __init__(self, *steps, **more):
        self.worker = Worker(steps, **more)
        self.error = None
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            self.worker.run()
        except Fatal as error:
            self.error = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.worker.stop.set()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


class Doing:
    """Counts its calls, and lets a test wait for the n-th; raises what it is told to."""

    def __init__(self, *errors):
        self.errors, self.calls, self.changed = list(errors), 0, threading.Condition()

    def __call__(self):
        with self.changed:
            self.calls += 1
            self.changed.notify_all()
        if self.errors:
            raise self.errors.pop(0)

    def wait(self, calls):
        with self.changed:
            assert self.changed.wait_for(lambda: self.calls >= calls, PATIENCE), self.calls


def failures(step, code):
    return STEP_FAILURES.labels(step, code)._value.get()


def test_every_step_runs_at_once_and_then_again_and_again():
    often, seldom = Doing(), Doing()
    steps = Step("often", 0.05, often), Step("seldom", 3600, seldom)
    before = STEP_SECONDS.labels("often")._sum.get()
    with Running(*steps):
        often.wait(3)
        seldom.wait(1)
    assert seldom.calls == 1
    assert STEP_SECONDS.labels("often")._sum.get() > before
    assert all(step.succeeded for step in steps)


@pytest.mark.parametrize(
    ("error", "code", "event"),
    [
        (AnchorUnavailable("no answer"), "anchor_unavailable", "step failed and will be tried again"),
        (ZeroDivisionError("oh"), "unexpected", "step failed unexpectedly and will be tried again"),
    ],
)
def test_a_step_that_fails_is_counted_and_tried_again(error, code, event):
    fails, other = Doing(error, error), Doing()
    name = f"fails with {code}"
    step = Step(name, 0.05, fails)
    with structlog.testing.capture_logs() as lines, Running(step, Step("other", 0.05, other)):
        fails.wait(3)
        other.wait(2)
    assert failures(name, code) == 2
    assert [(line["event"], line["step"]) for line in lines] == [(event, name)] * 2
    assert step.succeeded


def test_a_fatal_error_stops_every_step_and_is_raised():
    fatal, other = Doing(Fatal("two roots for size 7")), Doing()
    with (
        structlog.testing.capture_logs() as lines,
        Running(Step("f", 3600, fatal), Step("o", 0.05, other)) as running,
    ):
        running.thread.join(PATIENCE)
        assert not running.thread.is_alive()
        assert str(running.error) == "two roots for size 7"
        calls = other.calls
        time.sleep(0.2)
        assert (fatal.calls, other.calls) == (1, calls)
    assert lines[-1]["log_level"] == "critical"
    assert lines[-1]["code"] == "fatal"


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (Fatal("two roots"), "the state of the log is unclear; stopping"),
        (Overtaken("epoch 1 is over"), "another process has taken over; stopping"),
    ],
)
def test_one_that_was_overtaken_does_not_speak_of_an_unclear_log(error, event):
    with structlog.testing.capture_logs() as lines, pytest.raises(Fatal, match=str(error)):
        Worker((Step("f", 1, Doing(error)),)).run()
    assert (lines[-1]["event"], lines[-1]["code"]) == (event, error.code)


@pytest.mark.parametrize("first", ["unclear", "over"])
def test_an_unclear_log_is_not_hidden_by_another_that_took_over(first):
    errors = [Fatal("unclear"), Overtaken("over")]
    errors.sort(key=lambda error: str(error) != first)
    worker = Worker(tuple(Step(str(error), 1, Doing(error)) for error in errors))
    for step in worker.steps:
        worker._poke(step)
        worker.stop.clear()  # both were under way
    worker.stop.set()
    with pytest.raises(Fatal, match="unclear"):
        worker.run()


def test_a_step_that_has_to_wait_has_not_failed_and_not_succeeded():
    told, doing = [], Doing(NotReady("the checkpoint is being published"), NotReady("still"))
    with (
        structlog.testing.capture_logs() as lines,
        Running(Step("waits", 0.05, doing), beat=lambda step, succeeded: told.append(succeeded)),
    ):
        doing.wait(4)
    assert failures("waits", "not_ready") == 0
    assert set(told) == {True}
    assert len(told) <= doing.calls - 2
    assert [line["detail"] for line in lines if line["log_level"] == "info"][:1] == [
        "the checkpoint is being published"
    ]
    assert not [line for line in lines if line["log_level"] in ("warning", "error")]


def test_fatal_errors_reach_the_caller():
    with pytest.raises(Fatal, match="the swap is unclear"):
        Worker((Step("f", 1, Doing(Fatal("the swap is unclear"))),)).run()


def test_a_scheduler_that_stands_still_is_replaced():
    """The scheduler goes by the wall clock; only the clock of the watch is moved here."""
    clock, step = [0.0], Doing()
    with (
        structlog.testing.capture_logs() as lines,
        Running(Step("seldom", 3600, step), clock=lambda: clock[0]),
    ):
        step.wait(1)
        clock[0] = 3 * 3600  # not yet
        time.sleep(0.5)
        assert step.calls == 1
        clock[0] += 10
        step.wait(2)
    assert [line["event"] for line in lines] == ["the scheduler stands still and is replaced"]
    assert lines[0]["steps"] == ["seldom"]


def test_a_step_that_takes_long_is_neither_late_nor_run_twice_at_once():
    clock, release, together = [0.0], threading.Event(), []

    def long():
        together.append(1)
        release.wait(PATIENCE)

    step = Step("long", 0.05, long)
    with structlog.testing.capture_logs() as lines, Running(step, clock=lambda: clock[0]):
        try:
            deadline = time.monotonic() + PATIENCE
            while not step.running and time.monotonic() < deadline:
                time.sleep(0.01)
            clock[0] = 1000.0
            time.sleep(0.6)
            assert together == [1]
        finally:
            release.set()
    assert lines == []


def test_a_standstill_does_not_wait_for_a_step_that_runs_nor_run_it_twice():
    clock, release, together, other = [0.0], threading.Event(), [], Doing()

    def long():
        together.append(1)
        release.wait(PATIENCE)

    steps = Step("long", 0.05, long), Step("other", 3600, other)
    with structlog.testing.capture_logs(), Running(*steps, clock=lambda: clock[0]) as running:
        try:
            other.wait(1)
            clock[0] = 4 * 3600
            other.wait(2)
            time.sleep(0.3)
            assert together == [1]
        finally:
            running.worker.stop.set()
            time.sleep(0.3)
            assert running.thread.is_alive(), "an orderly stop waits for what still runs"
            release.set()


def test_each_step_has_a_thread_of_its_own():
    release, last = threading.Event(), Doing()
    blocked = [Step(f"blocked {n}", 3600, lambda: release.wait(PATIENCE)) for n in range(12)]
    with Running(*blocked, Step("close", 0.05, last)):
        try:
            last.wait(2)
        finally:
            release.set()


def test_stopping_is_prompt_and_waits_for_what_runs():
    began, done = threading.Event(), []

    def slow():
        began.set()
        time.sleep(0.5)
        done.append(1)

    with Running(Step("slow", 3600, slow)) as running:
        assert began.wait(PATIENCE)
        stopped = time.monotonic()
        running.worker.stop.set()
        running.thread.join(PATIENCE)
        assert done == [1]
        assert time.monotonic() - stopped < 5


def test_a_worker_that_was_stopped_before_it_began_does_nothing():
    step = Doing()
    worker = Worker((Step("s", 1, step),))
    worker.stop.set()
    worker.run()
    assert step.calls == 0


def test_each_run_is_told_with_whether_it_succeeded():
    told = []
    good, bad, odd = Doing(), Doing(AnchorUnavailable("gone")), Doing(ValueError("odd"))
    steps = Step("good", 60, good), Step("bad", 60, bad), Step("odd", 60, odd)
    with Running(*steps, beat=lambda step, succeeded: told.append((step.name, succeeded))):
        for doing in (good, bad, odd):
            doing.wait(1)
        end = time.monotonic() + PATIENCE
        while len(told) < len(steps) and time.monotonic() < end:
            time.sleep(0.01)
    assert sorted(told) == [("bad", False), ("good", True), ("odd", False)]


def test_after_what_is_fatal_nothing_is_told():
    told = []
    with pytest.raises(Fatal, match="unclear"):
        Worker((Step("f", 1, Doing(Fatal("unclear"))),), beat=lambda *run: told.append(run)).run()
    assert told == []


def test_a_run_that_cannot_be_noted_has_failed():
    def away(_step, _succeeded):
        raise AnchorUnavailable("no database")

    before = failures("unnoted", "anchor_unavailable")
    doing = Doing()
    with Running(Step("unnoted", 0.05, doing), beat=away):
        doing.wait(2)
    assert failures("unnoted", "anchor_unavailable") > before
