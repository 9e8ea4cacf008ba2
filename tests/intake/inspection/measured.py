"""One inspection in the sandbox, and what it used: seconds by the clock and of a processor, and memory at its peak.

It runs in a small process of its own, `python measured.py PATH AT ROOT…`: the peak that the system tells of a child is
never less than that of the process that started it, and a test that has made a hundred files is large.
"""

import json
import os
import resource
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from notary.intake.inspection.sandbox import PACKAGE_ROOT, Limits, inspect

# A machine that is busy changes nothing in what is told: the time that the child waited for a processor is taken off.
LIMITS = Limits(wall_seconds=500)
SECONDS, MEMORY = 20.0, 512


@dataclass(frozen=True)
class Used:
    """Seconds by the clock without those waited for a processor, seconds of a processor, MiB; of both processes."""

    wall: float
    processor: float
    memory: int

    def __str__(self):
        return (
            f"{self.wall:5.1f} s by the clock, {self.processor:5.1f} s of a processor, {self.memory:4d} MiB"
        )

    def within_bounds(self):
        return self.wall <= SECONDS and self.processor <= SECONDS and self.memory <= MEMORY


def measure(path, roots, at):
    """The report on `path` by `roots` (DER) at a time, and what was used for it."""
    folder = path.parent / f"{path.stem} roots"
    folder.mkdir(exist_ok=True)
    for number, root in enumerate(roots):
        (folder / f"{number}").write_bytes(root)
    command = [sys.executable, __file__, path, str(int(at.timestamp())), *sorted(folder.iterdir())]
    told = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": str(PACKAGE_ROOT)},
        capture_output=True,
        check=True,
        timeout=550,
    )
    answer = json.loads(told.stdout)
    return answer["report"], Used(**answer["used"])


class Waiting(threading.Thread):
    """Looks how long the child has waited for a processor: the second number of schedstat, in nanoseconds."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seconds = 0.0

    def run(self):
        children = Path(f"/proc/self/task/{os.getpid()}/children")
        while True:
            for child in children.read_text().split():
                try:
                    waited = int(Path(f"/proc/{child}/schedstat").read_text().split()[1])
                except OSError:  # it has ended in between
                    continue
                self.seconds = max(self.seconds, waited / 1e9)
            time.sleep(0.02)


def own_peak():
    """KiB; `ru_maxrss` of this process would begin with the peak of the test that started it."""
    (line,) = (row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith("VmHWM:"))
    return int(line.split()[1])


def main(path, at, *roots):
    waiting, start = Waiting(), time.monotonic()
    waiting.start()
    ders = [Path(root).read_bytes() for root in roots]
    found = inspect(Path(path), "application/pdf", ders, LIMITS, at=datetime.fromtimestamp(int(at), UTC))
    wall = time.monotonic() - start - waiting.seconds
    child, own = (resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF))
    processor = child.ru_utime + child.ru_stime + own.ru_utime + own.ru_stime
    used = Used(round(wall, 1), round(processor, 1), (child.ru_maxrss + own_peak()) >> 10)
    sys.stdout.write(json.dumps({"report": found.report, "used": asdict(used)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
