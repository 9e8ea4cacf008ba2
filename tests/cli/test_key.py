"""The commands that change keys, on a chain of their own; and a trust file from a running service."""

import json
import os
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from eth_account import Account

from notary.anchoring.contract import read_keys
from notary.evidence.trust import parse_trust
from notary.evidence.trust_statement import parse_trust_statement
from notary.settings.loading import load_settings
from notary.store.anchorings import anchoring_by_id, create_anchoring
from notary.store.migrate import migrate
from notary.store.outbox import set_nonce
from notary.wiring import open_stores, stored_history
from notary.wiring.checking import check_log
from tests.anchoring.local_chain import STRANGER, WALLET
from tests.api.test_trust_statement import PATH, rotating
from tests.cli.test_anchor import chain, key_file, named, set_up

__all__ = ["chain", "named", "set_up"]


def history():
    return stored_history(load_settings())


def test_each_key_is_rotated_declared_stolen_and_listed(notary, set_up, chain, tmp_path):
    payer = key_file(tmp_path, "payer.key", STRANGER)
    before = {role: history().in_force(role) for role in ("log", "receipt", "head")}
    for role in ("log", "receipt"):
        said = notary("key", "rotate", role).out
        assert f"{role} key in force: {history().in_force(role)}" in said
        assert "trust statement " in said
    assert "name who pays with --wallet" in notary("key", "rotate", "head", expected=2).err.replace("\n", " ")
    notary("key", "rotate", "head", "--wallet", payer)
    keys = read_keys(chain.node, bytes.fromhex(set_up.contract[2:]), set_up.log_id)
    assert f"0x{keys.head.hex()}" == history().in_force("head") != before["head"]
    assert "no rotation was begun" in notary("key", "rotate", "log", "--finish").out
    err = notary(
        "key", "compromised", "log", history().in_force("log"), "--last-good-size", "0", expected=2
    ).err
    assert "is the newest log key" in " ".join(err.split())
    said = notary("key", "compromised", "log", before["log"], "--last-good-size", "1").out
    assert f"{before['log']} is good up to size 1" in said
    found = json.loads(notary("key", "list", "--json").out)["keys"]
    states = {(each["role"], each["state"], each["in_force"], each["last_good_size"]) for each in found}
    assert states == {
        ("log", "compromised", False, 1),
        ("log", "good", True, None),
        ("receipt", "retired", False, None),
        ("receipt", "good", True, None),
        ("head", "retired", False, None),
        ("head", "good", True, None),
    }
    assert all(each["at_hand"] for each in found)
    (tmp_path / "keys" / "log.pem").unlink()
    shown = notary("key", "list").out
    assert f"log {before['log']}: compromised, from the beginning to 20" in shown
    assert "good up to size 1; its file is not here" in shown
    assert f"log {history().in_force('log')}: in force, from 20" in shown
    assert "0 problems" in notary("fsck").out
    file = notary("trust").out
    for text in ("last_good_size = 1", "[[chain.head_key]]", f'address = "{before["head"]}"', "since = 20"):
        assert text in file


def test_whoever_lacks_the_workers_settings_gives_nothing_up_but_by_name(
    notary, set_up, tmp_path, monkeypatch
):
    database, _ = open_stores(load_settings())
    with database.writing() as connection:
        item = create_anchoring(connection, "local", "evm", 1, datetime.now(UTC))

    def found():
        with database.reading() as connection:
            return anchoring_by_id(connection, item.id).state

    monkeypatch.delenv("NOTARY_CHAINS")
    err = " ".join(notary("key", "rotate", "log", "--wait", "0", expected=2).err.split())
    assert "are still on their way to local" in err
    assert "These settings do not name local" in err
    assert found() == "due"
    err = notary("key", "rotate", "head", expected=2).err
    assert "the contract would keep the old head key" in " ".join(err.split())
    err = notary("key", "rotate", "log", "--give-up", "locla", expected=2).err
    assert "no head was ever due at locla" in " ".join(err.split())
    said = notary("key", "rotate", "log", "--finish", "--give-up", "local").out
    assert "what an earlier run had begun is at its end" in said
    assert (found(), [period.ended for period in history().periods("log")]) == ("rejected", [True, False])
    # The log id is ended, by a thief of the head key perhaps: what was his is said to be.
    notary("key", "rotate", "head", "--give-up", "local")
    first = history().first("head")
    told = ("key", "compromised", "head", first, "--last-good-size", "1")
    assert "is anchored on local" in " ".join(notary(*told, expected=2).err.split())
    assert f"{first} is good up to size 1" in notary(*told, "--give-up", "local").out
    database.dispose()


def test_a_process_whose_key_was_swapped_does_not_start(notary, set_up, tmp_path):
    notary("key", "rotate", "log")
    notary("key", "new", tmp_path / "thief")
    for name in ("log.pem", "log-2.pem"):
        (tmp_path / "keys" / name).write_bytes((tmp_path / "thief" / "log.pem").read_bytes())
    err = notary("key", "rotate", "log", expected=2).err
    assert "nor a numbered file beside it holds the key in force" in " ".join(err.split())
    assert check_log(load_settings()).problems == []  # which needs no private key


def test_set_up_may_be_run_again_after_a_rotation(notary, set_up, tmp_path):
    notary("key", "rotate", "log")
    notary("key", "rotate", "head", "--wallet", key_file(tmp_path, "payer.key", STRANGER))
    assert set_up.contract in notary("setup").out


def test_a_key_that_was_made_elsewhere_is_taken_once(notary, set_up, tmp_path):
    notary("key", "new", tmp_path / "spare")
    for said in ("log key in force", "no rotation was begun"):
        assert said in notary("key", "rotate", "log", "--key", tmp_path / "spare" / "log.pem").out
    assert len(history().keys("log")) == 2


def test_a_wallet_that_anchors_pays_for_no_rotation(notary, set_up, tmp_path, monkeypatch):
    same = key_file(tmp_path, "same.key", WALLET)
    payer = key_file(tmp_path, "payer.key", STRANGER)
    further = replaced(load_settings(), wallets=(key_file(tmp_path, "further.key", STRANGER),))
    monkeypatch.setenv("NOTARY_CHAINS", json.dumps(further))
    for wallet in (same, payer):
        err = notary("key", "rotate", "head", "--wallet", wallet, expected=2).err
        assert "its lane stops at a transaction that is not its own" in " ".join(err.split())
    assert len(history().keys("head")) == 1


def test_a_wallet_of_a_worker_that_these_settings_do_not_name_pays_for_nothing_either(
    notary, set_up, tmp_path
):
    payer = key_file(tmp_path, "payer.key", STRANGER)
    database, _ = open_stores(load_settings())
    with database.writing() as connection:
        set_nonce(connection, "local", STRANGER.address, None, 3)
    err = notary("key", "rotate", "head", "--wallet", payer, expected=2).err
    assert "its lane stops at a transaction that is not its own" in " ".join(err.split())
    other = key_file(tmp_path, "other.key", Account.create())
    err = notary("key", "rotate", "head", "--key", payer, "--wallet", other, expected=2).err
    assert "is that of a wallet: what pays for anchors signs no heads" in " ".join(err.split())
    assert (history().events, len(list((tmp_path / "keys").glob("head*")))) == ((), 1)
    database.dispose()


def replaced(settings, **changes):
    """The chains of the settings as a variable holds them, each with these changes."""
    shown = settings.model_dump(mode="json", include={"chains"}, exclude_defaults=True)["chains"]
    return [
        chain | {name: [str(path) for path in paths] for name, paths in changes.items()} for chain in shown
    ]


def test_without_a_log_there_are_no_keys(notary, tmp_path, monkeypatch):

    monkeypatch.setenv("NOTARY_ORIGIN", "cli.example/log")
    monkeypatch.setenv("NOTARY_DATA_DIR", str(tmp_path / "empty"))
    database, _ = open_stores(load_settings())
    migrate(database)
    database.dispose()
    assert "there is no log yet" in notary("key", "list", expected=2).err


def test_a_trust_file_comes_from_a_service_by_its_fingerprint(notary, served, tmp_path):

    url, _, service = served
    err = notary("trust", "--from", url, "--fingerprint", "00" * 32, "--allow-private", expected=2).err
    assert "there is no trust statement at" in " ".join(err.split())
    rotating(service).publish()
    first = sha256(service.get(PATH).content).hexdigest()
    rotating(service).rotate("log")
    newest = sha256(service.get(PATH).content).hexdigest()
    key = parse_trust_statement(service.get(f"{PATH}?version=1").content).trust.log_keys[-1].verifier.vkey
    old = ("trust", "--from", url, "--fingerprint", first.upper(), "--allow-private")
    refused = notary(*old, expected=2)
    assert (refused.out, newest in refused.err) == ("", True)
    says = f"versions 2 to 3 rest on {key} of version 1 alone"
    assert says in " ".join(refused.err.split())
    assert says in " ".join(notary(*old, "--accept-newer").err.split())
    done = notary("trust", "--from", url, "--fingerprint", newest, "--allow-private")
    assert (len(parse_trust(done.out.encode()).log_keys), "alone" in done.err) == (2, False)
    assert "trust statement 3 of log.example.org/2026" in done.err
    assert f"SHA-256 {newest}" in done.err
    err = notary("trust", "--from", url, "--fingerprint", "00" * 32, "--allow-private", expected=2).err
    assert "no version of the trust statement has the fingerprint" in " ".join(err.split())
    assert "no address that requests may go to" in notary(
        "trust", "--from", url, "--fingerprint", first, expected=2
    ).err.replace("\n", " ")


@pytest.mark.parametrize(
    "options",
    [
        ("--from", "https://x.example"),
        ("--fingerprint", "00"),
        ("--from", "x", "--fingerprint", "0", "--publish"),
    ],
)
def test_a_fingerprint_and_an_address_go_together(notary, options):
    err = notary("trust", *options, expected=2).err
    assert "--from and --fingerprint go together" in " ".join(err.split())


def test_a_trust_statement_is_published_once_for_what_it_says(notary, set_up, monkeypatch):
    (chain,) = json.loads(os.environ["NOTARY_CHAINS"])
    monkeypatch.setenv("NOTARY_CHAINS", json.dumps([chain | {"max_ether_per_day": None}]))
    done = notary("trust", "--publish")
    first = done.out
    assert "nothing bounds what a wallet spends" in done.err  # a line of the log, which is no output
    assert first.startswith("trust statement 1, SHA-256 ")
    assert notary("trust", "--publish").out == first
