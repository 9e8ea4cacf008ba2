"""Statements: what an entry of the log commits to (docs/formats.md §2).

A statement is canonical JSON with an exact set of keys for each type; its SHA-256 is the entry. In clear it
holds only what a stranger may read.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from notary.errors import BadNumber, FormatError
from notary.evidence import canonical
from notary.evidence.bodies import BODIES, Body, body_json, parse_body
from notary.evidence.commitments import MAX_COMMITMENTS, Commitments
from notary.evidence.fields import exact_keys, hexadecimal, moment, natural, show_moment, text, version
from notary.evidence.number import parse_number

VERSION = 1
MAX_STATEMENT = 8192
TYPES = ("genesis", "document", "event", "inspection", "report", "key", "incident")
ORIGIN = r"[a-zA-Z0-9._~/:-]{1,200}"
_COMMON = ("version", "type", "log", "number", "time", "salt", "not_before", "previous", "commitments")


@dataclass(frozen=True, slots=True)
class Block:
    """A finalized block that existed before the statement was made; `time` in seconds since 1970."""

    chain_id: int
    number: int
    hash: bytes
    time: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; `body` is the part that only its type has, None for event and inspection."""

    type: str
    log: str  # origin of the log it was made for
    number: str  # record number, 16 characters
    time: datetime  # the operator's claimed time; it proves nothing
    salt: bytes  # 32 random bytes, so that the entry says nothing about the document
    not_before: Block | None
    previous: bytes | None  # entry of the statement that this one follows
    commitments: Commitments
    body: Body | None

    def encode(self) -> bytes:
        """The canonical bytes.

        Raises:
            FormatError: they would be longer than 8192 bytes, or a field has no place in canonical JSON.
        """
        data = canonical.dumps(statement_json(self))
        if len(data) > MAX_STATEMENT:
            raise FormatError(f"the statement would be {len(data)} bytes, more than {MAX_STATEMENT}")
        return data


def statement_json(statement: Statement) -> dict[str, Any]:
    """The JSON value of a statement."""
    block = statement.not_before
    value: dict[str, Any] = {
        "version": VERSION,
        "type": statement.type,
        "log": statement.log,
        "number": statement.number,
        "time": show_moment(statement.time),
        "salt": statement.salt.hex(),
        "not_before": None
        if block is None
        else {
            "chain_id": block.chain_id,
            "number": block.number,
            "hash": block.hash.hex(),
            "time": block.time,
        },
        "previous": None if statement.previous is None else statement.previous.hex(),
        "commitments": {"count": statement.commitments.count, "root": statement.commitments.root.hex()},
    }
    if statement.body is not None:
        value[BODIES[statement.type]] = body_json(statement.body)
    return value


def parse_statement(data: bytes) -> Statement:
    """Decode and check a statement.

    Raises:
        FormatError: longer than 8192 bytes, not canonical, an unknown version or type, an unknown or missing
            key, or a field that is not of its form.
    """
    value = canonical.loads(data, MAX_STATEMENT)
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in TYPES:
        raise FormatError("the statement is of no type that we know")
    key = BODIES.get(kind)
    exact_keys(value, _COMMON if key is None else (*_COMMON, key), "statement")
    version(value["version"], VERSION, "statement")
    return Statement(
        type=kind,
        log=text(value["log"], "log origin", ORIGIN),
        number=_number(value["number"]),
        time=moment(value["time"], "time"),
        salt=hexadecimal(value["salt"], "salt", 32),
        not_before=_block(value["not_before"]),
        previous=None if value["previous"] is None else hexadecimal(value["previous"], "previous", 32),
        commitments=_commitments(value["commitments"]),
        body=None if key is None else parse_body(kind, value[key]),
    )


def entry_of(statement: bytes) -> bytes:
    """The log entry of a statement's bytes: their SHA-256, 32 bytes."""
    return sha256(statement).digest()


def _number(value: Any) -> str:
    try:
        number = parse_number(value if isinstance(value, str) else "")
    except BadNumber as error:
        raise FormatError(f"record number: {error}") from error
    if number != value:
        raise FormatError("the record number is not in its one canonical form")
    return number


def _block(value: Any) -> Block | None:
    if value is None:
        return None
    exact_keys(value, ("chain_id", "number", "hash", "time"), "not_before")
    return Block(
        natural(value["chain_id"], "not_before chain id"),
        natural(value["number"], "not_before block number"),
        hexadecimal(value["hash"], "not_before block hash", 32),
        natural(value["time"], "not_before block time", 2**40),
    )


def _commitments(value: Any) -> Commitments:
    exact_keys(value, ("count", "root"), "commitments")
    return Commitments(
        natural(value["count"], "number of commitments", MAX_COMMITMENTS),
        hexadecimal(value["root"], "commitments root", 32),
    )
