"""What an anchor is told of what the database knows."""

import pytest

from notary.store import anchorings
from notary.store.incidents import CONTRADICTED, add_incident
from notary.wiring import now
from notary.wiring.chains import evm_anchors
from notary.wiring.nodes import nodes_of
from tests.api.service import Service

CHAIN = {"name": "main", "rpc_urls": ("http://127.0.0.1:9",), "chain_id": 1}


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path / "service", {"chains": (CHAIN,), "allow_private_addresses": True})
    yield service
    service.end()


def test_the_newest_final_head_is_known_to_the_anchor_unless_it_is_contradicted(service):
    made, settings = service.assembly, service.assembly.settings
    (chain,) = settings.chains
    (anchor,) = evm_anchors(chain, nodes_of(chain, settings), settings, made.database, made.genesis, now)
    assert anchor.final() == 0
    with made.database.writing() as connection:
        item = anchorings.create_anchoring(connection, "main", "evm", 1, now())
    assert anchor.final() == 0
    with made.database.writing() as connection:
        anchorings.move(connection, item.id, "due", "final", now(), evidence=b"evidence")
    assert anchor.final() == 1
    with made.database.writing() as connection:
        add_incident(connection, CONTRADICTED, "main", str(item.id), "another block", now())
    assert anchor.final() == 0
