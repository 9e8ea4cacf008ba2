"""The file `anchor.json`: the evidence that a chain recorded one head (docs/formats.md §10)."""

from dataclasses import dataclass
from typing import Any

from notary.errors import FormatError
from notary.evidence import canonical
from notary.evidence.fields import exact_keys, hexadecimal, natural, text

MAX_EVIDENCE = 4 * 1024 * 1024  # bytes
MAX_HEADER = 8192  # bytes
MAX_NODES = 65  # a key of 32 bytes has 64 nibbles
MAX_NOT_BEFORE = 256
MAX_VALUES = 32_768  # in the whole file; the limits above allow for 17,300
_VERSIONS = (1, 2)
_HEX = "[0-9a-f]+"  # no group: a repeated one costs the pattern 100 bytes of memory a round
_KEYS = (
    "version", "chain_id", "contract", "log_id", "profile", "header", "transaction", "transaction_index",
    "receipt_proof", "log_index", "account_proof", "history_proof", "not_before",
)  # fmt: skip
_SLOTS = 2  # of a head in the contract's storage

Proof = tuple[bytes, ...]  # RLP of trie nodes, the root first


@dataclass(frozen=True, slots=True)
class NotBefore:
    """An earlier block: RLP of its header, and the way to its hash in the storage of the EIP-2935 contract."""

    header: bytes
    storage_proof: Proof | None


@dataclass(frozen=True, slots=True)
class ChainEvidence:
    """One anchor as it was captured when mined. Nothing in it is trusted until the checks have passed.

    Attributes:
        contract: 20 bytes.
        log_id: 32 bytes.
        profile: how headers of the chain are hashed.
        header: RLP of the header of the block that holds the anchor.
        transaction: its hash, 32 bytes, for looking it up; no check rests on it.
        transaction_index: position in the block.
        receipt_proof: trie nodes to the receipt under the header's receipts root.
        log_index: position of the event within the logs of the receipt.
        account_proof: trie nodes to the contract's account under the state root, or None where the node had
            no longer that state.
        history_proof: the same for the account of the EIP-2935 contract.
        not_before: blocks that statements under this head name as earlier than themselves.
        head_slots: trie nodes to the two slots of the head in the contract's storage, each None where the node
            had no longer that state; in place of both, None in a file of version 1, which had no such proofs.
    """

    chain_id: int
    contract: bytes
    log_id: bytes
    profile: str
    header: bytes
    transaction: bytes | None
    transaction_index: int
    receipt_proof: Proof
    log_index: int
    account_proof: Proof | None
    history_proof: Proof | None
    not_before: tuple[NotBefore, ...]
    head_slots: tuple[Proof | None, Proof | None] | None = None


def encode_evidence(e: ChainEvidence) -> bytes:
    """The canonical bytes of the file, of the version that holds what there is."""
    slots = {} if e.head_slots is None else {"head_slots": [_show(proof) for proof in e.head_slots]}
    return canonical.dumps(
        {
            "version": 2 if slots else 1,
            "chain_id": e.chain_id,
            "contract": e.contract.hex(),
            "log_id": e.log_id.hex(),
            "profile": e.profile,
            "header": e.header.hex(),
            "transaction": None if e.transaction is None else e.transaction.hex(),
            "transaction_index": e.transaction_index,
            "receipt_proof": _show(e.receipt_proof),
            "log_index": e.log_index,
            "account_proof": _show(e.account_proof),
            "history_proof": _show(e.history_proof),
            "not_before": [
                {"header": item.header.hex(), "storage_proof": _show(item.storage_proof)}
                for item in e.not_before
            ],
        }
        | slots
    )


def decode_evidence(data: bytes) -> ChainEvidence:
    """Decode the file, at most 4 MiB.

    Raises:
        FormatError: too long, not canonical, or not of this form.
    """
    # Before parsing, which takes a second a megabyte where values are short. No string of this file has commas.
    if data.count(b",") >= MAX_VALUES:
        raise FormatError(f"chain evidence has more than {MAX_VALUES} values")
    value = canonical.loads(data, MAX_EVIDENCE)
    has_slots = isinstance(value, dict) and value.get("version") == _VERSIONS[1]
    exact_keys(value, (*_KEYS, "head_slots") if has_slots else _KEYS, "chain evidence")
    if value["version"] not in _VERSIONS or value["version"] is True:
        raise FormatError("chain evidence is of no version that we know")
    transaction = value["transaction"]
    return ChainEvidence(
        chain_id=natural(value["chain_id"], "chain_id"),
        contract=hexadecimal(value["contract"], "contract", 20),
        log_id=hexadecimal(value["log_id"], "log_id", 32),
        profile=text(value["profile"], "profile", "[a-z0-9-]{1,32}"),
        header=_header(value["header"]),
        transaction=None if transaction is None else hexadecimal(transaction, "transaction", 32),
        transaction_index=natural(value["transaction_index"], "transaction_index"),
        receipt_proof=_proof(value["receipt_proof"], "receipt_proof"),
        log_index=natural(value["log_index"], "log_index"),
        account_proof=_optional_proof(value["account_proof"], "account_proof"),
        history_proof=_optional_proof(value["history_proof"], "history_proof"),
        not_before=tuple(map(_not_before, _list(value["not_before"], "not_before", MAX_NOT_BEFORE))),
        head_slots=_head_slots(value["head_slots"]) if has_slots else None,
    )


def _head_slots(value: Any) -> tuple[Proof | None, Proof | None]:
    shown = _list(value, "head_slots", _SLOTS)
    if len(shown) != _SLOTS:
        raise FormatError("head_slots is not a list of two proofs")
    first, second = (_optional_proof(proof, "head_slots") for proof in shown)
    return first, second


def _not_before(item: Any) -> NotBefore:
    exact_keys(item, ("header", "storage_proof"), "not_before")
    return NotBefore(_header(item["header"]), _optional_proof(item["storage_proof"], "storage_proof"))


def _header(value: Any) -> bytes:
    header = _bytes(value, "header")
    if len(header) > MAX_HEADER:
        raise FormatError(f"a header of {len(header)} bytes is longer than {MAX_HEADER}")
    return header


def _show(proof: Proof | None) -> list[str] | None:
    return None if proof is None else [node.hex() for node in proof]


def _proof(value: Any, what: str) -> Proof:
    return tuple(_bytes(node, what) for node in _list(value, what, MAX_NODES))


def _optional_proof(value: Any, what: str) -> Proof | None:
    return None if value is None else _proof(value, what)


def _list(value: Any, what: str, limit: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > limit:
        raise FormatError(f"{what} is not a list of at most {limit}")
    return value


def _bytes(value: Any, what: str) -> bytes:
    shown = text(value, what, _HEX, 2 * MAX_EVIDENCE)
    if len(shown) % 2:
        raise FormatError(f"{what} is not whole bytes")
    return bytes.fromhex(shown)
