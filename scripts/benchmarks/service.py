"""A service to be measured: its database and folder, its API in processes of its own, and whether it told the truth."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from local_postgres import new_database, own_postgres

from notary import keys, wiring
from notary.settings import Settings
from notary.settings.loading import load_settings
from notary.store.connecting import open_database
from notary.store.engine import Database
from notary.store.migrate import migrate

ORIGIN = "log.example.org/bench"
SCRIPTS = Path(__file__).resolve().parents[1]
# fsync and synchronous_commit are on by default, and said all the same: everything here rests on them.
SERVER = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
}
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Place:
    """A service on disk: address of the database, data folder, an API key and whose it is."""

    url: str
    data: Path
    key: str
    tenant_id: int

    def settings(self) -> Settings:
        """Its settings; nothing is refused for waiting too long."""
        return load_settings(**_settings(self.url, self.data))

    @contextmanager
    def database(self) -> Iterator[Database]:
        """Its database, opened in this process."""
        database = open_database(self.url)
        try:
            yield database
        finally:
            database.dispose()


@dataclass(frozen=True, slots=True)
class Server:
    """An API process that serves."""

    port: int
    pid: int

    def peak_mib(self) -> float:
        """The most memory that it ever held (VmHWM)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@contextmanager
def on_postgresql(data: Path) -> Iterator[Place]:
    """A new service on a PostgreSQL server of its own, which flushes as one in production does."""
    with own_postgres(SERVER) as server:
        yield make(new_database(server), data)


def make(url: str, data: Path) -> Place:
    """Make a service: keys, tables, entry 0, an organisation."""
    settings = load_settings(**_settings(url, data))
    keys.create(data / "keys")
    database = open_database(url)
    migrate(database)
    wiring.open_new_log(settings, 1, bytes(20), bytes(32))
    assembly = wiring.build(settings)
    key = assembly.services.tenants.add("benchmark")
    tenant_id = assembly.services.tenants.authenticate(key, "submit").tenant_id
    assembly.close()
    database.dispose()
    return Place(url, data, key, tenant_id)


def _settings(url: str, data: Path) -> dict[str, object]:
    return {
        "data_dir": data,
        "origin": ORIGIN,
        "operator": "Benchmark",
        "database_url": url,
        "max_pending": 10**9,
        "close_promise_seconds": 86_400,
    }


def environment(place: Place) -> dict[str, str]:
    """Of a process that works on this service."""
    settings = {
        f"NOTARY_{name.upper()}": str(value) for name, value in _settings(place.url, place.data).items()
    }
    return os.environ | settings | {"PYTHONPATH": os.pathsep.join([str(SCRIPTS), str(SCRIPTS.parent)])}


@contextmanager
def serving(place: Place, mode: str = "as-is") -> Iterator[Server]:
    """The API in a process of its own, in a mode of `intake_server`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.intake_server", mode, str(port)]
    process = subprocess.Popen(command, env=environment(place))
    try:
        _wait(process, port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz").raise_for_status()
        except httpx.TransportError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
