"""A closed loop of POST requests over keep-alive connections: a protocol, and nothing that costs more."""

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import uvloop


@dataclass(frozen=True, slots=True)
class Kept:
    """Body of a request and body of its answer; `part` of all were kept, by chance."""

    body: bytes
    answer: bytes
    part: float


@dataclass
class Posted:
    """What a run gave: seconds of each request, seconds of all, and some of the answers."""

    seconds: list[float] = field(default_factory=list)
    wall: float = 0.0
    kept: list[Kept] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.seconds) / self.wall


def request(path: str, body: bytes, key: str, media_type: str = "application/json") -> bytes:
    """The bytes of one POST."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def post_all(port: int, requests: Iterator[bytes], connections: int, keep: float = 0.0) -> Posted:
    """Send every request; each connection waits for its answer before it sends the next.

    Args:
        port: on this machine.
        requests: the bytes of each.
        connections: at once.
        keep: part of the answers that are kept, 0 to 1.

    Raises:
        ValueError: an answer is not 202.
    """
    return uvloop.run(_post_all(port, requests, connections, keep))


async def _post_all(port: int, requests: Iterator[bytes], connections: int, keep: float) -> Posted:
    posted, loop = Posted(), asyncio.get_running_loop()
    ends = [loop.create_future() for _ in range(connections)]
    start = time.perf_counter()
    for end in ends:
        await loop.create_connection(partial(_Client, requests, posted, end, keep), "127.0.0.1", port)
    await asyncio.gather(*ends)
    posted.wall = time.perf_counter() - start
    return posted


class _Client(asyncio.Protocol):
    def __init__(
        self, requests: Iterator[bytes], posted: Posted, end: "asyncio.Future[None]", keep: float
    ) -> None:
        self.requests, self.posted, self.end, self.keep = requests, posted, end, keep
        self.got: list[bytes] = []
        self.length = self.wanted = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport  # of uvloop, which is none of asyncio's classes
        self.send()

    def send(self) -> None:
        following = next(self.requests, None)
        if following is None:
            self.transport.close()
            self.end.set_result(None)
            return
        self.request = following
        self.sent = time.perf_counter()
        self.transport.write(following)

    def data_received(self, data: bytes) -> None:
        self.got.append(data)
        self.length += len(data)
        if not self.wanted:
            head = b"".join(self.got)
            at = head.find(b"\r\n\r\n")
            if at < 0:
                return
            if not head.startswith(b"HTTP/1.1 202"):
                self.end.set_exception(ValueError(f"{head[:400]!r}"))
                self.transport.close()
                return
            place = head.lower().find(b"content-length:", 0, at)
            self.wanted = at + 4 + int(head[place + 15 : head.find(b"\r\n", place)])
        if self.length >= self.wanted:
            self.posted.seconds.append(time.perf_counter() - self.sent)
            if self.keep and random.random() < self.keep:
                body, answer = (
                    whole.partition(b"\r\n\r\n")[2] for whole in (self.request, b"".join(self.got))
                )
                self.posted.kept.append(Kept(body, answer, self.keep))
            self.got, self.length, self.wanted = [], 0, 0
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.end.done():
            self.end.set_exception(exc or ConnectionError("the service closed the connection"))
