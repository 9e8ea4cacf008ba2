"""The contract's word on proofs, beside that of the reference in Python, over sizes, wrong sizes and spoilt proofs."""

import json
from pathlib import Path

import pytest

from notary.anchoring.contract import call_data, log_id_of, read_head, revert_reason
from notary.errors import ProofError
from notary.evidence.consistency import parse_consistency
from notary.merkle.hashing import hash_leaf, hash_node
from notary.merkle.proof import check_consistency, check_inclusion, consistency_path, inclusion_path
from notary.merkle.tree import CompactRange, levels, range_nodes, root_of
from tests.anchoring.local_chain import HEAD_KEY, STRANGER

V1 = Path(__file__).parents[1] / "testdata/v1"
MOST = 64
ENTRIES = [bytes([7, number]) * 16 for number in range(MOST)]
HASHES = [hash_leaf(entry) for entry in ENTRIES]
ROWS = {size: levels(HASHES[:size]) for size in range(1, MOST + 1)}
ROOTS = [root_of(HASHES[:size]) for size in range(MOST + 1)]
# A tree of any size all of whose leaves are equal: one hash a level.
SAME = [hash_leaf(bytes(32))]
while len(SAME) < 64:
    SAME.append(hash_node(SAME[-1], SAME[-1]))


def opened(chain, name, size=0, root=bytes(32)):
    """A log of its own whose head is of that size."""
    chain.send(call_data("open(string,address)", name, HEAD_KEY.address))
    log = log_id_of(STRANGER.address, name)
    if size:
        chain.send(chain.data(log, size, root, []))
    return log


def small_path(old, new):
    return consistency_path(old, new, lambda level, index: ROWS[new][level][index])


def spoilt(seeded, new, proof):
    """(size, root, proof): the honest ones, sizes beside it, and ways to spoil the proof."""
    yield new, ROOTS[new], proof
    for size in {new + 1, new - 1, 2 * new, seeded.randrange(1, 2 * MOST)} - {new}:
        yield size, ROOTS[new], proof  # a proof does not bind the size
    yield new, ROOTS[new], [*proof, bytes(32)]
    yield new, ROOTS[new - 1], proof
    if proof:
        at = seeded.randrange(len(proof))
        yield new, ROOTS[new], [*proof[:at], bytes(32), *proof[at + 1 :]]
        yield new, ROOTS[new], [*proof[:at], *proof[at + 1 :]]
        yield new, ROOTS[new], proof[::-1]


def reference(old, size, old_root, new_root, proof):
    if size <= old:
        return False  # the log is append-only, and an anchor says something new
    try:
        check_consistency(old, size, proof, old_root, new_root)
    except ProofError:
        return False
    return True


def assert_same_verdict(chain, log, old, new, seeded):
    for size, new_root, proof in spoilt(seeded, new, small_path(old, new)):
        answer = chain.attempt(chain.data(log, size, new_root, proof))
        expected = reference(old, size, ROOTS[old], new_root, proof)
        said = revert_reason(answer) if answer.error else "accepted"
        assert (answer.error is None) == expected, f"{old} to {size}, made for {new}: {said}"


@pytest.mark.parametrize("old", [1, 2, 3, 7, 8, 21, 32, 63])
def test_of_some_pairs_of_small_sizes(shared_chain, seeded, old):
    log = opened(shared_chain, f"some.example/{old}", old, ROOTS[old])
    for new in sorted(seeded.sample(range(old + 1, MOST + 1), min(6, MOST - old))):
        assert_same_verdict(shared_chain, log, old, new, seeded)


@pytest.mark.anchoring
@pytest.mark.parametrize("old", range(1, MOST))
def test_of_all_pairs_of_small_sizes(shared_chain, seeded, old):
    log = opened(shared_chain, f"all.example/{old}", old, ROOTS[old])
    for new in range(old + 1, MOST + 1):
        assert_same_verdict(shared_chain, log, old, new, seeded)


def test_of_the_committed_vectors_the_contract_says_what_the_reference_does(shared_chain):
    """The very JSON of which `tests/evidence/test_vectors.py` asks the reference in Python."""
    roots = [bytes.fromhex(each) for each in json.loads((V1 / "log.json").read_text())["roots"]]
    (proof,) = parse_consistency((V1 / "consistency.json").read_bytes())
    old, new, way = proof.old, proof.new, list(proof.path)
    log = opened(shared_chain, "vectors.example/log", old, roots[old])
    tried = [(new, roots[new], way), (new - 1, roots[new], way), (new + 1, roots[new], way)]
    tried += [(new, roots[new - 1], way), (new, roots[old], way), (new, roots[new], [*way, way[-1]])]
    tried += [(new, roots[new], way[:-1]), (new, roots[new], [bytes(32), *way[1:]])]
    verdicts = []
    for size, root, path in tried:
        answer = shared_chain.attempt(shared_chain.data(log, size, root, path))
        verdicts.append(answer.error is None)
        assert verdicts[-1] == reference(old, size, roots[old], root, path), (size, revert_reason(answer))
    assert verdicts[0]
    assert not all(verdicts)
    # On a head that is not the vector's.
    other = opened(shared_chain, "vectors.example/other", old, roots[old - 1])
    answer = shared_chain.attempt(shared_chain.data(other, new, roots[new], way))
    assert revert_reason(answer) == "the contract refuses: NewRootMismatch"


def same_root(size):
    return CompactRange(size, tuple(SAME[level] for level, _ in range_nodes(0, size))).root()


@pytest.mark.parametrize("number", range(12))
def test_of_random_large_sizes(shared_chain, seeded, number):
    old = seeded.randrange(1, 2 ** seeded.randrange(2, 60))
    new = old + seeded.randrange(1, 2 ** seeded.randrange(1, 33))
    proof = consistency_path(old, new, lambda level, _: SAME[level])
    log = opened(shared_chain, f"large.example/{number}", min(old, 2**32), same_root(min(old, 2**32)))
    grown = min(old, 2**32)
    while grown < min(old, 2**34):  # a far size takes more than one step
        step = min(old, grown + 2**32)
        way = consistency_path(grown, step, lambda level, _: SAME[level])
        shared_chain.send(shared_chain.data(log, step, same_root(step), way))
        grown = step
    if grown < old:
        old, new = grown, grown + (new - old)
        proof = consistency_path(old, new, lambda level, _: SAME[level])
    for size, new_root, way in (
        (new, same_root(new), proof),
        (new + 1, same_root(new), proof),
        (new, same_root(new + 1), proof),
        (new, same_root(new), [bytes(32), *proof[1:]]),
        (new, same_root(new), [*proof, SAME[0]]),
    ):
        answer = shared_chain.attempt(shared_chain.data(log, size, new_root, way))
        expected = reference(old, size, same_root(old), new_root, way) and size - old <= 2**32
        assert (answer.error is None) == expected, f"{old} to {size}: {revert_reason(answer)}"


def test_a_jump_of_more_than_two_to_the_32_is_refused(shared_chain):
    log = opened(shared_chain, "far.example/log")
    for old in (0, 5):
        if old:
            shared_chain.send(shared_chain.data(log, old, same_root(old), []))
        farthest = old + 2**32
        way = consistency_path(old, farthest, lambda level, _: SAME[level]) if old else []
        assert shared_chain.attempt(shared_chain.data(log, farthest, same_root(farthest), way)).error is None
        way = consistency_path(old, farthest + 1, lambda level, _: SAME[level]) if old else []
        answer = shared_chain.attempt(shared_chain.data(log, farthest + 1, same_root(farthest + 1), way))
        assert revert_reason(answer) == "the contract refuses: TooFar"


def inclusion(chain, log, entry, index, proof):
    data = call_data("verifyInclusion(bytes32,bytes32,uint64,bytes32[])", log, entry, index, list(proof))
    answer = chain.attempt(data)
    assert answer.error is None, answer.error
    return bool(int(answer.result, 16))


def included(entry, index, size, proof):
    try:
        check_inclusion(hash_leaf(entry), index, size, proof, ROOTS[size])
    except ProofError:
        return False
    return True


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8, 33, 64])
def test_of_entries_of_the_head(shared_chain, seeded, size):
    log = opened(shared_chain, f"entries.example/{size}", size, ROOTS[size])
    for index in sorted(seeded.sample(range(size), min(size, 8))):
        way = inclusion_path(index, size, lambda level, place: ROWS[size][level][place])
        variants = [
            (ENTRIES[index], index, way),
            (ENTRIES[index - 1], index, way),
            (ENTRIES[index], index + 1, way),
            (ENTRIES[index], index ^ 1, way),
            (ENTRIES[index], size, way),
            (ENTRIES[index], index, [*way, bytes(32)]),
            (ENTRIES[index], index, way[:-1]),
            (ENTRIES[index], index, way[::-1]),
            # An inner node is no entry: the hash of a leaf is taken on the chain.
            (ROWS[size][1][index // 2] if size > 1 else bytes(32), index // 2, way[1:]),
        ]
        for entry, place, proof in variants:
            assert inclusion(shared_chain, log, entry, place, proof) == included(entry, place, size, proof)
    assert inclusion(shared_chain, log, ENTRIES[0], 0, inclusion_path(0, size, lambda a, b: ROWS[size][a][b]))


def test_of_entries_of_a_log_without_a_head(shared_chain):
    log = opened(shared_chain, "empty.example/log")
    assert not inclusion(shared_chain, log, ENTRIES[0], 0, [])
    assert not inclusion(shared_chain, bytes(32), ENTRIES[0], 0, [])


def test_whatever_is_tried_the_head_only_grows_and_by_proof(shared_chain, seeded):
    log, size, root = opened(shared_chain, "walk.example/log"), 0, bytes(32)
    taken = refused = 0
    for _ in range(80):
        new = min(MOST, max(1, size + seeded.randrange(-3, 12)))
        tries = list(spoilt(seeded, new, small_path(size, new) if 0 < size < new else []))
        tried, new_root, way = seeded.choice([tries[0], tries[0], *tries])
        key = seeded.choice([HEAD_KEY] * 5 + [STRANGER])
        data = shared_chain.data(log, tried, new_root, way, key=key)
        proved = reference(size, tried, root, new_root, way) if size else tried > 0 and not way
        assert (shared_chain.attempt(data).error is None) == (proved and key is HEAD_KEY)
        if proved and key is HEAD_KEY:
            shared_chain.send(data)
            size, root, taken = tried, new_root, taken + 1
        else:
            refused += 1
        assert read_head(shared_chain.node, shared_chain.contract, log) == (size, root)
        if size > MOST - 4 or root not in (
            bytes(32),
            ROOTS[min(size, MOST)],
        ):  # a mislabelled head is the end
            log, size, root = opened(shared_chain, f"walk.example/{taken}.{refused}"), 0, bytes(32)
    assert taken > 5
    assert refused > 5
