"""The watched side: a process that has imported a module once, and forks a fresh, watched one for each run.

python -m tests.faults.tracee SOCKET MODULE

A module may have a function `warm`, called before the first fork; it must leave no thread behind.

Each request on the socket is answered twice: by the new process, with its number and the descriptor at which
its system calls can be answered, before it runs `main(arguments)` of the module; and with its status at its end.
All of its threads and children are watched.
"""

import ctypes
import importlib
import json
import os
import socket
import struct
import sys
import traceback

from tests.faults.syscalls import machine, program

_PR_SET_NO_NEW_PRIVS = 38
_SET_MODE_FILTER = 1
_NEW_LISTENER, _WAIT_KILLABLE = 1 << 3, 1 << 5
STACK = 1 << 16


def say(line: str) -> None:
    """Acknowledge: one write, which whoever watches sees in its place among the other calls."""
    os.write(1, f"{line}\n".encode())


def main(descriptor: str, module: str) -> None:
    control = socket.socket(fileno=int(descriptor))
    program = importlib.import_module(module)
    getattr(program, "warm", lambda: None)()
    control.send(b"{}")  # ready
    while request := control.recv(STACK):
        pid = os.fork()
        if pid == 0:
            _child(control, program.main, json.loads(request))
        _, status = os.waitpid(pid, 0)
        control.send(json.dumps({"status": os.waitstatus_to_exitcode(status)}).encode())


def _child(control: socket.socket, run, request: dict) -> None:
    status = 1
    try:
        os.setsid()
        for number in (1, 2):
            os.dup2(os.open(request["output"][number - 1], os.O_WRONLY | os.O_APPEND), number)
        if request["watched"]:
            listener = _filter()
            message = json.dumps({"pid": os.getpid()}).encode()
            socket.send_fds(control, [message], [listener])
            os.close(listener)
        control.close()
        run(request["arguments"])
        status = 0
    except BaseException:  # noqa: BLE001 - all of it is shown, and nothing may go on in a fork
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _filter() -> int:
    """Put the filter on this process; the descriptor at which its calls are answered."""
    this = machine()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, *map(ctypes.c_ulong, (1, 0, 0, 0))) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    instructions = program(this)
    code = ctypes.create_string_buffer(instructions, len(instructions))
    fprog = struct.pack("@HP", len(instructions) // 8, ctypes.addressof(code))
    # From Linux 5.19 a signal does not make the kernel report a call a second time.
    for flags in (_NEW_LISTENER | _WAIT_KILLABLE, _NEW_LISTENER):
        listener = libc.syscall(this.seccomp, _SET_MODE_FILTER, flags, fprog)
        if listener >= 0:
            return listener
    raise OSError(ctypes.get_errno(), "system calls cannot be watched here: seccomp gives no listener")


if __name__ == "__main__":
    main(*sys.argv[1:])
