"""Checkpoint and tlog-proof, checked by the packages of the Go checksum database (golang.org/x/mod/sumdb)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from notary.evidence.checkpoint import parse_checkpoint
from notary.evidence.note import parse_note
from notary.evidence.proof_file import TLOG_PROOF, ProofFile, parse_proof_file
from notary.merkle.tree import root_of
from tests.evidence import build
from tests.evidence.build import DOCUMENT, LATE

SOURCE = Path(__file__).parent / "tlog"
LOG = build.log()
VKEY = build.vkey(LOG.origin, LOG.key)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The small program that calls them, built from the modules that go.sum pins."""
    target = tmp_path_factory.mktemp("go") / "tlog"
    environment = {**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "GOTOOLCHAIN": "local"}
    go = shutil.which("go")
    assert go, "this test needs Go 1.24 or newer, or to be left out: the header of the run says when it is"
    done = subprocess.run(
        [go, "build", "-o", target, "."],
        cwd=SOURCE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, f"Go, or the module that {SOURCE}/go.sum pins, is not there: {done.stderr}"
    return target


@pytest.fixture
def checked(program, tmp_path):
    def run(proof, statement=None, vkey=VKEY):
        (tmp_path / "statement.json").write_bytes(statement or LOG.statements[DOCUMENT].encode())
        (tmp_path / "a.tlog-proof").write_bytes(proof)
        done = subprocess.run(
            [program, vkey, tmp_path / "statement.json", tmp_path / "a.tlog-proof"],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        return done.returncode, done.stdout.split() or done.stderr.strip()

    return run


@pytest.mark.parametrize(("index", "size"), [(2, 7), (0, 7), (6, 7), (2, 4), (0, 1), (4, 5)])
def test_a_proof_of_ours_leads_to_the_root_of_its_checkpoint(checked, index, size):
    statement = LOG.statements[index].encode()
    root = root_of(LOG.leaves[:size]).hex()
    for extra in (None, statement):
        assert checked(LOG.proof(index, size, extra), statement) == (0, [str(size), root, str(index)])


def test_the_golden_vector_is_verified(checked):
    data = (Path(__file__).parents[1] / "testdata/v1/inclusion.tlog-proof").read_bytes()
    status, (size, root, index) = checked(data)
    point = parse_checkpoint(parse_note(parse_proof_file(data, TLOG_PROOF).note).text)
    assert (status, int(size), root, int(index)) == (0, point.size, point.root.hex(), DOCUMENT)


def test_another_statement_sibling_index_or_key_is_refused(checked):
    good = parse_proof_file(LOG.proof(DOCUMENT, LATE), TLOG_PROOF)
    assert checked(good.encode(TLOG_PROOF), LOG.statements[1].encode()) == (1, "invalid transparency proof")
    sibling = ProofFile(DOCUMENT, (bytes(32), *good.path[1:]), good.note)
    place = ProofFile(DOCUMENT + 1, good.path, good.note)
    for wrong in (sibling, place):
        assert checked(wrong.encode(TLOG_PROOF)) == (1, "invalid transparency proof")
    status, said = checked(good.encode(TLOG_PROOF), vkey=build.vkey(LOG.origin, build.ed25519("a thief")))
    assert (status, said) == (1, "note has no verifiable signatures")


def test_a_checkpoint_with_one_bit_changed_is_refused(checked):
    good = parse_proof_file(LOG.proof(DOCUMENT, LATE), TLOG_PROOF)
    changed = good.note.replace(f"\n{LATE}\n".encode(), f"\n{LATE - 1}\n".encode())
    status, said = checked(ProofFile(DOCUMENT, good.path, changed).encode(TLOG_PROOF))
    assert status == 1
    assert "signature" in said
