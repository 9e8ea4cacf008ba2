"""Forgeries that other systems accept. Each is refused, and each has a control that shows what refuses it."""

import io
from dataclasses import replace
from hashlib import sha256

import pytest

from notary.errors import ProofError
from notary.evidence.chain import encode_evidence
from notary.evidence.consistency import encode_consistency
from notary.evidence.outcome import Outcome
from notary.evidence.package import digest_stream
from notary.evidence.proof_file import TLOG_PROOF, ProofFile, parse_proof_file
from notary.merkle.hashing import hash_leaf, hash_node
from notary.merkle.proof import check_inclusion, root_from_inclusion_proof
from tests.evidence import build
from tests.evidence.build import CONTRACT, DOCUMENT, EARLY, LATE, Log

LOG = build.log()
FILES = build.files(LOG)
TRUST = build.trust(LOG)
PROOF = f"heads/{EARLY}/inclusion.tlog-proof"
CHECKPOINT = f"heads/{EARLY}/checkpoint"
TOKEN = f"heads/{EARLY}/tokens/tsa-a.tsr"
ANCHOR, HEADER = f"heads/{LATE}/anchor.json", f"heads/{LATE}/header.rlp"
NOTE = parse_proof_file(FILES[PROOF], TLOG_PROOF).note
ROOT = build.root_of(LOG.leaves[:EARLY])
LEFT, RIGHT = build.root_of(LOG.leaves[:2]), build.root_of(LOG.leaves[2:4])


def check(changes, trust=TRUST, **more):
    return build.check(FILES | changes, trust, **more)


def failed(report):
    assert report.outcome is Outcome.FAILED
    return {failure.id for failure in report.failures()}


def test_the_package_that_is_attacked_is_good():
    assert check({}).outcome is Outcome.PASSED


def test_a_document_of_64_bytes_made_of_two_hashes_is_no_entry():
    forged = LOG.leaves[2] + LOG.leaves[3]
    assert hash_node(LOG.leaves[2], LOG.leaves[3]) == RIGHT
    proof = ProofFile(1, (LEFT,), NOTE).encode(TLOG_PROOF)
    report = check({"data/statement.json": forged, PROOF: proof})
    assert "2.1" in failed(report)
    # Nor would it help to find a statement whose entry is what a node hashes.
    for leaf in (hash_leaf(forged), hash_leaf(sha256(forged).digest()), sha256(forged).digest()):
        for size in (2, 3, 4):
            with pytest.raises(ProofError, match=r"the path leads to root|wrong length"):
                check_inclusion(leaf, 1, size, [LEFT], ROOT)
    # Control: where leaves and nodes are hashed alike, the document of two hashes is the right half of the tree.
    one, two, three, four = (sha256(entry).digest() for entry in LOG.entries[:EARLY])
    left, right = sha256(one + two).digest(), sha256(three + four).digest()
    assert sha256(left + sha256(three + four).digest()).digest() == sha256(left + right).digest()
    assert root_from_inclusion_proof(RIGHT, 1, 2, [LEFT]) == ROOT


@pytest.mark.parametrize(("index", "path"), [(1, [LEFT]), (2, [LEFT]), (3, [LEFT]), (0, [])])
def test_an_interior_node_is_no_leaf(index, path):
    proof = ProofFile(index, tuple(path), NOTE).encode(TLOG_PROOF)
    assert "3.2" in failed(check({PROOF: proof}))
    with pytest.raises(ProofError, match=r"wrong length|the path leads to root"):
        check_inclusion(RIGHT, index, EARLY, path, ROOT)
    # Control: with the size of a smaller tree the node passes, so the size must come from the signature.
    check_inclusion(RIGHT, 1, 2, [LEFT], ROOT)


@pytest.mark.parametrize("size", [3, 5, 6, 8, 12])
def test_a_proof_relabelled_to_another_size_is_refused(size):
    relabelled = FILES[PROOF].replace(b"\n4\n", b"\n%d\n" % size)
    assert relabelled != FILES[PROOF]
    folder = {f"heads/{size}/inclusion.tlog-proof": relabelled}
    base = {name: data for name, data in FILES.items() if not name.startswith(f"heads/{EARLY}/")}
    assert "3.1" in failed(build.check(base | folder, TRUST))
    # The proof as it is, in a folder of another size.
    moved = {f"heads/{size}/inclusion.tlog-proof": FILES[PROOF]}
    assert "3.1" in failed(build.check(base | moved, TRUST))
    # Control: the path alone does not tell 3 from 4 for the third leaf, or 5 from 8 for the first.
    path = parse_proof_file(FILES[PROOF], TLOG_PROOF).path
    check_inclusion(LOG.leaves[DOCUMENT], DOCUMENT, EARLY, path, ROOT)


def test_without_the_signature_a_size_could_be_chosen():
    leaves = LOG.leaves[:6]
    root, path = build.root_of(leaves), build.inclusion_path(0, 6, build.node_of(leaves))
    accepted = []
    for size in range(1, 12):
        try:
            check_inclusion(leaves[0], 0, size, path, root)
        except ProofError:
            continue
        accepted.append(size)
    assert accepted == [5, 6, 7, 8]


def test_a_token_of_a_self_made_authority_is_refused():
    mine = build.tsa("mine")
    token = mine.respond(LOG.checkpoint(EARLY), tsa=True)
    report = check({TOKEN: token})
    assert failed(report) == {"5.1"}
    assert [f.subject for f in report.failures()] == [f"tsa-a@{EARLY}"]
    assert "timestamp check 14" in report.failures()[0].detail
    # Control: whoever trusts its root accepts it.
    trust = build.trust(LOG, tsa_a=build.tsa_table("tsa-a", mine))
    assert check({TOKEN: token}, trust).outcome is Outcome.PASSED


def test_a_token_of_an_authority_under_the_name_of_another_is_refused():
    token = LOG.token("tsa-b", EARLY)
    assert failed(check({TOKEN: token})) == {"5.1"}
    # Control: under its own name it is good, and counts for its own organisation only.
    assert check({f"heads/{EARLY}/tokens/tsa-b.tsr": token}).outcome is Outcome.PASSED


def test_the_receipt_of_a_transaction_on_another_chain_is_refused():
    other = Log("other ")
    evidence = other.anchor(LATE)
    report = check({ANCHOR: encode_evidence(evidence), HEADER: evidence.header})
    assert failed(report) == {"6.1"}
    # The same event on a chain that only calls itself the trusted one: its block is not the trusted one.
    forged = LOG.anchor(LATE, time=build.ANCHOR_TIME - 3600)
    report = check({ANCHOR: encode_evidence(forged), HEADER: forged.header})
    assert failed(report) == {"6.2"}
    # Control: a verifier who trusts that block accepts it.
    trust = build.trust(LOG, chain=build.chain_table(LOG, blocks=[forged.header]))
    assert check({ANCHOR: encode_evidence(forged), HEADER: forged.header}, trust).outcome is Outcome.PASSED


def test_the_receipt_of_another_log_is_refused():
    other = Log("other ")
    assert failed(check({"receipt.txt": other.receipt()})) == {"4.1"}
    # Control: a verifier who trusts the key of that receipt sees that it is for another entry at most.
    key = build.key_table("receipt_key", build.receipt_key_name(LOG.origin), other.receipt_key)
    assert failed(check({"receipt.txt": other.receipt()}, build.trust(LOG, receipt_key=key))) == {"4.2"}


def test_a_statement_with_the_digests_of_two_files_is_refused():
    harmless, harmful = CONTRACT, CONTRACT + b"and one thing more"
    digests = {
        "sha-256": digest_stream(io.BytesIO(harmless)).values["sha-256"],
        "sm3": digest_stream(io.BytesIO(harmful)).values["sm3"],
    }
    body = build.document_body(digests=digests, claimed={})
    log = Log(altered=lambda statement: replace(statement, body=replace(body, size=len(harmless))))
    trust = build.trust(log)
    for document in (harmless, harmful):
        report = build.check(build.files(log), trust, document=("contract.pdf", document))
        assert failed(report) == {"2.3"}
    # Control: with both digests of one file the log's own record is good.
    honest = Log(altered=lambda statement: replace(statement, body=build.document_body(claimed={})))
    assert build.check(build.files(honest), build.trust(honest)).outcome is Outcome.PASSED


def test_a_package_made_again_with_other_keys_authorities_and_chain_is_refused():
    mine = Log(
        "mine ", altered=lambda statement: replace(statement, body=build.document_body(CONTRACT + b"!"))
    )
    files, document = build.files(mine), ("contract.pdf", CONTRACT + b"!")
    report = build.check(files, TRUST, document=document)
    assert "3.1" in failed(report)
    assert report.interval.bounds == ()
    assert report.interval.made_after is None
    # Control: it is without fault, for whoever trusts its makers.
    assert build.check(files, build.trust(mine), document=document).outcome is Outcome.PASSED


def test_a_trust_file_in_the_package_has_no_place_there():
    mine = Log("mine ")
    with pytest.raises(Exception, match="has no place in a package"):
        build.packed(build.files(mine) | {"trust.toml": build.trust_text(mine).encode()})


def test_a_checkpoint_signed_by_the_receipt_key_is_refused():
    forger = Log()
    forger.key = forger.receipt_key
    changes = {PROOF: forger.proof(DOCUMENT, EARLY), CHECKPOINT: forger.checkpoint(EARLY)}
    assert "3.1" in failed(check(changes))


def test_two_heads_of_a_forked_log_cannot_stand_in_one_package():
    fork = Log()
    fork.statements[DOCUMENT + 1] = LOG.statements[1]  # after the document, before the second head
    changes = {
        f"heads/{LATE}/inclusion.tlog-proof": fork.proof(DOCUMENT, LATE),
        f"heads/{LATE}/checkpoint": fork.checkpoint(LATE),
    }
    assert failed(check(changes)) >= {"3.3", "6.4"}
    assert "the log has forked: it signed two trees that differ in entry 3" in " ".join(
        f.detail for f in check(changes).failures()
    )
    # Without the consistency proof and the anchor, the two paths still show it.
    dropped = {"consistency.json", ANCHOR, HEADER} | {
        name for name in FILES if name.startswith("inspection/")
    }
    alone = {name: data for name, data in (FILES | changes).items() if name not in dropped}
    report = build.check(alone, TRUST)
    assert [(f.id, f.subject) for f in report.failures()] == [("3.3", f"heads {EARLY} and {LATE}")]


def test_that_two_heads_are_of_one_log_is_not_taken_for_granted():
    fork = Log()
    fork.statements[EARLY] = LOG.statements[1]  # where no path of theirs leads
    heads = {
        "heads/5/inclusion.tlog-proof": LOG.proof(DOCUMENT, 5),
        f"heads/{LATE}/inclusion.tlog-proof": fork.proof(DOCUMENT, LATE),
    }
    files = {n: d for n, d in FILES.items() if n not in {"consistency.json", ANCHOR, HEADER}}
    files = {
        n: d for n, d in files.items() if not n.startswith("inspection/") and f"/{LATE}/" not in n
    } | heads
    link = LOG.consistency(EARLY, 5)
    for linked, missing in (((), [(EARLY, 5), (5, LATE)]), ((link,), [(5, LATE)])):
        more = {"consistency.json": encode_consistency(linked)} if linked else {}
        report = build.check(files | more, TRUST)
        assert report.outcome is Outcome.PASSED  # each head bounds the time by itself
        open_ = [c.subject for c in report.checks if (c.id, c.outcome) == ("3.3", Outcome.UNCHECKED)]
        assert open_ == [f"heads {old} and {new}" for old, new in missing]
    # With the proof that is missing, the fork fails.
    more = {"consistency.json": encode_consistency((link, fork.consistency(5, LATE)))}
    assert failed(build.check(files | more, TRUST)) == {"3.3"}


def test_another_tree_of_the_size_of_a_head_is_a_fork():
    fork = Log()
    fork.statements[LATE - 1] = LOG.statements[1]
    name = "inspection/inclusion.tlog-proof"
    report = check({name: fork.proof(build.INSPECTION, LATE)})
    assert failed(report) == {"9.1"}
    assert "the log has forked: it signed another tree of 7 entries" in report.failures()[0].detail
    # Control: whoever is not the log can sign what he likes.
    fork.key = build.ed25519("another")
    assert "no key that is trusted" in check({name: fork.proof(build.INSPECTION, LATE)}).failures()[0].detail


def test_a_token_over_a_checkpoint_with_more_signatures_is_refused():
    witness = "\u2014 witness.example/w1 " + "A" * 96 + "\n"
    cosigned = LOG.checkpoint(EARLY) + witness.encode()
    token = build.tsa("tsa-a").respond(cosigned, tsa=True)
    assert failed(check({TOKEN: token})) == {"5.1"}
    # Control: the proof may carry the cosigned checkpoint; what is stamped is the log's line alone.
    head, _, _ = FILES[PROOF].partition(b"\n\n")
    assert check({PROOF: head + b"\n\n" + cosigned}).outcome is Outcome.PASSED
