"""Keys of the log: made, changed, told of."""

import json
import secrets
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from notary import keys, wiring
from notary.anchoring.contract import read_keys
from notary.anchoring.fields import octets
from notary.anchoring.rpc import Node
from notary.anchoring.succession import hand_over
from notary.cli.folder import AsJson, DataDir, settings_of
from notary.errors import SettingsError
from notary.evidence.bodies import Genesis
from notary.evidence.fields import moment, show_moment
from notary.evidence.key_history import HEAD, ROLES, KeyPeriod
from notary.keyring import find_secp256k1
from notary.services.outstanding import Outstanding
from notary.services.rotating import Rotating
from notary.settings import Settings
from notary.wiring.key_files import at_hand, has_anchored, is_wallet, maker, note_key, path_of, public_of
from notary.wiring.nodes import nodes_of

WAIT = 120.0  # seconds
_ANCHORS = (
    "this wallet anchors, and its lane stops at a transaction that is not its own: name another with --wallet"
)


class Role(StrEnum):
    """What a key signs: checkpoints, receipts, heads on a chain."""

    LOG = "log"
    RECEIPT = "receipt"
    HEAD = "head"


Wallet = Annotated[
    Path | None,
    typer.Option(help="For a head key: file of a key that pays; none of the service's own wallets."),
]
GiveUp = Annotated[
    list[str] | None,
    typer.Option(
        help="Name of an anchor: what the old log key's heads wait for there is given up. Of a head key: a chain that "
        "no worker anchors on any more."
    ),
]
console = Console(highlight=False, soft_wrap=True)


def add_to(group: typer.Typer) -> None:
    """Add the commands of this module."""
    group.command("new")(new)
    group.command("rotate")(rotate)
    group.command("compromised")(compromised)
    group.command("list")(list_keys)


def new(folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")]) -> None:
    """Make the four keys of a new log: log, receipt, head, wallet."""
    keys.create(folder)
    console.print(
        f"made log.pem, receipt.pem, head.key and wallet.key in {folder}; keep copies off this machine"
    )


def rotate(
    role: Annotated[Role, typer.Argument(help="log, receipt or head.")],
    key: Annotated[
        Path | None,
        typer.Option(
            help="File of the new key, which is copied; none: one is made.", exists=True, dir_okay=False
        ),
    ] = None,
    wallet: Wallet = None,
    finish: Annotated[
        bool, typer.Option("--finish", help="Bring an earlier run to its end, and begin no rotation.")
    ] = False,
    give_up: GiveUp = None,
    wait: Annotated[float, typer.Option(help="Seconds for each thing that is waited for.")] = WAIT,
    data_dir: DataDir = None,
) -> None:
    """Bring a new key into force and end the old one; run it again if it stops on the way."""
    settings = settings_of(data_dir)
    change(settings, role.value, key, wallet, wait, finish=finish, give_up=give_up or ())


def change(
    settings: Settings,
    role: str,
    key: Path | None,
    wallet: Path | None,
    wait: float,
    *,
    finish: bool = False,
    give_up: Collection[str] = (),
) -> None:
    """Rotate the key of a role, and say what is in force then.

    Raises:
        SettingsError: nobody is named who pays for the two transactions, or a wallet that anchors is.
        NotaryError: as `Rotating.rotate`.
    """
    if role == HEAD and settings.chains and wallet is None:
        raise SettingsError(
            "the contract takes a new head key by two transactions: name who pays with --wallet"
        )
    if wallet is not None and is_wallet(settings, wallet):
        raise SettingsError(_ANCHORS)
    given = None if key is None else public_of(settings, role, key)
    with rotating(settings, key, wallet, wait, give_up) as service:
        if wallet is not None and has_anchored(service.database, wallet):
            raise SettingsError(_ANCHORS)
        if role == HEAD and key is not None and has_anchored(service.database, key):
            raise SettingsError(f"the key in {key} is that of a wallet: what pays for anchors signs no heads")
        made = service.rotate(role, given, finish=finish)
        current = service.trust.current().history
        newest = service.trust.published()
    assert current is not None  # noqa: S101 - `current` reads it
    if not made:
        console.print("no rotation was begun: what an earlier run had begun is at its end")
    console.print(f"{role} key in force: {current.in_force(role)}")
    console.print(f"trust statement {newest.version}, SHA-256 {newest.fingerprint.hex()}")


def compromised(
    role: Annotated[Role, typer.Argument(help="log, receipt or head.")],
    key: Annotated[str, typer.Argument(help="The key, as `notary key list` shows it.")],
    last_good_size: Annotated[
        int, typer.Option(min=0, help="Size of the last tree that it signed in good faith; 0 for none.")
    ],
    until: Annotated[
        str | None,
        typer.Option(help="From when on others had it, as 2026-11-24T00:00:00Z; none: from now on."),
    ] = None,
    give_up: GiveUp = None,
    wait: Annotated[float, typer.Option(help="Seconds for each thing that is waited for.")] = WAIT,
    data_dir: DataDir = None,
) -> None:
    """Say in the log that others have a key; rotate it first. What it signed above the size is worth nothing."""
    end = None if until is None else moment(until, "--until")
    with rotating(settings_of(data_dir), wait=wait, give_up=give_up or ()) as service:
        service.compromise(role.value, key, last_good_size, end)
        newest = service.trust.published()
    console.print(f"{key} is good up to size {last_good_size}")
    console.print(f"trust statement {newest.version}, SHA-256 {newest.fingerprint.hex()}")


def list_keys(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List every key of the log with its period."""
    settings = settings_of(data_dir)
    history = wiring.stored_history(settings)
    if history is None:
        raise SettingsError("there is no log yet: run `notary setup`")
    found = [
        _shown(role, period, period.key == history.in_force(role), at_hand(settings, role, period.key))
        for role in ROLES
        for period in history.periods(role)
    ]
    if as_json:
        sys.stdout.write(json.dumps({"keys": found}, indent=2) + "\n")
        return
    for each in found:
        state = "in force" if each["in_force"] else each["state"]
        size = "" if each["last_good_size"] is None else f", good up to size {each['last_good_size']}"
        file = "" if each["at_hand"] else "; its file is not here"
        since, until = each["since"] or "the beginning", each["until"] or "now"
        console.print(f"{each['role']} {each['key']}: {state}, from {since} to {until}{size}{file}")


def _shown(role: str, period: KeyPeriod, in_force: bool, here: bool) -> dict[str, object]:
    state = "compromised" if period.compromised else "retired" if period.ended else "good"
    return {
        "role": role,
        "key": period.key,
        "state": state,
        "in_force": in_force,
        "since": None if period.since is None else show_moment(period.since),
        "until": None if period.until is None else show_moment(period.until),
        "last_good_size": period.last_good_size,
        "at_hand": here,
    }


@contextmanager
def rotating(
    settings: Settings,
    key: Path | None = None,
    wallet: Path | None = None,
    wait: float = WAIT,
    give_up: Collection[str] = (),
) -> Iterator[Rotating]:
    """What changes keys and publishes trust statements, for as long as it is needed."""
    assembly = wiring.build(settings)
    sequencer = assembly.sequencer
    assert sequencer is not None  # noqa: S101 - this process may work
    # Another holder than the service that runs perhaps: it waits for that one's closes, and closes where there is none.
    sequencer.holder = secrets.token_hex(8)
    try:
        yield Rotating(
            database=assembly.database,
            intake=assembly.services.submitting.intake,
            close=sequencer.sequence,
            trust=assembly.services.trust_statements,
            outstanding=Outstanding(
                assembly.database,
                named=[
                    *(chain.name for chain in settings.chains),
                    *(tsa.name for tsa in settings.tsas),
                    *(ots.name for ots in settings.ots),
                ],
                chained=bool(settings.chains),
                gone=[each.name for each in settings.former_tsas],
                given_up=give_up,
            ),
            find_key=partial(note_key, settings.log_key),
            make=maker(settings, key),
            take_over={HEAD: partial(_hand_over, settings, assembly.genesis, wallet)},
            head_on_chain=partial(_head_on_chain, settings, assembly.genesis),
            patience=wait,
        )
    finally:
        assembly.close()


def _hand_over(settings: Settings, genesis: Genesis, wallet: Path | None, old: str, new: str) -> None:
    """The two steps on the contract; what is done already is not done again."""
    node = _first_node(settings)
    if node is None:
        return
    assert wallet is not None  # noqa: S101 - `change` asks for it
    payer = keys.load_secp256k1(wallet)
    current = _head_on_chain(settings, genesis)
    if current == new:
        return  # before there were statements on it, perhaps: the old key need not be at hand
    path = path_of(settings, HEAD)
    # One that the log has ended already, perhaps: the contract decides which one hands over.
    giver = current if current in wiring.head_keys(settings) else old
    head, following = find_secp256k1(path, giver), find_secp256k1(path, new)
    hand_over(node, payer, octets(genesis.contract, 20), genesis.log_id, head, following)


def _head_on_chain(settings: Settings, genesis: Genesis) -> str | None:
    """The head key by the contract, whoever handed over to it; None without a chain."""
    node = _first_node(settings)
    if node is None:
        return None
    return f"0x{read_keys(node, octets(genesis.contract, 20), genesis.log_id).head.hex()}"


def _first_node(settings: Settings) -> Node | None:
    """The endpoint that is asked for everything, of the chain of entry 0."""
    return nodes_of(settings.chains[0], settings)[0] if settings.chains else None
