"""Rows in the binary form of COPY: as psycopg writes them, as PostgreSQL reads them, and from matrices alike."""

import json
import os
from hashlib import sha256
from random import Random

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notary.evidence.statement import entry_of
from notary.intake.bulkparse import parse_array, parse_lines
from notary.intake.rows import cut, document_rows, draw_salts, entries_of
from notary.intake.template import Template
from notary.store.rows import COLUMNS as NAMES
from notary.store.rows import HEADER, TRAILER, encode_row
from tests.intake.samples import BLOCK, NOW, ORIGIN, digests_of, drawn, slow_statement

COLUMNS = ("seq", *NAMES)
TEMPLATE = Template(ORIGIN, NOW, BLOCK)
TABLE = """CREATE TABLE record (seq BIGINT PRIMARY KEY, number TEXT, tenant_id INTEGER, type TEXT, statement BYTEA,
    entry BYTEA, sha256 BYTEA, sm3 BYTEA, visibility TEXT, visibility_chosen BOOLEAN, follows_seq BIGINT)"""
hashes = st.binary(min_size=32, max_size=32)
records = st.tuples(
    st.integers(0, 2**63 - 1),
    st.sampled_from(drawn(20)[2]),
    st.none() | st.integers(0, 2**31 - 1),
    st.sampled_from(["document", "event", "genesis", "inspection"]),
    st.binary(min_size=1, max_size=600),
    hashes,
    st.none() | hashes,
    st.none() | hashes,
    st.sampled_from(["by-code", "by-document", "public", "private"]),
    st.booleans(),
    st.none() | st.integers(0, 2**63 - 1),
)


def field(value: bytes | None) -> bytes:
    return b"\xff" * 4 if value is None else len(value).to_bytes(4, "big") + value


def by_the_book(record) -> bytes:
    """A row, written from the description of the format in PostgreSQL's manual (COPY, Binary Format)."""
    widths = {"seq": 8, "tenant_id": 4, "follows_seq": 8, "visibility_chosen": 1}
    out = len(COLUMNS).to_bytes(2, "big")
    for name, value in zip(COLUMNS, record, strict=True):
        if value is not None and name in widths:
            out += field(int(value).to_bytes(widths[name], "big"))
        else:
            out += field(value.encode() if isinstance(value, str) else value)
    return out


@settings(max_examples=200, deadline=None)
@given(records)
def test_a_row_is_written_as_the_manual_says(record):
    assert encode_row(*record) == by_the_book(record)


def bulk_of(count: int, seed: int):
    """Documents of many forms, and what each says."""
    random = Random(seed)
    digests = digests_of(count)
    sizes = [random.choice([None, random.randrange(1, 10 ** random.randrange(1, 16))]) for _ in range(count)]
    body = b"".join(
        json.dumps({"sha-256": d.hex()} | ({} if s is None else {"size": s})).encode() + b"\n"
        for d, s in zip(digests, sizes, strict=True)
    )
    return parse_lines(body, 5, 1 << 24), digests, sizes


def rows_of(bulk, numbers, salts):
    return [document_rows(TEMPLATE, group, numbers, salts, 5, "by-code", False) for group in bulk.plain]


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 60), st.integers(0, 10**6), st.integers(0, 2**62))
def test_rows_from_matrices_are_those_made_one_by_one(count, seed, first):
    bulk, digests, sizes = bulk_of(count, seed)
    numbers, salts, texts, raw_salts = drawn(count)
    assert not bulk.others
    seen = set()
    for rows in rows_of(bulk, numbers, salts):
        statements, entries, encoded = rows.statements(), cut(rows.entries), []
        for statement, entry, at in zip(statements, entries, rows.at.tolist(), strict=True):
            assert statement == slow_statement(digests[at], texts[at], raw_salts[at], sizes[at])
            assert entry == entry_of(statement)
            encoded.append(
                encode_row(
                    first + at, texts[at], 5, "document", statement, entry, digests[at], None, "by-code",
                    False, None,
                )
            )  # fmt: skip
            seen.add(at)
        assert rows.encode(first) == b"".join(encoded)
        assert len(rows.encode(first)) == len(b"".join(encoded))
    assert seen == set(range(count))


def test_entries_are_in_the_order_of_the_request():
    bulk, digests, sizes = bulk_of(40, 3)
    numbers, salts, texts, raw_salts = drawn(40)
    groups = rows_of(bulk, numbers, salts)
    assert len(groups) > 3
    expected = [entry_of(slow_statement(*one)) for one in zip(digests, texts, raw_salts, sizes, strict=True)]
    left_out = groups.pop()
    others = {at: expected[at] for at in left_out.at.tolist()}
    assert entries_of(groups, others) == entries_of([*groups, left_out], {}) == expected
    assert entries_of([], dict(enumerate(expected))) == expected


def test_rows_without_a_tenant_have_no_gap():
    bulk = parse_array(json.dumps([digest.hex() for digest in digests_of(3)]).encode())
    numbers, salts, texts, _ = drawn(3)
    rows = document_rows(TEMPLATE, bulk.plain[0], numbers, salts, None, "public", True)
    statements = rows.statements()
    assert rows.encode(9) == b"".join(
        encode_row(
            9 + at, texts[at], None, "document", statements[at], entry_of(statements[at]),
            digests_of(3)[at], None, "public", True, None,
        )
        for at in range(3)
    )  # fmt: skip


def test_postgresql_reads_what_was_written(postgres_url):
    bulk, digests, sizes = bulk_of(300, 1)
    numbers, salts, texts, raw_salts = drawn(300)
    other = (10**15, texts[0], None, "event", b"{}", bytes(32), None, bytes(range(32)), "private", True, 7)
    with psycopg.connect(postgres_url) as connection:
        connection.execute(TABLE)
        with connection.cursor().copy("COPY record FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(HEADER)
            for rows in rows_of(bulk, numbers, salts):
                copy.write(rows.encode(1 << 14))
            copy.write(encode_row(*other))
            copy.write(TRAILER)
        *found, last = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM record ORDER BY seq").fetchall()
    assert last == other
    for at, row in enumerate(found):
        statement = slow_statement(digests[at], texts[at], raw_salts[at], sizes[at])
        entry = sha256(statement).digest()
        seq = (1 << 14) + at
        assert row == (
            seq, texts[at], 5, "document", statement, entry, digests[at], None, "by-code", False, None,
        )  # fmt: skip
    assert len(found) == 300


def test_postgresql_refuses_a_row_cut_short(postgres_url):
    row = encode_row(1, "2" * 16, 1, "event", b"{}", bytes(32), None, None, "public", True, None)
    with psycopg.connect(postgres_url) as connection:
        connection.execute(TABLE)
        with (
            pytest.raises(psycopg.errors.BadCopyFileFormat, match="unexpected EOF"),
            connection.cursor().copy("COPY record FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.write(HEADER + row[:-1])


def test_salts_come_from_one_call_and_are_shown_as_they_are():
    calls = []

    def random(size):
        calls.append(os.urandom(size))
        return calls[-1]

    salts = draw_salts(7, random)
    assert salts.shape == (7, 64)
    assert [salts.tobytes().decode()] == [call.hex() for call in calls]


def test_nothing_is_cut_into_nothing():
    assert cut(draw_salts(0, os.urandom)) == []
