"""Canonical JSON: RFC 8785 narrowed to what evidence needs (docs/formats.md §1).

Keys are ASCII, numbers are integers, nesting is bounded, and bytes are accepted only when they are exactly
the bytes that `dumps` gives for the value they hold: one value, one byte string.

Free JSON, as in disclosures and requests, may be spelt in any way and has keys of any script.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn

import rfc8785

from notary.errors import FormatError

MAX_DEPTH = 10
_TOO_DEEP = f"the JSON is nested deeper than {MAX_DEPTH} levels"
MAX_INTEGER = 2**53 - 1  # RFC 8785 §3.2.2.3: beyond it, implementations may disagree
_PLAIN = re.compile(r"[a-zA-Z0-9_.-]{1,64}"), "1 to 64 plain ASCII characters"
_FREE = re.compile(r".{1,64}", re.DOTALL), "1 to 64 characters"
# A string, closed or not, or a bracket; never looks twice at a byte.
_TOKEN = re.compile(rb'"(?>[^"\\]+|\\.)*+(?:"|\\?\Z)|[][{}]', re.DOTALL)


def dumps(value: Any) -> bytes:
    """Encode `value` canonically (RFC 8785).

    Raises:
        FormatError: a float, a key that is not plain ASCII, an integer beyond 2**53 - 1, text that is not
            valid Unicode, or nesting deeper than 10.
    """
    _check(value, MAX_DEPTH, _PLAIN)
    return rfc8785.dumps(value)


def dumps_free(value: Any) -> bytes:
    """Encode free JSON canonically, for comparing: keys in the order of RFC 8785 §3.2.3, by UTF-16 code units.

    Raises:
        FormatError: as `dumps`, except that a key is any text of 1 to 64 characters.
    """
    check_free(value)
    return rfc8785.dumps(value)


def check_free(value: Any) -> None:
    """Refuse what `dumps_free` refuses.

    Raises:
        FormatError: as `dumps_free`.
    """
    _check(value, MAX_DEPTH, _FREE)


def loads(data: bytes, limit: int) -> Any:
    """Decode canonical JSON of at most `limit` bytes.

    Raises:
        FormatError: longer than `limit`, not JSON, or not the canonical encoding of its value. Duplicate
            keys, other number forms, spaces, trailing bytes and escapes are all refused by the last rule.
    """
    value = _parse(data, limit)
    if dumps(value) != data:
        raise FormatError("the JSON is not in canonical form (RFC 8785)")
    return value


def loads_unordered(data: bytes, limit: int) -> Any:
    """Decode free JSON (a disclosure, a request), without duplicate keys or floats.

    Raises:
        FormatError: as `loads`, except for spelling, and that a key is any text of 1 to 64 characters.
    """
    value = _parse(data, limit)
    check_free(value)
    return value


def _parse(data: bytes, limit: int) -> Any:
    if len(data) > limit:
        raise FormatError(f"the JSON is {len(data)} bytes long, more than the {limit} allowed")
    _check_nesting(data)
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_no_float,
            parse_constant=_no_float,
            parse_int=_integer,
        )
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise FormatError(f"not JSON: {type(error).__name__}") from error


def _check_nesting(data: bytes) -> None:
    """Refuse what would take the parser below `MAX_DEPTH`: at some depth it dies, and nobody can catch that.

    How deep depends on the interpreter, and on libraries that raise its limit.
    """
    depth = 0
    for token in _TOKEN.finditer(data):
        match data[token.start()]:
            case 0x5B | 0x7B:  # [ {
                depth += 1
                if depth > MAX_DEPTH + 1:
                    raise FormatError(_TOO_DEEP)
            case 0x5D | 0x7D:  # ] }
                depth -= 1


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise FormatError("a JSON object has the same key twice")
    return value


def _no_float(_text: str) -> NoReturn:
    raise FormatError("a JSON number is not an integer")


def _integer(text: str) -> int:
    if len(text) > 17:  # noqa: PLR2004 - 2**53 has 16 digits, and a sign
        raise FormatError("a JSON integer is beyond 2**53 - 1")
    return int(text)


def _check(value: Any, depth: int, keys: tuple[re.Pattern[str], str]) -> None:
    if depth < 0:
        raise FormatError(_TOO_DEEP)
    match value:
        case None | bool():
            return
        case str():
            _check_text(value)
        case int():
            if abs(value) > MAX_INTEGER:
                raise FormatError("a JSON integer is beyond 2**53 - 1")
        case list() | tuple():
            for item in value:
                _check(item, depth - 1, keys)
        case dict():
            for key, item in value.items():
                if not isinstance(key, str) or not keys[0].fullmatch(key):
                    raise FormatError(f"{str(key)[:70]!r} is not a key of {keys[1]}")
                _check_text(key)
                _check(item, depth - 1, keys)
        case _:
            raise FormatError(f"{type(value).__name__} has no place in canonical JSON")


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FormatError("a JSON string is not valid Unicode") from error
