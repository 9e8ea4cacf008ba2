"""Whether steps keep up is read from the database alone."""

from datetime import timedelta

from notary.services.health import Health
from tests.rig import Rig


def test_what_waits_for_more_than_half_the_promise_is_late(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path)
    health = Health(sqlite, timedelta(seconds=60), rig.clock)
    assert health.late() == ["log"]
    rig.open()
    assert health.late() == []
    rig.submit(1)
    rig.clock.advance(30)
    assert health.late() == []
    rig.clock.advance(1)
    assert health.late() == ["close"]
    rig.sequencer().sequence()
    assert health.late() == []
