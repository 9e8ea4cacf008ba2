"""DER is insisted on where a signature is over it."""

import pytest

from notary.errors import FormatError
from notary.evidence.timestamp_der import check_der, retag


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65536])
def test_lengths_are_written_the_shortest_way(size):
    value = retag(0x04, bytes(size))
    check_der(value)
    assert int.from_bytes(value[2:-size], "big") == size if size > 127 else value[1] == size


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x04", "cut off"),
        (b"\x04\x02\x00", "length is not in its shortest form or runs past the end"),
        (b"\x04\x81\x01\x00", "length is not"),
        (b"\x04\x82\x00\x80" + bytes(128), "length is not"),
        (b"\x30\x80\x00\x00", "length is not"),
        (b"\x04\xff", "length is not"),
        (b"\x1f\x20\x00", "tag of more than one byte"),
        (b"\x31\x06\x04\x01\x02\x04\x01\x01", "a SET is not in order"),
        (b"\x30\x08\x31\x06\x04\x01\x02\x04\x01\x01", "a SET is not in order"),
    ],
)
def test_what_is_not_der_is_refused(data, message):
    with pytest.raises(FormatError, match=message):
        check_der(data)


def test_depth_is_bounded():
    nested = b""
    for _ in range(16):
        nested = retag(0x30, nested)
    check_der(nested)
    with pytest.raises(FormatError, match="nested too deeply"):
        check_der(retag(0x30, retag(0x30, nested)))


def test_a_set_in_order_and_a_sequence_in_any_order_are_accepted():
    check_der(b"\x31\x06\x04\x01\x01\x04\x01\x02")
    check_der(b"\x30\x06\x04\x01\x02\x04\x01\x01")
