"""The anchoring contract: its calls, and how it gets onto a chain."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from notary.anchoring.compiled import CODE, CREATION, ERRORS
from notary.anchoring.fees import fee_fields
from notary.anchoring.fields import octets, quantity, record
from notary.anchoring.rpc import Answer, Node
from notary.anchoring.transaction import signed
from notary.errors import AnchorRejected, AnchorUnavailable
from notary.evidence.keccak import keccak256
from notary.signers import Signer

ANCHOR = "anchor(bytes32,uint64,bytes32,bytes32[],bytes)"
_TAG = keccak256(b"notary anchor v1")
_GAS_MARGIN = 1.25
_MOST_GAS = 1_000_000  # a deployment takes 648,000


def log_id_of(opener: str, origin: str) -> bytes:
    """The id (32 bytes) of the log that this address opens under this origin."""
    return keccak256(encode(["address", "string"], [opener, origin]))


def head_digest(chain_id: int, contract: bytes, log_id: bytes, size: int, root: bytes) -> bytes:
    """The 32 bytes that the head key signs for one head on one chain."""
    types = ["bytes32", "uint256", "address", "bytes32", "uint64", "bytes32"]
    return keccak256(encode(types, [_TAG, chain_id, contract, log_id, size, root]))


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a log on the contract, addresses of 20 bytes; zeros where there is none.

    Attributes:
        head: signs heads.
        offered: was named by a hand-over and has not accepted yet.
        turn: offers so far: what the next offer signs, and the acceptance of the last one.
    """

    head: bytes
    offered: bytes
    turn: int


def call_data(signature: str, *arguments: Any) -> bytes:
    """The input of a call, for a signature such as "head(bytes32)"."""
    types = signature[signature.index("(") + 1 : -1].split(",")
    return keccak256(signature.encode())[:4] + encode(types, arguments)


def read_head(node: Node, contract: bytes, log_id: bytes) -> tuple[int, bytes]:
    """Size and root of the newest anchored head; size 0 where there is none.

    Raises:
        AnchorUnavailable: the node does not answer.
        AnchorRejected: what is there is not our contract.
    """
    size, root = _read(node, contract, "head(bytes32)", log_id, ("uint64", "bytes32"))
    return size, root


def read_keys(node: Node, contract: bytes, log_id: bytes) -> Keys:
    """The keys of a log. Raises as `read_head`."""
    types = ("address", "address", "uint32")
    head, offered, turn = _read(node, contract, "keysOf(bytes32)", log_id, types)
    return Keys(octets(head, 20), octets(offered, 20), turn)


def refusal(answer: Answer) -> str | None:
    """The name of the contract's own error, where that is why a call failed."""
    return ERRORS.get((answer.data or "")[2:10])


def revert_reason(answer: Answer) -> str:
    """The contract's own error by name where it has one, else what the node says."""
    name = refusal(answer)
    return f"the contract refuses: {name}" if name else str(answer.error)


def signed_transaction(
    node: Node, wallet: Signer, nonce: int, to: bytes | None, data: bytes
) -> tuple[bytes, bytes]:
    """Try a transaction, then sign it with our own chain id, nonce and fees: (raw bytes, hash).

    For set-up and hand-over: the trial shows the node the input before it is sent. Anchors are tried without the head
    key's signature (`trying`).

    Raises:
        AnchorUnavailable: the node does not answer, does not try it, asks for a fee above the cap, or for more gas than
            any call of the contract, or its deployment, can need.
        AnchorRejected: the transaction would revert; says why.
    """
    call = {"from": wallet.address, "data": f"0x{data.hex()}"} | (
        {} if to is None else {"to": f"0x{to.hex()}"}
    )
    tried = node.try_ask("eth_estimateGas", call)
    if tried.error is not None and not tried.reverted:  # a node that is busy says nothing of the input
        raise AnchorUnavailable(f"eth_estimateGas: {tried.error}")
    if tried.error is not None:
        raise AnchorRejected(f"tried before signing: {revert_reason(tried)}")
    gas = int(quantity(tried.result) * _GAS_MARGIN)
    if gas > _MOST_GAS:
        raise AnchorUnavailable(
            f"the node asks for {gas} gas, and nothing of ours needs more than {_MOST_GAS}"
        )
    fields: dict[str, Any] = {"chainId": node.chain_id, "nonce": nonce, "value": 0, "data": data, "gas": gas}
    return signed(fields | fee_fields(node) | ({} if to is None else {"to": to}), wallet)


def deploy(node: Node, wallet: Signer, timeout: float = 120) -> bytes:
    """Put the contract onto the chain and return its address (20 bytes). Twice makes two contracts.

    Raises:
        AnchorUnavailable: the node does not answer, or mines nothing within `timeout` seconds.
        AnchorRejected: the transaction fails, or other code than ours is there.
    """
    node.require_chain()
    receipt = transact(node, wallet, None, CREATION, timeout)
    address = octets(receipt.get("contractAddress"), 20)
    if octets(node.ask("eth_getCode", f"0x{address.hex()}", "latest")) != CODE:
        raise AnchorRejected(f"the code at 0x{address.hex()} is not that of the contract")
    return address


def open_log(
    node: Node,
    wallet: Signer,
    contract: bytes,
    origin: str,
    head_key: str,
    timeout: float = 120,
    later: Collection[str] = (),
) -> bytes:
    """Open a log under the wallet's address and return its id; nothing is sent where it is open already.

    Where it is, the head key may also be one of `later`, which it was handed over to.

    Raises:
        AnchorUnavailable: as `deploy`.
        AnchorRejected: the log is open with another head key, or the transaction fails.
    """
    node.require_chain()
    log_id = log_id_of(wallet.address, origin)
    wanted = bytes.fromhex(head_key[2:])
    if not any(read_keys(node, contract, log_id).head):
        transact(node, wallet, contract, call_data("open(string,address)", origin, head_key), timeout)
    found = read_keys(node, contract, log_id).head
    if found not in {wanted, *(bytes.fromhex(key[2:]) for key in later)}:
        raise AnchorRejected(f"the log is open with head key 0x{found.hex()}, not 0x{wanted.hex()}")
    return log_id


def transact(node: Node, wallet: Signer, to: bytes | None, data: bytes, timeout: float) -> dict[str, Any]:
    """Sign, send and wait for what needs no evidence: set-up and hand-over. Anchors are stored before they are sent.

    Raises:
        AnchorUnavailable: the node does not answer, or mines nothing within `timeout` seconds.
        AnchorRejected: the transaction would fail, or failed.
    """
    nonce = quantity(node.ask("eth_getTransactionCount", wallet.address, "latest"))
    raw, ref = signed_transaction(node, wallet, nonce, to, data)
    node.ask("eth_sendRawTransaction", f"0x{raw.hex()}")
    end = time.monotonic() + timeout
    while (receipt := node.ask("eth_getTransactionReceipt", f"0x{ref.hex()}")) is None:
        if time.monotonic() > end:
            raise AnchorUnavailable(f"transaction 0x{ref.hex()} was not mined within {timeout} seconds")
        time.sleep(0.2)
    if quantity(record(receipt).get("status")) != 1:
        raise AnchorRejected(f"transaction 0x{ref.hex()} failed")
    return record(receipt)


def _read(
    node: Node, contract: bytes, signature: str, log_id: bytes, types: tuple[str, ...]
) -> tuple[Any, ...]:
    call = {"to": f"0x{contract.hex()}", "data": f"0x{call_data(signature, log_id).hex()}"}
    try:
        return decode(types, octets(node.ask("eth_call", call, "latest")))
    except DecodingError as error:
        raise AnchorRejected(f"there is no anchoring contract at 0x{contract.hex()}") from error
