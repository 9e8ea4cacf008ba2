"""kill -9 of the whole service, again and again, at random moments, while documents are submitted.

What was acknowledged becomes evidence; what was not is sent again and becomes evidence once.
"""

import base64
import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import httpx
import pytest

from notary.evidence.package import digest_stream, read_package
from notary.evidence.trust import parse_trust
from notary.evidence.verify import verify
from notary.merkle.hashing import hash_leaf
from notary.merkle.tree import root_of
from tests.dev_service import assert_one_chain, assert_one_chain_of_heads

pytestmark = pytest.mark.crash

PDFS = 2  # few: each is inspected in a process of its own, or given up after three deaths of the service
FULL = (pytest.mark.faults, pytest.mark.timeout(3600))
KILLS = 3
MORE_KILLS = 10
REST = 10  # documents that are submitted after the last kill
ROUND = 12  # documents that are submitted from one kill to the next
CLIENTS = 4


class Platform:
    """A customer: sends each document until it is acknowledged, and keeps every acknowledgement."""

    def __init__(self, service, bodies, rng):
        self.service = service
        self.bodies = bodies
        self.acknowledged = {}
        self.broken_off = 0  # answers that never came, to requests that were sent
        self._given_up = threading.Event()
        self._queue = SimpleQueue()
        self._given = 0
        self._pauses = [rng.uniform(0.02, 0.3) for _ in bodies]

    def give(self, count):
        """Have that many more documents sent."""
        for number in range(self._given, self._given + count):
            self._queue.put(number)
        self._given += count

    def end(self):
        """Nothing more will be given."""
        for _ in range(CLIENTS):
            self._queue.put(None)

    def give_up(self):
        """Nor is any answer awaited: the test has failed."""
        self._given_up.set()
        self.end()

    @property
    def waiting(self):
        return self._given - len(self.acknowledged)

    def work(self):
        with self.service.http() as http:
            while (number := self._queue.get()) is not None:
                self.acknowledged[number] = self.send(http, number)
                time.sleep(self._pauses[number])

    def send(self, http, number):
        name, body = self.bodies[number]
        headers = {"Idempotency-Key": f"document-{number}"}
        while not self._given_up.is_set():
            try:
                answer = http.post("/v1/evidence", files={"file": (name, body)}, headers=headers)
            except httpx.HTTPError as error:
                self.broken_off += not isinstance(error, httpx.ConnectError)
                time.sleep(0.05)
                continue
            assert answer.status_code == 202, answer.text
            return answer.json()
        raise AssertionError("given up")


class Watcher:
    """Writes down every checkpoint that the service shows."""

    def __init__(self, service):
        self.service = service
        self.seen = {}
        self.stop = threading.Event()

    def watch(self):
        with self.service.http() as http:
            while not self.stop.wait(0.1):
                try:
                    answer = http.get("/log/checkpoint")
                except httpx.HTTPError:
                    continue
                if answer.status_code != 200:
                    continue
                self.note(answer.text)

    def note(self, checkpoint):
        _origin, size, root, *_ = checkpoint.split("\n")
        known = self.seen.setdefault(int(size), root)
        assert known == root, f"two roots for size {size}"


def bodies(signed_contract, count):
    pdf = signed_contract.read_bytes()
    texts = [("letter.txt", f"letter {number}\n".encode() * 20) for number in range(count - PDFS)]
    return texts + [("contract.pdf", pdf + b"\n" * number) for number in range(PDFS)]


def kill_at_a_random_moment(service, platform, rng):
    """While it starts, one time in four; else while it serves. Returns whether documents were on their way."""
    if rng.random() < 0.25:
        platform.give(ROUND)
        time.sleep(rng.uniform(0, 1.5))
    else:
        service.wait_ready()
        platform.give(ROUND)
        # Until a random part of them is acknowledged, then a random moment longer.
        left, end = rng.randrange(CLIENTS, ROUND), time.monotonic() + 60
        while platform.waiting > left:
            assert time.monotonic() < end, service.words()
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.05))
    assert service.process.poll() is None, service.words()
    service.kill()
    return platform.waiting > 0


@pytest.mark.slow
@pytest.mark.parametrize("kills", [KILLS, pytest.param(MORE_KILLS, marks=FULL)])
def test_what_was_acknowledged_becomes_evidence_once(warm_service, signed_contract, seeded, tmp_path, kills):
    service, documents = warm_service.start(), kills * ROUND + REST
    sent = bodies(signed_contract, documents)
    seeded.shuffle(sent)
    platform = Platform(service, sent, seeded)
    watcher = Watcher(service)
    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        watching = pool.submit(watcher.watch)
        working = [pool.submit(platform.work) for _ in range(CLIENTS)]
        try:
            under_way = 0
            for _ in range(kills):
                under_way += kill_at_a_random_moment(service, platform, seeded)
                service.launch()
            platform.give(REST)
            service.wait_ready()
            platform.end()
            for job in working:
                job.result(60)
        except BaseException:
            platform.give_up()
            raise
        finally:
            watcher.stop.set()
        watching.result(10)
    assert len(platform.acknowledged) == documents
    assert under_way > kills // 2
    assert platform.broken_off, "no kill met a request"

    records = wait_for_all(service, "document", documents)
    assert_each_once(records, platform.acknowledged)
    assert len(wait_for_all(service, "inspection", PDFS)) == PDFS
    assert_answered_as_before(platform)
    assert_evidence_of_each(service, platform, tmp_path)
    assert_one_chain_of_heads(service.anchored(), service)
    assert len(watcher.seen) > kills
    assert_heads_of(watcher.seen, service.entries())
    service.stop()
    assert service.run("fsck", "--data-dir", service.data).startswith("0 problems")


def assert_each_once(records, acknowledged):
    """What was acknowledged is there, at a place of its own, and nothing else is."""
    promised = {answer["number"] for answer in acknowledged.values()}
    there = [record["number"] for record in records]
    assert promised <= set(there), f"acknowledged and lost: {promised - set(there)}"
    assert sorted(promised) == sorted(there), "there without having been acknowledged"
    assert len({r["index"] for r in records}) == len({r["entry"] for r in records}) == len(records)


def assert_heads_of(seen, entries):
    """Every head that was shown is one of the log with these entries."""
    leaves = [hash_leaf(entry) for entry in entries]
    for size, root in seen.items():
        assert base64.b64decode(root) == root_of(leaves[:size]), f"another root at size {size}"


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
            again = platform.send(http, number)
            if platform.bodies[number][0].endswith(".pdf"):
                # When its signatures were found, whoever has the document may see its evidence.
                assert {answer["visibility"], again["visibility"]} <= {"by-code", "by-document"}
                again["visibility"] = answer["visibility"]
            assert again == answer


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
        assert package.files["data/statement.json"].decode() == answer["statement"]
        assert package.files["receipt.txt"].decode() == answer["receipt"]
        report = verify(package, trust, digest_stream(io.BytesIO(body)))
        passed = {check.id for check in report.checks if check.outcome.value == "passed"}
        assert report.outcome.value == "passed", (number, report.failures())
        assert {"2.3", "3.1", "3.2", "4.1", "4.2", "4.3", "5.1", "6.4", "8.1"} <= passed, (number, passed)


# Controls: what the test would say of a service that lost, forked or anchored twice


def test_a_service_that_loses_or_doubles_would_be_found():
    acknowledged = {0: {"number": "A"}, 1: {"number": "B"}}
    first, second = ({"number": n, "index": i, "entry": n} for i, n in enumerate("AB"))
    assert_each_once([first, second], acknowledged)
    with pytest.raises(AssertionError, match="acknowledged and lost"):
        assert_each_once([first], acknowledged)
    with pytest.raises(AssertionError, match="without having been acknowledged"):
        assert_each_once([first, second, {"number": "C", "index": 2, "entry": "C"}], acknowledged)
    with pytest.raises(AssertionError, match="without having been acknowledged"):
        assert_each_once([first, second, second], acknowledged)
    with pytest.raises(AssertionError):
        assert_each_once([first, second | {"index": 0}], acknowledged)


def test_a_service_that_forks_would_be_found():
    entries = [bytes([n]) * 32 for n in range(3)]
    roots = {n: base64.b64encode(root_of([hash_leaf(e) for e in entries[:n]])).decode() for n in (1, 2, 3)}
    watcher = Watcher(None)
    for size, root in roots.items():
        watcher.note(f"log.example\n{size}\n{root}\n\n")
    assert_heads_of(watcher.seen, entries)
    with pytest.raises(AssertionError, match="two roots for size 2"):
        watcher.note(f"log.example\n2\n{roots[1]}\n\n")
    with pytest.raises(AssertionError, match="another root at size 3"):
        assert_heads_of(watcher.seen, [*entries[:2], bytes(32)])


def test_a_service_that_anchors_twice_would_be_found():
    entries = [bytes([n]) * 32 for n in range(3)]
    one, three = (root_of([hash_leaf(e) for e in entries[:n]]) for n in (1, 3))
    assert_one_chain([(0, 1, one), (1, 3, three)], entries)
    for events, words in (
        ([(0, 1, one), (0, 1, one)], "sizes 0 to 1 after 1"),
        ([(0, 1, one), (1, 3, three), (1, 3, three)], "sizes 1 to 3 after 3"),
        ([(0, 1, one), (1, 1, one)], "sizes 1 to 1 after 1"),
        ([(1, 3, three)], "sizes 1 to 3 after 0"),
        ([(0, 1, three)], "another root at size 1"),
    ):
        with pytest.raises(AssertionError, match=words):
            assert_one_chain(events, entries)
