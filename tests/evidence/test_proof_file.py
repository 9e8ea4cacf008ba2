"""tlog-proof and receipts: one text form, read strictly."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.errors import FormatError
from notary.evidence.proof_file import (
    MAX_EXTRA,
    MAX_FILE,
    MAX_PATH,
    RECEIPT,
    TLOG_PROOF,
    ProofFile,
    parse_proof_file,
)

HASH = base64.b64encode(bytes(range(32))).decode()
NOTE = b"text\n\nsignature\n"
hashes = st.binary(min_size=32, max_size=32)


def proof(*lines, note=NOTE):
    return "\n".join([*lines, "", ""]).encode() + note


@given(
    st.integers(0, 2**63 - 1),
    st.lists(hashes, max_size=MAX_PATH).map(tuple),
    st.none() | st.binary(max_size=100),
    st.sampled_from([TLOG_PROOF, RECEIPT]),
)
def test_a_proof_is_read_as_it_was_written(index, path, extra, header):
    file = ProofFile(index, path, NOTE, extra)
    assert parse_proof_file(file.encode(header), header) == file


def test_the_example_of_the_specification_has_our_form():
    # C2SP tlog-proof, the first example; its checkpoint is cut short there and not looked into here.
    path = [
        "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=",
        "B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=",
        "EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=",
        "RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=",
        "AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=",
    ]
    data = proof("c2sp.org/tlog-proof@v1", "extra YWdl", "index 73894", *path)
    file = parse_proof_file(data, TLOG_PROOF)
    assert (file.index, len(file.path), file.extra, file.note) == (73894, 5, b"age", NOTE)
    assert file.encode(TLOG_PROOF) == data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a" * (MAX_FILE + 1), "larger than"),
        (b"", "no note after an empty line"),
        (proof(TLOG_PROOF, "index 0", note=b""), "no note after an empty line"),
        (b"\xff\n\nnote", "not UTF-8"),
        (proof(RECEIPT, "index 0"), "does not begin with"),
        (proof(TLOG_PROOF + " ", "index 0"), "does not begin with"),
        (proof(TLOG_PROOF + "\r", "index 0"), "does not begin with"),
        (b"\n" + proof(TLOG_PROOF, "index 0"), "does not begin with"),
        (proof(TLOG_PROOF), "no index line"),
        (proof(TLOG_PROOF, HASH), "no index line"),
        (proof(TLOG_PROOF, "Index 0"), "no index line"),
        (proof(TLOG_PROOF, "index 0", "extra QQ=="), "not base64|hash"),  # in the wrong place
        (proof(TLOG_PROOF, "extra QQ==", "extra QQ==", "index 0"), "no index line"),
        (proof(TLOG_PROOF, "index"), "no index line"),
        (proof(TLOG_PROOF, "index 00"), "not a decimal number"),
        (proof(TLOG_PROOF, "index -1"), "not a decimal number"),
        (proof(TLOG_PROOF, "index  1"), "not a decimal number"),
        (proof(TLOG_PROOF, f"index {2**63}"), "not a decimal number"),
        (proof(TLOG_PROOF, "index 0", HASH + " "), "not base64"),
        (proof(TLOG_PROOF, "index 0", HASH[:-1]), "not base64"),
        (proof(TLOG_PROOF, "index 0", "QQ=="), "not the base64 of 32 bytes"),
        (proof(TLOG_PROOF, "index 0", *[HASH] * (MAX_PATH + 1)), "longer than 63"),
        (proof(TLOG_PROOF, "extra Q", "index 0"), "extra line is not base64"),
        (proof(TLOG_PROOF, "extra é===", "index 0"), "extra line is not base64"),
        (proof(TLOG_PROOF, "extra QR==", "index 0"), "not standard base64"),
        (
            proof(TLOG_PROOF, "extra " + base64.b64encode(bytes(MAX_EXTRA + 1)).decode(), "index 0"),
            "extra line is too long",
        ),
    ],
)
def test_another_form_is_refused(data, message):
    with pytest.raises(FormatError, match=message):
        parse_proof_file(data, TLOG_PROOF)
