"""The parts of a statement that only its type has (docs/formats.md §2.2 to §2.6)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from notary.errors import FormatError
from notary.evidence.digests import ALGORITHMS
from notary.evidence.fields import exact_keys, hexadecimal, natural, text
from notary.evidence.note import Verifier

MEDIA_TYPE = r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}"
MAX_DOCUMENT = 2**50
_ADDRESS = r"0x[0-9a-f]{40}"


@dataclass(frozen=True, slots=True)
class Genesis:
    """Entry 0: who this log is. The log id and the head key are the contract's (docs/formats.md §10)."""

    log_key: str  # vkey
    receipt_key: str  # vkey
    head_key: str  # address, 0x and 40 hexadecimal characters
    chain_id: int
    contract: str  # address
    log_id: bytes


@dataclass(frozen=True, slots=True)
class Document:
    """A document. `seen`: the service had the bytes and took `digests` itself, SHA-256 and SM3.

    Where it did not, `digests` holds the submitter's SHA-256 alone. `claimed` are further digests on the
    submitter's word; they are never looked up, but a verifier recomputes them too.
    """

    seen: bool
    digests: dict[str, str]
    claimed: dict[str, str]
    size: int | None
    media_type: str | None


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A key comes or goes; `size` is the last tree size that a compromised key may have signed."""

    role: str  # log, receipt or head
    action: str  # added, retired or compromised
    key: str  # vkey, or the address of a head key
    size: int | None


@dataclass(frozen=True, slots=True)
class Incident:
    """Something went wrong, in clear only as a word; what it was is a commitment."""

    kind: str
    subject: bytes | None  # the entry it is about


Body = Genesis | Document | KeyChange | Incident

# type -> key of its body; event and inspection have none, their content is committed
BODIES = {
    "genesis": "genesis",
    "document": "document",
    "report": "document",
    "key": "key",
    "incident": "incident",
}


def body_json(body: Body) -> dict[str, Any]:
    """The JSON value of a body."""
    match body:
        case Genesis():
            return {
                "log_key": body.log_key,
                "receipt_key": body.receipt_key,
                "head_key": body.head_key,
                "chain_id": body.chain_id,
                "contract": body.contract,
                "log_id": body.log_id.hex(),
            }
        case Document():
            return {
                "seen": body.seen,
                "digests": body.digests,
                "claimed": body.claimed,
                "size": body.size,
                "media_type": body.media_type,
            }
        case KeyChange():
            return {"role": body.role, "action": body.action, "key": body.key, "size": body.size}
    # An incident; a further kind would not pass the type checker here.
    return {"kind": body.kind, "subject": None if body.subject is None else body.subject.hex()}


def parse_body(kind: str, value: Any) -> Body:
    """Check the body of a statement of type `kind`, one of `BODIES`.

    Raises:
        FormatError: a key is unknown or missing, or a field is not of its form.
    """
    return _PARSERS[BODIES[kind]](value)


def _genesis(value: Any) -> Genesis:
    exact_keys(value, Genesis.__slots__, "genesis")
    for key in ("log_key", "receipt_key"):
        Verifier.from_vkey(value[key])
    return Genesis(
        value["log_key"],
        value["receipt_key"],
        text(value["head_key"], "head_key", _ADDRESS),
        natural(value["chain_id"], "chain_id"),
        text(value["contract"], "contract", _ADDRESS),
        hexadecimal(value["log_id"], "log_id", 32),
    )


def _document(value: Any) -> Document:
    exact_keys(value, Document.__slots__, "document")
    seen, size, media_type = value["seen"], value["size"], value["media_type"]
    if not isinstance(seen, bool):
        raise FormatError("seen is neither true nor false")
    digests = _digests(value["digests"])
    if list(digests) != (["sha-256", "sm3"] if seen else ["sha-256"]):
        raise FormatError("digests are SHA-256, and SM3 where the bytes were seen, and no others")
    claimed = _digests(value["claimed"])
    if set(claimed) & set(digests):
        raise FormatError("a digest is claimed and taken at once")
    if seen and size is None:
        raise FormatError("the bytes were seen, but their number is missing")
    return Document(
        seen,
        digests,
        claimed,
        None if size is None else natural(size, "size", MAX_DOCUMENT),
        None if media_type is None else text(media_type, "media_type", MEDIA_TYPE),
    )


def _digests(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or any(name not in ALGORITHMS for name in value):
        raise FormatError("digests is not an object of algorithms that we know")
    for name, digest in value.items():
        hexadecimal(digest, f"{name} digest", ALGORITHMS[name][0])
    return {name: value[name] for name in sorted(value)}


def _key(value: Any) -> KeyChange:
    exact_keys(value, KeyChange.__slots__, "key")
    role = text(value["role"], "role", "log|receipt|head")
    key = value["key"]
    if role == "head":
        text(key, "head key", _ADDRESS)
    else:
        Verifier.from_vkey(key)
    size = value["size"]
    return KeyChange(
        role,
        text(value["action"], "action", "added|retired|compromised"),
        key,
        None if size is None else natural(size, "size"),
    )


def _incident(value: Any) -> Incident:
    exact_keys(value, Incident.__slots__, "incident")
    subject = value["subject"]
    return Incident(
        text(value["kind"], "kind", "[a-z][a-z0-9_]{0,63}"),
        None if subject is None else hexadecimal(subject, "subject", 32),
    )


_PARSERS: dict[str, Callable[[Any], Body]] = {
    "genesis": _genesis,
    "document": _document,
    "key": _key,
    "incident": _incident,
}
