import pytest

from tests.anchoring.anchored import Anchored
from tests.anchoring.ledger import Ledger
from tests.anchoring.local_chain import running
from tests.databases import with_tables
from tests.rig import Rig


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


@pytest.fixture
def log_id(shared_chain, request):
    """A log of its own on the shared chain, by its id; no head was anchored yet."""
    return shared_chain.open(f"test.example/{request.node.name}"[:200])


@pytest.fixture
def log(tmp_path):
    database = with_tables(f"sqlite:///{tmp_path / 'notary.db'}")
    yield Anchored(Rig(database, tmp_path).open())
    database.dispose()


@pytest.fixture
def ledger(log):
    made = Ledger(log.rig.database)
    yield made
    made.check()


@pytest.fixture
def step(log, ledger):
    return log.advance(ledger).step


@pytest.fixture
def anchor(chain):
    return chain.anchor(chain.open())
