"""One line of a bulk request: the fields of a single submission without a file, or `sha-256` in place of `digests`."""

import json
import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NoReturn

from notary.errors import EmptyDocument, FormatError, RequestError, TooLarge
from notary.evidence.bodies import MAX_DOCUMENT, MEDIA_TYPE
from notary.evidence.canonical import loads_unordered
from notary.evidence.digests import parse_digest
from notary.evidence.number import parse_number
from notary.intake.submission import FIELDS, KINDS, Submission
from notary.intake.values import MAX_VALUES, has_few
from notary.store.records import VISIBILITIES

MAX_LINE = 128 * 1024
NOTHING = sha256(b"").digest()  # a digest that says that the document was not read
_MAX_TEXT = 300
_MAX_SEQUENCE = 2**31
_MAX_MEDIA_TYPE = 127
_SAFE_DIGITS = 15  # any number of so many is below 2^53
_MEDIA_TYPE = re.compile(MEDIA_TYPE)
_MAX_PREVIOUS = 24
_SOURCES = ("client", "server")
_KEYS = frozenset(
    {"kind", "sha-256", "digests", "size", "media_type", "visibility", "previous", *FIELDS}
)  # of a line


def parse_line(line: bytes, tenant_id: int, number: int) -> Submission:
    """Parse one line, without its newline.

    Args:
        line: UTF-8, one JSON object, at most 128 KiB.
        tenant_id: whose it is.
        number: of the line, from 1, for messages.

    Raises:
        TooLarge: more bytes.
        RequestError: not such a line; of the class that a single submission would raise.
    """
    if len(line) > MAX_LINE:
        raise TooLarge(f"line {number} of {len(line)} bytes is larger than {MAX_LINE}")
    if not line.strip(b" \t\r"):
        raise RequestError(f"line {number} is empty")
    try:
        return _submission(_object(line), tenant_id)
    except FormatError as error:
        raise RequestError(f"line {number} is not usable JSON: {error}") from error
    except RequestError as error:
        raise type(error)(f"line {number}: {error}") from error


def _object(line: bytes) -> dict[str, Any]:
    value = _flat(line)
    if value is None:
        if not has_few(line):
            raise RequestError(f"it has more than {MAX_VALUES:,} values")
        value = loads_unordered(line, MAX_LINE)
    if not isinstance(value, dict):
        raise RequestError("not a JSON object")
    return value


def _flat(line: bytes) -> Any:
    """What `loads_unordered` gives, at a tenth of its cost, for an object without depth and escapes; else None."""
    if line.count(b"{") != 1 or b"[" in line or b"\\" in line:
        return None
    try:
        return _FLAT.decode(line.decode())
    except (ValueError, _OtherwiseError):
        return None


class _OtherwiseError(Exception):
    """Not for the quick reader: what is wrong, if anything, is said by the other."""


def _pairs(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _OtherwiseError
    return value


def _refuse(_text: str) -> NoReturn:
    raise _OtherwiseError


def _integer(text: str) -> int:
    if len(text) > _SAFE_DIGITS:
        raise _OtherwiseError
    return int(text)


_FLAT = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_refuse, parse_constant=_refuse, parse_int=_integer
)


def _submission(value: dict[str, Any], tenant_id: int) -> Submission:
    unknown = value.keys() - _KEYS
    if unknown:
        raise RequestError(f"unknown field {min(unknown)[:40]!r}")
    kind = value.get("kind", "document")
    if kind not in KINDS:
        raise RequestError(f"kind is one of {', '.join(KINDS)}")
    digests = _digests(value)
    main = {name: digests.pop(name) for name in ("sha-256",) if name in digests}
    visibility = _one_of(value.get("visibility"), "visibility", VISIBILITIES)
    size = _whole(value.get("size"), "size", 1, MAX_DOCUMENT)
    media_type = _media_type(value.get("media_type"))
    if kind == "event":
        if main or digests or size is not None or media_type is not None:
            raise RequestError("an event has no document: no digests, no size, no media type")
        if visibility == "by-document":
            raise RequestError("an event has no document to present; choose another visibility")
    elif not main:
        raise RequestError("a document needs its sha-256")
    elif main["sha-256"] == NOTHING.hex():
        raise EmptyDocument("this is the SHA-256 of no bytes; the document was not read")
    previous = _text(value.get("previous"), "previous", 0, _MAX_PREVIOUS)
    return Submission(
        tenant_id=tenant_id,
        kind=kind,
        digests=main,
        claimed=digests,
        size=size,
        media_type=media_type,
        fields={
            name: _field(name, value[name]) for name in FIELDS if name in value and value[name] is not None
        },
        visibility=visibility,
        previous=None if previous is None else parse_number(previous),
    )


def _media_type(value: Any) -> str | None:
    """Without parameters such as a charset, which have no place in a statement."""
    text = _text(value, "media_type", 0, _MAX_MEDIA_TYPE) or ""
    plain = text.partition(";")[0].strip().lower()
    if plain and not _MEDIA_TYPE.fullmatch(plain):
        raise RequestError("media_type is of the form type/subtype")
    return plain or None


def _digests(value: dict[str, Any]) -> dict[str, str]:
    digests = value.get("digests", {})
    if "sha-256" in value:
        if "digests" in value:
            raise RequestError("give sha-256 or digests, not both")
        digests = {"sha-256": value["sha-256"]}
    if not isinstance(digests, dict) or not all(isinstance(text, str) for text in digests.values()):
        raise RequestError("digests are hexadecimal strings by algorithm")
    return {name: parse_digest(name, text).hex() for name, text in digests.items()}


def _field(name: str, value: Any) -> Any:
    """A value to be committed to, in the form that a single submission demands."""
    match name:
        case "sequence":
            return _whole(value, name, 0, _MAX_SEQUENCE)
        case "source":
            return _one_of(value, name, _SOURCES)
        case "metadata":
            if not isinstance(value, dict):
                raise RequestError("metadata is a JSON object")
            return value
    return _text(value, name, 1, _MAX_TEXT)


def _text(value: Any, name: str, least: int, most: int) -> str | None:
    if value is not None and not (isinstance(value, str) and least <= len(value) <= most):
        raise RequestError(f"{name} is a string of {least} to {most} characters")
    text: str | None = value
    return text


def _whole(value: Any, name: str, least: int, most: int) -> int | None:
    if value is not None and not (type(value) is int and least <= value <= most):
        raise RequestError(f"{name} is a whole number from {least} to {most}")
    return value


def _one_of(value: Any, name: str, words: Sequence[str]) -> str | None:
    if value is not None and value not in words:
        raise RequestError(f"{name} is one of {', '.join(words)}")
    word: str | None = value
    return word
