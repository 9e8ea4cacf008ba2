"""kill -9 of the whole service, ten times, at random moments, while documents are submitted.

What was acknowledged becomes evidence; what was not is sent again and becomes evidence once.
"""

import base64
import io
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

import httpx
import pytest

from notary.evidence.package import digest_stream, read_package
from notary.evidence.trust import parse_trust
from notary.evidence.verify import verify
from tests.dev_service import assert_one_chain_of_heads

DOCUMENTS = 200
KILLS = 10
CLIENTS = 4


class Platform:
    """A customer: sends each document until it is acknowledged, and writes every acknowledgement down."""

    def __init__(self, service, journal, bodies, rng):
        self.service = service
        self.journal = journal.open("a", encoding="utf-8")
        self.bodies = bodies
        self.acknowledged = {}
        self.retries = 0
        self._lock = threading.Lock()
        self._queue = SimpleQueue()
        for number in range(len(bodies)):
            self._queue.put(number)
        self._pauses = [rng.uniform(0.05, 0.45) for _ in bodies]

    def work(self):
        with self.service.http() as http:
            while True:
                try:
                    number = self._queue.get_nowait()
                except Empty:
                    return
                answer = self.send(http, number)
                with self._lock:
                    self.journal.write(json.dumps({"document": number, "answer": answer}) + "\n")
                    self.journal.flush()
                    os.fsync(self.journal.fileno())
                    self.acknowledged[number] = answer
                time.sleep(self._pauses[number])

    def send(self, http, number):
        name, body = self.bodies[number]
        headers = {"Idempotency-Key": f"document-{number}"}
        while True:
            try:
                answer = http.post("/v1/evidence", files={"file": (name, body)}, headers=headers)
            except httpx.HTTPError:
                self.retries += 1
                time.sleep(0.05)
                continue
            assert answer.status_code == 202, answer.text
            return answer.json()


class Watcher:
    """Writes down every checkpoint that the service shows."""

    def __init__(self, service):
        self.service = service
        self.seen = {}
        self.stop = threading.Event()

    def watch(self):
        while not self.stop.wait(0.05):
            try:
                size, root = self.service.checkpoint()
            except (httpx.HTTPError, ValueError):
                continue
            assert self.seen.setdefault(size, root) == root, f"two roots for size {size}"


def bodies(signed_contract):
    """Few are PDF files: each of those is inspected in a process of its own."""
    pdf = signed_contract.read_bytes()
    texts = [("letter.txt", f"letter {number}\n".encode() * 20) for number in range(DOCUMENTS - 4)]
    return texts + [("contract.pdf", pdf + b"\n" * number) for number in range(4)]


def kill_at_a_random_moment(service, rng):
    """Start it and kill it: one time in four while it starts, else while it serves."""
    service.launch()
    if rng.random() < 0.25:
        time.sleep(rng.uniform(0.5, 4))
    else:
        service.wait_ready()
        time.sleep(rng.uniform(0, 1.2))
    service.kill()


@pytest.mark.slow
def test_what_was_acknowledged_becomes_evidence_once(own_service, signed_contract, seeded, tmp_path):
    service = own_service.start()
    sent = bodies(signed_contract)
    seeded.shuffle(sent)
    platform = Platform(service, tmp_path / "journal", sent, seeded)
    watcher = Watcher(service)
    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        watching = pool.submit(watcher.watch)
        working = [pool.submit(platform.work) for _ in range(CLIENTS)]
        try:
            time.sleep(seeded.uniform(0, 1))
            service.kill()
            for _ in range(KILLS - 1):
                assert len(platform.acknowledged) < DOCUMENTS, "all was sent before the last kill"
                kill_at_a_random_moment(service, seeded)
            service.start()
            for job in working:
                job.result(90)
        finally:
            watcher.stop.set()
        watching.result(10)
    platform.journal.close()
    assert platform.retries

    records = wait_for_all(service, "document", DOCUMENTS)
    assert {r["number"] for r in records} == {a["number"] for a in platform.acknowledged.values()}
    assert len({r["index"] for r in records}) == len({r["entry"] for r in records}) == DOCUMENTS
    assert_answered_as_before(platform)
    assert_evidence_of_each(service, platform, tmp_path)
    assert_one_chain_of_heads(service.anchored(), service)
    assert watcher.seen
    for size, root in watcher.seen.items():
        assert service.root_at(size) == base64.b64decode(root), size
    service.stop()
    assert service.run("fsck", "--data-dir", service.data).startswith("0 problems")


def wait_for_all(service, kind, count):
    """The organisation's records of a type, once nothing is due for any of them."""
    end = time.monotonic() + 90
    with service.http() as http:
        while True:
            page = http.get("/v1/evidence", params={"limit": 200, "type": kind}).json()
            assert page["next"] is None
            due = [record for record in page["records"] if record["due"]]
            if not due and len(page["records"]) >= count:
                return page["records"]
            assert time.monotonic() < end, (len(page["records"]), due[:3], service.words())
            time.sleep(0.3)


def assert_answered_as_before(platform):
    """The same request with the same Idempotency-Key, long after the kill: the same receipt."""
    with platform.service.http() as http:
        for number, answer in platform.acknowledged.items():
            assert platform.send(http, number) == answer


def assert_evidence_of_each(service, platform, folder):
    packages = {}
    for number, answer in platform.acknowledged.items():
        packages[number] = folder / f"{number}.zip"
        packages[number].write_bytes(service.client.download(answer["number"], "package"))
    trust = parse_trust(service.trust(*packages.values()).encode())
    for number, path in packages.items():
        answer, (_, body) = platform.acknowledged[number], platform.bodies[number]
        with path.open("rb") as stream:
            package = read_package(stream)
        assert package.files["statement.json"].decode() == answer["statement"]
        assert package.files["receipt.txt"].decode() == answer["receipt"]
        report = verify(package, trust, digest_stream(io.BytesIO(body)))
        passed = {check.id for check in report.checks if check.outcome.value == "passed"}
        assert report.outcome.value == "passed", (number, report.failures())
        assert {"2.3", "3.1", "3.2", "4.1", "4.2", "4.3", "5.1", "6.4", "8.1"} <= passed, (number, passed)
