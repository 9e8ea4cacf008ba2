"""The processes of the Compose set-up, run by hand: PostgreSQL, chain, TSA, two APIs, two workers."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from notary.anchoring.rpc import Node
from notary.embedded.anvil import find_anvil
from notary.errors import AnchorUnavailable
from tests.postgres import own_postgres
from tests.tsa_process import running_tsa
from tests.warm import WarmProcess, run_warm

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def chain(folder):
    """Anvil with the flags of the Compose file, but on loopback and with its state in `folder`."""
    port = free_port()
    flags = [f for f in COMPOSE["services"]["chain"]["command"] if not f.startswith(("--host", "--state="))]
    command = [find_anvil(), "--host=127.0.0.1", f"--port={port}", f"--state={folder}/chain.json", *flags]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        node = Node(f"http://127.0.0.1:{port}", 31337)
        for _ in range(200):
            try:
                node.require_chain()
                break
            except AnchorUnavailable:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


class Processes:
    def __init__(self, stack, folder, environment):
        self.stack, self.folder, self.environment = stack, folder, environment

    def run(self, *arguments):
        status, out, err = run_warm(arguments, self.folder, self.environment)
        assert status == 0, out + err
        return out

    def start(self, name, *arguments, **variables):
        log = self.folder / f"{name}.log"
        return self._stopped(WarmProcess(arguments, log, log, self.environment | variables))

    def start_cold(self, name, *arguments, **variables):
        """As an operator does, with nothing loaded beforehand."""
        log = self.stack.enter_context((self.folder / f"{name}.log").open("wb"))
        command = [sys.executable, "-m", "notary", *arguments]
        return self._stopped(
            subprocess.Popen(command, env=self.environment | variables, stdout=log, stderr=log)
        )

    def _stopped(self, process):
        self.stack.callback(self.stop, process)
        return process

    def client(self, port, key=None):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30, trust_env=False, verify=False
        )
        return self.stack.enter_context(client)

    def stop(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)

    def log(self, name):
        return (self.folder / f"{name}.log").read_text()


@pytest.fixture
def processes(tmp_path):
    with ExitStack() as stack:
        server = stack.enter_context(own_postgres())  # one that syncs: of another nothing starts
        url = stack.enter_context(chain(tmp_path))
        tsa = stack.enter_context(running_tsa(tmp_path / "tsa"))
        base = {k: v for k, v in os.environ.items() if not k.startswith("NOTARY_")}
        settings = {
            k: v for k, v in COMPOSE["x-environment"].items() if k.endswith(("FEES", "ADDRESSES", "OPERATOR"))
        }
        (chain_settings,) = json.loads(COMPOSE["x-environment"]["NOTARY_CHAINS"])
        (tsa_settings,) = json.loads(COMPOSE["x-environment"]["NOTARY_TSAS"])
        environment = (
            base
            | settings
            | {
                "NOTARY_ORIGIN": "processes.example/log",
                "NOTARY_DATA_DIR": str(tmp_path / "data"),
                "NOTARY_DATABASE_URL": server.url.replace("/?", "/postgres?"),
                "NOTARY_CHAINS": json.dumps([chain_settings | {"rpc_urls": [url]}]),
                "NOTARY_TSAS": json.dumps(
                    [tsa_settings | {"url": tsa, "roots": [str(tmp_path / "tsa" / "root.pem")]}]
                ),
                "NOTARY_ANCHOR_INTERVAL_SECONDS": "2",
                "NOTARY_STAMP_INTERVAL_SECONDS": "1",
                "NOTARY_POLL_INTERVAL_SECONDS": "1",
            }
        )
        yield Processes(stack, tmp_path, environment)


def test_two_apis_and_two_workers_share_one_log_and_survive_the_death_of_the_active_worker(processes):
    processes.run("setup")
    processes.run("setup")  # harmless
    key = processes.run("tenant", "add", "Example").strip()
    ports = [free_port(), free_port()]
    for number, port in enumerate(ports):
        processes.start(f"api{number}", "serve", NOTARY_PORT=str(port))
    workers = [processes.start(f"worker{number}", "worker") for number in range(2)]
    apis = [processes.client(port, key) for port in ports]
    wait(lambda: all(answers(api) for api in apis), 90, processes)

    first = submit(apis[0], b"one")
    wait(lambda: nothing_due(apis[1], first), 60, processes)
    assert {a["kind"] for a in state(apis[1], first)["attestations"]} == {"rfc3161", "evm"}

    leader = next(w for w in workers if holds_lease(w, processes, apis[0]))
    leader.send_signal(signal.SIGKILL)
    leader.wait(10)
    second = submit(apis[1], b"two")
    wait(lambda: state(apis[0], second)["index"] is not None, 60, processes)  # the other took over

    trust = processes.folder / "trust.toml"
    anchored = [a for a in state(apis[0], first)["attestations"] if a["kind"] == "evm"]
    block = anchored[0]["detail"].split()[1].rstrip(";")
    trust.write_text(processes.run("trust", f"--block={block}"))
    package = processes.folder / "evidence.zip"
    package.write_bytes(apis[1].get(f"/v1/evidence/{first}/package").raise_for_status().content)
    document = processes.folder / "document"
    document.write_bytes(b"one")
    processes.run("verify", str(package), "--document", str(document), "--trust", str(trust))
    assert json.loads(processes.run("fsck", "--json"))["problems"] == []


def test_an_api_process_starts_without_log_head_and_wallet_key(processes):
    processes.run("setup")
    keys = processes.folder / "data" / "keys"
    for name in ("log.pem", "head.key", "wallet.key"):
        (keys / name).unlink()
    port = free_port()
    processes.start_cold("api", "serve", NOTARY_PORT=str(port))
    api = processes.client(port)
    wait(lambda: answers(api), 90, processes)
    assert api.get("/log/checkpoint").status_code == 200


def wait(condition, seconds, processes):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            logs = "\n".join(f"--- {p.name}\n{p.read_text()[-1500:]}" for p in processes.folder.glob("*.log"))
            pytest.fail(f"not within {seconds} s\n{logs}")
        time.sleep(0.2)


def answers(api):
    try:
        return api.get("/readyz").is_success
    except httpx.HTTPError:
        return False


def submit(api, document):
    answer = api.post("/v1/evidence", files={"file": ("document", document)})
    assert answer.status_code == 202, answer.text
    return answer.json()["number"]


def nothing_due(api, number):
    return state(api, number)["due"] == []


def state(api, number):
    return api.get(f"/v1/evidence/{number}").raise_for_status().json()


def holds_lease(worker, processes, api):
    """Whether entries stay unclosed while this worker sleeps."""
    worker.send_signal(signal.SIGSTOP)
    try:
        number = submit(api, os.urandom(8))
        time.sleep(4)
        return state(api, number)["index"] is None
    finally:
        worker.send_signal(signal.SIGCONT)
