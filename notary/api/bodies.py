"""Bodies that are large, or come slowly: mostly on the disk until they are whole.

Whoever sends slowly would else hold what others wait for, their memory or their turn. So a body holds a file and a
connection while it comes, and in memory a little, or a megabyte as long as there are rooms for it: most are whole
before anybody notices, and one without a room costs no more than the writing and reading of it.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile

from anyio import fail_after, to_thread
from starlette.requests import Request

from notary.errors import TooLarge, Unavailable
from notary.intake.spool import Spool
from notary.intake.values import LIGHT_BYTES

ROOM = 1 << 20  # bytes
ROOMS = 16  # of one process
ROOMS_OF_ONE = 6  # of them, of one organisation; strangers are one, too
WITHOUT = 16 << 10  # bytes in memory of a body that has no room


@dataclass(slots=True)
class Rooms:
    """Megabytes for bodies that are on their way in. Used in the loop alone."""

    _taken: Counter[int | None] = field(default_factory=Counter, repr=False)  # by organisation

    @contextmanager
    def room(self, whose: int | None) -> Iterator[int]:
        """How many bytes of a body may be in memory until the block ends: nobody is refused."""
        if self._taken.total() >= ROOMS or self._taken[whose] >= ROOMS_OF_ONE:
            yield WITHOUT
            return
        self._taken[whose] += 1
        try:
            yield ROOM
        finally:
            self._taken[whose] -= 1
            if not self._taken[whose]:
                del self._taken[whose]


@dataclass(slots=True)
class Body:
    """A body, as much as has come of it.

    Attributes:
        size: bytes.
    """

    size: int = 0
    _start: list[bytes] = field(default_factory=list, repr=False)
    _file: "SpooledTemporaryFile[bytes] | None" = field(default=None, repr=False)

    @property
    def light(self) -> bool:
        """Whether it has no file, since it is short; then `take` needs no thread."""
        return self._file is None

    def open(self, file: "SpooledTemporaryFile[bytes]") -> None:
        """Have all that came, and comes, in a file."""
        file.write(b"".join(self._start))
        self._start, self._file = [], file

    def add(self, chunk: bytes) -> None:
        """The next piece."""
        if self._file is None:
            self._start.append(chunk)
        else:
            self._file.write(chunk)

    def take(self) -> bytes:
        """All of it, once.

        Raises:
            Unavailable: the disk does not give it back.
        """
        start, self._start, file = self._start, [], self._file
        if file is None:
            return b"".join(start)
        try:
            file.seek(0)
            data = file.read()
            file.close()  # or it would be in memory twice while it is worked on
        except OSError as error:
            raise _unavailable(error) from error
        return data


@asynccontextmanager
async def received(
    request: Request, spool: Spool, rooms: Rooms, whose: int, limit: int, seconds: float, instead: str
) -> AsyncIterator[Body]:
    """Read the body; what was not taken of it is gone when the block ends.

    Args:
        request: its body was not touched yet.
        spool: for what does not stay in memory; it has no name there, and a crash leaves nothing.
        rooms: for what is longer than a light one.
        whose: the organisation.
        limit: most bytes that it may have.
        seconds: within which it must have come.
        instead: what to do where it is longer, or takes longer.

    Raises:
        TooLarge: it has more, or takes longer.
        Busy: the disk is nearly full.
        Unavailable: the disk takes nothing now.
    """
    with ExitStack() as held:
        body, most = Body(), LIGHT_BYTES
        try:
            with fail_after(seconds):
                async for chunk in request.stream():
                    body.size += len(chunk)
                    if body.size > limit:
                        raise TooLarge(f"the request is larger than {limit} bytes; {instead}")
                    if body.size > LIGHT_BYTES and body.light:
                        most = held.enter_context(rooms.room(whose))
                        body.open(held.enter_context(file(spool, most)))
                    if body.size <= most:
                        body.add(chunk)
                    else:
                        await to_thread.run_sync(_write, spool, body, chunk)
        except TimeoutError:
            raise TooLarge(f"the request did not arrive within {seconds:.0f} seconds; {instead}") from None
        yield body


def file(spool: Spool, most: int) -> "SpooledTemporaryFile[bytes]":
    """An empty file without a name in the folder of the spool, in memory as long as it has at most so many bytes."""
    return SpooledTemporaryFile(max_size=most, dir=str(spool.folder))


def _write(spool: Spool, body: Body, chunk: bytes) -> None:
    spool.require(len(chunk), "send less at a time, or try again later")
    try:
        body.add(chunk)
    except OSError as error:
        raise _unavailable(error) from error


def _unavailable(error: OSError) -> Unavailable:
    return Unavailable(f"the request cannot be kept on the disk now: {error.strerror}")
