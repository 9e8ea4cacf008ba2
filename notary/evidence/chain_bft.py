"""Extra data and hashes of headers whose validators seal them: QBFT, and IBFT 2.0 before it.

The seals stand in the header itself. So its hash leaves out seals and round, which may differ from node to node, and
what a validator signs leaves out the seals alone (EEA, QBFT Blockchain Consensus Protocol Specification v1).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from notary.errors import ChainError
from notary.evidence import rlp
from notary.evidence.keccak import keccak256

SEALED = ("qbft", "ibft2")  # profiles
MIX_HASH = bytes.fromhex("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365")
MAX_VALUES = 512  # in the extra data: 8192 bytes have no room for the seals of 100 validators
_EXTRA = 12  # its position in a header
_ITEMS = 5
_VANITY, _ADDRESS, _SEAL, _IBFT2_ROUND = 32, 20, 65, 4  # bytes
_MAX_ROUND = 2**32 - 1
# No vote, and what a vote to drop a validator ends in; one to add him ends in 0xff.
_NO_VOTE: dict[str, rlp.Item] = {"qbft": [], "ibft2": b""}
_DROP = {"qbft": b"", "ibft2": b"\x00"}


@dataclass(frozen=True, slots=True)
class Extra:
    """The extra data of a sealed header.

    Attributes:
        vanity: 32 bytes, free.
        validators: of this block, 20 bytes each; none where a contract of the chain names them.
        vote: as it stands.
        round: as it stands.
        seals: 65 bytes each.
    """

    vanity: bytes
    validators: tuple[bytes, ...]
    vote: rlp.Item
    round: bytes
    seals: tuple[bytes, ...]


def decode_extra(fields: Sequence[bytes], profile: str) -> Extra:
    """Decode the extra data of a header, of which `fields` are the fields.

    Raises:
        ChainError: it is not of the form of the profile.
    """
    items = rlp.decode_list(fields[_EXTRA], MAX_VALUES)
    if len(items) != _ITEMS:
        raise ChainError(f"extra data of profile {profile} does not have {len(items)} items")
    vanity, validators, vote, round_, seals = items
    if not isinstance(vanity, bytes) or len(vanity) != _VANITY:
        raise ChainError("the vanity in the extra data is not 32 bytes")
    if not _is_vote(vote, profile):
        raise ChainError("the vote in the extra data is malformed")
    if not isinstance(round_, bytes) or (profile == "ibft2" and len(round_) != _IBFT2_ROUND):
        raise ChainError("the round in the extra data is malformed")
    if profile == "qbft":
        rlp.decode_int(round_, _MAX_ROUND)
    addresses = _strings(validators, _ADDRESS, "validators")
    return Extra(vanity, addresses, vote, round_, _strings(seals, _SEAL, "seals"))


def block_hash(fields: Sequence[bytes], profile: str) -> bytes:
    """The hash of a block after the first: of its header without seals and round."""
    return _hash(fields, decode_extra(fields, profile), profile, with_round=False)


def sealed_hash(fields: Sequence[bytes], profile: str) -> bytes:
    """What a validator signs to seal the block: the hash of its header without seals."""
    return _hash(fields, decode_extra(fields, profile), profile, with_round=True)


def _hash(fields: Sequence[bytes], extra: Extra, profile: str, *, with_round: bool) -> bytes:
    kept: list[rlp.Item] = [extra.vanity, list(extra.validators), extra.vote]
    if profile == "qbft":  # left out is round 0 and an empty list
        kept += [extra.round if with_round else b"", []]
    elif with_round:
        kept.append(extra.round)
    return keccak256(rlp.encode([*fields[:_EXTRA], rlp.encode(kept), *fields[_EXTRA + 1 :]]))


def _is_vote(vote: rlp.Item, profile: str) -> bool:
    if vote == _NO_VOTE[profile]:
        return True
    match vote:
        case [bytes(address), bytes(kind)]:
            return len(address) == _ADDRESS and kind in (b"\xff", _DROP[profile])
    return False


def _strings(items: rlp.Item, length: int, what: str) -> tuple[bytes, ...]:
    found = tuple(item for item in items if isinstance(item, bytes)) if isinstance(items, list) else None
    if found is None or len(found) != len(items) or any(len(item) != length for item in found):
        raise ChainError(f"the {what} in the extra data are not a list of {length} bytes each")
    return found
