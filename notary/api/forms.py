"""multipart/form-data with one document: to disk as it arrives, all else bounded and in UTF-8.

Starlette's own reader keeps documents in /tmp, which may be memory, and decodes fields in whatever codec the
request names: a megabyte of punycode takes minutes.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import BinaryIO

from anyio import move_on_after
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from notary.api import bodies
from notary.errors import RequestError, TooLarge, Unavailable
from notary.intake.spool import Spool

FILE = "file"
MEDIA_TYPE = "multipart/form-data"
_COPIES = 2  # of a body while it is taken in: as it arrives, and in the spool


@dataclass(slots=True)
class Form:
    """A form that was read: the document from its beginning, and the other parts by name."""

    file: BinaryIO
    media_type: str | None
    fields: dict[str, BinaryIO]


@asynccontextmanager
async def read_form(
    request: Request, spool: Spool, limits: Mapping[str, int], seconds: float, most: int
) -> AsyncIterator[Form]:
    """Read the body; the document is gone when the block ends.

    Args:
        request: its body was not touched yet.
        spool: for what does not stay in memory; it has no name there, and a crash leaves nothing.
        limits: most bytes of each other part that may come, by name.
        seconds: within which the body must have come.
        most: bytes of each part that stay in memory.

    Raises:
        RequestError: not such a form, no document, or a part that is not expected or comes twice.
        TooLarge: another part is over its limit, or the body takes too long.
        Busy: the disk is nearly full.
        Unavailable: the disk takes nothing now.
    """
    spool.require(_COPIES * length_of(request))
    with ExitStack() as files:
        reader = _Reader(files, spool, limits, most)
        parser = reader.parser(request.headers.get("Content-Type", ""))
        try:
            size = 0
            with move_on_after(seconds) as scope:
                async for chunk in request.stream():
                    size += len(chunk)
                    if size <= most:
                        parser.write(chunk)
                    else:
                        await run_in_threadpool(parser.write, chunk)
        except FormParserError as error:
            raise RequestError("the body is not multipart/form-data as its header says") from error
        except OSError as error:
            raise Unavailable(f"the document cannot be stored now: {error.strerror}") from error
        if scope.cancelled_caught:
            raise TooLarge(f"the file did not arrive within {seconds:.0f} seconds; send a smaller one")
        yield reader.form()


def length_of(request: Request) -> int:
    """The bytes that the body has as its header says; 0 if it does not say."""
    # The server has refused whatever is no number, and holds the client to its word.
    value = request.headers.get("Content-Length", "")
    return int(value) if value.isascii() and value.isdecimal() else 0


@dataclass(slots=True)
class _Reader:
    files: ExitStack
    spool: Spool
    limits: Mapping[str, int]
    most: int
    parts: "dict[str, SpooledTemporaryFile[bytes]]" = field(default_factory=dict)
    media_type: str | None = None
    complete: bool = False
    _part: str = ""
    _name: bytes = b""
    _value: bytes = b""
    _headers: dict[bytes, bytes] = field(default_factory=dict)

    def parser(self, content_type: str) -> MultipartParser:
        media_type, options = parse_options_header(content_type)
        if media_type.lower() != MEDIA_TYPE.encode():
            raise RequestError(
                f"the Content-Type is not {MEDIA_TYPE}: send the file as the part {FILE!r} of a form"
            )
        boundary = options.get(b"boundary", b"")
        if not boundary:
            raise RequestError("the Content-Type multipart/form-data names no boundary")
        calls = ("part_begin", "part_data", "header_field", "header_value", "header_end", "headers_finished")
        callbacks = {f"on_{name}": getattr(self, name) for name in (*calls, "end")}
        try:
            return MultipartParser(boundary, callbacks)  # type: ignore[arg-type] # a TypedDict of these names
        except FormParserError as error:
            raise RequestError("the boundary of the multipart/form-data is too long") from error

    def form(self) -> Form:
        if not self.complete:
            raise RequestError("the multipart/form-data ends before its last boundary")
        if FILE not in self.parts:
            raise RequestError(f"a part {FILE!r} with the document is missing")
        for file in self.parts.values():
            file.seek(0)
        fields = {name: file for name, file in self.parts.items() if name != FILE}
        return Form(self.parts[FILE], self.media_type, fields)  # type: ignore[arg-type] # they have what binary files have

    def part_begin(self) -> None:
        self._headers.clear()

    # The parser bounds names and values at 4 KiB, and their number.
    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        self._part = options.get(b"name", b"").decode("ascii", "replace")
        if self._part != FILE and self._part not in self.limits:
            expected = " and ".join(repr(name) for name in (FILE, *self.limits))
            raise RequestError(f"a part is named {self._part[:40]!r}; expected is {expected}")
        if self._part in self.parts:
            raise RequestError(f"the part {self._part!r} comes twice; send one document a request")
        self.parts[self._part] = self.files.enter_context(bodies.file(self.spool, self.most))
        if self._part == FILE:
            self.media_type = self._headers.get(b"content-type", b"").decode("ascii", "replace") or None

    def part_data(self, data: bytes, start: int, end: int) -> None:
        self.spool.require()  # also for those that do not say their length, and all that come at once
        part = self.parts[self._part]
        part.write(data[start:end])
        if self._part != FILE and part.tell() > self.limits[self._part]:
            raise TooLarge(f"the part {self._part!r} is larger than {self.limits[self._part]} bytes")

    def end(self) -> None:
        self.complete = True
