"""Commitments: opened one by one, and only to what was committed."""

import base64
import json
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.errors import FormatError, ProofError
from notary.evidence import canonical, commitments
from notary.evidence.commitments import (
    MAX_COMMITMENTS,
    MAX_DISCLOSURE,
    MAX_OPENINGS,
    MAX_VALUES,
    NAMES,
    Commitments,
    Opening,
    check_openings,
    commit,
    encode_openings,
    name_of,
    name_of_made,
    parse_openings,
)
from notary.merkle.hashing import EMPTY_ROOT, hash_leaf
from notary.merkle.tree import root_of
from tests.evidence.build import salts

# RFC 9901 §4.2.1, the example disclosure of a structured value: its name is not one of ours.
RFC_9901 = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
FIELDS = {"matter": "M-1", "holder": "乙方", "metadata": {"合同": 1, "𠮷": [None, True]}, "sequence": 7}
COMMITMENTS, OPENINGS = commit(FIELDS, salts("test"))
leaves = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20)


def disclosure(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@given(st.dictionaries(st.sampled_from(NAMES), leaves | st.lists(leaves, max_size=3), max_size=11))
def test_what_is_committed_is_opened(fields):
    commitments, openings = commit(fields, salts("any"))
    assert check_openings(openings, commitments) == fields
    assert check_openings(parse_openings(encode_openings(openings)), commitments) == fields
    for opening in openings:
        assert check_openings((opening,), commitments) == {name_of(opening): fields[name_of(opening)]}
        assert name_of_made(opening) == name_of(opening)


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_what_was_made_is_read_without_its_value(name):
    for value in (1, "x" * 90_000):
        (opening,) = commit({name: value}, salts("test"))[1]
        assert name_of_made(opening) == name
        cut = Opening(opening.disclosure[:60], 0, ())  # what follows is not looked at
        assert name_of_made(cut) == name or value == 1
    spaced = base64.urlsafe_b64encode(f'["{"a" * 22}", "{name}", 1]'.encode()).decode().rstrip("=")
    assert name_of_made(Opening(spaced, 0, ())) == name  # in another spelling: it is read whole
    with pytest.raises(FormatError, match="an array of salt, name and value"):
        name_of_made(Opening(RFC_9901, 0, ()))


def test_the_root_is_over_digests_in_ascending_order():
    digests = [sha256(opening.disclosure.encode()).digest() for opening in OPENINGS]
    assert digests == sorted(digests)
    assert Commitments(4, root_of([hash_leaf(digest) for digest in digests])) == COMMITMENTS
    assert [opening.index for opening in OPENINGS] == [0, 1, 2, 3]


def test_a_disclosure_has_the_form_of_rfc_9901():
    digest = sha256(RFC_9901.encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=") == b"X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
    decoded = json.loads(base64.urlsafe_b64decode(OPENINGS[0].disclosure + "=="))
    assert [len(decoded), len(base64.urlsafe_b64decode(decoded[0] + "=="))] == [3, 16]


def test_nothing_committed_has_the_empty_root():
    assert commit({}, salts("none")) == (Commitments(0, EMPTY_ROOT), ())
    assert check_openings((), Commitments(0, EMPTY_ROOT)) == {}


def test_each_commitment_has_a_salt_of_its_own():
    first, second = (commit({"matter": "M-1"}, salts(label))[0] for label in "ab")
    assert first != second


@pytest.mark.parametrize(
    "change",
    [
        {"index": 1},
        {"index": 63},
        {"path": ()},
        {"path": OPENINGS[1].path},
        {"path": (*OPENINGS[0].path, bytes(32))},
        {"disclosure": disclosure(["A" * 22, "matter", "M-2"])},
    ],
)
def test_what_was_not_committed_is_refused(change):
    with pytest.raises(ProofError, match="not committed to by the statement"):
        check_openings((replace(OPENINGS[0], **change),), COMMITMENTS)


def test_openings_of_another_statement_are_refused():
    with pytest.raises(ProofError, match="not committed to"):
        check_openings(OPENINGS, commit(FIELDS, salts("other"))[0])
    with pytest.raises(ProofError, match="not committed to"):
        check_openings(OPENINGS[:1], Commitments(0, EMPTY_ROOT))


def test_the_same_name_opened_twice_is_refused():
    with pytest.raises(FormatError, match="is opened twice"):
        check_openings((OPENINGS[0], OPENINGS[0]), COMMITMENTS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A", "not base64url"),
        ("YR", "not in the one spelling of base64url"),  # YQ is
        (disclosure("text"), "an array of salt, name and value"),
        (disclosure(["A" * 22, "matter"]), "an array of salt, name and value"),
        (disclosure(["A" * 22, "matter", 1, 2]), "an array of salt, name and value"),
        (RFC_9901, "an array of salt, name and value"),
        (disclosure(["A" * 22, ["matter"], 1]), "an array of salt, name and value"),
        (disclosure(["short", "matter", 1]), "salt of a disclosure"),
        (disclosure(["A" * 23, "matter", 1]), "salt of a disclosure"),
        (disclosure([None, "matter", 1]), "salt of a disclosure"),
        (disclosure(["A" * 22, "matter", 1.5]), "not an integer"),
        (disclosure(["A" * 22, "matter", "\ud800"]), "not valid Unicode"),
        (disclosure(["A" * 22, "matter", {"": 1}]), "a key of 1 to 64 characters"),
        (base64.urlsafe_b64encode(b'["A","matter",{"a":1,"a":2}]').decode().rstrip("="), "same key twice"),
        (base64.urlsafe_b64encode(b"\xff").decode().rstrip("="), "not JSON"),
    ],
)
def test_a_disclosure_of_another_form_is_refused(text, message):
    with pytest.raises(FormatError, match=message):
        check_openings((Opening(text, 0, ()),), COMMITMENTS)
    with pytest.raises(FormatError, match=message):
        name_of(Opening(text, 0, ()))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": 1}, "'name' is not the name of a commitment"),
        ({"matter": 1.5}, "no place in canonical JSON"),
        ({"matter": 2**53}, "beyond"),
        ({"matter": "a" * MAX_DISCLOSURE}, "larger than a commitment may be"),
    ],
)
def test_what_cannot_be_opened_again_is_not_committed(fields, message):
    with pytest.raises(FormatError, match=message):
        commit(fields, salts("any"))


def test_a_value_may_be_nested_as_deep_as_it_can_be_read_again():
    value = []
    for _ in range(9):
        value = [value]
    commitments, openings = commit({"metadata": value}, salts("deep"))
    assert check_openings(openings, commitments) == {"metadata": value}
    with pytest.raises(FormatError, match="nested deeper"):
        commit({"metadata": [value]}, salts("deep"))


@pytest.mark.parametrize("size", [0, 15, 17])
def test_a_salt_of_another_length_is_refused(size):
    with pytest.raises(FormatError, match="salt of a commitment is 16 bytes"):
        commit({"matter": 1}, lambda: bytes(size))


def changed(**change):
    return canonical.dumps(
        {"version": 1, "openings": json.loads(encode_openings(OPENINGS))["openings"]} | change
    )


GOOD = json.loads(encode_openings(OPENINGS[:1]))["openings"][0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[]", "openings is not a JSON object"),
        (b"[" + b"0," * MAX_VALUES + b"0]", "openings have more than 1024 values"),
        (b"[" + b"0," * (MAX_VALUES - 1) + b"0]", "openings is not a JSON object"),
        (changed(version=2), "the version is not 1"),
        (changed(version=True), "the version is not 1"),
        (changed(more=1), "unknown key 'more'"),
        (changed(openings=None), "openings is not a list"),
        (changed(openings=[GOOD] * (MAX_COMMITMENTS + 1)), "openings is not a list of at most 64"),
        (changed(openings=[1]), "opening is not a JSON object"),
        (changed(openings=[GOOD | {"salt": ""}]), "unknown key 'salt'"),
        (changed(openings=[GOOD | {"disclosure": "a b"}]), "disclosure is not of"),
        (changed(openings=[GOOD | {"disclosure": "a="}]), "disclosure is not of"),
        (changed(openings=[GOOD | {"disclosure": "a" * (MAX_DISCLOSURE + 1)}]), "disclosure is not of"),
        (changed(openings=[GOOD | {"index": 64}]), "index of an opening"),
        (changed(openings=[GOOD | {"index": -1}]), "index of an opening"),
        (changed(openings=[GOOD | {"path": ["00" * 32] * 7}]), "at most 6 hashes"),
        (changed(openings=[GOOD | {"path": "00" * 32}]), "at most 6 hashes"),
        (changed(openings=[GOOD | {"path": ["AB" * 32]}]), "hash of an opening"),
        (changed() + b"\n", "canonical form"),
        (b" " * (MAX_OPENINGS + 1), "more than the 1048576 allowed"),
    ],
)
def test_a_file_of_openings_of_another_form_is_refused(data, message):
    with pytest.raises(FormatError, match=message):
        parse_openings(data)


def test_openings_that_nobody_could_read_are_not_written(monkeypatch):
    _, openings = commit(dict.fromkeys(NAMES, "a" * 90_000), salts("large"))
    with pytest.raises(FormatError, match="larger than 1048576"):
        encode_openings(openings)
    assert parse_openings(encode_openings(openings[:8])) == openings[:8]
    eight = len(encode_openings(openings[:8]))
    monkeypatch.setattr(commitments, "MAX_OPENINGS", eight)
    assert len(encode_openings(openings[:8])) == eight
    monkeypatch.setattr(commitments, "MAX_OPENINGS", eight - 1)
    with pytest.raises(FormatError, match=f"^openings of {eight} bytes are larger than {eight - 1}$"):
        encode_openings(openings[:8])
