"""Fsck finds what is wrong around the log: with anchorings, attempts, lanes, blocks, inspections and keys."""

import re
import sqlite3
from contextlib import closing

import pytest

from tests.faults.damage import flip
from tests.faults.scenario import UNSIGNED, UNSIGNED_OF_TOKENS, UNSIGNED_WHILE_DUE
from tests.log.attested import attested, copied, named, sql

pytestmark = pytest.mark.crash

TABLES = {
    "anchoring": r"^anchoring \d+ at \w+: |^attempt \w+ is of no anchoring",
    "attempt": r"^anchoring \d+ at \w+: |^attempt \w+ is of no anchoring",
    "stamp": r"^stamp of anchoring \d+: ",
    "tsa_certificate": r"^certificate \w+: |^revocation of certificate \w+: the CA says that it is revoked",
    "revocation": r"^revocation of certificate \w+: ",
    "lane": r"^the lane of \w+ \(",
    "block": r"^block \d+ of chain \d+: |^record \w+: its statement names block",
    "inspection": r"^inspection of document \d+: ",
    "api_key": r"^API key \w+ is of organisation \d+, which is not there",
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    with attested(tmp_path_factory.mktemp("attested")) as (rig, attesters):
        assert rig.fsck(attesters).problems == []
        yield rig, attesters


@pytest.fixture
def rig(sound, tmp_path):
    with copied(sound[0], tmp_path) as made:
        yield made


def cells(path, whole):
    """Of each column that holds something the last row, with `whole` of each kind and state: table, column, row."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        kinds = dict(connection.execute("SELECT id, kind FROM anchoring"))
        for table in TABLES:
            found = {}
            for row in map(dict, connection.execute(f"SELECT * FROM {table} ORDER BY rowid")):
                kind = row.get("kind", kinds.get(row.get("anchoring_id")))
                kinds_of_row = (kind, row.get("state")) if whole else ()
                found |= {(name, *kinds_of_row): row for name in row if row[name] not in (None, "")}
            yield from ((table, name, row) for (name, *_), row in found.items())


@pytest.mark.parametrize(
    "whole", [False, pytest.param(True, marks=(pytest.mark.faults, pytest.mark.timeout(1800)))]
)
def test_one_bit_in_each_column_is_named(sound, tmp_path, whole):
    path, missed, seen = tmp_path / "notary.db", [], set()
    assert sound[0].fsck(sound[1]).problems == []
    with copied(sound[0], tmp_path):
        found = list(cells(path, whole))
    for table, column, row in found:
        unsigned = set(UNSIGNED.get(table, ()))
        if table == "anchoring":
            unsigned |= UNSIGNED_WHILE_DUE if row["state"] == "due" else set()
            unsigned |= UNSIGNED_OF_TOKENS if row["kind"] == "rfc3161" else set()
        if column in unsigned:
            continue
        seen.add((table, column))
        with copied(sound[0], tmp_path) as rig:
            flip(path, table, column, row)
            problems = rig.fsck(sound[1]).problems
            if not any(re.search(TABLES[table], problem) for problem in problems):
                missed.append(f"{table}.{column} of {row}: {problems}")
    assert missed == []
    assert {table for table, _ in seen} == set(TABLES)


LEDGER, STAMPS = "anchor = 'ledger'", "anchor = 'stamps'"
FINAL = f"{STAMPS} AND state = 'final'"
LAST_ATTEMPT = "id = (SELECT max(id) FROM attempt)"
DAMAGES = {
    "state": (f"UPDATE anchoring SET state = 'gone' WHERE {LEDGER}", "there is no state 'gone'"),
    "kind": (f"UPDATE anchoring SET kind = 'dice' WHERE {LEDGER}", "at ledger: there is no kind 'dice'"),
    "size": (f"UPDATE anchoring SET size = 3 WHERE {STAMPS}", "at stamps: there is no checkpoint of size 3"),
    "due": (f"UPDATE anchoring SET state = 'due' WHERE {LEDGER}", "it is due, and something was sent for it"),
    "not sent": (
        "UPDATE anchoring SET state = 'sent' WHERE state = 'due'",
        "sent, and nothing that was sent for it is kept",
    ),
    "no evidence": (f"UPDATE anchoring SET evidence = NULL WHERE {STAMPS}", "it is final without evidence"),
    "no anchoring": ("DELETE FROM anchoring WHERE state = 'sent'", r"^attempt \w+ is of no anchoring"),
    "lane": (
        "UPDATE lane SET next_nonce = 9",
        r"^the lane of ledger \(0x\w+\) is at 9, its transactions end at \d$",
    ),
    "no lane": ("DELETE FROM lane", r"^the lane of ledger \(0x\w+\) is at None, "),
    "a lane of nobody": (
        "INSERT INTO lane VALUES ('other', '0x12', 3)",
        r"^the lane of other \(0x12\) is at 3, its transactions end at None",
    ),
    "not ours": (
        f"UPDATE attempt SET raw = (SELECT raw FROM attempt ORDER BY length(raw) DESC) WHERE {LAST_ATTEMPT}",
        "its bytes are those of another transaction",
    ),
    "nonce": (f"UPDATE attempt SET nonce = 77 WHERE {LAST_ATTEMPT}", "its nonce is 4, not 77"),
    "another request": (
        "UPDATE attempt SET raw = (SELECT raw FROM attempt ORDER BY length(raw), id LIMIT 1) WHERE length(raw) < 100",
        "its bytes are those of another request",
    ),
    "request": (
        "UPDATE attempt SET raw = zeroblob(60) WHERE length(raw) < 100",
        "ASN.1: bytes behind the value",
    ),
    "long request": (
        "UPDATE attempt SET raw = zeroblob(4097) WHERE length(raw) < 100",
        "a request of 4097 bytes is longer than 4096",
    ),
    "token": (
        f"UPDATE anchoring SET evidence = zeroblob(60) WHERE {STAMPS} AND state = 'final'",
        "its token: the token cannot be read",
    ),
    "other's token": (
        f"UPDATE anchoring SET evidence = (SELECT max(evidence) FROM anchoring WHERE {STAMPS}) WHERE {FINAL}",
        "its token fails check 18: the imprint is of other data",
    ),
    "chain evidence": (
        f"UPDATE anchoring SET evidence = zeroblob(60) WHERE {LEDGER}",
        "at ledger: its evidence: ",
    ),
    "chain": (
        "UPDATE block SET chain_id = 1 WHERE number = 109",
        r"^block 109 of chain 1: the log is not on this chain",
    ),
    "unkept": (
        "DELETE FROM block WHERE number = 109",
        "its statement names block 109, and no such block was kept",
    ),
    "hash": (
        "UPDATE block SET hash = zeroblob(32) WHERE number = 100",
        r"^block 100 of chain 31337: its header has another hash, or is none",
    ),
    "header": (
        "UPDATE block SET header = zeroblob(500) WHERE number = 100",
        r"^block 100 of chain 31337: its header has another hash, or is none",
    ),
    "number": (
        "UPDATE block SET number = 102 WHERE number = 100",
        r"^block 102 of chain 31337: its header is of number 100 and",
    ),
    "time": (
        "UPDATE block SET time = time + 5000 WHERE number = 100",
        r"^block 101 of chain 31337: its time is before that of block 100",
    ),
    "key": ("UPDATE api_key SET tenant_id = 7", r"^API key abcd is of organisation 7, which is not there"),
    "secret": ("UPDATE api_key SET secret_sha256 = x'00'", r"^API key abcd has no SHA-256 of its secret"),
    "no organisation": (
        "DELETE FROM api_key; DELETE FROM tenant",
        r"^record \w+: it is of organisation 1, which is not there",
    ),
    "visibility": (
        "UPDATE record SET visibility = 'open' WHERE follows_seq IS NULL",
        r"^record \w+: there is no visibility 'open'",
    ),
    "no document": (
        "UPDATE inspection SET seq = 99 WHERE state = 'waiting'",
        r"^inspection of document 99: there is no record",
    ),
    "not a document": (
        "UPDATE inspection SET seq = 16384 WHERE state = 'waiting'",
        "the record is of no document that was seen",
    ),
    "another's": ("UPDATE inspection SET tenant_id = 7", "it is of organisation 7, the document of another"),
    "length": ("UPDATE inspection SET size = 1", "it is of 1 bytes of application/pdf, the document is not"),
    "inspection": ("UPDATE inspection SET state = 'lost' WHERE state = 'done'", "there is no state 'lost'"),
    "no report": (
        "UPDATE inspection SET state = 'done' WHERE state = 'waiting'",
        "it is done, and 0 reports follow the document",
    ),
    "reported": (
        "UPDATE inspection SET state = 'waiting'",
        "it is waiting, and 1 reports follow the document",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damage_is_found(sound, rig, damage):
    statements, pattern = DAMAGES[damage]
    for statement in statements.split(";"):
        sql(rig, statement)
    named(rig, sound[1], pattern)
