"""Checkpoints: three lines under the log's signature."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.errors import FormatError, SignatureError
from notary.evidence.checkpoint import (
    MAX_SIZE,
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    parse_decimal,
    parse_hash,
    sign_checkpoint,
)
from notary.evidence.note import Note, Signature, Verifier, sign_note
from tests.evidence.build import ed25519

ORIGIN, KEY = "log.example.org", ed25519("checkpoint key")
VERIFIER = Verifier(ORIGIN, KEY.public_key().public_bytes_raw())
POINT = Checkpoint(ORIGIN, 9, bytes(range(32)))
HASH = base64.b64encode(POINT.root).decode()


@given(st.integers(0, MAX_SIZE), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_is_read_as_it_was_signed(size, root):
    point = Checkpoint(ORIGIN, size, root)
    signed = open_checkpoint(sign_checkpoint(point, KEY).encode(), ORIGIN, [VERIFIER])
    assert (signed.checkpoint, signed.verifier) == (point, VERIFIER)


def test_only_the_line_of_the_log_is_kept():
    note = sign_checkpoint(POINT, KEY)
    witness = Signature("witness.example", b"abcd", bytes(72))
    cosigned = Note(note.text, (witness, *note.signatures, witness)).encode()
    assert open_checkpoint(cosigned, ORIGIN, [VERIFIER]).note == note.encode()


def test_the_checkpoint_of_another_log_is_refused():
    data = sign_note(Checkpoint("other.example", 9, POINT.root).text(), ORIGIN, KEY).encode()
    with pytest.raises(
        SignatureError, match=r"^the checkpoint is of log 'other\.example', not of 'log\.example\.org'$"
    ):
        open_checkpoint(data, ORIGIN, [VERIFIER])


def test_a_size_that_was_changed_does_not_fit_the_signature():
    data = sign_checkpoint(POINT, KEY).encode()
    with pytest.raises(SignatureError, match="does not fit"):
        open_checkpoint(data.replace(b"\n9\n", b"\n8\n"), ORIGIN, [VERIFIER])


@pytest.mark.parametrize(
    "text",
    [
        "", "a\n1\n", f"a\n1\n{HASH}", f"a\n1\n{HASH}\nextension\n", f"\n1\n{HASH}\n", f"a\n1\n\n{HASH}\n",
        f"a\n1\n{HASH}\n\n",
    ],
)  # fmt: skip
def test_other_than_three_lines_are_refused(text):
    with pytest.raises(FormatError, match=r"^a checkpoint is three lines: origin, size, root$"):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "text", ["", "01", "-1", "+1", "1.0", "0x1", " 1", "1_0", "٣", f"{2**63}", "9" * 19, "9" * 5000]
)
def test_a_size_of_another_form_is_refused(text):
    assert (parse_decimal("0"), parse_decimal(str(MAX_SIZE))) == (0, MAX_SIZE)
    with pytest.raises(
        FormatError, match=rf"^{re.escape(repr(text[:24]))} is not a decimal number below 2\*\*63$"
    ):
        parse_decimal(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not the base64 of 32 bytes"),
        (HASH[:-4], "not the base64 of 32 bytes|not base64"),
        (HASH + "AAAA", "not base64|not the base64 of 32 bytes"),
        (HASH[:-2] + "9=", "not the base64 of 32 bytes"),  # bits behind the end
        (HASH[:-1], "not base64"),
        (HASH + "\n", "not base64"),
        ("_" + HASH[1:], "not base64"),
        ("é" + HASH[1:], "not base64"),
    ],
)
def test_a_hash_of_another_form_is_refused(text, message):
    assert parse_hash(HASH) == POINT.root
    with pytest.raises(FormatError, match=f"^a hash is ({message})$"):
        parse_hash(text)
