"""The watched programs, imported once for all tests of a worker; databases."""

import pytest

from tests.databases import database_url, postgres_server, postgres_url
from tests.faults.watch import Tracee

__all__ = ["database_url", "postgres_server", "postgres_url"]


@pytest.fixture(scope="session")
def tracee():
    with Tracee("tests.faults.programs") as opened:
        yield opened


@pytest.fixture(scope="session")
def log():
    with Tracee("tests.faults.scenario") as opened:
        yield opened
