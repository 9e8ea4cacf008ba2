"""The tables `[[chain]]` of the trust file (docs/formats.md §8)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from notary.errors import TrustError
from notary.evidence.chain import ChainTrust, HeadKeyPeriod
from notary.evidence.chain_bft import SEALED
from notary.evidence.chain_header import PROFILES
from notary.evidence.chain_seals import ValidatorSet
from notary.evidence.fields import natural, text
from notary.evidence.trust_toml import PERIOD, hex_bytes, period, strings, table, tables

LOCAL = "anvil"  # the profile of chains that anybody can make, with any time
MAX_VALIDATORS = 100  # whose seals a header has no room for
_ADDRESS = 20


def read_chain(item: dict[str, Any]) -> ChainTrust:
    """A chain with what its profile needs.

    Raises:
        TrustError, FormatError: an unknown or missing key, a value that is not of its form, a profile that is not
            known, or validators where the profile has none, or none where it needs them.
    """
    needed = {"chain_id", "contract", "log_id", "code_hash", "profile"}
    table(item, needed, {"block", "head_key", "head_keys", "validators"}, "chain")
    profile = text(item["profile"], "profile", "[a-z0-9-]{1,32}")
    if profile not in PROFILES:
        raise TrustError(f"trust file: profile {profile!r} is not known; known: {', '.join(PROFILES)}")
    validators = tuple(_validators(each) for each in tables(item, "validators"))
    if bool(validators) != (profile in SEALED):
        has = "needs" if profile in SEALED else "has no"
        raise TrustError(f"trust file: a chain of profile {profile} {has} validators")
    if len({each.from_block for each in validators}) < len(validators):
        raise TrustError("trust file: two sets of validators begin with one block")
    blocks = tuple(_block(block) for block in tables(item, "block"))
    if len(dict(blocks)) < len(blocks):
        raise TrustError("trust file: two blocks of a chain have one number")
    periods = tuple(_head_key(each) for each in tables(item, "head_key"))
    head_keys = (
        *(each.address for each in periods),
        *_addresses(item.get("head_keys", []), "head_keys"),
    )
    if periods and len(set(head_keys)) < len(head_keys):
        # What its period says would count for nothing.
        raise TrustError("trust file: a head key of a chain is named twice")
    return ChainTrust(
        chain_id=natural(item["chain_id"], "chain_id"),
        contract=hex_bytes(item["contract"], "contract", _ADDRESS),
        log_id=hex_bytes(item["log_id"], "log_id", 32),
        code_hash=hex_bytes(item["code_hash"], "code_hash", 32),
        profile=profile,
        blocks=blocks,
        head_keys=head_keys,
        validators=validators,
        head_periods=periods,
    )


def share_blocks(chains: Sequence[ChainTrust]) -> tuple[ChainTrust, ...]:
    """Each chain with the blocks of all tables of its chain id: a block is of the chain, and not of a contract.

    Raises:
        TrustError: two tables give one number of a chain two hashes.
    """
    known: dict[int, dict[int, bytes]] = {}
    for chain in chains:
        blocks = known.setdefault(chain.chain_id, {})
        for number, block_hash in chain.blocks:
            if blocks.setdefault(number, block_hash) != block_hash:
                raise TrustError(f"trust file: block {number} of chain {chain.chain_id} has two hashes")
    return tuple(replace(chain, blocks=tuple(known[chain.chain_id].items())) for chain in chains)


def _block(item: dict[str, Any]) -> tuple[int, bytes]:
    table(item, {"number", "hash"}, set(), "block")
    return natural(item["number"], "block number"), hex_bytes(item["hash"], "block hash", 32)


def _head_key(item: dict[str, Any]) -> HeadKeyPeriod:
    table(item, {"address"}, PERIOD, "head_key")
    return HeadKeyPeriod(hex_bytes(item["address"], "address", _ADDRESS), *period(item))


def _validators(item: dict[str, Any]) -> ValidatorSet:
    table(item, {"addresses"}, {"from_block"}, "validators")
    addresses = _addresses(item["addresses"], "validators")
    # Of one named twice two seals would be wanted, or its one would count as two.
    if not 0 < len(set(addresses)) == len(addresses) <= MAX_VALIDATORS:
        raise TrustError(f"trust file: validators are not 1 to {MAX_VALIDATORS} different addresses")
    return ValidatorSet(natural(item.get("from_block", 0), "from_block"), addresses)


def _addresses(value: Any, what: str) -> tuple[bytes, ...]:
    return tuple(hex_bytes(address, what, _ADDRESS) for address in strings(value, what))
