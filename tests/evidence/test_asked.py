"""Blocks by the word of those who were asked: they count as those that the trust file names, and no more (§10.1)."""

from dataclasses import replace

import pytest

from notary.evidence import canonical
from notary.evidence.asked import BlockAnswer, WantedBlock
from notary.evidence.chain import decode_header, encode_evidence
from notary.evidence.outcome import Outcome
from notary.evidence.trust import with_answers
from tests.evidence import build
from tests.evidence.build import ANCHOR_TIME, LATE, NOT_BEFORE, NOT_BEFORE_TIME
from tests.evidence.test_verify_profiles import Chain, validators

PASSED, FAILED, UNCHECKED = Outcome
LOG = build.log()
FILES = build.files(LOG)
ANCHOR = f"heads/{LATE}/anchor.json"
BLOCK = decode_header(LOG.anchor(LATE).header, "ethereum")
EARLIER = decode_header(NOT_BEFORE, "ethereum")
UNNAMED = build.trust(LOG, chain=build.chain_table(LOG, blocks=[]))
NAMED = build.trust(LOG)
# Without it the state does not name the not-before block, and two blocks are to be compared.
BARE = FILES | {
    ANCHOR: canonical.dumps(canonical.loads(FILES[ANCHOR], 2**22) | {"history_proof": None}),
}


def answer(block, *, other=False, source="node a", **changes):
    said = BlockAnswer(31337, block.number, bytes(32) if other else block.hash, source)
    return replace(said, **changes)


def silent(block, trouble="it does not have this block"):
    return answer(block, hash=None, trouble=trouble)


def check(*answers, trust=UNNAMED, files=FILES):
    return build.check(files, with_answers(trust, answers))


def found(report, id_):
    ((outcome, detail),) = [(c.outcome, c.detail) for c in report.checks if c.id == id_]
    return outcome, detail


def test_the_blocks_on_which_a_result_rests_are_told():
    wanted = WantedBlock(31337, 200, BLOCK.hash, ANCHOR_TIME)
    assert check().blocks == check(trust=NAMED).blocks == (wanted,)
    assert check(files=BARE).blocks == (wanted, WantedBlock(31337, 100, EARLIER.hash, NOT_BEFORE_TIME))
    assert build.check(FILES, build.trust(LOG, chain=None)).blocks == ()
    assert build.check(FILES, None).blocks == ()


def test_a_proof_that_the_state_names_the_earlier_block_needs_both_of_its_parts():
    value = canonical.loads(FILES[ANCHOR], 2**22)
    (earlier,) = value["not_before"]
    bare = FILES | {ANCHOR: canonical.dumps(value | {"not_before": [earlier | {"storage_proof": None}]})}
    assert [block.number for block in check(files=bare).blocks] == [200, 100]


def test_a_block_that_heads_share_is_told_once():
    evidence = LOG.anchor(LATE)
    again = {f"heads/{build.EARLY}/anchor.json": encode_evidence(evidence)}
    assert [block.number for block in check(files=FILES | again).blocks] == [200]


def test_a_block_that_a_node_confirms_counts_as_one_that_the_trust_file_names():
    report = check(answer(BLOCK))
    assert report.outcome is PASSED
    assert report.interval == check(trust=NAMED).interval
    outcome, detail = found(report, "6.2")
    assert (outcome, detail.endswith(", by the word of node a")) == (PASSED, True)
    assert found(report, "7.2") == (PASSED, "the state of block 200 names it (EIP-2935)")
    both = check(answer(BLOCK), answer(BLOCK, source="explorer b"), trust=NAMED)
    assert found(both, "6.2")[1].endswith(", by the word of the trust file, node a, explorer b")


def test_where_the_state_does_not_name_the_earlier_block_it_is_confirmed_alike():
    report = check(answer(BLOCK), answer(EARLIER), files=BARE)
    assert found(report, "7.2") == (PASSED, "it is block 100 by the word of node a")
    assert report.interval.made_after is not None
    outcome, detail = found(check(answer(BLOCK), files=BARE), "7.2")
    assert outcome is UNCHECKED
    assert detail.endswith(f"compare block 100, hash 0x{EARLIER.hash.hex()}")


@pytest.mark.parametrize("trust", [UNNAMED, NAMED], ids=["unnamed", "named"])
@pytest.mark.parametrize("more", [(), (answer(BLOCK, source="node b"),)], ids=["alone", "beside another"])
def test_another_hash_fails_whoever_else_names_it(trust, more):
    report = check(answer(BLOCK, other=True), *more, trust=trust)
    assert {failure.id for failure in report.failures()} == {"6.2"}
    assert f"node a has another: 0x{'00' * 32}" in found(report, "6.2")[1]
    assert all(bound.kind == "rfc3161" for bound in report.interval.bounds)


def test_another_hash_of_the_earlier_block_fails_7_2_though_the_state_names_it():
    report = check(answer(BLOCK), answer(EARLIER, other=True))
    assert {failure.id for failure in report.failures()} == {"7.2"}
    assert report.interval.made_after is None


def test_no_answer_leaves_it_as_it_is_and_says_why():
    report = check(silent(BLOCK), silent(EARLIER, "it is of chain 1"), files=BARE)
    assert found(report, "6.2")[0] is found(report, "7.2")[0] is UNCHECKED
    assert found(report, "6.2")[1].endswith("; node a: it does not have this block")
    assert found(report, "7.2")[1].endswith("; node a: it is of chain 1")
    assert check(silent(BLOCK), trust=NAMED).outcome is PASSED
    assert found(check(silent(BLOCK), answer(BLOCK)), "6.2")[0] is PASSED


@pytest.mark.parametrize("changes", [{"chain_id": 1}, {"number": 201}])
def test_an_answer_about_another_block_counts_for_nothing(changes):
    for other in (False, True):
        assert check(answer(BLOCK, other=other, **changes)) == check()


def test_on_a_sealed_chain_a_node_that_contradicts_the_seals_fails():
    chain = Chain("qbft")
    trust = build.trust(
        chain.log, chain=build.chain_table(chain.log, validators(), blocks=[], profile="qbft")
    )
    block = decode_header(chain.evidence.header, "qbft")
    files = chain.files | {ANCHOR: encode_evidence(chain.evidence)}
    files.pop(f"heads/{LATE}/header.rlp", None)
    good, bad = (
        build.check(files, with_answers(trust, [answer(block, other=other)])) for other in (False, True)
    )
    assert (found(good, "6.2")[0], good.outcome) == (PASSED, PASSED)
    assert (found(bad, "6.2")[0], bad.outcome) == (FAILED, FAILED)
    assert "chain" not in {bound.kind for bound in bad.interval.bounds}
