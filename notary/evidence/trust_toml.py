"""Strict readers for the tables and values of the trust file: each says what is wrong."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from notary.errors import FormatError, TrustError
from notary.evidence.fields import natural, text
from notary.evidence.timestamp_certificate import read_certificate

_BEGIN, _END = (f"-----{word} CERTIFICATE-----" for word in ("BEGIN", "END"))
_HEX = "0x[0-9a-f]{%d}"
T = TypeVar("T")
PERIOD = {"since", "until", "last_good_size"}  # the optional keys of a key's table


def table(value: Any, needed: set[str], allowed: set[str], what: str) -> None:
    """A table with the keys `needed` and no others than `allowed`.

    Raises:
        TrustError: anything else.
    """
    if not isinstance(value, dict):
        raise TrustError(f"trust file: {what} is not a table")
    for key in sorted(needed - set(value)):
        raise TrustError(f"trust file: {what} has no {key!r}")
    for key in sorted(set(value) - needed - allowed):
        raise TrustError(f"trust file: {what} has a key {key!r} that we do not know")


def each(value: dict[str, Any], key: str, read: Callable[[dict[str, Any]], T]) -> tuple[T, ...]:
    """What `read` makes of each table in the list `key`, which may be absent.

    Raises:
        TrustError: not a list; `read` raises its own.
    """
    return tuple(read(item) for item in tables(value, key))


def tables(value: dict[str, Any], key: str) -> list[Any]:
    """The list at `key`, empty where it is absent; its items are not looked at.

    Raises:
        TrustError: not a list.
    """
    items = value.get(key, [])
    if not isinstance(items, list):
        raise TrustError(f"trust file: {key} is not a list of tables")
    return items


def strings(value: Any, what: str) -> list[str]:
    """A list of strings.

    Raises:
        TrustError: anything else.
    """
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TrustError(f"trust file: {what} is not a list of strings")
    return value


def hex_bytes(value: Any, what: str, length: int) -> bytes:
    """`length` bytes as 0x and lower-case hexadecimal.

    Raises:
        FormatError: anything else.
    """
    return bytes.fromhex(text(value, what, _HEX % (2 * length), 2 * length + 2)[2:])


def flag(value: Any, what: str) -> bool:
    """True or false.

    Raises:
        TrustError: anything else.
    """
    if not isinstance(value, bool):
        raise TrustError(f"trust file: {what} is neither true nor false")
    return value


def instant(value: Any, what: str) -> datetime | None:
    """A time with its zone, in UTC; None stays None.

    Raises:
        TrustError: anything else, or beyond the years 1 to 9999.
    """
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TrustError(f"trust file: {what} is not a time with a zone, such as 2026-11-24T00:00:00Z")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise TrustError(f"trust file: {what} is not within the years 1 to 9999") from error


def certificate(value: str, what: str) -> bytes:
    """The DER of the one certificate in PEM form (RFC 7468 §3, lines of any length) that `value` is.

    Raises:
        TrustError: anything else, text before or behind it too.
    """
    lines = [line for line in (each.strip(" \t\r") for each in value.split("\n")) if line]
    if lines[:1] != [_BEGIN] or lines[-1] != _END or _BEGIN in lines[1:]:
        raise TrustError(f"trust file: {what}: not one certificate in each string, and nothing else")
    encoded = "".join(lines[1:-1])
    try:
        der = base64.b64decode(encoded, validate=True)
        read_certificate(der)
    except (ValueError, FormatError) as error:
        raise TrustError(f"trust file: {what}: not a certificate in PEM form") from error
    if base64.b64encode(der).decode() != encoded:
        raise TrustError(f"trust file: {what}: base64 in another form than the one that encoding gives")
    return der


def period(item: dict[str, Any]) -> tuple[datetime | None, datetime | None, int | None]:
    """`since`, `until` and `last_good_size` of a key's table.

    Raises:
        TrustError, FormatError: a value that is not of its form, a last good size without an end, or an end that is
            before the beginning.
    """
    size = item.get("last_good_size")
    if size is not None and "until" not in item:
        # Whoever has stolen the key can sign another log below any size: only its end stops him.
        raise TrustError("trust file: a key with last_good_size has no 'until'")
    since, until = (instant(item.get(end), end) for end in ("since", "until"))
    if since is not None and until is not None and since > until:
        raise TrustError("trust file: the 'until' of a key is before its 'since': good evidence would fail")
    return since, until, None if size is None else natural(size, "last_good_size")
