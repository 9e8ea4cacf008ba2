"""DER is insisted on where a signature is over it."""

import pytest
from asn1crypto.algos import SignedDigestAlgorithm

from notary.errors import FormatError
from notary.evidence.timestamp_der import check_der, dump, load, retag


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65536])
def test_lengths_are_written_the_shortest_way(size):
    value = retag(0x04, bytes(size))
    check_der(value)
    assert int.from_bytes(value[2:-size], "big") == size if size > 127 else value[1] == size


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x04", "cut off"),
        (b"\x04\x02\x00", "cut off"),
        (b"\x04\x81\x01\x00", "not DER: a length"),
        (b"\x04\x82\x00\x80" + bytes(128), "not DER: a length"),
        (b"\x30\x80\x00\x00", "not DER: a length"),
        (b"\x04\xff", "cut off"),
        (b"\x24\x03\x04\x01\x01", "not DER"),
        (b"\x31\x06\x04\x01\x02\x04\x01\x01", "a SET that is not in order"),
        (b"\x30\x08\x31\x06\x04\x01\x02\x04\x01\x01", "a SET that is not in order"),
        (b"\x30\x03\x02\x01\x01\x05\x00", "bytes behind the value"),
        (b"\x30\x03\x01\x01\x01", "not a boolean"),
        (b"\x30\x04\x02\x02\x00\x01", "an integer that is not in its shortest form"),
        (b"\x30\x02\x0a\x00", "an empty integer"),
        (b"\x30\x04\x06\x02\x2a\x80", "not an object identifier in its shortest form"),
        (b"\x30\x04\x03\x02\x01\x01", "not a bit string"),
        (b"\x30\x03\x05\x01\x00", "null with contents"),
    ],
)
def test_what_is_not_der_is_refused(data, message):
    with pytest.raises(FormatError, match=message):
        check_der(data)


@pytest.mark.parametrize("size", [126, 127, 128, 382, 640])
def test_the_bytes_of_a_value_are_told_of_its_copy_too(size):
    """Whatever its length; a last byte of 80 makes the library encode it anew, and fail where it cannot read it."""
    data = retag(0x30, retag(0x30, b"x" * (size - 4)) + b"\x03\x00")
    value = load(SignedDigestAlgorithm, data)
    assert [dump(value), dump(value.copy()), dump(value)] == [data] * 3


def test_depth_is_bounded():
    nested = b""
    for _ in range(16):
        nested = retag(0x30, nested)
    check_der(nested)
    with pytest.raises(FormatError, match="nested more than 16 deep"):
        check_der(retag(0x30, retag(0x30, nested)))


def test_a_set_in_order_and_a_sequence_in_any_order_are_accepted():
    check_der(b"\x31\x06\x04\x01\x01\x04\x01\x02")
    check_der(b"\x30\x06\x04\x01\x02\x04\x01\x01")
