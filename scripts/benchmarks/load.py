"""A closed loop of GET requests over keep-alive connections, without an HTTP library in the way."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import uvloop


@dataclass(frozen=True, slots=True)
class Load:
    """What a run gave: seconds of each request, requests a second, and the bodies of some."""

    seconds: list[float]
    rate: float
    bodies: list[bytes]


def get_all(port: int, paths: Sequence[str], connections: int, keep: int = 0, key: str = "") -> Load:
    """Ask for every path once, with an API key or without; of the answers every `keep`-th body is kept.

    Raises:
        ValueError: an answer is no success.
    """
    return uvloop.run(_get_all(port, paths, connections, keep, key))


async def _get_all(port: int, paths: Sequence[str], connections: int, keep: int, key: str) -> Load:
    head = f"Host: bench\r\nAuthorization: Bearer {key}\r\n" if key else "Host: bench\r\n"
    waiting = iter(enumerate(paths))
    seconds: list[float] = []
    bodies: list[bytes] = []
    start = time.perf_counter()
    await asyncio.gather(*(_one(port, head, waiting, keep, seconds, bodies) for _ in range(connections)))
    return Load(seconds, len(paths) / (time.perf_counter() - start), bodies)


async def _one(
    port: int,
    head: str,
    waiting: Iterator[tuple[int, str]],
    keep: int,
    seconds: list[float],
    bodies: list[bytes],
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number, path in waiting:
        start = time.perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise ValueError(f"{path}: {answer[:60]!r}")
        length = int(answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        seconds.append(time.perf_counter() - start)
        if keep and number % keep == 0:
            bodies.append(body)
    writer.close()
