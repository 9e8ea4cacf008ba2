"""The file `consistency.json`: proofs that a later head extends an earlier one (docs/formats.md §11.3)."""

from dataclasses import dataclass
from typing import Any

from notary.errors import FormatError
from notary.evidence import canonical
from notary.evidence.checkpoint import MAX_SIZE
from notary.evidence.fields import exact_keys, hexadecimal, text, version

MAX_FILE = 256 * 1024
MAX_PATH = 63
MAX_PROOFS = 64
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Consistency:
    """A proof from the tree of `old` entries to that of `new`, which is larger (RFC 9162 §2.1.4)."""

    old: int
    new: int
    path: tuple[bytes, ...]


def encode_consistency(proofs: tuple[Consistency, ...]) -> bytes:
    """The canonical bytes of the file; sizes are decimal strings, since they may pass 2**53."""
    return canonical.dumps(
        {
            "version": _VERSION,
            "proofs": [
                {"old": str(p.old), "new": str(p.new), "path": [node.hex() for node in p.path]}
                for p in proofs
            ],
        }
    )


def parse_consistency(data: bytes) -> tuple[Consistency, ...]:
    """Decode the file.

    Raises:
        FormatError: not canonical or not of this form.
    """
    value = exact_keys(canonical.loads(data, MAX_FILE), ("version", "proofs"), "consistency proofs")
    version(value["version"], _VERSION, "consistency proofs")
    proofs = value["proofs"]
    if not isinstance(proofs, list) or not 1 <= len(proofs) <= MAX_PROOFS:
        raise FormatError(f"proofs is not a list of 1 to {MAX_PROOFS}")
    return tuple(_proof(item) for item in proofs)


def _proof(item: Any) -> Consistency:
    exact_keys(item, ("old", "new", "path"), "consistency proof")
    old, new = (int(text(item[key], key, "[1-9][0-9]{0,18}", 19)) for key in ("old", "new"))
    path = item["path"]
    if not isinstance(path, list) or len(path) > MAX_PATH or not old < new <= MAX_SIZE:
        raise FormatError("a consistency proof has sizes out of order or too long a path")
    return Consistency(old, new, tuple(hexadecimal(node, "hash of a consistency proof", 32) for node in path))
