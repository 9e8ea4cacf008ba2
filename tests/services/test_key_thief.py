"""Whoever has a key that was declared compromised makes no evidence with it: each of his ways fails a named check."""

import io
import os
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from notary import wiring
from notary.errors import Fatal, RequestError, Unavailable
from notary.evidence.bodies import KeyChange
from notary.evidence.checkpoint import Checkpoint, sign_checkpoint
from notary.evidence.key_history import HEAD, LOG, RECEIPT
from notary.evidence.note import Verifier
from notary.evidence.outcome import Outcome
from notary.evidence.package import read_package, write_package
from notary.evidence.proof_file import TLOG_PROOF, ProofFile
from notary.evidence.receipt import receipt_key_name
from notary.evidence.statement import entry_of, parse_statement
from notary.intake.group import Item
from notary.intake.key_statement import log_key_change
from notary.intake.prepare import build_record
from notary.keys import load_ed25519
from notary.log.open import open_log
from notary.merkle.hashing import hash_leaf
from notary.merkle.proof import inclusion_path
from notary.merkle.tree import root_of
from notary.store.checkpoints import newest_checkpoint
from notary.store.key_changes import KEY, key_statements
from notary.store.openings import erase_openings
from notary.wiring.checking import check_log
from tests.api.service import Service
from tests.evidence import build
from tests.rig import LOG_KEY, ORIGIN
from tests.services.keys_world import DAY, TSAS, World


@pytest.fixture
def world(sqlite, tmp_path):
    return World.make(sqlite, tmp_path)


def forged(world, statement: bytes, size: int, key: Ed25519PrivateKey) -> bytes:
    """A package of a log of the thief's own, of `size` entries, stamped now by honest authorities."""
    leaves = [hash_leaf(os.urandom(32)) for _ in range(size)]
    leaves[1] = hash_leaf(entry_of(statement))
    note = sign_checkpoint(Checkpoint(ORIGIN, size, root_of(leaves)), key).encode()

    def node(level, index):
        return root_of(leaves[index << level : (index + 1) << level])

    path = inclusion_path(1, size, node)
    tokens = {
        f"heads/{size}/tokens/{name}.tsr": build.tsa(name).respond(note, gen_time=world.rig.clock(), tsa=True)
        for name in TSAS
    }
    return write_package(
        {
            "data/statement.json": statement,
            f"heads/{size}/checkpoint": note,
            f"heads/{size}/inclusion.tlog-proof": ProofFile(1, tuple(path), note).encode(TLOG_PROOF),
            **tokens,
        }
    )


def failed(report):
    return {(check.id, check.detail) for check in report.failures()}


def stolen(world, **more):
    """The log key is rotated and declared compromised; gives the last good size and the old key."""
    world.record()
    good = max(size for size in (world.prover.checkpoint().checkpoint.size,))
    old = world.history.in_force(LOG)
    world.rotating().rotate(LOG)
    world.rotating().compromise(LOG, old, good, more.get("until"))
    return good, old


def test_the_thief_signs_no_larger_tree_and_no_other_of_an_earlier_size(world):
    honest = world.record()
    package = world.package(honest.number)
    statement = replace(parse_statement(honest.statement), salt=os.urandom(32)).encode()
    before = forged(world, statement, 40, LOG_KEY)
    assert world.check(before).outcome is Outcome.PASSED  # while nobody knows of the theft
    good, _old = stolen(world)
    world.rig.clock.advance(DAY)
    above, below = (forged(world, statement, size, LOG_KEY) for size in (good + 1, good - 1))
    for data, reason in (
        (above, f"this key is trusted up to size {good} only: it was compromised"),
        (below, "nothing attests this head before its key ended"),
        (before, f"this key is trusted up to size {good} only: it was compromised"),
    ):
        report = world.check(data)
        assert report.outcome is Outcome.FAILED
        assert all(id_ == "3.1" and reason in detail for id_, detail in failed(report)), failed(report)
    # What was signed in good faith stands, and so does what the new key signs.
    assert world.check(package).outcome is Outcome.PASSED
    assert world.check(world.package(world.record().number)).outcome is Outcome.PASSED
    assert world.problems() == []


def test_a_theft_that_is_found_late_is_dated_back(world):
    honest = world.record()
    package = world.package(honest.number)
    theft = world.rig.clock() + timedelta(hours=1)
    world.rig.clock.advance(2 * 3600)
    statement = replace(parse_statement(honest.statement), salt=os.urandom(32)).encode()
    backdated = forged(world, statement, 2, LOG_KEY)  # stamped after the theft and before anybody knew
    good, old = stolen(world, until=theft)
    period = next(period for period in world.history.periods(LOG) if period.key == old)
    assert (period.until, period.last_good_size) == (theft, good)
    assert "nothing attests this head before its key ended" in str(failed(world.check(backdated)))
    assert world.check(package).outcome is Outcome.PASSED


def test_heads_that_nobody_believes_any_more_go_into_no_package(world):
    first = world.record()
    good = world.prover.checkpoint().checkpoint.size
    later = world.record()  # under the same key, above what will be its last good size
    old = world.history.in_force(LOG)
    assert world.check(world.package(later.number)).outcome is Outcome.PASSED
    given = world.package(later.number)
    world.rotating().rotate(LOG)
    world.rotating().compromise(LOG, old, good, None)
    assert failed(world.check(given))
    world.record()
    found = read_package(io.BytesIO(world.package(later.number)))
    assert world.check(found).outcome is Outcome.PASSED
    assert min(found.sizes()) > good
    assert read_package(io.BytesIO(world.package(first.number))).sizes()[0] <= good


def test_a_key_that_had_ended_before_it_was_stolen_keeps_the_margin_of_its_end(world):
    """Else the statement on a later theft would take heads from honest packages that were attested in that minute."""
    world.record()
    old = world.history.in_force(LOG)
    world.rotating().rotate(LOG)

    def until():
        return next(key.until for key in world.trust.log_keys if key.verifier.vkey == old)

    ended, margin = world.history.periods(LOG)[0].until, world.source.margin
    assert until() == ended + margin
    world.rig.clock.advance(DAY)
    world.rotating().compromise(LOG, old, 2, None)
    period = world.history.periods(LOG)[0]
    assert (period.compromised, period.until, period.stolen) == (True, ended, ended + timedelta(days=1))
    assert until() == ended + margin
    world.rotating().compromise(
        LOG, old, 2, ended + timedelta(seconds=20)
    )  # in that minute: the thief has none of it
    assert until() == ended + timedelta(seconds=20)
    world.rotating().compromise(LOG, old, 2, ended - timedelta(seconds=1))
    assert until() == world.history.periods(LOG)[0].until == ended - timedelta(seconds=1)


def test_a_key_was_not_in_others_hands_before_it_was_in_force(world):
    world.rotating().rotate(LOG)
    world.rig.clock.advance(DAY)
    world.rotating().rotate(LOG)
    second = world.history.periods(LOG)[1]
    change, before = KeyChange(LOG, "compromised", second.key, 0), second.since - timedelta(seconds=1)
    with pytest.raises(RequestError, match="came into force after others are said to have had it"):
        log_key_change(world.rig.intake, change, world.rotating().find_key, before)
    world.history.check(change, second.since)


def test_a_stolen_receipt_key_leaves_its_receipts_open(world):
    honest = world.record()
    package = world.package(honest.number)
    old = world.history.in_force(RECEIPT)
    world.rotating().rotate(RECEIPT)
    world.rotating().compromise(RECEIPT, old, 0, None)
    report = world.check(package)
    assert report.outcome is Outcome.PASSED
    (check,) = [check for check in report.checks if check.id == "4.1"]
    assert (check.outcome, "it is trusted up to size 0 only" in check.detail) == (Outcome.UNCHECKED, True)


def test_what_cannot_be_said_of_a_key_is_refused(world):
    world.record()
    old = world.history.in_force(LOG)
    rotating = world.rotating()
    with pytest.raises(RequestError, match="is the newest log key: add another one first"):
        rotating.compromise(LOG, old, 2, None)
    rotating.rotate(LOG)
    with pytest.raises(RequestError, match="is no log key of this log"):
        rotating.compromise(LOG, "another", 0, None)
    with pytest.raises(RequestError, match=r"the log has \d+ entries, and nothing was signed of 99"):
        rotating.compromise(LOG, old, 99, None)
    newest = world.prover.checkpoint().checkpoint.size
    with pytest.raises(RequestError, match="was signed by another key"):
        rotating.compromise(LOG, old, newest, None)
    with pytest.raises(RequestError, match="is not within its period"):
        rotating.compromise(LOG, old, 2, world.rig.clock() + timedelta(seconds=1))
    rotating.compromise(LOG, old, 2, None)
    rotating.compromise(LOG, old, 1, None)  # it was earlier than one thought
    with pytest.raises(RequestError, match="is good up to size 1, and not up to 2"):
        rotating.compromise(LOG, old, 2, None)


@pytest.mark.parametrize(
    ("role", "action"), [(LOG, "added"), (RECEIPT, "added"), (HEAD, "retired"), (LOG, "compromised")]
)
def test_a_database_alone_says_nothing_of_keys(world, role, action):
    """A statement that the log key in force did not sign is closed by nobody, nor believed by any process."""
    for each in (LOG, HEAD):
        with suppress(Unavailable):
            world.rotating(take_over={HEAD: refuse}).rotate(each)
    thief = Ed25519PrivateKey.generate()
    named = {LOG: ORIGIN, RECEIPT: receipt_key_name(ORIGIN)}.get(role, "")
    new = Verifier(named, thief.public_key().public_bytes_raw()).vkey
    key = new if action == "added" else world.history.first(role)
    before = newest(world)
    size = 0 if action == "compromised" else None
    log_key_change(world.rig.intake, KeyChange(role, action, key, size), lambda _wanted: thief)
    for _ in range(2):
        with pytest.raises(Fatal, match=f"key statement [0-9]+, {action} .* is not signed by"):
            world.sequencer.sequence()
        world.restarted()
    with pytest.raises(Fatal, match="is not signed by"):
        world.rotating().rotate(role)
    assert any("is not signed by" in problem for problem in world.rig.fsck().problems)
    assert newest(world) == before


def test_no_process_starts_by_what_a_database_alone_says(tmp_path):
    service = Service(tmp_path, {})
    thief = Ed25519PrivateKey.generate()
    new = Verifier(receipt_key_name(service.settings.origin), thief.public_key().public_bytes_raw()).vkey
    intake = service.services.submitting.intake
    log_key_change(intake, KeyChange(RECEIPT, "added", new, None), lambda _wanted: thief)
    key, at = load_ed25519(service.settings.log_key), intake.now()
    database, objects = wiring.open_stores(service.settings)
    for start in (
        lambda: wiring.build(service.settings),
        lambda: wiring.build(service.settings, working=False),
        lambda: wiring.stored_history(service.settings),
        lambda: wiring.stored_genesis(service.settings),
        lambda: open_log(database, objects, key, service.settings.origin, None, at, os.urandom),
    ):
        with pytest.raises(Fatal, match=r"key statement 1, added .* is not signed by"):
            start()
    # What reads everything tells it among what else it finds.
    assert any("is not signed by" in problem for problem in check_log(service.settings).problems)
    with database.writing() as connection:
        ((_, seq),) = key_statements(connection)
        erase_openings(connection, seq, None)
    assert any("is gone or was never there" in problem for problem in check_log(service.settings).problems)
    database.dispose()
    service.end()


def test_a_key_statement_that_is_not_noted_is_not_closed(world):
    world.record()
    intake, change = world.rig.intake, KeyChange(LOG, "retired", world.history.first(LOG), None)
    at, before = intake.conditions(), newest(world)
    record = build_record(KEY, change, {}, None, None, "public", at.block, ORIGIN, intake.now(), os.urandom)
    first = world.rig.intake.accept(world.rig.document(b"before it"))
    intake.commit(Item([record], block=at.block), at, lambda _connection: None)
    for _ in range(2):
        with pytest.raises(
            Fatal, match=f"the record {record.number} is a statement on keys that is not noted"
        ):
            world.sequencer.sequence()
        world.restarted()
    assert newest(world) == before
    with world.rig.database.writing() as connection:  # the control: it is not the statement that is refused
        connection.execute(text("DELETE FROM record WHERE number = :number"), {"number": record.number})
        connection.execute(text("DELETE FROM commit_group WHERE id = (SELECT max(id) FROM commit_group)"))
    world.restarted().sequencer.sequence()
    assert newest(world).size == before.size + 1
    assert world.rig.prover().prove(first.number)


def refuse(_old, _new):
    raise Unavailable("not now")


def newest(world):
    with world.rig.database.reading() as connection:
        return newest_checkpoint(connection)
