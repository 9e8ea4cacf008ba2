"""Statements: an exact set of keys for each type, one byte string, and nothing that a stranger may not read."""

import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.errors import FormatError
from notary.evidence import bodies, canonical
from notary.evidence.commitments import Commitments
from notary.evidence.number import make_number
from notary.evidence.statement import (
    MAX_STATEMENT,
    TYPES,
    Block,
    Statement,
    entry_of,
    parse_statement,
    statement_json,
)
from tests.evidence import build

LOG = build.log()
BY_TYPE = {statement.type: statement for statement in LOG.statements}
KINDS = pytest.mark.parametrize("kind", TYPES)


def encoded(kind, *path, value, drop=False):
    """The statement of that type with one value changed, still canonical."""
    whole = json.loads(BY_TYPE[kind].encode())
    place = whole
    for key in path[:-1]:
        place = place[key]
    if drop:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return canonical.dumps(whole)


hashes = st.binary(min_size=32, max_size=32)
statements = st.builds(
    Statement,
    type=st.sampled_from(["event", "inspection"]),
    log=st.from_regex(r"[a-zA-Z0-9._~/:-]{1,200}", fullmatch=True),
    number=st.builds(make_number, st.integers(0, 2**42), st.binary(min_size=5, max_size=5)),
    time=st.datetimes(timezones=st.just(UTC)).map(lambda time: time.replace(microsecond=0)),
    salt=hashes,
    not_before=st.none() | st.builds(Block, *[st.integers(0, 2**40)] * 2, hashes, st.integers(0, 2**40)),
    previous=st.none() | hashes,
    commitments=st.builds(Commitments, st.integers(0, 64), hashes),
    body=st.none(),
)


@given(statements)
def test_a_statement_is_read_as_it_was_written(statement):
    data = statement.encode()
    assert parse_statement(data) == statement
    assert canonical.loads(data, MAX_STATEMENT) == statement_json(statement)


def test_there_is_one_of_each_type():
    assert set(BY_TYPE) == set(TYPES)


@KINDS
def test_every_type_is_read_as_it_was_written(kind):
    assert parse_statement(BY_TYPE[kind].encode()) == BY_TYPE[kind]


@KINDS
def test_the_entry_is_the_hash_of_the_bytes(kind):
    data = BY_TYPE[kind].encode()
    assert entry_of(data) == sha256(data).digest()


@KINDS
def test_every_key_is_needed_and_no_other_is_known(kind):
    whole = json.loads(BY_TYPE[kind].encode())
    paths = [(key,) for key in whole]
    paths += [(outer, key) for outer in whole if isinstance(whole[outer], dict) for key in whole[outer]]
    digests = {("document", "digests"), ("document", "claimed")}  # their keys are algorithms
    for path in paths:
        if path == ("type",):
            continue
        with pytest.raises(FormatError, match=f"missing key '{path[-1]}'"):
            parse_statement(encoded(kind, *path, value=None, drop=True))
    for path in {path[:-1] for path in paths} - digests:
        with pytest.raises(FormatError, match="unknown key 'zz'"):
            parse_statement(encoded(kind, *path, "zz", value=1))


@KINDS
def test_the_body_of_another_type_is_refused(kind):
    other = "key" if kind != "key" else "incident"
    with pytest.raises(FormatError, match=r"unknown key|missing key"):
        parse_statement(encoded(kind, "type", value=other))


@KINDS
@pytest.mark.parametrize("tail", [b"\n", b" ", b"{}", b"\x00"])
def test_trailing_bytes_are_refused(kind, tail):
    with pytest.raises(FormatError, match=r"canonical form|not JSON"):
        parse_statement(BY_TYPE[kind].encode() + tail)


@KINDS
def test_every_change_of_one_bit_is_another_entry_or_refused(kind):
    data = BY_TYPE[kind].encode()
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with contextlib.suppress(FormatError):
            assert parse_statement(changed) != BY_TYPE[kind]
        assert entry_of(changed) != entry_of(data)


@pytest.mark.parametrize(
    "data", [b"[]", b"null", b'"statement"', b"{}", b'{"type":"verdict"}', b'{"type":[]}', b'{"type":{}}']
)
def test_what_is_of_no_type_is_refused(data):
    with pytest.raises(FormatError, match="of no type that we know"):
        parse_statement(data)


COMMON = [
    (("version",), [2, 0, True, "1", None], "the version is not 1"),
    (("log",), ["", "a b", "a\n", "log+1", "日志", "a" * 201, None, 5], "log origin is not of the form"),
    (("number",), ["", "MLNL-M6Q2-2222-2229", 5, None, "MLNLM6Q222222228"], "record number"),
    (("number",), [BY_TYPE["event"].number.lower()], "not in its one canonical form"),
    (("time",), ["2026-03-01", "2026-03-01T11:30:00+00:00", 1772364600, None], "time is not of the form"),
    (("time",), ["2026-02-30T11:30:00Z"], "time is not a date that exists"),
    (("salt",), ["", "00" * 31, "00" * 33, "AB" * 32, "0x" + "00" * 31, None], "salt is not of the form"),
    (("previous",), ["", "00" * 31, "AB" * 32, 0, False], "previous is not of the form"),
    (("not_before",), [[], "block", 0, False], "not_before is not a JSON object"),
    (("commitments",), [None, [], "root"], "commitments is not a JSON object"),
    (
        ("commitments", "count"),
        [-1, 65, True, "4", None],
        "number of commitments is not a whole number from 0 to 64",
    ),
    (("commitments", "root"), ["00" * 31, "AB" * 32, None], "commitments root is not of the form"),
]


@KINDS
@pytest.mark.parametrize(("path", "values", "message"), COMMON)
def test_a_common_field_of_another_form_is_refused(kind, path, values, message):
    for value in values:
        with pytest.raises(FormatError, match=message):
            parse_statement(encoded(kind, *path, value=value))


VKEY = build.vkey("log.example.org", build.ed25519("any"))
BODIES = [
    ("document", ("not_before", "chain_id"), [-1, True, "1", 2**53], "chain id|canonical|beyond"),
    ("document", ("not_before", "number"), [-1, None], "not_before block number"),
    ("document", ("not_before", "hash"), ["00" * 31, "AB" * 32], "not_before block hash"),
    ("document", ("not_before", "time"), [-1, 2**40 + 1], "not_before block time"),
    ("document", ("document",), [None, [], 1], "document is not a JSON object"),
    ("document", ("document", "seen"), [None, 1, "true"], "neither true nor false"),
    ("document", ("document", "seen"), [False], "SM3 where the bytes were seen"),
    ("document", ("document", "digests"), [None, [], {"md5": "00" * 16}], "algorithms that we know"),
    ("document", ("document", "digests"), [{}, {"sha-256": "00" * 32}, {"sm3": "00" * 32}], "SHA-256, and SM3"),
    ("document", ("document", "digests", "sha-256"), ["AB" * 32, "00" * 31, "", None], "sha-256 digest"),
    ("document", ("document", "digests", "sha-512"), ["00" * 64], "and no others"),
    ("document", ("document", "claimed"), [None, {"md5": ""}], "algorithms that we know"),
    ("document", ("document", "claimed"), [{"sm3": "00" * 32}, {"sha-256": "00" * 32}], "claimed and taken at once"),
    ("document", ("document", "claimed", "sha-512"), ["00" * 32], "sha-512 digest"),
    ("document", ("document", "size"), [None], "their number is missing"),
    ("document", ("document", "size"), [-1, True, "37", 2**50 + 1], "size is not a whole number"),
    ("document", ("document", "media_type"), ["", "pdf", "A/B", "a/b; c=d", "a/" + "b" * 64, 5], "media_type is"),
    ("report", ("document",), [None], "document is not a JSON object"),
    ("genesis", ("genesis",), [None, []], "genesis is not a JSON object"),
    ("genesis", ("genesis", "log_key"), ["", "name", 5, "a b+00000000+AA"], "key id|key name|a vkey is not a string"),
    ("genesis", ("genesis", "receipt_key"), [VKEY[:-1], "名+1+A", None], "key id|base64|a vkey is not a string"),
    ("genesis", ("genesis", "head_key"), ["22" * 20, "0x" + "AB" * 20, "0x" + "22" * 19, None], "head_key is not of"),
    ("genesis", ("genesis", "chain_id"), [-1, "1", True], "chain_id is not a whole number"),
    ("genesis", ("genesis", "contract"), ["0x", "0X" + "22" * 20, None], "contract is not of"),
    ("genesis", ("genesis", "log_id"), ["00" * 31, "0x" + "00" * 32, None], "log_id is not of"),
    ("key", ("key",), [None], "key is not a JSON object"),
    ("key", ("key", "role"), ["", "gas", "LOG", None], "role is not of"),
    ("key", ("key", "role"), ["head"], "head key is not of"),
    ("key", ("key", "action"), ["", "stolen", None], "action is not of"),
    ("key", ("key", "key"), ["", "名", 5], "key name|key id|a vkey is not a string"),
    ("key", ("key", "key"), ["0x" + "22" * 20], "key id in the vkey"),
    ("key", ("key", "size"), [-1, "3", False], "size is not a whole number"),
    ("incident", ("incident",), [None], "incident is not a JSON object"),
    ("incident", ("incident", "kind"), ["", "Clock", "a-b", "a" * 65, None], "kind is not of"),
    ("incident", ("incident", "subject"), ["", "00" * 31, 0], "subject is not of"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "path", "values", "message"), BODIES)
def test_a_field_of_a_body_of_another_form_is_refused(kind, path, values, message):
    for value in values:
        with pytest.raises(FormatError, match=message):
            parse_statement(encoded(kind, *path, value=value))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("document", bodies.Document(False, {"sha-256": "00" * 32}, {}, None, None)),
        ("document", bodies.Document(False, {"sha-256": "00" * 32}, {"sm3": "11" * 32}, 5, "text/plain")),
        ("report", bodies.Document(True, {"sha-256": "00" * 32, "sm3": "11" * 32}, {}, 0, None)),
        ("key", bodies.KeyChange("head", "added", "0x" + "ab" * 20, None)),
        ("key", bodies.KeyChange("receipt", "compromised", VKEY, 2**53 - 1)),
        ("incident", bodies.Incident("clock_step", None)),
    ],
)
def test_the_other_shapes_of_a_body_are_read(kind, body):
    statement = replace(BY_TYPE[kind], body=body)
    assert parse_statement(statement.encode()).body == body


def test_size_is_bounded_both_ways():
    statement = replace(BY_TYPE["event"], log="a" * MAX_STATEMENT)
    with pytest.raises(FormatError, match="more than 8192"):
        statement.encode()
    with pytest.raises(FormatError, match="more than the 8192 allowed"):
        parse_statement(BY_TYPE["event"].encode() + b" " * MAX_STATEMENT)


def test_what_is_committed_is_nowhere_in_clear():
    for statement in LOG.statements:
        data = statement.encode().decode()
        for word in ("M-2026-001", "甲方", "乙方", "signed", "pages", "all_covered", "2 s"):
            assert word not in data


def test_parts_of_a_second_are_not_in_a_statement():
    time = datetime(2026, 3, 1, 11, 30, 0, 999_999, tzinfo=UTC)
    assert replace(BY_TYPE["event"], time=time).encode() == BY_TYPE["event"].encode()
