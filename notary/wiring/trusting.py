"""What the service says of itself, and what it trusts when it verifies on its own word."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from asn1crypto import pem
from cryptography.x509 import InvalidVersion, load_der_x509_certificate

from notary.anchoring.compiled import CODE_HASH
from notary.errors import FormatError, SettingsError, TrustError
from notary.evidence.bodies import Genesis
from notary.evidence.chain import ChainTrust, decode_evidence, decode_header
from notary.evidence.chain_seals import ValidatorSet
from notary.evidence.key_history import HEAD, KeyHistory
from notary.evidence.note import Verifier
from notary.evidence.ots_file import heights_of
from notary.evidence.package import Package
from notary.evidence.timestamp import Authority
from notary.evidence.trust import Trust
from notary.evidence.trust_chain import LOCAL
from notary.evidence.trust_roots import require_independent
from notary.services.trust_file import TrustSource
from notary.settings import Settings
from notary.settings.anchors import Chain, Tsa
from notary.store import anchorings
from notary.store.bitcoin_blocks import kept_blocks
from notary.store.engine import Database
from notary.store.key_changes import known_history

_VERIFIERS_OWN = 2  # docs/formats.md §8, k


def trust_source(settings: Settings, genesis: Genesis, history: KeyHistory | None = None) -> TrustSource:
    """Keys as the log names them, chains and authorities as the settings do.

    Raises:
        SettingsError: a root cannot be read, two organisations share one, or a chain is not the one of entry 0.
    """
    authorities = tuple(authority(tsa) for tsa in settings.trusted_tsas)
    try:
        require_independent(authorities)  # else one organisation's word would count for two
    except TrustError as error:
        raise SettingsError(str(error)) from error
    return TrustSource(
        origin=settings.origin,
        log_key=Verifier.from_vkey(genesis.log_key),
        receipt_key=Verifier.from_vkey(genesis.receipt_key),
        chains=tuple(chain_trust(chain, genesis, history) for chain in settings.chains),
        authorities=authorities,
        test_only=settings.embedded or any(chain.profile == LOCAL for chain in settings.chains),
        # Where more are needed than a verifier asks for by himself, he is told so.
        k=settings.stamps_needed if settings.stamps_needed > _VERIFIERS_OWN else None,
        history=history,
        margin=timedelta(seconds=settings.not_before_margin_seconds),
    )


def own_trust(database: Database, source: TrustSource, package: Package) -> Trust:
    """The service's own word: its keys, and the blocks that it saw become final itself."""
    seen: list[tuple[int, int, bytes]] = []
    heights = {
        height for size in package.sizes() for file in package.ots(size).values() for height in _named(file)
    }
    with database.reading() as connection:
        final = anchorings.anchorings_of_sizes(connection, package.sizes(), "evm", "final")
        bitcoin = kept_blocks(connection, heights)
        source = replace(source, history=known_history(connection))
    for item in final:
        if item.evidence is not None:
            evidence = decode_evidence(item.evidence)
            header = decode_header(evidence.header, evidence.profile)
            seen.append((evidence.chain_id, header.number, header.hash))
    return source.trust(seen, bitcoin)


def _named(file: bytes) -> set[int]:
    try:
        return heights_of(file)
    except FormatError:  # the check of the file itself will say so
        return set()


def require_origin(settings: Settings, genesis: Genesis) -> None:
    """Whether the settings name the log that is here.

    Raises:
        SettingsError: it has another name.
    """
    name = Verifier.from_vkey(genesis.log_key).name
    if name != settings.origin:
        raise SettingsError(
            f"this log is {name!r}, and NOTARY_ORIGIN says {settings.origin!r}: set it back, it stays for ever"
        )


def chain_trust(chain: Chain, genesis: Genesis, history: KeyHistory | None = None) -> ChainTrust:
    """The chain of the settings; its contract may be left to entry 0.

    Raises:
        SettingsError: it is another chain or contract than that of entry 0.
    """
    if chain.chain_id != genesis.chain_id or chain.contract not in (None, genesis.contract):
        raise SettingsError(
            f"entry 0 names chain {genesis.chain_id} and contract {genesis.contract}; "
            f"the settings name chain {chain.chain_id} and contract {chain.contract}"
        )
    later = () if history is None else history.keys(HEAD)
    return ChainTrust(
        chain_id=chain.chain_id,
        contract=_address(genesis.contract),
        log_id=genesis.log_id,
        code_hash=CODE_HASH,
        profile=chain.profile,
        blocks=(),
        head_keys=tuple(dict.fromkeys(map(_address, (genesis.head_key, *later, *chain.head_keys)))),
        validators=validators_of(chain),
    )


def validators_of(chain: Chain) -> tuple[ValidatorSet, ...]:
    """Who seals its blocks; nobody on most chains."""
    return tuple(
        ValidatorSet(each.from_block, tuple(map(_address, each.addresses))) for each in chain.validators
    )


def _address(shown: str) -> bytes:
    return bytes.fromhex(shown[2:])


def authority(tsa: Tsa) -> Authority:
    """A time-stamping authority with its pinned roots.

    Raises:
        SettingsError: as `certificate`; a root is not one of those that the settings or the profile pin.
    """
    roots = tuple(certificate(path) for path in tsa.roots)
    for path, found in zip(tsa.roots, (sha256(root).hexdigest() for root in roots), strict=True):
        if tsa.root_sha256 and found not in tsa.root_sha256:
            raise SettingsError(f"{path} is not a root that {tsa.name} is pinned to: its SHA-256 is {found}")
    return Authority(
        name=tsa.name,
        organisation=tsa.organisation,
        roots=roots,
        policies=tsa.policies,
        accuracy_ms=tsa.accuracy_ms,
    )


def certificate(path: Path) -> bytes:
    """The DER of the first certificate in a PEM file.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        der = bytes(pem.unarmor(path.read_bytes())[2])
        load_der_x509_certificate(der)
    except (OSError, ValueError, InvalidVersion) as error:
        raise SettingsError(f"{path} is not a readable certificate in PEM form") from error
    return der
