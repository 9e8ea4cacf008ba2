"""Other statements in a package, 9.1 and 9.3: `tools/check.sh` comes to what the verifiers say, or leaves it open."""

from dataclasses import replace

import pytest

from notary.evidence.commitments import encode_openings
from notary.evidence.proof_file import TLOG_PROOF, ProofFile
from notary.services.package_tools import static_members
from tests.evidence import build, test_previous
from tests.evidence import test_check_script as script
from tests.evidence.build import DOCUMENT, EARLY, INSPECTION, LATE
from tests.evidence.test_check_script_open import NO_LISTS, key_of_log
from tests.evidence.test_check_script_tokens import agrees
from tests.fuzz.zips import packed

bare, run = script.bare, script.run
LOG, TOOLS = script.LOG, static_members()
OPEN, PASSED, FAILED = "could_not_be_checked", "passed", "failed"
STATEMENT, PROOF, OPENINGS = (
    f"inspection/{name}" for name in ("statement.json", "inclusion.tlog-proof", "openings.json")
)
FILES = NO_LISTS | {"data/document/a.pdf": build.CONTRACT}
# Of a key that has ended and a head that nothing dates: it does not pass.
ENDED = script.trust_text(log_key=key_of_log("until = 2026-03-01T13:00:00Z"), chain=None)


def compared(run, files, trust, id_):
    data = packed(files)
    _, checks, _, text, problems = run(data, trust=trust)
    _, expected = agrees(data, trust, checks)
    assert problems == ""
    return checks[id_, ""], expected[id_, ""], text


def under(size, index=INSPECTION, log=LOG):
    return ProofFile(index, log.path(index, size), log.checkpoint(size), None).encode(TLOG_PROOF)


def forked():
    other = build.Log()
    other.statements[0] = replace(other.statements[0], salt=bytes(32))
    return under(LATE, log=other)


def with_another_signature():
    note = LOG.checkpoint(LATE)
    last = note.rindex(b" ")
    return ProofFile(
        INSPECTION, LOG.path(INSPECTION, LATE), note[: last + 10] + b"A" + note[last + 11 :], None
    ).encode(TLOG_PROOF)


def own_opens_the_inspection():
    """The record's statement opens the name as well: made so that both are committed to."""
    log = build.Log()
    log.statements[DOCUMENT] = log.statement(
        "document", log.statements[DOCUMENT].body, at=DOCUMENT, fields={"inspection": 1}
    )
    log.statements[INSPECTION] = log.statement(
        "inspection", at=INSPECTION, fields={"inspection": 2}, previous=log.entries[DOCUMENT]
    )
    made = build.files(log)
    return {
        name: data for name, data in made.items() if name.startswith(("data/", "inspection/", "heads/"))
    }, log


# What is put into the package (None: taken out), and what the script and the verifier say of 9.1.
INSPECTIONS = {
    "as it is": ({}, PASSED, PASSED),
    "nothing opened": ({OPENINGS: None}, PASSED, PASSED),
    "no proof": ({PROOF: None}, FAILED, FAILED),
    "no statement": ({STATEMENT: b"{}"}, FAILED, FAILED),
    "another type": ({STATEMENT: LOG.statements[4].encode()}, FAILED, FAILED),
    "an incident": ({STATEMENT: LOG.statements[3].encode()}, FAILED, FAILED),
    "of no record": (
        {STATEMENT: replace(LOG.statements[INSPECTION], previous=None).encode()}, FAILED, FAILED,
    ),
    "another inspection": (
        {STATEMENT: replace(LOG.statements[INSPECTION], salt=bytes(32)).encode()}, FAILED, FAILED,
    ),
    "another's proof": ({PROOF: LOG.proof(DOCUMENT, LATE)}, FAILED, FAILED),
    "a head that is not there": ({PROOF: under(LATE - 1)}, FAILED, FAILED),
    "another history": ({PROOF: forked()}, FAILED, FAILED),
    "another signature": ({PROOF: with_another_signature()}, FAILED, FAILED),
    "no note": ({PROOF: b"c2sp.org/tlog-proof@v1\nindex 0\n\nx\n"}, FAILED, FAILED),
    "openings of the record": ({OPENINGS: FILES["data/openings.json"]}, FAILED, FAILED),
    "openings of no form": ({OPENINGS: b"[]"}, FAILED, FAILED),
}  # fmt: skip


@pytest.mark.parametrize(
    "what", script.some(INSPECTIONS, "as it is", "another inspection", "another history")
)
def test_an_inspection_comes_to_what_the_verifier_says(run, what):
    changes, word, outcome = INSPECTIONS[what]
    files = {name: data for name, data in (FILES | changes).items() if data is not None}
    found, expected, text = compared(run, files, script.trust_text(), "9.1")
    assert (found, expected) == (word, outcome), text


def test_an_inspection_under_a_head_that_did_not_pass_is_left_open(run):
    """The later head is dated by nothing here; each that may be under it stays open, and what is wrong anyway fails."""
    files = {name: data for name, data in FILES.items() if "/tokens/" not in name or f"/{EARLY}/" in name}
    found, expected, text = compared(run, files, ENDED, "9.1")
    assert (found, expected) == (OPEN, OPEN), text
    wrong = replace(LOG.statements[INSPECTION], previous=None).encode()
    found, expected, text = compared(run, files | {STATEMENT: wrong}, ENDED, "9.1")
    assert (found, expected) == (FAILED, FAILED), text


def test_without_a_head_that_passed_nothing_is_said_of_an_inspection(run):
    other = script.trust_text(log_key=build.key_table("log_key", LOG.origin, build.Log("other ").key))
    found, expected, _ = compared(run, FILES, other, "9.1")
    assert (found, expected) == (OPEN, OPEN)
    status, checks, _, _, _ = run(packed(FILES), trust="")
    assert (status, checks["9.1", ""]) == (2, OPEN)


def test_an_inspection_opens_nothing_that_the_record_opens(run):
    files, log = own_opens_the_inspection()
    trust = build.trust_text(log, chain=None, **script.TABLES)
    found, expected, text = compared(run, TOOLS | files, trust, "9.1")
    assert (found, expected) == (FAILED, FAILED), text


# --- 9.3

CHAIN = test_previous.LOG
SIZE = test_previous.SIZE
BACK = "previous/2/"


def chain(last=8, back=3):
    return TOOLS | test_previous.files(last, back)


def at_first():
    """The report, as the statement that is followed."""
    names = ("statement.json", "inclusion.tlog-proof", "openings.json")
    found = (CHAIN.statements[4].encode(), CHAIN.proof(4, SIZE), encode_openings(CHAIN.openings[4]))
    return {f"previous/1/{name}": data for name, data in zip(names, found, strict=True)}


def opened_by_another():
    return encode_openings(CHAIN.openings[7])


CHAINS = {
    "back to the first": (chain, PASSED, PASSED),
    "cut": (lambda: chain(back=2), OPEN, OPEN),
    "cut at once": (lambda: chain(back=0), OPEN, OPEN),
    "of a record that follows nothing": (lambda: chain(last=DOCUMENT, back=0) | at_first(), FAILED, FAILED),
    "without the first": (lambda: {n: chain()[n] for n in chain() if n not in at_first()}, FAILED, FAILED),
    "another in between": (lambda: chain() | {f"{BACK}statement.json": CHAIN.statements[1].encode()}, FAILED, FAILED),
    "another's proof": (lambda: chain() | {f"{BACK}inclusion.tlog-proof": CHAIN.proof(7, SIZE)}, FAILED, FAILED),
    "another's openings": (lambda: chain() | {f"{BACK}openings.json": opened_by_another()}, FAILED, FAILED),
    "under another size": (lambda: chain() | {f"{BACK}inclusion.tlog-proof": CHAIN.proof(4, 5)}, FAILED, FAILED),
}  # fmt: skip


@pytest.mark.parametrize("what", script.some(CHAINS, "back to the first", "cut", "another's proof"))
def test_a_chain_comes_to_what_the_verifier_says(run, what):
    make, word, outcome = CHAINS[what]
    trust = build.trust_text(CHAIN, chain=None)
    found, expected, text = compared(run, make(), trust, "9.3")
    assert (found, expected) == (word, outcome), text
    if what == "cut":
        assert f"Cut before entry {CHAIN.entries[DOCUMENT].hex()}." in text


def test_a_chain_with_a_statement_that_the_script_does_not_read_is_left_open(run):
    """A document that follows an incident; where the rest fails it fails all the same."""
    log = test_previous.Chain()
    log.add("event", 9, 3, fields={"phase": "x"})
    files = TOOLS | {
        "data/statement.json": log.statements[9].encode(),
        "heads/10/inclusion.tlog-proof": log.proof(9, 10),
        "previous/1/statement.json": log.statements[3].encode(),
        "previous/1/inclusion.tlog-proof": log.proof(3, 10),
    }
    trust = build.trust_text(log, chain=None)
    found, expected, text = compared(run, files, trust, "9.3")
    assert (found, expected) == (OPEN, PASSED if log.statements[3].previous is None else OPEN), text
    found, expected, text = compared(run, files | {"previous/3/openings.json": b"{}"}, trust, "9.3")
    assert (found, expected) == (FAILED, FAILED), text
