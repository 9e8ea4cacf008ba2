"""Buckets for this folder; a connection, and what the queries of most tests rest on."""

import pytest

from notary.store import logstate
from notary.store import tenants as customers
from tests.buckets import bucket, proxy, s3, s3_server
from tests.store.rows import NOW

__all__ = ["bucket", "proxy", "s3", "s3_server"]


@pytest.fixture
def connection(database):
    with database.writing() as connection:
        yield connection


@pytest.fixture
def tenant(connection):
    return customers.create_tenant(connection, "a company", NOW).id


@pytest.fixture
def state(connection):
    logstate.create_state(connection, 1, bytes(32), b"note", "staging/1", NOW)
    return logstate.read_state(connection)
