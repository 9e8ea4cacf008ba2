"""Answer the n-th write-type system call on a folder with a kill or an error, before or after it is done."""

import errno
import os
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.faults.call import OPENS, Call
from tests.faults.watch import KILL, PASS, Answer, Ended, Tracee

BEGIN, END = "begin", "end"  # lines of a program's output between which its calls count


class How(StrEnum):
    """What happens at the call."""

    KILL_BEFORE = "killed before"  # the call is not made
    KILL_AFTER = "killed after"  # the call is made, and the process never learns it
    EIO = "EIO"
    ENOSPC = "ENOSPC"
    EIO_AFTER = "EIO after"  # the call is made and answered with an error: what a failed fsync may have done


_ERRORS = {How.EIO: errno.EIO, How.ENOSPC: errno.ENOSPC, How.EIO_AFTER: errno.EIO}


@dataclass(frozen=True, slots=True)
class Fault:
    """At which call, from 1, and what; `lasting` faults meet every later call as well."""

    at: int
    how: How
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the run ended, the calls that counted, and the one that the fault met (None: there were fewer)."""

    ended: Ended
    calls: list[str]
    hit: str | None


def run(
    tracee: Tracee, arguments: list[str], folder: Path, fault: Fault | None = None, *, sockets: bool = False
) -> Outcome:
    """Run, with a fault or, without one, only counting.

    What counts are the calls that touch something in the folder, and with `sockets` those that send, of all threads
    and children, from the program's line `begin` on standard output to its line `end`.
    """
    counting = _Injector(folder.resolve(), fault, sockets)
    ended = tracee.run(arguments, counting)
    return Outcome(ended, counting.calls, counting.hit)


@dataclass
class _Injector:
    folder: Path
    fault: Fault | None
    sockets: bool = False
    calls: list[str] = field(default_factory=list)
    hit: str | None = None
    counts: bool = False

    def mark(self, line: str) -> None:
        self.counts = (self.counts or line == BEGIN) and line != END

    def call(self, call: Call) -> Answer:
        if not self.counts or call.name == "mmap" or not (call.touches(self.folder) or self._sends(call)):
            return PASS
        self.calls.append(_shown(call, self.folder))
        if self.fault is None or not self._meets(self.fault):
            return PASS
        self.hit = self.hit or self.calls[-1]
        if self.fault.how in (How.KILL_AFTER, How.EIO_AFTER):
            _done(call)
        error = _ERRORS.get(self.fault.how)
        return KILL if error is None else Answer(error=error)

    def _sends(self, call: Call) -> bool:
        return self.sockets and call.fd is not None and call.paths[0].startswith("socket:")

    def _meets(self, fault: Fault) -> bool:
        return len(self.calls) == fault.at or (fault.lasting and len(self.calls) > fault.at)


def _done(call: Call) -> None:
    with suppress(OSError):  # then it would have failed by itself
        result = call.perform()
        if call.name in OPENS:
            os.close(result)


def _shown(call: Call, folder: Path) -> str:
    if call.paths and call.paths[0].startswith("socket:"):
        return f"{call.name}(socket)"
    names = [os.path.relpath(path, folder) for path in call.paths]
    return f"{call.name}({', '.join(names)})"
