"""Run a module's `main` in a fresh process, and decide about each of its write-type system calls.

No privilege is needed, and no program but Python: the process asks for it by seccomp(2), and waits in the kernel
at each such call until it is answered here.
"""

import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from tests.faults.call import WRITES, Call
from tests.faults.syscalls import machine
from tests.faults.tracee import STACK

ROOT = Path(__file__).resolve().parents[2]
_RECEIVE, _SEND, _ADD_DESCRIPTOR = 0xC0502100, 0xC0182101, 0x40182103  # SECCOMP_IOCTL_NOTIF_…
_CONTINUE, _ADD_AND_SEND = 1, 2
# struct seccomp_notif: id, pid, flags, then seccomp_data: number, arch, instruction pointer, six arguments.
_NOTIFICATION = struct.Struct("<QIIiIQ6Q")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call gets: by default it goes on as if nobody had looked.

    Attributes:
        error: it is not made, and fails with this.
        value: it is not made, and returns this.
        descriptor: it is not made, and returns a descriptor of this one's file; closed here afterwards.
        kill: the whole process is killed instead.
    """

    error: int | None = None
    value: int | None = None
    descriptor: int | None = None
    kill: bool = False


PASS = Answer()
KILL = Answer(kill=True)


class Watcher(Protocol):
    """Who decides."""

    def call(self, call: Call) -> Answer:
        """A write-type call is about to be made; the process waits."""

    def mark(self, line: str) -> None:
        """A line is about to be written to standard output."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: exit status, or minus the signal; lines of standard output; standard error."""

    status: int
    lines: list[str]
    stderr: str


class Tracee:
    """A module in a process of its own; each run is a fresh fork of it."""

    def __init__(self, module: str) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "tests.faults.tracee", str(theirs.fileno()), module]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[theirs.fileno()])
        theirs.close()
        self._control = ours
        assert self._control.recv(STACK), f"{module} cannot be imported"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self._control.close()
        self._process.wait(60)

    def run(self, arguments: list[str], watcher: Watcher | None = None, *, seconds: float = 60) -> Ended:
        """Run `main(arguments)`, watched if there is a watcher; what it leaves running is killed.

        Raises:
            TimeoutError: it did not end in time, and was killed.
        """
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "stdout"), Path(folder, "stderr")
            out.touch()
            err.touch()
            request = {
                "arguments": arguments,
                "output": [str(out), str(err)],
                "watched": watcher is not None,
            }
            self._control.send(json.dumps(request).encode())
            message, descriptors, _, _ = socket.recv_fds(self._control, STACK, 1)
            if descriptors:
                pid = json.loads(message)["pid"]
                try:
                    self._supervise(_Listener(descriptors[0], pid, out.stat()), watcher, seconds)
                finally:
                    os.close(descriptors[0])  # a call that is still waiting fails
                    with suppress(ProcessLookupError):
                        os.killpg(pid, signal.SIGKILL)
                    message = self._control.recv(STACK)
            status = json.loads(message)["status"]
            assert watcher is None or descriptors, err.read_text()
            return Ended(status, out.read_text().split("\n")[:-1], err.read_text())

    def _supervise(self, listener: "_Listener", watcher: Watcher, seconds: float) -> None:
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(listener.fd, select.POLLIN)
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            events = dict(poll.poll(max(0, left) * 1000))
            if not events:
                raise TimeoutError(f"the watched process did not end in {seconds} seconds")
            if events.get(listener.fd, 0) & select.POLLIN:
                listener.answer_next(watcher)
            elif self._control.fileno() in events:
                return
            elif events.get(listener.fd, 0) & select.POLLHUP:
                poll.unregister(listener.fd)


@dataclass(frozen=True, slots=True)
class _Listener:
    fd: int
    pid: int
    out: os.stat_result

    def answer_next(self, watcher: Watcher) -> None:
        buffer = bytearray(_NOTIFICATION.size)
        try:
            fcntl.ioctl(self.fd, _RECEIVE, buffer)
        except OSError:  # the thread died, or was woken by a signal and will ask again
            return
        identity, pid, _, number, _, _, *args = _NOTIFICATION.unpack(buffer)
        call = Call(pid, machine().numbers[number], tuple(args))
        try:
            answer = self._answer(call, watcher)
        except (FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{pid}").exists():
                raise
            return  # killed while we looked
        with suppress(FileNotFoundError):  # the same
            self._send(identity, answer)

    def _answer(self, call: Call, watcher: Watcher) -> Answer:
        if call.name in WRITES and self._is_output(call):
            for line in call.data().decode().splitlines():
                watcher.mark(line)
            return PASS
        return watcher.call(call)

    def _is_output(self, call: Call) -> bool:
        try:
            return os.path.samestat(call.stat(), self.out)
        except FileNotFoundError:
            return False

    def _send(self, identity: int, answer: Answer) -> None:
        if answer.kill:
            os.kill(self.pid, signal.SIGKILL)
        elif answer.descriptor is not None:
            added = struct.pack("<QIIII", identity, _ADD_AND_SEND, answer.descriptor, 0, os.O_CLOEXEC)
            try:
                fcntl.ioctl(self.fd, _ADD_DESCRIPTOR, added)
            finally:
                os.close(answer.descriptor)
        else:
            goes_on = answer.error is None and answer.value is None
            error, flags = -(answer.error or 0), _CONTINUE if goes_on else 0
            fcntl.ioctl(self.fd, _SEND, struct.pack("<QqiI", identity, answer.value or 0, error, flags))
