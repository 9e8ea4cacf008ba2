"""Who slept for longer than its lease does nothing more of what only one process may do, before it has looked."""

import pytest

from notary.errors import Overtaken
from notary.log import batch, staging
from notary.log.sequence import Sequencer
from notary.services.beating import Beating
from notary.services.steps import Step
from tests.log.test_sequence import state_of
from tests.log.test_stale import rows
from tests.rig import Rig


@pytest.fixture
def rig(sqlite, tmp_path):
    return Rig(sqlite, tmp_path).open()


def test_a_process_leads_from_its_first_close_until_its_lease_is_over(rig):
    sequencer = rig.sequencer()
    assert not sequencer.leading
    assert sequencer.acquire()
    assert not sequencer.leading
    sequencer.sequence()
    assert sequencer.leading
    rig.clock.advance(19)
    assert sequencer.leading
    rig.clock.advance(1)
    assert not sequencer.leading
    sequencer.sequence()  # nobody has taken over
    assert sequencer.leading
    sequencer.release()
    assert not sequencer.leading


def test_it_leads_no_longer_than_the_lease_that_others_see(rig):
    sequencer, other = rig.sequencer("first"), rig.sequencer("other")
    sequencer.sequence()
    rig.clock.advance(9)
    sequencer.sequence()  # more than half of the lease is left: it is not renewed
    rig.clock.advance(11)
    assert not sequencer.leading
    rig.clock.advance(1)
    assert other.acquire()


def slept(rig):
    """A leader that slept while another took over, and what notes that its steps ran."""
    first, second = rig.sequencer("first"), rig.sequencer("second")
    step = Step("promises", 10.0, lambda: None)
    beat = Beating(rig.database, [step], lambda: first.leading, rig.clock, rig.passed)
    first.sequence()
    beat(step, True)
    rig.clock.advance(21)
    second.sequence()
    before = rows(rig.database)
    beat(step, True)
    return first, before


def test_steps_of_a_leader_that_slept_write_nothing(rig):
    first, before = slept(rig)
    assert rows(rig.database) == before
    with pytest.raises(Overtaken):
        first.sequence()
    assert rows(rig.database) == before


def test_without_the_time_of_the_lease_they_would(rig, monkeypatch):
    monkeypatch.setattr(Sequencer, "leading", property(lambda sequencer: sequencer._led))
    first, before = slept(rig)
    assert first.leading
    assert rows(rig.database) != before


@pytest.mark.parametrize("guarded", [True, False])
def test_a_close_that_takes_longer_than_a_lease_keeps_it(rig, monkeypatch, guarded):
    monkeypatch.setattr(batch, "CHUNK", 256)
    first, second = rig.sequencer("first"), rig.sequencer("second")
    first.sequence()
    rig.intake.accept_all([rig.document(b"%d" % number) for number in range(1000)])
    stage, led, taken = staging.stage, [], []
    renew = Sequencer._renew

    def slowly(*arguments):
        name = stage(*arguments)
        rig.clock.advance(8)
        led.append(first.leading)
        taken.append(second.acquire())
        return name

    monkeypatch.setattr(staging, "stage", slowly)
    if not guarded:
        monkeypatch.setattr(Sequencer, "_renew", lambda self, state: state if led else renew(self, state))
        with pytest.raises(Overtaken):
            first.sequence()
        assert True in taken
        return
    assert first.sequence().size == 1001
    assert (led, taken) == ([True] * 4, [False] * 4)
    assert state_of(rig).size == 1001
    assert rig.fsck().problems == []


def slow(rig, leader, seconds, waits):
    """A witness that takes so long to answer that the leader closes and renews its lease meanwhile."""

    def witness():
        for _ in range(seconds):
            rig.clock.advance(1)
            leader.sequence()
        if waits:
            rig.submit(1)
            leader.sequence()
        return 0, b""

    return witness


@pytest.mark.parametrize("waits", [False, True], ids=["idle", "closing"])
def test_who_waits_long_for_a_witness_takes_the_lease_of_nobody_who_works(rig, waits):
    """By the time at which it began to ask, the lease of the leader ends later than anybody could take one."""
    leader = rig.sequencer("leader")
    leader.sequence()
    starting = rig.sequencer("starting", witnesses=[slow(rig, leader, 60, waits)])
    assert not starting.acquire()
    assert leader.sequence() is None
    assert leader.leading


def test_a_lease_begins_when_it_is_taken(rig):
    first, second = rig.sequencer("first"), rig.sequencer("second")
    first.witnesses = [lambda: rig.clock.advance(60) or (0, b"")]
    assert first.acquire()
    assert not second.acquire()
    rig.clock.advance(19)
    assert not second.acquire()


def test_a_checkpoint_is_dated_when_it_is_made_and_not_when_its_close_began(rig, monkeypatch):
    """Else a promise that a slow disk breaks is one that nobody is told of."""
    stage = staging.stage

    def slowly(*arguments):
        rig.clock.advance(15)
        return stage(*arguments)

    sequencer = rig.sequencer()
    rig.submit(1)
    monkeypatch.setattr(staging, "stage", slowly)
    began = rig.clock()
    assert (sequencer.sequence().time - began).total_seconds() == 15


def test_a_clock_that_is_set_back_within_a_close_dates_no_checkpoint_before_its_beginning(rig, monkeypatch):
    stage = staging.stage

    def backwards(*arguments):
        rig.clock.advance(-30)
        return stage(*arguments)

    sequencer = rig.sequencer()
    rig.submit(1)
    monkeypatch.setattr(staging, "stage", backwards)
    began = rig.clock()
    assert sequencer.sequence().time == began
    rig.clock.advance(30)
    assert rig.fsck().problems == []
