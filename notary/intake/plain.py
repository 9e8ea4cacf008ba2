"""Documents of a bulk request that are known by digest, and perhaps size, alone: read together, as matrices."""

import binascii
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from notary.intake.bulkline import NOTHING

Bytes = NDArray[np.uint8]
Places = NDArray[np.intp]

HEX = 64  # characters of a digest
_WIDEST = 15  # digits of a size that is surely below 2^50
# What json.dumps writes, compact and with its usual spaces: before the digest, behind it, behind the size if any.
_FORMS = (
    (b'{"sha-256":"', b'"}', b""),
    (b'{"sha-256": "', b'"}', b""),
    (b'{"sha-256":"', b'","size":', b"}"),
    (b'{"sha-256": "', b'", "size": ', b"}"),
)
# By length of a line: the forms that it may have, with the digits of their size.
_FORMS_OF: dict[int, list[tuple[bytes, bytes, int]]] = {}
for _before, _behind, _close in _FORMS:
    for _width in range(1, _WIDEST + 1) if _close else (0,):
        _length = len(_before + _behind + _close) + HEX + _width
        _FORMS_OF.setdefault(_length, []).append((_before, _behind, _width))
_IS_HEX = np.zeros(256, np.bool_)
_IS_HEX[np.frombuffer(b"0123456789abcdef", np.uint8)] = True


@dataclass(frozen=True, slots=True)
class Plain:
    """Documents known by digest, and all or none of them by a size of the same number of decimal digits.

    Attributes:
        at: (m,) positions in the request, from 0, ascending.
        hex: (m, 64) characters of the digests.
        digests: the same as bytes, 32 for each.
        sizes: (m, k) digits, k from 0 (no size) to 15.
    """

    at: Places
    hex: Bytes
    digests: bytes
    sizes: Bytes


def plain_lines(data: Bytes, starts: Places, lengths: Places) -> Iterator[Plain]:
    """The lines that have one of `_FORMS`; any other is left out, and so is one with a wrong character."""
    for length, forms in _FORMS_OF.items():
        at = np.flatnonzero(lengths == length)
        if not len(at):
            continue
        rows = sliding_window_view(data, length)[starts[at]]
        for before, behind, width in forms:
            group = _group(at, rows, before, behind, width)
            if group is not None:
                yield group


def _group(at: Places, rows: Bytes, before: bytes, behind: bytes, width: int) -> Plain | None:
    """Those of the lines `rows` (m, length), at positions `at`, that are wholly of this form."""
    middle = len(before) + HEX
    text, sizes = rows[:, len(before) : middle], rows[:, middle + len(behind) :][:, :width]
    checks = [
        rows[:, : len(before)] == np.frombuffer(before, np.uint8),
        rows[:, middle : middle + len(behind)] == np.frombuffer(behind, np.uint8),
    ]
    if not checks[0].all(axis=1).any():
        return None  # of the other spacing, as whole requests are
    if width:
        digits = sizes - np.uint8(ord("0"))  # what is below "0" wraps round to more than 9
        checks += [digits <= 9, digits[:, :1] > 0, rows[:, -1:] == ord("}")]  # noqa: PLR2004 - the largest digit
    digests = unhex(text)
    if digests is None:  # upper case is read one by one, and anything else refused there
        checks.append(_IS_HEX[text])
    if not all(check.all() for check in checks):
        fits = np.logical_and.reduce([check.all(axis=1) for check in checks])
        at, text, sizes = at[fits], text[fits], sizes[fits]
        digests = unhex(text)
    if not digests or first_empty(digests) is not None:
        return None
    return Plain(at, np.ascontiguousarray(text), digests, np.ascontiguousarray(sizes))


def unhex(text: Bytes) -> bytes | None:
    """The digests of rows of 64 characters; None if one is not a lower-case hexadecimal digit."""
    characters = text.tobytes()
    try:
        digests = binascii.unhexlify(characters)
    except binascii.Error:
        return None
    return digests if binascii.hexlify(digests) == characters else None


def first_empty(digests: bytes) -> int | None:
    """The position of the digest of no bytes."""
    at = digests.find(NOTHING)
    while at % len(NOTHING):  # found across two digests; -1 % 32 is not 0 either
        if at < 0:
            return None
        at = digests.find(NOTHING, at + 1)
    return at // len(NOTHING)
