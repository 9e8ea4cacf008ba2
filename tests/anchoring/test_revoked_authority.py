"""An authority whose certificate was revoked is not believed, and is taken in again once it has another."""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import pytest

from notary.anchoring.rfc3161 import failed_check
from notary.anchoring.stamps import StampWatch
from notary.services.health import Health
from notary.store import stamps
from notary.store.final_words import final_words
from notary.store.heartbeats import beat
from notary.store.standing import Standings
from notary.store.views import Anchors
from tests.anchoring.far_tsa import FarTsa
from tests.anchoring.test_stamps import HOUR, MIDDLES, SIGNERS, made
from tests.mini_revocation import crl
from tests.mini_tsa import MiniTsa

SECOND = timedelta(seconds=1)
ORGANISATIONS = {"tsa": "Mini Ltd", "other": "Other Ltd"}


@dataclass
class Revocable(FarTsa):
    """An authority that counts its tokens, whose CAs revoke what a test says."""

    mini: MiniTsa = field(default_factory=made)
    numbers: count = field(default_factory=lambda: count(1))
    revoked: list = field(default_factory=list)

    def post(self, *given):
        mini = self.mini
        mini.respond = lambda note, **more: MiniTsa.respond(mini, note, serial=next(self.numbers), **more)
        return super().post(*given)

    def anchor(self, name="tsa"):
        def spoiled(path):
            with self.log.rig.database.reading() as connection:
                return stamps.spoiled_from(connection, path)

        return super().anchor(name, spoiled=spoiled)

    def fetch(self, source, certificate, issuer):
        now, mini = self.log.rig.clock(), self.mini
        return {
            SIGNERS: crl(mini.middle, mini.middle_key, *self.revoked, at=now),
            MIDDLES: crl(mini.root, mini.root_key, at=now),
        }[source.url]

    def revoke(self):
        self.revoked.append((self.mini.signer, self.log.rig.clock(), "keyCompromise"))

    def renew(self):
        self.mini, self.revoked = made(), []

    def look(self, name="tsa"):
        """What the watch over its stamps finds now."""
        log = self.log
        StampWatch(
            log.rig.database,
            {name: self.anchor(name).authority},
            lambda size: log.head(size).note,
            self.fetch,
            HOUR,
            log.rig.clock,
        ).step()


@pytest.fixture
def far(log):
    return Revocable(log)


def stamped(log, size, needed=1):
    with log.rig.database.reading() as connection:
        found = Standings(connection).of(size).attestations
    return Anchors(frozenset({"rfc3161"}), ORGANISATIONS, needed).stamped(found)


def failing(log):
    now = log.rig.clock()
    with log.rig.database.writing() as connection:
        beat(connection, "anchor tsa", 600, now, succeeded=True)
    return Health(log.rig.database, HOUR, log.rig.clock).look().failing


@pytest.fixture
def spoiled(log, far):
    """The one stamp that a record had, found bad; the size of its checkpoint."""
    size = log.close()
    far.patient()()
    assert (log.one("tsa").state, stamped(log, size), failing(log)) == ("final", True, [])
    log.wait(1)
    far.revoke()
    far.look()
    return size


def test_a_record_whose_only_stamp_was_found_bad_is_not_stamped_any_more_and_readiness_tells(log, spoiled):
    assert not stamped(log, spoiled)
    assert failing(log) == ["anchor tsa"]


def test_what_a_revoked_certificate_signs_from_then_on_is_not_taken(log, far, spoiled):
    patient = far.patient()
    patient()  # at once, and of the same head: nothing else stamps it
    found = log.newest("tsa")
    assert (found.size, found.state, len(far.asked)) == (spoiled, "rejected", 2)
    assert failed_check(found.detail) == (15, "a certificate behind it was revoked")
    assert found.evidence is not None
    # It is asked ever more rarely.
    for _ in range(120):
        log.wait(60)
        far.patient()()
    assert len(far.asked) < 20
    assert not stamped(log, spoiled)
    assert failing(log) == ["anchor tsa"]


def test_it_is_taken_in_again_with_another_certificate_and_the_record_is_stamped_again(log, far, spoiled):
    far.patient()()
    far.renew()
    log.wait(60)
    far.patient()()
    found = log.newest("tsa")
    assert (found.size, found.state) == (spoiled, "final")
    assert stamped(log, spoiled)
    # That stamp is looked at, too, though one of this head was before.
    assert failing(log) == ["anchor tsa"]
    far.look()
    assert failing(log) == []
    with log.rig.database.reading() as connection:
        assert stamps.not_looked_at(connection, "tsa", 10) == []
        assert [item.id for item in final_words(connection, "tsa", most=9)] == [found.id]


def test_another_organisation_stands_in_for_it_where_one_is_enough(log, far):
    other = Revocable(log)
    size = log.close()
    far.patient()()
    other.patient("other")()
    assert (stamped(log, size, 1), stamped(log, size, 2)) == (True, True)
    log.wait(1)
    far.revoke()
    far.look()
    other.look("other")
    assert (stamped(log, size, 1), stamped(log, size, 2)) == (True, False)
    far.renew()
    far.patient()()
    assert stamped(log, size, 2)


def test_a_certificate_that_was_superseded_stamped_rightly_before(log, far):
    size = log.close()
    far.patient()()
    log.wait(10)
    far.revoked.append((far.mini.signer, log.rig.clock(), "superseded"))
    far.look()
    assert stamped(log, size)
    log.close()
    log.wait(60)
    far.patient()()
    assert (log.newest("tsa").state, stamped(log, log.newest_size())) == ("rejected", False)
