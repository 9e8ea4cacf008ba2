"""The worker: APScheduler pokes each step, and a monotonic clock watches that it does.

A scheduler of version 3 goes by the wall clock and stands still after a step backwards, so the loop here
replaces it when no step has been poked for three periods. What is due is always read from the database; a
poke too many costs nothing.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from notary.errors import Fatal, NotaryError, NotReady, Overtaken
from notary.observe import STEP_FAILURES, STEP_SECONDS
from notary.services.steps import Step

_log = structlog.get_logger()
_PATIENCE = 3
_LOOK_SECONDS = 0.2


@dataclass(slots=True)
class Worker:
    """Runs steps until `stop` is set or one of them finds the state of the log unclear."""

    steps: tuple[Step, ...]
    clock: Callable[[], float] = time.monotonic
    beat: Callable[[Step, bool], None] | None = None  # told of each run, and whether it succeeded
    stop: threading.Event = field(default_factory=threading.Event)
    fatal: Fatal | None = None
    _poking: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def run(self) -> None:
        """Block until stopped.

        Raises:
            Fatal: a step raised it; nothing is retried, a restart recovers.
        """
        while not self.stop.is_set():
            with self._scheduler():
                self._watch()
        for step in self.steps:
            if step.end is not None:
                step.end()
        # Steps are safe to break off anywhere; waiting for them lets an orderly stop lose no work.
        while self._busy():
            time.sleep(_LOOK_SECONDS)
        if self.fatal is not None:
            raise self.fatal

    @contextmanager
    def _scheduler(self) -> Iterator[None]:
        # Job store in memory: nothing is shared. A thread for each step: those that wait for others' answers
        # never keep the one that closes from its turn.
        executor = ThreadPoolExecutor(max(1, len(self.steps)))
        scheduler = BackgroundScheduler(timezone="UTC", executors={"default": executor})
        for step in self.steps:
            step.poked = self.clock()
            scheduler.add_job(
                self._poke,
                "interval",
                args=[step],
                seconds=step.period,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
                # At once: after a restart or a standstill, whatever is due has waited long enough.
                next_run_time=datetime.now(UTC),
            )
        scheduler.start()
        try:
            yield
        finally:
            # Not waiting: after a standstill one step that takes long must not hold up the others.
            scheduler.shutdown(wait=False)

    def _watch(self) -> None:
        while not self.stop.wait(_LOOK_SECONDS):
            now = self.clock()
            late = [s.name for s in self.steps if not s.running and now - s.poked > _PATIENCE * s.period + 1]
            if late:
                _log.warning("the scheduler stands still and is replaced", steps=late)
                return

    def _busy(self) -> bool:
        with self._poking:
            return any(step.running for step in self.steps)

    def _poke(self, step: Step) -> None:
        with self._poking:
            if step.running or self.stop.is_set():  # poked by a scheduler that was replaced meanwhile
                return
            step.poked, step.running = self.clock(), True
        try:
            self._run(step)
        except Fatal as error:
            why = (
                "another process has taken over"
                if isinstance(error, Overtaken)
                else "the state of the log is unclear"
            )
            _log.critical(f"{why}; stopping", step=step.name, code=error.code, detail=str(error))
            if self.fatal is None or isinstance(
                self.fatal, Overtaken
            ):  # which says that nothing is to be looked at
                self.fatal = error
            self.stop.set()
        except NotReady as error:
            # As in the moment between a swap and its publishing. One that stays so is silent, and that is seen.
            _log.info("step has to wait and will be tried again", step=step.name, detail=str(error))
        except NotaryError as error:
            STEP_FAILURES.labels(step.name, error.code).inc()
            _log.warning(
                "step failed and will be tried again", step=step.name, code=error.code, detail=str(error)
            )
        except Exception as error:  # noqa: BLE001 - a step that dies must be seen and tried again, not end silently
            STEP_FAILURES.labels(step.name, "unexpected").inc()
            _log.error("step failed unexpectedly and will be tried again", step=step.name, exc_info=error)
        finally:
            step.poked, step.running = self.clock(), False

    def _run(self, step: Step) -> None:
        note = self.beat or _nobody
        try:
            with STEP_SECONDS.labels(step.name).time():
                step.run()
        except (Fatal, NotReady):
            raise  # the state is unclear, and nothing is written any more; or it did neither succeed nor fail
        except Exception:
            note(step, False)
            raise
        step.succeeded = self.clock()
        note(step, True)


def _nobody(_step: Step, _succeeded: bool) -> None:
    pass
