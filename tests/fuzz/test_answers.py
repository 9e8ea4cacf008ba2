"""What others say of blocks counts alike in both verifiers."""

from dataclasses import replace
from itertools import product

import pytest

from notary.evidence.asked import BlockAnswer
from notary.evidence.chain import decode_evidence, decode_header, encode_evidence
from tests.evidence.build import LATE, chain_table, trust_text
from tests.evidence.test_verify_profiles import HEAD_KEYS, Chain
from tests.fuzz import corpus
from tests.fuzz.verifiers import JavaScript, by_python
from tests.fuzz.zips import packed

ANCHOR = f"heads/{LATE}/anchor.json"


@pytest.fixture(scope="module")
def script():
    with JavaScript() as running:
        yield running


def unnamed(history):
    """The anchored sample under a trust file that names no block; with or without the state of the earlier one."""
    sample, chain = corpus.anchored(), Chain("ethereum")
    table = chain_table(chain.log, HEAD_KEYS, blocks=[])
    files = dict(sample.files)
    if not history:
        files[ANCHOR] = encode_evidence(replace(decode_evidence(files[ANCHOR]), history_proof=None))
    return replace(sample, files=files, trust_text=trust_text(chain.log, chain=table, tsa_a=None, tsa_b=None))


def answers(sample):
    """Of the anchoring block and of the earlier one: nothing, the same hash, another, none, or of another chain."""
    evidence = decode_evidence(sample.files[ANCHOR])
    headers = (evidence.header, evidence.not_before[0].header)
    blocks = [decode_header(header, evidence.profile) for header in headers]

    def said(block):
        good = BlockAnswer(evidence.chain_id, block.number, block.hash, "node a")
        bad, silent = replace(good, hash=bytes(32)), replace(good, hash=None, trouble="gone")
        elsewhere = (replace(bad, chain_id=1), replace(good, number=block.number + 1))
        return ((), (good,), (bad,), (silent,), (silent, good), (good, bad), elsewhere)

    return product(*map(said, blocks))


@pytest.mark.parametrize("history", [True, False], ids=["state", "no state"])
def test_whatever_is_said_of_the_blocks_both_say_the_same(script, history):
    sample = unnamed(history)
    data = packed(sample.files)
    seen = set()
    for one, other in answers(sample):
        python = by_python(data, sample, (*one, *other))
        assert script.ask(data, sample, (*one, *other)) == python, (one, other)
        seen.add(tuple(c["outcome"] for c in python["checks"] if c["id"] in {"6.2", "7.2"}))
    assert len(seen) >= 6
