"""`notary` without the seconds that loading takes: forked from a process that has loaded everything.

Where a test starts the service many times those seconds would be most of it, and most kills would hit them.
What runs is the same command in a process of its own; `dev_service` takes the way of a user. The process has no
command line of its own: `processes_in` finds its children, and not itself.
"""

import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from multiprocessing import connection
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
_LOADED = (
    "notary.cli.operate",
    "notary.cli.remote",
    "notary.wiring.steps",
    "notary.report.seal",
    "web3",
    "uvloop",
)
CONTEXT.set_forkserver_preload(["notary.cli.main", *_LOADED])


def _become(module, arguments, out, err, environment):
    program = importlib.import_module(module)
    sys.setrecursionlimit(1000)  # that of a new interpreter, which web3 changes
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), number)
    sys.argv = ["notary", *arguments]
    program.main()


class WarmProcess:
    """What a test needs of `subprocess.Popen`."""

    def __init__(self, arguments, out, err, environment, module="notary.cli.main"):
        for path in (out, err):
            Path(path).touch()  # whoever reads it need not wait for the process
        words = [str(argument) for argument in arguments]
        self._process = CONTEXT.Process(target=_become, args=(module, words, str(out), str(err), environment))
        self._process.start()
        self.pid = self._process.pid

    def poll(self):
        return self._process.exitcode

    def wait(self, timeout=None):
        self._process.join(timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired("notary", timeout)
        return self.poll()

    def state(self):
        """A letter: `T` where it is stopped (proc(5))."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]

    def wait_gone(self):
        """Until it is dead; another thread may be in `wait` meanwhile, which is for one alone."""
        assert connection.wait([self._process.sentinel], 20)

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def run_warm(arguments, folder, environment, module="notary.cli.main"):
    """A command to its end: its status and what it said. `folder` holds that meanwhile."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        out, err = Path(name, "out"), Path(name, "err")
        process = WarmProcess(arguments, out, err, environment, module)
        try:
            status = process.wait(120)
        finally:
            process.kill()
        return status, out.read_text(), err.read_text()
