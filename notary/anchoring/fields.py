"""Values in the answers of a node, each of its form or refused."""

import re
from typing import Any

from notary.errors import AnchorRejected

_QUANTITY = re.compile("0x[0-9a-fA-F]{1,64}")
_MAX_WORDS = 200


def octets(value: Any, length: int | None = None) -> bytes:
    """Bytes from 0x and hexadecimal.

    Raises:
        AnchorRejected: anything else, or not of `length`.
    """
    try:
        if not value.startswith("0x"):
            raise ValueError
        data = bytes.fromhex(value[2:])
    except (AttributeError, ValueError) as error:
        raise AnchorRejected("the node's answer is not hexadecimal where it must be") from error
    if length is not None and len(data) != length:
        raise AnchorRejected(f"the node's answer has {len(data)} bytes where {length} must be")
    return data


def quantity(value: Any) -> int:
    """A whole number from 0x and hexadecimal.

    Raises:
        AnchorRejected: anything else, or more than 256 bits.
    """
    # Not by int alone, which takes other bases, spaces and underscores.
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise AnchorRejected("the node's answer is not a number where it must be")
    return int(value, 16)


def record(value: Any) -> dict[str, Any]:
    """A JSON object.

    Raises:
        AnchorRejected: anything else.
    """
    if not isinstance(value, dict):
        raise AnchorRejected("the node's answer is not an object where it must be")
    return value


def records(value: Any) -> list[dict[str, Any]]:
    """A JSON array of objects.

    Raises:
        AnchorRejected: anything else.
    """
    return [record(item) for item in array(value)]


def array(value: Any) -> list[Any]:
    """A JSON array.

    Raises:
        AnchorRejected: anything else.
    """
    if not isinstance(value, list):
        raise AnchorRejected("the node's answer is not an array where it must be")
    return value


def words(value: Any) -> str:
    """What a node says to people, in printable characters and of bounded length.

    It is shown and stored: PostgreSQL takes no NUL in a text, and nothing takes half a pair of surrogates.
    """
    return "".join(c if c.isprintable() else "?" for c in str(value)[:_MAX_WORDS])
