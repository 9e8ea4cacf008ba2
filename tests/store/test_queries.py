"""Queries give what was stored, on both databases."""

from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256

import pytest
from sqlalchemy import event, text, update

from notary.errors import AnchorRejected, Conflict, Fatal, NotFound, NotReady, NumberTaken
from notary.evidence.commitments import commit
from notary.evidence.statement import Block
from notary.store import (
    anchorings,
    bitcoin_blocks,
    blocks,
    checkpoints,
    claims,
    digests,
    groups,
    inspections,
    logstate,
    openings,
    stamps,
    tables,
)
from notary.store import records as store
from notary.store import tenants as customers
from notary.store.claims import Claim, Claimed
from notary.store.places import group_of, position_of, seq_of
from notary.store.records import NewRecord
from notary.store.tables import record as table

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def test_the_header_of_a_block_is_kept_once_for_its_height(connection):
    bitcoin_blocks.keep_block(connection, 800_001, b"a" * 80)
    bitcoin_blocks.keep_block(connection, 800_001, b"a" * 80)
    bitcoin_blocks.keep_block(connection, 5, b"b" * 80)
    with pytest.raises(AnchorRejected, match="two settled Bitcoin blocks of height 800001: compare both"):
        bitcoin_blocks.keep_block(connection, 800_001, b"c" * 80)
    assert bitcoin_blocks.kept_blocks(connection, {800_001, 5, 6}) == [(5, b"b" * 80), (800_001, b"a" * 80)]
    assert bitcoin_blocks.kept_blocks(connection, set()) == []


def record(number, tenant=None, **changes):
    statement = b"statement %s" % number.encode()
    values = {
        "number": number,
        "tenant_id": tenant,
        "type": "document",
        "statement": statement,
        "entry": sha256(statement).digest(),
        "visibility": "by-code",
    }
    return NewRecord(**values | changes)


def insert(connection, *records, at=NOW):
    return store.insert_records(
        connection, groups.insert_group(connection, len(records), b"", at, None), records
    )


@pytest.fixture
def connection(database):
    with database.writing() as connection:
        yield connection


@pytest.fixture
def tenant(connection):
    return customers.create_tenant(connection, "a company", NOW).id


def test_tenants_have_one_name_each(connection):
    made = customers.create_tenant(connection, "a company", NOW)
    assert customers.tenant_named(connection, "a company") == made
    with pytest.raises(Conflict, match="there is a tenant named 'a company' already"):
        customers.create_tenant(connection, "a company", NOW)
    with pytest.raises(NotFound, match="there is no tenant named 'another'"):
        customers.tenant_named(connection, "another")


def test_api_keys_are_known_until_they_are_revoked_and_afterwards(connection, tenant):
    key = customers.add_api_key(connection, "k1", tenant, bytes(32), ["write", "read"], NOW)
    assert customers.find_api_key(connection, "k1") == key
    assert key.scopes == {"read", "write"}
    assert customers.find_api_key(connection, "k2") is None
    customers.touch_api_key(connection, "k1", LATER)
    customers.revoke_api_key(connection, "k1", NOW)
    customers.revoke_api_key(connection, "k1", LATER)
    (revoked,) = customers.api_keys(connection, tenant)
    assert (revoked.revoked_at, revoked.used_at) == (NOW, LATER)
    with pytest.raises(NotFound, match="there is no API key 'k2'"):
        customers.revoke_api_key(connection, "k2", NOW)


def test_records_are_found_by_every_name_they_have(connection, tenant):
    commitments, opened = commit({"title": "Lease", "matter": "7"}, lambda: bytes(16))
    first, second = insert(
        connection,
        record("A", tenant, sha256=b"d" * 32, sm3=b"s" * 32, openings=opened),
        record("B", tenant, sha256=b"d" * 32),
    )
    assert first < second
    assert commitments.count == 2
    found = store.record_by_number(connection, "A")
    assert found == store.record_by_seq(connection, first)
    assert (found.created_at, found.index, found.sm3) == (NOW, None, b"s" * 32)
    assert store.record_by_number(connection, "A", tenant) == found
    assert [r.number for r in store.records_from(connection, second, 5)] == ["B"]
    assert store.count_records(connection) == 2
    assert openings.openings_of(connection, first) == opened
    groups.assign_places(connection, 0, [(group_of(first), 2)])
    assert [store.record_at(connection, index).number for index in range(2)] == ["A", "B"]
    with pytest.raises(NotFound, match="there is no entry 2"):
        store.record_at(connection, 2)


def test_what_is_not_there_or_is_anothers_is_not_found(connection, tenant):
    other = customers.create_tenant(connection, "another", NOW).id
    insert(connection, record("A", other))
    with pytest.raises(NotFound, match="there is no record A"):
        store.record_by_number(connection, "A", tenant)
    with pytest.raises(NotFound, match="there is no record of sequence 99"):
        store.record_by_seq(connection, 99)
    with pytest.raises(NotFound, match="there is no entry 0"):
        store.record_at(connection, 0)
    with pytest.raises(NotFound, match="there is no commit group 7"):
        groups.group_by_id(connection, 7)


def test_a_number_that_is_taken_is_told(database):
    with database.writing() as connection:
        insert(connection, record("A"))
    with (
        pytest.raises(NumberTaken, match="a record number was drawn twice"),
        database.writing() as connection,
    ):
        insert(connection, record("B"), record("A"))
    with database.reading() as connection:
        assert store.count_records(connection) == 1


def test_rows_of_any_values_are_stored_as_they_are(connection, tenant):
    """Past the ORM: each column with a value, without one, and with both in one group."""
    full = {"tenant_id": tenant, "sha256": b"d" * 32, "sm3": b"s" * 32, "follows_seq": 2**40, "type": "存证"}
    for number, changes in enumerate(([full], [{}], [full, {}, full])):
        made = [record(f"{number}-{at}", **values) for at, values in enumerate(changes)]
        seqs = insert(connection, *made)
        for seq, new in zip(seqs, made, strict=True):
            found = store.record_by_seq(connection, seq)
            for name in ("number", "tenant_id", "type", "statement", "entry", "sha256", "sm3", "visibility",
                         "visibility_chosen", "follows_seq"):  # fmt: skip
                assert getattr(found, name) == getattr(new, name), name


def test_a_group_is_never_given_twice(connection):
    (first,) = insert(connection, record("A"))
    connection.execute(store.record.delete())
    connection.execute(groups.commit_group.delete())
    (second,) = insert(connection, record("B"))
    assert group_of(second) > group_of(first)
    assert position_of(second) == 0


def test_openings_are_erased_one_by_one(connection):
    _, opened = commit({"title": "Lease", "matter": "7", "actor": None}, lambda: bytes(16))
    (seq,) = insert(connection, record("A", openings=opened))
    assert openings.erase_openings(connection, seq, ("title",)) == ["title"]
    assert openings.erase_openings(connection, seq, ("title",)) == []
    assert len(openings.openings_of(connection, seq)) == 2
    assert openings.erase_openings(connection, seq) == ["actor", "matter"]


def test_a_visibility_that_was_chosen_stays(connection):
    chosen, default = insert(connection, record("A"), record("B", visibility_chosen=False))
    for seq in (chosen, default):
        store.upgrade_default_visibility(connection, seq, "by-document")
    assert store.record_by_seq(connection, chosen).visibility == "by-code"
    assert store.record_by_seq(connection, default).visibility == "by-document"


def test_what_waits_is_counted_and_placed(connection):
    assert groups.waiting(connection) is None
    first = group_of(insert(connection, record("A"), record("B"))[0])
    second = group_of(insert(connection, record("C"), at=LATER)[0])
    assert groups.waiting(connection) == groups.Waiting(3, NOW)
    assert groups.waiting_groups(connection, 100) == [(first, 2), (second, 1)]
    assert groups.waiting_groups(connection, 2) == [(first, 2)]
    assert groups.waiting_groups(connection, 1) == [(first, 2)]  # a group is never divided
    entries = [record(name).entry for name in "ABC"]
    assert groups.waiting_entries(connection, []) == []
    assert groups.waiting_entries(connection, [(first, 2), (second, 1)]) == entries
    with pytest.raises(Fatal, match=f"commit group {first} has 2 records and says 3"):
        groups.waiting_entries(connection, [(first, 3)])
    with connection.begin_nested() as savepoint:
        connection.execute(update(table).where(table.c.number == "B").values(entry=bytes(31)))
        connection.execute(update(table).where(table.c.number == "A").values(entry=bytes(33)))
        with pytest.raises(Fatal, match=f"commit group {first} has 0 records and says 2"):
            groups.waiting_entries(connection, [(first, 2)])
        savepoint.rollback()
    groups.assign_places(connection, 0, [(second, 1)])
    assert groups.waiting(connection) == groups.Waiting(2, NOW)
    with pytest.raises(Fatal, match="a commit group was given its places twice"):
        groups.assign_places(connection, 1, [(second, 1)])
    groups.assign_places(connection, 1, [(first, 2)])
    assert [(group.id, group.first_index) for group in groups.closed_groups(connection, 0, 5)] == [
        (second, 0),
        (first, 1),
    ]
    assert groups.closed_entries(connection, groups.closed_groups(connection, 0, 5)) == {
        second: entries[2:],
        first: entries[:2],
    }
    assert [groups.group_at(connection, index).id for index in range(3)] == [second, first, first]
    assert [group.id for group in groups.groups_after(connection, first, 5)] == [second]


def found(connection, algorithm, digest):
    query = store.select(store.record.c.number).where(digests.with_digest(connection, algorithm, digest))
    return set(connection.execute(query).scalars())


@pytest.mark.parametrize("many", [digests.MANY, 2])
def test_documents_are_found_by_digest_before_and_after_they_are_indexed(connection, monkeypatch, many):
    monkeypatch.setattr(
        digests, "MANY", many
    )  # two of one digest are many: found in one question, by no list
    a, b = b"a" * 32, b"b" * 32
    first = group_of(insert(connection, record("A", sha256=a, sm3=b), record("B", sha256=b))[0])
    second = group_of(insert(connection, record("C", sha256=a), record("D"))[0])

    def look():
        assert found(connection, "sha-256", a) == {"A", "C"}
        assert found(connection, "sha-256", b) == {"B"}
        assert found(connection, "sm3", b) == {"A"}
        assert found(connection, "sha-256", b"c" * 32) == set()

    look()  # waiting
    assert digests.index_next(connection, 100) == 0
    groups.assign_places(connection, 0, [(first, 2), (second, 2)])
    look()  # closed
    assert digests.index_next(connection, 2) == 2
    assert digests.indexed_size(connection) == 2
    look()  # half of it indexed
    assert digests.index_next(connection, 100) == 2
    assert digests.index_next(connection, 100) == 0
    look()
    assert digests.missing_from_index(connection, 4) == digests.strangers_in_index(connection) == []
    # The negative control: what the index has lost is not found any more.
    connection.execute(digests.digest_index.delete().where(digests.digest_index.c.digest == a))
    assert found(connection, "sha-256", a) == set()
    assert sorted(digests.missing_from_index(connection, 4)) == ["A", "C"]


def test_a_claim_is_made_once(connection, tenant):
    claim = Claim(tenant, "kone", bytes(32))
    made = Claimed(bytes(32), seq_of(1, 0), 1)
    assert claims.stored_claims(connection, [claim]) == claims.stored_claims(connection, []) == {}
    assert claims.store_claims(connection, [], NOW)
    assert claims.store_claims(connection, [(claim, made)], NOW)
    assert not claims.store_claims(connection, [(claim, Claimed(bytes(32), seq_of(2, 0), 1))], NOW)
    assert claims.stored_claims(connection, [claim]) == {(tenant, "kone"): made}
    made.check(claim)
    with pytest.raises(Conflict, match="used for another request"):
        made.check(Claim(tenant, "kone", bytes(31) + b"x"))
    assert claims.claims_after(connection, None, 5) == [(claim, made)]
    assert claims.claims_after(connection, (tenant, "kone"), 5) == []


@pytest.fixture
def state(connection):
    logstate.create_state(connection, 1, bytes(32), b"note", "staging/1", NOW)
    return logstate.read_state(connection)


def test_the_state_is_swapped_only_as_it_was_read(connection, state):
    with pytest.raises(Fatal, match="another process has opened this log"):
        logstate.create_state(connection, 1, bytes(32), b"note", "staging/1", NOW)
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
    ids = lambda **given: [a.id for a in anchorings.anchorings(connection, **given)]  # noqa: E731
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
    sizes = lambda **more: [a.size for a in anchorings.final_words(connection, "chain", **more)]  # noqa: E731
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
    first = lambda index: [(a.anchor, a.size) for a in anchorings.earliest_final(connection, index)]  # noqa: E731
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
    assert stamps.bad_stamps(connection) == []


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
    assert {s.size: s.verdict for s in stamps.bad_stamps(connection)} == {2: "revoked"}
    assert stamps.watch(connection, (b"signer", b"middle", b"root"), LATER) == LATER
    assert [s.size for s in stamps.revoke(connection, middle, NOW)] == [1]
    assert stamps.watch(connection, (b"signer", b"middle", b"root"), LATER) == NOW
    assert stamps.revoke(connection, middle, LATER) == []
    assert stamps.watch(connection, (b"signer", b"middle", b"root"), LATER) == NOW, "what is spoiled stays so"


def test_attempts_are_kept_once(connection, state):
    made = anchorings.create_anchoring(connection, "chain", "evm", 1, NOW)
    first = anchorings.add_attempt(connection, made.id, "0xaa", b"raw", 0, NOW)
    assert anchorings.add_attempt(connection, made.id, "0xaa", b"raw", 0, LATER) == first
    second = anchorings.add_attempt(connection, made.id, "0xbb", b"raw 2", 0, LATER)
    assert anchorings.attempts_of(connection, made.id) == [first, second]
    other = anchorings.create_anchoring(connection, "another", "evm", 1, NOW)
    with pytest.raises(
        Fatal, match=f"the attempt 0xaa of anchoring {other.id} was made for {made.id} before"
    ):
        anchorings.add_attempt(connection, other.id, "0xaa", b"raw", 0, LATER)


def test_attempts_of_an_anchor_are_found_by_their_nonces(connection, state):
    made = [anchorings.create_anchoring(connection, name, "evm", 1, NOW) for name in ("a", "a", "b")]
    for at, (item, nonce) in enumerate([(made[1], 6), (made[0], 5), (made[2], 5), (made[1], 7)]):
        anchorings.add_attempt(connection, item.id, f"0x{at}", b"raw", nonce, NOW)
    found = anchorings.attempts_between(connection, "a", "", 5, 7)
    assert [(size, item.ref, item.nonce) for size, item in found] == [(1, "0x1", 5), (1, "0x0", 6)]
    assert anchorings.attempts_between(connection, "a", "", 8, 8) == []


def test_nonces_move_on_one_by_one(connection):
    assert anchorings.next_nonce(connection, "chain", "w") is None
    anchorings.set_nonce(connection, "chain", "w", None, 5)
    anchorings.set_nonce(connection, "chain", "w", 5, 6)
    assert anchorings.next_nonce(connection, "chain", "w") == 6
    for stale in (None, 5):
        with pytest.raises(Fatal, match="another process signs for its wallet"):
            anchorings.set_nonce(connection, "chain", "w", stale, 6)


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


FIVE = timedelta(minutes=5)


def until(_tries):
    return LATER


def task(seq, size=10):
    return inspections.Task(f"file{seq}", size, "application/pdf")


def test_each_organisation_gets_its_turn(connection):
    """Of organisations 1 to 3: six, two and one."""
    owners = [1, 1, 1, 2, 1, 3, 1, 2, 1]
    seqs = insert(connection, *(record(f"N{at}") for at in range(len(owners))))
    for seq, owner in zip(seqs, owners, strict=True):
        inspections.add_inspection(connection, seq, owner, task(seq))
    taken, after = [], 0
    while one := inspections.take_inspection(connection, NOW, until, after):
        taken.append((one.tenant_id, seqs.index(one.seq)))
        after = one.tenant_id
    assert [owner for owner, _ in taken] == [1, 2, 3, 1, 2, 1, 1, 1, 1]
    assert [at for owner, at in taken if owner == 1] == [0, 1, 2, 4, 6, 8]  # its own in their order
    inspections.give_back(connection, seqs[3], "again", None)
    for after, owner in ((1, 2), (2, None)):
        found = inspections.take_inspection(connection, NOW, until, after)
        assert (found and found.tenant_id) == owner


def test_what_waits_for_inspection_is_counted_up_to_a_bound(connection):
    seqs = insert(connection, *(record(f"N{at}") for at in range(6)))
    for at, seq in enumerate(seqs):
        inspections.add_inspection(connection, seq, 1 + at % 2, task(seq, 2**33 + at))
    inspections.end_inspection(connection, seqs[0], "done", "")
    inspections.take_inspection(connection, NOW, until)  # what is being looked at lies there yet
    size = 5 * 2**33 + 15
    assert inspections.inspections_waiting(connection, 1, 10, 10) == inspections.Waiting(2, 5, size)
    assert inspections.inspections_waiting(connection, 2, 2, 10) == inspections.Waiting(2, 5, size)
    assert inspections.inspections_waiting(connection, 3, 10, 3).count == 3
    for seq in seqs[1:]:
        inspections.end_inspection(connection, seq, "failed", "")
    assert inspections.inspections_waiting(connection, 1, 10, 10) == inspections.Waiting(0, 0, 0)


def test_inspections_are_taken_one_at_a_time(connection):
    first, second = insert(connection, record("A"), record("B"))
    for seq in (first, second):
        inspections.add_inspection(connection, seq, 1, task(seq))
    take = lambda now: inspections.take_inspection(connection, now, lambda tries: now + tries * FIVE)  # noqa: E731
    assert take(NOW) == inspections.Inspection(first, 1, f"file{first}", 10, "application/pdf", 1)
    assert take(NOW).seq == second
    assert take(NOW) is None
    assert take(NOW + timedelta(minutes=6)).tries == 2
    inspections.give_back(connection, first, "again", None)
    assert take(NOW).tries == 3
    inspections.give_back(connection, first, "again", NOW + FIVE)
    assert take(NOW + timedelta(minutes=4)) is None
    assert take(NOW + timedelta(minutes=6)).tries == 4
    late = NOW + timedelta(minutes=7)
    assert take(late).seq == second
    assert take(late + timedelta(minutes=18)).seq == second, (
        "at its fourth try the first is waited with longer"
    )
    assert inspections.end_inspection(connection, first, "done", "")
    assert not inspections.end_inspection(connection, first, "failed", "late")
    assert inspections.inspection_state(connection, first) == "done"
    assert inspections.inspection_state(connection, 99) is None
    assert inspections.spooled_names(connection) == {f"file{second}"}


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: inspections.take_inspection(c, NOW, until, 1),
        lambda c: inspections.inspections_waiting(c, 2, 10, 100),
        inspections.spooled_names,
        inspections.give_all_back,
    ],
)
def test_of_many_inspections_those_that_wait_alone_are_looked_at(connection, ask):
    done = {"size": 10, "media_type": "application/pdf", "state": "done", "tries": 1, "reason": ""}
    rows = [{"seq": at, "path": f"file{at}", "tenant_id": at % 9, **done} for at in range(5000)]
    connection.execute(tables.inspection.insert(), rows)
    for seq in range(5000, 5020):
        inspections.add_inspection(connection, seq, seq % 3 + 1, task(seq))
    connection.execute(text("ANALYZE"))
    asked = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    ask(connection)
    event.remove(connection, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    for statement, parameters in asked:
        if "inspection.seq = " in statement:
            continue  # one row, by its key
        plan = connection.exec_driver_sql(f"{explain} {statement}", parameters).all()
        assert "ix_inspection_waiting" in str(plan), (statement, plan)


def test_two_workers_never_take_the_same_inspection(database):
    with database.writing() as connection:
        seqs = insert(connection, record("A"), record("B"))
        for seq in seqs:
            inspections.add_inspection(connection, seq, 1, task(seq))
    if database.engine.dialect.name == "sqlite":
        return  # one writer at a time
    with database.writing() as first, database.writing() as second:
        one = inspections.take_inspection(first, NOW, until)
        two = inspections.take_inspection(second, NOW, until)
    assert {one.seq, two.seq} == set(seqs)
