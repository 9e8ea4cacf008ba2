"""Immutable objects in files: tiles, entry bundles, staging; and one name that changes, `checkpoint`."""

import contextlib
import errno
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from notary.errors import Fatal, NotFound, Unavailable

CHECKPOINT = "checkpoint"
_NAME = re.compile(r"[a-z0-9]+(?:/[a-z0-9]+(?:\.p)?)*")
_TEMPORARY = ".new-"  # never matches _NAME, so nothing reads a file that is half written


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects under a folder, by names of lower-case letters, digits and slashes."""

    root: Path

    def create(self, name: str, data: bytes) -> None:
        """Make an object durable under a name that is free or holds the same bytes.

        Raises:
            Fatal: the name holds other bytes, or the disk reports an error of its own.
            Unavailable: it cannot be written now (no space, no permission).
        """
        self.create_all([(name, data)])

    def create_all(self, objects: Iterable[tuple[str, bytes]]) -> None:
        """As `create`, for many: all are durable when it returns; until then any of them may be there.

        Raises:
            Fatal, Unavailable: as `create`.
        """
        with _translated():
            folders: set[Path] = set()
            for name, data in objects:
                path = self._path(name)
                self._make_folder(path.parent, folders)
                self._create(path, data)
            for folder in folders:
                _sync_folder(folder)

    def replace(self, name: str, data: bytes) -> None:
        """Put new bytes in the place of an object; a reader sees the old ones or the new ones, whole.

        Raises:
            Fatal, Unavailable: as `create`.
        """
        with _translated():
            path = self._path(name)
            folders: set[Path] = set()
            self._make_folder(path.parent, folders)
            _written(path, data).replace(path)
            for folder in folders:
                _sync_folder(folder)

    def read(self, name: str) -> bytes | None:
        """The bytes of an object; None if there is none.

        Raises:
            NotFound: it is not the name of an object.
            Fatal, Unavailable: as `create`.
        """
        with _translated():
            try:
                return self._path(name).read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None

    def delete(self, name: str) -> None:
        """Remove an object; one that is not there is no error."""
        with _translated():
            self._path(name).unlink(missing_ok=True)

    def names(self, prefix: str) -> Iterator[str]:
        """The names under a folder, in no order."""
        folder = self._path(prefix)
        for path in folder.rglob("*"):
            name = path.relative_to(self.root).as_posix()
            if _NAME.fullmatch(name) and path.is_file():
                yield name

    def _create(self, path: Path, data: bytes) -> None:
        existing = path.read_bytes() if path.exists() else None
        if existing is None:
            temporary = _written(path, data)
            try:
                # Refused if another has made it meanwhile. A crash here leaves a temporary file at most.
                os.link(temporary, path)
            except FileExistsError:
                existing = path.read_bytes()
            finally:
                temporary.unlink()
        if existing not in (None, data):
            name = path.relative_to(self.root).as_posix()
            raise Fatal(f"object {name} is there with other bytes: it may have been published")

    def _make_folder(self, folder: Path, unsynced: set[Path]) -> None:
        """Make a folder, and add it to those whose entries are not known to be durable."""
        # Also where it exists: whoever made it may have died before it was synced.
        if folder in unsynced:
            return
        if folder != self.root:
            self._make_folder(folder.parent, unsynced)
        folder.mkdir(parents=folder == self.root, exist_ok=True)
        unsynced.add(folder)
        if folder == self.root:
            # Its own name too: else a power cut takes the whole log, and the database says it is there.
            unsynced.add(folder.parent)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name) or len(name) > 200:  # noqa: PLR2004 - the longest tile path has 59
            raise NotFound(f"{name[:200]!r} is not the name of an object")
        return self.root / name


def _written(path: Path, data: bytes) -> Path:
    temporary = path.with_name(_TEMPORARY + secrets.token_hex(8))
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return temporary


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        shown = f"{os.strerror(error.errno or 0)}: {error.filename}"
        if error.errno == errno.EIO:
            # After a failed fsync the kernel may hold pages that the disk does not: nothing can be retried.
            raise Fatal(f"the disk failed: {shown}") from error
        raise Unavailable(f"an object cannot be read or written now: {shown}") from error
