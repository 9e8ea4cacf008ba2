"""The reader of .ots files, beside the reference library."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentimestamps.core.notary import (
    BitcoinBlockHeaderAttestation,
    LitecoinBlockHeaderAttestation,
    PendingAttestation,
    UnknownAttestation,
)
from opentimestamps.core.op import OpAppend, OpPrepend, OpRIPEMD160, OpSHA1, OpSHA256
from opentimestamps.core.serialize import BytesDeserializationContext, DeserializationError
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp

from notary.errors import FormatError
from notary.evidence import ots_file
from notary.evidence.ots_file import InBlock, Pending, Unknown, heights_of, parse_answer, parse_ots
from tests.ots_world import file_of, serialized

DIGEST = sha256(b"a note").digest()
URI = "https://calendar.example"
START = ots_file.MAGIC + b"\x01\x08" + DIGEST
PENDING = bytes.fromhex("83dfe30d2ef90c8e")
BITCOIN = bytes.fromhex("0588960d73d71901")
UNKNOWN = b"\x00" + b"\x11" * 8 + b"\x00"  # an attestation without payload


def library(data):
    return DetachedTimestampFile.deserialize(BytesDeserializationContext(data))


def as_ours(message, item):
    if isinstance(item, PendingAttestation):
        return Pending(message, item.uri)
    if isinstance(item, BitcoinBlockHeaderAttestation):
        return InBlock(message, item.height)
    return Unknown(item.TAG.hex())


operations = st.one_of(
    st.builds(OpAppend, st.binary(min_size=1, max_size=40)),
    st.builds(OpPrepend, st.binary(min_size=1, max_size=40)),
    st.sampled_from([OpSHA256(), OpRIPEMD160()]),
)
attestations = st.one_of(
    st.builds(PendingAttestation, st.text("abc-./:09", min_size=1, max_size=30)),
    st.builds(LitecoinBlockHeaderAttestation, st.integers(0, 2**40)),
    st.builds(UnknownAttestation, st.just(b"\x11" * 8), st.binary(max_size=20)),
)


@st.composite
def trees(draw, message=DIGEST, depth=4):
    stamp = Timestamp(message)
    for item in draw(st.lists(attestations, max_size=2)):
        stamp.attestations.add(item)
    if len(message) == 32 and draw(st.booleans()):
        stamp.attestations.add(BitcoinBlockHeaderAttestation(draw(st.integers(0, 2**31 - 1))))
    for operation in draw(st.lists(operations, max_size=2)) if depth else []:
        stamp.ops[operation] = draw(trees(operation(message), depth - 1))
    if not stamp.attestations and not stamp.ops:
        stamp.attestations.add(draw(attestations))
    return stamp


@given(trees())
def test_what_the_library_writes_is_read_as_it_was_meant(stamp):
    found = parse_ots(file_of(stamp), DIGEST)
    assert set(found) == {as_ours(message, item) for message, item in stamp.all_attestations()}
    assert heights_of(file_of(stamp)) == {item.height for item in found if isinstance(item, InBlock)}
    assert parse_ots(file_of(stamp), DIGEST) == _tree(serialized(stamp))


def _tree(data):
    return ots_file._tree(ots_file._Source(data), DIGEST, 10**6, 10**6)


@given(trees(), st.data())
def test_a_changed_byte_is_read_as_the_library_reads_it_or_refused(stamp, data):
    changed = bytearray(file_of(stamp))
    at = data.draw(st.integers(0, len(changed) - 1))
    changed[at] ^= data.draw(st.integers(1, 255))
    try:
        found = parse_ots(bytes(changed), DIGEST)
    except FormatError:
        return
    try:
        theirs = library(bytes(changed)).timestamp
    except DeserializationError:  # of a kind that it knows and we do not
        assert any(isinstance(item, Unknown) for item in found)
        return
    known = {item for item in found if not isinstance(item, Unknown)}
    assert known >= {
        as_ours(message, item)
        for message, item in theirs.all_attestations()
        if isinstance(item, PendingAttestation | BitcoinBlockHeaderAttestation)
    }


@given(trees(), st.data())
def test_a_file_that_is_cut_off_or_goes_on_is_refused(stamp, data):
    whole = file_of(stamp)
    with pytest.raises(FormatError, match="the OpenTimestamps file ends within"):
        parse_ots(whole[: data.draw(st.integers(0, len(whole) - 1))], DIGEST)
    with pytest.raises(FormatError, match="bytes are left over behind"):
        parse_ots(whole + b"\x00", DIGEST)


def pending(uri):
    return b"\x00" + PENDING + bytes([len(uri) + 1, len(uri)]) + uri


def forks(count, tail=UNKNOWN):
    return b"".join(b"\xff" + tail for _ in range(count - 1)) + tail


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bytes(ots_file.MAX_FILE + 1), "has at most 262144 bytes"),
        (b"\x01" + START[1:], "not an OpenTimestamps file"),
        (b"", "ends within the header"),
        (ots_file.MAGIC + b"\x02\x08" + DIGEST + UNKNOWN, "the version of the OpenTimestamps file is not 1"),
        (ots_file.MAGIC + b"\x01\x02" + DIGEST[:20] + UNKNOWN, "not over a SHA-256 digest"),
        (ots_file.MAGIC + b"\x01\x08" + bytes(32) + UNKNOWN, "over another digest"),
        (START, "ends within the tree"),
        (START + UNKNOWN + b"\x00", "bytes are left over behind the OpenTimestamps file"),
        (START + b"\x02" + UNKNOWN, "operation 0x02 of the OpenTimestamps file is not one that we know"),
        (START + b"\x67" + UNKNOWN, "operation 0x67"),
        (START + b"\xf2" + UNKNOWN, "operation 0xf2"),
        (START + b"\xff\xff" + UNKNOWN, "operation 0xff"),
        (START + b"\xf0\x00" + UNKNOWN, "an operand is empty"),
        (START + b"\xf0\x81\x20" + bytes(4097) + UNKNOWN, "an operand has more than 4096 bytes"),
        (START + b"\xf1\x80\x20" + bytes(4096) + UNKNOWN, "a message has more than 4096 bytes"),
        (START + b"\xf0\x81\x00x" + UNKNOWN, "is not a number in its shortest form, or too large"),
        (
            START + b"\xf0\xff\xff\xff\xff\xff\x01" + UNKNOWN,
            "is not a number in its shortest form, or too large",
        ),
        (START + b"\x08" * 257 + UNKNOWN, "more than 256 operations in a row"),
        (START + forks(65), "more than 64 attestations"),
        (START + b"\x00" + BITCOIN[:5], "ends within the tag of an attestation"),
        (
            START + b"\x00" + b"\x11" * 8 + b"\x81\x40" + bytes(8193),
            "an attestation has more than 8192 bytes",
        ),
        (START + pending(b""), "the address of a calendar is empty, or has characters"),
        (START + pending(b"https://a.example/?q"), "the address of a calendar is empty, or has characters"),
        (START + b"\x00" + PENDING + b"\x04\x01abc", "^bytes are left over in an attestation$"),
        (
            START + b"\x00" + PENDING + b"\xeb\x07\xe9\x07" + b"a" * 1001,
            "the address of a calendar has more than 1000 bytes",
        ),
        (START + b"\x00" + BITCOIN + b"\x02\x01\x00", "^bytes are left over in an attestation$"),
        (START + b"\x00" + BITCOIN + b"\x05\x80\x80\x80\x80\x08", "^the height of a block is too large$"),
        (
            START + b"\xf0\x01x\x00" + BITCOIN + b"\x01\x01",
            "^what is said to be a Merkle root has not 32 bytes$",
        ),
    ],
)
def test_what_is_not_such_a_file_is_refused_with_a_reason(data, reason):
    with pytest.raises(FormatError, match=reason):
        parse_ots(data, DIGEST)


def test_the_limits_are_reached_and_not_passed():
    assert len(parse_ots(START + b"\x08" * 256 + UNKNOWN, DIGEST)) == 1
    assert len(parse_ots(START + forks(64), DIGEST)) == 64
    wide = b"".join(b"\xff" + b"\x08" * 255 + UNKNOWN for _ in range(8)) + b"\x08" * 8 + UNKNOWN
    assert len(parse_ots(START + wide, DIGEST)) == 9
    with pytest.raises(FormatError, match="too many operations in an OpenTimestamps file"):
        parse_ots(START + wide[:-10] + b"\x08" + UNKNOWN, DIGEST)


def test_an_answer_has_limits_of_its_own():
    assert parse_answer(b"\x08" * 120 + UNKNOWN, DIGEST) == (Unknown("11" * 8),)
    for data, reason in (
        (b"\x08" * 121 + UNKNOWN, "too many operations"),
        (forks(5), "more than 4 attestations"),
        (bytes(10_001), "an answer of a calendar has at most 10000 bytes"),
    ):
        with pytest.raises(FormatError, match=reason):
            parse_answer(data, DIGEST)


def test_the_answers_of_eight_calendars_asked_twice_fit_into_one_file():
    operations = 8 * 2 * (1 + ots_file.MAX_ANSWER_OPERATIONS)
    assert operations <= ots_file.MAX_OPERATIONS
    assert 2 + 2 * ots_file.MAX_ANSWER_OPERATIONS <= ots_file.MAX_DEPTH
    assert 8 * 2 * ots_file.MAX_ANSWER_ATTESTATIONS <= ots_file.MAX_ATTESTATIONS
    assert 8 * 2 * ots_file.MAX_ANSWER + 100 <= ots_file.MAX_FILE


def test_sha1_is_no_operation_of_ours_though_the_library_knows_it():
    stamp = Timestamp(DIGEST)
    stamp.ops.add(OpSHA1()).attestations.add(PendingAttestation(URI))
    assert library(file_of(stamp)).timestamp == stamp
    with pytest.raises(FormatError, match="operation 0x02"):
        parse_ots(file_of(stamp), DIGEST)
