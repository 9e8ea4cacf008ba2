"""Values of ASN.1 are parsed to their last byte, in one form only."""

import pytest

from notary.errors import FormatError
from notary.evidence.asn1 import MAX_DEPTH, SET, parse
from notary.evidence.asn1_form import (
    BITS,
    BOOLEAN,
    FALSE,
    INTEGER,
    NULL,
    OCTETS,
    OID,
    TIME,
    WHOLE_BITS,
    WHOLE_TIME,
    choice,
    dotted,
    explicit,
    implicit,
    optional,
    read_bits,
    sequence,
    sequence_of,
    set_of,
)


def tlv(tag, *contents):
    inside = b"".join(contents)
    return bytes([tag, len(inside)]) + inside


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a value is cut off"),
        (b"\x02", "a value is cut off"),
        (b"\x04\x82\x01", "a value is cut off"),
        (b"\x04\x85\0\0\0\0\x01\0", "a value is cut off"),
        (b"\x04\x80\0\0", "a value is cut off"),
        (b"\x30\x80\x05\x00", "a value is cut off"),
        (b"\x30\x03\x04\x02\x00", "a value is cut off"),
        # The end of what is inside reaches over the end of what it is in.
        (b"\x30\x80\x30\x03\x30\x80\0\0\0", "a value is cut off"),
        (b"\x05\x00\x00", "bytes behind the value"),
        (b"\x30\x02\x00\x00", "an end without a beginning"),
        (b"\x22\x00", "constructed where it may not be"),
        (b"\x10\x00", "constructed where it may not be"),
        (b"\x9f\x1e\x00", "a tag that is not in its shortest form"),
        (b"\x9f\x80\x20\x00", "a tag that is not in its shortest form"),
        (b"\x9f\x81\x81\x81\x01\x00", "a tag that is too long"),
    ],
)
def test_what_is_not_one_value_is_refused(data, message):
    with pytest.raises(FormatError, match=message):
        parse(data)


def test_a_value_has_its_bytes_its_contents_and_what_is_in_it():
    node = parse(b"\x30\x80\x05\x00\x9f\x81\x01\x01\x07\x00\x00")
    assert (node.raw, node.content) == (
        b"\x30\x80\x05\x00\x9f\x81\x01\x01\x07\x00\x00",
        b"\x05\x00\x9f\x81\x01\x01\x07",
    )
    assert [child.key for child in node.children] == [(0, 5), (2, 129)]
    assert not node.der
    assert parse(b"\x04\x81\x80" + bytes(128), der=True).der


@pytest.mark.parametrize(
    "data", [b"\x04\x81\x01\x00", b"\x24\x00", b"\x30\x80\x00\x00", b"\x30\x03\x04\x81\x00"]
)
def test_other_lengths_than_the_shortest_are_no_der(data):
    assert not parse(data).der
    with pytest.raises(FormatError, match="not DER"):
        parse(data, der=True)


def test_a_set_is_in_order_and_a_sequence_in_any():
    unsorted = tlv(4, b"\x02") + tlv(4, b"\x01")
    assert parse(tlv(0x30, unsorted)).der
    assert parse(tlv(0x31, tlv(4, b"\x01"), tlv(4, b"\x02"))).key == (0, SET)
    with pytest.raises(FormatError, match="a SET that is not in order"):
        parse(tlv(0x31, unsorted), der=True)


def test_depth_is_bounded():
    nested = b"\x05\x00"
    for _ in range(MAX_DEPTH):
        nested = tlv(0x30, nested)
    parse(nested)
    with pytest.raises(FormatError, match="nested too deeply"):
        parse(tlv(0x30, nested))


def one(value):
    return tlv(0x02, bytes([value]))


BOTH = sequence(INTEGER, optional(BOOLEAN, FALSE))
_PIECES = b"\x24\x03\x04\x01\x01"


@pytest.mark.parametrize(
    ("form", "data", "message"),
    [
        (BOTH, tlv(0x30), "an element is missing"),
        (BOTH, tlv(0x30, b"\x01\x01\xff"), "another type than may be here"),
        (BOTH, tlv(0x30, one(1), one(1)), "an element that does not belong"),
        (BOTH, tlv(0x30, one(1), FALSE), "a default value that is stated, which is not DER"),
        (BOTH, tlv(0x31, one(1)), "another type than may be here"),
        (sequence_of(INTEGER, least=1), tlv(0x30), "an empty list"),
        (set_of(INTEGER), tlv(0x31, b"\x05\x00"), "another type than may be here"),
        (explicit(0, INTEGER), tlv(0xA0), "an explicit tag without one value"),
        (explicit(0, INTEGER), tlv(0xA0, one(1), one(1)), "an explicit tag without one value"),
        (explicit(0, INTEGER), tlv(0x80, one(1)), "an explicit tag without one value"),
        (explicit(0, INTEGER), tlv(0xA1, one(1)), "another type than may be here"),
        (implicit(0, INTEGER), tlv(0x81, b"\x01"), "another type than may be here"),
        (implicit(0, OCTETS), tlv(0xA0, tlv(4, b"\x01")), "a string in pieces"),
        (implicit(0, sequence()), tlv(0x80), "a list that is not constructed"),
        (choice(INTEGER, NULL), b"\x01\x01\xff", "none of the types that may be here"),
        (OCTETS, _PIECES, "a string in pieces"),
        (INTEGER, b"\x02\x00", "an empty integer"),
        (INTEGER, b"\x02\x02\x00\x7f", "an integer that is not in its shortest form"),
        (INTEGER, b"\x02\x02\xff\x80", "an integer that is not in its shortest form"),
        (OID, b"\x06\x00", "not an object identifier in its shortest form"),
        (OID, b"\x06\x02\x2a\x86", "not an object identifier in its shortest form"),
        (OID, b"\x06\x03\x2a\x80\x01", "not an object identifier in its shortest form"),
        (OID, tlv(6, b"\x2a" * 65), "not an object identifier in its shortest form"),
        (BITS, b"\x03\x00", "not a bit string"),
        (BITS, b"\x03\x01\x01", "not a bit string"),
        (BITS, b"\x03\x02\x08\x00", "not a bit string"),
        (BITS, b"\x03\x02\x01\x01", "not a bit string"),
        (WHOLE_BITS, b"\x03\x02\x01\x02", "a bit string that is not of whole bytes"),
        (BOOLEAN, b"\x01\x01\x01", "not a boolean"),
        (BOOLEAN, b"\x01\x00", "not a boolean"),
        (NULL, b"\x05\x01\x00", "null with contents"),
        (TIME, tlv(23, b"2603011200Z"), "not a UTC time"),
        (TIME, tlv(23, b"260230120000Z"), "no such moment"),
        (WHOLE_TIME, tlv(24, b"20260301120000.5Z"), "not a UTC time of whole seconds"),
        (WHOLE_TIME, tlv(24, b"20260301120060Z"), "no such moment"),
        (WHOLE_TIME, tlv(24, b"00000301120000Z"), "no such moment"),
    ],
)
def test_what_is_not_of_a_form_is_refused(form, data, message):
    with pytest.raises(FormatError, match=message):
        form.check(parse(data))


@pytest.mark.parametrize(
    ("form", "data"),
    [
        (BOTH, tlv(0x30, one(1))),
        (BOTH, tlv(0x30, one(1), b"\x01\x01\xff")),
        (explicit(0, INTEGER), tlv(0xA0, one(1))),
        (implicit(0, INTEGER), tlv(0x80, b"\x01")),
        (choice(INTEGER, NULL), b"\x05\x00"),
        (INTEGER, b"\x02\x02\x00\x80"),
        (OID, b"\x06\x03\x2a\x81\x00"),
        (BITS, b"\x03\x01\x00"),
        (TIME, tlv(23, b"491231235959Z")),
        (TIME, tlv(23, b"500101000000Z")),
        (TIME, tlv(24, b"20500101000000Z")),
    ],
)
def test_what_is_of_a_form_is_accepted(form, data):
    form.check(parse(data))


def test_bits_are_numbered_from_the_left():
    assert read_bits(b"\x06\xc0") == {0, 1}
    assert read_bits(b"\x07\x00\x80") == {8}


def test_an_object_identifier_is_shown_with_dots():
    assert dotted(bytes.fromhex("2b0e03021a")) == "1.3.14.3.2.26"
