"""Where records stand, on both databases, and that it is read by indexes."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from shutil import copy
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from sqlalchemy import event, text

from notary.evidence.receipt import receipts_of
from notary.evidence.statement import Block
from notary.store import (
    anchorings,
    blocks,
    checkpoints,
    groups,
    incidents,
    inspections,
    lookups,
    outbox,
    stamps,
    standing,
    views,
)
from notary.store import records as store
from notary.store import tenants as customers
from notary.store.asked import _Ready
from notary.store.connecting import open_database
from notary.store.final_words import earliest_final
from notary.store.places import group_of
from notary.store.records import NewRecord
from notary.store.views import Anchors
from tests.databases import with_tables

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNDER_WAY = ("mined", "sent", "signed", "due")
# The moves that lead to each state.
WAYS = {
    "due": (),
    "signed": ("signed",),
    "sent": ("signed", "sent"),
    "mined": ("signed", "sent", "mined"),
    "final": ("final",),
    "rejected": ("rejected",),
}


def at(minutes):
    return NOW + timedelta(minutes=minutes)


@pytest.fixture
def connection(database):
    with database.writing() as connection:
        yield connection


@pytest.fixture
def tenant(connection):
    return customers.create_tenant(connection, "a company", NOW).id


def add(connection, number, tenant=None, **changes):
    statement = b"statement %s" % number.encode()
    values = {
        "number": number,
        "tenant_id": tenant,
        "type": "document",
        "statement": statement,
        "entry": sha256(statement).digest(),
        "visibility": "by-code",
    }
    note = b"promise of %s" % number.encode()
    group = groups.insert_group(connection, 1, note, NOW, changes.pop("not_before_number", None))
    (seq,) = store.insert_records(connection, group, [NewRecord(**values | changes)])
    return seq


def place(connection, first, seqs):
    groups.assign_places(connection, first, [(group_of(seq), 1) for seq in seqs])


def close(connection, *sizes):
    for size in sizes:
        checkpoints.insert_checkpoint(connection, size, bytes(32), b"note %d" % size, at(size))


def anchor(connection, name, size, state, kind="rfc3161", **more):
    made = anchorings.create_anchoring(connection, name, kind, size, NOW)
    before = "due"
    for target in WAYS[state]:
        anchorings.move(connection, made.id, before, target, at(size), detail=f"{name} {size}", **more)
        before = target
    return made.id


def stand(view):
    return [(item.anchor, item.size, item.state) for item in view.attestations]


# A record

BOTH = Anchors(frozenset({"rfc3161", "evm"}))
ALONE = Anchors()


def test_a_record_is_received_then_closed_then_attested(connection, tenant):
    seq = add(connection, "A", tenant, sha256=b"d" * 32, sm3=b"s" * 32)
    view = views.by_number(connection, "A")
    assert (view.seq, view.tenant_id, view.type, view.received) == (seq, tenant, "document", NOW)
    assert (view.sha256, view.sm3, view.statement) == (b"d" * 32, b"s" * 32, b"statement A")
    assert view.entry == sha256(view.statement).digest()
    assert (view.index, view.size, view.closed, view.attestations) == (None, None, None, ())
    assert (view.stage(BOTH), view.due(BOTH)) == ("received", ["close", "stamp", "anchor"])

    close(connection, 1, 4, 9)
    place(connection, 3, [seq])
    view = views.by_number(connection, "A")
    assert (view.index, view.size, view.closed) == (3, 4, at(4))
    assert (view.stage(BOTH), view.due(BOTH)) == ("closed", ["stamp", "anchor"])

    anchor(connection, "tsa", 4, "final")
    chain = anchor(connection, "chain", 9, "mined", "evm")
    view = views.by_number(connection, "A")
    assert stand(view) == [("chain", 9, "mined"), ("tsa", 4, "final")]
    assert view.attestations[0].detail == "chain 9"
    assert view.attestations[1].updated == at(4)
    assert (view.stage(BOTH), view.due(BOTH)) == ("anchored", ["anchor"])

    anchorings.move(connection, chain, "mined", "final", NOW)
    view = views.by_number(connection, "A")
    assert (view.stage(BOTH), view.due(BOTH)) == ("final", [])
    assert views.by_number(connection, "B") is None


def test_nothing_is_due_that_no_anchor_is_configured_for(connection):
    seq = add(connection, "A")
    kinds = {(): [], ("rfc3161",): ["stamp"], ("evm",): ["anchor"], ("rfc3161", "evm"): ["stamp", "anchor"]}
    for configured, due in kinds.items():
        assert views.by_number(connection, "A").due(Anchors(frozenset(configured))) == ["close", *due]
    place(connection, 0, [seq])
    close(connection, 1)
    for configured, due in kinds.items():
        assert views.by_number(connection, "A").due(Anchors(frozenset(configured))) == due
    anchor(connection, "tsa", 1, "final")  # of an authority that has been taken out of the settings
    anchor(connection, "chain", 1, "sent", "evm")
    for configured, due in kinds.items():
        assert views.by_number(connection, "A").due(Anchors(frozenset(configured))) == [
            kind for kind in due if kind == "anchor"
        ]


def test_an_inspection_that_no_anchor_will_attest_is_due_until_it_is_in_the_log(connection):
    seq = add(connection, "A")
    task = inspections.Task("spooled", 10, "application/pdf")
    inspections.add_inspection(connection, seq, 1, task)
    inspections.end_inspection(connection, seq, "done", "")
    place(connection, 0, [seq])
    close(connection, 1)
    assert views.by_number(connection, "A").due(ALONE) == ["inspection"]
    place(connection, 1, [add(connection, "B", type="inspection", follows_seq=seq)])
    assert views.by_number(connection, "A").due(ALONE) == ["inspection"]
    close(connection, 2)
    assert views.by_number(connection, "A").due(ALONE) == []
    assert views.by_number(connection, "A").due(Anchors(frozenset({"rfc3161"}))) == ["stamp", "inspection"]


def test_a_stamp_alone_is_a_stage(connection):
    place(connection, 0, [add(connection, "A")])
    close(connection, 1)
    anchor(connection, "tsa", 1, "final")
    anchor(connection, "chain", 1, "sent", "evm")
    view = views.by_number(connection, "A")
    assert (view.stage(BOTH), view.due(BOTH)) == ("stamped", ["anchor"])


def test_a_record_is_stamped_by_as_many_organisations_as_are_needed_and_not_by_authorities(connection):
    place(connection, 0, [add(connection, "A")])
    close(connection, 1, 2)
    whose = {"one-a": "one", "one-b": "one", "two": "two", "three": "three"}

    def stands(needed):
        view, asked = views.by_number(connection, "A"), Anchors(frozenset({"rfc3161"}), whose, needed)
        return view.stage(asked), view.due(asked)

    closed, stamped = ("closed", ["stamp"]), ("stamped", [])
    assert [stands(needed) for needed in (1, 2, 3)] == [closed, closed, closed]
    anchor(connection, "one-a", 1, "final")
    anchor(connection, "one-b", 2, "final")  # a later head covers it too
    assert [stands(needed) for needed in (1, 2, 3)] == [stamped, closed, closed]
    anchor(connection, "two", 1, "rejected")
    anchor(
        connection, "gone", 1, "final"
    )  # of the settings no more: it may have been run by one of the others
    assert [stands(needed) for needed in (1, 2, 3)] == [stamped, closed, closed]
    anchor(connection, "two", 2, "final")
    assert [stands(needed) for needed in (1, 2, 3)] == [stamped, stamped, closed]
    anchor(connection, "chain", 1, "final", "evm")  # a chain is no time stamp
    assert stands(3) == ("final", ["stamp"])
    anchor(connection, "three", 1, "final")
    assert stands(3) == ("final", [])


def test_closed_is_the_first_checkpoint_with_the_entry_and_not_one_that_ends_before_it(connection):
    seqs = [add(connection, name) for name in "ABCDE"]
    place(connection, 0, seqs)
    close(connection, 2, 3, 5)
    sizes = [views.by_number(connection, name).size for name in "ABCDE"]
    assert sizes == [2, 2, 3, 5, 5]


def test_an_inspection_is_part_of_where_a_document_stands(connection):
    seq = add(connection, "A")
    inspections.add_inspection(connection, seq, 1, inspections.Task("spooled", 10, "application/pdf"))
    view = views.by_number(connection, "A")
    assert (view.inspection, view.due(BOTH)[-1]) == ("waiting", "inspection")
    inspections.end_inspection(connection, seq, "done", "")
    view = views.by_number(connection, "A")
    assert (view.inspection, view.due(BOTH)[-1]) == ("done", "inspection")  # no package has it yet

    inspected = add(connection, "B", type="inspection", follows_seq=seq)
    place(connection, 0, [seq])
    close(connection, 1)
    anchor(connection, "tsa", 1, "final", evidence=b"token")
    assert views.by_number(connection, "A").due(BOTH) == ["anchor", "inspection"]
    place(connection, 1, [inspected])
    close(connection, 2)
    late = anchorings.create_anchoring(connection, "tsa", "rfc3161", 2, NOW).id
    assert views.by_number(connection, "A").due(BOTH) == ["anchor", "inspection"]
    anchorings.move(connection, late, "due", "final", at(3), evidence=b"token")
    assert views.by_number(connection, "A").due(BOTH) == ["anchor"]


def test_the_inspection_of_a_document_is_the_first_that_follows_it(connection):
    first, other = add(connection, "A"), add(connection, "B")
    assert views.inspection_of(connection, first) is None
    add(connection, "C", type="report", follows_seq=first)
    add(connection, "D", type="inspection", follows_seq=other)
    assert views.inspection_of(connection, first) is None
    add(connection, "E", type="inspection", follows_seq=first)
    add(connection, "F", type="inspection", follows_seq=first)
    assert views.inspection_of(connection, first).number == "E"


@pytest.fixture
def believed(monkeypatch):
    """The promises stored here are of no key and of no entries; tests/api/test_flipped.py is about what is."""
    monkeypatch.setattr(views, "known_history", lambda _: SimpleNamespace(verifiers=lambda _: ()))
    for check in ("open_note", "require_own_promise"):
        monkeypatch.setattr(views, check, lambda *_: None)


@pytest.mark.usefixtures("believed")
def test_a_receipt_is_the_submitters_alone(connection, tenant):
    other = customers.create_tenant(connection, "another", NOW).id
    add(connection, "A", tenant)
    add(connection, "B")
    assert (
        views.receipt(connection, "A", tenant)
        == receipts_of(b"promise of A", [sha256(b"statement A").digest()])[0]
    )
    assert views.receipt(connection, "A", other) is None
    assert views.receipt(connection, "B", tenant) is None


# Lists


def test_pages_are_in_the_order_of_numbers_and_go_on_after_one(connection, tenant):
    other = customers.create_tenant(connection, "another", NOW).id
    for name in "CAEBD":
        add(connection, name, tenant, type="event" if name in "BC" else "document", sha256=name.encode() * 32)
    add(connection, "AA", other)
    wanted = {"after": None, "limit": 10, "kind": None, "sha256": None}

    def page(**changes):
        return [view.number for view in views.page(connection, tenant, **wanted | changes)]

    assert page() == ["A", "B", "C", "D", "E"]
    assert page(limit=2) == ["A", "B"]
    assert page(limit=2, after="B") == ["C", "D"]
    assert page(after="E") == []
    assert page(kind="event") == ["B", "C"]
    assert page(sha256=b"D" * 32) == ["D"]
    assert page(kind="event", sha256=b"D" * 32) == []


def test_a_page_has_an_end_whatever_is_asked_for(connection, tenant, monkeypatch):
    monkeypatch.setattr(views, "MAX_ROWS", 2)
    for name in "ABC":
        add(connection, name, tenant)
    page = views.page(connection, tenant, after=None, limit=10**9, kind=None, sha256=None)
    assert [view.number for view in page] == ["A", "B"]


def test_each_record_of_a_page_stands_where_it_stands_alone(connection, tenant):
    names = [f"N{number:02}" for number in range(12)]
    seqs = [add(connection, name, tenant) for name in names]
    place(connection, 0, seqs[:10])
    close(connection, 1, 4, 5, 10)
    anchor(connection, "tsa", 4, "final")
    anchor(connection, "tsa", 10, "due")
    anchor(connection, "chain", 5, "rejected", "evm")
    page = views.page(connection, tenant, after=None, limit=100, kind=None, sha256=None)
    assert page == [views.by_number(connection, name) for name in names]
    assert stand(page[3]) == [("chain", 5, "rejected"), ("tsa", 4, "final")]
    assert stand(page[4]) == [("chain", 5, "rejected"), ("tsa", 10, "due")]
    assert stand(page[5]) == [("tsa", 10, "due")]
    assert (page[10].stage(BOTH), page[10].attestations) == ("received", ())


def test_documents_are_found_by_digest_earliest_first(connection, tenant):
    add(connection, "Z", tenant, sha256=b"d" * 32)
    add(connection, "A", sha256=b"d" * 32, sm3=b"s" * 32, type="report", visibility="public")
    add(connection, "B", sha256=b"d" * 32, type="event", visibility="public")
    add(connection, "C", sha256=b"e" * 32, visibility="public")

    def found(algorithm, value, limit=10, visibilities=("public", "by-code"), tenant_id=None):
        return [
            given.record.number
            for given in lookups.by_digest(
                connection,
                algorithm,
                value,
                limit,
                visibilities=visibilities,
                tenant_id=tenant_id,
                reached=standing.reached(connection),
            )
        ]

    assert found("sha-256", b"d" * 32) == ["Z", "A"]
    assert found("sha-256", b"d" * 32, 1) == ["Z"]
    assert found("sha-256", b"d" * 32, visibilities=("public",)) == ["A"]
    assert found("sha-256", b"d" * 32, visibilities=("public",), tenant_id=tenant) == ["Z", "A"]
    assert found("sm3", b"s" * 32) == ["A"]
    assert found("sm3", b"d" * 32) == []


def test_what_a_look_up_says_of_anchors_is_the_stage_that_a_view_says(connection):
    """The furthest words of anchors, read once for all records, against each record's own."""
    random = Random(5)
    names = [f"R{number:02}" for number in range(12)]
    place(connection, 0, [add(connection, name, sha256=bytes(32)) for name in names])
    close(connection, *range(1, 13))
    kinds = {"tsa": "rfc3161", "other": "rfc3161", "chain": "evm", "second": "evm"}
    for turn in range(60):
        name = random.choice(list(kinds))
        state = random.choice(["final", "mined", "sent", "due", "rejected"])
        anchor(connection, name, random.randrange(1, 12), state, kinds[name])
        if turn % 4:
            continue
        far = standing.reached(connection)
        for found in lookups.by_digest(
            connection, "sha-256", bytes(32), 20, visibilities=("by-code",), tenant_id=None, reached=far
        ):
            whole = views.by_number(connection, found.record.number)
            for needed in (1, 2):
                anchors = views.Anchors(frozenset(kinds.values()), {"tsa": "A", "other": "B"}, needed)
                assert found.record.stage(anchors) == whole.stage(anchors)
            assert (found.record.closed, found.record.size) == (whole.closed, whole.size)
            assert found.closing == checkpoints.checkpoint_at(connection, whole.size)
    assert standing.Reached(()).at(1) == ()


def test_a_final_word_that_is_not_believed_any_more_counts_nowhere(connection):
    """A look-up, a view and the list of attested heads pass over what was contradicted or revoked later."""
    place(connection, 0, [add(connection, "A", sha256=bytes(32), visibility="public")])
    close(connection, 1, 2)
    stamped = anchor(connection, "tsa", 1, "final", evidence=b"token")
    anchored = anchor(connection, "chain", 1, "final", "evm", evidence=b"block")
    anchors = views.Anchors(frozenset({"rfc3161", "evm"}), {"tsa": "A"})

    def stages():
        far = standing.reached(connection)
        (found,) = lookups.by_digest(
            connection, "sha-256", bytes(32), 9, visibilities=("public",), tenant_id=None, reached=far
        )
        whole = views.by_number(connection, "A")
        heads = [head[0] for head in standing.attested_heads(connection)]
        return found.record.stage(anchors), whole.stage(anchors), sorted(heads)

    assert stages() == ("final", "final", ["chain", "tsa"])
    assert incidents.add_incident(connection, incidents.CONTRADICTED, "chain", str(anchored), "gone", NOW)
    assert stages() == ("stamped", "stamped", ["tsa"])
    row = (stamped, "tsa", 1, "TSA", "7", b"", NOW, stamps.digest_of(b"signer"))
    stamps.watch(connection, (b"signer", b"root"), NOW)
    stamps.add_stamp(connection, stamps.StoredStamp(*row, "revoked"))
    assert stages() == ("closed", "closed", [])


# Anchorings of a record


def test_of_each_anchor_the_earliest_final_word_counts_whatever_sizes_others_have(connection):
    place(connection, 0, [add(connection, "A")])
    close(connection, *range(1, 10))
    for size in (3, 5, 9):
        anchor(connection, "one", size, "final")
    for size in (5, 9):
        anchor(connection, "two", size, "final")
    anchor(connection, "two", 3, "rejected")
    anchor(connection, "three", 3, "rejected")
    anchor(connection, "three", 5, "mined", "evm")
    anchor(connection, "three", 9, "final", "evm")
    assert stand(views.by_number(connection, "A")) == [
        ("one", 3, "final"),
        ("three", 9, "final"),
        ("two", 5, "final"),
    ]


def test_an_anchor_that_rejects_again_and_again_hides_no_other_and_shows_its_latest_reason(connection):
    place(connection, 0, [add(connection, "A")])
    close(connection, *range(1, 101))
    for size in range(1, 101):
        anchor(connection, "a", size, "rejected")
    anchor(connection, "b", 100, "rejected", "evm")
    assert stand(views.by_number(connection, "A")) == [("a", 100, "rejected"), ("b", 100, "rejected")]
    assert views.by_number(connection, "A").attestations[0].detail == "a 100"


def test_many_anchors_are_all_shown(connection):
    place(connection, 0, [add(connection, "A")])
    close(connection, *range(1, 4))
    for name in (f"tsa-{number:02}" for number in range(20)):
        for size in range(1, 4):
            anchor(connection, name, size, "final")
    assert stand(views.by_number(connection, "A")) == [(f"tsa-{n:02}", 1, "final") for n in range(20)]


@pytest.mark.parametrize("seed", range(3))
def test_where_a_record_stands_is_what_the_rule_says(connection, seed):
    random = Random(seed)
    entries = 12
    place(connection, 0, [add(connection, f"N{number:02}") for number in range(entries)])
    sizes = [*sorted(random.sample(range(1, entries), 5)), entries]
    close(connection, *sizes)
    for name in ("a", "b", "c"):
        for size in sizes:
            for _ in range(random.randrange(3)):
                anchor(connection, name, size, random.choice(list(WAYS)))
    everything = anchorings.anchorings(connection)
    for index in range(entries):
        view = views.by_number(connection, f"N{index:02}")
        assert stand(view) == by_rule(everything, index)


def by_rule(everything, index):
    """For each anchor the earliest final, else the furthest and then earliest under way, else the last rejected."""
    found = []
    for name in sorted({item.anchor for item in everything}):
        covering = [item for item in everything if item.anchor == name and item.size > index]
        for state in ("final", *UNDER_WAY):
            at_state = [item.size for item in covering if item.state == state]
            if at_state:
                found.append((name, min(at_state), state))
                break
        else:
            if covering:
                found.append((name, max(item.size for item in covering), "rejected"))
    return found


def test_the_names_of_anchors(connection):
    assert anchorings.anchor_names(connection) == []
    close(connection, 1)
    for name in ("b", "a", "b", "c-1", "c"):
        anchor(connection, name, 1, "due")
    assert anchorings.anchor_names(connection) == ["a", "b", "c", "c-1"]


# Heads and blocks


def test_attested_heads_are_those_with_evidence_the_largest_first(connection):
    close(connection, 1, 2, 3)
    anchor(connection, "tsa", 1, "final", evidence=b"token 1")
    anchor(connection, "tsa", 3, "final", evidence=b"token 3")
    anchor(connection, "chain", 3, "mined", "evm", evidence=b"block")
    anchor(connection, "other", 2, "rejected", evidence=b"a refusal")
    anchor(connection, "other", 3, "final")
    anchor(connection, "sent", 3, "sent", "evm", evidence=b"a block that was undone")
    assert standing.attested_heads(connection) == [
        ("chain", "evm", 3, "mined", b"note 3", b"block"),
        ("tsa", "rfc3161", 3, "final", b"note 3", b"token 3"),
        ("tsa", "rfc3161", 1, "final", b"note 1", b"token 1"),
    ]
    assert [row[:3] for row in standing.attested_heads(connection, 2)] == [
        ("chain", "evm", 3),
        ("tsa", "rfc3161", 3),
    ]


def test_headers_are_those_that_the_statements_name_each_once_newest_first(connection, monkeypatch):
    for number in (5, 6, 7, 8):
        block = Block(1, number, bytes([number]) * 32, 1000 + number)
        blocks.add_block(connection, block, b"header %d" % number, NOW)
    blocks.add_block(connection, Block(2, 6, b"x" * 32, 2000), b"of another chain", NOW)
    named = [None, 5, 6, 6, 8, 7, 9]
    seqs = [add(connection, f"N{at}", not_before_number=number) for at, number in enumerate(named)]
    place(connection, 0, seqs[:-1])

    def headers(first, last, limit=10):
        return blocks.not_before_headers(connection, 1, first, last, limit)

    assert headers(0, 6) == [b"header 8", b"header 7", b"header 6", b"header 5"]
    assert headers(1, 4) == [b"header 6", b"header 5"]
    assert headers(0, 1) == headers(6, 9) == []
    assert headers(0, 6, 2) == [b"header 8", b"header 7"]
    assert blocks.not_before_headers(connection, 2, 0, 6, 10) == [b"of another chain"]
    monkeypatch.setattr(blocks, "_MOST_GROUPS", 3)
    assert headers(0, 6) == [b"header 8", b"header 7", b"header 6"]
    assert headers(0, 3) == [b"header 6", b"header 5"]


# Speed


@contextmanager
def statements(connection):
    """What is asked of the database meanwhile, through SQLAlchemy and past it."""
    asked, past = [], _Ready.ask

    def note(_connection, _cursor, statement, parameters, _context, _many):
        asked.append((statement, parameters))

    def note_past(ready, connection, values):
        asked.append((ready.sql, tuple(ready.parameters(values))))
        return past(ready, connection, values)

    event.listen(connection, "before_cursor_execute", note)
    with patch.object(_Ready, "ask", note_past):
        yield asked
    event.remove(connection, "before_cursor_execute", note)


def plans(connection, asked):
    for statement, parameters in asked:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        yield from (row.detail for row in rows)


ASKED = {
    "a record": lambda c, t: views.by_number(c, "N000"),
    "a page": lambda c, t: views.page(c, t, after="N010", limit=20, kind=None, sha256=None),
    "an inspection": lambda c, t: views.inspection_of(c, 7),
    "a receipt": lambda c, t: views.receipt(c, "N000", t),
    "attested heads": lambda c, t: standing.attested_heads(c, 5),
    "the first word": lambda c, t: earliest_final(c, 3),
    "the newest anchoring": lambda c, t: anchorings.newest_anchoring(c, "tsa"),
    "the newest final one": lambda c, t: anchorings.newest_anchoring(c, "tsa", ("final",)),
    "what is under way": lambda c, t: anchorings.earliest_anchoring(c, "tsa", ("due", "signed")),
    "headers": lambda c, t: blocks.not_before_headers(c, 1, 3, 9, 10),
    "the heads of a package": lambda c, t: anchorings.anchorings_of_sizes(c, [3, 9], "evm", "final"),
    "what was lost": lambda c, t: outbox.attempts_between(c, "chain", "w", 3, 9),
    "what was spent": lambda c, t: outbox.attempts_since(c, "chain", "w", NOW, NOW),
}


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """The file of a database with 120 records, each closed and anchored by itself, and their organisation."""
    path = tmp_path_factory.mktemp("crowd") / "notary.db"
    database = with_tables(f"sqlite:///{path}")
    with database.writing() as connection:
        tenant = customers.create_tenant(connection, "a company", NOW).id
        seqs = [add(connection, f"N{number:03}", tenant) for number in range(120)]
        place(connection, 0, seqs)
        close(connection, *range(1, 121))
        for size in range(1, 121):
            anchor(connection, "tsa", size, "final", evidence=b"token")
            anchor(connection, "chain", size, "rejected", "evm")
    database.dispose()
    return path, tenant


@pytest.fixture
def crowded(crowd, tmp_path):
    """A copy of it for one test, which may change it."""
    path, tenant = crowd
    copy(path, tmp_path / "notary.db")
    database = open_database(f"sqlite:///{tmp_path / 'notary.db'}")
    with database.writing() as connection:
        yield connection, tenant
    database.dispose()


@pytest.mark.usefixtures("believed")
@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize("what", ASKED)
def test_nothing_is_read_from_end_to_end_or_sorted(crowded, what, analysed):
    connection, tenant = crowded
    if analysed:
        connection.execute(text("ANALYZE"))
    with statements(connection) as asked:
        ASKED[what](connection, tenant)
    assert asked
    for step in plans(connection, asked):
        in_order = step.startswith("SCAN anchoring USING INDEX ix_anchoring_size")  # up to a limit
        in_order = in_order or step.startswith("SCAN names")  # as many as there are anchors
        assert in_order or not step.startswith("SCAN"), (what, step)
        # Ties of one size are put in order; more than that is never sorted.
        ties = "LAST TERM" in step or "RIGHT PART" in step
        assert ties or "TEMP B-TREE" not in step or what == "the heads of a package", (what, step)


def test_a_page_asks_once_for_what_its_records_share(crowded):
    connection, tenant = crowded
    connection.execute(text("DELETE FROM anchoring WHERE size < 120"))
    connection.execute(text("DELETE FROM checkpoint WHERE size < 120"))
    with statements(connection) as asked:
        page = views.page(connection, tenant, after=None, limit=100, kind=None, sha256=None)
    assert len(page) == 100
    of_anchorings = [statement for statement, _ in asked if "FROM anchoring" in statement]
    assert len(of_anchorings) < 15
    assert not any("evidence" in statement for statement in of_anchorings)
