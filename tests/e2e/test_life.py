"""Submitted, final, taken out; then verified with nothing but the files, whole and damaged."""

import base64
import hashlib
import io
import json
import random
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from notary.embedded.contract import make_contract
from notary.errors import EvidenceError
from notary.evidence.bag import evidence_manifest
from notary.evidence.package import read_package, write_package
from notary.evidence.trust import parse_trust
from notary.evidence.verify import unreadable, verify
from tests.dev_service import NOTARY, DevService, environment, take_out
from tests.e2e import no_network
from tests.warm import run_warm

LETTER = secrets.token_bytes(100)
EVENT = {
    "phase": "will-confirmed",
    "actor": "Alice",
    "matter": "2026-17",
    "source": "server",
    "metadata": {"n": 1},
}


@pytest.fixture(scope="module", autouse=True)
def early(dev_service, other_service, signed_contract):
    """Submitted before anything is waited for: one wait is enough for all."""
    digests = {"sha-256": hashlib.sha256(LETTER).hexdigest()}
    contract = signed_contract.read_bytes()
    return {
        "digests": dev_service.submit_json(digests=digests, title="a letter"),
        "event": dev_service.submit_json(kind="event", **EVENT),
        "impostor": other_service.submit("document.pdf", contract, title="A contract 合同"),
    }


@pytest.fixture(scope="module")
def other_service(signed_contract, tmp_path_factory):
    root = signed_contract.with_name("root.pem")
    service = DevService(tmp_path_factory.mktemp("impostor"), [root], warm=True)
    try:
        yield service.start()
    finally:
        service.end()


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    """Runs `notary verify` without settings and without network, in a process that has loaded it before."""
    folder = tmp_path_factory.mktemp("offline")

    def run(*arguments):
        words = ["verify", *arguments, "--json"]
        status, out, err = run_warm(words, folder, environment(), "tests.e2e.no_network")
        assert err == ""
        return status, json.loads(out)

    return run


@pytest.fixture
def alone(tmp_path):
    """Runs Python with arguments as a user does, in an empty folder, without settings and without network."""
    guard = Path(no_network.__file__).read_text()
    (tmp_path / "sitecustomize.py").write_text(f"{guard}\nforbid()\n")

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *map(str, arguments)], env=environment(PYTHONPATH=str(tmp_path)), cwd=tmp_path,
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    return run


def failed(result):
    return [check["id"] for check in result["checks"] if check["outcome"] == "failed"]


def outcomes(result, check):
    return {c["outcome"] for c in result["checks"] if c["id"] == check}


GUARDED = "the verifier went to the network: socket."


def test_the_network_guard_of_these_tests_bites(alone):
    done = alone("-c", "import socket; socket.create_connection(('127.0.0.1', 9))")
    assert (done.returncode, done.stderr.startswith(GUARDED)) == (99, True), done
    assert alone("-c", "import socket").returncode == 0


def test_the_network_guard_of_a_process_loaded_before_bites(tmp_path, dev_service):
    words = ["status", "NA7W-Q3EU-N59P-CCZT", "--url", dev_service.url, "--key-file", dev_service.key]
    status, _, err = run_warm(words, tmp_path, environment(), "tests.e2e.no_network")
    assert (status, err.startswith(GUARDED)) == (99, True), err


def test_the_evidence_passes_offline(alone, evidence):
    done = alone(
        *NOTARY[1:], "verify", evidence / "evidence.zip", "--trust", evidence / "trust.toml", "--json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert (result["outcome"], failed(result)) == ("passed", [])
    for check in (
        "2.3",
        "3.1",
        "3.2",
        "4.1",
        "4.2",
        "4.3",
        "5.1",
        "5.2",
        "6.1",
        "6.2",
        "6.4",
        "8.1",
        "9.1",
    ):
        assert outcomes(result, check) == {"passed"}, check
    # The inspection's report may have come into a later head, whose anchor proves the blocks of its own entries alone.
    assert {"passed"} <= outcomes(result, "7.2") <= {"passed", "could_not_be_checked"}


def test_without_trust_nothing_passes_that_rests_on_it(offline, evidence):
    status, result = offline(evidence / "evidence.zip")
    assert (status, result["outcome"], failed(result)) == (2, "could_not_be_checked", [])
    for check in ("1.2", "3.1", "3.2", "8.1"):
        assert outcomes(result, check) == {"could_not_be_checked"}, check
    assert {c["id"] for c in result["checks"] if c["outcome"] == "passed"} <= {"1.1", "2.1", "2.3", "2.4"}


def test_the_files_taken_out_are_those_of_the_answer(evidence):
    statement = (evidence / "statement.json").read_bytes()
    assert statement.decode() == evidence.answer["statement"]
    assert (evidence / "receipt.txt").read_text() == evidence.answer["receipt"]
    assert hashlib.sha256(statement).hexdigest() == evidence.answer["entry"]
    assert (evidence / "report.pdf").read_bytes().startswith(b"%PDF-")


def test_the_proof_alone_leads_to_the_log(offline, evidence):
    status, result = offline(
        evidence / "proof.tlog-proof",
        "--trust",
        evidence / "trust.toml",
        "--document",
        evidence / "document.pdf",
    )
    assert failed(result) == []
    assert outcomes(result, "3.2") == {"passed"}
    assert status == 2  # nobody but the operator attests to this head in the proof alone


def opened(package):
    with package.open("rb") as stream:
        return dict(read_package(stream).files)


def position(name, data):
    """A byte of the file that says something."""
    if name == "data/statement.json":
        return data.index(b'"salt":"') + 8
    if name.endswith("anchor.json"):
        return data.index(b'"receipt_proof":["') + 30
    if name.endswith("openings.json"):
        return len(data) // 2
    if name.endswith(".crl"):
        return len(data) - 3  # in the signature
    if name.endswith((".tlog-proof", "receipt.txt", "checkpoint")):
        return data.rindex(b" ") + 12  # in the signature
    return len(data) // 2


DAMAGE = {
    "data/statement.json": {"3.2"},
    "data/openings.json": {"2.4"},
    "receipt.txt": {"4.1"},
    "heads/N/checkpoint": {"3.1"},
    "heads/N/inclusion.tlog-proof": {"3.1"},
    "heads/N/tokens/local-tsa.tsr": {"5.1"},
    "heads/N/revocation/local-tsa/1.crl": {"5.2"},
    "heads/N/anchor.json": {"6.1", "6.3"},
    "heads/N/header.rlp": {"6.1"},
    "inspection/statement.json": {"9.1"},
    "inspection/openings.json": {"9.1"},
    "inspection/inclusion.tlog-proof": {"9.1"},
    "data/document/document.pdf": {"2.3"},
}


def whole_name(kind, files):
    """The file of the first head for which there is one."""
    start, _, end = kind.partition("N")
    return kind if not end else min(n for n in files if n.startswith(start) and n.endswith(end))


@pytest.mark.parametrize("kind", DAMAGE)
def test_one_changed_byte_is_found_and_named(offline, evidence, tmp_path, kind):
    files, document = opened(evidence / "evidence.zip"), (evidence / "document.pdf").read_bytes()
    if kind.startswith("data/document/"):
        data = bytearray(document)
        data[len(data) // 2] ^= 1
        document = bytes(data)
    else:
        name = whole_name(kind, files)
        data = bytearray(files[name])
        at = position(name, data)
        data[at] = ord("a") if data[at] == ord("b") else ord("b")
        assert bytes(data) != files[name]
        files[name] = bytes(data)
    # The manifest is made anew: it is not what finds the change.
    (tmp_path / "evidence.zip").write_bytes(write_package(files, ("document.pdf", document)))
    status, result = offline(tmp_path / "evidence.zip", "--trust", evidence / "trust.toml")
    assert status == 1
    assert set(failed(result)) & DAMAGE[kind], failed(result)


def test_a_change_without_a_new_manifest_is_found_by_the_manifest(offline, evidence, tmp_path):
    data = bytearray((evidence / "evidence.zip").read_bytes())
    data[data.index(b"c2sp.org/tlog-proof@v1") + 40] ^= 1
    (tmp_path / "evidence.zip").write_bytes(data)
    status, result = offline(tmp_path / "evidence.zip", "--trust", evidence / "trust.toml")
    assert (status, failed(result)) == (1, ["1.1"])


@pytest.mark.parametrize(
    "flips", [3, pytest.param(60, marks=(pytest.mark.faults, pytest.mark.timeout(1800)))]
)
def test_no_changed_bit_anywhere_adds_to_what_is_passed(evidence, flips):
    """A flipped bit fails the package, or takes something away from what it shows; guides and tools show nothing."""
    seeded = random.Random(1)  # the same places each time; the files are new each time
    trust = parse_trust((evidence / "trust.toml").read_bytes())
    files, document = opened(evidence / "evidence.zip"), (evidence / "document.pdf").read_bytes()

    def shown(contents):
        try:
            return verify(
                read_package(io.BytesIO(write_package(contents, ("document.pdf", document)))), trust
            )
        except EvidenceError as error:
            return unreadable(error)

    def passed(report):
        return {(c.id, c.subject, c.detail) for c in report.checks if c.outcome.value == "passed"}

    whole = passed(shown(files))
    assert shown(files).outcome.value == "passed"
    still = set()
    read = {line[66:] for line in evidence_manifest(files).decode().splitlines()}
    assert "data/statement.json" in read
    for name in sorted(read):
        for _ in range(flips):
            data = bytearray(files[name])
            data[seeded.randrange(len(data))] ^= 1 << seeded.randrange(8)
            report = shown(files | {name: bytes(data)})
            if report.outcome.value != "failed":
                still.add(name.rsplit("/", 1)[-1])
                assert passed(report) <= whole
    # Of the anchor the transaction's hash and blocks that are then no longer claimed; of the token its unsigned frame;
    # a list that names another CA is no list of this one.
    assert still <= {"anchor.json", "local-tsa.tsr", "1.crl"}


def test_the_document_of_another_record_is_refused(offline, evidence, tmp_path):
    make_contract(tmp_path / "other.pdf", tmp_path)
    status, result = offline(
        evidence / "evidence.zip", "--trust", evidence / "trust.toml", "--document", tmp_path / "other.pdf"
    )
    assert (status, failed(result)) == (1, ["2.3"])


def test_digests_alone_become_evidence_that_says_so(offline, dev_service, early, tmp_path):
    answer = early["digests"]
    assert json.loads(answer["statement"])["document"]["seen"] is False
    (tmp_path / "letter.txt").write_bytes(LETTER)
    found = take_out(dev_service, answer, tmp_path / "letter.txt", tmp_path)
    status, result = offline(found / "evidence.zip", "--trust", found / "trust.toml")
    assert (status, failed(result)) == (0, [])
    assert outcomes(result, "2.3") == {"passed"}
    assert outcomes(result, "9.1") <= {"could_not_be_checked"}  # nobody saw bytes to inspect


def test_an_event_becomes_evidence_without_a_document(offline, dev_service, early, tmp_path):
    answer = early["event"]
    assert "Alice" not in answer["statement"]
    found = take_out(dev_service, answer, None, tmp_path)
    status, result = offline(found / "evidence.zip", "--trust", found / "trust.toml")
    assert (status, failed(result)) == (0, [])
    assert outcomes(result, "2.4") == {"passed"}
    openings = json.loads(opened(found / "evidence.zip")["data/openings.json"])["openings"]
    values = [json.loads(base64.urlsafe_b64decode(o["disclosure"] + "==")) for o in openings]
    assert {name: value for _salt, name, value in values} == EVENT


@pytest.fixture(scope="module")
def impostor(other_service, early, signed_contract, tmp_path_factory):
    """The same contract in another service's log: other keys, other TSA, other chain, the same names."""
    return take_out(other_service, early["impostor"], signed_contract, tmp_path_factory.mktemp("copy"))


def test_a_package_remade_throughout_is_refused(offline, evidence, impostor):
    status, result = offline(impostor / "evidence.zip", "--trust", evidence / "trust.toml")
    assert (status, result["outcome"]) == (1, "failed")
    assert {"3.1", "4.1"} <= set(failed(result))
    for check in ("3.1", "4.1", "5.1", "6.1", "6.2", "7.2", "8.1"):
        assert "passed" not in outcomes(result, check), check


def test_its_own_trust_file_would_accept_it(offline, evidence, impostor):
    assert offline(impostor / "evidence.zip", "--trust", impostor / "trust.toml")[0] == 0
    assert offline(evidence / "evidence.zip", "--trust", impostor / "trust.toml")[0] == 1


@pytest.mark.parametrize(
    ("part", "check"), [("log_key", "3.1"), ("receipt_key", "4.1"), ("tsa", "5.1"), ("chain", "6.1")]
)
def test_each_part_of_the_trust_file_refuses_it_alone(offline, evidence, impostor, tmp_path, part, check):
    """All is the impostor's word but one part, and that part refuses."""
    status, result = offline(impostor / "evidence.zip", "--trust", mixed(impostor, evidence, part, tmp_path))
    assert (status, set(failed(result))) == (1, {check})


def mixed(most, other, part, folder):
    most, other = (sections((found / "trust.toml").read_text()) for found in (most, other))
    assert set(most) == set(other) == {"", "log_key", "receipt_key", "chain", "tsa"}
    path = folder / "trust.toml"
    path.write_text("".join((most | {part: other[part]}).values()))
    return path


def sections(text):
    found, name = {"": ""}, ""
    for line in text.splitlines(keepends=True):
        if line.startswith("[[") and "." not in line:
            name = line.strip()[2:-2]
        found[name] = found.get(name, "") + line
    return found


def test_the_validation_report_on_a_signature_is_taken_out(evidence, tmp_path):
    service = evidence.service
    words = ("report", evidence.number, "--url", service.url, "--key-file", str(service.key))
    service.run(*words, "--validation", "1", "--out", str(tmp_path / "1.xml"))
    found = (tmp_path / "1.xml").read_bytes()
    assert b"ValidationReport" in found
    inspection = opened(evidence / "evidence.zip")["inspection/openings.json"]
    disclosed = [
        base64.urlsafe_b64decode(each["disclosure"] + "==") for each in json.loads(inspection)["openings"]
    ]
    # The inspection, which the log commits to, names this very report.
    assert any(hashlib.sha256(found).hexdigest().encode() in each for each in disclosed)
    status, _, err = service.attempt(*words, "--validation", "9")
    assert (status, "not_found" in err) == (2, True)
