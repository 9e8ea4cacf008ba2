"""What stands still for too long is told, though every step succeeds: unmined, not final, refused, unanswered."""

from dataclasses import replace
from datetime import timedelta

import pytest
import structlog

from notary.observe import ANCHOR_ATTEMPTS, ANCHOR_FINAL_AGE, ANCHOR_PENDING, STAMPED_AGE
from notary.services.beating import Beating
from notary.services.health import Condition, Health
from notary.services.overdue import Targets, Watch, told
from notary.services.steps import Step
from notary.store import anchorings
from notary.store.owed import Owed, owed
from tests.anchoring.ledger import finished

MINUTE, HOUR, DAY = 60, 3600, 86_400
TARGETS = Targets(stamp=timedelta(hours=4), final=timedelta(hours=24))


def unmined(log, ledger, step, days=10):
    """Days of steps that succeed, on a chain that mines nothing."""
    ledger.dear = True
    log.close()
    for _ in range(days * 12):
        step()
        log.wait(2 * HOUR)


def looked(log, name="anchor ledger", targets=TARGETS):
    """What a load balancer is told, where every step of the worker has just succeeded."""
    steps = (Step("close", 1, print), Step(name, 5, print))
    beat = Beating(log.rig.database, steps, lambda: True, log.rig.clock)
    for each in steps:
        beat(each, True)
    return Health(log.rig.database, timedelta(days=99), log.rig.clock, targets=targets).look()


def watching(log, leading=lambda: True, **changes):
    values = {"patience": {"ledger": 60.0}, "sources": {}, "needed": 1, "targets": TARGETS} | changes
    return Watch(log.rig.database, now=log.rig.clock, leading=leading, **values)


def value(metric, *labels):
    return (metric.labels(*labels) if labels else metric)._value.get()


def asked(log, anchor, kind="rfc3161", state=None, detail="", size=1):
    with log.rig.database.writing() as connection:
        item = anchorings.create_anchoring(connection, anchor, kind, size, log.rig.clock())
        if state is not None:
            anchorings.move(connection, item.id, "due", state, log.rig.clock(), detail=detail)
    return item


def test_what_no_block_takes_for_ten_days_is_told_with_what_to_do(log, ledger, step):
    unmined(log, ledger, step)
    assert (log.one().state, len(log.attempts(log.one()))) == ("sent", 9)
    found = looked(log)
    assert found.late == []  # what others attest to stops no submission
    (said,) = found.failing
    assert said == (
        "anchor ledger: nothing has become final for 240 h; the head of size 2 is sent after 9 attempts: its "
        "transaction is in no block: see whether the chain makes blocks, raise chains.max_fee_gwei where it asks for "
        "more, and compare the wallet's nonce by another endpoint"
    )
    ledger.mine()
    ledger.finalize()
    step()
    assert looked(log) == Condition([], [])


def test_it_is_told_from_half_of_the_objective_on_and_no_sooner(log, ledger, step):
    log.close()
    step()
    log.wait(12 * HOUR)
    assert looked(log).failing == []
    log.wait(1)
    (said,) = looked(log).failing
    assert said.startswith(
        "anchor ledger: nothing has become final for 12 h; the head of size 2 is sent: its "
    )
    # Of an hour, not before its step may be silent; of a clock that was ahead nothing.
    assert looked(log, targets=Targets(final=timedelta(days=2))).failing == []
    log.wait(-DAY)
    assert looked(log).failing == []


def test_a_block_that_does_not_become_final_is_told(log, ledger, step):
    log.close()
    step()
    ledger.mine()
    step()
    log.wait(13 * HOUR)
    step()
    (said,) = looked(log).failing
    assert "the head of size 2 is mined: its block is not final" in said
    assert said.endswith("(last: block 0)")


def test_what_is_refused_again_and_again_is_one_wait(log, ledger, step):
    """Each refusal makes the next head due: counted from its own creation nothing would ever be late."""
    log.close()
    finished(ledger, step)
    for _ in range(14):
        log.close()
        asked(log, "ledger", "evm", "rejected", "the contract refuses: NotLarger", log.newest_size())
        log.wait(HOUR)
    (said,) = looked(log).failing
    assert said.startswith(
        "anchor ledger: nothing has become final for 14 h; the head of size 16 is rejected: it was"
    )
    assert said.endswith("(last: the contract refuses: NotLarger)")


def test_each_kind_has_its_own_bound_and_its_own_advice(log):
    for anchor, kind in (("tsa", "rfc3161"), ("bitcoin", "opentimestamps"), ("wallet", "evm")):
        asked(log, anchor, kind)
    log.wait(2 * HOUR + 1)
    assert "no token came that passes" in looked(log, "anchor tsa").failing[0]
    assert looked(log, "anchor bitcoin").failing == looked(log, "anchor wallet").failing == []
    log.wait(DAY)
    assert "no settled Bitcoin block holds it" in looked(log, "anchor bitcoin").failing[0]
    assert "nothing could be signed for it" in looked(log, "anchor wallet").failing[0]
    assert looked(log, "anchor other").failing == []  # it was never asked
    assert TARGETS.bound("rfc3161", 60) == timedelta(hours=2)
    assert Targets(timedelta(seconds=1)).bound("rfc3161", 60) == timedelta(seconds=60)
    short = told(Owed("x", "dns", log.rig.clock(), 7, "sent", "", 1), timedelta(minutes=90))
    assert short.endswith("final for 90 min; the head of size 7 is sent: see `notary anchor status`")


def test_a_worker_that_leads_logs_it_once(log, ledger, step):
    leads = [False]
    watch = watching(log, lambda: leads[0])
    unmined(log, ledger, step, 1)
    with structlog.testing.capture_logs() as logs:
        watch.step()
        assert logs == []  # who leads tells
        leads[0] = True
        for _ in range(3):
            watch.step()
            log.wait(HOUR)
    (line,) = logs
    assert (line["log_level"], line["event"]) == ("error", "an anchor owes its word for too long")
    assert line["detail"].startswith("anchor ledger: nothing has become final for 24 h")


def test_what_is_owed_and_how_old_the_last_word_is_are_measured(log, ledger, step):
    watch = watching(log)
    log.wait(100)
    watch.step()
    assert (value(ANCHOR_PENDING, "ledger"), value(ANCHOR_ATTEMPTS, "ledger")) == (0, 0)
    assert value(ANCHOR_FINAL_AGE, "ledger") == 100  # of the log
    log.close()
    log.wait(10)
    step()
    log.wait(5)
    watch.step()
    assert (value(ANCHOR_PENDING, "ledger"), value(ANCHOR_ATTEMPTS, "ledger")) == (5, 1)
    assert value(ANCHOR_FINAL_AGE, "ledger") == 115
    ledger.mine()
    ledger.finalize()
    step()
    watch.step()
    assert (value(ANCHOR_PENDING, "ledger"), value(ANCHOR_ATTEMPTS, "ledger")) == (0, 0)
    assert value(ANCHOR_FINAL_AGE, "ledger") == 15  # since its head was closed
    log.close()
    log.wait()
    step()
    log.wait(-2 * MINUTE)  # the clock was ahead
    watch.step()
    assert value(ANCHOR_PENDING, "ledger") == 0


def test_a_head_is_stamped_when_enough_organisations_have_stamped_it_or_a_later_one(log):
    sources = {"one": "a", "same": "a", "two": "b"}
    watch = watching(log, patience=dict.fromkeys(sources, 60.0), sources=sources, needed=2)
    sizes = []
    for _ in range(3):
        sizes.append(log.close())
        log.wait(10)
    for name, size in (("one", sizes[2]), ("same", sizes[1])):
        asked(log, name, state="final", size=size)
    watch.step()
    assert value(STAMPED_AGE) == 30  # of the log: both are of one organisation
    asked(log, "two", state="final", size=sizes[0])
    watch.step()
    assert value(STAMPED_AGE) == 30
    asked(log, "two", state="final", size=sizes[1])
    watch.step()
    assert value(STAMPED_AGE) == 20
    replace_needed = replace(watch, needed=1)
    replace_needed.step()
    assert value(STAMPED_AGE) == 10


def test_a_word_that_is_believed_no_more_is_owed_from_the_moment_that_another_is_asked_for(log):
    size = log.close()
    asked(log, "tsa", state="rejected", size=size)
    asked(log, "tsa", state="final", size=size)
    with log.rig.database.reading() as connection:
        assert owed(connection, "tsa") is None
    log.wait(DAY)
    asked(log, "tsa", size=size)
    with log.rig.database.reading() as connection:
        found = owed(connection, "tsa")
    assert (found.since, found.state, found.attempts) == (log.rig.clock(), "due", 0)


@pytest.mark.parametrize("state", ["due", "rejected"])
def test_before_the_first_word_everything_is_owed(log, state):
    asked(log, "tsa", state=None if state == "due" else state)
    with log.rig.database.reading() as connection:
        assert owed(connection, "tsa").state == state
