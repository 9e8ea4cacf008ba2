"""Submission of many files by their digests: hashed here, sent 10,000 at a time, taken up again after any end."""

import os
import secrets
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path

from notary.cli.client import Client
from notary.cli.journal import File, Journal, Request, line_of
from notary.cli.recorded import check_answer
from notary.errors import (
    Conflict,
    EvidenceError,
    RequestError,
    TooManyRequests,
    Unavailable,
)

MAX_FILES = 10_000  # in a request
MAX_BODY = 2**20  # bytes of a request: no service is set up to take less
_PAUSES = (0.5, 1, 2, 4, 8, 15, 30)  # seconds before a request is sent again


@dataclass(slots=True)
class Outcome:
    """What became of the files: how many were recorded now, how many before, and which were left out and why."""

    recorded: int = 0
    before: int = 0
    left_out: list[tuple[str, str]] = field(default_factory=list)


def files_under(folder: Path, without: Sequence[Path]) -> Iterator[Path]:
    """Every file under a folder, in order; links to folders are not followed.

    Args:
        folder: where.
        without: files and folders to leave out: our own.
    """
    ours = {os.path.realpath(path) for path in without}

    def refuse(error: OSError) -> None:
        raise RequestError(f"{error.filename}: {error.strerror}") from error

    for here, folders, names in os.walk(folder, onerror=refuse):
        real = os.path.realpath(here)
        folders[:] = sorted(name for name in folders if f"{real}/{name}" not in ours)
        for name in sorted(names):
            if f"{real}/{name}" not in ours:
                yield Path(here, name)


def submit_files(
    client: Client,
    journal: Journal,
    paths: Iterable[Path],
    common: Mapping[str, str],
    progress: Callable[[int], None],
) -> Outcome:
    """Record files that the journal does not know yet, or knows with other bytes.

    Args:
        client: of the service.
        journal: of this set of files.
        paths: of the files.
        common: fields that all get, such as a title.
        progress: is told how many more files were dealt with.

    Raises:
        NotaryError: the service refuses, or does not answer. To be called again, with the same journal.
    """
    outcome, known_before = Outcome(), set(journal.known)
    home = os.path.realpath(journal.path.parent)
    for request in tuple(journal.pending):  # of a run that came to an end before the answer
        _send(client, journal, request, again=True)
        outcome.recorded += len(request.files)
    batch, seen = _Batch(client, journal, common, outcome), set[str]()
    for path in paths:
        name = os.path.relpath(Path(_real(path.parent.absolute()), path.name), home)
        if name in seen:
            continue
        seen.add(name)
        progress(1)
        known = journal.known.get(name)
        try:
            file = _digested(path, name, known)
        except (OSError, RequestError) as error:
            outcome.left_out.append((str(path), getattr(error, "strerror", None) or str(error)))
            continue
        if file is known:
            outcome.before += name in known_before
            continue
        batch.add(file)
    batch.send()
    return outcome


@dataclass(slots=True)
class _Batch:
    """Files on their way into one request; sent when no other has room in it."""

    client: Client
    journal: Journal
    common: Mapping[str, str]
    outcome: Outcome
    files: list[File] = field(default_factory=list)
    size: int = 0  # bytes of the request

    def add(self, file: File) -> None:
        length = len(line_of(file, self.common))
        if len(self.files) == MAX_FILES or self.size + length > MAX_BODY:
            self.send()
        self.files.append(file)
        self.size += length

    def send(self) -> None:
        if self.files:
            _record(self.client, self.journal, self.common, self.files, self.outcome)
        self.files, self.size = [], 0


@lru_cache(maxsize=1024)
def _real(folder: Path) -> str:
    return os.path.realpath(folder)  # a file has one name, however its folder is named


def _digested(path: Path, name: str, known: File | None) -> File:
    """The file with its digest; `known` itself where that is of the same bytes.

    Raises:
        RequestError: what has no digest that can be recorded.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise RequestError("not a file")  # opening a pipe would wait for ever
    with path.open("rb") as stream:
        before = os.fstat(stream.fileno())
        if known is not None and (known.size, known.mtime_ns) == (before.st_size, before.st_mtime_ns):
            return known
        digest = file_digest(stream, "sha256").hexdigest()
        size = stream.tell()
    if size == 0:
        raise RequestError("a file of no bytes is no evidence of anything")
    if known is not None and (known.size, known.sha256) == (size, digest):
        return known
    return File(name, size, before.st_mtime_ns, digest)


def _record(
    client: Client, journal: Journal, common: Mapping[str, str], batch: Sequence[File], outcome: Outcome
) -> None:
    request = Request(f"notary-submit-{secrets.token_hex(16)}", common, batch)
    # The key is on disk before it is sent. From here on a kill leaves a request that the next run sends again.
    journal.sending(request)
    _send(client, journal, request, again=False)
    outcome.recorded += len(batch)


def _send(client: Client, journal: Journal, request: Request, *, again: bool) -> None:
    body = request.body()
    for pause in (*_PAUSES, None):
        try:
            answer = client.submit_bulk(body, request.key)
            break
        except (Unavailable, TooManyRequests) as error:
            if pause is None:
                raise type(error)(f"{error}; the same command goes on from here") from error
            time.sleep(pause)
            again = True  # whether it was carried out is not certain any more
        except (RequestError, Conflict, EvidenceError) as error:
            if not again:
                journal.refused(request, error.code)  # for certain nothing was recorded
            raise
    check_answer(request, answer)
    journal.answered(request, answer)
