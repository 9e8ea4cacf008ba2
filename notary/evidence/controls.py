"""Negative controls: members in which one thing is wrong, and the check that each must fail (docs/formats.md §11.6).

Made of the package's own members, so the same package has the same controls.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from notary.errors import EvidenceError, FormatError
from notary.evidence import canonical
from notary.evidence.chain_file import decode_evidence, encode_evidence
from notary.evidence.commitments import encode_openings, parse_openings
from notary.evidence.consistency import encode_consistency, parse_consistency
from notary.evidence.fields import exact_keys, text, version
from notary.evidence.note import Note, parse_note
from notary.evidence.package_names import (
    DOCUMENT,
    EXPECTED,
    MAX_FILE,
    OPENINGS,
    STATEMENT,
    check_name,
    is_read,
)
from notary.evidence.proof_file import RECEIPT, TLOG_PROOF, parse_proof_file

FOLDER = "controls/"
MAX_EXPECTED = 64 * 1024
MAX_CONTROLS = 16  # each is a whole verification
_VERSION = 1
_NAME = "[a-z0-9][a-z0-9-]{0,63}"
_SALT = re.compile(rb'"salt":"(?=[0-9a-f]{64}")')
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class Control:
    """One thing made wrong."""

    name: str
    file: str  # the member under controls/ that holds it
    replaces: str  # the member that it is put in the place of
    check: str  # the id that must then fail


def control_members(
    files: Mapping[str, bytes], document: tuple[str, bytes] | None = None
) -> dict[str, bytes]:
    """The members under `controls/` for a package of these members; none where there is nothing to damage."""
    made: list[Control] = []
    members: dict[str, bytes] = {}
    for name, replaces, check, data in _damaged(files, document):
        place = FOLDER + name + _extension(replaces)
        made.append(Control(name, place, replaces, check))
        members[place] = data
    return members | {EXPECTED: encode_expected(made)} if made else {}


def encode_expected(controls: list[Control]) -> bytes:
    """The canonical bytes of `controls/expected.json`."""
    listed = [{"name": c.name, "file": c.file, "replaces": c.replaces, "check": c.check} for c in controls]
    return canonical.dumps({"version": _VERSION, "controls": listed})


def parse_expected(data: bytes, members: frozenset[str]) -> tuple[Control, ...]:
    """Decode the file, for a package of these member names.

    Raises:
        FormatError: not canonical or not of this form, or it names what is not in the package.
    """
    value = exact_keys(canonical.loads(data, MAX_EXPECTED), ("version", "controls"), "controls")
    version(value["version"], _VERSION, "controls")
    listed = value["controls"]
    if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_CONTROLS:
        raise FormatError(f"controls is not a list of 1 to {MAX_CONTROLS}")
    found = tuple(_control(item, members) for item in listed)
    if len({control.name for control in found}) != len(found):
        raise FormatError("two controls have one name")
    return found


def _control(item: Any, members: frozenset[str]) -> Control:
    exact_keys(item, ("name", "file", "replaces", "check"), "control")
    control = Control(
        text(item["name"], "name of a control", _NAME),
        text(item["file"], "file of a control", rf"{FOLDER}.{{1,64}}"),
        text(item["replaces"], "member that a control replaces", ".{1,255}"),
        text(item["check"], "check of a control", r"[1-9]\.[1-9][0-9]?", 4),
    )
    check_name(control.file)
    check_name(control.replaces)
    if control.file not in members or control.file == EXPECTED:
        raise FormatError(f"the control {control.name} has no file in the package")
    if control.replaces not in members or not is_read(control.replaces):
        raise FormatError(f"the control {control.name} replaces nothing that it may replace")
    return control


def _damaged(
    files: Mapping[str, bytes], document: tuple[str, bytes] | None
) -> Iterator[tuple[str, str, str, bytes]]:
    """Name, member, check and damaged bytes of each control that these members allow."""
    if document is not None and 0 < len(document[1]) <= MAX_FILE:
        yield "document-one-bit", DOCUMENT + document[0], "2.3", _flip(document[1], len(document[1]) // 2)
    for name, pattern, check, damage in _DAMAGES:
        member = _first(files, pattern)
        if member is None:
            continue
        try:
            # A token and a file of calendars lie in folders beside the checkpoint.
            folder = member.rpartition("/")[0].rpartition("/")[0]
            data = damage(files[member], files.get(f"{folder}/checkpoint", b""))
        except (
            EvidenceError,
            ValueError,
            IndexError,
        ):  # of a member that is no such file no control can be made
            continue
        yield name, member, check, data


def _first(files: Mapping[str, bytes], pattern: str) -> str | None:
    """The member of the smallest head of those whose name is of this form."""
    found = [name for name in files if re.fullmatch(pattern, name)]
    return min(
        found,
        key=lambda name: (int("0" + "".join(name.split("/")[1:2])) if "heads/" in name else 0, name),
        default=None,
    )


def _extension(name: str) -> str:
    found = _EXTENSION.fullmatch(name[name.rfind(".") :])
    return found[0].lower() if found else ""


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _last_bit(data: bytes, _checkpoint: bytes) -> bytes:
    return _flip(data, len(data) - 1)


def _salt(data: bytes, _checkpoint: bytes) -> bytes:
    """Another salt, so that it is still a statement: one bit of its first digit that leaves it a digit."""
    found = _SALT.search(data)
    if found is None:
        raise FormatError("the statement has no salt")
    digit = data[found.end()]
    other = digit ^ (2 if digit in b"af" else 1)
    return data[: found.end()] + bytes([other]) + data[found.end() + 1 :]


def _disclosure(data: bytes, _checkpoint: bytes) -> bytes:
    first, *rest = parse_openings(data)
    other = "A" if first.disclosure[5] != "A" else "B"
    changed = replace(first, disclosure=first.disclosure[:5] + other + first.disclosure[6:])
    return encode_openings((changed, *rest))


def _sibling(data: bytes, _checkpoint: bytes) -> bytes:
    file = parse_proof_file(data, TLOG_PROOF)
    return replace(file, path=(_flip(file.path[0], 0), *file.path[1:])).encode(TLOG_PROOF)


def _signature(header: str) -> Callable[[bytes, bytes], bytes]:
    def damage(data: bytes, _checkpoint: bytes) -> bytes:
        file = parse_proof_file(data, header)
        note = parse_note(file.note)
        damaged = tuple(replace(each, value=_flip(each.value, 0)) for each in note.signatures)
        return replace(file, note=Note(note.text, damaged).encode()).encode(header)

    return damage


def _consistency(data: bytes, _checkpoint: bytes) -> bytes:
    first, *rest = parse_consistency(data)
    return encode_consistency((replace(first, path=(_flip(first.path[0], 0), *first.path[1:])), *rest))


def _imprint(data: bytes, checkpoint: bytes) -> bytes:
    """The digest that the authority stamped, where it is one of SHA-256; else the middle of the token."""
    at = data.find(sha256(checkpoint).digest())
    return _flip(data, at if at >= 0 else len(data) // 2)


def _digest_of_ots(data: bytes, checkpoint: bytes) -> bytes:
    return _flip(data, data.index(sha256(checkpoint).digest()))


def _receipt_proof(data: bytes, _checkpoint: bytes) -> bytes:
    evidence = decode_evidence(data)
    *nodes, last = evidence.receipt_proof
    return encode_evidence(replace(evidence, receipt_proof=(*nodes, _flip(last, len(last) - 1))))


_DAMAGES: tuple[tuple[str, str, str, Callable[[bytes, bytes], bytes]], ...] = (
    ("statement-one-bit", re.escape(STATEMENT), "3.2", _salt),
    ("opening-changed", re.escape(OPENINGS), "2.4", _disclosure),
    ("checkpoint-signature", r"heads/\d+/inclusion\.tlog-proof", "3.1", _signature(TLOG_PROOF)),
    ("wrong-sibling", r"heads/\d+/inclusion\.tlog-proof", "3.2", _sibling),
    ("consistency-wrong-hash", r"consistency\.json", "3.3", _consistency),
    ("receipt-signature", r"receipt\.txt", "4.1", _signature(RECEIPT)),
    ("token-imprint", r"heads/\d+/tokens/.*", "5.1", _imprint),
    ("revocation-one-bit", r"heads/\d+/revocation/.*\.crl", "5.2", _last_bit),
    ("ots-digest", r"heads/\d+/ots/.*", "5.3", _digest_of_ots),
    ("header-one-bit", r"heads/\d+/header\.rlp", "6.1", _last_bit),
    ("receipt-proof-one-bit", r"heads/\d+/anchor\.json", "6.3", _receipt_proof),
)
