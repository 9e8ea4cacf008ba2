"""Answers that are read slowly: on the disk until they are, as bodies are that come slowly.

The server keeps in memory whatever a connection does not take. An answer to a bulk request has megabytes, and whoever
left many of them unread had all of them kept.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from tempfile import SpooledTemporaryFile
from typing import Any

from anyio import move_on_after, to_thread

from notary.api import bodies
from notary.errors import NotaryError
from notary.intake.spool import Spool
from notary.services.flying import Flying

PIECE = 256 << 10  # bytes: what is in memory of an answer that is not read
PROMPT_SECONDS = 0.5  # so long all of an answer stays in memory
MOST = 1 << 30  # bytes on the disk
OF_ONE = 64 << 20  # of them, of one organisation; strangers are one, too
_STRANGERS = -1

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Unread:
    """Sends what is long.

    Args:
        spool: for what does not stay in memory; it has no name there, and a crash leaves nothing.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._flying = Flying("bytes of answers", MOST, OF_ONE)

    async def send(self, send: Send, body: bytes | memoryview, whose: int | None) -> None:
        """Send all of a body after its head.

        Where the disk has no room for what one has not read, it ends early, and the server breaks the connection off.

        Args:
            send: of the server; waits, before it takes a piece, until most of the last one was read.
            body: the only reference to it, or it stays in memory all the same.
            whose: the organisation that asked; None of a stranger.
        """
        rest = memoryview(body)
        del body
        with move_on_after(PROMPT_SECONDS):
            while rest:
                piece = rest[:PIECE]
                # A copy: what the server keeps of it would keep all.
                await send(_part(bytes(piece), last=len(piece) == len(rest)))
                # Only now: who is no longer waited for has taken nothing of that piece.
                rest = rest[len(piece) :]
        if not rest:
            return
        left = len(rest)
        try:
            self._spool.require(left)
            place = self._flying.place(_STRANGERS if whose is None else whose, left)
            with place, bodies.file(self._spool, 1) as file:
                await to_thread.run_sync(_fill, file, rest)
                del rest, piece
                while left:
                    part = await to_thread.run_sync(file.read, PIECE)
                    left -= len(part)
                    await send(_part(part, last=not left))
        except (NotaryError, OSError):
            return  # the head is sent: a body that ends early is the only way left to say that this is not all


def _fill(file: "SpooledTemporaryFile[bytes]", data: memoryview) -> None:
    file.rollover()  # first: else it would be in memory twice on its way
    file.write(data)
    file.seek(0)


def _part(data: bytes, *, last: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": not last}
