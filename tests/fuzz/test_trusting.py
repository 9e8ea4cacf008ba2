"""Both verifiers draw the same from a trust file: what it restricts, what it does not know, what it refuses."""

from dataclasses import replace

import pytest

from notary.errors import TrustError
from notary.evidence.chain import NotBefore, encode_evidence
from notary.evidence.note import Note, Verifier, parse_note, sign_note
from notary.evidence.proof_file import RECEIPT, TLOG_PROOF, parse_proof_file
from notary.evidence.receipt import receipt_key_name
from notary.evidence.trust import parse_trust
from notary.merkle.tree import root_of
from tests.evidence import build, test_verify_profiles
from tests.evidence.bft import VALIDATORS, addresses, sealed
from tests.evidence.build import EARLY, INSPECTION, LATE, ed25519, key_table, moment, tsa_table
from tests.evidence.test_incident import told
from tests.evidence.test_loopholes import pem
from tests.evidence.test_verify_profiles import Chain, validators
from tests.fuzz.corpus import DOCUMENT_NAME, Sample
from tests.fuzz.verifiers import JavaScript, by_python
from tests.fuzz.zips import packed
from tests.mini_tsa import authority_extensions, certificate, key

LOG = build.log()
FULL = build.files(LOG)
BASE = {name: FULL[name] for name in ("data/statement.json", f"heads/{EARLY}/inclusion.tlog-proof")}
PERIOD = f"head {EARLY} key period"
PASSED, FAILED, OPEN = "passed", "failed", "could_not_be_checked"


@pytest.fixture(scope="module")
def javascript():
    with JavaScript() as running:
        yield running


def agreed(javascript, files, trust):
    """Outcomes by id and subject, and that of the whole, on which both agree."""
    sample = Sample("trusting", files, trust)
    data = packed(files)
    found = by_python(data, sample)
    assert javascript.ask(data, sample) == found
    return {(each["id"], each["subject"]): each["outcome"] for each in found["checks"]}, found["outcome"]


def refused(javascript, text, why):
    with pytest.raises(TrustError, match=why):
        parse_trust(text.encode())
    assert javascript.ask(packed(BASE), Sample("refused", BASE, text)) == {"error": "TrustError"}


def tokens(*whens, size=EARLY):
    names = ("tsa-a", "tsa-b")[: len(whens)]
    return {
        f"heads/{size}/tokens/{name}.tsr": LOG.token(
            name, size, **(when if isinstance(when, dict) else {"gen_time": when})
        )
        for name, when in zip(names, whens, strict=True)
    }


def dated(javascript, files, *period, k=2):
    top = f'version = 1\norigin = "{LOG.origin}"\nk = {k}\n'
    table = key_table("log_key", LOG.origin, LOG.key, *period)
    found, _ = agreed(javascript, BASE | files, build.trust_text(LOG, top=top, chain=None, log_key=table))
    return found.get(("3.1", PERIOD), PASSED)


UNTIL = "until = 2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    ("when", "period", "outcome"),
    [
        (b"20260301115959.9999995Z", UNTIL, PASSED),
        (b"20260301120000.0000005Z", UNTIL, FAILED),
        (b"20260301115959.9999995Z", "since = 2026-03-01T12:00:00Z", PASSED),
        (b"20260301115959.9999990Z", "since = 2026-03-01T12:00:00Z", FAILED),
    ],
)
def test_a_bound_is_compared_with_a_period_in_whole_microseconds(javascript, when, period, outcome):
    token = tokens({"gen_time": when, "accuracy": {"seconds": 0}})
    assert dated(javascript, token, period, k=1) == outcome


@pytest.mark.parametrize(
    ("minutes", "k", "outcome"),
    [
        ((40, 50), 2, PASSED),
        ((40, 70), 2, OPEN),
        ((40, 70), 1, PASSED),
        ((40,), 2, OPEN),
        ((61, 70), 2, FAILED),
    ],
)
def test_as_many_sources_as_t_needs_date_the_head_of_a_key_that_others_had(javascript, minutes, k, outcome):
    stamps = tokens(*(moment(11 + each // 60, each % 60) for each in minutes))
    assert dated(javascript, stamps, UNTIL, "last_good_size = 9", k=k) == outcome
    # Control: of a key that only ended, one is enough.
    assert dated(javascript, stamps, UNTIL, k=k) == (FAILED if outcome == FAILED else PASSED)


@pytest.mark.parametrize(("when", "outcome"), [(moment(10), PASSED), (moment(9, 59), FAILED)])
def test_a_token_that_no_accuracy_makes_true_contradicts_the_block(javascript, when, outcome):
    undated = tokens({"gen_time": when, "accuracy": False})
    found, _ = agreed(javascript, FULL | undated, build.trust_text(LOG))
    assert found["8.1", ""] == outcome


RESTRICTED = {
    "revocation": ("", 'revocation = "strict"'),
    "accuracy_ms": ("accuracy_ms = 0", "accuracy_ms = 1000"),
    "policies": ("", 'policies = ["1.2.3"]'),
}


@pytest.mark.parametrize("what", RESTRICTED)
def test_tables_under_whose_names_one_token_may_stand_restrict_it_alike(javascript, what):
    def text(one, other):
        same = tsa_table("tsa-b", build.tsa("tsa-a"), other).replace("tsa-b Ltd", "TSA-A Ltd")
        return build.trust_text(LOG, tsa_a=tsa_table("tsa-a", build.tsa("tsa-a"), one), tsa_b=same)

    refused(javascript, text(*RESTRICTED[what]), "Give both the same revocation, accuracy_ms and policies")
    for each in RESTRICTED[what]:
        agreed(javascript, BASE, text(each, each))


def _root(name, secret, issuer, by, **more):
    made = certificate(name, secret.public_key(), issuer, by, extensions=authority_extensions(), **more)
    return f"roots = ['''\n{pem(made)}''']"


def test_roots_are_related_whatever_the_case_of_their_names(javascript):
    one, other = key("p256", "X"), key("p256", "Y")
    head = '[[tsa]]\nname = "{0}"\norganisation = "{0}"\n'
    first = head.format("a") + _root("Root X", one, "Root X", one) + "\n"
    second = head.format("b") + _root("Root Y", other, "ROOT X", one) + "\n"
    refused(javascript, build.trust_text(LOG, tsa_a=first, tsa_b=second), "they are one source")
    apart = head.format("b") + _root("Root Y", other, "ROOT X", other) + "\n"
    agreed(javascript, BASE, build.trust_text(LOG, tsa_a=first, tsa_b=apart))


def test_a_block_is_of_the_chain_and_not_of_a_contract(javascript):
    def other(blocks):
        return build.chain_table(LOG, blocks=blocks).replace(LOG.contract.hex(), "33" * 20)

    mine, named = build.chain_table(LOG, blocks=[]), [LOG.anchor(LATE).header]
    found, _ = agreed(javascript, FULL, build.trust_text(LOG, chain=mine + other(named)))
    assert (found["6.2", f"head {LATE}"], found["7.2", f"head {LATE}"]) == (PASSED, PASSED)
    found, _ = agreed(javascript, FULL, build.trust_text(LOG, chain=mine + other([])))
    assert found["6.2", f"head {LATE}"] == OPEN
    wrong = build.chain_table(LOG, blocks=named)
    wrong += other([]) + f'[[chain.block]]\nnumber = 200\nhash = "0x{"ab" * 32}"\n'
    refused(javascript, build.trust_text(LOG, chain=wrong), "block 200 of chain 31337 has two hashes")


def test_a_chain_that_the_file_does_not_know_turns_nothing_bad(javascript):
    chain = build.chain_table(LOG, blocks=[]).replace("chain_id = 31337", "chain_id = 1")
    files = FULL | {DOCUMENT_NAME: build.CONTRACT}
    found, outcome = agreed(javascript, files, build.trust_text(LOG, chain=chain))
    assert (found["6.1", f"head {LATE}"], outcome) == (OPEN, PASSED)
    other = build.chain_table(LOG, blocks=[]).replace(LOG.contract.hex(), "33" * 20)
    found, outcome = agreed(javascript, files, build.trust_text(LOG, chain=other))
    assert (found["6.1", f"head {LATE}"], outcome) == (FAILED, FAILED)


def test_one_key_does_not_do_the_work_of_another(javascript):
    table = key_table("receipt_key", receipt_key_name(LOG.origin), LOG.key)
    refused(javascript, build.trust_text(LOG, receipt_key=table), "one key is a log_key and a receipt_key")


def test_a_witness_has_any_name_and_a_key_of_any_length(javascript):
    named = Verifier("见证人", bytes(32)).vkey
    agreed(javascript, BASE, build.trust_text(LOG, witness=f'[[witness]]\nvkey = "{named}"\n'))


@pytest.mark.parametrize("mark", ["\ufeff", "\u0085", "\u00a0"])
def test_lines_of_a_certificate_end_in_nothing_but_plain_blanks(javascript, mark):
    table = tsa_table("tsa-a", build.tsa("tsa-a"))
    body = build.tsa("tsa-a").pem
    refused(
        javascript, build.trust_text(LOG, tsa_a=table.replace(body, body.replace("\n", f"{mark}\n"))), "roots"
    )
    agreed(javascript, BASE, build.trust_text(LOG, tsa_a=table.replace(body, body.replace("\n", " \t\n"))))


def test_any_log_key_of_the_file_may_sign_what_follows_and_none_of_them_badly(javascript):
    second = ed25519("second log key")
    table = key_table("log_key", LOG.origin, LOG.key) + key_table("log_key", LOG.origin, second)
    trust, name = build.trust_text(LOG, log_key=table), "inspection/inclusion.tlog-proof"
    file = parse_proof_file(FULL[name], TLOG_PROOF)
    note = parse_note(file.note)
    other = sign_note(note.text, LOG.origin, second)
    bad = Note(note.text, (note.signatures[0], replace(other.signatures[0], value=bytes(64))))
    for made, outcome in ((other, PASSED), (bad, FAILED)):
        found, _ = agreed(
            javascript, FULL | {name: replace(file, note=made.encode()).encode(TLOG_PROOF)}, trust
        )
        assert found["9.1", ""] == outcome


def test_a_receipt_of_another_entry_accuses_nobody(javascript):
    for receipt in (
        LOG.receipt(index=INSPECTION, size=4, size_root=root_of(LOG.leaves[:4])),
        LOG.receipt(index=1),
    ):
        found, outcome = agreed(javascript, FULL | {"receipt.txt": receipt}, build.trust_text(LOG))
        assert (found["4.2", ""], outcome) == (FAILED, FAILED)
        assert ("4.3", "") not in found


def test_the_count_of_an_incident_is_a_number(javascript):
    log, files = told(count=True)
    trust = build.trust_text(log, chain=build.chain_table(log, blocks=[log.anchor(LATE).header]))
    assert agreed(javascript, files, trust)[0]["9.2", ""] == FAILED


def test_a_policy_has_255_characters_at_most(javascript):
    longest = f"1.2.{'9' * 251}"
    table = tsa_table("tsa-a", build.tsa("tsa-a"), f'policies = ["{longest}", "1.2.3"]')
    assert agreed(javascript, FULL, build.trust_text(LOG, tsa_a=table))[1] == FAILED
    refused(
        javascript,
        build.trust_text(LOG, tsa_a=table.replace(longest, f"{longest}9")),
        "policy is not of the form",
    )


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\u0085", "\u200b", "\ufeff", "\U0001f4c4"])
def test_the_name_of_a_log_in_a_receipt_may_have_any_character(javascript, sign):
    """By check 9.2, which asks nobody who signed it; of another log's receipt 4.1 says so, where its key is known."""
    log, files = told()
    receipt = parse_proof_file(files["receipt.txt"], RECEIPT)
    text = parse_note(receipt.note).text.replace(log.origin, f"{log.origin}{sign}x", 1)
    note = sign_note(text, receipt_key_name(log.origin), log.receipt_key).encode()
    files |= {"receipt.txt": replace(receipt, note=note).encode(RECEIPT)}
    blocks = build.chain_table(log, blocks=[log.anchor(LATE).header])
    for keys, outcome in ({}, FAILED), ({"receipt_key": None}, OPEN):
        found, _ = agreed(javascript, files, build.trust_text(log, chain=blocks, **keys))
        assert (found["4.1", ""], found["9.2", ""]) == (outcome, PASSED)


def sealed_before(javascript, chain, headers):
    items = tuple(NotBefore(header, None) for header in headers)
    evidence = replace(chain.evidence, history_proof=None, not_before=items)
    files = chain.files | {
        f"heads/{LATE}/anchor.json": encode_evidence(evidence),
        f"heads/{LATE}/header.rlp": evidence.header,
    }
    table = build.chain_table(chain.log, validators(), blocks=[], profile="qbft")
    found, _ = agreed(javascript, files, build.trust_text(chain.log, chain=table))
    return [found.get((id_, f"head {LATE}")) for id_ in ("7.1", "7.2")]


def test_of_headers_of_one_block_one_with_good_seals_is_enough(javascript):
    chain = Chain("qbft")
    bad = sealed(test_verify_profiles.NOT_BEFORE, VALIDATORS[:1], profile="qbft")[0]
    for headers in ([chain.before, bad], [bad, chain.before]):
        assert sealed_before(javascript, chain, headers) == [PASSED, PASSED]
    assert sealed_before(javascript, chain, [bad, bad]) == [PASSED, FAILED]
    assert sealed_before(javascript, chain, [bad] * 8 + [chain.before]) == [FAILED, None]


def test_a_header_that_names_a_validator_twice_names_another_set(javascript, monkeypatch):
    def twice(raw, profile="qbft"):
        return sealed(raw, profile=profile, listed=[addresses()[0], *addresses()])

    monkeypatch.setattr(test_verify_profiles, "sealed", twice)
    chain = Chain("qbft")
    files = chain.files | {f"heads/{LATE}/anchor.json": encode_evidence(chain.evidence)}
    files[f"heads/{LATE}/header.rlp"] = chain.evidence.header
    table = build.chain_table(chain.log, validators(), blocks=[], profile="qbft")
    found, _ = agreed(javascript, files, build.trust_text(chain.log, chain=table))
    assert found["6.7", f"head {LATE}"] == FAILED


def test_a_header_is_of_at_most_8192_bytes_wherever_it_stands(javascript):
    evidence = replace(LOG.anchor(LATE), not_before=(NotBefore(b"\x01" * 8193, None),))
    files = {
        "data/statement.json": LOG.statements[1].encode(),
        f"heads/{LATE}/inclusion.tlog-proof": LOG.proof(1, LATE),
        f"heads/{LATE}/anchor.json": encode_evidence(evidence),
    }
    found, _ = agreed(javascript, files, build.trust_text(LOG))
    assert found["6.1", f"head {LATE}"] == FAILED
