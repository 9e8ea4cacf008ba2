"""Keys are rotated, and what the old ones signed goes on verifying; whatever a crash leaves is taken up again."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.errors import Fatal, RequestError, SettingsError, Unavailable
from notary.evidence.bodies import KeyChange
from notary.evidence.key_history import ADDED, HEAD, LOG, RECEIPT, ROLES
from notary.evidence.note import open_note
from notary.evidence.outcome import Outcome
from notary.evidence.receipt import open_receipt
from notary.evidence.trust_statement import check_versions
from notary.intake.key_statement import log_key_change
from notary.services.erasing import Erasing
from notary.store.anchorings import create_anchoring, move
from notary.store.checkpoints import checkpoints_after
from notary.store.key_changes import key_statements
from notary.store.openings import erase_openings
from notary.store.records import record_by_seq
from notary.wiring.key_files import make_next, public_of
from tests.services.keys_world import DAY, World, write_key

YEAR = 365 * DAY


@pytest.fixture
def world(sqlite, tmp_path):
    return World.make(sqlite, tmp_path)


def outcome(report, id_):
    return {check.outcome for check in report.checks if check.id == id_}


def signers(world):
    keys = world.history.verifiers(LOG)
    with world.rig.database.reading() as connection:
        notes = {each.size: each.note for each in checkpoints_after(connection, 0, 1000)}
    return {size: open_note(note, keys)[1].vkey for size, note in notes.items()}


def test_a_package_of_year_1_verifies_after_three_rotations_of_each_key(world):
    first = world.record()
    package = world.package(first.number)
    assert world.check(package).outcome is Outcome.PASSED
    assert outcome(world.check(package), "4.1") == {Outcome.PASSED}
    for _ in range(3):
        world.rig.clock.advance(YEAR)
        for role in ROLES:
            assert world.rotating().rotate(role) is True
        world.restarted().record()
        assert world.problems() == []
    trust = world.trust
    assert [len(keys) for keys in (trust.log_keys, trust.receipt_keys)] == [4, 4]
    report = world.check(package, trust)
    assert report.outcome is Outcome.PASSED
    assert report.interval.existed_by == world.check(package).interval.existed_by
    # A receipt is dated by its own key alone, which has ended: left open, and held against nothing.
    assert outcome(report, "4.1") == {Outcome.UNCHECKED}
    assert world.check(world.package(first.number)).outcome is Outcome.PASSED
    new = world.record()
    found = world.check(world.package(new.number))
    assert (found.outcome, outcome(found, "4.1")) == (Outcome.PASSED, {Outcome.PASSED})
    # Control: who has only the trust file of year 1 finds no key for what was signed later.
    early = world.source.trust()
    assert outcome(world.check(world.package(new.number), early), "3.1") == {Outcome.FAILED}
    assert len(set(signers(world).values())) == 4


def test_one_key_signs_at_a_time_and_the_old_one_closes_the_statement_on_the_new(world):
    old = world.history.in_force(LOG)
    world.record()
    world.rotating().rotate(LOG)
    new = world.history.in_force(LOG)
    added = next(event for event in world.history.events if event.change.action == "added")
    by = signers(world)
    last = max(size for size, key in by.items() if key == old)
    assert added.index < last == min(size for size in by if size > added.index)
    assert all(key == (old if size <= last else new) for size, key in by.items())
    ended = world.history.periods(LOG)[0]
    assert (ended.key, ended.size, ended.last_good_size) == (old, last, None)
    assert world.rig.fsck().counts["key statements"] == 2


def test_receipts_are_of_the_key_in_force_at_the_size_that_they_name(world):
    before = world.rig.intake.accept(world.rig.document())
    running = world.rig.intake  # has promised already, and is not started again
    world.rotating().rotate(RECEIPT)
    after = running.accept(world.rig.document(b"later"))
    world.close()
    names = world.history.verifiers(RECEIPT)
    for accepted, key in ((before, names[1]), (after, names[0])):
        assert open_receipt(accepted.receipt, "log.example.org/2026", [key])
    assert world.problems() == []


def test_the_head_key_is_taken_over_before_its_end_is_said(world):
    old = world.history.in_force(HEAD)

    def refuse(_old, _new):
        raise Unavailable("the chain does not answer")

    with pytest.raises(Unavailable, match="the chain does not answer"):
        world.rotating(take_over={HEAD: refuse}).rotate(HEAD)
    assert world.history.in_force(HEAD) == old  # which signs until the contract has the new one
    assert len(world.history.keys(HEAD)) == 2
    assert world.rotating().rotate(HEAD) is False
    assert world.handed == [(old, world.history.keys(HEAD)[1])]
    assert world.history.in_force(HEAD) == world.history.keys(HEAD)[1]
    assert world.problems() == []


@pytest.mark.parametrize("state", ["due", "sent"])
def test_a_log_key_has_not_ended_while_a_head_of_its_is_on_the_way(world, state):
    world.record()
    size = max(signers(world))
    with world.rig.database.writing() as connection:
        item = create_anchoring(connection, "calendar", "opentimestamps", size, world.rig.clock())
        if state == "sent":
            move(connection, item.id, "due", "signed", world.rig.clock())
            move(connection, item.id, "signed", "sent", world.rig.clock(), evidence=b"x")
    with pytest.raises(Unavailable, match="are still on their way"):
        world.rotating().rotate(LOG)
    assert [period.ended for period in world.history.periods(LOG)] == [False, False]
    with world.rig.database.writing() as connection:
        move(connection, item.id, state, "rejected", world.rig.clock())
    assert world.rotating().rotate(LOG) is False
    assert [period.ended for period in world.history.periods(LOG)] == [True, False]


def test_a_key_that_another_run_ended_while_it_was_waited_for_is_not_ended_twice(world):
    world.record()
    old = world.history.in_force(LOG)
    with world.rig.database.writing() as connection:
        item = create_anchoring(
            connection, "calendar", "opentimestamps", max(signers(world)), world.rig.clock()
        )

    def meanwhile(_seconds):
        world.rotating().compromise(LOG, old, 1, None)
        with world.rig.database.writing() as connection:
            move(connection, item.id, "due", "rejected", world.rig.clock())

    assert world.rotating(patience=1.0, pause=meanwhile).rotate(LOG) is True
    assert [event.change.action for event in world.history.events] == ["added", "compromised"]


def spare(world, name):
    """The file of a key that was made elsewhere, and what puts it beside the others."""
    path = world.paths.folder / name / "log.pem"
    path.parent.mkdir()
    write_key(path, Ed25519PrivateKey.generate())
    return public_of(world.paths, LOG, path), lambda role, number: make_next(world.paths, path, role, number)


def test_a_key_that_is_given_while_an_earlier_rotation_waits_comes_into_force_after_it(world):
    """It was taken for no request at all: the earlier rotation ended, and who gave the key was told of no error."""
    world.record()
    with world.rig.database.writing() as connection:
        waits = create_anchoring(
            connection, "calendar", "opentimestamps", max(signers(world)), world.rig.clock()
        )
    with pytest.raises(Unavailable, match="on their way to calendar"):
        world.rotating().rotate(LOG)
    second = world.history.in_force(LOG)
    third, make = spare(world, "safe")
    with pytest.raises(Unavailable, match="on their way to calendar"):
        world.rotating(make=make).rotate(LOG, third)
    assert (third in world.history.keys(LOG), world.history.in_force(LOG)) == (False, second)
    with world.rig.database.writing() as connection:
        move(connection, waits.id, "due", "rejected", world.rig.clock())
    assert world.rotating(make=make).rotate(LOG, third) is True
    assert [period.ended for period in world.history.periods(LOG)] == [True, True, False]
    assert world.history.in_force(LOG) == third
    for finish in (True, False):
        assert world.rotating(make=make).rotate(LOG, third, finish=finish) is False
    assert world.problems() == []


def test_a_key_that_is_given_is_not_begun_with_where_an_earlier_rotation_is_only_to_be_ended(world):
    def refuse(_old, _new):
        raise Unavailable("the chain does not answer")

    with pytest.raises(Unavailable, match="the chain does not answer"):
        world.rotating(take_over={HEAD: refuse}).rotate(HEAD)
    following = world.history.keys(HEAD)[1]
    assert world.rotating().rotate(HEAD, "0x" + "77" * 20, finish=True) is False
    assert world.history.keys(HEAD)[1:] == (following,)
    # Without a key the same command ends what was begun, and no more.
    assert world.rotating().rotate(HEAD) is True


def test_two_hosts_that_begin_at_once_bring_one_key_into_force(world):
    """Each sees no rotation under way, and has made a key file of its own."""
    world.record()
    third, _ = spare(world, "elsewhere")

    def make(role, number):
        log_key_change(world.rig.intake, KeyChange(role, ADDED, third, None), world.rotating().find_key)
        return make_next(world.paths, None, role, number)

    with pytest.raises(RequestError, match="the log key before the newest one has not ended yet"):
        world.rotating(make=make).rotate(LOG)
    world.close()
    assert world.history.keys(LOG)[1:] == (third,)


def test_a_key_that_was_followed_by_others_does_not_come_back(world):
    first = world.history.in_force(LOG)
    world.rotating().rotate(LOG)
    second = world.history.in_force(LOG)
    before = world.statements.newest().version
    with pytest.raises(RequestError, match=r"no rotation was begun, and .* is in force") as caught:
        world.rotating().rotate(LOG, first)
    assert (second in str(caught.value), world.history.in_force(LOG)) == (True, second)
    assert world.statements.newest().version == before
    assert world.rotating().rotate(LOG, second) is False


TOO_LARGE = "the trust file is too large for a trust statement"


@pytest.mark.parametrize("full", ["versions", "file"])
def test_before_anything_is_signed_it_is_told_that_no_trust_statement_can_say_it(world, monkeypatch, full):
    old = world.history.in_force(LOG)
    world.rotating().rotate(LOG)
    newest, events = world.statements.newest().version, len(world.history.events)
    reason, error = TOO_LARGE, SettingsError
    if full == "versions":
        monkeypatch.setattr("notary.services.trust_statements.MAX_VERSIONS", newest + 2)
        reason, error = (
            f"there have been {newest} versions of the trust statement, of {newest + 2}",
            RequestError,
        )
    else:
        size = len(world.statements.current().file())
        monkeypatch.setattr("notary.services.trust_statements.MAX_NOTE", size + 4000)
    with pytest.raises(error, match=reason):
        world.rotating().rotate(RECEIPT)
    assert len(world.history.events) == events
    assert world.private(RECEIPT, 1)
    assert not (world.paths.folder / "receipt-2.pem").exists()
    world.rotating().compromise(LOG, old, 1, None)  # for which there is room
    assert world.statements.newest().version == newest + 1
    newest, events = newest + 1, len(world.history.events)
    monkeypatch.setattr("notary.services.trust_statements.MAX_VERSIONS", newest)
    monkeypatch.setattr("notary.services.trust_statements.MAX_NOTE", 10 if full == "file" else 64 * 1024)
    with pytest.raises(RequestError, match=f"there have been {newest} versions .* begin another log"):
        world.rotating().compromise(LOG, old, 0, None)
    # A theft is logged all the same: any file of `notary trust` says it.
    assert (len(world.history.events), world.statements.newest().version) == (events + 1, newest)
    monkeypatch.setattr("notary.services.trust_statements.MAX_VERSIONS", 1000)
    if full == "file":
        with pytest.raises(SettingsError, match=TOO_LARGE):
            world.rotating().compromise(LOG, old, 0, None)
    assert len(world.history.events) == events + (2 if full == "file" else 1)


def test_a_trust_file_that_fits_nowhere_is_not_published(world, monkeypatch):
    monkeypatch.setattr("notary.services.trust_statements.MAX_NOTE", 3000)
    with pytest.raises(SettingsError, match=TOO_LARGE):
        world.rotating().publish()
    assert world.statements.newest() is None


def test_what_is_reserved_for_a_key_is_more_than_it_takes(world):
    """Else a rotation that was let begin could end at a trust statement that is too large."""
    for role in ROLES:
        before = world.statements.current().file()
        count = 0 if world.statements.newest() is None else world.statements.newest().version
        world.rotating().rotate(role)
        newest = world.statements.newest()
        grown = len(newest.note) - len(before.encode())
        assert newest.version - count <= 3
        assert grown < 2048 + 512 * 2


def test_without_a_worker_nothing_is_closed_and_the_same_command_goes_on_later(world):
    closes = world.close
    world.close = lambda: None
    with pytest.raises(Unavailable, match="the log does not close what was accepted"):
        world.rotating().rotate(LOG)
    world.close = closes
    # What was accepted was a version of the trust statement: the old key's word before the first rotation.
    assert world.statements.newest().version == 1
    assert world.rotating().rotate(LOG) is True


@pytest.mark.parametrize("role", ROLES)
def test_each_rotation_is_told_in_versions_that_follow_one_another(world, role):
    world.rotating().rotate(role)
    versions = [world.statements.read(number) for number in (1, 2, 3)]
    newest = check_versions(versions, world.statements.newest().fingerprint).newest
    assert newest.version == 3
    assert newest.toml == world.statements.current().file()
    assert world.rig.fsck().counts["trust statements"] == 3
    assert world.statements.publish(world.rig.intake, world.rotating().find_key) is None  # nothing new
    with pytest.raises(RequestError, match="is the newest"):
        world.rotating().compromise(role, world.history.keys(role)[-1], 0, None)


def test_the_moment_of_a_compromise_cannot_be_erased(world):
    world.record()
    theft = world.rig.clock() + timedelta(hours=1)
    world.rig.clock.advance(2 * 3600)
    old = world.history.in_force(LOG)
    world.rotating().rotate(LOG)
    world.rotating().compromise(LOG, old, 2, theft)
    with world.rig.database.reading() as connection:
        record = record_by_seq(connection, key_statements(connection)[-1][1])
    with pytest.raises(RequestError, match="a statement on a key of the log commits to is not erased"):
        Erasing(world.rig.database, world.rig.intake.spool.discard).erase(record.number, None)
    assert world.history.periods(LOG)[0].until == theft
    with world.rig.database.writing() as connection:  # by whoever has the database
        erase_openings(connection, record.seq, None)
    with pytest.raises(Fatal, match=f"the detail of the key statement {record.number} is gone or was never"):
        world.sequencer.sequence()


def test_a_head_key_that_the_contract_still_takes_is_not_declared_compromised(world):
    def refuse(_old, _new):
        raise Unavailable("no gas")

    with pytest.raises(Unavailable, match="no gas"):
        world.rotating(take_over={HEAD: refuse}).rotate(HEAD)
    old, new = world.history.keys(HEAD)
    with pytest.raises(RequestError, match="the contract still takes this head key"):
        world.rotating(head_on_chain=lambda: old).compromise(HEAD, old, 1, None)
    assert world.history.in_force(HEAD) == old
    # A thief was first, and handed over to himself: it can be said.
    world.rotating(head_on_chain=lambda: "0x" + "99" * 20).compromise(HEAD, old, 1, None)
    assert world.history.in_force(HEAD) == new
