"""Fixtures that every folder of tests shares."""

import os
from pathlib import Path

import pytest

pytest_plugins = ["tests.dev_service"]

VECTORS = os.environ.get("NOTARY_VECTORS")

# Other people's test data is not part of this project. Without it those tests are not collected, and the
# header of the run says so.
collect_ignore_glob = [] if VECTORS else ["interop/vectors_*"]


def pytest_report_header():
    return f"vectors: {VECTORS or 'NOTARY_VECTORS is not set, tests/interop/vectors_*.py are not run'}"


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of third-party vectors."""
    path = Path(VECTORS or "")
    assert VECTORS, "NOTARY_VECTORS is not set"
    assert path.is_dir(), f"NOTARY_VECTORS={VECTORS} is not a folder"
    return path.resolve()
