"""The steps of a worker, with the adapters that the settings name."""

import time

import pytest

from notary.errors import AnchorRejected, SettingsError
from notary.store.blocks import newest_block
from notary.wiring import now
from tests.anchoring.local_chain import running
from tests.api.service import Service

CHAIN_ID = 1  # of the log that `Service` opens


@pytest.fixture
def chain():
    with running(CHAIN_ID) as started:
        yield started


@pytest.fixture
def service(chain, tmp_path):
    made = {"name": "main", "rpc_urls": (chain.url,), "chain_id": CHAIN_ID}
    service = Service(tmp_path / "service", {"chains": (made,), "allow_private_addresses": True})
    yield service
    service.end()


def test_two_wallets_of_one_key_are_refused(chain, tmp_path):
    made = {"name": "main", "rpc_urls": (chain.url,), "chain_id": CHAIN_ID}
    twice = made | {"wallets": (tmp_path / "service" / "data" / "keys" / "wallet.key",)}
    service = Service(tmp_path / "service", {"chains": (twice,), "allow_private_addresses": True})
    with pytest.raises(
        SettingsError, match="two wallets of chain main have one key, and would fight over nonces"
    ):
        assert service.assembly.steps


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
