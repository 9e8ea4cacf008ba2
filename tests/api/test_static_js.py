"""The scripts of the pages, run by Node: their own tests, on vectors that our Python makes."""

import base64
import json
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.api.words import script_words
from notary.evidence.bodies import Document
from notary.evidence.checkpoint import Checkpoint, sign_checkpoint
from notary.evidence.commitments import commit
from notary.evidence.digests import ALGORITHMS, Digester
from notary.evidence.note import Note, Verifier
from notary.evidence.number import lookup_code, make_number, show_number
from notary.evidence.proof_file import TLOG_PROOF, ProofFile
from notary.evidence.statement import Block, Statement, entry_of
from notary.merkle.hashing import hash_leaf
from notary.merkle.proof import all_inclusion_paths
from notary.merkle.tree import root_of

HERE = Path(__file__).parent
V1 = HERE.parent / "testdata/v1"
STATIC = HERE.parents[1] / "notary/api/static"
ORIGIN = "log.example.org/2026"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
DOCUMENT = b"what both parties signed\n"


def vkey(key: Ed25519PrivateKey) -> str:
    return Verifier(ORIGIN, key.public_key().public_bytes_raw()).vkey


def vkey_of_another_type() -> str:
    key = b"\x02" + bytes(32)
    key_id = sha256(ORIGIN.encode() + b"\n" + key).digest()[:4]
    return f"{ORIGIN}+{key_id.hex()}+{base64.b64encode(key).decode()}"


def digests(data: bytes) -> dict[str, str]:
    digester = Digester(ALGORITHMS)
    digester.update(data)
    return digester.hex()


def statement(claimed: dict[str, str] | None = None, size: int | None = len(DOCUMENT)) -> Statement:
    commitments, _ = commit({"title": "合同 “A”"}, lambda: bytes(16))
    taken = {
        name: digests(DOCUMENT)[name] for name in (["sha-256", "sm3"] if claimed is None else ["sha-256"])
    }
    body = Document(claimed is None, taken, claimed or {}, size, "application/pdf")
    block = Block(31337, 7, bytes(32), 1_700_000_000)
    number = make_number(1_700_000_000_000, bytes(5))
    time = datetime(2026, 3, 1, 12, tzinfo=UTC)
    return Statement("document", ORIGIN, number, time, bytes(range(32)), block, None, commitments, body)


def record(said: Statement, index: int, size: int, origin: str = ORIGIN) -> dict:
    data = said.encode()
    leaves = [hash_leaf(entry_of(b"%d" % n)) for n in range(size)]
    leaves[index] = hash_leaf(entry_of(data))
    note = sign_checkpoint(Checkpoint(origin, size, root_of(leaves)), KEY)
    proof = ProofFile(index, tuple(list(all_inclusion_paths(leaves))[index]), note.encode(), data)
    return {
        "number": show_number(said.number),
        "entry": entry_of(data).hex(),
        "statement": data.decode(),
        "received": "2026-03-01T12:00:00Z",
        "state": "closed",
        "proof": proof.encode(TLOG_PROOF).decode(),
    }


def trees() -> list[dict]:
    found = []
    for size in [*range(1, 18), 31, 32, 33, 100]:
        leaves = [hash_leaf(entry_of(b"%d" % n)) for n in range(size)]
        paths = [[node.hex() for node in path] for path in all_inclusion_paths(leaves)]
        found.append(
            {"size": size, "root": root_of(leaves).hex(), "leaves": [x.hex() for x in leaves], "paths": paths}
        )
    return found


def notes() -> dict:
    good = sign_checkpoint(Checkpoint(ORIGIN, 9, bytes(32)), KEY)
    bad = replace(
        good.signatures[0], value=bytes([good.signatures[0].value[0] ^ 1, *good.signatures[0].value[1:]])
    )
    second = sign_checkpoint(Checkpoint(ORIGIN, 9, bytes(32)), OTHER).signatures
    return {
        "good": good.encode().decode(),
        "bad": Note(good.text, (bad,)).encode().decode(),
        "two": Note(good.text, (*second, *good.signatures)).encode().decode(),
    }


def numbers() -> list[str]:
    random = Random(5)
    made = [make_number(random.getrandbits(40), random.randbytes(5)) for _ in range(50)]
    return made + [lookup_code(random.randbytes(32)) for _ in range(50)]


@pytest.fixture(scope="module")
def vectors() -> dict:
    said = statement()
    return {
        "origin": ORIGIN,
        "vkey": vkey(KEY),
        "other_vkey": vkey(OTHER),
        "document": DOCUMENT.decode(),
        "digests": digests(DOCUMENT),
        "lengths": [
            {"bytes": bytes(n % 7 for n in range(n)).hex(), **digests(bytes(n % 7 for n in range(n)))}
            for n in range(200)
        ],
        "records": [record(said, index, size) for index, size in ((0, 1), (3, 7), (6, 7), (64, 65))],
        "claims": {
            name: record(said_by_digest, 3, 7)
            for name, said_by_digest in {
                "all": statement({n: d for n, d in digests(DOCUMENT).items() if n != "sha-256"}),
                "web": statement({n: digests(DOCUMENT)[n] for n in ("sha-384", "sha-512", "sm3")}),
                "wrong": statement({"sha-512": digests(b"another")["sha-512"]}),
                "size": statement({}, len(DOCUMENT) + 1),
                "no_size": statement({}, None),
            }.items()
        },
        "free": [one["canonical"] for one in json.loads((V1 / "disclosures.json").read_text("utf-8"))],
        "foreign": record(said, 3, 7, origin="other.example.org/log"),
        "vkey_of_another_type": vkey_of_another_type(),
        "trees": trees(),
        "notes": notes(),
        "numbers": numbers(),
        "leaf_of_leaf": base64.b64encode(hash_leaf(bytes(32))).decode(),
    }


@pytest.mark.parametrize("name", sorted(path.name for path in (HERE / "js").glob("*.test.mjs")))
def test_scripts_pass_their_tests_in_node(tmp_path, vectors, name):
    shutil.copytree(STATIC, tmp_path / "static")
    shutil.copy(HERE / "js" / name, tmp_path)
    (tmp_path / "vectors.json").write_text(json.dumps(vectors))
    (tmp_path / "words.json").write_text(script_words("en"))
    (tmp_path / "package.json").write_text('{"type": "module"}')
    command = ["node", "--test", "--test-reporter=tap", name]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "# fail 0" in run.stdout
    assert "# pass 0" not in run.stdout
