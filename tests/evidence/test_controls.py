"""Negative controls: made of the package's members, each fails as stated, and one that would pass is found out."""

import io
from dataclasses import replace
from hashlib import sha256

import pytest

from notary.errors import FormatError
from notary.evidence import canonical
from notary.evidence.assemble import assemble
from notary.evidence.controls import MAX_CONTROLS, Control, control_members, encode_expected, parse_expected
from notary.evidence.outcome import Outcome
from notary.evidence.package import digest_stream, read_package, write_package
from notary.evidence.package_names import EXPECTED, MAX_FILE
from notary.evidence.trying import Tried, try_controls
from notary.evidence.verify import verify
from tests.evidence import build
from tests.evidence.build import CONTRACT, EARLY, LATE
from tests.evidence.ots_build import NAME, block_table, stamped, upgraded
from tests.ots_world import Bitcoin, file_of

LOG = build.log()
FILES = build.files(LOG)
TRUST = build.trust(LOG)
WHOLE = assemble(FILES, ("contract.pdf", CONTRACT))
PACKAGE = read_package(io.BytesIO(WHOLE))
CHECKS = {
    "document-one-bit": "2.3", "statement-one-bit": "3.2", "opening-changed": "2.4", "checkpoint-signature": "3.1",
    "wrong-sibling": "3.2", "consistency-wrong-hash": "3.3", "receipt-signature": "4.1", "token-imprint": "5.1",
    "revocation-one-bit": "5.2", "header-one-bit": "6.1", "receipt-proof-one-bit": "6.3",
}  # fmt: skip


def tried(package=PACKAGE, trust=TRUST, document=None):
    report = verify(package, trust, document)
    return {control.name: word for control, word in try_controls(package, trust, document, report)}


def controls(package=PACKAGE):
    return parse_expected(package.files[EXPECTED], frozenset(package.files) | {"data/document/contract.pdf"})


def test_every_kind_of_evidence_has_a_control_that_fails_as_stated():
    assert {control.name: control.check for control in controls()} == CHECKS
    assert tried() == dict.fromkeys(CHECKS, Tried.FAILS)
    report = verify(PACKAGE, TRUST)
    assert report.outcome is Outcome.PASSED  # they take nothing from the package that holds them


def test_a_control_differs_from_the_member_in_little():
    for control in controls():
        data = PACKAGE.files[control.file]
        good = PACKAGE.files.get(control.replaces, CONTRACT)
        assert data != good
        assert len(data) == len(good)
        if control.name != "opening-changed":
            # Of a base64 line or a hexadecimal digit a bit changes at most three characters.
            assert sum(a != b for a, b in zip(data, good, strict=True)) <= 3, control.name


def test_the_same_members_have_the_same_controls():
    again = assemble(dict(reversed(PACKAGE.files.items())), ("contract.pdf", CONTRACT))
    assert again == WHOLE
    without = assemble(FILES)
    assert "controls/document-one-bit.pdf" not in read_package(io.BytesIO(without)).files
    # Whoever puts the document in later gets the package that had it from the start.
    assert assemble(read_package(io.BytesIO(without)).files, ("contract.pdf", CONTRACT)) == WHOLE


def test_without_trust_only_what_needs_none_can_be_tried():
    words = tried(trust=None)
    assert {name for name, word in words.items() if word is Tried.FAILS} == {
        "document-one-bit",
        "opening-changed",
    }
    assert set(words.values()) == {Tried.FAILS, Tried.UNTRIED}


def test_a_document_of_the_verifier_does_not_hide_the_packaged_one():
    given = digest_stream(io.BytesIO(CONTRACT))
    assert tried(document=given)["document-one-bit"] is Tried.FAILS


@pytest.mark.parametrize("name", CHECKS)
def test_a_control_in_which_nothing_is_wrong_is_found_out(name):
    (control,) = (control for control in controls() if control.name == name)
    good = PACKAGE.files.get(control.replaces, CONTRACT)
    words = tried(replace(PACKAGE, files=PACKAGE.files | {control.file: good}))
    assert words[name] is Tried.STANDS
    assert {word for other, word in words.items() if other != name} == {Tried.FAILS}


def test_a_control_that_fails_another_check_than_it_says_is_found_out():
    lie = encode_expected([replace(control, check="2.2") for control in controls()])
    words = tried(replace(PACKAGE, files=PACKAGE.files | {EXPECTED: lie}))
    assert set(words.values()) == {Tried.STANDS}


def test_what_is_not_there_has_no_control():
    assert control_members({}) == {}
    assert (
        control_members({"data/statement.json": b"{}", "receipt.txt": b"", "consistency.json": b"{}"}) == {}
    )
    assert control_members({}, ("empty.txt", b"")) == {}
    assert set(control_members({}, ("a.PDF", b"x"))) == {EXPECTED, "controls/document-one-bit.pdf"}
    assert set(control_members({}, ("a.what is this", b"x"))) == {EXPECTED, "controls/document-one-bit"}
    assert control_members({}, ("a.pdf", bytes(MAX_FILE + 1))) == {}
    alone = "heads/1/inclusion.tlog-proof"
    assert set(control_members({alone: LOG.proof(0, 1)})) == {EXPECTED, "controls/checkpoint-signature"}


def test_of_several_heads_the_smallest_is_damaged():
    (control,) = (control for control in controls() if control.name == "wrong-sibling")
    assert control.replaces == f"heads/{EARLY}/inclusion.tlog-proof"
    many = {f"heads/{size}/header.rlp": b"x" for size in (10, 9, 100)}
    assert b"heads/9/header.rlp" in control_members(many)[EXPECTED]


def test_a_token_of_another_digest_is_damaged_too():
    token = LOG.token("tsa-a", EARLY, imprint_algorithm="sha512", imprint_hash="sha512")
    files = FILES | {f"heads/{EARLY}/tokens/tsa-a.tsr": token}
    assert tried(read_package(io.BytesIO(assemble(files))))["token-imprint"] is Tried.FAILS


def test_a_file_of_calendars_has_a_control_too():
    bitcoin = Bitcoin()
    good = file_of(upgraded(stamped(LOG.checkpoint(EARLY)), bitcoin))
    package = read_package(io.BytesIO(assemble(FILES | {NAME: good})))
    trust = build.trust(LOG, bitcoin=block_table(bitcoin))
    assert tried(package, trust)["ots-digest"] is Tried.FAILS
    (control,) = (control for control in controls(package) if control.name == "ots-digest")
    assert (control.replaces, control.check) == (NAME, "5.3")
    bad = package.files[control.file]
    at = good.index(sha256(LOG.checkpoint(EARLY)).digest())
    assert bad == good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
    unchanged = replace(package, files=package.files | {control.file: good})
    assert tried(unchanged, trust)["ots-digest"] is Tried.STANDS
    assert tried(package, None)["ots-digest"] is Tried.UNTRIED
    # Of a file over something else no control can be made: its check has failed already.
    other = file_of(upgraded(stamped(LOG.checkpoint(LATE)), bitcoin))
    assert "ots-digest" not in {control.name for control in controls_of(FILES | {NAME: other})}


def controls_of(files):
    return controls(read_package(io.BytesIO(assemble(files))))


def test_a_package_without_controls_has_none_to_try():
    bare = read_package(io.BytesIO(write_package(FILES)))
    assert EXPECTED not in bare.files
    assert tried(bare) == {}
    wrong = replace(bare, files=bare.files | {EXPECTED: b"{}"})
    with pytest.raises(FormatError, match="missing key"):
        tried(wrong)


GOOD = {"name": "a", "file": "controls/a.bin", "replaces": "receipt.txt", "check": "4.1"}
MEMBERS = frozenset(
    {"controls/a.bin", "controls/b", EXPECTED, "receipt.txt", "mimetype", "META-INF/signature001.p7s"}
)


def expected(*items, **changes):
    return canonical.dumps({"version": 1, "controls": [*items]} | changes)


def test_the_list_is_read_as_it_is_written():
    control = Control("a", "controls/a.bin", "receipt.txt", "4.1")
    assert parse_expected(expected(GOOD), MEMBERS) == (control,)
    assert encode_expected([control]) == expected(GOOD)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (expected(GOOD) + b"\n", "canonical form"),
        (expected(GOOD, version=2), "controls: the version is not 1"),
        (expected(), "not a list of 1 to 16"),
        (expected(controls={}), "not a list of 1 to 16"),
        (expected(*[GOOD] * (MAX_CONTROLS + 1)), "not a list of 1 to 16"),
        (expected(GOOD, more=1), "unknown key 'more'"),
        (expected([]), "control is not a JSON object"),
        (expected(GOOD | {"more": 1}), "unknown key 'more'"),
        (expected(GOOD, GOOD), "two controls have one name"),
        (expected(GOOD | {"name": "A"}), "name of a control is not of the form"),
        (expected(GOOD | {"file": "receipt.txt"}), "file of a control is not of the form"),
        (expected(GOOD | {"file": "controls/../x"}), "has no place in a package"),
        (expected(GOOD | {"file": "controls/c"}), "the control a has no file in the package"),
        (expected(GOOD | {"file": EXPECTED}), "the control a has no file in the package"),
        (expected(GOOD | {"replaces": 1}), "member that a control replaces"),
        (expected(GOOD | {"replaces": "../x"}), "has no place in a package"),
        (expected(GOOD | {"replaces": "consistency.json"}), "replaces nothing that it may replace"),
        (expected(GOOD | {"replaces": "mimetype"}), "replaces nothing that it may replace"),
        (expected(GOOD | {"replaces": "controls/b"}), "replaces nothing that it may replace"),
        (expected(GOOD | {"replaces": "META-INF/signature001.p7s"}), "replaces nothing that it may replace"),
        (expected(GOOD | {"check": "11"}), "check of a control is not of the form"),
        (b" " * (64 * 1024 + 1), "more than the 65536 allowed"),
    ],
)
def test_a_list_that_is_not_of_its_form_is_refused(data, message):
    with pytest.raises(FormatError, match=message):
        parse_expected(data, MEMBERS)


def test_bag_info_says_whose_record_it_is_and_how_much_there_is():
    lines = PACKAGE.files["bag-info.txt"].decode().splitlines()
    payload = [data for name, data in PACKAGE.files.items() if name.startswith("data/")] + [CONTRACT]
    assert lines == [
        "Source-Organization: log.example.org/2026",
        "External-Identifier: MLNL-M6Q4-HC6Z-2YRH",
        f"Payload-Oxum: {sum(map(len, payload))}.{len(payload)}",
    ]
    bare = read_package(io.BytesIO(assemble({"data/statement.json": b"{}"})))
    assert bare.files["bag-info.txt"] == b"Payload-Oxum: 2.1\n"


def test_the_manifests_are_those_that_sha256sum_reads():
    data = dict(PACKAGE.files) | {"data/document/contract.pdf": CONTRACT}
    lines = "".join(f"{sha256(data[n]).hexdigest()}  {n}\n" for n in sorted(data) if n.startswith("data/"))
    assert lines.encode() in WHOLE
    assert write_package(PACKAGE.files, ("contract.pdf", CONTRACT)) == WHOLE
    assert PACKAGE.sizes() == [EARLY, LATE]
