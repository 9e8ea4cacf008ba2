"""What the service trusts, and says of itself, follows from entry 0 and the settings."""

import shutil
import tomllib

import pytest
from eth_account import Account

from notary import wiring
from notary.errors import SettingsError
from notary.evidence.chain_seals import ValidatorSet
from notary.evidence.trust import parse_trust
from notary.settings.loading import load_settings
from notary.wiring.nodes import nodes_of
from tests.api.service import ORIGIN, Service

CHAIN = {"name": "main", "rpc_urls": ("http://127.0.0.1:9",), "chain_id": 1}
ONE, TWO = "0x" + "01" * 20, "0x" + "02" * 20
NEXT = Account.from_key("0x" + "18" * 32)


@pytest.fixture
def service(tmp_path):
    """Of a log that is open; `again` puts it together with other settings of its chain."""
    service = Service(tmp_path / "service", {"chains": (CHAIN,)})
    yield service
    service.end()


def again(service, **chain):
    settings = load_settings(
        data_dir=service.assembly.settings.data_dir, origin=ORIGIN, chains=(CHAIN | chain,)
    )
    return wiring.build(settings, working=False)


def trust_of(assembly):
    try:
        return assembly.trust.trust().chains[0], tomllib.loads(assembly.trust.file())
    finally:
        assembly.close()


def test_the_trust_file_names_the_head_key_of_entry_0_and_those_after_it(service):
    first = bytes.fromhex(service.assembly.genesis.head_key[2:])
    assert trust_of(again(service))[0].head_keys == (first,)
    chain, shown = trust_of(again(service, head_keys=(ONE, service.assembly.genesis.head_key, TWO)))
    assert chain.head_keys == (first, b"\x01" * 20, b"\x02" * 20)
    assert shown["chain"][0]["head_keys"][1:] == [ONE, TWO]


def test_the_trust_file_names_the_validators_of_the_settings_and_nodes_are_held_to_them(service):
    sets = ({"addresses": (ONE,)}, {"from_block": 9, "addresses": (ONE, TWO)})
    assembly = again(service, profile="qbft", validators=sets)
    expected = (ValidatorSet(0, (b"\x01" * 20,)), ValidatorSet(9, (b"\x01" * 20, b"\x02" * 20)))
    (node,) = nodes_of(assembly.settings.chains[0], assembly.settings)
    assert node.validators == expected
    chain, shown = trust_of(assembly)
    assert (chain.profile, chain.validators) == ("qbft", expected)
    assert shown["test_only"] is False


def test_a_local_chain_makes_the_trust_file_one_for_tests(service):
    assembly = again(service, profile="anvil")
    _, shown = trust_of(assembly)
    assert (shown["test_only"], shown["chain"][0]["profile"]) == (True, "anvil")
    assert parse_trust(assembly.trust.file().encode()).test_only
    assert trust_of(again(service))[1]["test_only"] is False


def test_a_worker_with_a_head_key_that_no_trust_file_names_does_not_start(service, tmp_path):
    settings = service.assembly.settings
    key = tmp_path / "next.key"
    shutil.copy(settings.head_key, key)
    key.write_text(NEXT.key.hex() + "\n")

    def build(**chain):
        return wiring.build(
            load_settings(data_dir=settings.data_dir, origin=ORIGIN, head_key=key, chains=(CHAIN | chain,))
        )

    with pytest.raises(
        SettingsError, match=f"the head key is {NEXT.address.lower()}, neither that of entry 0"
    ):
        build()
    build(head_keys=(NEXT.address.lower(),)).close()
