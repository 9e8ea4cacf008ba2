import pytest

from tests.anchoring.local_chain import running


@pytest.fixture
def chain():
    """A chain for one test, which may reorder it."""
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def shared_chain():
    """A chain for the tests of a file that each use a log of their own and nothing else."""
    with running() as started:
        yield started
