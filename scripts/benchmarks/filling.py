"""Records written past the API: raw COPY of rows that intake prepared, as a reference and to fill a table.

They are records like any other, in groups with signed promises, so that `fsck` holds for all of a table.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import psycopg

from benchmarks.service import ORIGIN, Place
from notary import wiring
from notary.intake.bulk import BulkItem, prepare_bulk
from notary.intake.bulkparse import Bulk
from notary.intake.plain import Plain
from notary.intake.promises import Promises
from notary.store.engine import Database
from notary.store.groups import insert_group
from notary.store.logstate import read_state
from notary.store.places import MAX_GROUP, seq_of
from notary.store.rows import COLUMNS, HEADER, TRAILER

_COPY = f"COPY record ({', '.join(('seq', *COLUMNS))}) FROM STDIN (FORMAT BINARY)"


@dataclass(frozen=True, slots=True)
class Filler:
    """Writes groups by COPY, on a connection of its own."""

    database: Database
    promises: Promises
    tenant_id: int
    connection: psycopg.Connection

    def copy(self, count: int, of_each: int = MAX_GROUP) -> float:
        """Write `count` records in groups of `of_each`. Returns seconds of COPY and commit alone."""
        taken = 0.0
        for at in range(0, count, of_each):
            blob = self._blob(prepared(min(of_each, count - at), self.tenant_id))
            start = time.perf_counter()
            with self.connection.cursor().copy(_COPY) as copy:
                copy.write(blob)
            self.connection.commit()
            taken += time.perf_counter() - start
        return taken

    def fill(self, total: int, tell: Callable[[str], None]) -> int:
        """Write `total` records, none if that is negative, and let the planner know. Returns how many."""
        step, done = 10 * MAX_GROUP, 0
        while done < total:
            tell(f"filling: {done:,} of {total:,}")
            many = min(step, total - done)
            self.copy(many)
            done += many
        self.settle()
        return done

    def settle(self) -> None:
        """What autovacuum does in its time, and a checkpoint, so that nothing of it falls into what is measured."""
        self.connection.autocommit = True
        self.connection.execute("VACUUM ANALYZE record")
        self.connection.execute("VACUUM ANALYZE commit_group")
        self.connection.execute("CHECKPOINT")
        self.connection.autocommit = False

    def _blob(self, item: BulkItem) -> bytes:
        with self.database.writing() as connection:
            state = read_state(connection)
            assert state is not None
            if self.promises.keys is not None:
                self.promises.keys.look(connection, state.size)
            note = self.promises.sign(item.count, item.rows[-1][0], state, item.now)
            first = seq_of(insert_group(connection, item.count, note, item.now, None), 0)
        return b"".join([HEADER, *item.copied(first), TRAILER])


def prepared(count: int, tenant_id: int) -> BulkItem:
    """A bulk request of random digests, up to the point where it is stored."""
    digests = os.urandom(32 * count)
    text = np.frombuffer(digests.hex().encode(), np.uint8).reshape(count, 64)
    bulk = Bulk(count, (Plain(np.arange(count), text, digests, text[:, :0]),), {})
    return prepare_bulk(bulk, tenant_id, None, None, ORIGIN, datetime.now(UTC), os.urandom, lambda _: None)


@contextmanager
def filling(place: Place) -> Iterator[Filler]:
    """A filler for this service on PostgreSQL."""
    assembly = wiring.build(place.settings())
    promises = assembly.services.submitting.intake.promises
    address = place.url
    with psycopg.connect(address) as connection:
        yield Filler(assembly.database, promises, place.tenant_id, connection)
    assembly.close()
