"""Proofs in each form: both verifiers say the same of them, and of what is wrong in one way."""

from dataclasses import replace
from itertools import chain

import pytest

from tests.evidence import build
from tests.evidence.build import DOCUMENT, LATE
from tests.fuzz.proofs import (
    COSE_CHANGES,
    EVENT,
    JSON_CHANGES,
    by_python,
    cose,
    flipped,
    in_json,
    in_json_with,
    proofs,
    tlog_proof,
)
from tests.fuzz.verifiers import JavaScript, failed


@pytest.fixture(scope="module")
def javascript():
    with JavaScript() as running:
        yield running


def asked(javascript, proof):
    """The vector that both give; an AssertionError where they differ."""
    python = by_python(proof)
    assert javascript.ask(proof.data, proof.sample, **proof.beside) == python, proof.name
    return python


@pytest.mark.parametrize("proof", proofs(), ids=lambda proof: proof.name)
def test_unchanged_nothing_is_wrong_and_only_ots_gives_a_time(javascript, proof):
    result = asked(javascript, proof)
    assert failed(result) == set()
    assert {check["id"] for check in result["checks"]} >= {"1.1", "2.1", "2.2", "3.1", "3.2", "8.1"}
    assert result["outcome"] == ("passed" if "ots" in proof.name else "could_not_be_checked")


@pytest.mark.parametrize("what", JSON_CHANGES)
def test_one_thing_is_wrong_in_a_json_proof(javascript, what):
    change, id_ = JSON_CHANGES[what]
    result = asked(javascript, in_json_with(change))
    assert id_ in failed(result)
    assert result["outcome"] == "failed"


@pytest.mark.parametrize("what", COSE_CHANGES)
def test_one_thing_is_wrong_in_a_cose_receipt(javascript, what):
    changes, id_ = COSE_CHANGES[what]
    assert failed(asked(javascript, cose(**changes))) == {id_}


def test_a_cose_receipt_of_another_statement_or_key_fails_3_1(javascript):
    log = build.log()
    other = replace(cose(), beside={"statement": log.statements[EVENT].encode()})
    assert failed(asked(javascript, other)) == {"3.1"}
    stolen = replace(cose(), data=build.cose_receipt(log, DOCUMENT, LATE, log.receipt_key).encode())
    assert failed(asked(javascript, stolen)) == {"3.1"}
    long = replace(cose(), beside={"statement": b"a" * 8193})
    assert failed(asked(javascript, long)) == {"2.1"}


PERIODS = {
    "nothing dates it": ("until = 2027-01-01T00:00:00Z", set(), "could_not_be_checked"),
    "the key began later": ("since = 2027-01-01T00:00:00Z", set(), "passed"),
    "the key was stolen before": ("until = 2027-01-01T00:00:00Z\nlast_good_size = 6", {"3.1"}, "failed"),
}


@pytest.mark.parametrize("what", PERIODS)
def test_the_period_of_the_log_key_holds_for_every_form(javascript, what):
    line, ids, word = PERIODS[what]
    log = build.log()
    trust = build.trust_text(log, log_key=build.key_table("log_key", log.origin, log.key, line))
    for proof in (cose(EVENT), in_json(EVENT, 0)):
        result = asked(javascript, replace(proof, trust_text=trust))
        assert failed(result) == ids
        assert [check["outcome"] for check in result["checks"] if check["id"] == "3.1"][-1] == word


def test_without_what_lies_beside_there_is_no_outcome(javascript):
    ots = proofs()[4]
    wrong = [
        (cose().data, {}),
        (cose().data, {"proof": tlog_proof().data}),
        (ots.data, {}),
        (ots.data, {"statement": b"{}"}),
        (ots.data, {"proof": b"PK"}),
        (ots.data, {"proof": cose().data}),
        (in_json().data, {"statement": b"{}"}),
        (tlog_proof().data, {"proof": tlog_proof().data}),
    ]
    for data, beside in wrong:
        assert javascript.ask(data, ots.sample, **beside) == {"error": "BesideError"}
    assert javascript.ask(b"\xd2\x85", ots.sample) == {"error": "NoEvidence"}


def test_a_proof_beside_an_ots_file_that_cannot_be_read_fails_1_1(javascript):
    ots = proofs()[4]
    for changed in (
        replace(ots, beside={"proof": tlog_proof().data[:-1]}),
        replace(ots, data=ots.data + bytes(262144)),
    ):
        assert failed(asked(javascript, changed)) == {"1.1"}
    assert failed(asked(javascript, replace(ots, data=ots.data + b"\0"))) == {"5.3"}
    other = replace(ots, beside={"proof": in_json(EVENT, 0).data})  # under another checkpoint
    assert failed(asked(javascript, other)) == {"5.3"}


def judged(javascript, mutants):
    """Outcomes of all; both verifiers say the same of each."""
    return {proof.name: asked(javascript, proof).get("outcome", "no evidence") for proof in mutants}


def test_no_flipped_bit_of_a_cose_receipt_or_json_proof_is_let_through(javascript):
    """Every byte of the first is under a signature, in a path or of the one encoding; so is every one of the second."""
    words = judged(javascript, chain(flipped(cose()), flipped(in_json(), step=11)))
    assert len(words) > 300
    assert set(words.values()) == {"failed", "no evidence"}


@pytest.mark.fuzz
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("proof", proofs(), ids=lambda proof: proof.name)
def test_the_verifiers_agree_on_every_flipped_bit(javascript, proof):
    words = judged(javascript, flipped(proof))
    assert len(words) == len(proof.data)
    assert "failed" in words.values()
