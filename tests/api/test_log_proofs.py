"""GET /log/proof/…: what a stranger checks with nothing but the log's key."""

import base64

import pytest

from notary.evidence.checkpoint import open_checkpoint
from notary.evidence.note import Verifier
from notary.evidence.proof_file import TLOG_PROOF, parse_proof_file
from notary.merkle.hashing import hash_leaf
from notary.merkle.proof import check_consistency, check_inclusion
from tests.api.service import ORIGIN, problem

FOR_EVER = "public, max-age=31536000, immutable"


def grow(service):
    """Six entries, checkpoints of 1, 4 and 6."""
    service.entries = []
    for count in (3, 2):
        service.entries += [service.accepted(b"%d" % n, visibility="public") for n in range(count)]
        service.close()
    return service


@pytest.fixture
def grown(service):
    return grow(service)


@pytest.fixture(scope="module")
def standing(shared_service):
    """The same, of which nothing more is asked than questions."""
    return grow(shared_service)


def head_of(service, body):
    """Size and root, from the signed checkpoint where there is one."""
    root = base64.b64decode(body["root"])
    if body["checkpoint"] is not None:
        key = Verifier.from_vkey(service.assembly.genesis.log_key)
        signed = open_checkpoint(base64.b64decode(body["checkpoint"]), ORIGIN, [key]).checkpoint
        assert (signed.size, signed.root) == (body["size"], root)
    return body["size"], root


def path_of(body):
    return [base64.b64decode(node) for node in body["path"]]


def test_a_stranger_follows_an_entry_to_a_signed_root(grown):
    newest = grown.get("/log/proof/consistency?old=5").json()
    for size in (4, 5, 6):
        answer = grown.get(f"/log/proof/inclusion?index=2&size={size}")
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == FOR_EVER
        body = answer.json()
        leaf = hash_leaf(bytes.fromhex(grown.entries[1]["entry"]))
        assert base64.b64decode(body["leaf_hash"]) == leaf
        found, root = head_of(grown, body)
        assert found == size
        check_inclusion(leaf, 2, size, path_of(body), root)
        assert (body["checkpoint"] is None) is (size == 5)
        # Once more, now from memory: not a byte changes.
        assert grown.get(f"/log/proof/inclusion?index=2&size={size}").content == answer.content
        if size == 5:
            old, new = head_of(grown, newest["old"]), head_of(grown, newest["new"])
            assert old == (5, root)
            assert newest["new"]["checkpoint"] is not None
            check_consistency(5, 6, path_of(newest), root, new[1])


def test_without_a_size_the_newest_checkpoint_is_meant_and_kept_for_seconds(grown):
    inclusion, consistency = "/log/proof/inclusion?index=0", "/log/proof/consistency?old=1"
    for path in (inclusion, consistency):
        assert grown.get(path).headers["Cache-Control"] == "public, max-age=2"
    assert grown.get(inclusion).json()["size"] == grown.get(consistency).json()["new"]["size"] == 6
    grown.accepted(b"later")
    grown.close()
    assert grown.get(inclusion).json()["size"] == grown.get(consistency).json()["new"]["size"] == 7


@pytest.mark.parametrize("call", ["inclusion?index=0&size=", "consistency?old=1&new="])
def test_a_size_that_is_not_published_comes_later(grown, call):
    answer = grown.get(f"/log/proof/{call}7")
    assert "published at size 6, not at 7 yet" in problem(answer, 409, "not_ready")
    assert answer.headers["Retry-After"]
    grown.accepted(b"later")
    grown.close()
    assert grown.get(f"/log/proof/{call}7").status_code == 200


@pytest.mark.parametrize(
    ("call", "detail"),
    [
        ("inclusion?index=6&size=6", "index must be below size, which is 6"),
        ("inclusion?index=0&size=0", "index must be below size, which is 0"),
        ("inclusion?index=6", "index must be below size, which is 6"),
        ("consistency?old=0&new=6", "old must be between 1 and new"),
        ("consistency?old=5&new=4", "old must be between 1 and new"),
        ("consistency?old=7", "old must be between 1 and new"),
        ("inclusion", "send index, and size or not"),
        ("inclusion?size=4", "send index, and size or not"),
        ("inclusion?index=1&index=1", "send index, and size or not"),
        ("inclusion?index=1&x=1", "send index, and size or not"),
        ("inclusion?index=1&old=1", "send index, and size or not"),
        ("consistency?new=4", "send old, and new or not"),
        *(
            (f"inclusion?index={value}&size=4", "index must be a decimal number")
            for value in ("", "-1", "%2B1", "01", "1.0", "1e3", "0x1", "1_0", "%201", "1%0A", "٣", "9" * 19, "9" * 5000)
        ),
        ("inclusion?index=1&size=01", "size must be a decimal number"),
        ("consistency?old=1&new=x", "new must be a decimal number"),
    ],
)  # fmt: skip
def test_a_wrong_question_is_a_problem_that_says_so(standing, call, detail):
    assert detail in problem(standing.get(f"/log/proof/{call}"), 400, "bad_request")


def test_a_record_is_proved_under_the_checkpoint_that_was_asked_for(grown):
    number = grown.entries[0]["number"]
    for query, size in (("", 4), ("?size=4", 4), ("?size=6", 6)):
        file = parse_proof_file(grown.get(f"/v1/evidence/{number}/proof{query}").content, TLOG_PROOF)
        key = Verifier.from_vkey(grown.assembly.genesis.log_key)
        checkpoint = open_checkpoint(file.note, ORIGIN, [key]).checkpoint
        assert checkpoint.size == size
        check_inclusion(
            hash_leaf(bytes.fromhex(grown.entries[0]["entry"])), file.index, size, file.path, checkpoint.root
        )
    proof = f"/v1/evidence/{number}/proof"
    assert "no checkpoint of size 5" in problem(grown.get(f"{proof}?size=5"), 404, "not_found")
    assert "not in a checkpoint of size 1" in problem(grown.get(f"{proof}?size=1"), 409, "not_ready")
    for size in ("0", "-1", "04", "x", "9" * 19, ""):
        assert "size" in problem(grown.get(f"{proof}?size={size}"), 400, "bad_request")
    hidden = grown.accepted(b"hidden")["number"]
    grown.close()
    assert problem(grown.get(f"/v1/evidence/{hidden}/proof?size=7"), 404, "not_found")


def test_proofs_are_counted_by_their_route(grown):
    grown.get("/log/proof/inclusion?index=0&size=4")
    assert 'route="/log/proof/inclusion",status="200"' in grown.get("/metrics").text
