"""The watched programs, imported once for all tests of a worker."""

import pytest

from tests.faults.watch import Tracee


@pytest.fixture(scope="session")
def tracee():
    with Tracee("tests.faults.programs") as opened:
        yield opened


@pytest.fixture(scope="session")
def log():
    with Tracee("tests.faults.scenario") as opened:
        yield opened
