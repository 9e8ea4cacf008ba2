"""Signed notes: the C2SP example verifies; unknown signatures are ignored, known bad ones are not."""

import base64
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.errors import FormatError, SignatureError
from notary.evidence.note import (
    MAX_NOTE,
    MAX_SIGNATURES,
    Note,
    Signature,
    Verifier,
    only_signature_of,
    open_note,
    parse_note,
    sign_note,
    split_vkey,
)
from tests.evidence.build import ed25519

# C2SP signed-note v1.0.0, "Verifier keys", example.
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
NAME, KEY = "example.org/key", ed25519("note key")
VERIFIER = Verifier(NAME, KEY.public_key().public_bytes_raw())
NOTE = sign_note("first line\n\nsecond\n", NAME, KEY)
UNKNOWN = Signature("witness.example/w1", b"\x01\x02\x03\x04", bytes(72))


def test_the_example_of_the_specification_verifies():
    verifier = Verifier.from_vkey(EXAMPLE_KEY)
    note, signer = open_note(EXAMPLE, [verifier])
    assert note.text == "This is an example message.\n"
    assert signer == verifier
    assert verifier.vkey == EXAMPLE_KEY
    assert note.encode() == EXAMPLE
    with pytest.raises(SignatureError, match="does not fit the text"):
        open_note(EXAMPLE.replace(b"This", b"That"), [verifier])


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=60), st.integers(0, 3))
def test_a_note_is_read_as_it_was_signed(text, blanks):
    note = sign_note(text + "\n" * (blanks + 1), NAME, KEY)
    assert open_note(note.encode(), [VERIFIER]) == (note, VERIFIER)


def test_unknown_signatures_are_ignored_wherever_they_stand():
    lines = [UNKNOWN, replace(UNKNOWN, name=NAME), *NOTE.signatures, replace(UNKNOWN, key_id=VERIFIER.key_id)]
    note = Note(NOTE.text, tuple(lines))
    assert open_note(note.encode(), [VERIFIER])[0] == note
    assert only_signature_of(note, VERIFIER) == NOTE.encode()


@pytest.mark.parametrize("value", [bytes(64), b"\x00", bytes(65)])
@pytest.mark.parametrize("first", [True, False])
def test_a_known_key_with_a_bad_signature_is_refused_even_beside_a_good_one(value, first):
    bad = replace(NOTE.signatures[0], value=value)
    lines = (bad, *NOTE.signatures) if first else (*NOTE.signatures, bad)
    with pytest.raises(SignatureError, match=f"signature of {NAME} does not fit"):
        open_note(Note(NOTE.text, lines).encode(), [VERIFIER])


def test_a_bad_signature_of_a_second_known_key_is_refused():
    other = Verifier("example.org/other", ed25519("other").public_key().public_bytes_raw())
    bad = Signature(other.name, other.key_id, NOTE.signatures[0].value)
    note = Note(NOTE.text, (*NOTE.signatures, bad)).encode()
    with pytest.raises(SignatureError, match=r"example\.org/other does not fit"):
        open_note(note, [VERIFIER, other])
    open_note(note, [VERIFIER])  # whoever does not know the key ignores it


def test_a_note_that_no_known_key_signed_is_refused():
    with pytest.raises(SignatureError, match="no key that is trusted"):
        open_note(NOTE.encode(), [])
    with pytest.raises(SignatureError, match="no key that is trusted"):
        open_note(NOTE.encode(), [replace(VERIFIER, name="example.org/another")])
    with pytest.raises(SignatureError, match="has not signed the note"):
        only_signature_of(NOTE, replace(VERIFIER, name="example.org/another"))


def test_the_first_known_key_in_the_order_of_the_trust_file_is_the_signer():
    second = ed25519("second")
    other = Verifier(NAME, second.public_key().public_bytes_raw())
    note = Note(NOTE.text, NOTE.signatures + sign_note(NOTE.text, NAME, second).signatures)
    assert open_note(note.encode(), [other, VERIFIER])[1] == other
    assert open_note(note.encode(), [VERIFIER, other])[1] == VERIFIER


LINE = NOTE.signatures[0].line()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a" * (MAX_NOTE + 1), "larger than 65536"),
        (b"\xff\n\n" + LINE.encode() + b"\n", "not UTF-8"),
        (b"", "no signature lines"),
        (b"text\n", "no signature lines"),
        (f"text\n\n{LINE}".encode(), "no signature lines"),
        (f"text\n{LINE}\n".encode(), "no signature lines"),
        (f"te\txt\n\n{LINE}\n".encode(), "no other control characters"),
        (f"te\rxt\n\n{LINE}\n".encode(), "no other control characters"),
        (f"te\x7fxt\n\n{LINE}\n".encode(), "no other control characters"),
        (b"text\n\n\n", "no signature lines"),
        (f"text\n\n-{LINE[1:]}\n".encode(), "does not begin with an em dash"),
        (f"text\n\n {LINE}\n".encode(), "does not begin with an em dash"),
        (f"text\n\n{LINE}\nmore\n".encode(), "does not begin with an em dash"),
        (f"text\n\n{LINE} \n".encode(), "not base64"),
        (f"text\n\n{LINE}\r\n".encode(), "not base64"),
        ("text\n\n— name ä===\n".encode(), "not base64"),
        ("text\n\n— name AAAAAB==\n".encode(), "one standard base64 form"),  # bits behind the end
        ("text\n\n— name AAAA\n".encode(), "too short"),
        ("text\n\n— name\n".encode(), "too short"),
        ("text\n\n—  AAAAAAA=\n".encode(), "key name is"),
        ("text\n\n— a+b AAAAAAA=\n".encode(), "key name is"),
        ("text\n\n— a\u3000b AAAAAAA=\n".encode(), "key name is"),
        ("text\n\n— a\tb AAAAAAA=\n".encode(), "key name is"),
        (f"text\n\n— {'a' * 256} AAAAAAA=\n".encode(), "key name is"),
        (("text\n\n" + "— a AAAAAAA=\n" * (MAX_SIGNATURES + 1)).encode(), "more than 64"),
    ],
)
def test_another_form_is_refused(data, message):
    with pytest.raises(FormatError, match=message):
        parse_note(data)


def test_as_many_signatures_as_the_specification_asks_for_are_read():
    assert len(parse_note(("text\n\n" + "— a AAAAAAA=\n" * MAX_SIGNATURES).encode()).signatures) == 64
    large = Signature("post.quantum", b"abcd", bytes(3000))
    assert len(parse_note(Note("text\n", (large,) * 16).encode()).signatures) == 16


@pytest.mark.parametrize("text", ["", "no newline", "tab\there\n"])
def test_a_text_that_cannot_stand_in_a_note_is_not_signed(text):
    with pytest.raises(FormatError, match="ends in a newline"):
        sign_note(text, NAME, KEY)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_a_name_that_cannot_stand_in_a_note_does_not_sign(name):
    with pytest.raises(FormatError, match="key name is"):
        sign_note("text\n", name, KEY)


@pytest.mark.parametrize(
    ("vkey", "message"),
    [
        ("", "key name is"),
        ("name", "key id in the vkey"),
        (VERIFIER.vkey.replace(VERIFIER.key_id.hex(), "00000000"), "key id in the vkey"),
        (VERIFIER.vkey.replace(VERIFIER.key_id.hex(), VERIFIER.key_id.hex().upper()), "key id in the vkey"),
        (VERIFIER.vkey.replace("example", "examp1e"), "key id in the vkey"),
        (VERIFIER.vkey + "=", "not base64|one standard"),
        (VERIFIER.vkey[:-4], "key id in the vkey"),
        ("wit ness+00000000+AAAA", "key name is"),
    ],
)
def test_a_vkey_of_another_form_is_refused(vkey, message):
    with pytest.raises(FormatError, match=message):
        Verifier.from_vkey(vkey)


@pytest.mark.parametrize(
    "key", [b"\x04" + VERIFIER.public, b"\x01" + VERIFIER.public[:31], b"\x06" + bytes(1312)]
)
def test_a_vkey_of_another_type_is_read_but_verifies_no_note(key):
    key_id = sha256(NAME.encode() + b"\n" + key).hexdigest()[:8]
    vkey = f"{NAME}+{key_id}+{base64.b64encode(key).decode()}"
    assert split_vkey(vkey) == (NAME, key)
    with pytest.raises(FormatError, match="not of an Ed25519 key"):
        Verifier.from_vkey(vkey)
