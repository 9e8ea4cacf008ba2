"""The system calls that change a file or send, and the seccomp filter that stops a process at each of them.

x86-64 and AArch64, Linux 5.5 and later (SECCOMP_RET_USER_NOTIF with SECCOMP_USER_NOTIF_FLAG_CONTINUE).
"""

import os
import platform
import struct
from collections.abc import Iterator
from typing import NamedTuple

_ALLOW, _ERRNO, _KILL, _NOTIFY = 0x7FFF0000, 0x00050000, 0x80000000, 0x7FC00000
_ENOSYS = 38
_NR, _ARCH, _ARGS = 0, 4, 16  # in struct seccomp_data; both machines are little-endian
_LOAD, _EQUAL, _SET, _RETURN = 0x20, 0x15, 0x45, 0x06  # classic BPF
_O_TMPFILE = 0o20000000
_MAKES = os.O_CREAT | os.O_TRUNC | _O_TMPFILE
_PROT_WRITE, _MAP_SHARED, _MAP_ANONYMOUS = 2, 1, 0x20


class Shape(NamedTuple):
    """Which arguments of a call name files: a descriptor, and paths as (folder's descriptor, path)."""

    fd: int | None = None
    paths: tuple[tuple[int | None, int], ...] = ()
    flags: int | None = None  # of open(2): the call counts only where they make or empty a file


_FD = Shape(fd=0)
_PATH, _AT = Shape(paths=((None, 0),)), Shape(paths=((0, 1),))
_TWO, _TWO_AT = Shape(paths=((None, 0), (None, 1))), Shape(paths=((0, 1), (2, 3)))
SHAPES: dict[str, Shape] = {
    **dict.fromkeys(("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile"), _FD),
    **dict.fromkeys(("fsync", "fdatasync", "syncfs", "sync_file_range", "ftruncate", "fallocate"), _FD),
    "sendto": _FD,  # how a stream of bytes leaves by a socket
    **dict.fromkeys(("copy_file_range", "splice"), Shape(fd=2)),
    **dict.fromkeys(("truncate", "unlink", "rmdir", "mkdir", "creat"), _PATH),
    **dict.fromkeys(("unlinkat", "mkdirat", "openat2"), _AT),
    **dict.fromkeys(("rename", "link"), _TWO),
    **dict.fromkeys(("renameat", "renameat2", "linkat"), _TWO_AT),
    "symlink": Shape(paths=((None, 1),)),
    "symlinkat": Shape(paths=((1, 2),)),
    "open": Shape(paths=((None, 0),), flags=1),
    "openat": Shape(paths=((0, 1),), flags=2),
    "sync": Shape(),
    "mmap": Shape(fd=4),  # only a shared mapping of a file for writing: what it writes nobody can see
}


class Machine(NamedTuple):
    """One processor's audit number and system call numbers."""

    arch: int
    seccomp: int
    io_uring_setup: int
    numbers: dict[int, str]


def _numbers(table: str) -> dict[int, str]:
    words = table.split()
    return {int(number): name for name, number in zip(words[::2], words[1::2], strict=True)}


_MACHINES = {
    "x86_64": Machine(
        0xC000003E,
        317,
        425,
        _numbers(
            """
            sendto 44 write 1 pwrite64 18 writev 20 pwritev 296 pwritev2 328 sendfile 40 copy_file_range 326 splice 275
            fsync 74 fdatasync 75 sync 162 syncfs 306 sync_file_range 277 ftruncate 77 truncate 76 fallocate 285
            rename 82 renameat 264 renameat2 316 link 86 linkat 265 symlink 88 symlinkat 266 unlink 87
            unlinkat 263 rmdir 84 mkdir 83 mkdirat 258 open 2 creat 85 openat 257 openat2 437 mmap 9
            """
        ),
    ),
    "aarch64": Machine(
        0xC00000B7,
        277,
        425,
        _numbers(
            """
            sendto 206 write 64 pwrite64 68 writev 66 pwritev 70 pwritev2 287 sendfile 71 copy_file_range 285 splice 76
            fsync 82 fdatasync 83 sync 81 syncfs 267 sync_file_range 84 ftruncate 46 truncate 45 fallocate 47
            renameat 38 renameat2 276 linkat 37 symlinkat 36 unlinkat 35 mkdirat 34 openat 56 openat2 437
            mmap 222
            """
        ),
    ),
}


def machine() -> Machine:
    """This machine's.

    Raises:
        OSError: a processor whose numbers are not known here.
    """
    found = _MACHINES.get(platform.machine())
    if found is None:
        raise OSError(f"system calls cannot be watched on {platform.machine()}: no table of their numbers")
    return found


def program(this: Machine) -> bytes:
    """The filter, as `struct sock_filter` instructions (linux/filter.h)."""
    return b"".join(_program(this))


def _program(this: Machine) -> Iterator[bytes]:
    yield _op(_LOAD, _ARCH)
    yield _op(_EQUAL, this.arch, skip_if_true=1)
    yield _op(_RETURN, _KILL)  # another calling convention, where numbers mean something else
    yield _op(_LOAD, _NR)
    # What goes through a ring is no call of its own; programs fall back to plain calls.
    yield _op(_EQUAL, this.io_uring_setup, skip_if_false=1)
    yield _op(_RETURN, _ERRNO | _ENOSYS)
    for number, name in this.numbers.items():
        rule = b"".join(_rule(name))
        yield _op(_EQUAL, number, skip_if_false=len(rule) // 8)
        yield rule
    yield _op(_RETURN, _ALLOW)


def _rule(name: str) -> Iterator[bytes]:
    flags = SHAPES[name].flags
    if flags is not None:
        yield _op(_LOAD, _ARGS + 8 * flags)
        yield _op(_SET, _MAKES, skip_if_true=1)
        yield _op(_RETURN, _ALLOW)
    elif name == "mmap":
        yield _op(_LOAD, _ARGS + 8 * 2)
        yield _op(_SET, _PROT_WRITE, skip_if_false=3)
        yield _op(_LOAD, _ARGS + 8 * 3)
        yield _op(_SET, _MAP_ANONYMOUS, skip_if_true=1)
        yield _op(_SET, _MAP_SHARED, skip_if_true=1)
        yield _op(_RETURN, _ALLOW)
    yield _op(_RETURN, _NOTIFY)


def _op(code: int, k: int, *, skip_if_true: int = 0, skip_if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, skip_if_true, skip_if_false, k)
