"""The steps of a worker, with the adapters that the settings name."""

import time

import pytest

from notary.errors import AnchorRejected
from notary.store import anchorings, stamps
from notary.store.blocks import newest_block
from notary.wiring import now
from tests.anchoring.local_chain import running
from tests.api.service import Service
from tests.tsa_process import running_tsa

CHAIN_ID = 1  # of the log that `Service` opens


@pytest.fixture
def chain():
    with running(CHAIN_ID) as started:
        yield started


@pytest.fixture
def service(chain, tmp_path):
    made = {"name": "main", "rpc_urls": (chain.url,), "chain_id": CHAIN_ID}
    service = Service(tmp_path / "service", {"chains": (made,)})
    yield service
    service.end()


def test_a_block_with_an_invented_time_is_an_anomaly_and_no_statement_names_it(chain, service):
    (poll,) = (step for step in service.assembly.steps if step.name == "blocks main")
    chain.mine(3)
    time.sleep(3)  # each block of this chain is a second later than the one before it
    poll.run()

    def known():
        with service.assembly.database.reading() as connection:
            return newest_block(connection, now())

    before = known()
    assert before is not None
    chain.node.ask("evm_setNextBlockTimestamp", hex(253_402_300_000))  # year 9999
    chain.mine(4)
    with pytest.raises(AnchorRejected, match=r"is dated \d+ seconds after our clock: compare the clock"):
        poll.run()
    assert known() == before


def test_a_worker_that_leads_asks_what_became_of_the_certificates_behind_its_stamps(tmp_path):
    folder = tmp_path / "tsa"
    with running_tsa(folder) as url:
        made = {"name": "tsa", "organisation": "x", "url": url, "roots": (folder / "root.pem",)}
        changes = {"tsas": (made,), "allow_private_addresses": True}
        leader, other = (Service(tmp_path / name, changes) for name in ("leader", "other"))
        steps = {step.name: step for step in leader.assembly.steps}
        for name in ("close", "anchor tsa", "revocation"):
            steps[name].run()
        idle = {step.name: step for step in other.assembly.steps}["revocation"]
        with other.assembly.database.writing() as connection:
            item = anchorings.create_anchoring(connection, "tsa", "rfc3161", 1, now())
            anchorings.move(connection, item.id, "due", "final", now(), evidence=b"no token")
        idle.run()
    with leader.assembly.database.reading() as connection:
        (stamped,) = anchorings.final_words(connection, "tsa", most=2)
        assert [kind for kind, _ in stamps.revocation_of(connection, stamped.id)] == ["crl"]
    with other.assembly.database.reading() as connection:
        assert stamps.newest_stamp(connection, "tsa") == 0
    leader.end()
    other.end()
