"""Whose metrics a process shows, and where a worker shows its own."""

import socket
import subprocess
import sys
import urllib.request

import pytest

from notary import observe
from notary.errors import SettingsError

NAMES = """
from prometheus_client import REGISTRY
from notary import observe
names = lambda: {metric.name for metric in REGISTRY.collect()}
before = names()
observe.without_worker()
print(*sorted(before - names()), "|", *sorted(name for name in names() if name.startswith("notary")))
"""


def test_a_process_that_only_serves_shows_nothing_of_the_worker():
    done = subprocess.run([sys.executable, "-c", NAMES], capture_output=True, text=True, check=True)
    gone, kept = (part.split() for part in done.stdout.split("|"))
    assert set(kept) == {"notary_submissions", "notary_request_seconds"}
    assert {"notary_fsck_problems", "notary_pending_entries", "notary_lane_stopped"} < set(gone)


def test_a_worker_shows_its_own_where_it_is_told():
    with (
        observe.metrics_at("127.0.0.1", 0) as port,
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer,
    ):
        assert b"notary_fsck_problems" in answer.read()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=10)


def test_without_a_port_nothing_is_shown():
    with observe.metrics_at("127.0.0.1", None) as port:
        assert port is None


def test_a_port_that_is_taken_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(SettingsError, match=rf"at 127\.0\.0\.1 port {port}: .* NOTARY_METRICS_PORT$"),
            observe.metrics_at("127.0.0.1", port),
        ):
            pass
