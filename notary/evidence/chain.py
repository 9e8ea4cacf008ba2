"""What the evidence of a chain must show, one pure check each (docs/formats.md §10).

Every check rests on a header. Whether that header is of the real chain is for `check_block` and the verifier.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from notary.errors import ChainError
from notary.evidence import rlp
from notary.evidence.asked import BlockAnswer
from notary.evidence.chain_file import ChainEvidence, NotBefore, Proof, decode_evidence, encode_evidence
from notary.evidence.chain_header import Header, decode_header
from notary.evidence.chain_seals import ValidatorSet
from notary.evidence.keccak import keccak256
from notary.evidence.mpt import verify_proof

__all__ = [
    "ANCHORED", "HISTORY_CONTRACT", "HISTORY_WINDOW", "AnchoredEvent", "ChainEvidence", "ChainTrust", "Header",
    "NotBefore", "Proof", "account_of", "check_binding", "check_block", "check_code", "check_history", "check_receipt",
    "decode_evidence", "decode_header", "encode_evidence", "first_that_holds", "headers_of", "history_slot",
]  # fmt: skip

ANCHORED = keccak256(b"Anchored(bytes32,uint64,uint64,bytes32)")
HISTORY_CONTRACT = bytes.fromhex("0000f90827f1c53a10cb7a02335b175320002935")  # EIP-2935
MAX_OF_ONE_HASH = 8  # not-before headers
T = TypeVar("T")
R = TypeVar("R")
HISTORY_WINDOW = 8191  # blocks before its own whose hashes a block's state holds
_KNOWN_TYPES = (1, 2, 3, 4)  # EIP-2718 types whose receipts have the four fields of legacy ones
_FIRST_LIST = 0xC0
_UINT64 = 2**64 - 1
_UINT256 = 2**256 - 1


@dataclass(frozen=True, slots=True)
class HeadKeyPeriod:
    """The period of a head key: in which blocks it may be the log's, and up to which size once others had it."""

    address: bytes  # 20 bytes
    since: datetime | None = None
    until: datetime | None = None
    last_good_size: int | None = None


@dataclass(frozen=True, slots=True)
class ChainTrust:
    """A chain as the verifier's trust file names it.

    Attributes:
        contract: 20 bytes.
        log_id: 32 bytes.
        code_hash: Keccak-256 of the contract's runtime code.
        profile: what headers of the chain are like, and how they are hashed.
        blocks: number and hash of blocks that the verifier holds to be of the real chain.
        head_keys: addresses (20 bytes) that may sign heads of the log; none: whoever the contract says.
        validators: who seals blocks, where the profile is of a chain that seals them.
        head_periods: of those head keys that have one.
        answers: what was said of blocks of this chain by those whom the verifier named; no part of the file.
    """

    chain_id: int
    contract: bytes
    log_id: bytes
    code_hash: bytes
    profile: str
    blocks: tuple[tuple[int, bytes], ...]
    head_keys: tuple[bytes, ...] = ()
    validators: tuple[ValidatorSet, ...] = ()
    head_periods: tuple[HeadKeyPeriod, ...] = ()
    answers: tuple[BlockAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class AnchoredEvent:
    """The event `Anchored`: the contract moved the head of the log from `old_size` to this size and root."""

    old_size: int
    new_size: int
    new_root: bytes


def check_binding(e: ChainEvidence, trust: ChainTrust) -> None:
    """The evidence speaks of the chain, contract and log that are trusted.

    Raises:
        ChainError: it names another; says which.
    """
    for name in ("chain_id", "contract", "log_id", "profile"):
        found, expected = (_show(getattr(side, name)) for side in (e, trust))
        if found != expected:
            raise ChainError(f"the evidence is of {name} {found}, trusted is {expected}")


def check_block(header: Header, trust: ChainTrust) -> str:
    """By whose word this block is of the chain, for people; empty where nobody names one of this number.

    Raises:
        ChainError: the trust file, or one of those who were asked, names another block of this number.
    """
    hashes = {block_hash for number, block_hash in trust.blocks if number == header.number}
    if hashes - {header.hash}:
        raise ChainError(
            f"block {header.number} has hash 0x{header.hash.hex()}, the trust file names another"
        )
    names = ["the trust file"] if hashes else []
    for answer in trust.answers:
        if answer.number != header.number or answer.hash is None:
            continue
        if answer.hash != header.hash:
            raise ChainError(
                f"block {header.number} has hash 0x{header.hash.hex()}, {answer.source} has another: "
                f"0x{answer.hash.hex()}"
            )
        names.append(answer.source)
    return ", ".join(names)


def check_receipt(e: ChainEvidence, header: Header) -> AnchoredEvent:
    """The block holds a transaction that succeeded, and its log at `log_index` is the event for this log.

    Raises:
        ChainError: the trie proof does not hold, the transaction failed, or the log is of another contract,
            event or log id.
    """
    key = rlp.encode(rlp.encode_int(e.transaction_index))
    value = verify_proof(header.receipts_root, key, e.receipt_proof)
    if value is None:
        raise ChainError(f"the block has no transaction {e.transaction_index}")
    logs = _logs(value)
    if e.log_index >= len(logs):
        raise ChainError(f"the receipt has {len(logs)} logs, and none at {e.log_index}")
    match logs[e.log_index]:
        case [bytes(address), list(topics), bytes(data)]:
            pass
        case _:
            raise ChainError("a log of the receipt is malformed")
    if address != e.contract:
        raise ChainError(f"the log is of contract 0x{address.hex()}")
    if topics != [ANCHORED, e.log_id]:
        raise ChainError("the log is not the event Anchored for this log id")
    if len(data) != 3 * 32:
        raise ChainError(f"the event has {len(data)} bytes of data")
    return AnchoredEvent(_uint64(data[:32]), _uint64(data[32:64]), data[64:])


def check_code(e: ChainEvidence, header: Header, code_hash: bytes) -> None:
    """The contract had the code with this hash when the block was made.

    Raises:
        ChainError: no account proof, one that does not hold, or other code.
    """
    found = account_of(header, e.contract, e.account_proof)[3]
    if found != code_hash:
        raise ChainError(f"the contract has code hash {_show(found)}, trusted is {_show(code_hash)}")


def headers_of(e: ChainEvidence, block_hash: bytes) -> list[tuple[Header, NotBefore]]:
    """The not-before headers of this hash: several, where they bear other seals.

    Raises:
        ChainError: one of any hash is no header of the profile, or more than 8 are of this one.
    """
    read = [(decode_header(item.header, e.profile), item) for item in e.not_before]
    found = [(header, item) for header, item in read if header.hash == block_hash]
    if len(found) > MAX_OF_ONE_HASH:
        raise ChainError(f"{len(found)} not-before headers are of one block")
    return found


def check_history(e: ChainEvidence, header: Header, not_before_header: Header) -> None:
    """The state of the anchoring block names the hash of the earlier block (EIP-2935), by one of the captured proofs.

    Raises:
        ChainError: the block is not one of the 8191 before, no proof was captured, one does not hold, or the
            state names another block.
    """
    number = not_before_header.number
    if not header.number - HISTORY_WINDOW <= number < header.number:
        raise ChainError(f"block {number} is not among the {HISTORY_WINDOW} before block {header.number}")
    same = [item.storage_proof for _, item in headers_of(e, not_before_header.hash)]
    proofs = [proof for proof in same if proof is not None]
    if not proofs:
        raise ChainError(f"no storage proof of the hash of block {number} was captured")
    storage_root = account_of(header, HISTORY_CONTRACT, e.history_proof)[2]
    if not isinstance(storage_root, bytes):
        raise ChainError("the account of the history contract is malformed")
    first_that_holds(proofs, lambda proof: _check_named(storage_root, number, proof, not_before_header.hash))


def _check_named(storage_root: bytes, number: int, proof: Proof, expected: bytes) -> None:
    value = verify_proof(storage_root, keccak256(history_slot(number)), proof)
    found = rlp.decode_int(rlp.decode(value or b"\x80"), _UINT256).to_bytes(32, "big")
    if found != expected:
        raise ChainError(f"the state names another hash for block {number}: {_show(found)}")


def first_that_holds(items: Sequence[T], check: Callable[[T], R]) -> R:
    """What `check` gives for the first of `items`, of which there is one at least, that it does not refuse.

    Raises:
        ChainError: it refuses all; what it said of the last.
    """
    for item in items[:-1]:
        with suppress(ChainError):
            return check(item)
    return check(items[-1])


def history_slot(number: int) -> bytes:
    """The storage slot (32 bytes) in which the EIP-2935 contract keeps the hash of a block."""
    return (number % HISTORY_WINDOW).to_bytes(32, "big")


def account_of(header: Header, address: bytes, proof: Proof | None) -> list[rlp.Item]:
    """Nonce, balance, storage root and code hash of an account under the state root of a block.

    Raises:
        ChainError: no proof was captured, it does not hold, or there is no such account.
    """
    if proof is None:
        raise ChainError(f"no account proof of 0x{address.hex()} was captured")
    value = verify_proof(header.state_root, keccak256(address), proof)
    if value is None:
        raise ChainError(f"there is no account 0x{address.hex()} in block {header.number}")
    account = rlp.decode_list(value)
    if len(account) != 4:  # noqa: PLR2004 - yellow paper §4.1
        raise ChainError("an account is malformed")
    return account


def _logs(receipt: bytes) -> list[rlp.Item]:
    """The logs of a receipt, legacy or typed (EIP-2718), of a transaction that succeeded (EIP-658)."""
    if receipt[0] < _FIRST_LIST:
        if receipt[0] not in _KNOWN_TYPES:
            raise ChainError(f"receipts of transaction type {receipt[0]} are not known")
        receipt = receipt[1:]
    match rlp.decode_list(receipt):
        case [bytes(status), bytes(), bytes(), list(logs)]:
            if status != b"\x01":
                raise ChainError("the transaction failed")
            return logs
        case _:
            raise ChainError("the receipt is malformed")


def _uint64(word: bytes) -> int:
    number = int.from_bytes(word, "big")
    if number > _UINT64:
        raise ChainError("a size in the event is beyond 64 bits")
    return number


def _show(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
