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
    profile="ethereum",
    seal=bytes,
    stored=None,
    form=lambda raw: raw,
):
    """Evidence of a block that holds three transactions, the second with `logs`.

    `not_before` are raw headers of earlier blocks, whose hashes the state holds (EIP-2935). `seal` makes the header
    one of `profile`. `stored` is what the contract holds after the block, (size, root, head key): evidence of
    version 2, and without it of version 1. `form` changes the bytes of the receipt.
    """
    receipts = HexaryTrie({})
    receipts[rlp.encode(0)] = receipt()
    receipts[rlp.encode(1)] = form(receipt(*logs, status=status))
    receipts[rlp.encode(2)] = receipt(status=b"")
    storage = HexaryTrie({})
    for raw in not_before:
        earlier = decode_header(raw, profile)
        storage[keccak256(history_slot(earlier.number))] = rlp.encode(earlier.hash)
    slots = HexaryTrie({})
    for slot, value in slots_of(log_id, *stored or ()):
        slots[keccak256(slot)] = rlp.encode(_integer(value))
    state = HexaryTrie({})
    state[keccak256(contract)] = rlp.encode([b"\x01", b"", slots.root_hash, code_hash])
    state[keccak256(HISTORY_CONTRACT)] = rlp.encode([b"\x01", b"", storage.root_hash, keccak256(b"2935")])
    return ChainEvidence(
        chain_id=chain_id,
        contract=contract,
        log_id=log_id,
        profile=profile,
        header=seal(header(number, time, state=state.root_hash, receipts=receipts.root_hash)),
        transaction=keccak256(b"transaction"),
        transaction_index=1,
        receipt_proof=_proof(receipts, rlp.encode(1)),
        log_index=len(logs) - 1,
        account_proof=_proof(state, keccak256(contract)),
        history_proof=_proof(state, keccak256(HISTORY_CONTRACT)),
        not_before=tuple(
            NotBefore(raw, _proof(storage, keccak256(history_slot(decode_header(raw, profile).number))))
            for raw in not_before
        ),
        head_slots=None
        if stored is None
        else tuple(_proof(slots, keccak256(slot)) for slot, _ in slots_of(log_id, *stored)),
    )


def slots_of(log_id, size=None, root=b"", key=bytes(20), turn=0):
    """Number and value of the slots of a head, by hand from the layout: turn, size and key in one, the root next."""
    if size is None:
        return []
    first = int.from_bytes(keccak256(log_id + bytes(32)), "big")
    packed = turn.to_bytes(4, "big") + size.to_bytes(8, "big") + key
    return [(word(first), int.from_bytes(packed, "big")), (word(first + 1), int.from_bytes(root, "big"))]


def _proof(trie, key):
    nodes = [rlp.encode(node) for node in trie.get_proof(key)]
    # A node shorter than 32 bytes stands inside its parent, unless it is the root.
    return tuple(node for at, node in enumerate(nodes) if at == 0 or len(node) >= 32)


def _integer(number):
    return rlp.sedes.big_endian_int.serialize(number)
