"""The child's own walls: resource limits, then a seccomp filter that lets it compute and nothing else.

The filter is a list of what is allowed (seccomp(2), kernel 3.17 and later; x86-64 and AArch64). Everything
not on it answers EPERM: opening files, sockets, new processes, other programs. It holds for root too, needs no
privilege and cannot be taken off again. Where it cannot be put on, `lock` raises and the child does not read
the document.
"""

import ctypes
import os
import platform
import resource
import signal
import socket
import struct
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from notary.errors import Unavailable

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC = 1, 1
_KILL_PROCESS, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_EPERM = 1
# struct seccomp_data: int nr; u32 arch; u64 instruction_pointer; u64 args[6]. Both machines are little-endian.
_NR, _ARCH, _ARGS = 0, 4, 16
# Classic BPF: BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_JMP|BPF_JSET|BPF_K, BPF_RET|BPF_K.
_LOAD, _JUMP_EQUAL, _JUMP_SET, _RETURN = 0x20, 0x15, 0x45, 0x06


class Machine(NamedTuple):
    """One processor's audit number and system call numbers."""

    arch: int
    seccomp: int
    calls: Mapping[str, int]


def _calls(table: str) -> dict[str, int]:
    words = table.split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))


_X86_64 = Machine(
    0xC000003E,
    317,
    _calls(
        """
        read 0 write 1 close 3 fstat 5 poll 7 lseek 8 mmap 9 mprotect 10 munmap 11 brk 12 rt_sigaction 13
        rt_sigprocmask 14 rt_sigreturn 15 ioctl 16 pread64 17 mremap 25 madvise 28 dup 32 getpid 39 exit 60
        fcntl 72 gettimeofday 96 getrusage 98 getuid 102 sigaltstack 131 gettid 186 futex 202
        restart_syscall 219 clock_gettime 228 clock_getres 229 clock_nanosleep 230 exit_group 231 epoll_wait
        232 epoll_ctl 233 epoll_pwait 281 epoll_create1 291 getrandom 318 socketpair 53 newfstatat 262
        """
    ),
)
_AARCH64 = Machine(
    0xC00000B7,
    277,
    _calls(
        "read 63 write 64 close 57 fstat 80 lseek 62 mmap 222 mprotect 226 "
        "munmap 215 brk 214 rt_sigaction 134 rt_sigprocmask 135 rt_sigreturn 139 "
        "ioctl 29 pread64 67 mremap 216 madvise 233 dup 23 getpid 172 exit 93 "
        "fcntl 25 gettimeofday 169 getrusage 165 getuid 174 sigaltstack 132 "
        "gettid 178 futex 98 restart_syscall 128 clock_gettime 113 clock_getres 114 "
        "clock_nanosleep 115 exit_group 94 epoll_ctl 21 epoll_pwait 22 epoll_create1 20 "
        "getrandom 278 ppoll 73 socketpair 199 newfstatat 79 "
    ),
)
MACHINES: Mapping[str, Machine] = {"x86_64": _X86_64, "aarch64": _AARCH64}


def limit(*, memory: int, cpu_seconds: int) -> None:
    """Bound this process for good: address space (bytes), processor time, no file output, no core, 32 files."""
    soft_and_hard = {
        resource.RLIMIT_AS: (memory, memory),
        resource.RLIMIT_CPU: (cpu_seconds, cpu_seconds + 1),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (32, 32),
        resource.RLIMIT_NPROC: (0, 0),
    }
    for which, values in soft_and_hard.items():
        resource.setrlimit(which, values)


def lock() -> None:
    """Put the filter on, for every thread of this process, and try it.

    Raises:
        Unavailable: not Linux, a processor whose numbers are not known here, a kernel without seccomp, or a
            filter that does not hold when tried.
    """
    machine = MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None or sys.maxsize < 2**32:
        raise Unavailable(f"no sandbox for {sys.platform} on {platform.machine()}")
    libc = ctypes.CDLL(None, use_errno=True)
    # Dies with the parent, leaves no core, and can gain nothing by any program it might start.
    prctl = ((_PR_SET_PDEATHSIG, signal.SIGKILL), (_PR_SET_DUMPABLE, 0), (_PR_SET_NO_NEW_PRIVS, 1))
    for option, value in prctl:
        if libc.prctl(option, ctypes.c_ulong(value), *[ctypes.c_ulong(0)] * 3) != 0:
            raise Unavailable(f"no sandbox: prctl {option} failed, error {ctypes.get_errno()}")
    instructions = b"".join(program(machine))
    code = ctypes.create_string_buffer(instructions, len(instructions))
    fprog = struct.pack("@HP", len(instructions) // 8, ctypes.addressof(code))
    if libc.syscall(machine.seccomp, _SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC, fprog) != 0:
        raise Unavailable(f"no sandbox: seccomp failed, error {ctypes.get_errno()}")
    _try_it()


def _try_it() -> None:
    for attempt in (_open, _connect, _fork):
        try:
            attempt()
        except PermissionError:
            continue
        raise Unavailable("no sandbox: the filter does not hold")


def _open() -> None:
    os.close(os.open("/", os.O_RDONLY))


def _connect() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def program(machine: Machine) -> Iterator[bytes]:
    """The filter as `struct sock_filter` instructions of 8 bytes each (linux/filter.h)."""
    yield _op(_LOAD, _ARCH)
    yield _op(_JUMP_EQUAL, machine.arch, skip_if_true=1)
    yield _op(_RETURN, _KILL_PROCESS)  # another calling convention, where numbers mean something else
    yield _op(_LOAD, _NR)
    for name, number in machine.calls.items():
        rule = list(_rule(name))
        yield _op(_JUMP_EQUAL, number, skip_if_false=len(rule))
        yield from rule
    yield _op(_RETURN, _ERRNO | _EPERM)


# Calls that are allowed only where one argument (its index) is one of these values.
_ONLY: Mapping[str, tuple[int, tuple[int, ...]]] = {
    "socketpair": (0, (socket.AF_UNIX,)),  # asyncio wakes itself through one; it leads nowhere outside
    "ioctl": (1, (0x5401, 0x5421, 0x541B, 0x5450, 0x5451)),  # TCGETS, FIONBIO, FIONREAD, FIONCLEX, FIOCLEX
    "fcntl": (1, (1, 2, 3, 4, 1030)),  # get and set flags, duplicate
    "newfstatat": (3, (0x1000,)),  # AT_EMPTY_PATH: how some libcs spell fstat
}
# Calls that are refused where an argument has a bit: no memory becomes code (PROT_EXEC).
_NEVER: Mapping[str, tuple[int, int]] = {"mmap": (2, 4), "mprotect": (2, 4)}


def _rule(name: str) -> Iterator[bytes]:
    """What follows when the call is `name`; every rule ends in a return."""
    if name in _ONLY:
        argument, values = _ONLY[name]
        yield _op(_LOAD, _ARGS + 8 * argument)
        for position, value in enumerate(values, start=1):
            yield _op(_JUMP_EQUAL, value, skip_if_true=len(values) - position + 1)
        yield _op(_RETURN, _ERRNO | _EPERM)
    elif name in _NEVER:
        argument, bit = _NEVER[name]
        yield _op(_LOAD, _ARGS + 8 * argument)
        yield _op(_JUMP_SET, bit, skip_if_false=1)
        yield _op(_RETURN, _ERRNO | _EPERM)
    yield _op(_RETURN, _ALLOW)


def _op(code: int, k: int, *, skip_if_true: int = 0, skip_if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, skip_if_true, skip_if_false, k)
