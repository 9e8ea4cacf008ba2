"""Writes a trust file from the service's own settings: what it asks verifiers to compare with other sources."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from asn1crypto import pem

from notary.evidence.chain import ChainTrust
from notary.evidence.note import Verifier
from notary.evidence.timestamp import Authority
from notary.evidence.trust import VERSION, Trust, parse_trust


@dataclass(frozen=True, slots=True)
class TrustSource:
    """What the service knows of itself. Block hashes are not among it: a verifier adds those he found himself."""

    origin: str
    log_key: Verifier
    receipt_key: Verifier
    chains: tuple[ChainTrust, ...]
    authorities: tuple[Authority, ...]
    test_only: bool
    k: int | None = None  # none: what a verifier takes without it

    def file(
        self, blocks: Sequence[tuple[int, int, bytes]] = (), bitcoin: Sequence[tuple[int, bytes]] = ()
    ) -> str:
        """The TOML text; the caller vouches for `blocks` (chain id, number, hash) and `bitcoin` (height, header)."""
        lines = [
            "# What a verifier trusts, from outside the evidence. Compare each value with a second source.",
            f"version = {VERSION}",
            f"origin = {_text(self.origin)}",
            f"test_only = {'true' if self.test_only else 'false'}",
            *([] if self.k is None else [f"k = {self.k}"]),
            "",
            "[[log_key]]",
            f"vkey = {_text(self.log_key.vkey)}",
            "",
            "[[receipt_key]]",
            f"vkey = {_text(self.receipt_key.vkey)}",
        ]
        for chain in self.chains:
            lines += _chain(chain, [(n, h) for chain_id, n, h in blocks if chain_id == chain.chain_id])
        for authority in self.authorities:
            lines += _authority(authority)
        for height, header in bitcoin:
            lines += ["", "[[bitcoin_block]]", f"height = {height}", f'header = "0x{header.hex()}"']
        return "\n".join(lines) + "\n"

    def trust(
        self, blocks: Sequence[tuple[int, int, bytes]] = (), bitcoin: Sequence[tuple[int, bytes]] = ()
    ) -> Trust:
        """The same, read back as a verifier reads it."""
        return parse_trust(self.file(blocks, bitcoin).encode())


def _chain(chain: ChainTrust, blocks: list[tuple[int, bytes]]) -> list[str]:
    lines = [
        "",
        "[[chain]]",
        f"chain_id = {chain.chain_id}",
        f'contract = "0x{chain.contract.hex()}"',
        f'log_id = "0x{chain.log_id.hex()}"',
        f'code_hash = "0x{chain.code_hash.hex()}"',
        f"profile = {_text(chain.profile)}",
    ]
    if chain.head_keys:
        lines.append(f"head_keys = [{_addresses(chain.head_keys)}]")
    for each in chain.validators:
        lines += ["", "[[chain.validators]]", f"from_block = {each.from_block}"]
        lines.append(f"addresses = [{_addresses(each.addresses)}]")
    for number, digest in blocks:
        lines += ["", "[[chain.block]]", f"number = {number}", f'hash = "0x{digest.hex()}"']
    return lines


def _addresses(addresses: Sequence[bytes]) -> str:
    return ", ".join(f'"0x{address.hex()}"' for address in addresses)


def _authority(authority: Authority) -> list[str]:
    lines = [
        "",
        "[[tsa]]",
        f"name = {_text(authority.name)}",
        f"organisation = {_text(authority.organisation)}",
        f"policies = [{', '.join(_text(policy) for policy in authority.policies)}]",
        f"roots = [{', '.join(_certificate(root) for root in authority.roots)}]",
    ]
    if authority.intermediates:
        lines.append(f"intermediates = [{', '.join(_certificate(item) for item in authority.intermediates)}]")
    if authority.strict:
        lines.append('revocation = "strict"')
    if authority.accuracy_ms is not None:
        lines.append(f"accuracy_ms = {authority.accuracy_ms}")
    return lines


def _certificate(der: bytes) -> str:
    return '"""\n' + str(pem.armor("CERTIFICATE", der), "ascii") + '"""'


def _text(value: str) -> str:
    # A JSON string is a TOML basic string, but for DEL, which JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
