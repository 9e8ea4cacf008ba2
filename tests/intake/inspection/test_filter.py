"""The filter program itself, executed by a small interpreter, for both machines: also the one we are not on."""

import struct

import pytest

from notary.intake.inspection.jail import MACHINES, program

ALLOW, ERRNO_EPERM, KILL = 0x7FFF0000, 0x00050001, 0x80000000
CONDITIONAL = {"socketpair", "ioctl", "fcntl", "newfstatat"}


def verdict(machine, number, arguments=(0, 0, 0, 0, 0, 0), arch=None):
    """Execute classic BPF as the kernel does, on one call."""
    data = struct.pack("<iIQ6Q", number, machine.arch if arch is None else arch, 0, *arguments)
    code = [struct.unpack("<HBBI", op) for op in program(machine)]
    accumulator = position = 0
    while True:
        operation, if_true, if_false, k = code[position]
        position += 1
        match operation:
            case 0x20:
                accumulator = struct.unpack_from("<I", data, k)[0]
            case 0x15:
                position += if_true if accumulator == k else if_false
            case 0x45:
                position += if_true if accumulator & k else if_false
            case 0x06:
                return k


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES.keys())
def test_exactly_the_listed_calls_are_allowed(machine):
    free = {number for name, number in machine.calls.items() if name not in CONDITIONAL}
    for number in range(1024):
        assert verdict(machine, number) == (ALLOW if number in free else ERRNO_EPERM), number


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES.keys())
def test_arguments_are_judged(machine):
    calls = machine.calls
    assert verdict(machine, calls["socketpair"], (1, 0, 0, 0, 0, 0)) == ALLOW
    assert verdict(machine, calls["socketpair"], (2, 0, 0, 0, 0, 0)) == ERRNO_EPERM
    for name in ("mmap", "mprotect"):
        assert verdict(machine, calls[name], (0, 4096, 3, 0, 0, 0)) == ALLOW
        assert verdict(machine, calls[name], (0, 4096, 7, 0, 0, 0)) == ERRNO_EPERM
    assert verdict(machine, calls["ioctl"], (0, 0x5421, 0, 0, 0, 0)) == ALLOW
    assert verdict(machine, calls["ioctl"], (0, 0x40086602, 0, 0, 0, 0)) == ERRNO_EPERM  # FS_IOC_SETFLAGS
    assert verdict(machine, calls["fcntl"], (0, 3, 0, 0, 0, 0)) == ALLOW
    assert verdict(machine, calls["fcntl"], (0, 8, 0, 0, 0, 0)) == ERRNO_EPERM  # F_SETOWN
    assert verdict(machine, calls["newfstatat"], (0, 0, 0, 0x1000, 0, 0)) == ALLOW
    assert verdict(machine, calls["newfstatat"], (0, 0, 0, 0, 0, 0)) == ERRNO_EPERM


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES.keys())
def test_another_calling_convention_is_killed(machine):
    assert verdict(machine, 0, arch=0x40000003) == KILL  # i386
    x32 = 0x40000000
    assert verdict(machine, x32 | machine.calls["read"]) == ERRNO_EPERM
