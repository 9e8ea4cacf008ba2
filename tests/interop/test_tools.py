"""What an expert can do without any program of ours: sha256sum and a shell, OpenSSL, a node of the chain."""

import base64
import hashlib
import re
import resource
import shutil
import subprocess
import tomllib
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import rlp
from eth_hash.auto import keccak

PROJECT = Path(__file__).parents[2]
README = PROJECT / "README.md"
FORMATS = PROJECT / "docs/formats.md"
TOOLS = {"sh": "dash", "sha256sum": "coreutils", "xxd": "xxd", "base64": "coreutils"}


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A PATH with four programs and no other, and the script that docs/formats.md gives."""
    folder = tmp_path_factory.mktemp("bin")
    for name, package in TOOLS.items():
        found = shutil.which(name)
        assert found, f"this test needs the program {name}: install it (Debian and Ubuntu: package {package})"
        (folder / name).symlink_to(found)
    (section,) = re.findall(r"^## 7 .*?(?=^## 8 )", FORMATS.read_text(), re.DOTALL | re.MULTILINE)
    (script,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    (folder / "root.sh").write_text(script)
    return folder


@pytest.fixture(scope="module")
def unzipped(evidence, tmp_path_factory):
    folder = tmp_path_factory.mktemp("package")
    with zipfile.ZipFile(evidence / "evidence.zip") as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def head(unzipped):
    """The folder of the head that is both stamped and anchored."""
    return next(path.parent for path in (unzipped / "heads").glob("*/anchor.json"))


def by_hand(bare, statement, proof):
    done = subprocess.run(
        [bare / "sh", bare / "root.sh", statement, proof],
        env={"PATH": str(bare)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.split()


def note_root(note):
    return base64.b64decode(note.decode().split("\n")[2]).hex()


def test_a_shell_and_sha256sum_lead_from_the_statement_to_the_root(bare, evidence):
    proof = evidence / "proof.tlog-proof"
    status, (computed, named) = by_hand(bare, evidence / "statement.json", proof)
    assert (status, computed) == (0, named)
    assert named == note_root(proof.read_bytes().split(b"\n\n", 1)[1])


def test_a_shell_and_sha256sum_lead_to_the_attested_roots_too(bare, evidence, unzipped):
    for folder in (unzipped / "heads").iterdir():
        named = note_root((folder / "checkpoint").read_bytes())
        proof = folder / "inclusion.tlog-proof"
        assert by_hand(bare, evidence / "statement.json", proof) == (0, [named, named])


def test_one_changed_byte_leads_elsewhere(bare, evidence, tmp_path):
    data = bytearray((evidence / "statement.json").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "statement.json").write_bytes(data)
    status, (computed, named) = by_hand(bare, tmp_path / "statement.json", evidence / "proof.tlog-proof")
    assert status == 1
    assert computed != named


@pytest.mark.parametrize("change", ["index", "size", "hash"])
def test_a_changed_proof_leads_elsewhere(bare, evidence, head, tmp_path, change):
    proof = (head / "inclusion.tlog-proof").read_text()
    lines = proof.split("\n")
    first = next(number for number, line in enumerate(lines) if line.startswith("index "))
    if change == "index":
        lines[first] = f"index {int(lines[first].split()[1]) ^ 1}"
    elif change == "size":
        at = lines.index("") + 2
        lines[at] = str(int(lines[at]) * 2)
    else:
        lines[first + 1] = base64.b64encode(bytes(32)).decode()
    (tmp_path / "changed").write_text("\n".join(lines))
    status, _ = by_hand(bare, evidence / "statement.json", tmp_path / "changed")
    assert status == 1


def openssl(*arguments):
    done = subprocess.run(
        ["openssl", "ts", *arguments], capture_output=True, text=True, check=False, timeout=30
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def stamped(unzipped):
    """The folder of a head with a time stamp."""
    return next(path.parent for path in (unzipped / "heads").glob("*/tokens"))


@pytest.fixture(scope="module")
def stamp(stamped, evidence, tmp_path_factory):
    """Arguments of `openssl ts -verify` but the data: the token, the trust file's root, the token's own time."""
    root = tmp_path_factory.mktemp("root") / "root.pem"
    (authority,) = tomllib.loads((evidence / "trust.toml").read_text())["tsa"]
    (pem,) = authority["roots"]
    root.write_text(pem)
    (token,) = (stamped / "tokens").iterdir()
    _, text = openssl("-reply", "-in", str(token), "-text")
    shown = re.search("Time stamp: (.*) GMT", text)[1]
    moment = datetime.strptime(shown.split(".")[0], "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    return ["-in", str(token), "-CAfile", str(root), "-attime", str(int(moment.timestamp()))]


def test_openssl_verifies_the_time_stamp_over_the_checkpoint(stamp, stamped):
    status, words = openssl("-verify", *stamp, "-data", str(stamped / "checkpoint"))
    assert (status, "Verification: OK" in words) == (0, True), words


def test_openssl_refuses_the_time_stamp_over_another_file(stamp, stamped, tmp_path):
    note = (stamped / "checkpoint").read_bytes()
    (tmp_path / "other").write_bytes(note.replace(note.split(b"\n")[1], b"99", 1))
    status, words = openssl("-verify", *stamp, "-data", str(tmp_path / "other"))
    assert status != 0
    assert "message imprint mismatch" in words


def test_openssl_refuses_the_time_stamp_under_another_root(stamp, stamped, signed_contract):
    other = [str(signed_contract.with_name("root.pem")) if a.endswith("root.pem") else a for a in stamp]
    status, words = openssl("-verify", *other, "-data", str(stamped / "checkpoint"))
    assert status != 0
    assert "certificate verify error" in words.lower()


def run_readme(evidence, tmp_path, change=lambda folder: None):
    """What README.md tells a reader to type, typed in the folder that it names, with several heads and tokens."""
    shutil.copy(evidence / "trust.toml", tmp_path)
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(evidence / "evidence.zip") as archive:
        archive.extractall(folder)
    token = next(folder.glob("heads/*/tokens/*.tsr"))
    shutil.copy(token, token.with_name("second.tsr"))
    shutil.copytree(token.parents[1], folder / "heads/99")
    change(folder)
    text = README.read_text(encoding="utf-8")
    (commands,) = re.findall(r"With nothing of ours at all.*?```sh\n(.*?)```", text, re.DOTALL)
    done = subprocess.run(
        ["sh", "-c", commands], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    return done, len(list(folder.glob("heads/*/tokens/*.tsr")))


def test_what_the_readme_says_works_as_it_stands(evidence, tmp_path):
    done, tokens = run_readme(evidence, tmp_path)
    assert tokens >= 4
    entry = hashlib.sha256((evidence / "statement.json").read_bytes()).hexdigest()
    assert done.stdout.splitlines() == [f"{entry}  data/statement.json", *["Verification: OK"] * tokens], (
        done.stderr
    )


def test_what_the_readme_says_finds_a_changed_checkpoint(evidence, tmp_path):
    def change(folder):
        note = (folder / "heads/99/checkpoint").read_bytes()
        (folder / "heads/99/checkpoint").write_bytes(note.replace(note.split(b"\n")[1], b"99", 1))

    done, tokens = run_readme(evidence, tmp_path, change)
    assert done.stdout.count("Verification: OK") == tokens - 2
    assert (done.stdout + done.stderr).count("Verification: FAILED") == 2


def test_the_header_hashes_to_the_block_that_the_chain_names(head, evidence):
    header = (head / "header.rlp").read_bytes()
    number = int.from_bytes(rlp.decode(header)[8])
    block = evidence.service.ask_chain("eth_getBlockByNumber", hex(number), False)
    # Two more makes of Keccak: the node's own, and the one of the Ethereum foundation's tools.
    assert evidence.service.ask_chain("web3_sha3", "0x" + header.hex()) == block["hash"]
    assert "0x" + keccak(header).hex() == block["hash"]
    (chain,) = tomllib.loads((evidence / "trust.toml").read_text())["chain"]
    assert {"number": number, "hash": block["hash"]} in chain["block"]


def test_a_changed_header_hashes_to_another_block(head, evidence):
    header = bytearray((head / "header.rlp").read_bytes())
    header[100] ^= 1
    number = int.from_bytes(rlp.decode(bytes(header))[8])
    block = evidence.service.ask_chain("eth_getBlockByNumber", hex(number), False)
    assert evidence.service.ask_chain("web3_sha3", "0x" + header.hex()) != block["hash"]


def test_the_script_in_the_package_reaches_its_result_and_every_control_fails(evidence, unzipped):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["sh", "tools/check.sh", "--trust", evidence / "trust.toml"],
        cwd=unzipped,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (done.returncode, done.stderr, "FAILED" in done.stdout) == (0, "", False), done.stdout
    ids = (
        "1.1",
        "2.1",
        "2.2",
        "2.3",
        "2.4",
        "3.1",
        "3.2",
        "4.1",
        "4.2",
        "5.1",
        "6.1",
        "6.2",
        "6.3",
        "6.4",
        "6.5",
        "6.6",
        "7.1",
        "7.2",
        "8.1",
    )
    for id_ in ids:
        assert re.search(rf"^{re.escape(id_)} +passed ", done.stdout, re.MULTILINE), id_
    controls = re.findall(r"^\d\.\d +(\S+) +(\S+)", done.stdout.partition("\nControls:")[2], re.MULTILINE)
    assert {word for _, word in controls} == {"fails"}
    assert len(controls) >= 9
    # Ten seconds of a machine that has nothing else to do.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 10
