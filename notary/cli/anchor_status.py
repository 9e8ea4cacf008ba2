"""`notary anchor status`: whether each anchor attests, and what it said that was no use."""

import base64
import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from notary import wiring
from notary.anchoring.rfc3161 import failed_check
from notary.cli.folder import DataDir, settings_of
from notary.evidence.fields import show_moment
from notary.services.anchor_status import AnchorStatus, Named, anchor_status
from notary.settings import Settings
from notary.store.anchorings import Anchoring

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, with the responses themselves.")]
Most = Annotated[
    int, typer.Option("--rejected", min=0, max=1000, help="Show at most so many of each anchor.")
]
console = Console(highlight=False)


def command(as_json: AsJson = False, most: Most = 5, data_dir: DataDir = None) -> None:
    """Show how each anchor does, and its newest answers that were rejected, each with the check that failed."""
    settings = settings_of(data_dir)
    database, _ = wiring.open_made(settings)
    try:
        found = anchor_status(database, _named(settings), datetime.now(UTC), most)
    finally:
        database.dispose()
    if as_json:
        sys.stdout.write(json.dumps({"anchors": [_json(each) for each in found]}, indent=2) + "\n")
        return
    console.print(_table(found))
    for each in found:
        for item in each.rejected:
            console.print(
                f"[yellow]rejected[/] head {item.size}, {_when(item.updated_at)}, {escape(item.detail)}"
            )


def _named(settings: Settings) -> list[Named]:
    tsas = [Named(tsa.name, "rfc3161", tsa.organisation) for tsa in settings.tsas]
    chains = [Named(chain.name, "evm", f"chain {chain.chain_id}") for chain in settings.chains]
    return [*tsas, *chains, *(Named(ots.name, "opentimestamps", "Bitcoin") for ots in settings.ots)]


def _table(found: list[AnchorStatus]) -> Table:
    table = Table(box=None)
    for title in ("anchor", "by", "circuit", "newest final head", "under way", "last failure"):
        table.add_column(title, overflow="fold")
    for each in found:
        final, open_, failure = each.final, each.under_way, each.failure
        cells = (
            each.anchor.name,
            each.anchor.organisation,
            each.circuit.name.lower().replace("_", "-"),
            "none" if final is None else f"{final.size}, {_when(final.updated_at)}",
            "" if open_ is None else f"{open_.size}, {open_.state}",
            ""
            if failure is None
            else f"{failure.failures} in a row, asked again {_when(failure.resume_at)}: {failure.reason}",
        )
        table.add_row(*map(escape, cells))
    return table


def _json(each: AnchorStatus) -> dict[str, Any]:
    final, open_, failure = each.final, each.under_way, each.failure
    return {
        "anchor": each.anchor.name,
        "kind": each.anchor.kind,
        "organisation": each.anchor.organisation,
        "circuit": each.circuit.name.lower(),
        "failures": 0 if failure is None else failure.failures,
        "failed": None if failure is None else _when(failure.failed_at),
        "asked_again": None if failure is None else _when(failure.resume_at),
        "reason": None if failure is None else failure.reason,
        "final": None if final is None else {"size": final.size, "updated": _when(final.updated_at)},
        "under_way": None if open_ is None else {"size": open_.size, "state": open_.state},
        "rejected": [_rejected(item) for item in each.rejected],
    }


def _rejected(item: Anchoring) -> dict[str, Any]:
    check, reason = failed_check(item.detail) or (None, item.detail)
    response = None if item.evidence is None else base64.b64encode(item.evidence).decode()
    return {
        "size": item.size,
        "updated": _when(item.updated_at),
        "check": check,
        "reason": reason,
        "response": response,
    }


def _when(moment: datetime) -> str:
    return show_moment(moment.replace(microsecond=0))
