"""The JSON export of one record: statement, chosen openings and the way to a checkpoint (docs/formats.md §7.2)."""

from dataclasses import dataclass
from typing import Any

from notary.errors import FormatError
from notary.evidence import canonical
from notary.evidence.checkpoint import parse_checkpoint, parse_decimal
from notary.evidence.commitments import MAX_OPENINGS, Opening, openings_json, read_openings
from notary.evidence.fields import exact_keys, hexadecimal, text, version
from notary.evidence.note import MAX_NOTE, parse_note
from notary.evidence.statement import MAX_STATEMENT, entry_of
from notary.merkle.proof import MAX_PATH

MAX_JSON_PROOF = MAX_OPENINGS + 256 * 1024
MAX_COMMAS = 131072  # in the file; note, statement and openings have room for fewer
BEGINNING = b'{"checkpoint":'  # the first of its keys in canonical order
_KEYS = ("version", "statement", "openings", "entry", "index", "size", "path", "checkpoint")
_VERSION = 1
_DECIMAL = r"[0-9]{1,19}"


@dataclass(frozen=True, slots=True)
class JsonProof:
    """A statement, what is opened of it, and its place under a checkpoint; not verified."""

    statement: bytes
    openings: tuple[Opening, ...]
    index: int
    size: int  # of the checkpoint
    path: tuple[bytes, ...]  # the leaf's sibling first
    note: bytes  # the checkpoint

    def encode(self) -> bytes:
        """The canonical bytes of the file.

        Raises:
            FormatError: it would be larger than anybody reads.
        """
        value = {
            "version": _VERSION,
            "statement": canonical.loads(self.statement, MAX_STATEMENT),
            "openings": openings_json(self.openings),
            "entry": entry_of(self.statement).hex(),
            "index": str(self.index),
            "size": str(self.size),
            "path": [node.hex() for node in self.path],
            "checkpoint": self.note.decode("utf-8"),
        }
        data = canonical.dumps(value)
        if len(data) > MAX_JSON_PROOF:
            raise FormatError(f"a JSON proof of {len(data)} bytes is larger than {MAX_JSON_PROOF}")
        return data


def parse_json_proof(data: bytes) -> JsonProof:
    """Read a JSON proof; verifies no signature and no path.

    Raises:
        FormatError: too large, not canonical or not of this form; or its entry is not that of its statement, or its
            size not that of its checkpoint.
    """
    # Before parsing, which takes a second a megabyte where values are short. In texts, too, there are not so many.
    if data.count(b",") >= MAX_COMMAS:
        raise FormatError(f"a JSON proof has {MAX_COMMAS} commas or more")
    value = exact_keys(canonical.loads(data, MAX_JSON_PROOF), _KEYS, "JSON proof")
    version(value["version"], _VERSION, "JSON proof")
    statement = canonical.dumps(value["statement"])
    if entry_of(statement) != hexadecimal(value["entry"], "entry", 32):
        raise FormatError("the entry is not that of the statement beside it")
    note = text(value["checkpoint"], "checkpoint", r"[\s\S]+", MAX_NOTE).encode()
    size = _decimal(value["size"], "size")
    if parse_checkpoint(parse_note(note).text).size != size:
        raise FormatError("the size is not that of the checkpoint beside it")
    path = value["path"]
    if not isinstance(path, list) or len(path) > MAX_PATH:
        raise FormatError(f"the path of a JSON proof is not a list of at most {MAX_PATH} hashes")
    hashes = tuple(hexadecimal(node, "hash of a path", 32) for node in path)
    openings = read_openings(value["openings"])
    return JsonProof(statement, openings, _decimal(value["index"], "index"), size, hashes, note)


def _decimal(value: Any, what: str) -> int:
    return parse_decimal(text(value, what, _DECIMAL, 19))
