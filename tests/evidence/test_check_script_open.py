"""What `tools/check.sh` must not say *passed* of, since the verifiers say *failed* or leave it open."""

import json
from dataclasses import replace

import pytest
from cryptography import x509

from notary.evidence.assemble import assemble
from notary.evidence.proof_file import TLOG_PROOF, ProofFile
from tests.evidence import build
from tests.evidence import test_check_script as script
from tests.evidence.build import CONTRACT, DOCUMENT, EARLY, LATE, Log, moment
from tests.evidence.test_check_script_tokens import agrees, packed
from tests.mini_revocation import crl, ocsp
from tests.mini_tsa import authority_extensions, certificate, der, key

bare, run = script.bare, script.run
A, B = script.TSAS["tsa-a"], script.TSAS["tsa-b"]
TOKEN_A, TOKEN_B = (f"heads/{EARLY}/tokens/tsa-{each}.tsr" for each in "ab")
LATE_A, LATE_B = (f"heads/{LATE}/tokens/tsa-{each}.tsr" for each in "ab")
NO_LISTS = {name: data for name, data in script.FILES.items() if "/revocation/" not in name}
OPEN, PASSED, FAILED = "could_not_be_checked", "passed", "failed"
PERIOD = ("3.1", f"head {EARLY} key period")
LATE_PERIOD = ("3.1", f"head {LATE} key period")
WITH_K = {"top": build.trust_tables(script.LOG)["top"] + "k = 2\n"}


def key_of_log(*lines):
    return build.key_table("log_key", script.LOG.origin, script.LOG.key, *lines)


def compared(run, files, trust):
    """Status, the script's outcomes, those of the verifier, and the text."""
    data = packed(files)
    status, checks, _, text, problems = run(data, trust=trust)
    report, expected = agrees(data, trust, checks)
    assert problems == ""
    if status == 0:
        assert report.outcome is not script.Outcome.FAILED
    return status, checks, expected, text


# --- the period of a key


@pytest.mark.parametrize(
    ("until", "last", "word"),
    [
        ("12:02:00", "last_good_size = 100", OPEN),  # one of two sources dates the head before
        ("12:02:00", "", PASSED),
        ("12:10:00", "last_good_size = 100", PASSED),
    ],
)
def test_as_many_sources_as_are_needed_date_a_head_of_a_compromised_key(run, until, last, word):
    lines = [f"until = 2026-03-01T{until}Z", *([last] if last else [])]
    files = NO_LISTS | {TOKEN_B: script.stamped("tsa-b", gen_time=moment(12, 5))}
    trust = script.trust_text(log_key=key_of_log(*lines), chain=None, **WITH_K)
    status, checks, expected, text = compared(run, files, trust)
    assert (checks.get(PERIOD, PASSED), expected.get(PERIOD, PASSED)) == (word, word), text
    assert status == (2 if word == OPEN else 0)
    assert ("fewer than 2 sources" in text, "少于 2 个" in text) == (word == OPEN, word == OPEN)


@pytest.mark.parametrize(
    ("line", "verdict", "words"),
    [
        ("since = 2026-03-01T12:30:00Z", FAILED, ("before its key began", "可能早于密钥启用")),
        ("until = 2026-03-01T12:30:00Z", PASSED, ("before its key ended", "可能早于密钥停用")),
    ],
)
def test_a_block_that_is_not_checked_may_date_a_head_before_a_token_does(run, line, verdict, words):
    """The block is of 12:10, the tokens of 13:00. Beside the event is a log that the script does not read."""
    deep = []
    for _ in range(12):
        deep = [deep]
    event = build.mini_chain.event(LATE, build.root_of(script.LOG.leaves[:LATE]), old_size=EARLY)
    anchor = script.LOG.anchor(LATE, logs=[deep, event])
    late = {
        LATE_A: script.stamped("tsa-a", LATE, gen_time=moment(13), serial=8),
        LATE_B: script.stamped("tsa-b", LATE, gen_time=moment(13), serial=8),
    }
    files = {name: data for name, data in NO_LISTS.items() if not name.startswith(f"heads/{EARLY}/")}
    files = {name: data for name, data in files.items() if name != "consistency.json"} | late
    files |= {
        f"heads/{LATE}/anchor.json": build.encode_evidence(anchor),
        f"heads/{LATE}/header.rlp": anchor.header,
    }
    chain = build.chain_table(script.LOG, blocks=[anchor.header])
    status, checks, expected, text = compared(
        run, files, script.trust_text(log_key=key_of_log(line), chain=chain)
    )
    assert (checks["6.3", f"head {LATE}"], expected["6.3", f"head {LATE}"]) == (OPEN, PASSED)
    assert (checks[LATE_PERIOD], expected.get(LATE_PERIOD, PASSED)) == (OPEN, verdict), text
    assert status == 2
    assert all(word in text for word in words)


def two_indexes(**more):
    """The log holds the entry twice; each head proves another of them. OCSP leaves the token of the first open."""
    log = Log()
    log.statements[DOCUMENT + 1] = log.statements[DOCUMENT]
    files = script.static_members() | {"data/statement.json": log.statements[DOCUMENT].encode()}
    for size, index in ((EARLY, DOCUMENT), (LATE, DOCUMENT + 1)):
        note = log.checkpoint(size)
        path = log.path(index, size)
        files[f"heads/{size}/inclusion.tlog-proof"] = ProofFile(index, path, note, None).encode(TLOG_PROOF)
        files[f"heads/{size}/tokens/tsa-a.tsr"] = A.respond(note, tsa=True, serial=size)
    answer = ocsp(A.signer, A.middle, A.middle_key, at=moment(12, 30))
    return files | {f"heads/{EARLY}/revocation/tsa-a/1.ocsp": answer.data} | more


def test_another_index_under_a_head_that_is_left_open_is_not_passed_over(run):
    trust = script.trust_text(log_key=key_of_log("until = 2026-03-01T13:00:00Z"), chain=None, tsa_b=None)
    status, checks, expected, text = compared(run, two_indexes(), trust)
    late = ("3.2", f"head {LATE}")
    assert (checks[PERIOD], checks[late], expected[late]) == (OPEN, OPEN, FAILED)
    assert (status, checks["8.1", ""]) == (2, OPEN)
    assert "A head that is left open names another index" in text
    assert "另一未能核验的日志头中的序号不同" in text


def test_another_history_under_a_head_that_is_left_open_is_not_passed_over(run):
    """The second head is of a tree in which the first entry is another."""
    other = Log()
    other.statements[0] = replace(other.statements[0], salt=bytes(32))
    note = other.checkpoint(LATE)
    path = other.path(DOCUMENT, LATE)
    changed = {
        f"heads/{LATE}/inclusion.tlog-proof": ProofFile(DOCUMENT, path, note, None).encode(TLOG_PROOF),
        f"heads/{LATE}/tokens/tsa-a.tsr": A.respond(note, tsa=True, serial=LATE),
    }
    trust = script.trust_text(log_key=key_of_log("until = 2026-03-01T13:00:00Z"), chain=None, tsa_b=None)
    status, checks, expected, text = compared(run, two_indexes(**changed), trust)
    assert expected["3.3", f"heads {EARLY} and {LATE}"] == FAILED
    assert (status, checks["3.3", ""], checks["8.1", ""]) == (2, OPEN, OPEN)
    assert "of another history" in text
    assert "属于另一历史" in text


# --- tokens


def respond(tsa, size, *certificates, **more):
    return tsa.respond(script.LOG.checkpoint(size), certificates=list(certificates), tsa=True, **more)


def again(tsa, **more):
    """Another certificate of the authority's intermediate."""
    public, extensions = tsa.middle_key.public_key(), [*authority_extensions(), *more.pop("extensions", [])]
    return certificate("Middle", public, "tsa-a root", tsa.root_key, extensions=extensions, **more)


@pytest.mark.parametrize("order", ["revoked first", "revoked last"])
def test_of_several_paths_the_script_does_not_say_which_counts(run, order):
    """By the order in the token the path leads over the revoked intermediate or over the other one."""
    middles = sorted((again(A), A.middle), key=der)  # as they will stand in the token
    bad = middles[0 if order == "revoked first" else 1]
    revoked = crl(A.root, A.root_key, (bad, moment(11), None), at=moment(12, 30))
    listed = crl(A.middle, A.middle_key, at=moment(12, 30))
    folder = f"heads/{EARLY}/revocation/tsa-a"
    files = NO_LISTS | {
        TOKEN_A: respond(A, EARLY, A.signer, *middles),
        f"{folder}/1.crl": revoked.data,
        f"{folder}/2.crl": listed.data,
    }
    _, checks, expected, text = compared(run, files, script.trust_text(chain=script.NO_BLOCK))
    place = ("5.2", f"tsa-a@{EARLY}")
    assert expected[place] == (FAILED if order == "revoked first" else PASSED), text
    assert checks[place] == OPEN


@pytest.mark.parametrize("strict", [False, True])
def test_lists_of_one_of_several_paths_show_nothing(run, strict):
    """A list for the shorter way alone; by the order of the token the longer one would be asked for, too."""
    top_key = key("p256", "top")
    top = certificate(
        "Top", top_key.public_key(), "tsa-a root", A.root_key, extensions=authority_extensions()
    )
    long = certificate("Middle", A.middle_key.public_key(), "Top", top_key, extensions=authority_extensions())
    folder = f"heads/{EARLY}/revocation/tsa-a"
    lists = (
        crl(A.middle, A.middle_key, at=moment(12, 30)),
        crl(A.root, A.root_key, at=moment(12, 30)),
        crl(top, top_key, at=moment(12, 30)),
    )
    files = NO_LISTS | {TOKEN_A: respond(A, EARLY, A.signer, long, A.middle, top)}
    files |= {f"{folder}/{number}.crl": each.data for number, each in enumerate(lists, 1)}
    table = script.TABLES["tsa_a"] + ('revocation = "strict"\n' if strict else "")
    status, checks, expected, text = compared(
        run, files, script.trust_text(tsa_a=table, chain=None, **WITH_K)
    )
    place = ("5.2", f"tsa-a@{EARLY}")
    assert (checks[place], expected[place]) == (OPEN, PASSED), text
    assert "Several paths may lead" in text
    assert "可能有多条路径" in text
    assert status == (2 if strict else 0)


def test_a_certificate_more_makes_no_other_authority_of_one(run):
    """One serial number in two tokens, the second of which holds the root as well."""
    late = respond(A, LATE, A.signer, A.middle, A.root, gen_time=moment(13))
    _, checks, expected, text = compared(
        run, NO_LISTS | {LATE_A: late}, script.trust_text(chain=script.NO_BLOCK)
    )
    place = ("5.1", f"tsa-a@{LATE}")
    assert (checks[place], expected[place]) == (FAILED, FAILED), text
    assert "The authority used this serial number twice" in text


def test_a_serial_number_of_a_token_that_is_left_open_counts(run):
    """The first token is signed with PSS, which the script does not read."""
    odd, late = script.tsa_of("pss"), A
    odd.root, odd.root_key = A.root, A.root_key
    odd.middle, odd.middle_key = A.middle, A.middle_key
    odd.signer = certificate("tsa-a", odd.key.public_key(), "Middle", A.middle_key, extensions=odd.extensions)
    files = NO_LISTS | {
        TOKEN_A: respond(odd, EARLY, odd.signer, odd.middle),
        LATE_A: respond(late, LATE, late.signer, late.middle, gen_time=moment(13)),
    }
    status, checks, expected, text = compared(run, files, script.trust_text(chain=None))
    place = ("5.1", f"tsa-a@{LATE}")
    assert (checks[place], expected[place]) == (OPEN, FAILED), text
    assert (status, checks["8.1", ""]) == (2, OPEN)
    assert "Another token has its serial number" in text
    assert "另一令牌的序列号相同" in text


EXTENSIONS = {
    "a policy is asked for": (x509.PolicyConstraints(0, None), True),
    "an inhibited policy": (x509.InhibitAnyPolicy(0), True),
    "policies that are mapped": (
        x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.33"), b"\x30\x00"),
        False,
    ),
    "an address of authority information that is none": (
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.1"), b"\x30\x00"),
        False,
    ),
    "a purpose of Netscape's that is critical": (
        x509.UnrecognizedExtension(x509.ObjectIdentifier("2.16.840.1.113730.1.1"), b"\x03\x02\x00\x07"),
        True,
    ),
}


@pytest.mark.parametrize(
    "what", script.some(EXTENSIONS, "a policy is asked for", "a purpose of Netscape's that is critical")
)
def test_an_extension_that_openssl_passes_over_leaves_the_token_open(run, what):
    middle = again(A, extensions=[EXTENSIONS[what]])
    files = NO_LISTS | {TOKEN_A: respond(A, EARLY, A.signer, middle)}
    _, checks, expected, text = compared(run, files, script.trust_text(chain=script.NO_BLOCK))
    place = ("5.1", f"tsa-a@{EARLY}")
    assert checks[place] == OPEN, text
    assert expected[place] == (PASSED if what == "an inhibited policy" else FAILED)


def test_a_token_that_is_left_open_may_make_two_sources_one(run):
    """The root of one authority is certified by the other's; a token under both is left open (OCSP)."""
    cross = certificate(
        "tsa-a root", A.root_key.public_key(), "tsa-b root", B.root_key, extensions=authority_extensions()
    )
    answer = ocsp(A.signer, A.middle, A.middle_key, at=moment(12, 30))
    joined = {
        LATE_B: respond(A, LATE, A.signer, A.middle, cross, serial=9),
        f"heads/{LATE}/revocation/tsa-b/1.ocsp": answer.data,
    }
    trust = script.trust_text(chain=None, **WITH_K)
    status, checks, expected, text = compared(run, NO_LISTS | joined, trust)
    assert (status, checks["8.1", ""], expected["8.1", ""]) == (2, OPEN, OPEN), text
    assert compared(run, NO_LISTS, trust)[0] == 0  # control


@pytest.mark.parametrize(("hour", "word"), [((9, 59), FAILED), ((10, 1), PASSED)])
def test_a_token_without_accuracy_contradicts_the_block_by_more_than_an_hour(run, hour, word):
    """The block is of 11:00."""
    silent = script.stamped("tsa-a", gen_time=moment(*hour), accuracy=False)
    top = build.trust_tables(script.LOG)["top"] + "k = 1\n"
    status, checks, expected, text = compared(run, NO_LISTS | {TOKEN_A: silent}, script.trust_text(top=top))
    assert (checks["8.1", ""], expected["8.1", ""]) == (word, word), text
    assert status == (1 if word == FAILED else 0)


# --- chains


def test_a_chain_that_the_trust_file_does_not_name_is_open(run):
    trust = script.trust_text().replace("chain_id = 31337", "chain_id = 31338")
    status, checks, expected, text = compared(run, NO_LISTS, trust)
    place = ("6.1", f"head {LATE}")
    assert (status, checks[place], expected[place]) == (0, OPEN, OPEN)
    assert "The trust file names no chain 31337." in text
    assert "信任文件未列链 31337。" in text


@pytest.mark.parametrize(
    ("profile", "known", "word"),
    [
        ("op-stack", False, OPEN),  # of a later release, perhaps
        ("op-stack", True, FAILED),
        pytest.param("c" * 32, False, OPEN, marks=pytest.mark.fuzz),
        pytest.param("c" * 33, False, FAILED, marks=pytest.mark.fuzz),
        pytest.param("Clique", False, FAILED, marks=pytest.mark.fuzz),
    ],
)
def test_a_profile_that_is_not_known_is_open_where_the_chain_is_not(run, profile, known, word):
    trust = script.trust_text() if known else script.trust_text().replace("= 31337", "= 31338")
    status, checks, expected, text = compared(run, edited(profile=profile), trust)
    place = ("6.1", f"head {LATE}")
    assert (checks[place], expected[place]) == (word, word), text
    assert status == (0 if word == OPEN else 1)


def edited(**changes):
    value = json.loads(script.ANCHOR) | changes
    made = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return NO_LISTS | {f"heads/{LATE}/anchor.json": made}


ANCHORS = {
    "half a byte": (edited(account_proof=["abc"]), FAILED),
    "an empty node": (edited(account_proof=[""]), FAILED),
    "66 nodes": (edited(account_proof=["00"] * 66), FAILED),
    "257 blocks": (edited(not_before=[{"header": "00", "storage_proof": None}] * 257), FAILED),
    "a header of 8193 bytes": (edited(not_before=[{"header": "00" * 8193, "storage_proof": None}]), FAILED),
    "a number beyond 2^53": (edited(log_index=2**53), FAILED),
    "no nodes": (edited(receipt_proof=[]), PASSED),
}


@pytest.mark.parametrize("what", script.some(ANCHORS, "half a byte", "no nodes"))
def test_the_form_of_an_anchor_is_kept(run, what):
    files, word = ANCHORS[what]
    _, checks, expected, text = compared(run, files, script.trust_text())
    place = ("6.1", f"head {LATE}")
    assert (checks[place], expected[place]) == (word, word), text


def test_an_event_that_the_receipt_does_not_hold_fails_as_the_verifier_says(run):
    other = script.LOG.anchor(LATE, logs=[build.mini_chain.event(LATE, bytes(32), contract=b"\x33" * 20)])
    files = NO_LISTS | {
        f"heads/{LATE}/anchor.json": build.encode_evidence(other),
        f"heads/{LATE}/header.rlp": other.header,
    }
    trust = script.trust_text(chain=build.chain_table(script.LOG, blocks=[other.header]))
    status, checks, expected, _ = compared(run, files, trust)
    place = ("6.3", f"head {LATE}")
    assert (status, checks[place], expected[place]) == (1, FAILED, FAILED)
    assert ("6.4", f"head {LATE}") not in checks


def test_more_heads_than_a_package_holds_are_found_without_a_trust_file(run):
    def change(folder):
        for size in range(100, 115):
            (folder / f"heads/{size}").mkdir()
            (folder / f"heads/{size}/checkpoint").write_bytes(b"")

    status, checks, _, text, _ = run(assemble(NO_LISTS, ("a.pdf", CONTRACT)), trust="", change=change)
    assert (status, checks) == (1, {("1.1", ""): FAILED})
    assert "more than 16 heads" in text
