"""Strict readers for the fields of a JSON object: each takes the object, a key, and says what is wrong."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from notary.errors import FormatError
from notary.evidence.canonical import MAX_INTEGER

_TIME = "%Y-%m-%dT%H:%M:%SZ"


def exact_keys(value: Any, keys: Iterable[str], what: str) -> dict[str, Any]:
    """`value` as an object with exactly these keys.

    Raises:
        FormatError: not an object, or a key is unknown or missing.
    """
    if not isinstance(value, dict):
        raise FormatError(f"{what} is not a JSON object")
    wanted = set(keys)
    for key in sorted(wanted ^ set(value)):
        raise FormatError(f"{what}: {'missing' if key in wanted else 'unknown'} key {key!r}")
    return value


def version(value: Any, known: int, what: str) -> None:
    """Refuse any version but `known`; true is not 1.

    Raises:
        FormatError: another version.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value != known:
        raise FormatError(f"{what}: the version is not {known}")


def text(value: Any, what: str, pattern: str, limit: int = 255) -> str:
    """A string that matches `pattern` whole and is at most `limit` characters long.

    Raises:
        FormatError: anything else.
    """
    if not isinstance(value, str) or len(value) > limit or not re.fullmatch(pattern, value):
        raise FormatError(f"{what} is not of the form it must have")
    return value


def hexadecimal(value: Any, what: str, length: int) -> bytes:
    """`length` bytes in lower-case hexadecimal.

    Raises:
        FormatError: anything else.
    """
    return bytes.fromhex(text(value, what, f"[0-9a-f]{{{2 * length}}}", 2 * length))


def natural(value: Any, what: str, limit: int = MAX_INTEGER) -> int:
    """An integer from 0 to `limit`.

    Raises:
        FormatError: anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
        raise FormatError(f"{what} is not a whole number from 0 to {limit}")
    return value


def moment(value: Any, what: str) -> datetime:
    """A time in UTC, whole seconds, written as 2026-11-24T03:14:09Z.

    Raises:
        FormatError: anything else.
    """
    shown = text(value, what, r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", 20)
    try:
        return datetime.strptime(shown, _TIME).replace(tzinfo=UTC)
    except ValueError as error:
        raise FormatError(f"{what} is not a date that exists") from error


def show_moment(value: datetime) -> str:
    """The same form; parts of a second are dropped. `value` has a time zone."""
    # Not strftime: it writes the year 999 with three digits on some systems.
    return value.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
