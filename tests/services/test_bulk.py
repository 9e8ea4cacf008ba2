"""Bulk requests are stored beside each other where there are several writers, and each once."""

import asyncio
import json
import threading
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest

from notary.errors import Unavailable
from notary.intake.writer import Writer
from notary.services.bulk import ARRAY, BulkSubmitting
from notary.services.types import Principal
from notary.store.engine import Database
from notary.store.records import count_records
from notary.wiring import serving
from tests.api.service import Service
from tests.intake.samples import digests_of
from tests.rig import Rig

BODY = json.dumps([digest.hex() for digest in digests_of(20)]).encode()


class Held(Database):
    """Transactions that write begin when `before` lets them."""

    @contextmanager
    def writing(self):
        self.before()
        with super().writing() as connection:
            yield connection


@pytest.fixture
def rig(database, tmp_path):
    return Rig(database, tmp_path).open()


@pytest.fixture
def make(rig):
    """Makes services with so many writers, each of whose transactions begins when `before` has returned."""
    made = []

    def make(writers, before=lambda: None):
        held = type("HeldHere", (Held,), {"before": staticmethod(before), "__slots__": ()})
        database = held(rig.database.engine, rig.database._lock)
        bulk = BulkSubmitting(
            tuple(Writer(replace(rig.intake, database=database)) for _ in range(writers)), 1 << 20
        )
        made.extend(bulk.writers)
        return bulk

    yield make
    for writer in made:
        writer.close()


def stored(rig):
    with rig.database.reading() as connection:
        return count_records(connection) - 1


async def beside(rig, bulk, entered, gate):
    """How many of two requests are answered while the first of them is held."""
    who = Principal(rig.tenant, frozenset())
    first = asyncio.create_task(bulk.submit(who, ARRAY, lambda: BODY, None))
    assert await asyncio.to_thread(entered.wait, 30)
    second = asyncio.create_task(bulk.submit(who, ARRAY, lambda: BODY, None))
    done, _ = await asyncio.wait((first, second), timeout=30 if len(bulk.writers) > 1 else 0.5,
                                 return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
    gate.set()
    await asyncio.gather(first, second)
    assert first not in done
    return len(done)


@pytest.mark.parametrize(("writers", "answered"), [(2, 1), (1, 0)])
def test_one_request_is_stored_while_another_waits_for_the_disk(rig, make, writers, answered):
    """And, as the control, with one writer it is not."""
    entered, gate = threading.Event(), threading.Event()

    def before():
        if not entered.is_set():  # the first
            entered.set()
            assert gate.wait(30)

    assert asyncio.run(beside(rig, make(writers, before), entered, gate)) == answered
    assert stored(rig) == 40
    rig.sequencer().sequence()
    assert rig.fsck().problems == []


def test_a_request_that_comes_twice_at_a_time_is_stored_once(rig, make):
    both, entries = threading.Barrier(2, timeout=30), []

    def before():
        entries.append(None)
        if len(entries) <= 2:
            both.wait()  # neither finds what the other has not stored yet

    bulk, who = make(2, before), Principal(rig.tenant, frozenset())

    async def twice():
        return await asyncio.gather(*(bulk.submit(who, ARRAY, lambda: BODY, "a key") for _ in range(2)))

    first, second = asyncio.run(twice())
    assert bytes(first) == bytes(second)
    assert stored(rig) == 20
    rig.sequencer().sequence()
    assert rig.fsck().problems == []


def test_on_postgresql_bulk_requests_have_writers_of_their_own(rig):
    single = Writer(rig.intake)
    assert serving._bulk_writers(single, SimpleNamespace(database_url="sqlite:////tmp/x.db")) == (single,)
    own = serving._bulk_writers(single, SimpleNamespace(database_url="postgresql://localhost/x"))
    assert len({id(writer) for writer in own} - {id(single)}) == 2
    assert all(writer.intake is single.intake for writer in own)


def test_all_writers_end_with_the_service(tmp_path, monkeypatch):
    monkeypatch.setattr(serving, "file_of", lambda _: None)
    service = Service(tmp_path, {})
    bulk, who = service.services.bulk, Principal(1, frozenset())
    who = replace(who, tenant_id=service.services.tenants.authenticate(service.key, "submit").tenant_id)
    assert service.services.submitting.writer not in bulk.writers

    async def submitted(times):
        return await asyncio.gather(
            *(bulk.submit(who, ARRAY, lambda: BODY, None) for _ in range(times)), return_exceptions=True
        )

    assert all(b'"count":20' in bytes(answer) for answer in asyncio.run(submitted(4)))
    threads = [thread for thread in threading.enumerate() if thread.name == "writer"]
    assert threads
    service.assembly.close()
    assert not any(thread.is_alive() for thread in threads)
    for writer in (*bulk.writers, service.services.submitting.writer):
        with pytest.raises(Unavailable, match="the service is stopping"):
            asyncio.run(writer.add_bulk(SimpleNamespace(count=1, tenant_id=1)))
