"""A chain of one contract for tests: headers, receipts and state with their tries, all from fixed bytes."""

import rlp
from trie import HexaryTrie

from notary.evidence.chain import (
    ANCHORED,
    HISTORY_CONTRACT,
    ChainEvidence,
    NotBefore,
    decode_header,
    history_slot,
)
from notary.evidence.keccak import keccak256

CHAIN_ID = 31337
CONTRACT = bytes.fromhex("11" * 20)
CODE_HASH = keccak256(b"code of the contract")
LOG_ID = keccak256(b"log id")
EMPTY = keccak256(b"\x80")
BLOOM = bytes(256)


def word(number):
    return number.to_bytes(32, "big")


def header(number, time, *, state=EMPTY, receipts=EMPTY):
    """RLP of a header of 17 fields."""
    fields = [keccak256(b"parent"), keccak256(b"ommers"), bytes(20), state, EMPTY, receipts, BLOOM]
    fields += [b"", rlp.sedes.big_endian_int.serialize(number), b"\x01\xc9\xc3\x80", b"", _integer(time), b""]
    fields += [keccak256(b"mix"), bytes(8), b"", EMPTY]
    return rlp.encode(fields)


def event(size, root, *, old_size=0, contract=CONTRACT, topic=ANCHORED, log_id=LOG_ID):
    return [contract, [topic, log_id], word(old_size) + word(size) + root]


def receipt(*logs, status=b"\x01"):
    return b"\x02" + rlp.encode([status, b"\x52\x08", BLOOM, list(logs)])


def anchor(
    logs,
    *,
    number,
    time,
    status=b"\x01",
    code_hash=CODE_HASH,
    not_before=(),
    chain_id=CHAIN_ID,
    contract=CONTRACT,
    log_id=LOG_ID,
):
    """Evidence of a block that holds three transactions, the second with `logs`.

    `not_before` are raw headers of earlier blocks, whose hashes the state holds (EIP-2935).
    """
    receipts = HexaryTrie({})
    receipts[rlp.encode(0)] = receipt()
    receipts[rlp.encode(1)] = receipt(*logs, status=status)
    receipts[rlp.encode(2)] = receipt(status=b"")
    storage = HexaryTrie({})
    for raw in not_before:
        earlier = decode_header(raw, "ethereum")
        storage[keccak256(history_slot(earlier.number))] = rlp.encode(earlier.hash)
    state = HexaryTrie({})
    state[keccak256(contract)] = rlp.encode([b"\x01", b"", EMPTY, code_hash])
    state[keccak256(HISTORY_CONTRACT)] = rlp.encode([b"\x01", b"", storage.root_hash, keccak256(b"2935")])
    return ChainEvidence(
        chain_id=chain_id,
        contract=contract,
        log_id=log_id,
        profile="ethereum",
        header=header(number, time, state=state.root_hash, receipts=receipts.root_hash),
        transaction=keccak256(b"transaction"),
        transaction_index=1,
        receipt_proof=_proof(receipts, rlp.encode(1)),
        log_index=len(logs) - 1,
        account_proof=_proof(state, keccak256(contract)),
        history_proof=_proof(state, keccak256(HISTORY_CONTRACT)),
        not_before=tuple(
            NotBefore(raw, _proof(storage, keccak256(history_slot(decode_header(raw, "ethereum").number))))
            for raw in not_before
        ),
    )


def _proof(trie, key):
    nodes = [rlp.encode(node) for node in trie.get_proof(key)]
    # A node shorter than 32 bytes stands inside its parent, unless it is the root.
    return tuple(node for at, node in enumerate(nodes) if at == 0 or len(node) >= 32)


def _integer(number):
    return rlp.sedes.big_endian_int.serialize(number)
