"""`notary setup`: a log where there is none; where there is one, a comparison and nothing more."""

from functools import partial

from rich.console import Console

from notary import keyring, keys, wiring
from notary.anchoring.contract import deploy, open_log, read_head
from notary.anchoring.fields import octets
from notary.errors import SettingsError
from notary.evidence.bodies import Genesis
from notary.log.open import refuse_published
from notary.settings import Settings
from notary.settings.loading import load_settings
from notary.store.migrate import migrate
from notary.wiring.nodes import nodes_of

console = Console(highlight=False)


def command() -> None:
    """Make what is missing: tables, keys, the contract's log, entry 0. With a log there, compare and send nothing."""
    settings = load_settings()
    database, objects = wiring.open_stores(settings)
    try:
        migrate(database)
        genesis = wiring.known_log(settings)
        if genesis is None:
            refuse_published(
                database, objects
            )  # a database that was lost opens no second log, and pays for none
            genesis = _new_log(settings)
    finally:
        database.dispose()
    console.print(f"log {settings.origin}\nlog key {genesis.log_key}\nlog id 0x{genesis.log_id.hex()}")
    console.print(f"contract {genesis.contract} on chain {genesis.chain_id}")


def _new_log(settings: Settings) -> Genesis:
    if len(settings.chains) != 1:
        raise SettingsError("name exactly one chain in NOTARY_CHAINS")
    (chain,) = settings.chains
    node, *_ = nodes_of(chain, settings)
    if not any(keyring.beside(settings.log_key)):
        keys.create(settings.log_key.parent)
    # All four, before anything is paid for: entry 0 names three of them.
    for path in (settings.log_key, settings.receipt_key):
        keys.load_ed25519(path)
    wallet, head = keys.load_secp256k1(settings.wallet_key), keys.load_secp256k1(settings.head_key)
    # A crash between the contract and entry 0 leaves a contract, and a log in it, that nobody uses.
    contract = deploy(node, wallet) if chain.contract is None else octets(chain.contract, 20)
    log_id = open_log(node, wallet, contract, settings.origin, head.address)
    anchored = partial(read_head, node, contract, log_id)
    return wiring.open_new_log(settings, chain.chain_id, contract, log_id, anchored)
