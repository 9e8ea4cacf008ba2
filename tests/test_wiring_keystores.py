"""Wallet and head key may lie in keystores, which a worker opens with the passwords that their key files name."""

import json

import pytest
from eth_account import Account

from notary import keys
from notary.errors import SettingsError
from notary.wiring import now
from notary.wiring.chains import evm_anchors
from notary.wiring.nodes import nodes_of
from tests.api.service import Service

CHAIN = {"name": "main", "rpc_urls": ("http://127.0.0.1:9",), "chain_id": 1}
SECOND = Account.from_key("0x" + "1a" * 32)
DIGEST = bytes(range(32))


def in_keystore(folder, secret):
    """A key file that names a keystore with this secret, and the file of its password."""
    folder.mkdir()
    store = json.dumps(Account.encrypt(secret, "a pass phrase", kdf="pbkdf2", iterations=2))
    for name, text in (("store.json", store), ("password", "a pass phrase\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    named = {"keystore": str(folder / "store.json"), "password_file": str(folder / "password")}
    (folder / "key").write_text(json.dumps(named))
    (folder / "key").chmod(0o600)
    return folder / "key"


@pytest.fixture
def service(tmp_path):
    """Of a log whose wallet and head key were put into keystores, and that has a second wallet in one."""
    second = in_keystore(tmp_path / "second", SECOND.key)
    plain = Service(tmp_path / "service", {})
    settings = plain.assembly.settings
    plain.end()
    changes = {"chains": (CHAIN | {"wallets": (second,)},), "allow_private_addresses": True}
    for name in ("wallet_key", "head_key"):
        secret = keys.load_secp256k1(getattr(settings, name)).key
        changes[name] = in_keystore(tmp_path / name, secret)
    service = Service(tmp_path / "service", changes)
    yield service
    service.end()


def anchors(service):
    made, settings = service.assembly, service.assembly.settings
    (chain,) = settings.chains
    return evm_anchors(chain, nodes_of(chain, settings), settings, made.database, made.genesis, now)


def test_an_anchor_is_signed_and_paid_for_by_keys_in_keystores(service):
    first, second = anchors(service)
    assert second.wallet.address == SECOND.address
    assert first.head_key.address.lower() == service.assembly.genesis.head_key
    for signer in (first.wallet, second.wallet, first.head_key):
        signature = signer.unsafe_sign_hash(DIGEST).signature
        assert Account._recover_hash(DIGEST, signature=signature) == signer.address


def test_with_another_password_no_worker_starts(service, tmp_path):
    password = tmp_path / "second" / "password"
    right = password.read_text()
    password.write_text("another\n")
    with pytest.raises(SettingsError, match=r"the password in .*/second/password does not open it"):
        anchors(service)
    password.write_text(right)
    assert len(anchors(service)) == 2
