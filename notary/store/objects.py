"""The port to what never changes once it is there: tiles, entry bundles, staging; and one name that does, `checkpoint`.

`notary.store.files` keeps objects in a folder, `notary.store.s3` in a bucket; the tests of one are the tests of both.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

from notary.errors import Fatal, NotFound

CHECKPOINT = "checkpoint"
MAX_BYTES = (
    256 * 2**20
)  # the tiles of a close of 1,000,000 entries, staged in one object, have a quarter of that
_NAME = re.compile(r"[a-z0-9]+(?:/[a-z0-9]+(?:\.p)?)*")
_MAX_NAME = 200  # the longest path of a tile has 59


class Reads(Protocol):
    """Where objects are read."""

    def read(self, name: str) -> bytes | None:
        """The bytes of an object; None if it is certain that there is none.

        Raises:
            NotFound: it is not the name of an object.
            Fatal, Unavailable: as `Objects.create`.
        """


class Objects(Reads, Protocol):
    """Objects by names of lower-case letters, digits and slashes. Used by any number of threads and processes."""

    def create(self, name: str, data: bytes) -> None:
        """Make an object durable under a name that is free or holds the same bytes.

        A crash leaves the object or nothing: no reader ever sees a part of one.

        Raises:
            Fatal: the name holds other bytes, or the disk reports an error of its own.
            Unavailable: it cannot be written now (no space, no permission, no answer).
        """

    def create_all(self, objects: Iterable[tuple[str, bytes]]) -> None:
        """As `create`, for many, in no order: all are durable when it returns; until then any of them may be there.

        Raises:
            Fatal, Unavailable: as `create`; Fatal if one of them says so, whatever the others say.
        """

    def create_named(self, folder: str, data: bytes) -> str:
        """As `create`, under the name of a folder and the SHA-256 of the bytes in hex.

        Returns:
            The name.

        Raises:
            NotFound: no object can have it.
            Fatal, Unavailable: as `create`.
        """

    def replace(self, name: str, data: bytes) -> None:
        """Put new bytes in the place of an object; a reader sees the old ones or the new ones, whole.

        Raises:
            Fatal, Unavailable: as `create`.
        """

    def delete(self, name: str) -> None:
        """Remove an object; one that is not there is no error.

        Raises:
            NotFound, Fatal, Unavailable: as `Reads.read`.
        """

    def names(self, prefix: str) -> Iterator[str]:
        """The names under a folder, in no order.

        Raises:
            NotFound, Fatal, Unavailable: as `Reads.read`.
        """


def is_name(name: str) -> bool:
    """Whether an object can have that name; what we keep beside objects has other names."""
    return len(name) <= _MAX_NAME and _NAME.fullmatch(name) is not None


def checked_name(name: str) -> str:
    """The name itself.

    Raises:
        NotFound: no object can have it.
    """
    if not is_name(name):
        raise NotFound(f"{name[:_MAX_NAME]!r} is not the name of an object")
    return name


def check_size(name: str, size: int) -> None:
    """Refuse what is larger than any object of ours, before it is sent or read.

    Raises:
        Fatal: it is.
    """
    if size > MAX_BYTES:
        raise Fatal(f"object {name} has {size} bytes, more than the {MAX_BYTES} of any of ours")


def check_same(name: str, existing: bytes, data: bytes) -> None:
    """What stands at a name must be what was to be put there.

    Raises:
        Fatal: it is not.
    """
    if existing != data:
        raise Fatal(f"object {name} is there with other bytes: it may have been published")
