"""The head key of a log hands over to the next one: two steps on the contract, each signed by one of the two.

The key that is named must show that somebody has it, so that a slip of the address does not end the log.
"""

from eth_abi.abi import encode

from notary.anchoring.contract import Keys, call_data, read_keys, transact
from notary.anchoring.rpc import Node
from notary.anchoring.transaction import signature_of
from notary.errors import AnchorRejected
from notary.evidence.keccak import keccak256
from notary.signers import Signer

_OFFER_TAG = keccak256(b"notary offer v1")
_ACCEPT_TAG = keccak256(b"notary accept v1")


def offer_digest(chain_id: int, contract: bytes, log_id: bytes, turn: int, next_key: str) -> bytes:
    """The 32 bytes that the head key signs to name the next one; `turn` is that of `read_keys`."""
    return _digest(_OFFER_TAG, chain_id, contract, log_id, turn, next_key)


def accept_digest(chain_id: int, contract: bytes, log_id: bytes, turn: int, next_key: str) -> bytes:
    """The 32 bytes that the next key signs to become the head key; `turn` as it is after the offer."""
    return _digest(_ACCEPT_TAG, chain_id, contract, log_id, turn, next_key)


def hand_over(
    node: Node,
    wallet: Signer,
    contract: bytes,
    log_id: bytes,
    head_key: Signer,
    next_key: Signer,
    timeout: float = 120,
) -> Keys:
    """Make `next_key` the head key and return the keys as they are then. What was done already is not done again.

    Args:
        node: of the chain.
        wallet: pays, and is not the wallet of a lane that anchors: that one allows no transaction but its own.
        contract: 20 bytes.
        log_id: 32 bytes.
        head_key: signs heads until now.
        next_key: signs heads from then on.
        timeout: seconds that each transaction may take to be mined.

    Raises:
        AnchorUnavailable: the node does not answer, or mines nothing in time; run it again.
        AnchorRejected: the head key on chain is neither of the two, or a transaction fails.
    """
    node.require_chain()
    ours, theirs = (bytes.fromhex(key.address[2:]) for key in (head_key, next_key))
    keys = read_keys(node, contract, log_id)
    if keys.head == theirs:
        return keys
    if keys.head != ours:
        raise AnchorRejected(f"the log's head key is 0x{keys.head.hex()}, neither of the two keys given")
    if keys.offered != theirs:
        signature = signature_of(
            head_key, offer_digest(node.chain_id, contract, log_id, keys.turn, next_key.address)
        )
        data = call_data("handOver(bytes32,address,bytes)", log_id, next_key.address, signature)
        transact(node, wallet, contract, data, timeout)
        keys = read_keys(node, contract, log_id)
    # Mined: the offer. A stop here leaves the old key in charge; the same call goes on.
    signature = signature_of(
        next_key, accept_digest(node.chain_id, contract, log_id, keys.turn, next_key.address)
    )
    transact(node, wallet, contract, call_data("accept(bytes32,bytes)", log_id, signature), timeout)
    return read_keys(node, contract, log_id)


def _digest(tag: bytes, chain_id: int, contract: bytes, log_id: bytes, turn: int, next_key: str) -> bytes:
    types = ["bytes32", "uint256", "address", "bytes32", "uint32", "address"]
    return keccak256(encode(types, [tag, chain_id, contract, log_id, turn, next_key]))
