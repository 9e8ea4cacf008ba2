"""Promises of receipts that were broken, as the log says."""

import json
import sys
from collections.abc import Iterator

from rich.console import Console

from notary import wiring
from notary.api.logs import incident_json
from notary.cli.folder import AsJson, DataDir, settings_of
from notary.services.incidents import Incidents, IncidentView
from notary.wiring.serving import anchors_of

console = Console(highlight=False)


def command(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show the promises of receipts that were broken and logged as incidents, oldest first."""
    settings = settings_of(data_dir)
    database, _ = wiring.open_made(settings)
    try:
        found = [incident_json(item, anchors_of(settings)) for item in _all(Incidents(database))]
    finally:
        database.dispose()
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    for item in found:
        detail = item["detail"]
        told = (
            f"{detail['count']} entries promised by {detail['close_by']}, closed at {detail['closed']}"
            if detail
            else "its detail was erased"
        )
        console.print(f"{item['number']}  {item['kind']}: {told}; subject {item['subject']}", soft_wrap=True)
    console.print(f"{len(found)} incidents")


def _all(incidents: Incidents) -> Iterator[IncidentView]:
    after = ""
    while page := incidents.page(after):
        yield from page
        after = page[-1].record.number
