"""The embedded service as a user starts it, and a document's evidence as a user takes it out."""

import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from asn1crypto import pem

from notary.cli.client import Client
from notary.cli.remote import with_document
from notary.embedded.contract import make_contract
from notary.merkle.hashing import hash_leaf
from notary.merkle.tree import root_of
from tests.warm import WarmProcess, run_warm

NOTARY = [sys.executable, "-m", "notary"]
ANCHORED = "Anchored(bytes32,uint64,uint64,bytes32)"
START_SECONDS = 90
STOP_SECONDS = 40
FINAL_SECONDS = 120


def environment(**more):
    """What a process of ours gets: nothing of the settings of whoever runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "NOTARY_ANVIL") if name in os.environ}
    return kept | {"LANG": "C.UTF-8", "HOME": "/nonexistent"} | more


def processes_in(folder):
    """Command lines by number of every process that names `folder` or something in it."""
    marks = os.fsencode(folder) + b"/", os.fsencode(folder) + b"\x00"
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue  # ended in between
        if any(mark in command for mark in marks):
            found[int(path.parent.name)] = command.replace(b"\x00", b" ").decode(errors="replace")
    return found


class DevService:
    """`notary dev` in a folder of its own: started, stopped, killed and started again at the same address."""

    def __init__(self, folder, signer_roots=(), *, warm=False):
        self.folder = folder
        self.warm = warm  # loaded beforehand (tests/warm.py)
        self.data = folder / "data"
        self.log = folder / "service.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment(NOTARY_SIGNER_ROOTS=json.dumps([str(p) for p in signer_roots]))
        self.key = folder / "api-key"
        self.process = None
        self._client = None
        folder.mkdir(parents=True, exist_ok=True)

    def launch(self):
        arguments = ["dev", "--data-dir", self.data, "--port", str(self.port)]
        if self.warm:
            self.process = WarmProcess(arguments, self.log, self.log, self.environment)
            return
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*NOTARY, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment
            )

    def wait_ready(self):
        end = time.monotonic() + START_SECONDS
        with httpx.Client(timeout=2, trust_env=False, verify=False) as http:
            while time.monotonic() < end and self.process.poll() is None:
                try:
                    if http.get(f"{self.url}/readyz").is_success:
                        return
                except httpx.HTTPError:
                    pass
                time.sleep(0.05)
        raise AssertionError(f"not ready, status {self.process.poll()}: {self.words()}")

    def start(self):
        self.launch()
        self.wait_ready()
        if not self.key.exists():
            self.key.write_text(self.run("tenant", "add", "first", "--data-dir", self.data))
        return self

    def stop(self, number=signal.SIGINT):
        """Stop it as Ctrl-C does; nothing that it started may go on."""
        self.process.send_signal(number)
        status = self.process.wait(STOP_SECONDS)
        left = processes_in(self.data)
        assert (status, left) == (0, {}), self.words()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        """For the end of a test that may have failed: no process of this folder goes on."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        for number in processes_in(self.data):
            os.kill(number, signal.SIGKILL)
        if self._client is not None:
            self._client.close()

    def run(self, *arguments, expected=0):
        status, out, err = self.attempt(*arguments)
        assert status == expected, out + err
        return out

    def attempt(self, *arguments):
        """A command in a process loaded beforehand: its status and what it said."""
        return run_warm(arguments, self.folder, self.environment)

    def words(self):
        return self.log.read_text(errors="replace")[-3000:]

    @property
    def client(self):
        self._client = self._client or Client(self.url, self.key)
        return self._client

    def http(self):
        headers = {"Authorization": f"Bearer {self.key.read_text().strip()}"}
        # No certificate is ever looked at here, and loading the authorities' would cost more than a request.
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False, verify=False)

    def submit(self, name="contract.txt", data=b"a contract\n", key=None, **request):
        with self.http() as http:
            headers = {"Idempotency-Key": key} if key else {}
            form = {"request": json.dumps(request)}
            answer = http.post("/v1/evidence", files={"file": (name, data)}, data=form, headers=headers)
        assert answer.status_code == 202, answer.text
        return answer.json()

    def submit_json(self, **request):
        with self.http() as http:
            answer = http.post("/v1/evidence", json=request)
        assert answer.status_code == 202, answer.text
        return answer.json()

    def wait_final(self, *numbers, seconds=FINAL_SECONDS):
        """Until nothing of these is due any more; returns their states."""
        end = time.monotonic() + seconds
        client, states = self.client, {}
        for number in numbers:
            while (state := client.state(number))["due"]:
                assert time.monotonic() < end, f"still due: {state}\n{self.words()}"
                time.sleep(0.2)
            states[number] = state
        return states

    def ask_chain(self, method, *parameters):
        """The chain's own word, past all code of ours."""
        chain = json.loads((self.data / "embedded.json").read_text())["chain_url"]
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        answer = httpx.post(chain, json=body, timeout=20, trust_env=False, verify=False).json()
        assert "result" in answer, answer
        return answer["result"]

    def anchored(self):
        """Every event on the chain, oldest first: old size, new size, root."""
        stored = json.loads((self.data / "embedded.json").read_text())
        topic = self.ask_chain("web3_sha3", "0x" + ANCHORED.encode().hex())
        wanted = {"address": "0x" + stored["contract"], "topics": [topic], "fromBlock": "0x0"}
        events = [bytes.fromhex(event["data"][2:]) for event in self.ask_chain("eth_getLogs", wanted)]
        return [(int.from_bytes(e[:32]), int.from_bytes(e[32:64]), e[64:]) for e in events]

    def checkpoint(self):
        """Size and root (base64) of the newest checkpoint."""
        with self.http() as http:
            _origin, size, root, *_ = http.get("/log/checkpoint").text.split("\n")
        return int(size), root

    def entries(self):
        """Every entry of the published log (C2SP tlog-tiles: bundles of 256)."""
        size, found = self.checkpoint()[0], []
        with self.http() as http:
            for first in range(0, size, 256):
                width = min(256, size - first)
                name = f"{first // 256:03}" + ("" if width == 256 else f".p/{width}")
                data = http.get(f"/log/tile/entries/{name}").content
                assert len(data) == 34 * width  # two bytes of length before each
                found += [data[at + 2 : at + 34] for at in range(0, len(data), 34)]
        return found

    def root_at(self, size):
        """The root of the published log's first `size` entries."""
        return root_of([hash_leaf(entry) for entry in self.entries()[:size]])

    def trust(self, *packages):
        """The trust file: the service's keys, and the hashes of these packages' blocks by the chain's word."""
        named = [argument for package in packages for argument in ("--package", package)]
        return self.run("trust", "--data-dir", self.data, *named)


def assert_one_chain_of_heads(events, service):
    """Each anchor starts where the one before it ended; no size stands twice, each has the root of the log."""
    assert events
    assert_one_chain(events, service.entries())


def assert_one_chain(events, entries):
    leaves, last = [hash_leaf(entry) for entry in entries], 0
    for old, new, root in events:
        assert old == last < new, f"sizes {old} to {new} after {last}"
        assert root == root_of(leaves[:new]), f"another root at size {new}"
        last = new


@dataclass(frozen=True)
class Evidence:
    """A folder with what `make demo` leaves in one."""

    folder: Path
    answer: dict
    service: DevService

    @property
    def number(self):
        return self.answer["number"]

    def __truediv__(self, name):
        return self.folder / name


def take_out(service, answer, document, folder):
    """Wait until it is final and save everything."""
    number = answer["number"]
    service.wait_final(number)
    client = service.client
    (folder / "statement.json").write_bytes(client.download(number, "statement"))
    (folder / "receipt.txt").write_bytes(client.download(number, "receipt"))
    (folder / "proof.tlog-proof").write_bytes(client.download(number, "proof"))
    (folder / "report.pdf").write_bytes(client.download(number, "report"))
    package = client.download(number, "package")
    (folder / "evidence.zip").write_bytes(with_document(package, document) if document else package)
    (folder / "trust.toml").write_text(service.trust(folder / "evidence.zip"))
    return Evidence(folder, answer, service)


@pytest.fixture(scope="session")
def signed_contract(tmp_path_factory):
    """A contract signed by two parties, beside the certificate `root.pem` of their CA."""
    folder = tmp_path_factory.mktemp("contract")
    root = make_contract(folder / "document.pdf", folder)
    (folder / "root.pem").write_bytes(pem.armor("CERTIFICATE", root))
    return folder / "document.pdf"


@pytest.fixture(scope="session")
def dev_service(tmp_path_factory, signed_contract):
    """One running service for all tests of a worker; at the end it stops and leaves no process behind."""
    service = DevService(tmp_path_factory.mktemp("dev"), [signed_contract.with_name("root.pem")])
    try:
        yield service.start()
        service.stop()
    finally:
        service.end()


@pytest.fixture(scope="session")
def evidence(dev_service, signed_contract, tmp_path_factory):
    """The signed contract, final: every file as the demo writes it. Others stand before and after it in the log."""
    folder = tmp_path_factory.mktemp("evidence")
    (folder / "document.pdf").write_bytes(signed_contract.read_bytes())

    def other(_):
        return dev_service.submit_json(digests={"sha-256": secrets.token_hex(32)})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(other, range(5)))
        answer = dev_service.submit("document.pdf", signed_contract.read_bytes(), title="A contract 合同")
        list(pool.map(other, range(3)))
    return take_out(dev_service, answer, folder / "document.pdf", folder)


@pytest.fixture
def warm_service(tmp_path):
    """A service of the test's own, which it may stop, kill and spoil. It is not started yet."""
    service = DevService(tmp_path / "own", warm=True)
    yield service
    service.end()


@pytest.fixture
def seeded(request):
    """Random numbers; the seed is shown where the test fails, and NOTARY_SEED sets it."""
    seed = os.environ.get("NOTARY_SEED") or secrets.token_hex(4)
    sys.stdout.write(f"{request.node.name}: NOTARY_SEED={seed}\n")
    return random.Random(seed)
