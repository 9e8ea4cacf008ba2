"""After a theft is declared, what is taken out of the log rests on no head that the thief could have signed."""

import io
import os
from contextlib import suppress
from hashlib import sha256

import pytest
from sqlalchemy import text

from notary.errors import NotFound, NotReady, Unavailable
from notary.evidence.checkpoint import open_checkpoint
from notary.evidence.key_history import LOG
from notary.evidence.outcome import Outcome
from notary.evidence.package import read_package
from notary.evidence.proof_file import TLOG_PROOF, parse_proof_file
from notary.log.index import index_digests
from notary.services import package_heads
from notary.services.exports import Exports, Format
from notary.services.opening import Choice
from notary.services.packages import Packages
from notary.services.records import Records
from notary.services.types import Viewer
from notary.store.anchorings import create_anchoring, move
from notary.store.checkpoints import newest_checkpoint
from tests.rig import ORIGIN
from tests.services.keys_world import World

NOTHING = Choice(frozenset())


class Theft:
    """A record under a head above the last good size of a key that was stolen; nobody has stamped that head."""

    def __init__(self, world, *, stamped=False, pending=b""):
        self.world = world
        self.first = world.record()
        self.good = self.newest()
        self.late = self.submit()
        if stamped:
            world.rig.clock.advance(60)
            world.stamp()
            world.rig.clock.advance(60)
        if pending:
            self.calendar("ots-a", pending)
        self.old = world.history.in_force(LOG)
        self.packages = Packages(
            world.rig.database, Records(world.rig.database), world.prover, clock=self.time
        )
        self.exports = Exports(world.rig.database, self.packages.records, self.packages, world.prover)
        self.own = Viewer(world.rig.tenant)
        self.seconds = 0.0

    def time(self):
        return self.seconds

    def newest(self):
        with self.world.rig.database.reading() as connection:
            return newest_checkpoint(connection).size

    def submit(self):
        made = self.world.rig.intake.accept(self.world.rig.document(os.urandom(8)))
        self.world.sequencer.sequence()
        return made

    def calendar(self, name, data):
        """It has taken the newest head; the block is hours away."""
        now = self.world.rig.clock()
        with self.world.rig.database.writing() as connection:
            made = create_anchoring(connection, name, "opentimestamps", self.newest(), now)
            move(connection, made.id, "due", "sent", now, evidence=data)

    def declare(self, good=None):
        with suppress(Unavailable):  # what calendars have taken in would be waited for
            self.world.rotating().rotate(LOG)
        self.world.rotating().compromise(LOG, self.old, self.good if good is None else good, None)
        return self

    def sizes(self, record):
        return read_package(io.BytesIO(self.world.package(record.number))).sizes()

    def by_thief(self, note):
        history = self.world.history
        return open_checkpoint(note, ORIGIN, history.verifiers(LOG)).verifier.vkey == self.old


@pytest.fixture
def world(sqlite, tmp_path):
    return World.make(sqlite, tmp_path)


def failures(world, data):
    report = world.check(data)
    return report.outcome, {(check.id, check.detail) for check in report.failures()}


def test_what_a_calendar_has_of_a_stolen_head_goes_into_no_package(world):
    theft = Theft(world, pending=b"pending").declare()
    world.record()
    data = world.package(theft.late.number)
    assert failures(world, data) == (Outcome.PASSED, set())
    assert not [name for name in read_package(io.BytesIO(data)).files if name.endswith(".ots")]
    # Of a head that the new key signed it does, and it is told which is the first.
    theft.calendar("ots-a", b"later")
    theft.calendar("ots-b", b"later")
    found = read_package(io.BytesIO(world.package(theft.late.number)))
    assert {name: found.files[name] for name in found.files if name.endswith(".ots")} == {
        f"heads/{theft.newest()}/ots/ots-a.ots": b"later",
        f"heads/{theft.newest()}/ots/ots-b.ots": b"later",
    }


@pytest.mark.parametrize("stamped", [True, False])
def test_below_the_last_good_size_a_calendar_is_waited_for_where_others_have_spoken(world, stamped):
    theft = Theft(world, stamped=stamped, pending=b"pending")
    theft.declare(theft.newest())
    world.record()
    found = read_package(io.BytesIO(world.package(theft.late.number)))
    assert any(name.endswith(".ots") for name in found.files) is stamped
    assert not [id_ for id_, _ in failures(world, found)[1] if id_ != "5.3"]  # the file is none


def test_a_head_that_nobody_attests_is_one_that_is_believed(world):
    theft = Theft(world).declare()
    (size,) = theft.sizes(theft.late)
    assert not theft.by_thief(world.prover.checkpoint(size).note)
    assert failures(world, world.package(theft.late.number)) == (Outcome.UNCHECKED, set())
    assert theft.sizes(theft.first)[0] <= theft.good


@pytest.mark.parametrize("form", [Format.TLOG_PROOF, Format.JSON, Format.COSE])
def test_a_proof_that_asks_for_no_size_is_under_a_head_that_is_believed(world, form):
    theft = Theft(world, stamped=True)
    before = theft.exports.export(theft.late.number, theft.own, form, None, NOTHING)
    theft.declare()
    after = theft.exports.export(theft.late.number, theft.own, form, None, NOTHING)
    assert theft.by_thief(world.prover.checkpoint(before.size).note)
    assert not theft.by_thief(world.prover.checkpoint(after.size).note)
    # Whoever asks for the old head by its size gets it, and what was good stays where it was.
    assert theft.exports.export(theft.late.number, theft.own, form, before.size, NOTHING).data == before.data
    first = theft.exports.export(theft.first.number, theft.own, form, None, NOTHING)
    assert first.size <= theft.good


def test_a_head_that_is_named_is_given_as_it_is_and_the_verifier_refuses_it(world):
    """Beside one that is believed it takes nothing from it, and adds nothing: neither bound nor check that passed."""
    theft = Theft(world, stamped=True)
    before = theft.packages.package(theft.late.number, theft.own, [theft.newest()])
    stolen = theft.newest()
    theft.declare()
    assert theft.packages.package(theft.late.number, theft.own, [stolen]) == before
    outcome, found = failures(world, before)
    assert (outcome, {id_ for id_, _ in found}) == (Outcome.FAILED, {"3.1"})
    assert "compromised" in next(iter(found))[1]
    world.record()
    both = theft.packages.package(theft.late.number, theft.own, [stolen, theft.newest()])
    report = world.check(both)
    assert {(check.id, check.subject) for check in report.failures()} == {("3.1", f"head {stolen}")}
    assert {bound.size for bound in report.interval.bounds} == {theft.newest()}


def test_a_calendars_file_is_of_a_head_that_is_believed(world):
    theft = Theft(world, pending=b"pending")

    def ots():
        return theft.exports.export(theft.late.number, theft.own, Format.OTS, None, NOTHING)

    assert ots().data == b"pending"
    theft.declare()
    with pytest.raises(NotFound, match="there is no OpenTimestamps file for this record"):
        ots()
    world.record()
    theft.calendar("ots-a", b"later")
    assert (ots().data, ots().size) == (b"later", theft.newest())


def test_a_record_that_was_just_looked_up_is_proved_so_within_a_second(world):
    theft = Theft(world)

    def proof():
        (found,) = theft.packages.records.lookup("sha-256", digest, theft.own)
        return parse_proof_file(theft.packages.proof_found(found), TLOG_PROOF).note

    content = b"looked up"
    world.rig.intake.accept(world.rig.document(content))
    world.sequencer.sequence()
    index_digests(world.rig.database)
    digest = sha256(content).digest()
    assert theft.by_thief(proof())
    theft.declare()
    theft.seconds += 1.1
    assert not theft.by_thief(proof())


def test_where_no_head_is_believed_yet_one_waits(world):
    theft = Theft(world).declare()
    with world.rig.database.writing() as connection:
        connection.execute(text(f"UPDATE checkpoint SET cose = NULL WHERE size > {theft.good + 1}"))
    with pytest.raises(NotReady, match="were signed by a key that others had"):
        theft.exports.export(theft.late.number, theft.own, Format.COSE, None, NOTHING)


def test_the_word_that_stands_in_for_one_without_code_is_believed_too(world, monkeypatch):
    theft = Theft(world, stamped=True)
    world.record()  # of the same key, above its last good size
    theft.declare()
    whole = theft.newest()
    world.record()
    monkeypatch.setattr(package_heads, "_shows_code", lambda item: item.size > theft.good)
    assert min(theft.sizes(theft.first)) > whole
    assert failures(world, world.package(theft.first.number))[1] == set()
