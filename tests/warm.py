"""`notary` without the seconds that loading takes: forked from a process that has loaded everything.

Where a test starts the service many times those seconds would be most of it, and most kills would hit them.
What runs is the same command in a process of its own; `dev_service` takes the way of a user. The process has no
command line of its own: `processes_in` finds its children, and not itself.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
from multiprocessing import connection

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["notary.cli.main", "notary.cli.operate", "notary.cli.remote", "eth_account"])


def _become(arguments, out, err, environment):
    from notary.cli.main import main  # noqa: PLC0415 - in the new process alone

    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), number)
    sys.argv = ["notary", *arguments]
    main()


class WarmProcess:
    """What a test needs of `subprocess.Popen`."""

    def __init__(self, arguments, out, err, environment):
        words = [str(argument) for argument in arguments]
        self._process = _CONTEXT.Process(target=_become, args=(words, str(out), str(err), environment))
        self._process.start()
        self.pid = self._process.pid

    def poll(self):
        return self._process.exitcode

    def wait(self, timeout=None):
        self._process.join(timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired("notary", timeout)
        return self.poll()

    def wait_gone(self):
        """Until it is dead; another thread may be in `wait` meanwhile, which is for one alone."""
        assert connection.wait([self._process.sentinel], 20)

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)
