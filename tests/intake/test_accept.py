"""From a submission to a durable record and a signed receipt."""

import threading
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from notary.errors import Conflict, Fatal, NotFound, NotReady, RequestError, Unavailable
from notary.evidence.commitments import check_openings
from notary.evidence.digests import Digester
from notary.evidence.note import Verifier
from notary.evidence.receipt import check_receipt, open_receipt
from notary.evidence.statement import Block, entry_of, parse_statement
from notary.store.blocks import add_block
from notary.store.claims import Claim
from notary.store.groups import waiting
from notary.store.inspections import inspection_state
from notary.store.places import seq_of
from notary.store.records import record_by_number, records_from
from notary.store.tenants import create_tenant
from notary.store.views import receipt_of
from tests.faults import Fault, faulty
from tests.rig import ORIGIN, PROMISES, RECEIPT_VERIFIER, START, Rig


@pytest.fixture
def rig(database, tmp_path):
    return Rig(database, tmp_path).open()


def seen(content=b"%PDF-1.7 signed"):
    digester = Digester(("sha-256", "sm3"))
    digester.update(content)
    return {"seen": True, "digests": digester.hex(), "size": len(content)}


def stored(rig):
    with rig.database.reading() as connection:
        return records_from(connection, seq_of(2, 0), seq_of(1000, 0))  # the first group is entry 0


def test_a_document_becomes_a_durable_record_with_a_receipt(rig):
    fields = {"title": "租赁合同", "matter": "2026-7", "metadata": {"pages": 3}}
    accepted = rig.intake.accept(
        rig.document(fields=fields, claimed={"sha3-256": "ab" * 32}, size=10, media_type="text/plain")
    )
    statement = parse_statement(accepted.statement)
    assert (statement.type, statement.log, statement.number) == ("document", ORIGIN, accepted.number)
    assert statement.body.digests == {"sha-256": sha256(b"a contract").hexdigest()}
    assert statement.body.claimed == {"sha3-256": "ab" * 32}
    assert (statement.body.seen, statement.not_before, statement.previous) == (False, None, None)
    assert check_openings(accepted.openings, statement.commitments) == fields
    assert accepted.entry == entry_of(accepted.statement)

    promise, file = open_receipt(accepted.receipt, ORIGIN, [RECEIPT_VERIFIER])
    check_receipt(promise, file, accepted.entry)
    assert (promise.count, promise.size, promise.close_by) == (1, 1, START + timedelta(seconds=60))

    (record,) = stored(rig)
    assert (record.statement, record.tenant_id) == (accepted.statement, rig.tenant)
    assert (record.visibility, record.visibility_chosen) == ("by-code", False)
    assert (record.sha256, record.sm3) == (sha256(b"a contract").digest(), None)
    with rig.database.reading() as connection:
        assert receipt_of(connection, accepted.seq) == accepted.receipt
        assert waiting(connection).count == 1


def test_a_document_that_was_seen_is_found_by_sm3_too(rig):
    accepted = rig.intake.accept(rig.document(**seen(), visibility="public"))
    assert parse_statement(accepted.statement).body.seen
    (record,) = stored(rig)
    assert record.sm3.hex() == seen()["digests"]["sm3"]
    assert (record.visibility, record.visibility_chosen) == ("public", True)


def test_an_event_follows_a_record_of_the_same_organisation(rig):
    first = rig.intake.accept(rig.document())
    event = rig.document(kind="event", digests={}, previous=first.number, fields={"phase": "sent"})
    second = rig.intake.accept(event)
    assert parse_statement(second.statement).previous == first.entry
    assert stored(rig)[1].follows_seq == first.seq


def test_a_record_of_another_organisation_is_not_there_to_follow(rig):
    with rig.database.writing() as connection:
        other = create_tenant(connection, "another", START).id
    theirs = rig.intake.accept(rig.document(tenant_id=other))
    with pytest.raises(NotFound, match=f"there is no record {theirs.number}"):
        rig.intake.accept(rig.document(previous=theirs.number))
    assert len(stored(rig)) == 1


def test_the_newest_finalized_block_is_the_not_before(rig):
    block = Block(31337, 100, b"b" * 32, int(START.timestamp()) - 60)
    with rig.database.writing() as connection:
        add_block(connection, block, b"header", START)
    assert parse_statement(rig.intake.accept(rig.document()).statement).not_before == block
    assert stored(rig)[0].not_before_number == 100


def test_a_block_is_named_once_it_is_older_than_the_margin(rig):
    """An authority whose clock is half a minute behind must not date a statement before the block in it."""
    young = Block(31337, 101, b"y" * 32, int(START.timestamp()) - 30)
    with rig.database.writing() as connection:
        add_block(connection, young, b"header", START)
    assert parse_statement(rig.intake.accept(rig.document()).statement).not_before is None
    rig.clock.advance(29.9)
    assert parse_statement(rig.intake.accept(rig.document()).statement).not_before is None
    rig.clock.advance(0.1)
    assert parse_statement(rig.intake.accept(rig.document()).statement).not_before == young


def test_a_receipt_names_the_newest_checkpoint(rig):
    rig.intake.accept(rig.document())
    checkpoint = rig.sequencer().sequence()
    promise, _ = open_receipt(rig.intake.accept(rig.document()).receipt, ORIGIN, [RECEIPT_VERIFIER])
    assert (promise.size, promise.size_root) == (2, checkpoint.root)


def test_a_group_is_stored_whole_under_one_signature(rig):
    group = [rig.document(b"%d" % n) for n in range(300)]
    accepted = rig.intake.accept_all(group)
    notes = set()
    for item in accepted:
        promise, file = open_receipt(item.receipt, ORIGIN, [RECEIPT_VERIFIER])
        check_receipt(promise, file, item.entry)
        notes.add(file.note)
    assert len(notes) == 1
    assert promise.count == 300
    assert [record.number for record in stored(rig)] == [item.number for item in accepted]


def test_a_group_with_one_bad_submission_stores_nothing(rig):
    with pytest.raises(RequestError, match="digests are SHA-256"):
        rig.intake.accept_all([rig.document(), rig.document(digests={})])
    assert stored(rig) == []


BAD = {
    "kind": ({"kind": "report"}, "a submission is one of document, event"),
    "field": ({"fields": {"inspection": {}}}, "'inspection' cannot be committed to"),
    "value": ({"fields": {"title": 1.5}}, "float has no place"),
    "large": ({"fields": {"title": "x" * 200_000}}, "larger than a commitment may be"),
    "visibility": ({"visibility": "secret"}, "a visibility is one of"),
    "digest": ({"digests": {"sha-256": "xyz"}}, "sha-256 digest is not of the form"),
    "algorithm": ({"claimed": {"md5": "00" * 16}}, "algorithms that we know"),
    "both": ({"claimed": {"sha-256": "00" * 32}}, "claimed and taken at once"),
    "media type": ({"media_type": "PDF"}, "media_type is not of the form"),
    "size": ({"size": -1}, "size is not a whole number"),
    "event": ({"kind": "event"}, "an event has no document"),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_cannot_stand_in_a_statement_is_the_callers_error(rig, bad):
    changes, what = BAD[bad]
    with pytest.raises(RequestError, match=what):
        rig.intake.accept(rig.document(**changes))
    assert stored(rig) == []


def test_a_group_has_a_size_and_one_organisation(rig):
    other = rig.document(tenant_id=rig.tenant + 1)
    for group in ([], [rig.document(), other], [rig.document()] * 10_001):
        with pytest.raises(RequestError, match="a group has 1 to 10000 submissions, all of one"):
            rig.intake.accept_all(group)


def test_nothing_is_accepted_before_the_log_is_open(database, tmp_path):
    rig = Rig(database, tmp_path)
    with pytest.raises(NotReady, match="the log is not open yet"):
        rig.intake.accept(rig.document(tenant_id=1))


def test_too_much_that_waits_is_refused(rig):
    rig.intake = replace(rig.intake, promises=replace(PROMISES, max_pending=2))
    rig.submit(2)
    with pytest.raises(Unavailable, match="2 entries wait for a checkpoint"):
        rig.submit(1)
    rig.sequencer().sequence()
    rig.submit(1)


def test_no_promise_is_given_while_closing_is_behind(rig):
    rig.submit(1)
    rig.clock.advance(31)
    with pytest.raises(Unavailable, match="behind with closing"):
        rig.submit(1)
    rig.sequencer().sequence()
    rig.submit(1)


KEY = Claim(1, "key-1", bytes(32))


def test_a_promise_counts_from_the_moment_at_which_it_is_stored(rig):
    """The writer's turn may come late: what was read before is too old to promise by."""
    # Of conditions, of the statement, of the promise, and once it is stored.
    moments = [rig.clock() + timedelta(seconds=seconds) for seconds in (0, 0, 16, 17)]
    intake = replace(rig.intake, now=lambda: moments.pop(0))
    accepted = intake.accept(rig.document())
    promise, _ = open_receipt(accepted.receipt, ORIGIN, [RECEIPT_VERIFIER])
    assert promise.close_by == START + timedelta(seconds=16 + 60)
    assert parse_statement(accepted.statement).time == START


def test_the_same_request_gets_the_same_answer(rig):
    submission = rig.document(fields={"title": "Lease"})
    first = rig.intake.accept(submission, KEY)
    rig.clock.advance(10)
    again = rig.intake.accept(submission, KEY)
    assert again == replace(first, replayed=True)
    assert len(stored(rig)) == 1


def test_the_same_key_for_another_request_is_a_conflict(rig):
    rig.intake.accept(rig.document(), KEY)
    with pytest.raises(Conflict, match="used for another request"):
        rig.intake.accept(rig.document(b"other"), replace(KEY, request_sha256=b"x" * 32))
    assert len(stored(rig)) == 1


def test_keys_of_two_organisations_are_two(rig):
    with rig.database.writing() as connection:
        other = create_tenant(connection, "another", START).id
    first = rig.intake.accept(rig.document(), KEY)
    second = rig.intake.accept(rig.document(tenant_id=other), Claim(other, "key-1", b"x" * 32))
    assert first.number != second.number
    assert not second.replayed


def test_the_same_key_at_the_same_moment_makes_one_record(rig):
    answers, start = [], threading.Barrier(8)

    def submit():
        start.wait()
        answers.append(rig.intake.accept(rig.document(), KEY))

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert len({(a.number, a.receipt) for a in answers}) == 1
    assert sum(not a.replayed for a in answers) == 1
    assert len(stored(rig)) == 1


def test_the_same_key_at_the_same_moment_for_another_request_is_a_conflict(rig, monkeypatch):
    """The other request comes between the look at the key and the commit."""
    plain, requested = rig.intake, []

    def overtaken(length):
        if not requested:
            requested.append(plain.accept(rig.document(b"other"), replace(KEY, request_sha256=b"x" * 32)))
        return rig.random.randbytes(length)

    with pytest.raises(Conflict, match="used for another request"):
        replace(plain, random=overtaken).accept(rig.document(), KEY)
    assert [record.number for record in stored(rig)] == [requested[0].number]


def test_a_group_is_replayed_whole(rig):
    group = [rig.document(b"%d" % n) for n in range(3)]
    first = rig.intake.accept_all(group, KEY)
    assert rig.intake.accept_all(group, KEY) == [replace(item, replayed=True) for item in first]


def test_a_number_that_is_taken_is_drawn_again(rig):
    draws = iter([bytes(5), bytes(5), b"\1" * 5])

    def numbers(length):
        return next(draws) if length == 5 else rig.random.randbytes(length)

    intake = replace(rig.intake, random=numbers)
    assert intake.accept(rig.document()).number != intake.accept(rig.document()).number


def test_a_random_source_that_repeats_itself_is_fatal(rig):
    intake = replace(rig.intake, random=bytes)
    intake.accept(rig.document())
    with pytest.raises(Fatal, match="the random source is broken"):
        intake.accept(rig.document())
    assert len(stored(rig)) == 1


@pytest.mark.parametrize("committed", [False, True])
def test_a_commit_whose_answer_is_lost_is_answered_to_the_same_key(rig, committed):
    fault = Fault("swap", committed)
    broken = replace(rig.intake, database=faulty(rig.database, fault))
    with pytest.raises(Unavailable, match="the database went away"):
        broken.accept(rig.document(), KEY)
    assert len(stored(rig)) == committed
    again = rig.intake.accept(rig.document(), KEY)
    assert again.replayed == committed
    assert len(stored(rig)) == 1
    rig.sequencer().sequence()
    assert rig.fsck().problems == []


def spooled(rig, content=b"%PDF-1.7 signed", **changes):
    made = rig.intake.spool.receive([content], 1000)
    values = {"seen": True, "digests": made.digests, "size": made.size, "media_type": made.media_type}
    return rig.document(**values | {"spooled": made.path} | changes)


def files(rig):
    return list(rig.intake.spool.folder.iterdir())


def test_a_pdf_waits_for_inspection_and_another_file_is_deleted(rig):
    pdf = rig.intake.accept(spooled(rig))
    (waiting,) = files(rig)
    text = rig.intake.accept(spooled(rig, b"plain"))
    assert files(rig) == [waiting]
    with rig.database.reading() as connection:
        assert inspection_state(connection, pdf.seq) == "waiting"
        assert inspection_state(connection, text.seq) is None


def test_a_refused_or_repeated_document_leaves_no_file(rig):
    with pytest.raises(RequestError, match="a visibility is one of"):
        rig.intake.accept(spooled(rig, visibility="secret"))
    assert files(rig) == []
    rig.intake.accept(spooled(rig), KEY)
    assert rig.intake.accept(spooled(rig), KEY).replayed
    assert len(files(rig)) == 1


def test_a_document_whose_fate_is_unclear_keeps_its_file(rig):
    broken = replace(rig.intake, database=faulty(rig.database, Fault("swap", stored=True)))
    with pytest.raises(Unavailable, match="the database went away"):
        broken.accept(spooled(rig))
    assert len(files(rig)) == 1


def test_a_receipt_of_another_key_is_not_believed(rig):
    """The negative control of every receipt above."""
    accepted = rig.intake.accept(rig.document())
    other = Verifier(RECEIPT_VERIFIER.name, bytes(32))
    with pytest.raises(Exception, match="no key that is trusted"):
        open_receipt(accepted.receipt, ORIGIN, [other])
    with rig.database.reading() as connection:
        assert record_by_number(connection, accepted.number).statement == accepted.statement


def test_nothing_is_promised_by_a_clock_before_the_newest_checkpoint(database, tmp_path):
    rig = Rig(database, tmp_path).open()
    rig.submit(1)
    rig.clock.advance(20)
    rig.sequencer().sequence()
    rig.clock.advance(-10)  # as a time server makes it
    rig.submit(1, first=1)
    rig.clock.advance(-1)
    with pytest.raises(
        Unavailable, match=r"the clock says .*, and the newest checkpoint is of 2026-03-01T12:00:20Z"
    ):
        rig.submit(1, first=2)


def test_a_database_that_ends_before_what_is_published_takes_nothing_in(database, tmp_path):
    rig = Rig(database, tmp_path).open()
    published = [1]
    rig.intake = replace(rig.intake, published=lambda: published[0])
    rig.submit(1)
    published[0] = 2
    with pytest.raises(
        Unavailable, match="the database ends at size 1, and size 2 is published: an older copy"
    ):
        rig.submit(1, first=1)
    rig.sequencer().sequence()
    rig.submit(1, first=1)
