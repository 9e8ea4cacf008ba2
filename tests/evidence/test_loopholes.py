"""Ways to have evidence pass, or be said to show, more than it does; and good evidence that must not fail."""

import io
import time
from dataclasses import replace
from itertools import combinations, permutations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from notary.errors import FormatError, TimestampError, TrustError
from notary.evidence import canonical
from notary.evidence.archive import write_zip
from notary.evidence.chain_file import MAX_VALUES, decode_evidence
from notary.evidence.commitments import encode_openings
from notary.evidence.consistency import Consistency, encode_consistency
from notary.evidence.exports import package_of_proof
from notary.evidence.note import Note, parse_note, sign_note
from notary.evidence.outcome import Bound, Outcome, kth_bound, source_of
from notary.evidence.package import digest_stream, read_package, write_package
from notary.evidence.package_names import MAX_HEADS
from notary.evidence.proof_file import TLOG_PROOF, parse_proof_file
from notary.evidence.receipt import receipt_key_name
from notary.evidence.timestamp import Authority, check_token
from notary.evidence.verify import verify
from tests import mini_tsa
from tests.evidence import build
from tests.evidence.build import DOCUMENT, EARLY, INSPECTION, LATE, ORIGIN, Log, ed25519, moment

LOG = build.log()
FILES = build.files(LOG)
TRUST = build.trust(LOG)
TABLES = build.trust_tables(LOG)
TOKEN_A, TOKEN_B = (f"heads/{EARLY}/tokens/tsa-{letter}.tsr" for letter in "ab")
STAMPED_ONLY = {name: data for name, data in FILES.items() if f"heads/{LATE}/" not in name}
for name in ("consistency.json", *(name for name in FILES if name.startswith("inspection/"))):
    STAMPED_ONLY.pop(name)


def found(report, id_):
    return [(check.outcome, check.detail) for check in report.checks if check.id == id_]


def failures(report):
    return [(check.id, check.subject) for check in report.failures()]


@pytest.mark.parametrize("at", [0, 1, 3, INSPECTION, 6])
@pytest.mark.parametrize("where", ["given", "packaged"])
def test_a_document_beside_a_statement_that_records_none_fails(at, where):
    files = {name: data for name, data in STAMPED_ONLY.items() if "/tokens/" in name}
    size = EARLY if at < EARLY else LATE
    files = {name.replace(f"heads/{EARLY}", f"heads/{size}"): data for name, data in files.items()}
    if size == LATE:
        files = {f"heads/{LATE}/tokens/tsa-{letter}.tsr": LOG.token(f"tsa-{letter}", LATE) for letter in "ab"}
    files["data/statement.json"] = LOG.statements[at].encode()
    files[f"heads/{size}/inclusion.tlog-proof"] = LOG.proof(at, size)
    assert build.check(files, TRUST, document=None).outcome is Outcome.PASSED
    anything = b"any document at all"
    if where == "given":
        report = build.check(files, TRUST, document=None, given=digest_stream(io.BytesIO(anything)))
    else:
        report = build.check(files, TRUST, document=("contract.pdf", anything))
    assert failures(report) == [("2.3", where)]
    assert "no document" in found(report, "2.3")[0][1]


def test_one_token_under_two_names_is_not_the_word_of_two():
    both = STAMPED_ONLY | {TOKEN_B: STAMPED_ONLY[TOKEN_A]}
    assert failures(build.check(both, build.trust(LOG, chain=None))) == [("5.1", f"tsa-b@{EARLY}")]
    same_root = build.tsa_table("tsa-b", build.tsa("tsa-a"))
    with pytest.raises(TrustError, match="a token of tsa-a could count for tsa-b too"):
        build.trust(LOG, tsa_b=same_root)
    one_source = same_root.replace("tsa-b Ltd", "tsa-a Ltd")
    report = build.check(both, build.trust(LOG, chain=None, top=TABLES["top"] + "k = 2\n", tsa_b=one_source))
    assert report.outcome is Outcome.UNCHECKED


def pem(cert):
    return cert.public_bytes(mini_tsa.serialization.Encoding.PEM).decode()


def issued(subject, public, issuer, key):
    return mini_tsa.certificate(subject, public, issuer, key, extensions=mini_tsa.authority_extensions())


def test_roots_that_issued_one_another_are_not_independent():
    a, b = build.tsa("tsa-a"), build.tsa("tsa-b")
    again = issued("tsa-a root", a.root_key.public_key(), "tsa-a root", a.root_key)  # same key, other bytes
    below = issued("tsa-b root", b.root_key.public_key(), "tsa-a root", a.root_key)
    bridge = issued("bridge", b.root_key.public_key(), "tsa-a root", a.root_key)
    table = build.tsa_table("tsa-b", b)
    for changes in (
        {"tsa_b": table.replace(b.pem, pem(again))},
        {"tsa_b": table.replace(b.pem, pem(below))},
        {"tsa_a": build.tsa_table("tsa-a", a, f"intermediates = ['''{pem(bridge)}''']")},
    ):
        with pytest.raises(TrustError, match="they are one source"):
            build.trust(LOG, **changes)
        one = {name: text.replace("tsa-b Ltd", "tsa-a Ltd") for name, text in changes.items()}
        build.trust(LOG, **({"tsa_b": table.replace("tsa-b Ltd", "tsa-a Ltd")} | one))


def test_an_authority_that_another_certified_is_not_the_word_of_two():
    a, b = build.tsa("tsa-a"), build.tsa("tsa-b")
    trust = build.trust(LOG, chain=None)
    again, recertified = build.FixedTsa("tsa-a"), build.FixedTsa("tsa-a")
    again.key = ed25519("another machine of tsa-a")
    again.signer = again.issue(
        "tsa-a 2", years=mini_tsa.YEARS, extensions=mini_tsa.signer_extensions(), serial=9
    )
    root = issued("tsa-a root", a.root_key.public_key(), "tsa-b root", b.root_key)
    middle = issued("Middle", a.middle_key.public_key(), "tsa-b root", b.root_key)
    recertified.signer = mini_tsa.certificate(
        "tsa-a", a.key.public_key(), "tsa-b root", b.root_key, extensions=mini_tsa.signer_extensions()
    )
    for tsa, more in ((again, [again.middle, root]), (again, [middle]), (recertified, [])):
        data, when = LOG.checkpoint(EARLY), moment(12, 5)
        token = tsa.respond(data, gen_time=when, certificates=[tsa.signer, *more])
        report = build.check(STAMPED_ONLY | {TOKEN_B: token}, trust)
        assert [at for at, _ in found(report, "5.1")] == [Outcome.PASSED] * 2
        assert (report.outcome, report.interval.existed_by) == (Outcome.UNCHECKED, None)
        assert "fewer than 2 independent sources" in found(report, "8.1")[0][1]
    # Control: on keys of its own, the second is another source.
    assert build.check(STAMPED_ONLY, trust).outcome is Outcome.PASSED


def test_sources_that_share_a_key_are_one_however_they_are_listed():
    def bound(name, minute, *keys):
        return Bound("rfc3161", name, name, moment(12, minute), 4, frozenset(keys))

    a, b, c, d = bound("a", 1, b"1"), bound("b", 2, b"1", b"2"), bound("c", 3, b"2"), bound("d", 4, b"3")
    for order in permutations((a, b, c, d)):
        assert [kth_bound(order, k) for k in (1, 2, 3)] == [moment(12, 1), moment(12, 4), None]


SPELLINGS = ["Zeit & Siegel GmbH", "ZEIT & SIEGEL GMBH", " Zeit  &  Siegel GmbH.", "Ｚｅｉｔ & Siegel GmbH"]


@pytest.mark.parametrize(
    ("one", "other"),
    [*combinations(SPELLINGS, 2), ("Große Zeit", "GROẞE ZEIT"), ("Ταΰγετος", "Ταΰγετος".upper())],
)
def test_two_spellings_of_an_organisation_are_one_source(one, other):
    tables = {
        f"tsa_{letter}": TABLES[f"tsa-{letter}"].replace(f"tsa-{letter} Ltd", name)
        for letter, name in (("a", one), ("b", other))
    }
    trust = build.trust(LOG, chain=None, top=TABLES["top"] + "k = 2\n", **tables)
    assert build.check(STAMPED_ONLY, trust).outcome is Outcome.UNCHECKED
    assert build.trust(LOG, chain=None, **tables).k == 1


def test_names_that_differ_in_a_letter_are_two_sources():
    assert len({source_of(name) for name in ("中国授时一号", "中国授时二号", "++", "+", *SPELLINGS)}) == 5
    bounds = [Bound("rfc3161", name, name, moment(12), 4) for name in ("++", "+")]
    assert kth_bound(bounds, 2) == moment(12)


def thief_trust(*more):
    return build.trust(LOG, log_key=build.key_table("log_key", ORIGIN, LOG.key, *more))


def test_a_stolen_key_makes_no_other_log_below_its_last_good_size():
    fork = Log(altered=lambda statement: replace(statement, salt=bytes(32)))
    files = build.files(fork)
    assert files["data/statement.json"] != FILES["data/statement.json"]
    ended = "until = 2026-03-01T11:59:59Z"  # before all tokens: the theft is known to be older
    report = build.check(files, thief_trust(ended, "last_good_size = 100"))
    assert report.outcome is Outcome.FAILED
    assert "nothing attests this head before its key ended" in report.failures()[0].detail
    with pytest.raises(TrustError, match="a key with last_good_size has no 'until'"):
        thief_trust("last_good_size = 100")


def forged_inspection():
    """A head by whoever has the log key now: as the honest one, but for an inspection that nobody made."""
    thief = Log()
    fields = {"inspection": {"signatures": 99}}
    thief.statements[INSPECTION] = thief.statement(
        "inspection", at=INSPECTION, fields=fields, previous=LOG.entries[DOCUMENT]
    )
    return STAMPED_ONLY | {
        f"heads/{LATE}/inclusion.tlog-proof": thief.proof(DOCUMENT, LATE),
        "consistency.json": encode_consistency((thief.consistency(EARLY, LATE),)),
        "inspection/statement.json": thief.statements[INSPECTION].encode(),
        "inspection/openings.json": encode_openings(thief.openings[INSPECTION]),
        "inspection/inclusion.tlog-proof": thief.proof(INSPECTION, LATE),
    }


def test_a_head_that_nothing_dates_shows_nothing_once_its_key_has_ended():
    files = forged_inspection()
    for more in (("last_good_size = 100",), ()):
        report = build.check(files, thief_trust("until = 2026-03-01T13:00:00Z", *more))
        assert report.outcome is Outcome.PASSED  # by the head that two authorities date
        assert report.openings.get("inspection") is None
        for id_ in ("3.3", "9.1"):
            ((at, detail),) = found(report, id_)
            assert (at, "did not pass its own checks" in detail) == (Outcome.UNCHECKED, True)
    # Control: while the key is good, what the log's newest head holds is the operator's word.
    assert build.check(files, TRUST).openings["inspection"] == {"signatures": 99}


def test_a_source_that_attests_before_the_record_could_exist_is_not_counted():
    lying = {TOKEN_A: LOG.token("tsa-a", EARLY, gen_time=moment(9))}
    report = build.check({n: d for n, d in FILES.items() if n != TOKEN_B} | lying, TRUST)
    assert failures(report) == [("8.1", "")]
    assert "made after 2026-03-01 11:00" in found(report, "8.1")[0][1]
    assert "tsa-a by 2026-03-01 09:00:01" in found(report, "8.1")[0][1]
    assert failures(build.check(FILES | lying, TRUST)) == [("8.1", "")]  # two honest sources do not mend it
    # Control: where the block cannot be tried, nothing contradicts it.
    without = build.trust(LOG, chain=build.chain_table(LOG, blocks=[]))
    assert build.check(FILES | lying, without).outcome is Outcome.PASSED


def test_a_restriction_in_a_second_table_of_a_key_is_not_lost():
    twice = build.key_table("log_key", ORIGIN, LOG.key)
    twice += build.key_table("log_key", ORIGIN, LOG.key, "until = 2020-01-01T00:00:00Z")
    with pytest.raises(TrustError, match="two log_key have one key id"):
        build.trust(LOG, log_key=twice)


@pytest.mark.parametrize(
    ("more", "outcome", "detail"),
    [
        (("since = 2026-03-01T13:00:00Z",), Outcome.PASSED, ""),
        (("since = 2026-03-01T13:00:01Z",), Outcome.UNCHECKED, "promises for before its key began"),
        (("until = 2027-01-01T00:00:00Z",), Outcome.UNCHECKED, "nothing dates a receipt, and its key ended"),
        (
            ("until = 2027-01-01T00:00:00Z", "last_good_size = 1"),
            Outcome.UNCHECKED,
            "nothing dates a receipt",
        ),
        (("until = 2027-01-01T00:00:00Z", "last_good_size = 0"), Outcome.UNCHECKED, "was compromised"),
    ],
)
def test_a_receipt_is_never_held_against_the_evidence_by_its_keys_period(more, outcome, detail):
    table = build.key_table("receipt_key", receipt_key_name(ORIGIN), LOG.receipt_key, *more)
    report = build.check(FILES, build.trust(LOG, receipt_key=table))
    ((at, said),) = found(report, "4.1")
    assert (at, detail in said) == (outcome, True)
    assert bool(found(report, "4.2")) is (outcome is Outcome.PASSED)
    assert bool(found(report, "4.3")) is (outcome is Outcome.PASSED)
    assert report.outcome is Outcome.PASSED


def test_an_equal_tree_is_no_later_one():
    files = FILES | {"consistency.json": encode_consistency((Consistency(EARLY, EARLY, ()),))}
    assert failures(build.check(files, TRUST)) == [("3.3", "")]


def test_an_inspection_speaks_for_itself_alone():
    log = Log()
    log.statements[INSPECTION] = log.statement(
        "inspection", at=INSPECTION, fields={"title": "another"}, previous=log.entries[DOCUMENT]
    )
    trust = build.trust(log, chain=build.chain_table(log, blocks=[log.anchor(LATE).header]))
    report = build.check(build.files(log), trust)
    assert failures(report) == [("9.1", "")]
    assert "something else than 'inspection'" in found(report, "9.1")[0][1]
    assert "title" not in report.openings


def cosigned(proof, *signatures):
    file = parse_proof_file(proof, TLOG_PROOF)
    note = parse_note(file.note)
    return replace(file, note=Note(note.text, note.signatures + signatures).encode()).encode(TLOG_PROOF)


def test_an_inspection_may_be_proved_under_a_cosigned_checkpoint():
    name = "inspection/inclusion.tlog-proof"
    text = parse_note(parse_proof_file(FILES[name], TLOG_PROOF).note).text
    witness = sign_note(text, "witness.example", ed25519("witness")).signatures
    assert build.check(FILES | {name: cosigned(FILES[name], *witness)}, TRUST).outcome is Outcome.PASSED
    other = sign_note(text, ORIGIN, ed25519("another")).signatures
    file = parse_proof_file(FILES[name], TLOG_PROOF)
    unsigned = replace(file, note=Note(text, other).encode()).encode(TLOG_PROOF)
    report = build.check(FILES | {name: unsigned}, TRUST)
    assert "no key that is trusted" in found(report, "9.1")[0][1]


def test_a_log_that_was_opened_twice_in_one_contract_is_known_by_both_ids():
    other = TABLES["chain"].partition("[[chain.block]]")[0].replace(LOG.log_id.hex(), "00" * 32)
    assert build.check(FILES, build.trust(LOG, chain=other + TABLES["chain"])).outcome is Outcome.PASSED
    assert failures(build.check(FILES, build.trust(LOG, chain=other))) == [("6.1", f"head {LATE}")]


def test_no_sentence_says_what_was_not_found():
    proof = verify(package_of_proof(LOG.proof(DOCUMENT, LATE, FILES["data/statement.json"])), TRUST)
    assert "manifest" not in found(proof, "1.1")[0][1]
    assert {check.subject for check in proof.checks if check.id == "3.1"} == {f"head {LATE}"}
    undated = {name: data for name, data in STAMPED_ONLY.items() if "/tokens/" not in name}
    assert "a later one is" not in found(build.check(undated, TRUST), "4.3")[0][1]
    late = undated | {TOKEN_A: LOG.token("tsa-a", EARLY, gen_time=moment(14))}
    assert "a later one is" in found(build.check(late, TRUST), "4.3")[0][1]
    for line, said in (("true", True), ("false", False)):
        report = build.check(FILES, build.trust(LOG, top=TABLES["top"].replace("true", line)))
        assert report.to_json()["test_only"] is said
        assert ("prove nothing" in found(report, "1.2")[0][1]) is said


def test_a_bare_proof_without_a_checkpoint_is_none():
    file = parse_proof_file(LOG.proof(DOCUMENT, LATE, FILES["data/statement.json"]), TLOG_PROOF)
    note = sign_note("no checkpoint\n", ORIGIN, LOG.key).encode()
    with pytest.raises(FormatError, match="a checkpoint is three lines"):
        package_of_proof(replace(file, note=note).encode(TLOG_PROOF))


def test_a_package_cannot_make_a_verifier_check_heads_without_end():
    heads = {f"heads/{size}/checkpoint": b"" for size in range(1, MAX_HEADS + 2)}
    with pytest.raises(FormatError, match="at most 16 heads"):
        write_package(heads)
    with pytest.raises(FormatError, match="at most 16 heads"):
        read_package(io.BytesIO(write_zip([("mimetype", b""), *heads.items()])))
    del heads["heads/1/checkpoint"]
    assert len(read_package(io.BytesIO(write_package(heads))).sizes()) == MAX_HEADS


def test_files_of_many_small_values_are_refused_before_they_are_parsed():
    with pytest.raises(FormatError, match=f"more than {MAX_VALUES} values"):
        decode_evidence(canonical.dumps([0] * (MAX_VALUES + 1)))
    with pytest.raises(FormatError, match="not a JSON object"):
        decode_evidence(canonical.dumps([0] * MAX_VALUES))


def test_rsa_keys_with_an_exponent_as_long_as_their_modulus_cost_nothing():
    private = rsa.generate_private_key(65537, 3072)
    long = rsa.RSAPublicNumbers((1 << 3070) + 1, private.public_key().public_numbers().n).public_key()
    evil, good = mini_tsa.MiniTsa(), mini_tsa.MiniTsa()
    issuer = mini_tsa.key("p256", "issuer of the evil")
    evil.signer = mini_tsa.certificate(
        "evil", evil.key.public_key(), "X", issuer, extensions=mini_tsa.signer_extensions()
    )
    crowd = [issued("X", issuer.public_key(), "X", private) for _ in range(12)]
    crowd += [issued("X", long, "X", private) for _ in range(19)]
    response = evil.respond(b"data", certificates=[evil.signer, *crowd])
    began = time.process_time()
    with pytest.raises(TimestampError, match="no path leads"):
        check_token(response, b"data", Authority("a", "A", (mini_tsa.der(good.root),), (), None))
    assert time.process_time() - began < 1  # more than two seconds where such keys are used


def test_a_token_of_the_last_year_there_is_cannot_stop_the_result():
    years = (mini_tsa.YEARS[0], mini_tsa.datetime(9999, 12, 31, 23, 59, 59, tzinfo=mini_tsa.UTC))
    tsa = mini_tsa.MiniTsa(years=years, root_years=years)
    authority = Authority("a", "A", (mini_tsa.der(tsa.root),), (), None)
    with pytest.raises(TimestampError, match="stands for no time at all"):
        check_token(tsa.respond(b"data", gen_time=b"99991231235959.5Z"), b"data", authority)


def test_openings_of_a_statement_that_commits_to_nothing_fail():
    files = {name: data for name, data in STAMPED_ONLY.items() if "/tokens/" in name} | {
        "data/statement.json": LOG.statements[0].encode(),
        f"heads/{EARLY}/inclusion.tlog-proof": LOG.proof(0, EARLY),
        "data/openings.json": encode_openings(LOG.openings[DOCUMENT][:1]),
    }
    assert failures(build.check(files, TRUST, document=None)) == [("2.4", "")]
