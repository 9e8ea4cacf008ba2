"""The trust statement: a trust file without blocks that the log signs, numbers and links (docs/formats.md §8.1).

Whoever has the newest version's fingerprint from elsewhere reaches every version before it by digests. From an older
one the newer ones are reached by signatures alone, and rest on keys that may be in wrong hands since.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import pairwise

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.errors import FormatError, SignatureError, TrustError
from notary.evidence.checkpoint import parse_decimal
from notary.evidence.fields import hexadecimal, moment, show_moment
from notary.evidence.note import Note, Verifier, open_note, parse_note, sign_note
from notary.evidence.trust import Trust, TrustedKey, parse_trust

_HEADER = "notary trust statement v1"
_LINES = 6  # header, origin, version, date, previous, and the empty line that ends them
MAX_VERSIONS = 1000


@dataclass(frozen=True, slots=True)
class TrustStatement:
    """One version. `previous` is the fingerprint of the version before, None for the first; `toml` the trust file."""

    origin: str
    version: int
    date: datetime
    previous: bytes | None
    toml: str
    trust: Trust
    note: bytes

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 of the file, 32 bytes."""
        return sha256(self.note).digest()

    def successors(self) -> tuple[Verifier, ...]:
        """One of whom must sign the next version: the log keys that have no end in this one, the newest first."""
        return tuple(key.verifier for key in reversed(self.trust.log_keys) if key.until is None)


def sign_trust_statement(
    toml: str,
    origin: str,
    version: int,
    date: datetime,
    previous: bytes | None,
    keys: Sequence[Ed25519PrivateKey],
) -> bytes:
    """The file of one version, signed by each of `keys` as the log; what was signed is read back strictly.

    Raises:
        FormatError, TrustError: the trust file is not one, has blocks, or is too large for a note.
        SignatureError: the newest log key of the trust file is not among `keys`.
    """
    lines = [
        _HEADER,
        origin,
        f"version {version}",
        f"date {show_moment(date)}",
        f"previous {'none' if previous is None else previous.hex()}",
        "",
        toml,
    ]
    notes = [sign_note("\n".join(lines), origin, key) for key in keys]
    data = Note(notes[0].text, tuple(note.signatures[0] for note in notes)).encode()
    parse_trust_statement(data)
    return data


def parse_trust_statement(data: bytes) -> TrustStatement:
    """Read one version and check that its own newest log key signed it. That says nothing of whether to believe it.

    Raises:
        FormatError: not a note of this form.
        TrustError: what it holds is not a trust file of its origin, or has blocks, or its newest log key has ended.
        SignatureError: its newest log key did not sign it, or another log key's signature does not fit.
    """
    text = parse_note(data).text
    lines = text.split("\n", _LINES)
    if len(lines) != _LINES + 1 or lines[0] != _HEADER or lines[5]:
        raise FormatError(
            f"a trust statement is five lines under {_HEADER!r}, an empty line and a trust file"
        )
    version, date, previous = (
        _field(lines[at], name) for at, name in ((2, "version"), (3, "date"), (4, "previous"))
    )
    trust = parse_trust(lines[6].encode())
    if trust.origin != lines[1]:
        raise TrustError(f"the trust statement of {lines[1]!r} holds the trust file of {trust.origin!r}")
    if trust.bitcoin_blocks or any(chain.blocks for chain in trust.chains):
        raise TrustError("a trust statement names no blocks: a verifier finds those himself")
    newest: TrustedKey = trust.log_keys[-1]
    if newest.until is not None:
        raise TrustError("the newest log key of the trust statement has ended")
    number = parse_decimal(version)
    before = None if previous == "none" else hexadecimal(previous, "previous", 32)
    if not 0 < number <= MAX_VERSIONS or (number == 1) != (before is None):
        raise FormatError(f"version {version} of a trust statement follows {previous}")
    open_note(data, [newest.verifier])  # unsigned by it is refused
    open_note(data, [key.verifier for key in trust.log_keys])  # and so is a wrong line of any log key
    return TrustStatement(lines[1], number, moment(date, "date"), before, lines[6], trust, data)


def check_succession(old: TrustStatement, new: TrustStatement) -> None:
    """Check that `new` is the version after `old`, by the word of a key that `old` names.

    Raises:
        FormatError: another log, number, date or digest.
        SignatureError: no log key that has no end in `old` signed `new`.
    """
    if (new.origin, new.version, new.previous) != (old.origin, old.version + 1, old.fingerprint):
        raise FormatError(
            f"version {new.version} of the trust statement does not follow version {old.version}"
        )
    if new.date < old.date:
        raise FormatError(f"version {new.version} of the trust statement is dated before the one it follows")
    try:
        open_note(new.note, old.successors())
    except SignatureError as error:
        raise SignatureError(
            f"version {new.version} of the trust statement is signed by no log key of version {old.version}"
        ) from error


@dataclass(frozen=True, slots=True)
class CheckedVersions:
    """Versions that follow one another. `pinned` is the one whose fingerprint was known, `newest` the last.

    Where they differ, what lies between rests on `heirs` alone: log keys without an end in `pinned` that signed the
    version after it. Whoever has such a key, retired since or stolen, can sign other versions as well as the log.
    """

    pinned: TrustStatement
    newest: TrustStatement
    heirs: tuple[Verifier, ...] = ()

    @property
    def compared(self) -> bool:
        """Whether the fingerprint that was known is that of the newest version."""
        return self.pinned == self.newest


def check_versions(files: Sequence[bytes], fingerprint: bytes) -> CheckedVersions:
    """Check all versions, the first one first, and that one of them has the fingerprint.

    Raises:
        EvidenceError, TrustError: one is malformed or does not follow, or none has the fingerprint.
    """
    found = [parse_trust_statement(data) for data in files]
    if not found or found[0].version != 1:
        raise FormatError("the versions of a trust statement do not begin with the first")
    for old, new in pairwise(found):
        check_succession(old, new)
    pinned = next((each for each in found if each.fingerprint == fingerprint), None)
    if pinned is None:
        raise SignatureError(
            f"no version of the trust statement has the fingerprint {fingerprint.hex()}; "
            f"the newest has {found[-1].fingerprint.hex()}"
        )
    following = found[pinned.version : pinned.version + 1]
    heirs = tuple(key for new in following for key in pinned.successors() if _signed(new, key))
    return CheckedVersions(pinned, found[-1], heirs)


def _signed(statement: TrustStatement, key: Verifier) -> bool:
    try:
        open_note(statement.note, [key])
    except SignatureError:
        return False
    return True


def _field(line: str, name: str) -> str:
    if not line.startswith(name + " "):
        raise FormatError(f"a trust statement has no line {name!r} where it must be")
    return line[len(name) + 1 :]
