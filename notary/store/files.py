"""Objects as files under a folder."""

import contextlib
import errno
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from notary.errors import DiskFailed, Fatal, Unavailable
from notary.store.objects import check_same, check_size, checked_name, is_name
from notary.store.parallel import beside, each

THREADS = 16  # most of a write is waiting for the disk, which takes many flushes as one
FEW = 6  # objects of a small close, done before so many threads are running
FOLDERS_KEPT = 10_000  # that a process remembers; each partial tile has one of its own
LONG = 2**17  # bytes that take 70 µs to hash, as long as a thread takes to begin
_TEMPORARY = ".new-"  # never the name of an object, so nothing reads a file that is half written


@dataclass(frozen=True, slots=True)
class FileObjects:
    """Objects under a folder; every process that uses it sees the same file system."""

    root: Path
    # Folders whose own names this process has made durable. Nobody removes a folder, so they stay so.
    _durable: set[Path] = field(default_factory=set, init=False, repr=False, compare=False)

    def create(self, name: str, data: bytes) -> None:
        """As `Objects.create`."""
        self.create_all([(name, data)])

    def create_all(self, objects: Iterable[tuple[str, bytes]]) -> None:
        """As `Objects.create_all`."""
        folders: set[Path] = set()

        def placed() -> Iterator[tuple[str, Path, bytes]]:
            for name, data in objects:
                check_size(name, len(data))
                path = self._path(name)
                self._make_folder(path.parent, folders)
                yield name, path, data

        with _translated():
            each(_create, placed(), THREADS, few=FEW)
            # Each file is durable, and its name not yet. A crash here leaves any of the names.
            self._sync(folders)
            # Durable: all of them under their names.

    def create_named(self, folder: str, data: bytes) -> str:
        """As `Objects.create_named`: the disk writes while the processor hashes."""
        check_size(folder, len(data))
        with _translated():
            place = self._path(folder)
            folders: set[Path] = set()
            self._make_folder(place, folders)
            digest = _digest_beside(data)
            temporary = _written(place, data)
            # Durable: a file that nobody reads. A crash here leaves it.
            name = f"{folder}/{digest()}"
            _link(temporary, name, self._path(name), data)
            # A crash here leaves its name, or not.
            self._sync(folders)
            # Durable: under its name.
        return name

    def replace(self, name: str, data: bytes) -> None:
        """As `Objects.replace`."""
        check_size(name, len(data))
        with _translated():
            path = self._path(name)
            folders: set[Path] = set()
            self._make_folder(path.parent, folders)
            temporary = _written(path.parent, data)
            # Durable: a file that nobody reads. A crash here leaves it, and the old bytes at the name.
            temporary.replace(path)
            # Visible, and durable only below: a power cut here may bring back the old bytes.
            self._sync(folders)

    def read(self, name: str) -> bytes | None:
        """As `Objects.read`."""
        path = self._path(name)
        with _translated(writing=False):  # one bad sector is that object's affair
            return _read(name, path)

    def delete(self, name: str) -> None:
        """As `Objects.delete`. A power cut may bring the object back."""
        path = self._path(name)
        with _translated():
            path.unlink(missing_ok=True)

    def names(self, prefix: str) -> Iterator[str]:
        """As `Objects.names`."""
        folder = self._path(prefix)
        with _translated(writing=False):
            for path in folder.rglob("*"):
                name = path.relative_to(self.root).as_posix()
                if is_name(name) and path.is_file():
                    yield name

    def _make_folder(self, folder: Path, unsynced: set[Path]) -> None:
        """Make a folder, and add it, and those above, to the ones whose entries are not known to be durable."""
        if folder in unsynced:
            return
        if folder in self._durable and folder.is_dir():
            unsynced.add(folder)  # for what is put into it; its own name is durable, and so are those above
            return
        # Also where it exists: whoever made it may have died before it was synced.
        if folder != self.root:
            self._make_folder(folder.parent, unsynced)
        else:
            unsynced.add(folder.parent)  # or a power cut may take the whole root, and leave the database
        folder.mkdir(parents=folder == self.root, exist_ok=True)
        unsynced.add(folder)

    def _sync(self, folders: set[Path]) -> None:
        """Make what stands in folders durable, which `_make_folder` has collected."""
        for folder in folders:
            _sync_folder(folder)
        # Only now: the name of each is in one that was synced, or was durable before.
        if len(self._durable) > FOLDERS_KEPT:
            self._durable.clear()
        self._durable.update(folders)

    def _path(self, name: str) -> Path:
        return self.root / checked_name(name)


def _create(item: tuple[str, Path, bytes]) -> None:
    name, path, data = item
    with _translated():
        existing = _read(name, path)
        if existing is None:
            temporary = _written(path.parent, data)
            # Durable: a file that nobody reads. A crash here leaves it.
            _link(temporary, name, path, data)
            return
    check_same(name, existing, data)


def _link(temporary: Path, name: str, path: Path, data: bytes) -> None:
    """Give a file that is durable its name, at once, unless another has made the same object meanwhile."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        existing = _read(name, path)
        if existing is None:
            raise Unavailable(f"object {name} appeared while it was made, and is gone again") from None
        check_same(name, existing, data)
    finally:
        temporary.unlink()


def _digest_beside(data: bytes) -> Callable[[], str]:
    def digest() -> str:
        return sha256(data).hexdigest()

    return beside(digest) if len(data) > LONG else digest


def _read(name: str, path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            check_size(name, os.fstat(file.fileno()).st_size)
            return file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _written(folder: Path, data: bytes) -> Path:
    temporary = folder / (_TEMPORARY + secrets.token_hex(8))
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(descriptor, left) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
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
def _translated(*, writing: bool = True) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        shown = f"{os.strerror(error.errno or 0)}: {error.filename}"
        if error.errno == errno.EIO:
            # After a failed fsync the kernel may hold pages that the disk does not: nothing can be retried.
            raise (DiskFailed if writing else Fatal)(f"the disk failed: {shown}") from error
        raise Unavailable(f"an object cannot be read or written now: {shown}") from error
