"""GET /log/…: the log as others read it."""

import base64
import gzip
import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from notary.api import logs
from notary.evidence.bodies import Incident
from notary.evidence.checkpoint import open_checkpoint
from notary.evidence.commitments import check_openings, parse_openings
from notary.evidence.note import Verifier
from notary.evidence.statement import parse_statement
from notary.merkle.hashing import hash_leaf
from notary.merkle.tree import root_of
from notary.observe import BROKEN_PROMISES
from notary.services.incidents import Incidents
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


@pytest.fixture(scope="module")
def of_four(shared_service):
    """A log of four entries, which stands still."""
    for data in (b"a", b"b", b"c"):
        shared_service.accepted(data)
    shared_service.close()
    return shared_service


@pytest.mark.parametrize(
    "path",
    [
        "0/001", "0/000", "0/000.p/3", "entries/000.p/3", "entries/000", "0/000.p/0", "0/000.p/256", "0/0", "0/0000",
        "64/000", "-1/000", "x/000", "entries/001", "entries/000.p/999", "", "0", "0/",
        "0//000", "00/000", "0/x001/000", "0/000.p/4/",
        "../checkpoint", "0/../../checkpoint", "..%2f..%2fkeys%2flog.pem", "%2e%2e/%2e%2e/keys/log.pem",
        "0/000%00", "0/%EF%BC%90%EF%BC%90%EF%BC%90", "a" * 3000, "staging/1",
    ],
)  # fmt: skip
def test_a_path_that_is_no_tile_is_not_found(of_four, path):
    assert of_four.get("/log/tile/0/000.p/4").status_code == 200
    answer = of_four.raw_get(f"/log/tile/{path}")
    assert "tile" in problem(answer, 404, "not_found")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_partial_tile_of_any_width_is_cut_from_the_full_one(service):
    for n in range(257):
        service.accepted(b"%d" % n)
    service.close()
    full, bundle = service.get("/log/tile/0/000").content, service.get("/log/tile/entries/000").content
    for width in (1, 17, 255):
        assert service.get(f"/log/tile/0/000.p/{width}").content == full[: 32 * width]
        assert service.get(f"/log/tile/entries/000.p/{width}").content == bundle[: 34 * width]
    assert service.get("/log/tile/0/001.p/2").status_code == 200
    for path in ("0/001.p/1", "0/001.p/3", "entries/001.p/1", "1/000.p/2"):
        assert "tile" in problem(service.get(f"/log/tile/{path}"), 404, "not_found")
    path = service.settings.data_dir / "log/tile/entries/000"
    for left in (bundle[:-1], bundle[: 34 * 5], b"", bundle + b"x"):
        path.write_bytes(left)
        for name in ("000", "000.p/7"):
            answer = service.get(f"/log/tile/entries/{name}")
            problem(answer, 500, "error")
            assert answer.headers["Cache-Control"] == "no-store"
    path = service.settings.data_dir / "log/tile/0/000"
    for left in (full[:-1], full[: 32 * 5], b""):
        path.write_bytes(left)
        for name in ("0/000", "0/000.p/7"):
            if name == "0/000" or len(left) < 32 * 7:
                answer = service.get(f"/log/tile/{name}")
                problem(answer, 500, "error")
                assert answer.headers["Cache-Control"] == "no-store"  # it is right again after a repair


@pytest.mark.parametrize(
    "path", ["checkpoint", "tile/0/000.p/1", "tile/entries/000.p/1", "proof/inclusion?index=0&size=1"]
)
def test_what_a_cache_has_is_not_sent_again(service, path):
    whole = service.get(f"/log/{path}", {"Accept-Encoding": "identity"})
    tag = whole.headers["ETag"]
    assert tag == f'"{sha256(whole.content).hexdigest()[:32]}"'
    for header in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer = service.get(f"/log/{path}", {"If-None-Match": header, "Accept-Encoding": "identity"})
        assert (answer.status_code, answer.content) == (304, b"")
        for name in ("ETag", "Cache-Control", "Access-Control-Allow-Origin"):
            assert answer.headers[name] == whole.headers[name]
        assert answer.headers.get("Vary") == whole.headers.get("Vary")
    for header in ('"x"', tag.strip('"'), tag.replace('"', "'"), f'"{tag}"', ""):
        answer = service.get(f"/log/{path}", {"If-None-Match": header, "Accept-Encoding": "identity"})
        assert (answer.status_code, answer.content) == (200, whole.content), header


def test_the_tag_of_the_checkpoint_changes_with_it(service):
    tag = service.get("/log/checkpoint").headers["ETag"]
    service.accepted()
    service.close()
    assert service.get("/log/checkpoint", {"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("gzip", True), ("GZIP", True), ("br, gzip;q=0.5", True), ("*", True), ("identity, gzip", True),
        ("gzip;q=1.000", True), ("gzip ; q=0.1", True), ("deflate, *;q=0.3", True),
        ("", False), ("identity", False), ("gzip;q=0", False), ("gzip;q=0.000", False), ("*;q=0", False),
        ("gzip;q=0, *", False), ("gzip;q=0.5, identity;q=0.8", False), ("x-gzip", False), ("br", False),
        ("gzip;q=2", False), ("gzip;q=-1", False), ("gzip;q=nan", False), ("gzipped", False), (",;,", False),
    ],
)  # fmt: skip
def test_bundles_are_compressed_for_whoever_takes_that(service, header, taken):
    plain = service.get("/log/tile/entries/000.p/1", {"Accept-Encoding": "identity"})
    answer = service.get("/log/tile/entries/000.p/1", {"Accept-Encoding": header})
    assert answer.content == plain.content  # as the client unpacked it
    assert answer.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert answer.headers.get("Content-Encoding") == ("gzip" if taken else None)
    tag = answer.headers["ETag"]
    assert (tag != plain.headers["ETag"]) is taken
    again = {"Accept-Encoding": header, "If-None-Match": tag}
    assert service.get("/log/tile/entries/000.p/1", again).status_code == 304
    hashes = service.get("/log/tile/0/000.p/1", {"Accept-Encoding": header})
    assert "Content-Encoding" not in hashes.headers


def test_a_compressed_bundle_is_the_same_bytes_each_time(service):
    bundles = [
        service.raw("GET", "/log/tile/entries/000.p/1", None, {"Accept-Encoding": "gzip"}) for _ in range(2)
    ]
    assert bundles[0]["body"] == bundles[1]["body"]
    assert gzip.decompress(bundles[0]["body"])[:2] == b"\x00\x20"


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


def broken(service, count=1):
    """Records, each of a group of its own, that are closed too late; the incidents on them are in the log, too."""
    for number in range(count):
        service.accepted(b"late %d" % number)
    service.wait(70)
    service.close()
    (step,) = (step for step in service.assembly.steps if step.name == "promises")
    before = BROKEN_PROMISES._value.get()
    step.run()
    assert BROKEN_PROMISES._value.get() == before + count
    service.close()


def test_broken_promises_are_told_to_everybody(service):
    assert service.get("/log/incidents").json() == {"incidents": [], "next": None}
    broken(service)
    answer = service.get("/log/incidents")
    assert answer.headers["Cache-Control"] == "public, max-age=5"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    ((found,), following) = answer.json().values()
    assert following is None
    statement = parse_statement(found["statement"].encode())
    assert statement.body == Incident("promise_broken", bytes.fromhex(found["subject"]))
    openings = parse_openings(json.dumps(found["openings"], sort_keys=True, separators=(",", ":")).encode())
    assert check_openings(openings, statement.commitments) == {"detail": found["detail"]}
    assert (found["index"], found["state"], found["kind"]) == (2, "closed", "promise_broken")
    proof = service.get(f"/v1/evidence/{found['number']}/proof")
    assert proof.status_code == 200
    assert service.get("/log/incidents", params={"after": found["number"]}).json()["incidents"] == []
    problem(service.get("/log/incidents", params={"after": "x"}), 400, "bad_record_number")


def test_incidents_come_in_pages(service, monkeypatch):
    monkeypatch.setattr(logs, "MAX_PAGE", 2)
    monkeypatch.setattr(Incidents.page, "__defaults__", ("", 2))
    broken(service, 3)
    first = service.get("/log/incidents").json()
    second = service.get("/log/incidents", params={"after": first["next"]}).json()
    numbers = [item["number"] for page in (first, second) for item in page["incidents"]]
    assert (len(first["incidents"]), len(second["incidents"]), second["next"]) == (2, 1, None)
    assert numbers == sorted(set(numbers))


def test_who_does_not_lead_looks_for_no_broken_promise(service):
    broken(service)
    service.accepted(b"late again")
    service.wait(70)
    service.close()
    (step,) = (step for step in service.assembly.steps if step.name == "promises")
    service.assembly.sequencer.release()
    step.run()
    assert len(service.services.incidents.page()) == 1
    service.close()
    step.run()
    assert len(service.services.incidents.page()) == 2
