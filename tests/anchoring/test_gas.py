"""Gas of each kind of transaction: what docs/bench.json says, to the unit, and no more than was aimed at.

The same on every machine, so a dearer contract is noticed with its artifact made anew.
"""

import json
import re
from pathlib import Path

import pytest
from benchmarks import gas

from notary.anchoring.fields import quantity

BENCH = Path(__file__).parents[2] / "docs" / "bench.json"
ROWS = {row["name"]: row for row in json.loads(BENCH.read_text()) if row["name"].startswith("gas: ")}
# What each may take, written here a second time: the benchmark's own limits are held to these.
MOST = {
    "gas: deployment": 650_000,
    "gas: a log opened": 55_000,
    "gas: a first anchor": 59_000,
    "gas: an anchor of 10,000 at 1,023, the worst size": 57_000,
    "gas: an anchor of 10,000 at 1,048,575, the worst size": 67_000,
    "gas: an anchor of 10,000 at 1,073,741,823, the worst size": 80_000,
}
A_RECORD, BASE, A_HASH = 8, 43_000, 1_150


@pytest.fixture(scope="module")
def used(shared_chain):
    """Gas by the benchmark's names, and the hashes in the proof of each."""
    node = shared_chain.node
    # The contract lies where it does in the benchmark, by the wallet's first transaction: what the head key signs
    # depends on that, and a signature costs by its zero bytes.
    block = node.ask("eth_getBlockByNumber", "0x1", False)
    nonce = quantity(node.ask("eth_getTransactionCount", gas.WALLET.address, "latest"))
    chain = gas.Chain(node, shared_chain.contract, nonce)
    log, opened = chain.open("log.example.org/2026")
    first, _ = chain.anchor(log, 0, gas.BATCH)
    found = {
        "gas: deployment": (quantity(block["gasUsed"]), 0),
        "gas: a log opened": (opened, 0),
        "gas: a first anchor": (first, 0),
    }
    for size, _, _ in gas.WORST:
        log, _ = chain.open(f"{size}.0.example.org")
        chain.anchor(log, 0, size)
        name = f"gas: an anchor of {gas.BATCH:,} at {size:,}, the worst size"
        found[name] = chain.anchor(log, size, size + gas.BATCH)
    log, _ = chain.open("short.example.org")
    chain.anchor(log, 0, 1)
    found["the shortest proof"] = chain.anchor(log, 1, 2)
    return found


@pytest.mark.parametrize("name", MOST)
def test_it_is_what_the_measurements_say_and_within_its_limit(used, name):
    taken, _ = used[name]
    assert taken == ROWS[name]["value"]
    assert taken <= MOST[name]
    assert ROWS[name]["goal"] == f"value <= {MOST[name]}"


def test_an_anchor_takes_no_more_than_its_proof_and_a_record_no_more_than_its_share(used):
    anchors = [found for name, found in used.items() if "worst size" in name]
    assert len(anchors) == 3
    assert all(taken <= BASE + A_HASH * hashes for taken, hashes in anchors)
    assert max(taken for taken, _ in anchors) / gas.BATCH <= A_RECORD
    assert [hashes for _, hashes in anchors] == sorted(
        {hashes for _, hashes in anchors}
    )  # ever longer proofs


def test_what_the_page_says_of_an_anchor_is_so(used):
    """docs/operations.md: between the shortest proof and the longest up to 2^30 entries, and by the hash."""
    (said,) = re.findall(
        r"takes ([\d,]+) to ([\d,]+) gas .* at most ([\d,]+) and ([\d,]+) for each hash, "
        r"of which there are 1 to (\d+); the first one takes ([\d,]+)\.",
        (BENCH.parent / "operations.md").read_text(),
    )
    least, most, base, a_hash, hashes, first = (int(each.replace(",", "")) for each in said)
    anchors = [found for name, found in used.items() if "worst size" in name or name == "the shortest proof"]
    assert (min(of for _, of in anchors), max(of for _, of in anchors)) == (1, hashes)
    assert all(least <= taken <= most and taken <= base + a_hash * of for taken, of in anchors)
    assert used["the shortest proof"][0] < least + 400
    assert most - 400 < max(taken for taken, _ in anchors)
    assert first - 400 < used["gas: a first anchor"][0] <= first


def test_medians_and_the_rest_were_measured_within_their_limits():
    limits = {
        "gas: the same, median of 100 sizes around it": (56_000, 63_000, 69_000),
        f"gas: most above {BASE:,} and {A_HASH:,} a hash": (0,),
        "gas: a record, at most": (A_RECORD,),
    }
    rows = [row for row in json.loads(BENCH.read_text()) if row["name"].startswith("gas: ")]
    for name, most in limits.items():
        values = [row["value"] for row in rows if row["name"] == name]
        assert len(values) == len(most), name
        assert all(value <= limit for value, limit in zip(values, most, strict=True)), name
    assert {row["name"] for row in rows} == {*MOST, *limits}
