"""Settings of the embedded service: its own, whatever variables of another service say."""

import json
from pathlib import Path
from typing import Any

from notary.embedded import seal, tsa
from notary.embedded.children import CHAIN_ID, Children
from notary.settings import Settings
from notary.settings.anchors import Chain, Tsa
from notary.settings.loading import load_settings

ORIGIN = "localhost/notary-embedded"
OPERATOR = "notary embedded (proves nothing 无证明力)"
_CHAIN, _TSA = "local-chain", "local-tsa"
STORED = "embedded.json"
# Defaults in the place of what variables of another service may name.
_IN_THE_FOLDER: dict[str, Any] = dict.fromkeys(
    ("objects_url", "s3_endpoint", "s3_access_key_file", "s3_secret_key_file")
) | {"ots": (), "former_tsas": (), "stamps_needed": 1}


def stored_settings(folder: Path) -> Settings | None:
    """Settings of an embedded service as it last ran in `folder`; None where there was none."""
    stored = read_stored(folder / STORED)
    if stored is None:
        return None
    found = Children(stored["chain_url"], stored["tsa_url"])
    return settings_of(folder, found, f"0x{stored['contract']}", "127.0.0.1", 8000)


def settings_of(folder: Path, found: Children, contract: str | None, host: str, port: int) -> Settings:
    """Settings with children that listen there, and a contract once there is one."""
    return load_settings(**values_of(folder, found, contract, host, port))


def values_of(folder: Path, found: Children, contract: str | None, host: str, port: int) -> dict[str, Any]:
    """Everything is in the folder: no database, bucket or key that variables of another service name is touched."""
    chain = Chain(
        name=_CHAIN, rpc_urls=(found.chain_url,), chain_id=CHAIN_ID, contract=contract, profile="anvil"
    )
    authority = Tsa(
        name=_TSA,
        organisation="Embedded test TSA (proves nothing)",
        url=found.tsa_url,
        roots=(folder / "tsa" / tsa.ROOT,),
        policies=(tsa.POLICY,),
    )
    certificates, key = seal.prepare(folder / "seal")
    return _IN_THE_FOLDER | {
        "data_dir": folder,
        "database_url": f"sqlite:///{folder / 'notary.db'}",
        "log_key": folder / "keys" / "log.pem",
        "receipt_key": folder / "keys" / "receipt.pem",
        "head_key": folder / "keys" / "head.key",
        "wallet_key": folder / "keys" / "wallet.key",
        "temp_dir": folder / "spool",
        "origin": ORIGIN,
        "operator": OPERATOR,
        "embedded": True,
        "host": host,
        "port": port,
        "public_url": f"http://{f'[{host}]' if ':' in host else host}:{port}",
        "chains": (chain,),
        "tsas": (authority,),
        "allow_private_addresses": True,
        "seal_certificates": certificates,
        "seal_key": key,
        "stamp_interval_seconds": 1,
        "revocation_interval_seconds": 1,
        "anchor_interval_seconds": 5,
        "poll_interval_seconds": 1,
        "not_before_margin_seconds": 1,  # chain, authority and service go by one clock
    }


def read_stored(path: Path) -> dict[str, str] | None:
    """What was kept of the last run: contract, and where the children listened; None before the first."""
    if not path.exists():
        return None
    stored: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return stored
