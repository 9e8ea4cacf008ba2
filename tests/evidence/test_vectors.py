"""The golden vectors: this release makes them byte for byte, and verifies them as the first one did."""

import io
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.evidence.canonical import dumps_free
from notary.evidence.checkpoint import open_checkpoint
from notary.evidence.commitments import Commitments, Opening, check_openings, parse_openings
from notary.evidence.consistency import parse_consistency
from notary.evidence.exports import package_of_proof
from notary.evidence.note import Verifier
from notary.evidence.number import lookup_code, make_number, parse_number, show_number
from notary.evidence.outcome import Outcome
from notary.evidence.package import digest_stream, read_package
from notary.evidence.receipt import check_receipt, open_receipt
from notary.evidence.statement import TYPES, entry_of, parse_statement
from notary.evidence.trust import parse_trust
from notary.evidence.verify import verify
from notary.merkle.hashing import hash_leaf
from notary.merkle.proof import check_consistency, check_inclusion
from notary.merkle.tree import root_of
from tests.evidence.vectors import LATER

ROOT = Path(__file__).parents[2]
V1 = ROOT / "tests" / "testdata" / "v1"
ORDER = ("genesis", "event", "document", "incident", "report", "inspection", "key")


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def read(name):
    return (V1 / name).read_bytes()


def load(name):
    return json.loads(read(name))


@pytest.fixture(scope="module")
def trust():
    return parse_trust(read("trust.toml"))


@pytest.fixture(scope="module")
def log():
    return {name: [bytes.fromhex(text) for text in value] for name, value in load("log.json").items()}


def test_the_script_makes_the_same_bytes_again(tmp_path):
    script = ROOT / "scripts" / "make_vectors.py"
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert files_of(tmp_path) == files_of(V1)


def test_every_file_is_in_the_list():
    listed = read("README.md").decode()
    for name in files_of(V1):
        assert f"`{name}`" in listed or name.startswith("statements/") or name == "README.md", name


def test_the_log_is_made_of_the_statements(log):
    assert set(ORDER) == set(TYPES)
    entries = [entry_of(read(f"statements/{kind}.json")) for kind in ORDER]
    assert entries == log["entries"]
    assert [hash_leaf(entry) for entry in entries] == log["leaves"]
    assert [root_of(log["leaves"][:size]) for size in range(8)] == log["roots"]


@pytest.mark.parametrize("kind", TYPES)
def test_a_statement_of_each_type_is_read(kind):
    statement = parse_statement(read(f"statements/{kind}.json"))
    assert statement.type == kind
    assert statement.encode() == read(f"statements/{kind}.json")


def test_the_leaf_follows_by_hand(log):
    statement = read("statements/document.json")
    entry = sha256(statement).digest()
    leaf = sha256(b"\x00" + entry).digest()
    assert (entry, leaf) == (log["entries"][2], log["leaves"][2])


def test_the_keys_have_the_names_and_ids_of_their_roles():
    for name, key in load("keys.json").items():
        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key["private"]))
        verifier = Verifier.from_vkey(key["vkey"])
        assert verifier.public == private.public_key().public_bytes_raw()
        assert verifier.name == "log.example.org/2026" + ("/receipt" if name == "receipt" else "")


def test_the_numbers_are_made_of_what_they_say():
    for number in load("numbers.json"):
        made = make_number(number["unix_ms"], bytes.fromhex(number["random"]))
        assert made == number["number"] == parse_number(number["shown"])
        assert show_number(made) == number["shown"]
        assert lookup_code(bytes.fromhex(number["salt"])) == number["lookup_code"]


def test_the_openings_open_what_the_document_commits_to():
    statement = parse_statement(read("statements/document.json"))
    expected = load("commitments.json")
    root = Commitments(expected["count"], bytes.fromhex(expected["root"]))
    assert statement.commitments == root
    assert check_openings(parse_openings(read("openings.json")), root) == expected["opened"]


def test_disclosures_with_keys_of_any_script_open_what_they_hold():
    found = load("disclosures.json")
    assert any(ord(char) > 0xFFFF for one in found for key in one["value"] for char in key)
    for one in found:
        digest = sha256(one["disclosure"].encode()).digest()
        assert digest.hex() == one["digest"]
        root = Commitments(1, hash_leaf(digest))
        assert check_openings((Opening(one["disclosure"], 0, ()),), root) == {"metadata": one["value"]}
        assert dumps_free(one["value"]).decode() == one["canonical"]
    # Two spellings of one value are two disclosures.
    assert (found[1]["value"] == found[2]["value"], found[1]["digest"] == found[2]["digest"]) == (True, False)


def test_checkpoint_proof_and_consistency_belong_together(trust, log):
    keys = [key.verifier for key in trust.log_keys]
    point = open_checkpoint(read("checkpoint"), trust.origin, keys).checkpoint
    assert (point.size, point.root) == (4, log["roots"][4])
    package = package_of_proof(read("inclusion.tlog-proof"))
    assert package.files["data/statement.json"] == read("statements/document.json")
    report = verify(package, trust, digest_stream(io.BytesIO(read("contract.pdf"))))
    assert (report.outcome, report.failures(), report.index) == (Outcome.UNCHECKED, [], 2)
    (proof,) = parse_consistency(read("consistency.json"))
    check_consistency(proof.old, proof.new, proof.path, log["roots"][4], log["roots"][7])


def test_the_receipt_covers_the_document(trust, log):
    promise, file = open_receipt(
        read("receipt.txt"), trust.origin, [key.verifier for key in trust.receipt_keys]
    )
    check_receipt(promise, file, log["entries"][2])
    assert (promise.count, promise.size, promise.size_root) == (3, 1, log["roots"][1])


@pytest.mark.parametrize(("name", "later"), [("", LATER), ("-revocation", set())])
def test_the_package_has_the_result_that_it_had(trust, name, later):
    report = verify(read_package(io.BytesIO(read(f"package{name}.zip"))), trust)
    value = report.to_json()
    for found in value["checks"]:
        assert found.pop("detail")
        assert found.pop("sentence")
    added = [found for found in value["checks"] if found["id"] in later]
    # A check that came later says of an older package that it could not be made, and takes nothing from it.
    assert {found["outcome"] for found in added} == ({"could_not_be_checked"} if later else set())
    assert not any(found["required"] for found in added)
    value["checks"] = [found for found in value["checks"] if found not in added]
    assert value == load(f"result{name}.json")
    assert report.outcome is Outcome.PASSED


def test_a_proof_path_is_checked_by_hand(log):
    check_inclusion(log["leaves"][2], 2, 4, [log["leaves"][3], log["roots"][2]], log["roots"][4])
    node = sha256(b"\x01" + log["leaves"][2] + log["leaves"][3]).digest()
    assert sha256(b"\x01" + log["roots"][2] + node).digest() == log["roots"][4]
