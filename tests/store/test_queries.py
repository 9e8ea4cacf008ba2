"""Queries give what was stored, on both databases: organisations, records, digests and claims."""

import pytest
from sqlalchemy import update

from notary.errors import Conflict, Fatal, NotFound, NumberTaken
from notary.evidence.commitments import commit
from notary.store import (
    claims,
    digests,
    groups,
    openings,
)
from notary.store import records as store
from notary.store import tenants as customers
from notary.store.claims import Claim, Claimed
from notary.store.places import group_of, position_of, seq_of
from notary.store.sql import in_parts
from notary.store.tables import record as table
from tests.store.rows import LATER, NOW, insert, record


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
    customers.revoke_api_key(connection, "k1", NOW)
    customers.revoke_api_key(connection, "k1", LATER)
    (revoked,) = customers.api_keys(connection, tenant)
    assert revoked.revoked_at == NOW
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
    assert openings.openings_by_seq(connection, [second, first, 99]) == {first: opened}
    assert store.records_by_seq(connection, [99, first]) == {first: found}
    assert store.records_by_number(connection, ["C", "A"], tenant) == {"A": found}
    groups.assign_places(connection, 0, [(group_of(first), 2)])
    assert [store.record_at(connection, index).number for index in range(2)] == ["A", "B"]
    with pytest.raises(NotFound, match="there is no entry 2"):
        store.record_at(connection, 2)


def test_what_is_not_there_or_is_anothers_is_not_found(connection, tenant):
    other = customers.create_tenant(connection, "another", NOW).id
    insert(connection, record("A", other))
    with pytest.raises(NotFound, match="there is no record A"):
        store.record_by_number(connection, "A", tenant)
    assert store.records_by_number(connection, ["A"], tenant) == {}
    with pytest.raises(NotFound, match="there is no record of sequence 99"):
        store.record_by_seq(connection, 99)
    with pytest.raises(NotFound, match="there is no entry 0"):
        store.record_at(connection, 0)
    with pytest.raises(NotFound, match="there is no commit group 7"):
        groups.group_by_id(connection, 7)


def test_many_records_are_asked_for_in_questions_that_a_database_takes(connection, tenant):
    numbers = [f"{number:05}" for number in range(2500)]
    seqs = insert(connection, *(record(number, tenant) for number in numbers))
    assert sorted(store.records_by_number(connection, [*numbers, "none"], tenant)) == numbers
    found = store.records_by_seq(connection, seqs)
    assert [found[seq].number for seq in seqs] == numbers
    assert [len(part) for part in in_parts(seqs)] == [1000, 1000, 500]


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
