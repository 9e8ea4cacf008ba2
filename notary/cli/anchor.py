"""Those who attest to heads, and the contract that heads are anchored in."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from notary import keys, wiring
from notary.anchoring.contract import deploy
from notary.anchoring.rpc import Node
from notary.cli import anchor_status, key
from notary.cli.folder import DataDir, settings_of
from notary.errors import SettingsError
from notary.evidence.key_history import HEAD
from notary.settings import Settings
from notary.settings.anchors import Chain
from notary.store.connecting import is_there
from notary.store.incidents import incidents, open_contradictions
from notary.store.migrate import is_made
from notary.wiring.key_files import has_anchored
from notary.wiring.nodes import nodes_of

KeyFile = Annotated[Path, typer.Argument(help="File of the next head key.", exists=True, dir_okay=False)]
Wallet = Annotated[
    Path, typer.Option(help="File of a key that pays; not that of the service's own wallet.", exists=True)
]
console = Console(highlight=False)


def add_to(group: typer.Typer) -> None:
    """Add the commands of this module."""
    group.command("status")(anchor_status.command)
    group.command("deploy")(anchor_deploy)
    group.command("hand-over")(anchor_hand_over)
    group.command("incidents")(anchor_incidents)


def anchor_deploy() -> None:
    """Put the contract onto the first chain of the settings, and print its address."""
    settings = settings_of(None)
    chain, node = _first_chain(settings)
    if is_there(settings.database_url):
        _refuse_lane(settings)
    found = deploy(node, keys.load_secp256k1(settings.wallet_key))
    console.print(f"contract 0x{found.hex()} on chain {chain.chain_id}")


def anchor_hand_over(next_key: KeyFile, wallet: Wallet, data_dir: DataDir = None) -> None:
    """Have the head key hand over to the next one, as `notary key rotate head --key FILE --wallet FILE` does."""
    key.change(settings_of(data_dir), HEAD, next_key, wallet, key.WAIT)


def anchor_incidents(data_dir: DataDir = None) -> None:
    """List what must never happen to an anchor and did; exit status 1 where a contradicted one is not made good."""
    database, _ = wiring.open_made(settings_of(data_dir))
    try:
        with database.reading() as connection:
            found, unmended = incidents(connection), open_contradictions(connection)
    finally:
        database.dispose()
    for each in found:
        state = " (not anchored again yet)" if each in unmended else ""
        said = f"{each.created_at:%Y-%m-%dT%H:%M:%SZ} {each.kind} {each.anchor} {each.subject}: {each.detail}"
        console.print(said + state, soft_wrap=True)
    if unmended:
        raise typer.Exit(1)


def _refuse_lane(settings: Settings) -> None:
    database, _ = wiring.open_stores(settings)
    try:
        if is_made(database) and has_anchored(database, settings.wallet_key):
            raise SettingsError(
                "this wallet anchors, and its lane stops at a transaction that is not its own: "
                "name another in NOTARY_WALLET_KEY for this command"
            )
    finally:
        database.dispose()


def _first_chain(settings: Settings) -> tuple[Chain, Node]:
    if not settings.chains:
        raise SettingsError("no chain is configured: set NOTARY_CHAINS")
    chain = settings.chains[0]
    return chain, nodes_of(chain, settings)[0]
