"""Megabytes that are used again.

What a bulk request needs is larger than what the allocator keeps (`notary.api.app.settle`), and the kernel clears each
page that it hands out: a third to half of a bulk request's processor time in this process, more than hashing.
"""

import mmap
import weakref

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

BLOCK = (
    12 << 20
)  # the rows or the answer of 10,000 documents and some room; pages that nobody touches cost nothing
KEPT = 3  # blocks that wait for use: a request stored, one answered, one more
SMALL = 128 << 10  # what is not larger comes from the allocator, which keeps it

_free: list[mmap.mmap] = []


def room(size: int) -> Bytes:
    """So many bytes, with anything in them.

    They are used again once nothing refers to them any more, neither an array nor a memoryview of any part.
    """
    if not SMALL < size <= BLOCK:
        return np.empty(size, np.uint8)
    try:
        block = _free.pop()
    except IndexError:
        block = mmap.mmap(-1, BLOCK)
    # Whatever is cut from it refers to this array, and not to what this array refers to: numpy looks through arrays
    # that borrow from arrays alone.
    whole = np.frombuffer(block, np.uint8, size)
    weakref.finalize(whole, _give, block).atexit = False
    return whole


def _give(block: mmap.mmap) -> None:
    if len(_free) < KEPT:
        _free.append(block)


class Space:
    """What one request needs, cut from one piece of room."""

    def __init__(self, size: int) -> None:
        """Take room for `size` bytes."""
        self._rest = room(size)

    def cut(self, size: int) -> Bytes:
        """The next `size` bytes; of room of their own where no more is left."""
        if size > len(self._rest):
            return room(size)
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece
