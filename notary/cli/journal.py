"""The journal of a bulk submission: what was sent under which key, and what was answered.

One JSON object a line, in the order of events, each on disk before what follows it happens:

    {"journal": "notary-submit@v1", "url": "https://notary.example.org"}
    {"request": "<Idempotency-Key>", "common": {"title": "…"}, "files": [["a.pdf", 1234, <mtime, ns>, "<sha-256>"], …]}
    {"answered": "<the same>", "answer": {…}}    or    {"refused": "<the same>", "code": "…"}

A request without an answer may have been carried out: it is sent again as it was, under the same key. A line that a
kill cut short is the last, and is cut off: a request of which that is true was not sent, an answer is asked for again.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from notary.errors import RequestError

_FORMAT = "notary-submit@v1"
_END = re.compile(rb'\{"(answered|refused)":"([^"]+)"')  # read without the megabytes behind it


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was when its digest was taken; `path` is relative to the journal's folder."""

    path: str
    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Request:
    """A bulk request: its key, the fields that all its lines have in common, and its files."""

    key: str
    common: Mapping[str, str]
    files: Sequence[File]

    def body(self) -> bytes:
        """The lines that are sent; always the same bytes."""
        return b"".join(line_of(file, self.common) for file in self.files)


def line_of(file: File, common: Mapping[str, str]) -> bytes:
    """One line of a bulk request."""
    line = {"sha-256": file.sha256, "size": file.size, **common}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


class Journal:
    """A journal that this process alone writes.

    Attributes:
        path: of the file.
        known: the newest state of each file that was recorded, by path.
        pending: requests that were never answered, oldest first.
    """

    def __init__(self, path: Path, url: str) -> None:
        """Open a journal, or begin one.

        Raises:
            RequestError: it cannot be written, is none, belongs to another service, or is in use.
        """
        self.path = path
        self.known: dict[str, File] = {}
        self.pending: list[Request] = []
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise RequestError(f"{path}: {error.strerror}; name another file with --journal") from error
        try:
            self._begin(url)
        except BaseException:
            os.close(self._fd)
            raise

    def close(self) -> None:
        """Let others use it."""
        os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def sending(self, request: Request) -> None:
        """On disk when this returns: the request may be sent now, and will be sent until it is answered."""
        files = [[file.path, file.size, file.mtime_ns, file.sha256] for file in request.files]
        self._append({"request": request.key, "common": dict(request.common), "files": files})
        self.pending.append(request)

    def answered(self, request: Request, answer: Mapping[str, Any]) -> None:
        """On disk when this returns: the request is never sent again."""
        self._append({"answered": request.key, "answer": answer})
        self._end(request.key, recorded=True)

    def refused(self, request: Request, code: str) -> None:
        """As `answered`, for a request that certainly recorded nothing."""
        self._append({"refused": request.key, "code": code})
        self._end(request.key, recorded=False)

    def answers(self) -> Iterator[tuple[Request, dict[str, Any]]]:
        """Every request that was answered, with its answer, oldest first."""
        requests: dict[str, Request] = {}
        for number, line in self._lines():
            value = self._parsed(number, line)
            if "request" in value:
                requests[value["request"]] = _request(value)
            elif "answered" in value:
                yield requests.pop(value["answered"]), value["answer"]

    def _begin(self, url: str) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RequestError(f"{self.path} is in use by another submission") from error
        self._cut()
        empty = True
        for number, line in self._lines():
            if empty:
                self._check(self._parsed(number, line), url)
                empty = False
            elif found := _END.match(line):
                self._end(found[2].decode(), recorded=found[1] == b"answered")
            else:
                self.pending.append(_request(self._parsed(number, line)))
        if empty:
            self._append({"journal": _FORMAT, "url": url})
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)  # else a power cut could take the file, and with it the keys
            finally:
                os.close(folder)

    def _check(self, head: dict[str, Any], url: str) -> None:
        if head.get("journal") != _FORMAT:
            raise RequestError(f"{self.path} is no journal of this program; name another with --journal")
        if head.get("url") != url:
            raise RequestError(
                f"{self.path} is about the service at {head.get('url')}; name another with --journal"
            )

    def _cut(self) -> None:
        """Cut a last line off that is not whole."""
        whole = 0
        for number, line in self._lines():
            if not line.endswith(b"\n"):
                if number == 1 and not line.startswith(b'{"journal"'[: len(line)]):
                    raise RequestError(
                        f"{self.path} is no journal of this program; name another with --journal"
                    )
                os.ftruncate(self._fd, whole)
                os.fsync(self._fd)
                return
            whole += len(line)

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with self.path.open("rb") as stream:
            yield from enumerate(stream, 1)

    def _parsed(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if not isinstance(value, dict) or not value.keys() & {"journal", "request", "answered", "refused"}:
            raise RequestError(f"line {number} of {self.path} is not of a journal of this program")
        return value

    def _append(self, value: Mapping[str, Any]) -> None:
        left = memoryview(json.dumps(value, separators=(",", ":")).encode() + b"\n")
        try:
            while left:
                left = left[os.write(self._fd, left) :]
            os.fsync(self._fd)
        except OSError as error:
            raise RequestError(f"{self.path}: {error.strerror}") from error

    def _end(self, key: str, *, recorded: bool) -> None:
        for at, request in enumerate(self.pending):
            if request.key == key:
                del self.pending[at]
                if recorded:
                    self.known.update((file.path, file) for file in request.files)
                return


def _request(value: Mapping[str, Any]) -> Request:
    return Request(value["request"], value["common"], [File(*file) for file in value["files"]])
