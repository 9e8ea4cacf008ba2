"""Documents on their way in: to disk, digested in one pass, and gone after inspection."""

import errno
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from notary.errors import Busy, DigestMismatch, DiskFailed, EmptyDocument, TooLarge, Unavailable
from notary.evidence.digests import Digester, parse_digest

SEEN = ("sha-256", "sm3")  # what a statement about bytes that we saw must hold
PDF = b"%PDF-"
_ORPHAN_SECONDS = 24 * 3600
_NAME = re.compile(r"[0-9a-f]{32}")  # of a document; what else lies in the folder is somebody else's


@dataclass(frozen=True, slots=True)
class Spooled:
    """A document on disk, durable: `digests` in lower-case hexadecimal, SHA-256 and SM3 among them."""

    path: Path
    digests: dict[str, str]
    size: int
    media_type: str | None


def _is_older(path: Path, moment: float) -> bool:
    try:
        return path.is_file() and path.stat().st_mtime < moment
    except FileNotFoundError:  # another process has just deleted it
        return False


def media_type_of(start: bytes, said: str | None) -> str | None:
    """A PDF is one by its first bytes, whatever the submitter says."""
    return "application/pdf" if start.startswith(PDF) else said


def free_bytes(folder: Path) -> int:
    """What the file system of a folder has for us.

    Raises:
        Unavailable: it does not say.
    """
    try:
        status = os.statvfs(folder)
    except OSError as error:
        raise Unavailable(f"the spool cannot be looked at: {error.strerror}") from error
    return status.f_bavail * status.f_frsize


def _check_claimed(digests: Mapping[str, str], claimed: Mapping[str, str]) -> None:
    for name, text in claimed.items():
        if digests[name] != text:
            raise DigestMismatch(
                f"the {name} of the bytes that arrived is {digests[name]}, not {text}: "
                "the document was changed on its way, or the digest is another's"
            )


@dataclass(frozen=True, slots=True)
class Spool:
    """A folder that every process of the service shares.

    Attributes:
        folder: where.
        reserve: bytes that stay free on its disk; the database may share it.
        free: how many it has.
    """

    folder: Path
    reserve: int = 0
    free: Callable[[Path], int] = free_bytes

    def require(self, size: int = 0, instead: str = "send the digests instead, or try again later") -> None:
        """Look whether so many bytes more may be written; again while they are, since others write, too.

        Args:
            size: how many.
            instead: what to do where they may not.

        Raises:
            Busy: they would take what must stay free.
            Unavailable: the disk does not say.
        """
        if self.free(self.folder) - size < self.reserve:
            raise Busy(f"the disk for documents is nearly full; {instead}")

    def receive(
        self,
        chunks: Iterable[bytes],
        limit: int,
        algorithms: Iterable[str] = (),
        claimed: Mapping[str, str] | None = None,
        media_type: str | None = None,
    ) -> Spooled:
        """Write a document down and take its digests.

        Args:
            chunks: its bytes.
            limit: most bytes accepted.
            algorithms: digests to take besides SHA-256 and SM3.
            claimed: digests that the submitter says it has, in hexadecimal; each is taken and compared.
            media_type: what the submitter says; a PDF is recognised by its first bytes.

        Raises:
            EmptyDocument: no bytes.
            TooLarge: more than `limit`.
            Busy: the disk is nearly full.
            DigestMismatch: a claimed digest is not that of the bytes.
            BadDigest, UnknownAlgorithm: a claimed digest or an algorithm is of no known form.
            Unavailable: the disk takes nothing now.
            DiskFailed: the disk reports an error of its own.
            Whatever is raised, nothing is left behind.
        """
        wanted = {name: parse_digest(name, text).hex() for name, text in (claimed or {}).items()}
        digester = Digester(dict.fromkeys([*SEEN, *algorithms, *wanted]))
        path = self.folder / secrets.token_hex(16)
        try:
            start = self._write(path, chunks, limit, digester)
            digests = digester.hex()
            _check_claimed(digests, wanted)
        except OSError as error:
            path.unlink(missing_ok=True)
            if error.errno == errno.EIO:
                # After a failed fsync the kernel may hold pages that the disk does not: nothing can be retried.
                raise DiskFailed(f"the disk failed under the spool: {os.strerror(errno.EIO)}") from error
            raise Unavailable(
                f"the document cannot be stored now: {os.strerror(error.errno or 0)}"
            ) from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Spooled(path, digests, digester.size, media_type_of(start, media_type))

    def discard(self, name: str) -> None:
        """Delete a document; one that is not there is no error."""
        (self.folder / name).unlink(missing_ok=True)

    def sweep(self, keep: Callable[[], set[str]], now: Callable[[], float] = time.time) -> int:
        """Delete documents that are older than a day and that nothing needs: what crashes have left.

        Args:
            keep: the names still needed, asked for after the folder was listed.
            now: seconds since 1970, by the clock of the disk.

        Returns:
            How many were deleted.
        """
        if not self.folder.is_dir():
            return 0
        before = now() - _ORPHAN_SECONDS
        old = [
            path for path in self.folder.iterdir() if _NAME.fullmatch(path.name) and _is_older(path, before)
        ]
        needed = keep()
        orphans = [path for path in old if path.name not in needed]
        for path in orphans:
            path.unlink(missing_ok=True)
        return len(orphans)

    def _write(self, path: Path, chunks: Iterable[bytes], limit: int, digester: Digester) -> bytes:
        """Write, digest and sync; returns the first five bytes."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        start = b""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for chunk in chunks:
                digester.update(chunk)
                if digester.size > limit:
                    raise TooLarge(f"the document is larger than {limit} bytes; send its digests instead")
                start = start if len(start) >= len(PDF) else (start + chunk)[: len(PDF)]
                self.require()
                file.write(chunk)
            if not digester.size:
                raise EmptyDocument("the document is empty; send at least one byte")
            file.flush()
            # Durable before the record names it: an inspection that is due finds its document.
            os.fsync(file.fileno())
        # Its name, and that of the spool itself: whoever made that may have died before it was synced.
        for folder in (self.folder, self.folder.parent):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return start
