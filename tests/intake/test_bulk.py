"""A bulk request is stored as its lines by themselves would be, on both databases."""

import asyncio
import json
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import select

from notary.errors import NotFound, NumberTaken, RequestError, Unavailable
from notary.evidence.chain import decode_header
from notary.evidence.receipt import check_receipt, open_receipt
from notary.evidence.statement import Block, entry_of
from notary.intake.bulk import commit_bulk, fingerprint, prepare_bulk
from notary.intake.bulkparse import Bulk, parse_array, parse_lines
from notary.intake.prepare import prepare
from notary.intake.receipts import decode_tree, encode_tree, receipt_of, receipts_from
from notary.intake.writer import Writer
from notary.services.bulk import _canonical
from notary.store.blocks import add_block
from notary.store.claims import Claim
from notary.store.groups import groups_after, insert_group
from notary.store.openings import openings_of
from notary.store.places import seq_of
from notary.store.records import count_records, insert_records, record_by_number
from notary.store.rows import COLUMNS
from notary.store.tables import record
from tests.evidence import mini_chain
from tests.faults import Fault, faulty
from tests.intake.samples import digests_of
from tests.rig import ORIGIN, PROMISES, RECEIPT_VERIFIER, Rig

HEADER = mini_chain.header(5, 1772362805)
BLOCK = Block(31337, 5, decode_header(HEADER, "ethereum").hash, 1772362805)


@pytest.fixture
def rig(database, tmp_path):
    rig = Rig(database, tmp_path).open()
    with database.writing() as connection:
        add_block(connection, BLOCK, HEADER, rig.clock())
    return rig


def mixed(previous=None):
    """Lines of every form, in no order."""
    digests = [digest.hex() for digest in digests_of(12)]
    return [
        {"sha-256": digests[0]},
        {"sha-256": digests[1], "size": 7},
        {"sha-256": digests[2], "title": "租赁合同", "matter": "M-1", "metadata": {"a": [1, {"b": None}]}},
        {"sha-256": digests[3], "size": 12345},
        {"kind": "event", "phase": "sent", "sequence": 3},
        {"sha-256": digests[4], "visibility": "public"},
        {
            "digests": {"sha-256": digests[5].upper(), "sm3": "ab" * 32},
            "media_type": "Text/Plain; charset=utf-8",
        },
        {"sha-256": digests[0]},
        {"sha-256": digests[6], "size": 8},
        {"sha-256": digests[7], "size": 2**50},
        {"sha-256": digests[8]} | ({} if previous is None else {"previous": previous}),
        {"kind": "event", "visibility": "private"} | ({} if previous is None else {"previous": previous}),
    ]


def encoded(lines, **style):
    return b"".join(json.dumps(line, **style).encode() + b"\n" for line in lines)


def prepared(rig, bulk, claim=None, block=BLOCK, random=None, previous=lambda _: None):
    random = random or rig.random.randbytes
    return prepare_bulk(bulk, rig.tenant, claim, block, ORIGIN, rig.clock(), random, previous)


def committed(rig, item, database=None):
    commit_bulk(database or rig.database, item, PROMISES, rig.intake.conditions().state, rig.clock)
    return item.outcome


def rows_of(connection, group):
    """All columns but `seq`, whose group differs, and the position in it."""
    query = select(record).where(record.c.seq >= seq_of(group, 0), record.c.seq < seq_of(group + 1, 0))
    rows = connection.execute(query.order_by(record.c.seq)).mappings().all()
    return [{**row, "seq": row["seq"] - seq_of(group, 0)} for row in rows]


def one_by_one(rig, bulk, item):
    """The records that single submissions with these numbers and salts would make."""
    new = dict(item.others)
    for plain in bulk.plain:
        for place, at in enumerate(plain.at.tolist()):
            size = plain.sizes[place].tobytes()
            submission = rig.document(
                digests={"sha-256": plain.hex[place].tobytes().decode()}, size=int(size) if size else None
            )
            number, salt = (
                item.numbers[at].tobytes().decode(),
                bytes.fromhex(item.salts[at].tobytes().decode()),
            )
            new[at] = prepare(
                submission, None, item.block, ORIGIN, item.now, lambda _, salt=salt: salt, number=number
            )
    return [new[at] for at in range(bulk.count)]


class UndoneError(Exception):
    pass


def inserted_and_undone(rig, singles):
    """The rows and openings of records that are stored one by one."""
    found = []
    with suppress(UndoneError), rig.database.writing() as connection:
        group = insert_group(connection, len(singles), b"", rig.clock(), None)
        insert_records(connection, group, singles)
        found.append(rows_of(connection, group))
        found.append([openings_of(connection, seq_of(group, at)) for at in range(len(singles))])
        raise UndoneError
    return found


@pytest.mark.parametrize("block", [None, BLOCK])
def test_all_rows_are_those_that_single_submissions_make(rig, block):
    first = rig.intake.accept(rig.document(b"before"))
    with rig.database.reading() as connection:
        followed = record_by_number(connection, first.number)
    bulk = parse_lines(encoded(mixed(first.number)), rig.tenant, 1 << 20)
    assert (len(bulk.plain), len(bulk.others)) == (3, 7)
    item = prepared(rig, bulk, block=block, previous=lambda s: followed if s.previous else None)
    singles = one_by_one(rig, bulk, item)
    slow, openings = inserted_and_undone(rig, singles)
    made = committed(rig, item)
    with rig.database.reading() as connection:
        rows = rows_of(connection, made.group)
        assert [openings_of(connection, seq_of(made.group, at)) for at in range(bulk.count)] == openings
    assert set(rows[0]) == {"seq", *COLUMNS}
    assert rows == slow
    assert [bool(row["follows_seq"]) for row in rows] == [False] * 10 + [True] * 2
    rig.sequencer().sequence()
    assert rig.fsck().problems == []


def test_a_row_that_differs_is_seen(rig):
    """The control of the one above."""
    item = prepared(rig, parse_lines(encoded(mixed()), rig.tenant, 1 << 20))
    item.parts[0].matrix[0, 60] ^= 1
    committed(rig, item)
    rig.sequencer().sequence()
    assert rig.fsck().problems != []


def test_ten_thousand_are_one_group(rig):
    body = json.dumps([digest.hex() for digest in digests_of(10_000)]).encode()
    item = prepared(rig, parse_array(body))
    made = committed(rig, item)
    with rig.database.reading() as connection:
        (group,) = groups_after(connection, made.group - 1, 1)
        rows = rows_of(connection, made.group)
    assert (group.count, group.note, group.not_before_number) == (10_000, made.note, 5)
    assert [row["sha256"] for row in rows] == digests_of(10_000)
    tree = encode_tree(item.rows)
    receipts = receipts_from(item.rows, made.note)
    for at in (0, 1, 4999, 9999):
        receipt = receipt_of(at, tree, made.note.decode())
        assert receipt == receipts[at]
        promise, file = open_receipt(receipt, ORIGIN, [RECEIPT_VERIFIER])
        check_receipt(promise, file, entry_of(rows[at]["statement"]))
    assert decode_tree(tree) == [list(row) for row in item.rows]
    assert rig.fsck().problems == []


@pytest.mark.parametrize("stored", [False, True])
def test_a_commit_whose_answer_is_lost_is_found_by_its_claim(rig, stored):
    claim = Claim(rig.tenant, "k1", bytes(32))
    bulk = parse_lines(encoded(mixed()), rig.tenant, 1 << 20)
    with pytest.raises(Unavailable, match="the database went away"):
        committed(rig, prepared(rig, bulk, claim), faulty(rig.database, Fault("swap", stored)))
    with rig.database.reading() as connection:
        assert count_records(connection) == 1 + stored * bulk.count
    found = committed(rig, prepared(rig, bulk, claim))
    assert hasattr(found, "first_seq") == stored
    with rig.database.reading() as connection:
        assert count_records(connection) == 1 + bulk.count


def test_a_number_that_is_taken_stores_nothing(rig):
    bulk = parse_lines(encoded(mixed()), rig.tenant, 1 << 20)

    def repeating(length):
        return bytes(length) if length == 5 else rig.random.randbytes(length)

    committed(rig, prepared(rig, bulk, random=repeating))
    again = prepared(rig, bulk, random=repeating)
    with pytest.raises(NumberTaken, match="a record number was drawn twice"):
        committed(rig, again)
    writer = Writer(rig.intake)
    with pytest.raises(NumberTaken, match="a record number was drawn twice"):
        asyncio.run(writer.add_bulk(again))
    writer.close()
    with rig.database.reading() as connection:
        assert count_records(connection) == 1 + bulk.count
    rig.sequencer().sequence()
    assert rig.fsck().problems == []


# --- what cannot stand in a statement


def test_a_line_that_cannot_be_stated_is_named(rig):
    large = {"kind": "event", "metadata": {"a": "x" * 100_000}}
    bulk = parse_lines(encoded([*mixed(), large]), rig.tenant, 1 << 20)
    with pytest.raises(RequestError, match=r"line 13: .*larger than"):
        prepared(rig, bulk)
    unspeakable = rig.document(fields={"metadata": {"": 1}})
    with pytest.raises(RequestError, match=r"line 1: .*key of 1 to 64"):
        fingerprint(Bulk(1, (), {0: unspeakable}), _canonical)


def test_a_previous_record_that_is_not_there_is_not_found(rig):
    def previous(_):
        raise NotFound("there is no record")

    with pytest.raises(NotFound, match="there is no record"):
        prepared(rig, parse_lines(encoded(mixed()), rig.tenant, 1 << 20), previous=previous)


# --- what a request says, however it is spelt


def said(lines, **style):
    return fingerprint(parse_lines(encoded(lines, **style), 1, 1 << 20), _canonical)


def test_a_request_has_one_fingerprint_however_it_is_spelt():
    lines = mixed("NA7W-Q3EU-N59P-CCZT")
    one = said(lines)
    assert said(lines, separators=(",", ":"), ensure_ascii=False) == one
    assert said([dict(reversed(line.items())) for line in lines]) == one
    long = [{"title": None, "kind": line.get("kind", "document")} | line for line in lines]
    for line in long:
        if "sha-256" in line:
            line["digests"] = {"sha-256": line.pop("sha-256").upper()}
    assert said(long) == one
    digests = [{"sha-256": digest.hex()} for digest in digests_of(3)]
    array = parse_array(json.dumps([digest["sha-256"] for digest in digests]).encode())
    assert fingerprint(array, _canonical) == said(digests)


def test_every_other_request_has_another():
    lines = mixed("NA7W-Q3EU-N59P-CCZT")
    others = [lines[:-1], [*lines, lines[0]], [lines[1], lines[0], *lines[2:]]]
    for at, line in enumerate(lines):
        kept = ({n: v for n, v in line.items() if n != name} | changed(name) for name in line)
        others += [[*lines[:at], one, *lines[at + 1 :]] for one in kept]
    found = {said(one) for one in others}
    assert len(found) == len(others)
    assert said(lines) not in found


def changed(name):
    return {
        "sha-256": {"sha-256": "11" * 32},
        "digests": {"sha-256": "12" * 32},
        "kind": {"sha-256": "13" * 32},
        "size": {"size": 99},
        "media_type": {"media_type": "a/b"},
        "visibility": {"visibility": "by-code"},
        "previous": {},
        "metadata": {"metadata": {"a": [1, {"b": 1}]}},
        "sequence": {"sequence": 4},
    }.get(name, {name: "x"})


def test_a_claim_is_checked(rig):
    claim = Claim(rig.tenant, "k1", bytes(32))
    bulk = parse_lines(encoded(mixed()), rig.tenant, 1 << 20)
    made = committed(rig, prepared(rig, bulk, claim))
    found = committed(rig, prepared(rig, bulk, replace(claim, request_sha256=b"x" * 32)))
    assert found.first_seq == seq_of(made.group, 0)
    assert found.request_sha256 == bytes(32)
