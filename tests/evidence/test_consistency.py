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


DISORDER = "a consistency proof has sizes out of order or too long a path"
GOOD = {"old": "4", "new": "7", "path": ["00" * 32]}


def file(*items, **changes):
    return canonical.dumps({"version": 1, "proofs": list(items)} | changes)


def test_the_smallest_file_is_read():
    assert json.loads(file(GOOD))
    assert parse_consistency(file(GOOD)) == (Consistency(4, 7, (bytes(32),)),)


def test_the_largest_file_is_read():
    longest = GOOD | {"new": str(2**63 - 1), "path": ["00" * 32] * MAX_PATH}
    assert len(parse_consistency(file(longest, *[GOOD] * (MAX_PROOFS - 1)))) == MAX_PROOFS


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[]", "consistency proofs is not a JSON object"),
        (file(GOOD) + b"\n", ".*canonical form.*"),
        (file(GOOD, version=2), "consistency proofs: the version is not 1"),
        (file(GOOD, version=True), "consistency proofs: the version is not 1"),
        (file(GOOD, more=1), "consistency proofs: unknown key 'more'"),
        (file(proofs=None), "proofs is not a list of 1 to 64"),
        (file(), "proofs is not a list of 1 to 64"),
        (file(*[GOOD] * (MAX_PROOFS + 1)), "proofs is not a list of 1 to 64"),
        (file(1), "consistency proof is not a JSON object"),
        (file(GOOD | {"root": ""}), "consistency proof: unknown key 'root'"),
        (file(GOOD | {"old": 4}), "old is not of the form it must have"),
        (file(GOOD | {"old": "0"}), "old is not of the form it must have"),
        (file(GOOD | {"new": "07"}), "new is not of the form it must have"),
        (file(GOOD | {"new": "7" * 20}), "new is not of the form it must have"),
        (file(GOOD | {"old": "8"}), DISORDER),
        (file(GOOD | {"old": "7", "path": []}), DISORDER),  # it would show nothing
        (file(GOOD | {"new": str(2**63)}), DISORDER),
        (file(GOOD | {"path": "00"}), DISORDER),
        (file(GOOD | {"path": ["00" * 32] * (MAX_PATH + 1)}), DISORDER),
        (file(GOOD | {"path": ["00" * 31]}), "hash of a consistency proof is not of the form it must have"),
        (b" " * (MAX_FILE + 1), ".*more than the 262144 allowed.*"),
    ],
)
def test_another_form_is_refused(data, message):
    with pytest.raises(FormatError, match=f"^{message}$"):
        parse_consistency(data)
