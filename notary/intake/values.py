"""How much JSON says: looked at in its bytes, before anything is made of them.

Parsing, checking, committing to it, its fingerprint: each goes from value to value in Python. A megabyte of zeros took
seconds, and was then refused for its size.
"""

import re

MAX_VALUES = 10_000  # lists and objects count, too
LIGHT_BYTES, LIGHT_VALUES = 4096, 100  # take less than a millisecond from bytes to record
_SIGNS = (b",", b"[", b"{")  # there is no value but the first without one of them before it
# A string, closed or not; never looks twice at a byte.
_STRING = re.compile(rb'"(?>[^"\\]+|\\.)*+(?:"|\\?\Z)', re.DOTALL)


def has_few(data: bytes, most: int = MAX_VALUES) -> bool:
    """Whether JSON has at most so many values."""
    return _signs(data) < most or _signs(_STRING.sub(b"", data)) < most


def is_light(data: bytes) -> bool:
    """Whether a request is judged so quickly that nobody notices who waits meanwhile."""
    return len(data) <= LIGHT_BYTES and has_few(data, LIGHT_VALUES)


def _signs(data: bytes) -> int:
    return sum(map(data.count, _SIGNS))
