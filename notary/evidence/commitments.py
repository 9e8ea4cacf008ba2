"""Salted commitments: what is not in clear, opened one by one (docs/formats.md §3).

A disclosure has the form of RFC 9901 §4.2.1: base64url of the JSON array [salt, name, value]. A statement
holds the count and the RFC 9162 root of their digests in ascending order, so that one can be opened with
its path alone and the others stay hidden.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from notary.errors import FormatError, ProofError
from notary.evidence import canonical
from notary.evidence.fields import exact_keys, hexadecimal, natural, text, version
from notary.merkle.hashing import hash_leaf
from notary.merkle.proof import all_inclusion_paths, check_inclusion
from notary.merkle.tree import root_of

NAMES = (
    "matter",
    "phase",
    "sequence",
    "actor",
    "holder",
    "source",
    "reference",
    "title",
    "metadata",
    "inspection",
    "detail",
)
MAX_DISCLOSURE = 128 * 1024
MAX_OPENINGS = 1024 * 1024
MAX_VALUES = 1024  # in the file; the limits of its openings allow for 640
MAX_COMMITMENTS = 64  # in one statement
SALT_SIZE = 16  # RFC 9901 §9.3 recommends at least 128 bits
_SALT_TEXT = 22  # characters of base64url
_LONGEST = 52  # characters, whose 39 bytes hold a salt and the longest name as `commit` writes them
_MADE = re.compile(rb'\["[A-Za-z0-9_-]{22}","([a-z]+)",')
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Commitments:
    """What a statement says of its commitments: how many, and their root (32 bytes)."""

    count: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Opening:
    """One disclosure and where it stands."""

    disclosure: str
    index: int
    path: tuple[bytes, ...]


def commit(fields: Mapping[str, Any], salt: Callable[[], bytes]) -> tuple[Commitments, tuple[Opening, ...]]:
    """Commit to named values.

    Args:
        fields: names of `NAMES` with JSON values.
        salt: gives 16 fresh random bytes at each call.

    Returns:
        What goes into the statement, and the openings to be kept apart from it.

    Raises:
        FormatError: an unknown name, or a value that has no place in canonical JSON or is too large.
    """
    disclosures = sorted((_disclosure(salt(), name, value) for name, value in fields.items()), key=_digest)
    leaves = [hash_leaf(_digest(disclosure)) for disclosure in disclosures]
    paths = list(all_inclusion_paths(leaves))
    openings = tuple(
        Opening(disclosure, index, tuple(path))
        for index, (disclosure, path) in enumerate(zip(disclosures, paths, strict=True))
    )
    return Commitments(len(leaves), root_of(leaves)), openings


def name_of(opening: Opening) -> str:
    """The name that a disclosure opens.

    Raises:
        FormatError: it is not a disclosure.
    """
    return _parse(opening.disclosure)[0]


def name_of_made(opening: Opening) -> str:
    """As `name_of`, for an opening that `commit` made: from its first characters, however long its value is."""
    start = opening.disclosure[:_LONGEST]
    made = _MADE.match(base64.urlsafe_b64decode(start + "=" * (-len(start) % 4)))
    return made[1].decode() if made else name_of(opening)


def check_openings(openings: tuple[Opening, ...], commitments: Commitments) -> dict[str, Any]:
    """The values opened, by name.

    Raises:
        FormatError: a disclosure is malformed, or two open the same name.
        ProofError: a disclosure is not among the commitments.
    """
    opened: dict[str, Any] = {}
    for opening in openings:
        name, value = _parse(opening.disclosure)
        leaf = hash_leaf(_digest(opening.disclosure))
        try:
            check_inclusion(leaf, opening.index, commitments.count, opening.path, commitments.root)
        except ProofError as error:
            raise ProofError(
                f"the opening of {name!r} is not committed to by the statement: {error}"
            ) from error
        if name in opened:
            raise FormatError(f"{name!r} is opened twice")
        opened[name] = value
    return opened


def encode_openings(openings: tuple[Opening, ...]) -> bytes:
    """The file `openings.json`, canonical.

    Raises:
        FormatError: it would be larger than 1 MiB, and nobody could read it.
    """
    data = canonical.dumps({"version": _VERSION, "openings": openings_json(openings)})
    if len(data) > MAX_OPENINGS:
        raise FormatError(f"openings of {len(data)} bytes are larger than {MAX_OPENINGS}")
    return data


def parse_openings(data: bytes) -> tuple[Opening, ...]:
    """Decode `openings.json`, at most 1 MiB.

    Raises:
        FormatError: not canonical or not of this form.
    """
    # Before parsing, which takes a second a megabyte where values are short. No string of this file has commas.
    if data.count(b",") >= MAX_VALUES:
        raise FormatError(f"openings have more than {MAX_VALUES} values")
    value = exact_keys(canonical.loads(data, MAX_OPENINGS), ("version", "openings"), "openings")
    version(value["version"], _VERSION, "openings")
    return read_openings(value["openings"])


def openings_json(openings: tuple[Opening, ...]) -> list[dict[str, Any]]:
    """The JSON value of openings."""
    return [
        {"disclosure": o.disclosure, "index": o.index, "path": [node.hex() for node in o.path]}
        for o in openings
    ]


def read_openings(value: Any) -> tuple[Opening, ...]:
    """The openings of such a value.

    Raises:
        FormatError: it is not of this form.
    """
    if not isinstance(value, list) or len(value) > MAX_COMMITMENTS:
        raise FormatError(f"openings is not a list of at most {MAX_COMMITMENTS}")
    return tuple(_opening(item) for item in value)


def _opening(value: Any) -> Opening:
    exact_keys(value, ("disclosure", "index", "path"), "opening")
    path = value["path"]
    if not isinstance(path, list) or len(path) > 6:  # noqa: PLR2004 - at most 64 commitments
        raise FormatError("the path of an opening is not a list of at most 6 hashes")
    return Opening(
        text(value["disclosure"], "disclosure", r"[A-Za-z0-9_-]+", MAX_DISCLOSURE),
        natural(value["index"], "index of an opening", 63),
        tuple(hexadecimal(node, "hash of an opening", 32) for node in path),
    )


def _disclosure(salt: bytes, name: str, value: Any) -> str:
    if name not in NAMES:
        raise FormatError(f"{name[:40]!r} is not the name of a commitment")
    if len(salt) != SALT_SIZE:
        raise FormatError(f"the salt of a commitment is {SALT_SIZE} bytes")
    array = [_b64(salt), name, value]
    canonical.check_free(array)  # refuses what has no place in evidence
    encoded = json.dumps(array, ensure_ascii=False, separators=(",", ":")).encode()
    disclosure = _b64(encoded)
    if len(disclosure) > MAX_DISCLOSURE:
        raise FormatError(f"the value of {name!r} is larger than a commitment may be")
    return disclosure


def _digest(disclosure: str) -> bytes:
    return sha256(disclosure.encode("ascii")).digest()


def _parse(disclosure: str) -> tuple[str, Any]:
    try:
        decoded = base64.urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4))
    except (binascii.Error, ValueError) as error:
        raise FormatError("a disclosure is not base64url") from error
    if _b64(decoded) != disclosure:  # the last character has bits that say nothing, and any reader may skip
        raise FormatError("a disclosure is not in the one spelling of base64url")
    value = canonical.loads_unordered(decoded, MAX_DISCLOSURE)
    if not isinstance(value, list) or len(value) != 3 or value[1] not in NAMES:  # noqa: PLR2004 - as said
        raise FormatError("a disclosure is an array of salt, name and value")
    text(value[0], "salt of a disclosure", f"[A-Za-z0-9_-]{{{_SALT_TEXT}}}", _SALT_TEXT)
    return value[1], value[2]


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
