"""Whether the validators that a verifier trusts sealed a block (docs/formats.md §10)."""

from collections.abc import Sequence
from dataclasses import dataclass

from notary.errors import ChainError
from notary.evidence.chain_bft import decode_extra, sealed_hash
from notary.evidence.chain_header import Header, header_fields
from notary.evidence.secp256k1 import signer


@dataclass(frozen=True, slots=True)
class ValidatorSet:
    """Who seals blocks from one number on, until a later set begins; addresses of 20 bytes."""

    from_block: int
    addresses: tuple[bytes, ...]

    @property
    def quorum(self) -> int:
        """Seals that a block needs: two thirds, rounded up."""
        return -(-2 * len(self.addresses) // 3)


def validators_at(number: int, sets: Sequence[ValidatorSet]) -> ValidatorSet | None:
    """The set that seals the block of this number, or None where all begin later."""
    begun = [each for each in sets if each.from_block <= number]
    return max(begun, key=lambda each: each.from_block, default=None)


def check_seals(raw: bytes, header: Header, profile: str, validators: ValidatorSet) -> int:
    """Two thirds of these validators sealed the block, each once, and nobody else did; how many.

    Args:
        raw: RLP of the header, with its seals.
        header: the same, decoded.
        profile: one whose blocks are sealed.
        validators: whom the caller trusts to seal the block of this number.

    Raises:
        ChainError: too few sealed it, or one of them twice, or somebody else, or a seal is malformed or of another
            header; the header names other validators; it is the first block, which nobody seals.
    """
    if header.number == 0:
        raise ChainError("block 0 bears no seals")
    fields = header_fields(raw)
    extra = decode_extra(fields, profile)
    trusted = set(validators.addresses)
    # Where a contract of the chain chooses the validators a header names none, and the seals alone show who they are.
    if extra.validators and sorted(extra.validators) != sorted(trusted):
        raise ChainError(
            f"block {header.number} names {len(extra.validators)} validators, and not the {len(trusted)} that are "
            f"trusted from block {validators.from_block} on"
        )
    digest = sealed_hash(fields, profile)
    sealers: set[bytes] = set()
    for seal in extra.seals:  # each takes milliseconds: the first that is not good is the last
        address = signer(digest, seal)
        if address not in trusted:
            raise ChainError(f"a seal of block {header.number} is of 0x{address.hex()}, not of a validator")
        if address in sealers:
            raise ChainError(f"0x{address.hex()} sealed block {header.number} twice")
        sealers.add(address)
    if len(sealers) < validators.quorum:
        raise ChainError(
            f"block {header.number} bears {len(sealers)} seals: {validators.quorum} of {len(trusted)} validators "
            "must have sealed it"
        )
    return len(sealers)
