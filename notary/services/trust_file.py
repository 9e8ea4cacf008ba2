"""Writes a trust file from the service's own settings: what it asks verifiers to compare with other sources."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from asn1crypto import pem

from notary.evidence.chain import ChainTrust
from notary.evidence.fields import show_moment
from notary.evidence.key_history import HEAD, LOG, RECEIPT, KeyHistory, KeyPeriod
from notary.evidence.note import Verifier
from notary.evidence.timestamp import Authority
from notary.evidence.trust import VERSION, Trust, parse_trust


@dataclass(frozen=True, slots=True)
class TrustSource:
    """What the service knows of itself. Block hashes are not among it: a verifier adds those he found himself.

    Attributes:
        log_key, receipt_key: of entry 0; `history` names the later ones.
        k: sources that are needed; none: what a verifier takes without it.
        history: what the log says of its keys.
        margin: by so much the clocks of the operator, of authorities and of chains may differ.
    """

    origin: str
    log_key: Verifier
    receipt_key: Verifier
    chains: tuple[ChainTrust, ...]
    authorities: tuple[Authority, ...]
    test_only: bool
    k: int | None = None
    history: KeyHistory | None = None
    margin: timedelta = timedelta(minutes=1)

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
        ]
        for role, first in ((LOG, self.log_key), (RECEIPT, self.receipt_key)):
            for key in self._periods(role) or (KeyPeriod(first.vkey),):
                lines += ["", f"[[{role}_key]]", f"vkey = {_text(key.key)}", *self._period(key)]
        for chain in self.chains:
            lines += self._chain(chain, [(n, h) for chain_id, n, h in blocks if chain_id == chain.chain_id])
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

    def _periods(self, role: str) -> tuple[KeyPeriod, ...]:
        return () if self.history is None else self.history.periods(role)

    def _period(self, key: KeyPeriod) -> list[str]:
        lines = []
        if key.since is not None:
            lines.append(f"since = {show_moment(key.since - self.margin)}")
        if key.until is not None:
            # The minute of a key that served its time is for the clocks; whoever stole it has none of it.
            until = key.until + self.margin
            lines.append(f"until = {show_moment(until if key.stolen is None else min(until, key.stolen))}")
        if key.last_good_size is not None:
            lines.append(f"last_good_size = {key.last_good_size}")
        return lines

    def _chain(self, chain: ChainTrust, blocks: list[tuple[int, bytes]]) -> list[str]:
        lines = [
            "",
            "[[chain]]",
            f"chain_id = {chain.chain_id}",
            f'contract = "0x{chain.contract.hex()}"',
            f'log_id = "0x{chain.log_id.hex()}"',
            f'code_hash = "0x{chain.code_hash.hex()}"',
            f"profile = {_text(chain.profile)}",
        ]
        periods = self._periods(HEAD)
        told = periods if len(periods) > 1 else ()  # the one of entry 0 alone has no period
        others = [key for key in chain.head_keys if f"0x{key.hex()}" not in {key.key for key in told}]
        if others:
            lines.append(f"head_keys = [{_addresses(others)}]")
        for key in told:
            lines += ["", "[[chain.head_key]]", f'address = "{key.key}"', *self._period(key)]
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
