"""The keys of the log as its own records tell them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from notary.errors import EvidenceError, Fatal, NotFound
from notary.evidence.bodies import Genesis, KeyChange
from notary.evidence.commitments import check_openings
from notary.evidence.fields import exact_keys, hexadecimal, moment
from notary.evidence.key_history import KeyEvent, KeyHistory
from notary.evidence.key_signature import signature_problems
from notary.evidence.statement import Statement, parse_statement
from notary.store.openings import openings_of
from notary.store.places import GROUP_OF_RECORD, INDEX_OF_RECORD, seq_of
from notary.store.records import record_at
from notary.store.sql import insert_new
from notary.store.tables import commit_group, key_change, record

KEY = "key"  # the type of the statement
DETAIL, SIGNATURE, UNTIL = "detail", "signature", "until"  # the commitment of each, and its keys


def key_history(connection: Connection) -> KeyHistory | None:
    """Entry 0 and the `key` statements, as they are stored; None before entry 0 is there.

    Raises:
        Fatal: one of them is of another type or cannot be read.
    """
    try:
        first = parse_statement(record_at(connection, 0).statement)
        if not isinstance(first.body, Genesis):
            raise Fatal("entry 0 is not a genesis statement")
        return KeyHistory(first.body, tuple(_events(connection)))
    except NotFound:
        return None
    except EvidenceError as error:
        raise Fatal(f"a statement on the keys of the log cannot be read: {error}") from error


def signed_history(connection: Connection) -> KeyHistory | None:
    """The same, each statement signed by the log key in force before it.

    Raises:
        Fatal: a statement was written by somebody who has the database alone; or as `key_history`.
    """
    found = key_history(connection)
    for problem in () if found is None else signature_problems(found):
        raise Fatal(problem)
    return found


def known_history(connection: Connection) -> KeyHistory:
    """The same of a log that is open.

    Raises:
        Fatal: it has no entry 0; or as `signed_history`.
    """
    found = signed_history(connection)
    if found is None:
        raise Fatal("the log has no entry 0")
    return found


def refuse_unnoted(connection: Connection, groups: Sequence[tuple[int, int]]) -> None:
    """Whether every key statement of these groups (id, count; in the order of their ids) has its place among them.

    Raises:
        Fatal: one has none, so no process would go by what the log then says.
    """
    first, last = groups[0][0], groups[-1][0]
    query = select(record.c.number).outerjoin(key_change, key_change.c.seq == record.c.seq)
    query = query.where(record.c.seq >= seq_of(first, 0), record.c.seq < seq_of(last + 1, 0))
    number = connection.execute(
        query.where(record.c.type == KEY, key_change.c.seq.is_(None)).limit(1)
    ).scalar()
    if number is not None:
        raise Fatal(f"the record {number} is a statement on keys that is not noted as one: it is not closed")


def add_key_change(connection: Connection, number: int, seq: int) -> bool:
    """Note that a record is the `number`-th statement on keys, from 1; False if another one is."""
    return insert_new(connection, key_change, {"number": number, "seq": seq})


def key_statements(connection: Connection) -> list[tuple[int, int]]:
    """(number, `seq`) of all that are noted."""
    query = select(key_change.c.number, key_change.c.seq).order_by(key_change.c.number)
    return [(row.number, row.seq) for row in connection.execute(query)]


def _events(connection: Connection) -> Iterator[KeyEvent]:
    for row in connection.execute(_STATEMENTS):
        statement = parse_statement(row.statement)
        if not isinstance(statement.body, KeyChange):
            raise Fatal(f"record {statement.number} is no statement on keys")
        signature, until = _detail(connection, row.seq, statement)
        yield KeyEvent(statement.body, row.idx, statement.time, until, signature)


def _detail(connection: Connection, seq: int, statement: Statement) -> tuple[bytes, datetime | None]:
    opened = check_openings(openings_of(connection, seq), statement.commitments)
    if DETAIL not in opened:
        # Not read as "no moment": that would be the statement's own, and later than the one that was said.
        raise Fatal(f"the detail of the key statement {statement.number} is gone or was never there")
    said = opened[DETAIL]
    has_until = isinstance(said, dict) and UNTIL in said
    detail = exact_keys(said, (SIGNATURE, UNTIL) if has_until else (SIGNATURE,), "detail of a key statement")
    until = moment(detail[UNTIL], UNTIL) if has_until else None
    return hexadecimal(detail[SIGNATURE], SIGNATURE, 64), until


_STATEMENTS: Select[Any] = (
    select(key_change.c.seq, record.c.statement, INDEX_OF_RECORD.label("idx"))
    .select_from(
        key_change.join(record, record.c.seq == key_change.c.seq).join(
            commit_group, commit_group.c.id == GROUP_OF_RECORD
        )
    )
    .order_by(key_change.c.number)
)
