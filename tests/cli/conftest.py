"""The command line in this process, and a service for it to speak to."""

import sys
import threading
import time
from dataclasses import dataclass

import pytest
import structlog
import uvicorn

from notary.cli.main import main
from tests.api.service import Service


@dataclass
class Done:
    status: int
    out: str
    err: str


@pytest.fixture
def notary(capfdbinary, monkeypatch):
    """Runs a command as the program does."""
    for name in ("NOTARY_URL", "NOTARY_API_KEY_FILE", "NOTARY_CONFIG", "NOTARY_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments, expected=0) -> Done:
        monkeypatch.setattr(sys, "argv", ["notary", *map(str, arguments)])
        capfdbinary.readouterr()
        status = 0
        try:
            main()
        except SystemExit as stop:
            status = stop.code or 0
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        done = Done(status, out.decode("utf-8", "surrogateescape"), err.decode())
        assert done.status == expected, done
        assert "Traceback" not in done.err
        return done

    before = structlog.get_config()
    yield run
    structlog.configure(**before)  # commands of the service set their own log up


@pytest.fixture
def served(tmp_path):
    """A service on a port of its own: its address, the file of a key, and the service."""
    # Where nothing is closed for half of the time that is promised for it, submissions are refused.
    service = Service(tmp_path / "service", {"close_promise_seconds": 3600})
    config = uvicorn.Config(service.app, "127.0.0.1", 0, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        key = tmp_path / "key"
        key.write_text(service.key + "\n")
        yield f"http://127.0.0.1:{port}", key, service
    finally:
        server.should_exit = True
        thread.join(20)
        service.end()
