"""The file of consistency proofs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.errors import FormatError
from notary.evidence import canonical
from notary.evidence.consistency import (
    MAX_FILE,
    MAX_PATH,
    MAX_PROOFS,
    Consistency,
    encode_consistency,
    parse_consistency,
)

hashes = st.binary(min_size=32, max_size=32)
sizes = st.lists(st.integers(1, 2**63 - 1), min_size=2, max_size=2, unique=True).map(sorted)
proofs = st.builds(
    lambda ends, path: Consistency(*ends, tuple(path)), sizes, st.lists(hashes, max_size=MAX_PATH)
)


@given(st.lists(proofs, min_size=1, max_size=3).map(tuple))
def test_the_file_is_read_as_it_was_written(found):
    assert parse_consistency(encode_consistency(found)) == found


GOOD = {"old": "4", "new": "7", "path": ["00" * 32]}


def file(*items, **changes):
    return canonical.dumps({"version": 1, "proofs": list(items)} | changes)


def test_the_smallest_file_is_read():
    assert json.loads(file(GOOD))
    assert parse_consistency(file(GOOD)) == (Consistency(4, 7, (bytes(32),)),)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[]", "not a JSON object"),
        (file(GOOD) + b"\n", "canonical form"),
        (file(GOOD, version=2), "the version is not 1"),
        (file(GOOD, version=True), "the version is not 1"),
        (file(GOOD, more=1), "unknown key 'more'"),
        (file(proofs=None), "not a list of 1 to 64"),
        (file(), "not a list of 1 to 64"),
        (file(*[GOOD] * (MAX_PROOFS + 1)), "not a list of 1 to 64"),
        (file(1), "consistency proof is not a JSON object"),
        (file(GOOD | {"root": ""}), "unknown key 'root'"),
        (file(GOOD | {"old": 4}), "old is not of the form"),
        (file(GOOD | {"old": "0"}), "old is not of the form"),
        (file(GOOD | {"new": "07"}), "new is not of the form"),
        (file(GOOD | {"new": "7" * 20}), "new is not of the form"),
        (file(GOOD | {"old": "8"}), "sizes out of order"),
        (file(GOOD | {"old": "7", "path": []}), "sizes out of order"),  # it would show nothing
        (file(GOOD | {"new": str(2**63)}), "sizes out of order"),
        (file(GOOD | {"path": "00"}), "too long a path"),
        (file(GOOD | {"path": ["00" * 32] * (MAX_PATH + 1)}), "too long a path"),
        (file(GOOD | {"path": ["00" * 31]}), "hash of a consistency proof"),
        (b" " * (MAX_FILE + 1), "more than the 262144 allowed"),
    ],
)
def test_another_form_is_refused(data, message):
    with pytest.raises(FormatError, match=message):
        parse_consistency(data)
