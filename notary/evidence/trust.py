"""The trust file: all that a verifier takes from outside the evidence (docs/formats.md §8).

It names keys, chains and authorities; nothing in a package can add to it.
"""

import tomllib
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from notary.errors import FormatError, TrustError
from notary.evidence.asked import BlockAnswer
from notary.evidence.bitcoin import HEADER, BlockHeader, decode_block_header
from notary.evidence.chain import ChainTrust
from notary.evidence.fields import natural, text, version
from notary.evidence.note import Verifier, split_vkey
from notary.evidence.ots_file import MAX_HEIGHT
from notary.evidence.outcome import source_of
from notary.evidence.receipt import receipt_key_name
from notary.evidence.statement import ORIGIN
from notary.evidence.timestamp import Authority
from notary.evidence.trust_chain import LOCAL, read_chain, share_blocks
from notary.evidence.trust_roots import require_independent
from notary.evidence.trust_toml import PERIOD, certificate, each, flag, hex_bytes, period, strings, table

MAX_TRUST = 1024 * 1024
VERSION = 1
MAX_ACCURACY_MS = 3_600_000
_NAME = r"[a-z0-9][a-z0-9._-]{0,63}"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A note key, the period in which it signed, and where trust in it ends if it was compromised."""

    verifier: Verifier
    since: datetime | None
    until: datetime | None
    last_good_size: int | None


@dataclass(frozen=True, slots=True)
class Trust:
    """One log as its verifier knows it. `k` independent sources are needed for a bound in time."""

    origin: str
    k: int
    log_keys: tuple[TrustedKey, ...]
    receipt_keys: tuple[TrustedKey, ...]
    chains: tuple[ChainTrust, ...]
    authorities: tuple[Authority, ...]
    witnesses: tuple[str, ...]  # vkeys of cosigners; kept and shown, counted by no check yet
    test_only: bool  # the file says of itself that its anchors prove nothing
    bitcoin_blocks: tuple[tuple[int, BlockHeader], ...] = ()  # by height, each height once


def parse_trust(data: bytes) -> Trust:
    """Read a trust file (TOML, at most 1 MiB).

    Raises:
        TrustError: not TOML, an unknown or missing key, or a value that is not of its form; says which.
    """
    if len(data) > MAX_TRUST:
        raise TrustError(f"the trust file is larger than {MAX_TRUST} bytes")
    try:
        value = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # ValueError also for an integer of 5,000 digits
        raise TrustError(f"the trust file is not TOML: {error}") from error
    try:
        return _trust(value)
    except FormatError as error:
        raise TrustError(f"trust file: {error}") from error


def with_answers(trust: Trust, answers: Iterable[BlockAnswer]) -> Trust:
    """The same trust, and what was said of blocks of its chains: it counts as their `[[chain.block]]` do."""
    said = tuple(answers)
    chains = (
        replace(chain, answers=tuple(answer for answer in said if answer.chain_id == chain.chain_id))
        for chain in trust.chains
    )
    return replace(trust, chains=tuple(chains))


def _trust(value: dict[str, Any]) -> Trust:
    table(
        value,
        {"version", "origin", "log_key"},
        {"k", "test_only", "receipt_key", "chain", "tsa", "witness", "bitcoin_block"},
        "top",
    )
    version(value["version"], VERSION, "top")
    chains = share_blocks(each(value, "chain", read_chain))
    authorities = each(value, "tsa", _authority)
    _no_two((authority.name for authority in authorities), "tsa have the same name")
    # What a second table says, a restriction perhaps, would count for nothing.
    _no_two(((c.chain_id, c.contract, c.log_id) for c in chains), "chain are of one contract and log id")
    bitcoin_blocks = each(value, "bitcoin_block", _bitcoin_block)
    _no_two((height for height, _ in bitcoin_blocks), "bitcoin_block are of one height")
    require_independent(authorities)
    names = {a.organisation for a in authorities} | {f"chain {c.chain_id}" for c in chains}
    sources = len(set(map(source_of, names)))
    origin = text(value["origin"], "origin", ORIGIN)
    log_keys, receipt_keys = _keys(value, origin)
    test_only = flag(value.get("test_only", False), "test_only")
    if not test_only and any(chain.profile == LOCAL for chain in chains):
        raise TrustError(f"trust file: a chain of profile {LOCAL} proves nothing, and test_only is not true")
    return Trust(
        origin=origin,
        k=_sources_needed(value.get("k"), sources),
        log_keys=log_keys,
        receipt_keys=receipt_keys,
        chains=chains,
        authorities=authorities,
        witnesses=each(value, "witness", _witness),
        test_only=test_only,
        bitcoin_blocks=bitcoin_blocks,
    )


def _keys(value: dict[str, Any], origin: str) -> tuple[tuple[TrustedKey, ...], tuple[TrustedKey, ...]]:
    """Log keys, at least one, and receipt keys."""
    log_keys = each(value, "log_key", _key)
    receipt_keys = each(value, "receipt_key", _key)
    if not log_keys:
        raise TrustError("trust file: there is no log_key")
    for keys, kind in ((log_keys, "log_key"), (receipt_keys, "receipt_key")):
        _no_two((key.verifier.key_id for key in keys), f"{kind} have one key id")
    both = {key.verifier.public for key in log_keys} & {key.verifier.public for key in receipt_keys}
    if both:  # whoever steals the one that is online with every API process would have the other
        raise TrustError("trust file: one key is a log_key and a receipt_key: none does the work of another")
    _named(log_keys, origin, "log_key")
    _named(receipt_keys, receipt_key_name(origin), "receipt_key")
    return log_keys, receipt_keys


def _sources_needed(k: Any, sources: int) -> int:
    if k is None:
        return min(2, max(1, sources))
    if natural(k, "k", 64) == 0:
        raise TrustError("trust file: k is at least 1")
    return int(k)


def _key(item: dict[str, Any]) -> TrustedKey:
    table(item, {"vkey"}, PERIOD, "key")
    return TrustedKey(Verifier.from_vkey(item["vkey"]), *period(item))


def _bitcoin_block(item: dict[str, Any]) -> tuple[int, BlockHeader]:
    table(item, {"height", "header"}, set(), "bitcoin_block")
    return natural(item["height"], "height of a block", MAX_HEIGHT), decode_block_header(
        hex_bytes(item["header"], "header of a block", HEADER)
    )


def _authority(item: dict[str, Any]) -> Authority:
    optional = {"policies", "accuracy_ms", "intermediates", "revocation"}
    table(item, {"name", "organisation", "roots"}, optional, "tsa")
    roots = tuple(certificate(root, "roots") for root in strings(item["roots"], "roots"))
    if not roots:
        raise TrustError("trust file: a tsa has no root certificate")
    accuracy = item.get("accuracy_ms")
    return Authority(
        name=text(item["name"], "name of an authority", _NAME),
        organisation=text(item["organisation"], "organisation", r"[^\x00-\x1f\x7f]{1,200}"),
        roots=roots,
        policies=tuple(
            text(p, "policy", r"[0-9]+(\.[0-9]+)+") for p in strings(item.get("policies", []), "policies")
        ),
        accuracy_ms=None if accuracy is None else natural(accuracy, "accuracy_ms", MAX_ACCURACY_MS),
        intermediates=tuple(
            certificate(c, "intermediates") for c in strings(item.get("intermediates", []), "intermediates")
        ),
        strict=text(item.get("revocation", "lenient"), "revocation", "strict|lenient") == "strict",
    )


def _witness(item: dict[str, Any]) -> str:
    table(item, {"vkey"}, set(), "witness")
    split_vkey(item["vkey"])
    return str(item["vkey"])


def _no_two(values: Iterable[Hashable], what: str) -> None:
    if any(count > 1 for count in Counter(values).values()):
        raise TrustError(f"trust file: two {what}")


def _named(keys: tuple[TrustedKey, ...], name: str, what: str) -> None:
    """A key is of one role by its name, so that none can be listed under another by mistake."""
    for key in keys:
        if key.verifier.name != name:
            raise TrustError(f"trust file: a {what} has the name {key.verifier.name!r} and not {name!r}")
