"""The answer to a bulk request is JSON of what was recorded, and every line's receipt can be made from it."""

import json
from hashlib import sha256

import pytest

from notary.evidence.fields import show_moment
from notary.evidence.note import Verifier
from notary.evidence.number import parse_number, show_number
from notary.evidence.receipt import check_receipt, open_receipt, parse_promise, receipt_key_name
from notary.evidence.statement import parse_statement
from notary.intake import answers, rows
from notary.intake.answers import bulk_answer, document_lines, line
from notary.intake.bulkparse import parse_lines
from notary.intake.receipts import receipt_of
from notary.intake.rows import cut, document_rows
from notary.intake.template import Template
from notary.merkle.hashing import hash_leaves
from notary.merkle.tree import levels
from tests.intake.samples import BLOCK, NOW, ORIGIN, digests_of, drawn, slow_statement
from tests.intake.test_receipts import KEY, signed

TEMPLATE = Template(ORIGIN, NOW, BLOCK)


def answered(sizes, before=0, titled=()):
    """Answer for documents of these sizes in a group that has `before` other entries first; and the statements."""
    digests = digests_of(len(sizes))
    body = b"".join(
        json.dumps(
            {"sha-256": d.hex()}
            | ({} if s is None else {"size": s})
            | ({"title": "t"} if at in titled else {})
        ).encode()
        + b"\n"
        for at, (d, s) in enumerate(zip(digests, sizes, strict=True))
    )
    bulk = parse_lines(body, 5, 1 << 24)
    numbers, salts, texts, raw_salts = drawn(len(sizes))
    statements = [slow_statement(*one) for one in zip(digests, texts, raw_salts, sizes, strict=True)]
    entries = [sha256(statement).digest() for statement in statements]
    for group in bulk.plain:
        made = document_rows(TEMPLATE, group, numbers, salts, 5, "by-code", False)
        assert cut(made.entries) == [entries[at] for at in group.at.tolist()]
    group_entries = [sha256(b"other %d" % at).digest() for at in range(before)] + entries
    slow, note = signed(group_entries)
    groups = [document_lines(TEMPLATE, group, numbers, salts, before) for group in bulk.plain]
    others = {at: line(texts[at], statements[at], before + at) for at in bulk.others}
    assert set(others) == set(titled)
    promise = parse_promise(note.decode().split("\n\n")[0] + "\n")
    answer = bulk_answer(
        3, note, show_moment(promise.close_by), groups, others, levels(hash_leaves(group_entries))
    )
    return bytes(answer), statements, texts, slow, note


@pytest.fixture(params=[None, 1, 3])
def piece(request, monkeypatch):
    """However many rows and lines are made at a time."""
    if request.param:
        monkeypatch.setattr(rows, "_PIECE", request.param)
        monkeypatch.setattr(answers, "_PIECE", request.param)


@pytest.mark.usefixtures("piece")
@pytest.mark.parametrize(
    ("sizes", "before", "titled"),
    [
        ([None], 0, ()),
        ([5], 1, ()),
        ([None] * 120, 0, ()),
        ([None, 5, 55, 7, None, 2**50] * 4, 98, (0, 3, 23)),
        ([1] * 20, 990, (4,)),
        ([None] * 3, 9_997, ()),
        ([12] * 4, 0, (0, 1, 2, 3)),
    ],
)
def test_an_answer_says_what_was_recorded_and_proves_it(sizes, before, titled):
    # A size of 16 digits is read line by line, like a line with a title.
    titled = {*titled, *(at for at, size in enumerate(sizes) if size == 2**50)}
    answer, statements, texts, slow, note = answered(sizes, before, titled)
    value = json.loads(answer)
    assert list(value) == ["group", "receipt", "count", "close_by", "lines", "tree"]
    assert (value["group"], value["count"], value["receipt"]) == (3, len(sizes), note.decode())
    assert value["lines"] == [
        {"number": show_number(number), "statement": statement.decode(), "index": before + at}
        for at, (number, statement) in enumerate(zip(texts, statements, strict=True))
    ]
    for item in (value["lines"][0], value["lines"][-1]):
        receipt = receipt_of(item["index"], value["tree"], value["receipt"])
        assert receipt == slow[item["index"]]
        promise, file = open_receipt(receipt, ORIGIN, KEYS)
        check_receipt(promise, file, sha256(item["statement"].encode()).digest())
        assert parse_statement(item["statement"].encode()).number == parse_number(item["number"])


KEYS = [Verifier(receipt_key_name(ORIGIN), KEY.public_key().public_bytes_raw())]


def test_nothing_in_an_answer_is_written_in_two_ways():
    """White space stands before an index alone, and only to make lines equally long."""
    answer, *_ = answered([None] * 12)
    value = json.loads(answer)
    compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for index in range(12):
        compact = compact.replace(f'"index":{index}}}', f'"index":{index:5}}}')
    assert answer.decode() == compact
