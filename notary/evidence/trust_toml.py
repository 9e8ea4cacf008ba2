"""Strict readers for the tables and values of the trust file: each says what is wrong."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from asn1crypto import pem, x509
from cryptography.x509 import InvalidVersion, load_der_x509_certificate

from notary.errors import TrustError
from notary.evidence.fields import natural, text
from notary.evidence.timestamp_der import load

_unarmor: Any = pem.unarmor  # it has no types
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
    """The DER of the one certificate in PEM form that `value` is.

    Raises:
        TrustError: anything else.
    """
    try:
        (kind, _, der), *more = _unarmor(value.strip().encode(), multiple=True)
        load_der_x509_certificate(der)
        load(x509.Certificate, der)  # the parser that will read it later
    except (ValueError, TypeError, InvalidVersion) as error:
        raise TrustError(f"trust file: {what}: not a certificate in PEM form") from error
    if more or kind != "CERTIFICATE":
        raise TrustError(f"trust file: {what}: not one certificate in each string, and nothing else")
    return bytes(der)


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
