"""Where a record stands, for a person: as a table, and waited for."""

import time
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from notary.cli.client import Client
from notary.cli.plain import plain
from notary.errors import NotReady

_POLL_SECONDS = 0.5


def table_of(state: dict[str, Any]) -> Table:
    """A record's state as a table."""
    table = Table(box=None, show_header=False)
    for _ in range(2):
        table.add_column(overflow="fold")  # a digest that is cut off is none
    closed = f"{state['closed']} as entry {state['index']}" if state["closed"] else "due"
    rows = [
        ("number 编号", state["number"]),
        ("entry", state["entry"]),
        ("in the log 入册", closed),
        *(
            (item["anchor"], f"{item['state']}, head {item['size']}, {item['updated']} {item['detail']}")
            for item in state["attestations"]
        ),
        ("inspection 签名检查", state["inspection"]),
        ("still due 待完成", ", ".join(state["due"]) or "nothing 无"),
    ]
    for name, value in rows:
        table.add_row(escape(plain(name)), escape(plain(value)))
    return table


def wait_for(client: Client, number: str, timeout: float) -> dict[str, Any]:
    """The state of a record once nothing is due any more; asked for twice a second.

    Args:
        client: of the service.
        number: of the record.
        timeout: seconds.

    Raises:
        NotReady: after that time something still is.
        NotaryError: the service refuses, or does not answer.
    """
    deadline = time.monotonic() + timeout
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("")
        while (state := client.state(number))["due"]:
            if time.monotonic() > deadline:
                raise NotReady(
                    f"after {timeout:.0f} s these are still due: {', '.join(state['due'])}; ask again later"
                )
            progress.update(task, description=f"waiting for {', '.join(state['due'])}")
            time.sleep(_POLL_SECONDS)
    return state
