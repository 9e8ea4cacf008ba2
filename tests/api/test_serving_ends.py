"""A served process whose disk fails ends, with a status that whoever runs it sees."""

import os
import socket
import subprocess
import sys
import time

import httpx


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_serving_ends_when_the_database_is_damaged(service, tmp_path):
    data = service.settings.data_dir
    service.accepted()
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("NOTARY_")}
    environment |= {
        "NOTARY_DATA_DIR": str(data), "NOTARY_ORIGIN": service.settings.origin, "NOTARY_OPERATOR": "Example Ltd",
        "NOTARY_PORT": str(port),
    }  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "notary", "serve"], env=environment, stdout=log, stderr=log
        )
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=False, timeout=30
        ) as client:
            end = time.monotonic() + 60
            while not answers(client):
                assert process.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < end, (tmp_path / "log").read_text()
                time.sleep(0.1)
            assert "notary_fsck_problems" not in client.get("/metrics").text  # a worker's
            assert refuses(client, {"X-Long": "a" * 2**22})
            for name in ("notary.db", "notary.db-wal"):
                size = (data / name).stat().st_size
                with (data / name).open("r+b") as file:
                    file.write(b"\xff" * size)
            assert client.get("/readyz").status_code == 500
        assert process.wait(30) == 2
    finally:
        process.kill()
        process.wait()
    told = (tmp_path / "log").read_text()
    assert "this process cannot go on; stopping" in told
    assert "disk_failed: the database file cannot be trusted any more" in " ".join(told.split())


def refuses(client, headers) -> bool:
    """With 431, or by a connection that is closed before all was sent."""
    try:
        return client.get("/healthz", headers=headers).status_code == 431
    except httpx.TransportError:
        return True


def answers(client) -> bool:
    try:
        return client.get("/healthz").is_success
    except httpx.HTTPError:
        return False
