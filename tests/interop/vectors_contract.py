"""Other people's consistency proofs, put before the contract: its word is theirs, and the reference's."""

import pytest

from notary.anchoring.contract import revert_reason
from tests.anchoring.local_chain import running
from tests.anchoring.test_contract_proofs import opened
from tests.interop.vectors_merkle import CONSISTENCY_PROBES, probes

ASKED = 25  # those that a contract can be asked: a first head, and a larger one after it
HASH = 32


@pytest.fixture(scope="module")
def shared_chain():
    with running() as started:
        yield started


def test_every_consistency_probe_is_judged_as_published(shared_chain, vectors):
    found = probes(vectors / "merkle-proofs" / "consistency")
    assert len(found) == CONSISTENCY_PROBES
    asked, wrong = 0, []
    for name, probe in sorted(found.items()):
        old, new = probe["size1"], probe["size2"]
        hashes = [probe["root1"], probe["root2"], *probe["proof"]]
        if not 0 < old < new or any(len(each) != HASH for each in hashes):
            continue  # the type of the call says it already, or the rule that an anchor is larger
        asked += 1
        log = opened(shared_chain, str(name), old, probe["root1"])
        answer = shared_chain.attempt(shared_chain.data(log, new, probe["root2"], probe["proof"]))
        if (answer.error is None) == bool(probe["wantErr"]):
            wrong.append((name, answer.error and revert_reason(answer)))
    assert wrong == []
    assert asked >= ASKED
