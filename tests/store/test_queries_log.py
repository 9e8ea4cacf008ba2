"""Queries give what was stored, on both databases: the log, its checkpoints, anchorings, stamps and blocks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import event, select, text

from notary.errors import AnchorRejected, Fatal, NotFound, NotReady
from notary.evidence.statement import Block
from notary.store import anchorings, bitcoin_blocks, blocks, checkpoints, logstate, outbox, stamps, tables
from notary.store.final_words import earliest_final, final_words
from tests.store.rows import LATER, NOW, verdicts


def test_the_state_is_swapped_only_as_it_was_read(connection, state):
    assert not logstate.create_state(connection, 9, b"\1" * 32, b"other", "staging/9", NOW)  # it is open
    assert logstate.read_state(connection) == state
    stale = logstate.LogState(1, b"\1" * 32, b"", None, 0, None, None)
    for wrong in (stale, logstate.LogState(2, *stale_tail()), logstate.LogState(1, *stale_tail(epoch=1))):
        with pytest.raises(Fatal, match="the log is no longer at size"):
            logstate.swap_state(connection, wrong, 5, b"r" * 32, b"new", "staging/2", LATER)
    logstate.swap_state(connection, state, 5, b"r" * 32, b"new", "staging/2", LATER)
    after = logstate.read_state(connection)
    assert (after.size, after.root, after.note, after.staging) == (5, b"r" * 32, b"new", "staging/2")
    assert checkpoints.newest_checkpoint(connection).size == 5


def stale_tail(epoch=0):
    return bytes(32), b"", None, epoch, None, None


def test_checkpoints_are_found(connection, state):
    with pytest.raises(NotFound, match="no checkpoint of size 3"):
        checkpoints.checkpoint_at(connection, 3)
    logstate.swap_state(connection, state, 4, b"r" * 32, b"new", "staging/2", LATER)
    assert checkpoints.checkpoint_at(connection, 4) == checkpoints.StoredCheckpoint(
        4, b"r" * 32, b"new", LATER
    )
    assert checkpoints.checkpoint_covering(connection, 0).size == 1
    assert checkpoints.checkpoint_covering(connection, 1).size == 4
    with pytest.raises(NotFound, match="no checkpoint with entry 4"):
        checkpoints.checkpoint_covering(connection, 4)
    assert [c.size for c in checkpoints.checkpoints_after(connection, 0, 1)] == [1]


def test_no_checkpoint_yet(connection):
    assert logstate.read_state(connection) is None
    with pytest.raises(NotFound, match="no checkpoint yet"):
        checkpoints.newest_checkpoint(connection)


def test_a_second_checkpoint_of_a_size_is_refused(database):
    with database.writing() as connection:
        logstate.create_state(connection, 1, bytes(32), b"note", "staging/1", NOW)
    with pytest.raises(Fatal, match="refuses what must be possible"), database.writing() as connection:
        checkpoints.insert_checkpoint(connection, 1, b"r" * 32, b"other", NOW)


def test_an_anchoring_goes_its_way(connection, state):
    made = anchorings.create_anchoring(connection, "chain", "evm", 1, NOW)
    assert anchorings.anchoring_by_id(connection, made.id) == made
    for old, new in (
        ("due", "signed"),
        ("signed", "sent"),
        ("sent", "mined"),
        ("mined", "sent"),
        ("sent", "mined"),
    ):
        anchorings.move(connection, made.id, old, new, LATER)
    anchorings.move(
        connection, made.id, "mined", "final", LATER, detail="deep", evidence=b"e", not_after=LATER
    )
    final = anchorings.anchoring_by_id(connection, made.id)
    assert (final.state, final.detail, final.evidence, final.not_after) == ("final", "deep", b"e", LATER)


@pytest.mark.parametrize("target", anchorings.STATES)
def test_there_is_no_way_out_of_final(connection, state, target):
    made = anchorings.create_anchoring(connection, "tsa", "rfc3161", 1, NOW)
    anchorings.move(connection, made.id, "due", "final", NOW, evidence=b"token")
    with pytest.raises(Fatal, match=f"never goes from final to {target}"):
        anchorings.move(connection, made.id, "final", target, LATER)
    if ("due", target) in anchorings._MOVES:
        with pytest.raises(NotReady, match="is final, not due"):
            anchorings.move(connection, made.id, "due", target, LATER)
    anchorings.note_detail(connection, made.id, "another", sent_at=LATER)
    after = anchorings.anchoring_by_id(connection, made.id)
    assert (after.state, after.detail, after.updated_at) == ("final", "", NOW)


def test_an_anchoring_that_is_not_there(connection, state):
    for use in (
        lambda: anchorings.anchoring_by_id(connection, 9),
        lambda: anchorings.move(connection, 9, "due", "signed", NOW),
    ):
        with pytest.raises(NotFound, match="there is no anchoring 9"):
            use()


def test_anchorings_are_listed(connection, state):
    logstate.swap_state(connection, state, 4, b"r" * 32, b"new", "staging/2", LATER)
    first = anchorings.create_anchoring(connection, "tsa", "rfc3161", 1, NOW)
    second = anchorings.create_anchoring(connection, "tsa", "rfc3161", 4, NOW)
    chain = anchorings.create_anchoring(connection, "chain", "evm", 4, NOW)
    anchorings.move(connection, first.id, "due", "final", LATER, evidence=b"token")

    def ids(**given):
        return [a.id for a in anchorings.anchorings(connection, **given)]

    assert ids() == [first.id, second.id, chain.id]
    assert ids(anchor="tsa") == [first.id, second.id]
    assert ids(states=("due",)) == [second.id, chain.id]
    assert ids(anchor="tsa", limit=1) == [first.id]
    assert anchorings.newest_anchoring(connection, "tsa").id == second.id
    assert anchorings.newest_anchoring(connection, "tsa", ("final",)).id == first.id
    assert anchorings.newest_anchoring(connection, "none") is None
    assert anchorings.earliest_anchoring(connection, "tsa", anchorings.STATES).id == first.id
    assert anchorings.earliest_anchoring(connection, "tsa", ("due", "sent")).id == second.id
    assert anchorings.earliest_anchoring(connection, "tsa", ("sent",)) is None
    anchorings.note_detail(connection, second.id, "busy")
    noted = anchorings.anchoring_by_id(connection, second.id)
    assert (noted.detail, noted.updated_at) == ("busy", NOW)
    anchorings.note_detail(connection, second.id, "sent again", sent_at=LATER)
    noted = anchorings.anchoring_by_id(connection, second.id)
    assert (noted.detail, noted.updated_at) == ("sent again", LATER)
    found = anchorings.anchorings_of_sizes(connection, [1, 4], "rfc3161", "final")
    assert [a.id for a in found] == [first.id]


def test_final_words_of_an_anchor_are_found_from_a_size_on_or_from_the_newest_back(connection, state):
    for size in range(2, 7):
        checkpoints.insert_checkpoint(connection, size, bytes(32), b"note", NOW)
        for anchor in ("chain", "other"):
            made = anchorings.create_anchoring(connection, anchor, "evm", size, NOW)
            if size != 4:
                anchorings.move(connection, made.id, "due", "final", NOW, evidence=b"x")

    def sizes(**more):
        return [a.size for a in final_words(connection, "chain", **more)]

    assert sizes(most=9) == [6, 5, 3, 2]
    assert sizes(most=2) == [6, 5]
    assert sizes(above=2, most=2) == [3, 5]
    assert sizes(above=6, most=2) == []


def test_the_first_word_of_each_anchor_is_found_however_much_others_said_before(connection, state):
    def final(anchor, kind, size):
        made = anchorings.create_anchoring(connection, anchor, kind, size, NOW)
        anchorings.move(connection, made.id, "due", "final", NOW, evidence=b"%d" % size)

    for size in range(2, 1105):
        checkpoints.insert_checkpoint(connection, size, bytes(32), b"note", NOW)
        final("tsa", "rfc3161", size)
    final("chain", "evm", 1104)
    made = anchorings.create_anchoring(connection, "chain", "evm", 3, NOW)
    anchorings.move(connection, made.id, "due", "rejected", NOW)

    def first(index):
        return [(a.anchor, a.size) for a in earliest_final(connection, index)]

    assert first(1) == [("tsa", 2), ("chain", 1104)]
    assert first(2) == [("tsa", 3), ("chain", 1104)]
    assert first(1103) == [("tsa", 1104), ("chain", 1104)]
    assert first(1104) == []


def test_evidence_is_replaced_only_by_who_has_read_it(connection, state):
    made = anchorings.create_anchoring(connection, "tsa", "rfc3161", 1, NOW)
    anchorings.move(connection, made.id, "due", "final", NOW, evidence=b"token")
    anchorings.replace_evidence(connection, made.id, b"token", b"token and revocation", LATER)
    with pytest.raises(NotReady, match="has been replaced by somebody else"):
        anchorings.replace_evidence(connection, made.id, b"token", b"lost", LATER)
    assert anchorings.anchoring_by_id(connection, made.id).evidence == b"token and revocation"


def stamped(connection, size, *, at=NOW, serial="7", verdict="", path=(b"signer", b"middle", b"root")):
    made = anchorings.create_anchoring(connection, "tsa", "rfc3161", size, NOW)
    spoiled = stamps.watch(connection, path, at)
    row = (made.id, "tsa", size, "TSA", serial, bytes([size]), at, stamps.digest_of(path[0]), verdict)
    assert stamps.add_stamp(connection, stamps.StoredStamp(*row))
    assert not stamps.add_stamp(connection, stamps.StoredStamp(*row)), "it is there already"
    return made.id, spoiled


def test_stamps_are_found_by_their_serial_number_and_the_newest_is_known(connection, state):
    for size in (2, 3):
        checkpoints.insert_checkpoint(connection, size, bytes(32), b"note", NOW)
    assert stamps.newest_stamp(connection, "tsa") == 0
    first, second = stamped(connection, 2)[0], stamped(connection, 3)[0]
    large = str(2**160 - 1)
    stamped(connection, 1, serial=large)
    assert [s.anchoring_id for s in stamps.stamps_numbered(connection, "TSA", "7")] == [first, second]
    assert [s.size for s in stamps.stamps_numbered(connection, "TSA", large)] == [1]
    assert stamps.stamps_numbered(connection, "another", "7") == []
    assert (stamps.newest_stamp(connection, "tsa"), stamps.newest_stamp(connection, "other")) == (3, 0)
    assert verdicts(connection) == {}


def test_a_certificate_waits_until_its_ca_spoke_after_the_newest_stamp(connection, state):
    checkpoints.insert_checkpoint(connection, 2, bytes(32), b"note", NOW)
    early, _ = stamped(connection, 1)
    late, _ = stamped(connection, 2, at=LATER)
    waiting = stamps.uncovered(connection)
    assert {(w.der, w.issuer, w.needed_at, w.covered_at) for w in waiting} == {
        (b"signer", b"middle", LATER, None),
        (b"middle", b"root", LATER, None),
    }
    signer, middle = stamps.digest_of(b"signer"), stamps.digest_of(b"middle")
    stamps.add_revocation(connection, signer, NOW, "crl", b"between")
    stamps.add_revocation(connection, signer, NOW, "crl", b"not the first of its time")
    assert {(w.der, w.covered_at) for w in stamps.uncovered(connection)} == {
        (b"signer", NOW),
        (b"middle", None),
    }
    for digest in (signer, middle):
        stamps.add_revocation(connection, digest, LATER, "ocsp", b"after both")
    assert stamps.uncovered(connection) == []
    assert stamps.revocation_of(connection, early) == [("crl", b"between"), ("ocsp", b"after both")]
    assert stamps.revocation_of(connection, late) == [("ocsp", b"after both")]
    assert stamps.revocation_of(connection, late + 1) == []
    stamped_again = stamps.watch(connection, (b"signer", b"other", b"root"), NOW)
    assert stamped_again is None
    assert [(w.der, w.issuer) for w in stamps.uncovered(connection)] == [(b"other", b"root")]


def test_what_rests_on_a_revoked_certificate_is_spoiled_from_then_on(connection, state):
    for size in (2, 3):
        checkpoints.insert_checkpoint(connection, size, bytes(32), b"note", NOW)
    stamped(connection, 1)
    stamped(connection, 2, at=LATER)
    stamped(connection, 3, at=LATER, path=(b"stranger", b"root"))
    middle = stamps.digest_of(b"middle")
    assert [s.size for s in stamps.revoke(connection, middle, LATER)] == [2]
    assert stamps.revoke(connection, middle, LATER) == []
    assert verdicts(connection) == {2: "revoked"}
    assert stamps.watch(connection, (b"signer", b"middle", b"root"), LATER) == LATER
    assert [s.size for s in stamps.revoke(connection, middle, NOW)] == [1]
    assert stamps.watch(connection, (b"signer", b"middle", b"root"), LATER) == NOW
    assert stamps.revoke(connection, middle, LATER) == []
    assert stamps.watch(connection, (b"signer", b"middle", b"root"), LATER) == NOW, "what is spoiled stays so"


def test_attempts_are_kept_once(connection, state):
    made = anchorings.create_anchoring(connection, "chain", "evm", 1, NOW)
    first = outbox.add_attempt(connection, made.id, "0xaa", b"raw", 0, NOW)
    assert outbox.add_attempt(connection, made.id, "0xaa", b"raw", 0, LATER) == first
    second = outbox.add_attempt(connection, made.id, "0xbb", b"raw 2", 0, LATER)
    assert outbox.attempts_of(connection, made.id) == [first, second]
    other = anchorings.create_anchoring(connection, "another", "evm", 1, NOW)
    with pytest.raises(
        Fatal, match=f"the attempt 0xaa of anchoring {other.id} was made for {made.id} before"
    ):
        outbox.add_attempt(connection, other.id, "0xaa", b"raw", 0, LATER)


def test_attempts_of_an_anchor_are_found_by_their_nonces(connection, state):
    made = [anchorings.create_anchoring(connection, name, "evm", 1, NOW) for name in ("a", "a", "b")]
    for at, (item, nonce) in enumerate([(made[1], 6), (made[0], 5), (made[2], 5), (made[1], 7)]):
        outbox.add_attempt(connection, item.id, f"0x{at}", b"raw", nonce, NOW)
    found = outbox.attempts_between(connection, "a", "", 5, 7)
    assert [(size, item.ref, item.nonce) for size, item in found] == [(1, "0x1", 5), (1, "0x0", 6)]
    assert outbox.attempts_between(connection, "a", "", 8, 8) == []


def test_attempts_are_found_by_their_lane_however_many_there_are(connection, state):
    made = anchorings.create_anchoring(connection, "chain", "evm", 1, NOW)
    rows = [
        {"ref": f"0x{at}", "nonce": at, "created_at": NOW + timedelta(hours=at), "lane": f"w{at % 2}"}
        for at in range(5000)
    ]
    given = {"anchoring_id": made.id, "raw": b"raw"}
    connection.execute(tables.attempt.insert(), [row | given for row in rows])
    anchorings.move(connection, made.id, "due", "rejected", NOW)
    connection.execute(text("ANALYZE"))
    asked = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    between = outbox.attempts_between(connection, "chain", "w1", 10, 14)
    since = outbox.attempts_since(
        connection, "chain", "w1", NOW + timedelta(hours=10), NOW + timedelta(hours=14)
    )
    event.remove(connection, "before_cursor_execute", note)
    assert [each.nonce for _, each in between] == [each.nonce for each in since] == [11, 13]
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    plans = [str(connection.exec_driver_sql(f"{explain} {what}", values).all()) for what, values in asked]
    assert "ix_attempt_lane_nonce" in plans[0], plans
    assert "ix_attempt_lane_created_at" in plans[1], plans


def test_of_a_day_what_may_still_be_mined_counts_too_and_once(connection, state):
    made = [anchorings.create_anchoring(connection, "chain", "evm", 1, NOW) for _ in range(3)]
    for nonce, item in enumerate(made):
        for name in ("w", "v"):
            outbox.add_attempt(connection, item.id, f"0x{name}{nonce}", b"raw", nonce, NOW, name)
    anchorings.move(connection, made[1].id, "due", "signed", NOW)
    for moment, now, nonces in ((NOW, LATER, [1]), (NOW - timedelta(1), NOW, [0, 1, 2])):
        found = outbox.attempts_since(connection, "chain", "w", moment, now)
        assert [(each.lane, each.nonce) for each in found] == [("w", nonce) for nonce in nonces]


def test_nonces_move_on_one_by_one(connection):
    assert outbox.next_nonce(connection, "chain", "w") is None
    outbox.set_nonce(connection, "chain", "w", None, 5)
    outbox.set_nonce(connection, "chain", "w", 5, 6)
    assert outbox.next_nonce(connection, "chain", "w") == 6
    for stale in (None, 5):
        with pytest.raises(Fatal, match="another process signs for its wallet"):
            outbox.set_nonce(connection, "chain", "w", stale, 6)


def test_the_newest_block_is_the_latest_of_any_chain(connection):
    assert blocks.newest_block(connection, NOW) is None
    old, new = Block(1, 100, b"o" * 32, 1_772_362_800), Block(5, 3, b"n" * 32, 1_772_362_900)
    blocks.add_block(connection, new, b"header 3", NOW)
    blocks.add_block(connection, old, b"header 100", NOW)
    blocks.add_block(connection, old, b"header 100", NOW)
    assert blocks.newest_block(connection, NOW) == new
    at = partial(datetime.fromtimestamp, tz=UTC)
    assert blocks.newest_block(connection, at(new.time)) == new
    assert blocks.newest_block(connection, at(new.time - 0.001)) == old  # not a moment before it
    assert blocks.newest_block(connection, at(old.time - 1)) is None
    assert blocks.block_header(connection, 1, 100) == b"header 100"
    with pytest.raises(NotFound, match="block 100 of chain 5 was not kept"):
        blocks.block_header(connection, 5, 100)
    # One node's word: the anchor is in doubt, not the log.
    with pytest.raises(AnchorRejected, match="two final blocks 100"):
        blocks.add_block(connection, Block(1, 100, b"x" * 32, 1_772_362_800), b"other", NOW)
    assert blocks.block_header(connection, 1, 100) == b"header 100"


def test_of_blocks_that_come_soon_after_each_other_few_are_kept(connection):
    """A chain of a block a second is polled each five, and what is kept of it grew by 15 MB a day."""
    start = int(NOW.timestamp()) - 3600
    for at in range(0, 3600, 5):
        blocks.add_block(connection, Block(1, at, b"%032d" % at, start + at), b"header", NOW, 30)
    kept = connection.execute(select(tables.block.c.number).order_by(tables.block.c.number)).scalars().all()
    assert kept == list(range(0, 3600, 30))
    newest = Block(1, 3570, b"%032d" % 3570, start + 3570)
    assert blocks.newest_block(connection, NOW) == newest
    # What is kept is compared all the same, and holds back no other chain and no block that is older.
    with pytest.raises(AnchorRejected, match="two final blocks 3570"):
        blocks.add_block(connection, replace(newest, hash=b"x" * 32), b"header", NOW, 30)
    for other in (replace(newest, chain_id=2), Block(1, 7, b"7" * 32, start - 1)):
        blocks.add_block(connection, other, b"other", NOW, 30)
        assert blocks.block_header(connection, other.chain_id, other.number) == b"other"


def test_without_a_distance_each_block_is_kept(connection):
    for number in (1, 2):
        blocks.add_block(connection, Block(1, number, bytes([number]) * 32, 1000), b"header", NOW)
        assert blocks.kept_block(connection, 1, number) is not None


def test_a_block_of_the_future_is_neither_kept_nor_named(connection):
    now = int(NOW.timestamp())
    past, present = (Block(1, number, bytes([number]) * 32, now - age) for number, age in ((1, 60), (2, 0)))
    for block in (past, present):
        blocks.add_block(connection, block, b"header", NOW)
    for later in (1, 253_402_300_799 - now):
        with pytest.raises(
            AnchorRejected, match=rf"block 3 of chain 1 is dated {later} seconds after our clock"
        ):
            blocks.add_block(connection, Block(1, 3, b"3" * 32, now + later), b"header", NOW)
    with pytest.raises(NotFound, match="block 3 of chain 1 was not kept"):
        blocks.block_header(connection, 1, 3)
    # One that stands there all the same, from a time before this was refused, spoils no later statement.
    values = {"chain_id": 1, "number": 9, "hash": b"9" * 32, "header": b"9", "time": 253_402_300_799}
    connection.execute(tables.block.insert(), values)
    assert blocks.newest_block(connection, NOW) == present
    assert blocks.newest_block(connection, NOW - timedelta(seconds=60)) == past


def test_the_header_of_a_block_is_kept_once_for_its_height(connection):
    bitcoin_blocks.keep_block(connection, 800_001, b"a" * 80)
    bitcoin_blocks.keep_block(connection, 800_001, b"a" * 80)
    bitcoin_blocks.keep_block(connection, 5, b"b" * 80)
    with pytest.raises(AnchorRejected, match="two settled Bitcoin blocks of height 800001: compare both"):
        bitcoin_blocks.keep_block(connection, 800_001, b"c" * 80)
    assert bitcoin_blocks.kept_blocks(connection, {800_001, 5, 6}) == [(5, b"b" * 80), (800_001, b"a" * 80)]
    assert bitcoin_blocks.kept_blocks(connection, set()) == []


def test_a_block_is_compared_with_the_one_before_it_however_many_are_kept(connection):
    """It is done with each poll, while nobody else writes: in a year it took SQLite most of a second."""
    start = int(NOW.timestamp()) - 40 * 5000
    given = {"chain_id": 1, "header": b"header"}
    rows = [{"number": at, "hash": b"%032d" % at, "time": start + 40 * at} for at in range(5000)]
    connection.execute(tables.block.insert(), [row | given for row in rows])
    connection.execute(text("ANALYZE"))
    asked = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    blocks.add_block(connection, Block(1, 6000, b"%032d" % 6000, rows[-1]["time"] + 3), b"header", NOW, 30)
    event.remove(connection, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    plans = [str(connection.exec_driver_sql(f"{explain} {what}", values).all()) for what, values in asked]
    by_number = "(chain_id=? AND number" if connection.dialect.name == "sqlite" else "block_pkey"
    assert len(plans) == 2, "it is not stored"
    assert all(by_number in plan and "SORT" not in plan.upper() for plan in plans), plans
