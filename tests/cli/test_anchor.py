"""The commands about the contract, on a chain of their own."""

import json
import os
import shutil
from datetime import UTC, datetime

import pytest
from eth_account import Account

from notary import wiring
from notary.anchoring.contract import read_keys
from notary.evidence.bodies import Genesis
from notary.settings.loading import load_settings
from notary.store.anchorings import create_anchoring, move
from notary.store.connecting import open_database
from notary.store.incidents import CONTRADICTED, FOREIGN_NONCE, add_incident
from notary.store.migrate import migrate
from notary.store.outbox import set_nonce
from notary.wiring import open_stores, stored_genesis
from tests.anchoring.local_chain import STRANGER, WALLET, running

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEXT = Account.from_key("0x" + "18" * 32)


@pytest.fixture
def chain():
    with running() as started:
        yield started


def key_file(folder, name, account):
    path = folder / name
    path.write_text(account.key.hex().removeprefix("0x"))
    path.chmod(0o600)
    return path


@pytest.fixture
def named(notary, chain, tmp_path, monkeypatch):
    """Keys and settings of a log that is not open yet."""
    keys = tmp_path / "keys"
    notary("key", "new", keys)
    key_file(keys, "wallet.key", WALLET)
    values = {
        "ORIGIN": "cli.example/log",
        "DATA_DIR": tmp_path / "data",
        "LOG_KEY": keys / "log.pem",
        "RECEIPT_KEY": keys / "receipt.pem",
        "HEAD_KEY": keys / "head.key",
        "WALLET_KEY": keys / "wallet.key",
        "ALLOW_PRIVATE_ADDRESSES": "true",
        "CHAINS": json.dumps([{"name": "local", "chain_id": 31337, "rpc_urls": [chain.url]}]),
    }
    for name, value in values.items():
        monkeypatch.setenv(f"NOTARY_{name}", str(value))


@pytest.fixture
def set_up(notary, named):
    """A log that was opened by `notary setup`: its genesis."""
    said = notary("setup").out
    genesis = stored_genesis(load_settings())
    assert isinstance(genesis, Genesis)
    assert genesis.contract in said
    return genesis


def refused(notary, chain, words):
    """`notary setup` says so, and nothing was sent."""
    before = chain.newest()
    assert words in " ".join(notary("setup", expected=2).err.split())
    assert chain.newest() == before


def test_with_a_log_there_set_up_sends_nothing(notary, set_up, chain, tmp_path, monkeypatch):
    before = chain.newest()
    # A reserve that became the first wallet, and a log that is anchored nowhere any more.
    monkeypatch.setenv("NOTARY_WALLET_KEY", str(key_file(tmp_path, "payer.key", STRANGER)))
    assert f"log id 0x{set_up.log_id.hex()}" in notary("setup").out
    monkeypatch.setenv("NOTARY_CHAINS", "[]")
    assert f"log id 0x{set_up.log_id.hex()}" in notary("setup").out
    assert chain.newest() == before


def test_set_up_of_another_log_is_refused_before_anything_is_sent(
    notary, set_up, chain, tmp_path, monkeypatch
):
    monkeypatch.setenv("NOTARY_ORIGIN", "cli.example/lgo")
    refused(
        notary, chain, "this log is 'cli.example/log', and NOTARY_ORIGIN says 'cli.example/lgo': set it back"
    )
    monkeypatch.setenv("NOTARY_ORIGIN", "cli.example/log")
    chains = [{"name": "local", "chain_id": 31338, "rpc_urls": [chain.url]}]
    monkeypatch.setenv("NOTARY_CHAINS", json.dumps(chains))
    refused(notary, chain, "entry 0 names chain 31337 and contract")


@pytest.mark.parametrize("name", ["log.pem", "receipt.pem", "head.key"])
def test_set_up_misses_a_key_in_force(notary, set_up, chain, tmp_path, name):
    (tmp_path / "keys" / name).unlink()
    refused(notary, chain, "nor a numbered file beside it holds the")


def test_set_up_finds_keys_by_the_log_and_not_by_their_names(notary, set_up, chain, tmp_path):
    for role in ("log", "receipt"):
        notary("key", "rotate", role)
        (tmp_path / "keys" / f"{role}.pem").unlink()  # kept off the machine, as its rotation advises
    assert f"log id 0x{set_up.log_id.hex()}" in notary("setup").out
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == [
        "head.key",
        "log-2.pem",
        "receipt-2.pem",
        "wallet.key",
    ]


@pytest.mark.parametrize("name", ["receipt.pem", "head.key", "wallet.key"])
def test_a_key_that_is_missing_is_told_of_before_anything_is_paid_for(notary, named, chain, tmp_path, name):
    (tmp_path / "keys" / name).rename(tmp_path / name)
    refused(notary, chain, f"{name} cannot be read: No such file")
    (tmp_path / name).rename(tmp_path / "keys" / name)
    assert "log id 0x" in notary("setup").out


def test_a_database_that_was_lost_opens_no_second_log(notary, set_up, chain, tmp_path):
    (tmp_path / "data" / "notary.db").unlink()
    refused(notary, chain, "a checkpoint is published, but the database knows no log")


def test_a_log_that_was_anchored_is_not_begun_again_where_all_but_its_keys_is_lost(
    notary, named, chain, tmp_path, monkeypatch
):
    contract = notary("anchor", "deploy").out.split()[1]
    chains = json.loads(os.environ["NOTARY_CHAINS"])
    monkeypatch.setenv("NOTARY_CHAINS", json.dumps([chains[0] | {"contract": contract}]))
    notary("setup")
    assembly = wiring.build(load_settings())
    try:
        assembly.sequencer.sequence()
        anchor = next(step for step in assembly.steps if step.name == "anchor local")
        for _ in range(3):
            anchor.run()
    finally:
        assembly.close()
    kept = tmp_path / "kept"
    (tmp_path / "data").rename(kept)
    refused(notary, chain, "a head of size 1 of this log is anchored, but the database knows no log")
    assert not (tmp_path / "data" / "log").exists()  # nothing was signed
    shutil.rmtree(tmp_path / "data")
    kept.rename(tmp_path / "data")
    assert "log id 0x" in notary("setup").out


def test_a_contract_is_deployed_and_named(notary, set_up):
    said = notary("anchor", "deploy").out
    assert said.startswith("contract 0x")
    assert set_up.contract not in said  # each call makes one of its own


def test_the_wallet_of_a_lane_deploys_nothing(notary, set_up, chain):
    database = open_database(load_settings().database_url)
    with database.writing() as connection:
        set_nonce(connection, "local", WALLET.address, None, 3)
    database.dispose()
    before = chain.newest()
    err = notary("anchor", "deploy", expected=2).err
    assert "its lane stops at a transaction that is not its own: name another" in " ".join(err.split())
    assert chain.newest() == before


def test_a_contract_is_deployed_before_there_is_a_database(notary, chain, tmp_path, monkeypatch):
    monkeypatch.setenv("NOTARY_ORIGIN", "cli.example/log")
    monkeypatch.setenv("NOTARY_DATA_DIR", str(tmp_path / "new"))
    monkeypatch.setenv("NOTARY_WALLET_KEY", str(key_file(tmp_path, "wallet.key", WALLET)))
    monkeypatch.setenv("NOTARY_ALLOW_PRIVATE_ADDRESSES", "true")
    chains = [{"name": "local", "chain_id": 31337, "rpc_urls": [chain.url]}]
    monkeypatch.setenv("NOTARY_CHAINS", json.dumps(chains))
    assert notary("anchor", "deploy").out.startswith("contract 0x")


def test_the_head_key_hands_over_and_may_be_asked_to_again(notary, set_up, chain, tmp_path):
    following, payer = key_file(tmp_path, "next.key", NEXT), key_file(tmp_path, "payer.key", STRANGER)
    for _ in range(2):
        said = notary("anchor", "hand-over", following, "--wallet", payer).out
        assert f"head key in force: {NEXT.address.lower()}\n" in said
    keys = read_keys(chain.node, bytes.fromhex(set_up.contract[2:]), set_up.log_id)
    assert keys.head == bytes.fromhex(NEXT.address[2:])


def test_the_wallet_of_the_lane_does_not_pay_for_it(notary, set_up, tmp_path):
    following, payer = key_file(tmp_path, "next.key", NEXT), key_file(tmp_path, "same.key", WALLET)
    err = notary("anchor", "hand-over", following, "--wallet", payer, expected=2).err
    assert "its lane stops at a transaction that is not its own" in " ".join(err.split())


def test_incidents_are_listed_and_one_that_is_not_made_good_is_an_exit_status(notary, set_up):
    assert notary("anchor", "incidents").out == ""
    database = open_database(load_settings().database_url)
    with database.writing() as connection:
        add_incident(connection, FOREIGN_NONCE, "local", "0xaa", "nonce 5", NOW)
    assert notary("anchor", "incidents").out == "2026-03-01T12:00:00Z foreign_nonce local 0xaa: nonce 5\n"
    with database.writing() as connection:
        item = create_anchoring(connection, "local", "evm", 1, NOW)
        move(connection, item.id, "due", "final", NOW)
        add_incident(connection, CONTRADICTED, "local", str(item.id), "another block", NOW)
    database.dispose()
    said = notary("anchor", "incidents", expected=1).out.splitlines()[1]
    assert (
        said == f"2026-03-01T12:00:00Z contradicted local {item.id}: another block (not anchored again yet)"
    )


def test_without_a_log_there_is_nothing_to_hand_over(notary, chain, tmp_path, monkeypatch):
    monkeypatch.setenv("NOTARY_ORIGIN", "cli.example/log")
    monkeypatch.setenv("NOTARY_DATA_DIR", str(tmp_path / "empty"))
    monkeypatch.setenv("NOTARY_WALLET_KEY", str(key_file(tmp_path, "wallet.key", WALLET)))
    chains = [{"name": "local", "chain_id": 31337, "rpc_urls": [chain.url]}]
    monkeypatch.setenv("NOTARY_CHAINS", json.dumps(chains))
    database, _ = open_stores(load_settings())
    migrate(database)
    database.dispose()
    following, payer = key_file(tmp_path, "next.key", NEXT), key_file(tmp_path, "payer.key", STRANGER)
    err = notary("anchor", "hand-over", following, "--wallet", payer, expected=2).err
    assert "the log is not open yet" in " ".join(err.split())
