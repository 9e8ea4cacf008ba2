"""RLP, against the examples of its specification and another implementation."""

import pytest
import rlp as other
from hypothesis import given
from hypothesis import strategies as st

from notary.errors import ChainError
from notary.evidence import rlp

LOREM = b"Lorem ipsum dolor sit amet, consectetur adipisicing elit"
# ethereum.org, developer documentation, "Recursive-length prefix serialization", section Examples.
EXAMPLES = [
    (b"dog", "83646f67"),
    ([b"cat", b"dog"], "c88363617483646f67"),
    (b"", "80"),
    ([], "c0"),
    (b"\x00", "00"),
    (b"\x0f", "0f"),
    (b"\x04\x00", "820400"),
    ([[], [[]], [[], [[]]]], "c7c0c1c0c3c0c1c0"),
    (LOREM, "b838" + LOREM.hex()),
    # The ends of the short forms.
    (b"\x7f", "7f"),
    (b"\x80", "8180"),
    (LOREM[:55], "b7" + LOREM[:55].hex()),
    ([b"a"] * 55, "f7" + "61" * 55),
    ([b"a"] * 56, "f838" + "61" * 56),
]
ITEMS = st.recursive(st.binary(max_size=80), lambda inner: st.lists(inner, max_size=5), max_leaves=20)


@pytest.mark.parametrize(("item", "encoded"), EXAMPLES)
def test_examples_of_the_specification_go_both_ways(item, encoded):
    assert rlp.encode(item).hex() == encoded
    assert rlp.decode(bytes.fromhex(encoded)) == item


@given(ITEMS)
def test_encoding_is_that_of_another_implementation(item):
    assert rlp.encode(item) == other.encode(item)
    assert rlp.decode(other.encode(item)) == item


@given(st.binary(max_size=200))
def test_bytes_are_accepted_only_as_the_one_encoding_of_what_they_hold(data):
    try:
        item = rlp.decode(data)
    except ChainError:
        with pytest.raises(other.exceptions.DecodingError):
            other.decode(data)
    else:
        assert rlp.encode(item) == data


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        ("", "cut short"),
        ("83646f", "cut short"),
        ("c883636174", "cut short"),
        ("c283646f67", "cut short"),
        ("b9ff", "cut short"),
        ("ffffffffffffffffff", "cut short"),
        ("83646f6700", "1 bytes follow the value"),
        ("c0c0", "1 bytes follow the value"),
        ("8100", "a single byte is not in its shortest form"),
        ("817f", "a single byte is not in its shortest form"),
        ("b80161", "a length is not in its shortest form"),
        ("b837" + "61" * 55, "a length is not in its shortest form"),
        ("b90038" + "61" * 56, "a length is not in its shortest form"),
        ("f800", "a length is not in its shortest form"),
        ("cfcecdcccbcac9c8c7c6c5c4c3c2c1c0", None),
        ("d0cfcecdcccbcac9c8c7c6c5c4c3c2c1c0", "lists are nested deeper than 16"),
    ],
)
def test_other_forms_are_refused(encoded, reason):
    data = bytes.fromhex(encoded)
    if reason is None:
        assert rlp.encode(rlp.decode(data)) == data
        return
    with pytest.raises(ChainError, match=f"^RLP: {reason}$"):
        rlp.decode(data)


@pytest.mark.parametrize("item", [b"\x80", b"\x01", b"\xc0", b"\xc1\x80"])
def test_more_values_than_there_can_be_are_refused(item):
    values = item.count(b"\xc1") + 1
    fits = rlp.MAX_VALUES // values - 1
    decoded = rlp.decode(rlp.encode([rlp.decode(item)] * fits))
    assert len(decoded) == fits
    with pytest.raises(ChainError, match=r"^RLP: more values than there can be$"):
        rlp.decode(rlp.encode([rlp.decode(item)] * (fits + 1)))


def test_fewer_values_may_be_allowed():
    assert rlp.decode_list(b"\xc1\x80", 2) == [b""]
    for decode in (rlp.decode, rlp.decode_list):
        with pytest.raises(ChainError, match=r"^RLP: more values than there can be$"):
            decode(b"\xc1\x80", 1)


def test_bytes_are_no_list():
    with pytest.raises(ChainError, match=r"^RLP: not a list$"):
        rlp.decode_list(b"\x83dog")


@pytest.mark.parametrize("number", [0, 1, 127, 128, 255, 256, 2**64 - 1])
def test_whole_numbers_go_both_ways(number):
    assert rlp.decode_int(rlp.encode_int(number), 2**64 - 1) == number


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ([], "not a whole number in its shortest form"),
        (b"\x00", "not a whole number in its shortest form"),
        (b"\x00\x01", "not a whole number in its shortest form"),
        (b"\x01\x00", "a number is larger than 255"),
    ],
)
def test_other_numbers_are_refused(item, reason):
    with pytest.raises(ChainError, match=f"^RLP: {reason}$"):
        rlp.decode_int(item, 255)
