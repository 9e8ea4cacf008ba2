"""One submission written as a service without group commit would: one statement, committed by itself.

As little as a record of ours can be: one round trip, no transaction but that of the statement, and past SQLAlchemy. Its
receipt is a signature of its own, made in the same thread.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from notary.evidence.fields import show_moment
from notary.intake.group import Item
from notary.intake.receipts import receipts_from
from notary.intake.submission import Accepted, accepted_of
from notary.intake.writer import FRESH_SECONDS, Writer
from notary.merkle.hashing import hash_leaves
from notary.merkle.tree import levels
from notary.store.places import POSITION_BITS
from notary.store.rows import COLUMNS

THREADS = 16
_INSERT = f"""
    WITH made AS (
        INSERT INTO commit_group (count, note, created_at, not_before_number) VALUES (1, %b, %b, %b) RETURNING id
    )
    INSERT INTO record (seq, {", ".join(COLUMNS)})
    SELECT id << {POSITION_BITS}, {", ".join(["%b"] * len(COLUMNS))} FROM made
    RETURNING seq
"""
_there = threading.local()


def one_insert(url: str) -> None:
    """Have each item written so, in 16 threads with a connection each."""
    pool = ThreadPoolExecutor(THREADS, initializer=_connect, initargs=(url,))

    def put(self: Writer, item: Any, future: Any, loop: Any = None) -> None:
        def run() -> None:
            try:
                item.outcome = _insert(self, item)
            except Exception as error:  # noqa: BLE001 - whoever waits is told
                loop.call_soon_threadsafe(future.set_exception, error)
            else:
                loop.call_soon_threadsafe(future.set_result, item.outcome)

        pool.submit(run)

    setattr(Writer, "put", put)  # noqa: B010 - what is changed here is changed for a measurement


def _connect(url: str) -> None:
    _there.connection = psycopg.connect(url, autocommit=True)


def _insert(writer: Writer, item: Item) -> list[Accepted]:
    if writer.clock() - writer._read_at > FRESH_SECONDS:  # noqa: SLF001 - as the writer that it stands for does
        writer._refresh()  # noqa: SLF001 - likewise
    (record,), promises, now = item.records, writer.intake.promises, writer.intake.now()
    rows = levels(hash_leaves([record.entry]))
    note = promises.sign(1, rows[-1][0], writer.conditions().state, now)
    block = None if item.block is None else item.block.number
    values = [note, now, block, *(getattr(record, name) for name in COLUMNS)]
    (seq,) = _there.connection.execute(_INSERT, values).fetchone()
    (receipt,) = receipts_from(rows, note)
    return [accepted_of(seq, record, receipt, (), show_moment(now + promises.close), replayed=False)]
