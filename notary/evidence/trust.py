"""The trust file: all that a verifier takes from outside the evidence (docs/formats.md §8).

It names keys, chains and authorities; nothing in a package can add to it.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from asn1crypto import pem

from notary.errors import FormatError, TrustError
from notary.evidence.chain import ChainTrust
from notary.evidence.fields import natural, text
from notary.evidence.note import Verifier
from notary.evidence.statement import ORIGIN
from notary.evidence.timestamp import Authority

MAX_TRUST = 1024 * 1024
VERSION = 1
_NAME = r"[a-z0-9][a-z0-9._-]{0,63}"
_HEX = "0x[0-9a-f]{%d}"
T = TypeVar("T")


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
    witnesses: tuple[Verifier, ...]  # cosignatures; kept and shown, counted by no check yet
    test_only: bool  # the file says of itself that its anchors prove nothing


def parse_trust(data: bytes) -> Trust:
    """Read a trust file (TOML, at most 1 MiB).

    Raises:
        TrustError: not TOML, an unknown or missing key, or a value that is not of its form; says which.
    """
    if len(data) > MAX_TRUST:
        raise TrustError(f"the trust file is larger than {MAX_TRUST} bytes")
    try:
        value = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TrustError(f"the trust file is not TOML: {error}") from error
    try:
        return _trust(value)
    except FormatError as error:
        raise TrustError(f"trust file: {error}") from error


def _trust(value: dict[str, Any]) -> Trust:
    _keys(
        value,
        {"version", "origin", "log_key"},
        {"k", "test_only", "receipt_key", "chain", "tsa", "witness"},
        "top",
    )
    if value["version"] != VERSION:
        raise TrustError(f"trust file version {value['version']} is not {VERSION}")
    chains = _each(value, "chain", _chain)
    authorities = _each(value, "tsa", _authority)
    names = [authority.name for authority in authorities]
    if len(set(names)) != len(names):
        raise TrustError("two time-stamping authorities have the same name")
    sources = len({authority.organisation for authority in authorities}) + len(chains)
    return Trust(
        origin=text(value["origin"], "origin", ORIGIN),
        k=_sources_needed(value.get("k"), sources),
        log_keys=_each(value, "log_key", _key),
        receipt_keys=_each(value, "receipt_key", _key),
        chains=chains,
        authorities=authorities,
        witnesses=tuple(_verifier(item, "witness") for item in _list(value, "witness")),
        test_only=_flag(value.get("test_only", False), "test_only"),
    )


def _sources_needed(k: Any, sources: int) -> int:
    if k is None:
        return min(2, max(1, sources))
    if natural(k, "k", 64) == 0:
        raise TrustError("trust file: k is at least 1")
    return int(k)


def _key(item: dict[str, Any]) -> TrustedKey:
    _keys(item, {"vkey"}, {"since", "until", "last_good_size"}, "key")
    size = item.get("last_good_size")
    return TrustedKey(
        Verifier.from_vkey(text(item["vkey"], "vkey", r"[ -~]+", 400)),
        _moment(item.get("since"), "since"),
        _moment(item.get("until"), "until"),
        None if size is None else natural(size, "last_good_size"),
    )


def _chain(item: dict[str, Any]) -> ChainTrust:
    _keys(item, {"chain_id", "contract", "log_id", "code_hash", "profile"}, {"block"}, "chain")
    return ChainTrust(
        chain_id=natural(item["chain_id"], "chain_id"),
        contract=_bytes(item["contract"], "contract", 20),
        log_id=_bytes(item["log_id"], "log_id", 32),
        code_hash=_bytes(item["code_hash"], "code_hash", 32),
        profile=text(item["profile"], "profile", "[a-z0-9-]{1,32}"),
        blocks=tuple(_block(block) for block in _list(item, "block")),
    )


def _block(item: dict[str, Any]) -> tuple[int, bytes]:
    _keys(item, {"number", "hash"}, set(), "block")
    return natural(item["number"], "block number"), _bytes(item["hash"], "block hash", 32)


def _authority(item: dict[str, Any]) -> Authority:
    _keys(item, {"name", "organisation", "roots"}, {"policies", "accuracy_ms", "intermediates"}, "tsa")
    roots = tuple(_certificate(root, "roots") for root in _strings(item["roots"], "roots"))
    if not roots:
        raise TrustError(f"authority {item['name']!r} has no root certificate")
    accuracy = item.get("accuracy_ms")
    return Authority(
        name=text(item["name"], "name of an authority", _NAME),
        organisation=text(item["organisation"], "organisation", r"[^\x00-\x1f\x7f]{1,200}"),
        roots=roots,
        policies=tuple(
            text(p, "policy", r"[0-9]+(\.[0-9]+)+") for p in _strings(item.get("policies", []), "policies")
        ),
        accuracy_ms=None if accuracy is None else natural(accuracy, "accuracy_ms", 3_600_000),
        intermediates=tuple(
            _certificate(c, "intermediates") for c in _strings(item.get("intermediates", []), "intermediates")
        ),
    )


def _certificate(value: str, what: str) -> bytes:
    try:
        kind, _, der = pem.unarmor(value.strip().encode())
    except ValueError as error:
        raise TrustError(f"{what}: not a certificate in PEM form") from error
    if kind != "CERTIFICATE":
        raise TrustError(f"{what}: PEM of {kind}, not of a certificate")
    return bytes(der)


def _verifier(item: dict[str, Any], what: str) -> Verifier:
    _keys(item, {"vkey"}, set(), what)
    return Verifier.from_vkey(text(item["vkey"], "vkey", r"[ -~]+", 400))


def _keys(value: Any, needed: set[str], allowed: set[str], what: str) -> None:
    if not isinstance(value, dict):
        raise TrustError(f"trust file: {what} is not a table")
    for key in sorted(needed - set(value)):
        raise TrustError(f"trust file: {what} has no {key!r}")
    for key in sorted(set(value) - needed - allowed):
        raise TrustError(f"trust file: {what} has a key {key!r} that we do not know")


def _each(value: dict[str, Any], key: str, read: Callable[[dict[str, Any]], T]) -> tuple[T, ...]:
    return tuple(read(item) for item in _list(value, key))


def _list(value: dict[str, Any], key: str) -> list[Any]:
    items = value.get(key, [])
    if not isinstance(items, list):
        raise TrustError(f"trust file: {key} is not a list of tables")
    return items


def _strings(value: Any, what: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TrustError(f"trust file: {what} is not a list of strings")
    return value


def _bytes(value: Any, what: str, length: int) -> bytes:
    return bytes.fromhex(text(value, what, _HEX % (2 * length), 2 * length + 2)[2:])


def _flag(value: Any, what: str) -> bool:
    if not isinstance(value, bool):
        raise TrustError(f"trust file: {what} is neither true nor false")
    return value


def _moment(value: Any, what: str) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TrustError(f"trust file: {what} is not a time with a zone, such as 2026-11-24T00:00:00Z")
    return value.astimezone(UTC)
