"""Signed notes, their keys and key ids (C2SP signed-note v1.0.0), with Ed25519 signatures of type 0x01."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from notary.errors import FormatError, SignatureError

MAX_NOTE = 64 * 1024  # a checkpoint is 200 bytes; sixteen post-quantum cosignatures are 52 KiB
MAX_SIGNATURES = 64  # the specification asks for at least 16
ED25519 = b"\x01"
_DASH = "\u2014 "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line; `value` is what follows the 4 bytes of the key id."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """The line without its newline."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.value).decode()}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and one or more signature lines."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The bytes of the note, signature lines in their order."""
        return (self.text + "\n" + "".join(s.line() + "\n" for s in self.signatures)).encode()


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name; `public` is 32 bytes (Ed25519)."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """4 bytes: SHA-256(name, newline, type, key), cut."""
        return _key_id(self.name, ED25519 + self.public)

    @property
    def vkey(self) -> str:
        """`name+hex(key id)+base64(type, key)`."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def from_vkey(cls, text: Any) -> "Verifier":
        """Parse a vkey.

        Raises:
            FormatError: not a string of three parts, an unusable name, a key that is not Ed25519, or a key id that
                is not the key's.
        """
        name, key = split_vkey(text)
        if key[:1] != ED25519 or len(key) != 33:  # noqa: PLR2004 - type byte and 32 bytes
            raise FormatError("the vkey is not of an Ed25519 key (type 0x01)")
        return cls(name, key[1:])

    def made(self, signature: Signature) -> bool:
        """Whether name and key id of the line are this key's; says nothing of its validity."""
        return signature.name == self.name and signature.key_id == self.key_id

    def check(self, text: str, signature: Signature) -> None:
        """Verify one signature line over `text`.

        Raises:
            SignatureError: the signature is not this key's over this text.
        """
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature.value, text.encode())
        except InvalidSignature as error:
            raise SignatureError(f"the signature of {self.name} does not fit the text") from error


def split_vkey(text: Any) -> tuple[str, bytes]:
    """Name and key of a vkey of any type whose key id is made in the usual way; the type is the first byte.

    Raises:
        FormatError: not a string of three parts, an unusable name, or a key id that is not the key's.
    """
    if not isinstance(text, str):
        raise FormatError("a vkey is not a string")
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    _check_name(name)
    key = _base64(encoded, "the key of a vkey")
    if len(key) < 2 or key_id != _key_id(name, key).hex():  # noqa: PLR2004 - type and at least one byte
        raise FormatError("the key id in the vkey is not that of its key and name")
    return name, key


def sign_note(text: str, name: str, key: Ed25519PrivateKey) -> Note:
    """Sign `text`, which ends in a newline, as `name`.

    Raises:
        FormatError: the text or the name cannot stand in a note.
    """
    _check_name(name)
    _check_text(text)
    verifier = Verifier(name, key.public_key().public_bytes_raw())
    return Note(text, (Signature(name, verifier.key_id, key.sign(text.encode())),))


def parse_note(data: bytes) -> Note:
    """Split a note into text and signatures; verifies nothing.

    Raises:
        FormatError: larger than 64 KiB, not UTF-8, with control characters, without signatures, or with a
            malformed signature line.
    """
    if len(data) > MAX_NOTE:
        raise FormatError(f"a note of {len(data)} bytes is larger than {MAX_NOTE}")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError("a note is not UTF-8") from error
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise FormatError("a note has no signature lines after an empty line")
    text += "\n"
    _check_text(text)
    rows = lines[:-1].split("\n")
    if len(rows) > MAX_SIGNATURES:
        raise FormatError(f"a note with {len(rows)} signatures has more than {MAX_SIGNATURES}")
    return Note(text, tuple(_signature(row) for row in rows))


def open_note(data: bytes, verifiers: Sequence[Verifier]) -> tuple[Note, Verifier]:
    """Parse a note and verify it: unknown keys are ignored, a known key whose signature fails is an error.

    Returns:
        The note, and the first of `verifiers` that signed it.

    Raises:
        FormatError: as `parse_note`.
        SignatureError: a known key's signature does not fit, or no known key signed.
    """
    note = parse_note(data)
    signers = []
    for signature in note.signatures:
        for verifier in verifiers:
            if verifier.made(signature):
                verifier.check(note.text, signature)
                signers.append(verifier)
    if not signers:
        raise SignatureError("no key that is trusted for this has signed the note")
    return note, next(verifier for verifier in verifiers if verifier in signers)


def only_signature_of(note: Note, verifier: Verifier) -> bytes:
    """The note with that key's first signature line alone: the bytes that time stamps are taken over.

    Raises:
        SignatureError: the key has not signed the note.
    """
    for signature in note.signatures:
        if verifier.made(signature):
            return Note(note.text, (signature,)).encode()
    raise SignatureError(f"{verifier.name} has not signed the note")


def _key_id(name: str, key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + key).digest()[:4]


def _signature(row: str) -> Signature:
    name, _, encoded = row.removeprefix(_DASH).partition(" ")
    if not row.startswith(_DASH):
        raise FormatError("a signature line does not begin with an em dash and a space")
    _check_name(name)
    value = _base64(encoded, "a signature line")
    if len(value) < 5:  # noqa: PLR2004 - key id and at least one byte
        raise FormatError("a signature line is too short for a key id and a signature")
    return Signature(name, value[:4], value[4:])


def _check_name(name: str) -> None:
    if not name or len(name) > 255 or "+" in name or any(c.isspace() or ord(c) < 32 for c in name):  # noqa: PLR2004 - as said
        raise FormatError("a key name is 1 to 255 characters without spaces, controls or plus signs")


def _check_text(text: str) -> None:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise FormatError("the text of a note ends in a newline and has no other control characters")


def _base64(text: str, what: str) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError(f"{what} is not base64") from error
    if base64.b64encode(value).decode() != text:
        raise FormatError(f"{what} is not in the one standard base64 form")
    return value
