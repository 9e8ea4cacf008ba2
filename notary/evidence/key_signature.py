"""The log key's word on each `key` statement (docs/formats.md §2.5), so that a database alone names no key."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from notary.evidence.bodies import KeyChange
from notary.evidence.fields import show_moment
from notary.evidence.key_history import KeyHistory
from notary.evidence.note import Verifier


def sign_key_change(
    history: KeyHistory, change: KeyChange, time: datetime, until: datetime | None, key: Ed25519PrivateKey
) -> bytes:
    """64 bytes over a statement that follows those of `history`, by `key`, the one of `signer_of(history)`.

    Args:
        history: all statements before it, waiting ones included.
        change: what is said.
        time: of the statement.
        until: from when on others had a compromised key, where that is said.
        key: the log key in force.
    """
    return key.sign(_text(history, change, time, until))


def signer_of(history: KeyHistory) -> Verifier:
    """The log key that signs the next statement on keys: the newest, of a waiting statement too."""
    return Verifier.from_vkey(history.newest_log_key())


def signature_problems(history: KeyHistory) -> Iterator[str]:
    """One sentence for each statement that the log key in force before it did not sign."""
    for at, event in enumerate(history.events):
        before = replace(history, events=history.events[:at])
        text = _text(before, event.change, event.time, event.until)
        signer = signer_of(before)
        try:
            Ed25519PublicKey.from_public_bytes(signer.public).verify(event.signature or b"", text)
        except InvalidSignature:
            yield f"key statement {at + 1}, {event.change.action} {event.change.key}, is not signed by {signer.vkey}"


def _text(history: KeyHistory, change: KeyChange, time: datetime, until: datetime | None) -> bytes:
    # No note of this log begins with this line: an origin has no spaces.
    lines = (
        "notary key statement",
        history.origin,
        str(len(history.events) + 1),
        show_moment(time),
        change.role,
        change.action,
        change.key,
        "-" if change.size is None else str(change.size),
        "-" if until is None else show_moment(until),
    )
    return "".join(f"{line}\n" for line in lines).encode()
