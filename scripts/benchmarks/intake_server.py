"""The API in a process of its own for the benchmarks of intake: as it is, or with one thing about its writer changed.

python -m benchmarks.intake_server MODE PORT, settings in the environment. Modes:

    as-is   what `notary serve` runs
    no-op   the same writer, whose transaction is never begun: everything but the database's part
    each    one transaction, one signature and one flush for each submission, in 16 threads
    insert  the same with one statement, which commits itself, past all that is shared here; PostgreSQL alone
"""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import Any

import uvicorn

from benchmarks.one_insert import THREADS, one_insert
from notary import wiring
from notary.api.app import create_app, settle
from notary.api.quick import config
from notary.intake import group
from notary.intake.writer import Writer
from notary.settings.loading import load_settings
from notary.store.engine import Database


def without_database() -> None:
    """Take the database's part out of a commit, and nothing else."""
    ids = count(1)

    @contextmanager
    def writing(_self: Database) -> Iterator[Any]:
        yield None

    def insert_records(_connection: Any, number: int, records: Any) -> list[int]:
        return [number << 14 | at for at in range(len(records))]

    setattr(Database, "writing", writing)  # noqa: B010 - what is changed here is changed for a measurement
    setattr(Database, "at_once", writing)  # noqa: B010 - likewise
    for name, function in (
        ("insert_at_once", lambda *_arguments: next(ids)),
        ("stored_claims", lambda _connection, _wanted: {}),
        ("insert_group", lambda *_arguments: next(ids)),
        ("insert_records", insert_records),
        ("store_claims", lambda *_arguments: True),
    ):
        setattr(group, name, function)


def one_by_one() -> None:
    """Give each item a transaction of its own."""
    pool = ThreadPoolExecutor(THREADS)

    def put(self: Writer, item: Any, future: Any, loop: Any = None) -> None:
        def run() -> None:
            self._commit([item])
            loop.call_soon_threadsafe(future.set_result, item.outcome)

        pool.submit(run)

    setattr(Writer, "put", put)  # noqa: B010 - as above


def main(mode: str, port: str) -> None:
    """Serve until it is ended."""
    settings = load_settings()
    change: dict[str, Callable[[], None]] = {
        "as-is": lambda: None,
        "no-op": without_database,
        "each": one_by_one,
        "insert": lambda: one_insert(settings.database_url),
    }
    change[mode]()
    assembly = wiring.build(settings, working=False)
    app = create_app(assembly.services)
    settle()
    uvicorn.Server(config(app, host="127.0.0.1", port=int(port))).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
