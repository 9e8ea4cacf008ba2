"""The steps of a worker that slept for longer than its lease: none writes before the one that closes has looked."""

import pytest

from notary import wiring
from notary.errors import Overtaken
from notary.log.lead import LEASE
from notary.log.sequence import Sequencer
from notary.store.sql import server_time
from tests.api.service import ORIGIN, Service
from tests.log.test_stale import rows

ANYBODYS = ("inspect", "sweep")  # any number of processes do these, with claims of their own


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path, {})
    yield service
    service.end()


def slept(service):
    """It led, slept, was overtaken; then its other steps run. What is stored before and after it."""
    service.accepted()
    ours = service.assembly.sequencer
    ours.sequence()
    for step in service.assembly.steps:
        step.run()
        service.assembly.beat(step, True)
    service.wait(LEASE.total_seconds() + 1)
    service.accepted(b"another")
    other = Sequencer(
        database=service.assembly.database,
        objects=ours.objects,
        key=ours.key,
        origin=ORIGIN,
        now=ours.now,
        holder="another",
    )
    assert other.sequence().size == 3
    before = rows(service.assembly.database)
    service.assembly.beat._noted.clear()  # they are due again, however quick this test was
    for step in service.assembly.steps:
        if step.name not in ("close", *ANYBODYS):
            step.run()
            service.assembly.beat(step, True)
    return before, rows(service.assembly.database)


def test_no_step_of_a_worker_that_slept_writes(service):
    before, after = slept(service)
    assert after == before
    (close,) = (step for step in service.assembly.steps if step.name == "close")
    with pytest.raises(Overtaken):
        close.run()
    assert rows(service.assembly.database) == before


def test_without_the_time_of_the_lease_they_would(service, monkeypatch):
    monkeypatch.setattr(Sequencer, "leading", property(lambda sequencer: sequencer._led))
    before, after = slept(service)
    assert {name for name in before if before[name] != after[name]} >= {"heartbeat", "digest_state"}


def test_a_lease_lasts_from_one_close_to_the_next(tmp_path):
    for seconds, lease in ((1, 20), (10, 30), (25, 75)):
        service = Service(tmp_path / str(seconds), {"close_interval_seconds": seconds})
        assert service.assembly.sequencer.lease.total_seconds() == lease
        service.end()


def test_the_clock_of_the_database_is_looked_at(service):
    assert service.assembly.sequencer.theirs is server_time
    assert service.assembly.sequencer.now is wiring.now
