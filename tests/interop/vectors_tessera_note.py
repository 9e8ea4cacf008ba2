"""The checkpoints of another implementation's log: their signatures, with its published key."""

import pytest

from notary.errors import SignatureError
from notary.evidence.checkpoint import open_checkpoint, parse_checkpoint
from notary.evidence.note import Verifier, parse_note

# transparency-dev/tessera, testdata/log at 1811ae1.
VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
ORIGIN = "example.com/log/testdata"
SIZES = range(16)


@pytest.fixture(scope="module")
def checkpoints(vectors):
    return {size: (vectors / "tessera-log" / f"checkpoint.{size}").read_bytes() for size in SIZES}


def test_the_published_key_is_read():
    assert Verifier.from_vkey(VKEY).vkey == VKEY


@pytest.mark.parametrize("size", SIZES)
def test_every_historic_checkpoint_verifies(checkpoints, size):
    signed = open_checkpoint(checkpoints[size], ORIGIN, [Verifier.from_vkey(VKEY)])
    assert (signed.checkpoint.origin, signed.checkpoint.size) == (ORIGIN, size)
    assert signed.note == checkpoints[size]


@pytest.mark.parametrize("size", SIZES)
def test_every_historic_checkpoint_is_written_the_same(checkpoints, size):
    note = parse_note(checkpoints[size])
    assert note.encode() == checkpoints[size]
    assert parse_checkpoint(note.text).text() == note.text


def test_a_checkpoint_with_the_signature_of_another_is_refused(checkpoints):
    text, blank, _ = checkpoints[7].rpartition(b"\n\n")
    _, _, signature = checkpoints[8].rpartition(b"\n\n")
    with pytest.raises(SignatureError, match="does not fit the text"):
        open_checkpoint(text + blank + signature, ORIGIN, [Verifier.from_vkey(VKEY)])
