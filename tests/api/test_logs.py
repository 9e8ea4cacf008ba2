"""GET /log/…: the log as others read it."""

import base64
from datetime import UTC, datetime

import pytest

from notary.evidence.checkpoint import open_checkpoint
from notary.evidence.note import Verifier
from notary.merkle.hashing import hash_leaf
from notary.merkle.tree import root_of
from notary.store.anchorings import create_anchoring, move
from tests.api.service import ORIGIN, problem


def test_the_checkpoint_is_signed_and_follows_the_log(service):
    key = Verifier.from_vkey(service.assembly.genesis.log_key)
    answer = service.get("/log/checkpoint")
    assert open_checkpoint(answer.content, ORIGIN, [key]).checkpoint.size == 1
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=2"
    service.accepted()
    service.close()
    assert open_checkpoint(service.get("/log/checkpoint").content, ORIGIN, [key]).checkpoint.size == 2


def test_tiles_and_bundles_give_the_root_of_the_checkpoint(service):
    entries = [service.accepted(b"%d" % n)["entry"] for n in range(3)]
    service.close()
    tile, bundle = service.get("/log/tile/0/000.p/4"), service.get("/log/tile/entries/000.p/4")
    for answer in (tile, bundle):
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    leaves = [tile.content[at : at + 32] for at in range(0, len(tile.content), 32)]
    assert leaves[1:] == [hash_leaf(bytes.fromhex(entry)) for entry in entries]
    key = Verifier.from_vkey(service.assembly.genesis.log_key)
    assert open_checkpoint(service.get("/log/checkpoint").content, ORIGIN, [key]).checkpoint.root == root_of(
        leaves
    )
    assert all(bytes.fromhex(entry) in bundle.content for entry in entries)


@pytest.mark.parametrize(
    "path",
    [
        "0/001", "0/000", "0/000.p/3", "0/000.p/0", "0/000.p/256", "0/0", "0/0000", "64/000", "-1/000", "x/000",
        "entries/001", "entries/000.p/999", "", "0", "0/", "0//000", "00/000", "0/x001/000", "0/000.p/4/",
        "../checkpoint", "0/../../checkpoint", "..%2f..%2fkeys%2flog.pem", "%2e%2e/%2e%2e/keys/log.pem",
        "0/000%00", "0/%EF%BC%90%EF%BC%90%EF%BC%90", "a" * 3000, "staging/1",
    ],
)  # fmt: skip
def test_a_path_that_is_no_tile_is_not_found(service, path):
    service.accepted(b"a")
    service.accepted(b"b")
    service.accepted(b"c")
    service.close()
    assert service.get("/log/tile/0/000.p/4").status_code == 200
    answer = service.raw_get(f"/log/tile/{path}")
    assert "tile" in problem(answer, 404, "not_found")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_log_that_is_not_open_has_no_checkpoint(service):
    assert service.get("/log/checkpoint").status_code == 200
    (service.settings.data_dir / "log/checkpoint").unlink()
    assert "not open yet" in problem(service.get("/log/checkpoint"), 404, "not_found")


def test_attested_heads_are_listed_with_their_evidence(service, attested):
    answer = service.get("/log/anchors")
    assert answer.headers["Cache-Control"] == "public, max-age=5"
    (anchor,) = answer.json()["anchors"]
    note = service.get("/log/checkpoint").content
    assert {name: anchor[name] for name in ("anchor", "kind", "size", "state")} == {
        "anchor": "tsa-a", "kind": "rfc3161", "size": 1, "state": "final",
    }  # fmt: skip
    assert base64.b64decode(anchor["checkpoint"]) == note
    assert base64.b64decode(anchor["evidence"]) == b"a token"


@pytest.fixture
def attested(service):
    now = datetime.now(UTC)
    with service.assembly.database.writing() as connection:
        made = create_anchoring(connection, "tsa-a", "rfc3161", 1, now)
        move(connection, made.id, "due", "final", now, evidence=b"a token")


def test_before_the_first_attestation_the_list_is_empty(service):
    assert service.get("/log/anchors").json() == {"anchors": []}
