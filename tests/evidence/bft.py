"""Validators of a chain: they seal headers as QBFT and IBFT 2.0 do. Written apart from what verifies them.

Extra data by the RLP library, signatures by eth-keys; as Besu's QbftExtraDataCodec and IbftExtraDataCodec, and its
BftBlockHashing, have it.
"""

from hashlib import sha256

import rlp
from eth_keys import keys

from notary.evidence.keccak import keccak256

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
DIGEST = b"ctical byzantine fault tolerance"  # the mix hash of such headers
VANITY = bytes(32)
EXTRA, DIFFICULTY, MIX = 12, 7, 13


def validator(label):
    return keys.PrivateKey(sha256(f"validator {label}".encode()).digest())


VALIDATORS = sorted(
    (validator(number) for number in range(4)), key=lambda k: k.public_key.to_canonical_address()
)
STRANGER = validator("of another chain")


def addresses(signers=VALIDATORS):
    return tuple(key.public_key.to_canonical_address() for key in signers)


def extra(profile, listed, vote, number, seals):
    """The extra data; `number` is the round, None leaves it out, as `seals` None does."""
    if profile == "qbft":
        return rlp.encode([VANITY, listed, vote or [], _integer(number or 0), seals or []])
    items = [VANITY, listed, vote or b""]
    items += [] if number is None else [number.to_bytes(4, "big")]
    return rlp.encode(items + ([] if seals is None else [seals]))


def sealed(
    raw,
    signers=VALIDATORS[:3],
    *,
    profile="qbft",
    listed=None,
    vote=None,
    number=0,
    claimed=None,
    altered=None,
):
    """A header of a sealed chain, made of any header, and the hash by which the chain knows it.

    `number` is the round that is sealed and `claimed` the one that stands in the header; `listed` are the addresses
    in it; `altered` changes the list of seals.
    """
    fields = [bytes(field) for field in rlp.decode(raw)]
    fields[DIFFICULTY], fields[MIX] = b"\x01", DIGEST
    listed = list(addresses()) if listed is None else list(listed)

    def of(number, seals):
        return rlp.encode(
            [*fields[:EXTRA], extra(profile, listed, vote, number, seals), *fields[EXTRA + 1 :]]
        )

    seals = [key.sign_msg_hash(keccak256(of(number, None))).to_bytes() for key in signers]
    seals = seals if altered is None else altered(seals)
    return of(number if claimed is None else claimed, seals), keccak256(of(None, None))


def twin(seal):
    """The other signature of the same key over the same: s in the upper half, and the other y."""
    s = ORDER - int.from_bytes(seal[32:64], "big")
    return seal[:32] + s.to_bytes(32, "big") + bytes([1 - seal[64]])


def _integer(number):
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
