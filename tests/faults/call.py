"""One system call at which a process stands, read from that process, and carried out in its place."""

import ctypes
import os
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.faults.syscalls import SHAPES

_AT_FDCWD = -100
_AT_REMOVEDIR, _AT_SYMLINK_FOLLOW = 0x200, 0x400
_SPLIT = ("writev", "pwritev", "pwritev2")
_PLACED = ("pwrite64", "pwritev", "pwritev2")
WRITES = ("write", "pwrite64", *_SPLIT)
COPIES = ("sendfile", "copy_file_range", "splice")
OPENS = ("open", "openat", "creat", "openat2")


@dataclass(frozen=True)
class Call:
    """A call not yet made.

    Attributes:
        pid: the thread that makes it.
        name: of the call.
        args: six numbers of 64 bits, unsigned.
    """

    pid: int
    name: str
    args: tuple[int, ...]

    @property
    def fd(self) -> int | None:
        """The descriptor that it writes to or syncs."""
        number = SHAPES[self.name].fd
        return None if number is None else _signed(self.args[number])

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The files that it touches; a file that was deleted and is still open has the path it had."""
        if self.fd is not None:
            return (_link(self.fd_link(self.fd)).removesuffix(" (deleted)"),)
        return tuple(self._path(*pair) for pair in SHAPES[self.name].paths)

    def touches(self, folder: Path) -> bool:
        """Whether it touches something in the folder (or everything)."""
        inside = os.fspath(folder)
        return self.name == "sync" or any(
            path == inside or path.startswith(f"{inside}/") for path in self.paths
        )

    def fd_link(self, fd: int) -> str:
        return f"/proc/{self.pid}/fd/{fd}"

    def stat(self) -> os.stat_result:
        """Of what its descriptor is open on."""
        return os.stat(self.fd_link(self.fd))

    def position(self) -> tuple[int, int]:
        """Where the descriptor stands, and its flags."""
        lines = Path(f"/proc/{self.pid}/fdinfo/{self.fd}").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return int(fields["pos"]), int(fields["flags"], 8)

    def data(self) -> bytes:
        """What it is about to write."""
        if self.name in COPIES:
            return self._copied()
        if self.name not in _SPLIT:
            return self.memory(self.args[1], self.args[2])
        vectors = struct.iter_unpack("<QQ", self.memory(self.args[1], 16 * self.args[2]))
        return b"".join(self.memory(base, length) for base, length in vectors)

    def offset(self) -> int:
        """Where in the file it is about to write."""
        place, flags = self.position()
        if flags & os.O_APPEND:
            return self.stat().st_size
        if self.name in _PLACED and not (self.name == "pwritev2" and _signed64(self.args[3]) == -1):
            return self.args[3]
        if self.name == "copy_file_range" and self.args[3]:
            return struct.unpack("<q", self.memory(self.args[3], 8))[0]
        return place

    def opening(self) -> tuple[int, int]:
        """Flags and mode of a call that opens."""
        if self.name == "creat":
            return os.O_CREAT | os.O_WRONLY | os.O_TRUNC, self.args[1]
        if self.name == "openat2":
            flags, mode = struct.unpack("<QQ", self.memory(self.args[2], 16))
            return flags, mode
        flags = SHAPES[self.name].flags
        return self.args[flags], self.args[flags + 1]

    def perform(self) -> int:
        """Do in its place what it would do, with the effect on files but none on the process.

        Returns:
            What it would return; for an opening call a descriptor of ours.

        Raises:
            OSError: it fails, with that error.
            NotImplementedError: nothing here knows how.
        """
        if self.name in WRITES or self.name in COPIES:
            return self._on_file(os.O_WRONLY, lambda fd: os.pwrite(fd, self.data(), self.offset()))
        if self.name in ("fsync", "fdatasync", "syncfs", "sync_file_range"):
            return self._on_file(os.O_RDONLY, os.fsync) or 0
        if self.name == "sync":
            return os.sync() or 0
        if self.name == "ftruncate":
            return self._on_file(os.O_WRONLY, lambda fd: os.ftruncate(fd, self.args[1])) or 0
        if self.name == "fallocate" and not self.args[1]:
            return self._on_file(os.O_WRONLY, lambda fd: os.posix_fallocate(fd, *self.args[2:4])) or 0
        if self.name in OPENS:
            flags, mode = self.opening()
            return os.open(self.paths[0], flags & ~os.O_NOCTTY | os.O_CLOEXEC, mode & 0o7777 & ~self._umask())
        return self._perform_on_names() or 0

    def _perform_on_names(self) -> None:
        first, *others = self.paths
        if self.name == "truncate":
            os.truncate(first, self.args[1])
        elif self.name == "rmdir" or (self.name == "unlinkat" and self.args[2] & _AT_REMOVEDIR):
            os.rmdir(first)
        elif self.name in ("unlink", "unlinkat"):
            os.unlink(first)
        elif self.name in ("mkdir", "mkdirat"):
            os.mkdir(first, self.args[1 if self.name == "mkdir" else 2] & 0o7777 & ~self._umask())
        elif self.name in ("rename", "renameat") or (self.name == "renameat2" and not self.args[4]):
            os.rename(first, *others)
        elif self.name in ("link", "linkat"):
            follow = self.name == "linkat" and bool(self.args[4] & _AT_SYMLINK_FOLLOW)
            os.link(first, *others, follow_symlinks=follow)
        elif self.name in ("symlink", "symlinkat"):
            os.symlink(os.fsdecode(self._string(self.args[0])), first)
        else:
            raise NotImplementedError(f"{self} cannot be carried out in its place")

    def memory(self, address: int, length: int) -> bytes:
        """Of the process."""
        parts = []
        with open(f"/proc/{self.pid}/mem", "rb", buffering=0) as memory:
            while length:
                part = os.pread(memory.fileno(), length, address)
                parts.append(part)
                address, length = address + len(part), length - len(part)
        return b"".join(parts)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.paths)})"

    def _on_file(self, flags: int, act):
        # Opened a second time: another offset, the same file, also where it has no name any more.
        fd = os.open(self.fd_link(self.fd), flags | os.O_CLOEXEC)
        try:
            return act(fd)
        finally:
            os.close(fd)

    def _copied(self) -> bytes:
        source, place, count = {
            "sendfile": (self.args[1], self.args[2], self.args[3]),
            "copy_file_range": (self.args[0], self.args[1], self.args[4]),
        }.get(self.name, (None, 0, 0))
        if source is None:
            raise NotImplementedError(f"what {self} moves cannot be seen")
        if place:
            (start,) = struct.unpack("<q", self.memory(place, 8))
        else:
            start, _ = Call(self.pid, "fsync", (source,)).position()
        fd = os.open(self.fd_link(_signed(source)), os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(fd, count, start)
        finally:
            os.close(fd)

    def _path(self, folder: int | None, path: int) -> str:
        text = os.fsdecode(self._string(self.args[path]))
        if text.startswith("/proc/self/"):
            text = f"/proc/{self.pid}/{text.removeprefix('/proc/self/')}"
        at = _AT_FDCWD if folder is None else _signed(self.args[folder])
        base = _link(f"/proc/{self.pid}/cwd" if at == _AT_FDCWD else self.fd_link(at))
        head, tail = os.path.split(os.path.join(base, text).rstrip("/"))
        return os.path.join(os.path.realpath(head), tail)

    def _string(self, address: int) -> bytes:
        found = b""
        while b"\0" not in found:
            # Not over the end of a page: the next one may not be there.
            found += self.memory(address + len(found), min(256, 4096 - (address + len(found)) % 4096))
        return found.split(b"\0", 1)[0]

    def _umask(self) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
        return 0o022


def _signed(value: int) -> int:
    return ctypes.c_int32(value & 0xFFFFFFFF).value


def _signed64(value: int) -> int:
    return ctypes.c_int64(value).value


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except FileNotFoundError:  # a closed descriptor: the call will fail by itself
        return ""
